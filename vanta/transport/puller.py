"""One link: looks at the other node's files in turn and adopts what may be adopted, by the rules of `core/`.

Controls are looked at every `controls_s`, everything else every `logs_s`; a long log arrives in slices of time, so that
it keeps nothing waiting. A link that does not answer is tried again after a pause that grows; a file that is refused
stays what it was and is named, and the others go on.
"""

from dataclasses import dataclass, field

from vanta.common.canonical import document as rendered
from vanta.common.canonical import sha256
from vanta.common.clock import Clock
from vanta.common.errors import Missing, StateError
from vanta.common.signatures import KEYS, fingerprint
from vanta.common.signatures import keys as public_keys
from vanta.common.times import iso
from vanta.transport.core.lease import counter_of, succeeds
from vanta.transport.core.replica import Refusal, grown
from vanta.transport.core.table import Crossing, crossings
from vanta.transport.landing import Landing
from vanta.transport.logs import LogPull
from vanta.transport.port import LinkDown, Refused, Remote

STATUS = "status.json"
FLOOR = "lease_counter"
_PAUSES_S = (0.2, 0.5, 1.0, 2.0)
_STATUS_S = 1.0
_SLICE_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often controls and the rest are looked at, in seconds. `key` is the fingerprint that logs must begin with."""

    controls_s: float
    logs_s: float
    key: str | None = None


@dataclass(slots=True)
class Seen:
    """What there is to say of one file."""

    problem: str = ""
    refused: bool = False
    at: str | None = None
    seq: int | None = None
    behind: int = 0


@dataclass(slots=True)
class Turn:
    """What one turn brought: names of files that changed, and refusals that are new."""

    news: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


class Link:
    """The link from `source` to this node (`to`). `turn` never raises for what the other node does."""

    def __init__(self, source: str, to: str, remote: Remote, landing: Landing, pace: Pace) -> None:
        self.source = source
        self._remote, self._landing, self._pace = remote, landing, pace
        self._rows = crossings(source, to)
        self._due = {True: float("-inf"), False: float("-inf")}
        self._logs: dict[str, LogPull] = {}
        self._not_before, self._failures = float("-inf"), 0
        self.files: dict[str, Seen] = {row.name: Seen() for row in self._rows}
        self.down = ""
        self.heard: str | None = None
        self.witnessed = ""
        self._said: tuple[object, float] = (None, float("-inf"))

    def wait_s(self, now: float) -> float:
        """How long there is nothing to do."""
        return max(0.0, self._not_before - now, min(self._due.values()) - now)

    def turn(self, clock: Clock) -> Turn:
        """Look at whatever is due."""
        found, now, heard = Turn(), clock.monotonic(), self.heard
        if now < self._not_before:
            return found
        try:
            for urgent, every_s in ((True, self._pace.controls_s), (False, self._pace.logs_s)):
                if clock.monotonic() >= self._due[urgent]:
                    self._due[urgent] = clock.monotonic() + every_s
                    for row in self._rows:
                        if row.urgent == urgent:
                            self._one(row, found, clock)
            self.down, self._failures = self._remote.stale(), 0
            self.heard = heard if self.down else self.heard
        except LinkDown as error:
            self.down = error.what
            self._not_before = clock.monotonic() + _PAUSES_S[min(self._failures, len(_PAUSES_S) - 1)]
            self._failures += 1
            self._due = dict.fromkeys(self._due, float("-inf"))
        self._report(clock)
        return found

    def _one(self, row: Crossing, found: Turn, clock: Clock) -> None:
        """One file. Raises `LinkDown`; anything else that is wrong with it is said."""
        seen, before = self.files[row.name], self.files[row.name].problem
        refused = False
        try:
            if self._log(row, clock) if row.how == "log" else self._document(row):
                seen.at = iso(clock.now())
                found.news.append(row.name)
            seen.problem = ""
        except Missing as error:
            seen.problem = self._gone(row, error)
        except Refusal as error:
            seen.problem, refused = error.what, True
            if self._landing.refuse(row.name, error.evidence) or before != error.what:
                found.refused.append(f"{row.name}: {error.what}")
        except (StateError, Refused) as error:
            seen.problem = error.what
        seen.refused = refused
        self.heard = iso(clock.now())

    def _gone(self, row: Crossing, error: Missing) -> str:
        """A file that is not there (any more). A kill switch that was deleted is deleted here as well, which halts.

        What has not come to be yet is no problem, unless something rests on it.
        """
        if row.how == "log":
            pull = self._logs.get(row.name)
            return error.what if pull is not None and pull.held.head.size else ""
        before = self._landing.document(row.name)
        if row.urgent and before:
            self._take_away(row, before)
        return error.what if row.urgent or before else ""

    def _take_away(self, row: Crossing, before: bytes) -> None:
        """What rests on it stops. A lease's counter is kept, and first: a crash in between must not forget it."""
        if row.how == "lease":
            self._landing.put(FLOOR, str(max(self._floor(), counter_of(before, row.name))).encode())
        self._landing.drop(row.name)

    def _floor(self) -> int:
        raw = self._landing.document(FLOOR) or b"0"
        if not raw.isdigit():
            raise StateError(f"{FLOOR} holds no counter", "Look at Alpha's lease, then remove it here.")
        return int(raw)

    def _document(self, row: Crossing) -> bool:
        """Replace a document if it changed. Returns whether it did."""
        before = self._landing.document(row.name)
        if row.how == "lease":
            return self._lease(row, before)
        stat = self._remote.stat(row.name)
        if before and sha256(before) == stat.sha256:
            return False
        raw = self._remote.read(row.name, 0, row.most)
        if row.how == "keys":
            if not grown(before, raw, row.name):
                return False
            self._insist_on_keys(raw)
        self._landing.put(row.name, raw)
        return True

    def _lease(self, row: Crossing, before: bytes) -> bool:
        raw = self._remote.read(row.name, 0, row.most)
        try:
            if not succeeds(raw, before, self._floor(), row.name):
                return False
        except Refusal:
            if before:
                self._take_away(row, before)
            raise
        self._landing.put(row.name, raw)
        return True

    def _insist_on_keys(self, raw: bytes) -> None:
        try:
            known = public_keys(raw)
        except StateError as error:
            raise Refusal("broken", error.what, raw) from error
        if self._pace.key is not None and fingerprint(known[0]) != self._pace.key:
            raise Refusal("forked", f"{KEYS} begins with the key {fingerprint(known[0])}, not with the one that "
                          f"[transport.{self.source}] pins", raw)

    def _log(self, row: Crossing, clock: Clock) -> bool:
        """Pull a log piece by piece, for a while. Returns whether anything was adopted."""
        pull = self._logs.get(row.name)
        if pull is None or not pull.sound:
            pull = self._logs[row.name] = LogPull(row, self._remote, self._landing.log(row.name),
                                                   self._landing.snapshots)
        trusted = self._trusted() if row.covered else ()
        began, seen, ends = pull.held.head.seq, self.files[row.name], clock.monotonic() + _SLICE_S
        try:
            while pull.piece(trusted):
                if clock.monotonic() >= ends:
                    self._due[row.urgent] = ends  # there is more: at once after the others
                    break
        except Refusal:
            pull.forget()
            raise
        finally:
            seen.seq, seen.behind = pull.held.head.seq, pull.behind
        return pull.held.head.seq != began

    def _trusted(self) -> tuple[str, ...]:
        raw = self._landing.document(KEYS)
        if not raw:
            raise StateError(f"{KEYS} of {self.source} has not arrived: nothing says whose signatures count")
        return public_keys(raw)

    def _report(self, clock: Clock) -> None:
        """Write `status.json` when it says something else, at most every second."""
        said = {"node": self.source, "link": "down" if self.down else "up", "problem": self.down,
                "heard_at": self.heard, "witness": self.witnessed,
                "files": {name: {"at": one.at, "seq": one.seq, "behind": one.behind, "problem": one.problem,
                                 "refused": one.refused}
                          for name, one in self.files.items()}}
        if said != self._said[0] and clock.monotonic() - self._said[1] >= _STATUS_S:
            self._said = (said, clock.monotonic())
            self._landing.say(STATUS, rendered({**said, "written_at": iso(clock.now())}))

    def close(self) -> None:
        """Let go of the link."""
        self._remote.close()
