"""The lexicon behind `stance`: phrases of one to four words and what they say about a share. Data only.

Each line is a weight and its phrases; 3 is as good as explicit, 1 a hint. Forum slang and headline language stand
together, because posts quote headlines and headlines quote posts.
"""

BULLISH: dict[int, str] = {
    3: """
        to the moon, buy the dip, bought the dip, buying the dip, btfd, diamond hands, short squeeze, gamma squeeze,
        squeeze, calls, call options, bullish, all in, load up, loading up, loaded up, will go up, breakout, breaking
        out, undervalued, strong buy, price target raised, raises price target, raised to buy, upgrade, upgrades,
        upgraded, beats, beat estimates, beats estimates, tops estimates, tops expectations, beat expectations, raises
        guidance, raised guidance, raises outlook, record high, record highs, all time high, all time highs, new
        highs, new ath, record profit, record revenue, surges, surged, soars, soared, skyrockets, skyrocketed,
        rockets, rallies, rallied, outperform, outperforms, tendies, mooning, moons, moon, to valhalla, going long, go
        long, long term hold, golden cross, buy rating, fda approval, approved by the fda, buy more, bought more,
        adding more, buyout, going to fly
        """,
    2: """
        long, bull run, bull flag, leaps, rally, rebound, rebounds, bouncing, jumps, jumped, surge, soar, climbs,
        climbed, gained, gain, upside, higher, rip, ripping, rocket, green, oversold, cheap, accumulate, accumulating,
        hold, holding, hodl, hodling, yolo, profits, profitable, winner, winning, beat, growth, strong, stronger,
        buyback, buybacks, repurchase, dividend increase, raises dividend, approval, approved, partnership, explode,
        exploding, run up, printing, print, recover, recovers, recovering, recovery, support, positive, boost, boosts,
        boosted, expands, apes strong together, hold the line, holding strong, upward, bottomed, bottom is in,
        catalyst, underpriced, wins, won, new high, exceeds, exceeded, optimistic, confident, breakthrough, blowout,
        crushed earnings, crush earnings, crushes, smash, double, going up
        """,
    1: """
        up, good, great, nice, amazing, best, awesome, like, happy, excited, opportunity, rise, rises, rising, rose,
        hot, easy money, fly, flying, free money, momentum, potential, win, solid, healthy, improve, improved,
        improves, tailwind, tailwinds, deal, launches, launch, contract, awarded, future, patient, add, added, adding,
        ready, bears, shorts, buy, buying, profit, gains, bull, short sellers
        """,
}

BEARISH: dict[int, str] = {
    3: """
        puts, put options, bearish, overvalued, rug pull, rugpull, short it, shorting, shorted, going down, will go
        down, sell off, selloff, sell the rip, sell rating, downgrade, downgrades, downgraded, cuts guidance, cut
        guidance, lowers guidance, lowers outlook, cuts outlook, misses estimates, missed estimates, misses
        expectations, missed expectations, misses, price target cut, cuts price target, bankruptcy, bankrupt, chapter
        11, delisted, delisting, insolvent, fraud, ponzi, scam, scams, plunges, plunged, plummets, plummeted, plunge,
        crashes, crashed, crash, crashing, tanks, tanked, tanking, tank, collapses, collapsed, collapse, tumbles,
        tumbled, nosedive, dead cat bounce, death cross, drilling, bag holder, bagholder, bagholders, bag holders,
        worthless, going to zero, to zero, pump and dump, dumped, dumping, underperform, underperforms, record low,
        new lows, all time low, accounting irregularities, going concern, go short, going short, get out now, sell
        now, get out, head and shoulders, bagholding
        """,
    2: """
        short, sell, bear, bear market, bear trap, dump, dumps, drop, drops, dropped, dropping, fall, falls, fell,
        falling, falls short, decline, declines, declined, declining, lower, slump, slumps, slumped, slides, slid,
        sinks, sank, loss, losses, losing, lost, red, bubble, overpriced, expensive, overbought, weak, weaker,
        weakness, lawsuit, lawsuits, sued, sues, probe, investigation, investigated, subpoena, recall, recalls,
        layoffs, layoff, lays off, job cuts, dilution, dilute, diluted, offering, default, defaults, debt, downside,
        resistance, warning, warns, warned, concerns, fears, fear, negative, paper hands, rekt, wrecked, bleeding,
        blood, bloodbath, correction, pullback, trap, bull trap, hacked, breach, halted, suspended, fined, fine,
        penalty, scared, worried, trash, garbage, dead, died, dying, rejected, rejects, rejection, profit warning,
        downward, toxic, falling knife, drag, drags, dragged, disappoint, disappoints, disappointing, disappointed,
        ban, bans, banned, cuts, cut
        """,
    1: """
        down, bad, worst, worse, hate, terrible, awful, ugly, shit, sucks, crap, risk, risky, risks, uncertainty,
        uncertain, problem, problems, trouble, fail, failed, failing, fails, failure, delay, delays, delayed,
        headwind, headwinds, inflation, stuck, volatile, avoid, careful, overhyped, hype, hyped, rip my, gone, sad,
        cry, crying, pain, painful, miss, missed, profit taking, bulls, selling, sold, pump, pumping, pumped
        """,
}

NEUTRAL = """
    short term, short interest, short sale volume, short ratio, long term, long time, long run, long story, long day,
    buy or sell, sell or buy, buy or hold, calls or puts, puts or calls, hold or sell, sell or hold, conference call,
    earnings call, margin call, up or down, down or up, call me, what is up, what's up, wake up, end up, ended up,
    sign up, signed up, set up, make up, made up, look up, come up, came up, give up, shut up, pick up, follow up, up
    to date, up to, write up, grown up, show up, back up, break up, calm down, sit down, shut down, turn down, break
    down, breakdown, years down the line, down payment, like a, like the, like this, like that, looks like, look like,
    feels like, feel like, something like, just like, seems like, sounds like, would like, hold on, on hold, red flag,
    not like, long as, as long, before long, no longer, buy side, sell side, naked shorts, net short, best buy, gains
    tax, capital gains, market cap, stop loss, cut off, fine print, in print, good luck, good morning, good question,
    debt ceiling, low risk
    """

NEGATORS = frozenset("""
    not no never none neither nor cannot can't cant won't wont don't dont doesn't doesnt didn't didnt isn't isnt
    ain't aint wasn't wasnt aren't arent without stop stopped hardly barely unlikely wouldn't wouldnt shouldn't
    shouldnt fails failed
    """.split())

EMOJI: dict[str, int] = {
    "🚀": 2, "🌕": 2, "🌙": 2, "📈": 2, "💎": 2, "🐂": 2, "🤑": 2, "🙌": 1, "🟢": 1,
    "💪": 1, "🔥": 1, "💰": 1, "🍾": 1, "🎉": 1,
    "📉": -2, "🐻": -2, "🩸": -2, "🧻": -2, "💩": -2, "🗑": -2, "🌈": -1, "🔴": -1,
    "🤡": -1, "😭": -1, "😡": -1, "🚨": -1, "💀": -1,
}
