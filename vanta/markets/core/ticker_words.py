"""Words that ticker extraction has to know. Data only; reviewed by hand, changed in code review.

`AMBIGUOUS` holds words and abbreviations that are also listed symbols, or look like one, so that writing
one of them in capitals says nothing by itself. It was compiled by reading the symbols that occur as ordinary
lower-case words in public English posts, then adding the slang and abbreviations of trading forums.
One-word company names come in four classes: `DISTINCTIVE` ones say enough alone; `FAMILIAR` ones are also ordinary
words and need talk of markets nearby; `PLATFORMS` are mostly mentioned as places and need talk of the share itself;
all others need it right beside them. Example: `ON` and `Target` need context, `GME` and `Nvidia` do not.
"""

AMBIGUOUS: frozenset[str] = frozenset("""
A AB AD AG AGO AI AIM AIN AIR AKA AL ALL ALOT ALSO ALT AM AMA AMP AN AND ANY APE APES API APP APPS AR ARE ART AS ASAP
ASH ASK ASX AT ATH ATM ATOM AU AUTO AWAY B BABY BACK BAD BALL BAM BAND BANK BAR BASE BAT BE BEAR BEAT BEN BEST BET BIG
BILL BIO BIT BITE BLUE BOIL BOND BOOM BOOT BOTH BOX BP BRO BTFD BUD BULL BUS BUY BY BYE C CAL CALL CALM CAN CAR CARE
CARS CART CASE CASH CAST CAT CC CDC CENT CEO CFO CHAT CHEF CHIP CITY CLUB CNBC CNN COLD COM COMP COOK COOL COP COST
COVID CPA CPI CRO CTO CUT CUZ D DAD DAN DAO DATA DATE DAY DAYS DB DC DCF DD DE DEAL DECK DEEP DEFI DID DIP DJI DM DMA
DO DOC DOE DOG DONE DOOR DOT DOW DOWN DROP DRUG DTC DTE DUE DUMB DY E EARN EASY EAT EBIT ECB EDIT EL ELSE EM EMA END
EOD EOM EOW EOY EPS ER ES ESG ESP EST ET ETA ETC ETF ETFS EU EUR EV EVEN EVER EVS EXIT EXP EYE FA FACT FAM FAN FANG
FAST FAT FATE FBI FCC FDA FED FEE FEEL FIG FINE FIRE FIT FIVE FIX FLAT FLEX FLOW FLY FOLD FOMC FOMO FOOD FOR FORM FOUR
FREE FROM FT FTC FTW FUD FULL FUN FUND FUTU G GAIN GALA GAME GAS GDP GEAR GEN GEO GET GLAD GO GOLD GOOD GOT GROW GRT
GT GUH GUT GUY H HA HAHA HALF HALO HAS HAVE HE HEAR HELP HER HERE HES HI HIGH HIM HIS HIT HODL HOLD HOLE HOLY HOME
HOPE HOT HOUR HOW HR HUGE HUM HUT I ICE ICP ID IDK IF IL IM IMHO IMO IN INFO INTO IPO IPOS IQ IR IRA IRL IRON IRS IS
ISN IT ITM ITS IV J JACK JAN JK JOB JOY JPOW JUN JUST K KEEP KEY KID KIDS KIND KING KNOW L LAB LAKE LAND LAST LAW LAZY
LEE LEFT LEG LEGS LESS LET LFG LIES LIFE LIKE LINE LINK LIST LIT LIVE LL LLC LMAO LMFAO LOAN LOL LONG LOOK LOOP LOSS
LOST LOT LOTS LOVE LOW LTD LUCK M MA MACD MAD MAIN MAKE MAN MANY MAP MARK MASS MATH MAX MAY ME MEME MEN MET MI MIND
MINE MINT MIT MMS MO MOASS MOD MODE MODS MOM MOMO MOON MORE MOST MOVE MSRP MUCH MUST MY N NA NAIL NAV NDX NEAR NEED
NET NEW NEWS NEXT NFA NFT NFTS NGL NI NICE NIL NINE NO NOT NOTE NOW NSFW NYC NYSE O OCC OCT ODD OF OFF OG OH OIL OK
OLD OMG ON ONCE ONE ONLY ONTO OP OPEC OPEN OPT OR OTC OTM OUR OUT OUTS OVER OWN P PACK PAR PARA PART PATH PAY PAYS PCT
PDT PE PEAK PEG PEN PER PICK PLAN PLAY PLUS PLZ PM PO POOL POP PORT POS POST PPL PPP PR PRE PRO PT PUMP PURE PUSH PUT
PUTS Q QE QQ QT R RACE RAMP RAN RARE RARI RAW RE READ REAL RED REIT RELY REPO REST RH RICH RIDE RIG RIP RISK RLC ROAD
ROCK ROI ROLL ROPE ROSE ROTH RSI RUG RUN RUSH S SA SAD SAFE SAID SALE SAND SAT SAVE SAY SAYS SE SEC SEE SELF SELL
SELLS SEND SEP SET SHE SHIP SHIT SHOT SHOW SI SIT SITE SIX SKIN SKY SLOW SMA SNX SO SOL SOLD SOME SON SONG SOON SOS
SPAC SPX STAR STAY STEP STOP STX SUB SUCH SUIT SUM SUN SURE SWAN TA TAG TAKE TALK TAP TAX TEAM TECH TELL TEN TERM TEST
TH THAN THAT THE THEM THEN THEY THIS THO TIL TIME TIP TITS TL TLDR TO TOLD TOO TOP TOPS TOS TOUR TOY TRADE TREE TRIP
TRUE TRY TURN TV TWO U UI UK UN UNI UNIT UNTIL UP US USA USD USE VALUE VAT VERY VIA VIP VIX VOTE VR VS VWAP W WAIT
WALL WANT WAR WARM WAS WASH WAVE WAY WE WEB WELL WENT WERE WHAT WHEN WHO WHY WIFE WILL WIN WISE WISH WITH WK WOLF WOOD
WOOF WORK WOW WRAP WSB WTF WW WWW X XX XXX XXXX Y YEAR YES YET YOLO YOU YOUR YTD ZEN ZERO ZONE ZOOM
""".split())

DISTINCTIVE: frozenset[str] = frozenset("""
aave abbvie activision airbnb algorand alibaba amgen appleinc applovin astrazeneca at&t baidu berkshire bitcoin
blackberry blackrock blackstone boeing bofa broadcom cardano carvana chainlink chargepoint chevron chipotle citi
citibank citigroup cloudflare comcast conocophillips costco crowdstrike disney docusign dogecoin doordash draftkings
ethereum etherium exxon fedex fubotv gamestonk gamestop gilead goldman halliburton honeywell ionq j&j jpmorgan lilly
litecoin lockheed lululemon macys mastercard mcdonald's mcdonalds microsoft microstrategy moderna mongodb netflix
nikola nokia novavax nvidia opendoor p&g palantir paypal peleton peloton pepsi pepsico pfizer polkadot qualcomm
raytheon rivian roblox salesforce servicenow shopify sofi solana starbucks supermicro teladoc tesla tilray tsmc twilio
uniswap unitedhealth verizon walmart xpeng zscaler
""".split())

FAMILIAR: frozenset[str] = frozenset("""
adobe alphabet altria apple avalanche block carnival caterpillar chase chewy coke compass cosmos deere delta discover
ether etsy express fastly ford gap honda intel intuit kroger lemonade lowe's lucid lyft macy's marathon match meta
micron moderna nike nucor okta oracle paramount polygon ripple rocket roku shiba snap snowflake sony southwest spotify
square stellar strategy target toast toyota tron unity upstart visa wayfair wish xerox zillow zoom
""".split())

PLATFORMS: frozenset[str] = frozenset("""
amazon coinbase ebay facebook fidelity google instagram pinterest reddit robinhood schwab twitter uber yelp youtube
""".split())

ALIASES: dict[str, tuple[str, ...]] = {
    "activision": ("ATVI",), "ali baba": ("BABA",), "alphabet": ("GOOGL", "GOOG"), "amazon": ("AMZN",),
    "american express": ("AXP",), "at&t": ("T",), "bank of america": ("BAC",),
    "bed bath": ("BBBY",), "bed bath and beyond": ("BBBY",), "berkshire": ("BRK.B", "BRK.A"), "bofa": ("BAC",),
    "boeing": ("BA",), "citi": ("C",), "citibank": ("C",), "coca cola": ("KO",), "deere": ("DE",),
    "delta": ("DAL",), "disney": ("DIS",), "ether": ("crypto:ETH",), "exxon": ("XOM",), "facebook": ("FB", "META"),
    "ford": ("F",), "game stop": ("GME",), "gamestonk": ("GME",), "general electric": ("GE",),
    "goldman": ("GS",), "goldman sachs": ("GS",), "google": ("GOOGL", "GOOG"), "instagram": ("FB", "META"),
    "jp morgan": ("JPM",), "jpmorgan": ("JPM",), "jpmorgan chase": ("JPM",), "kroger": ("KR",), "lilly": ("LLY",),
    "lockheed": ("LMT",), "lowe's": ("LOW",), "lululemon": ("LULU",), "macy's": ("M",), "mcdonalds": ("MCD",),
    "meta": ("META", "FB"), "meta platforms": ("META", "FB"),
    "paramount": ("PARA",), "peleton": ("PTON",), "pepsi": ("PEP",), "philip morris": ("PM",),
    "procter and gamble": ("PG",),
    "ripple": ("crypto:XRP",), "robinhood": ("HOOD",), "schwab": ("SCHW",), "shiba": ("crypto:SHIB",),
    "southwest": ("LUV",), "square": ("SQ", "XYZ"), "starbucks": ("SBUX",),
    "strategy": ("MSTR",), "supermicro": ("SMCI",),
    "sony": ("SONY",), "t mobile": ("TMUS",), "taiwan semi": ("TSM",), "tsmc": ("TSM",), "unitedhealth": ("UNH",),
    "virgin galactic": ("SPCE",), "walt disney": ("DIS",), "wells fargo": ("WFC",),
}
"""Names that people use and that no registered name yields; the first target that is in the universe wins."""

FORMER_SYMBOLS: dict[str, str] = {"FB": "META", "SQ": "XYZ", "ANTM": "ELV", "RTN": "RTX", "VIAC": "PARA"}
"""Symbols that were renamed, used only where the old one is not in the universe."""

LOWER_CASE: frozenset[str] = frozenset("""
AAPL ABNB ACB AMC AMD AMZN ATVI BABA BBBY BTC BYND CGC CLOV DKNG DWAC ENPH ETH GME GOOG GOOGL LCID MARA MRNA MSFT MSTR
NFLX NIO NKLA NVDA PLTR PTON PYPL QQQ RBLX RIVN ROKU SNDL SOFI SPCE SQQQ TLRY TQQQ TSLA TSM TWTR UVXY WKHS
""".split())
"""Symbols so well known, and so unlike words, that people write them in lower case."""

KNOWN_CRYPTO: frozenset[str] = frozenset("""
AAVE ADA ALGO APE APT ARB ATOM AVAX BAT BCH BNB BTC COMP CRO CRV DOGE DOT EGLD ENS EOS ETC ETH FIL FLOW FTM GALA GRT
HBAR ICP IMX INJ LDO LINK LRC LTC MANA MATIC MKR NEAR NEO OP PEPE POL QNT RUNE SAND SHIB SNX SOL STX SUI SUSHI TON TRX
UNI USDC USDT VET WIF XLM XMR XRP XTZ YFI ZEC
""".split())
"""Codes of crypto assets: a share with the same symbol is doubted even where the asset is not in the universe."""

FINANCE = frozenset("""
bagholder bagholders bagholding bags bear bearish bears bottom bought bull bullish bulls buy buyback buying call calls
contract contracts dip dividend dividends downgrade downgraded drilling earnings eps er expiry fd fds float gains
gamma guidance hold holding holdings invest invested investing investment investor investors itm iv leap leaps long
longs loss losses market mc merger moon mooning naked nasdaq nyse option options otm outperform overvalued pe play
portfolio position positions premium price profit pt pump put puts quarter quarterly rally revenue revenues rip sell
selling selloff sentiment share shareholder shareholders shares short shorted shorting shorts sold spread spreads
squeeze stock stocks stonk stonks strike strikes tank tanking tendies ticker trade traded trader traders trading
undervalued upgrade upgraded valuation yolo
""".split())

CRYPTO_CONTEXT = frozenset("""
altcoin altcoins binance bitcoin blockchain bybit chain coin coinbase coins crypto cryptocurrency cryptos dapp defi
dex ethereum hodl kraken kucoin ledger mainnet metamask miner miners mining nft nfts onchain perp perps protocol
satoshi sats stablecoin staking swap token tokens usdt validator wallet wallets web3
""".split())

EQUITY_CONTEXT = frozenset("""
10k 10q analyst analysts calls ceo cfo dividend dividends earnings eps etf fda fds filing guidance insider leaps
listed nasdaq nyse option options otm puts q1 q2 q3 q4 revenue sec share shareholder shareholders shares stock stocks
strike
""".split())

SHARE_TALK = frozenset("""
bearish bullish calls dividend earnings eps leaps nasdaq nyse overvalued puts revenue shareholder shareholders shares
stock stocks ticker undervalued valuation
""".split())
"""Words that speak of a share itself; "share" and "option" alone are verbs and choices."""
