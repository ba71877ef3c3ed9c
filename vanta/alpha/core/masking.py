"""Names of people, hosts and places, taken out of what leaves the house. Pure; secrets are `common/redact.py`'s.

Every name that is known is replaced wherever it stands by `name-1` and so on, the same by the same, so that a story can
still be followed; so are addresses of electronic mail, and fields that hold a name whatever it is.

    Masks(["ann"]).text("ann halted; ann@example.org knows why")  ->  "name-1 halted; ***@*** knows why"
"""

import re
from collections.abc import Iterable

from vanta.common.redact import MASK, redact, redact_text

FIELDS = frozenset({"by", "user", "uid", "contact", "terminals", "account_id", "owner", "hostname"})
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_SHORTEST = 3


class Masks:
    """The names that are to go."""

    def __init__(self, names: Iterable[str]) -> None:
        long = sorted({name for name in names if len(name) >= _SHORTEST}, key=lambda name: (-len(name), name))
        self._masks = {name: f"name-{number}" for number, name in enumerate(long, start=1)}
        words = "|".join(re.escape(name) for name in long)
        self._names = re.compile(rf"(?<!\w)(?:{words})(?!\w)") if long else None

    def text(self, text: str) -> str:
        """Text without secrets, addresses and names."""
        text = _MAIL.sub(f"{MASK}@{MASK}", redact_text(text))
        return self._names.sub(lambda found: self._masks[found[0]], text) if self._names else text

    def unmasked(self, text: str) -> str:
        """Text with the names put back, for whoever knows them anyway."""
        names = {mask: name for name, mask in self._masks.items()}
        return re.sub(r"\bname-\d+\b", lambda found: names.get(found[0], found[0]), text)

    def value(self, value: object) -> object:
        """A JSON value without them."""
        return self._masked(redact(value))

    def _masked(self, value: object) -> object:
        if isinstance(value, dict):
            return {self.text(str(key)): MASK if key in FIELDS and item not in (None, "") else self._masked(item)
                    for key, item in value.items()}
        if isinstance(value, list):
            return [self._masked(item) for item in value]
        return self.text(value) if isinstance(value, str) else value
