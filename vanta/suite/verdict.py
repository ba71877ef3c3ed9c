"""A verdict in one plain sentence. Pure.

refused by the fence collar  ->  "price.collar: 0.0788 against 0.05; the order's price is too far from the quote"
"""

from vanta.common.money import plain
from vanta.common.reasons import TABLE, Effect
from vanta.suite.story import Stopped, Story

_KNOWN = {str(reason): row for reason, row in TABLE.items()}


def verdict(story: Story, *, halted: bool) -> str:
    """What became of an intent: its fills, what refused it, or what it waits for.

    A hold is recorded once for each reason, so a halt is only named while `halted` says that there is one.
    """
    if story.fills:
        return _filled(story)
    if story.state in ("refused", "quarantined"):
        return "; ".join(_no(line) for line in _grave(story.stopped)) or "no reason recorded"
    if story.state == "expired":
        return f"expired while {_no(story.stopped[0]) if story.stopped else 'waiting'}; held by {', '.join(story.held)}"
    if story.state == "held":
        lines = [line for line in story.stopped if halted or not line.code.startswith("halt.")]
        return "waits: " + ("; ".join(_no(line) for line in lines) or "to be judged again")
    return {"seen": "not judged yet", "withdrawn": "the promoter wanted something else"}.get(story.state, "")


def holding(code: str) -> str:
    """What a code means, in words."""
    return _KNOWN[code].meaning if code in _KNOWN else "of a reason that this version does not know"


def _filled(story: Story) -> str:
    price = story.price
    done = plain(story.quantity.normalize())
    whole = "" if story.quantity == story.ordered else f" of {plain(story.ordered.normalize())}"
    times = f" in {len(story.fills)} fills" if len(story.fills) > 1 else ""
    value = sum(abs(fill.cash) for fill in story.fills)
    ended = f", then {story.state}: {story.ended}" if story.ended else ""
    return f"{done}{whole} at {price:,.2f}{times}, {value:,.2f}, fee {story.fees:,.2f}{ended}"


def _grave(lines: list[Stopped]) -> list[Stopped]:
    """The lines that refuse; all of them where none does."""
    refusing = [line for line in lines if line.code in _KNOWN and _KNOWN[line.code].effect is not Effect.HOLD]
    return refusing or lines


def _no(line: Stopped) -> str:
    detail = f" ({line.detail})" if line.detail else ""
    return f"{line.code}: {_told(line.value)} against {_told(line.limit)}{detail}; {holding(line.code)}"


def _told(value: str) -> str:
    """Milliseconds as seconds; everything else as it stands."""
    number, space, unit = value.partition(" ")
    return f"{int(number) // 1000:,} s" if space and unit == "ms" and number.isdigit() else value
