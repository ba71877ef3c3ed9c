"""Makes the shipped integer tables of the scorer, with fifty correct digits, so that no run ever needs libm.

    python scripts/make_tables.py          # writes vanta/common/data/decay_q30.json and logistic.json

The tables are data: they are hashed into every cycle, and a test makes them again and compares.
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "vanta" / "common" / "data"
PRECISE = Context(prec=50, rounding=ROUND_HALF_EVEN)

DECAY_STEPS, DECAY_BITS = 1024, 30
LOGISTIC_STEP, LOGISTIC_LAST = 16, 12_288
LOGISTIC_UNIT = 100_000_000


def decay_table() -> list[int]:
    """2^(-k/1024) in units of 2^-30, k from 0 to 1023."""
    with localcontext(PRECISE):
        slope = Decimal(2).ln() / DECAY_STEPS
        return [int(((-slope * k).exp() * (1 << DECAY_BITS)).to_integral_value()) for k in range(DECAY_STEPS)]


def logistic_table() -> list[int]:
    """2·g(L)−1 = (1−e^−L)/(1+e^−L) in units of 10^-8, L from 0 to 12.288 nats in steps of 0.016."""
    with localcontext(PRECISE):
        return [_strength(Decimal(k) / 1000) for k in range(0, LOGISTIC_LAST + 1, LOGISTIC_STEP)]


def _strength(nats: Decimal) -> int:
    fading = (-nats).exp()
    return int(((1 - fading) / (1 + fading) * LOGISTIC_UNIT).to_integral_value())


def render(fields: dict[str, int], table: list[int]) -> str:
    """A small JSON file: what the numbers mean, then sixteen numbers a line."""
    head = "".join(f' "{name}": {value},\n' for name, value in fields.items())
    rows = [", ".join(map(str, table[at:at + 16])) for at in range(0, len(table), 16)]
    return "{\n" + head + ' "table": [\n  ' + ",\n  ".join(rows) + "\n ]\n}\n"


def files() -> dict[str, str]:
    """The text of both files by name."""
    return {
        "decay_q30.json": render({"steps": DECAY_STEPS, "bits": DECAY_BITS}, decay_table()),
        "logistic.json": render({"step": LOGISTIC_STEP, "unit": LOGISTIC_UNIT}, logistic_table()),
    }


if __name__ == "__main__":
    for name, text in files().items():
        (DATA / name).write_text(text, "ascii")
