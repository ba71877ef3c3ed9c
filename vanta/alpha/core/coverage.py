"""Does a journal still hold what its checkpoints say it held? Pure.

A chain shows that no line was changed alone. That its tail is all there, and that it was not chained anew from some
line on, only signed heads show, and only as far as the last of them: how many records lie after that is always said.

| finding | means |
|---|---|
| OK | every checkpoint is signed with a key of the list, and the log runs through all of them |
| CRITICAL | the log ends before a checkpoint or differs from one; a checkpoint is forged, dropped or torn |
| UNKNOWN | no checkpoints, a key that nobody vouches for, or records that nobody has signed for |

The transport is given no signing key, because it reads what other hosts say: its own log may have no checkpoints.
"""

from collections import deque
from collections.abc import Sequence

from vanta.alpha.core.verification import Finding
from vanta.common.events import Kind
from vanta.common.exitcodes import Check
from vanta.common.paths import CALLS, TRANSPORT_CALLS
from vanta.common.signatures import KEYS, fingerprint
from vanta.common.store.chain import START
from vanta.common.store.checkpoint import STARTS, Checkpoint, Covered
from vanta.common.store.ports import Head, Record


class Coverage:
    """Watches one journal pass its checkpoints. `trusted`: the list of keys was read, so `covered` was held to it.

    `begin` is where the journal begins: after a record that was put away, with all before it. `open_end`: records that
    nobody has signed for yet are fine, because another coverage answers for them, or because nothing rests on them:
    logs of calls are signed every half minute.
    """

    def __init__(self, name: str, covered: Covered | None, *, trusted: bool, witnessed: bool = False,
                 begin: Head = START) -> None:
        self.open_end = witnessed or name in CALLS
        self._keyless = name == TRANSPORT_CALLS
        self._name = name
        self._whose = "a checkpoint that was witnessed" if witnessed else "a checkpoint"
        self._covered = covered
        self._trusted = trusted
        self._kind = "witnessed checkpoints" if witnessed else "checkpoints"
        self._waiting = deque(one for one in (covered.checkpoints if covered is not None else ())
                              if one.seq >= begin.seq)
        self._passed = self._last = begin.seq
        self._later: deque[Checkpoint] = deque()
        self._signed = 0
        self._kind_before = ""
        self._other_begin = ""
        while begin.seq and self._waiting and self._waiting[0].seq == begin.seq:
            if self._waiting.popleft().head != begin.hash:
                self._other_begin = f"begins after another record {begin.seq:,} than {self._whose} covers"
        if begin.seq and witnessed and not self._waiting and self.reach < begin.seq:
            self._other_begin = f"begins after record {begin.seq:,}: nothing of what was witnessed is there any more"

    @property
    def reach(self) -> int:
        """The last record that is covered, 0 without checkpoints."""
        known = self._covered.checkpoints if self._covered is not None else ()
        return max(known[-1].seq if known else 0, self._signed)

    def also(self, covered: Covered) -> None:
        """Checkpoints that were read after the log: they cover what was written between two looks, and miss nothing."""
        if not covered.problem:
            self._later = deque(one for one in covered.checkpoints if one.seq > self.reach)

    @property
    def state(self) -> str | None:
        """The state that the newest checkpoint names."""
        known = self._covered.checkpoints if self._covered is not None else ()
        return known[-1].state if known else None

    def take(self, record: Record) -> str | None:
        """See `Watcher.take`."""
        while self._waiting and self._waiting[0].seq == record.seq:
            if self._waiting[0].head != record.hash:
                return (f"is not the record that {self._whose} covers: the log was made anew somewhere after record "
                        f"{self._passed:,}")
            self._passed = self._waiting.popleft().seq
        while self._later and self._later[0].seq == record.seq:
            if self._later[0].head != record.hash:
                return f"is not the record that {self._whose} covers"
            self._passed = self._signed = self._later.popleft().seq
        put_in = (not self.open_end and self._kind_before == Kind.PROGRAM_STOPPED and record.kind not in STARTS
                  and self.reach == self._last > 0)
        self._last, self._kind_before = record.seq, record.kind
        return "follows the end of an orderly stop, unsigned, and begins no run: it was put in" if put_in else None

    def missing(self) -> Finding | None:
        """What it means that there is no journal."""
        if not self._waiting:
            return None
        return Finding(level=Check.CRITICAL, file=self._name, text=f"is missing, but {self._whose} covers its "
                       f"record {self._waiting[-1].seq:,}")

    def end(self, *, whole: bool) -> Sequence[Finding]:
        """See `Watcher.end`. Behind a break nothing is known of what the checkpoints there cover."""
        file = f"checkpoints/{self._name}"
        if self._covered is None:
            level = Check.OK if self._keyless else Check.UNKNOWN
            return [Finding(level=level, file=self._name, text="has no checkpoints: it cannot be told whether its tail "
                            "is all there" + "; its program holds no key" * self._keyless)] if self._last else []
        found = []
        if self._other_begin:
            found.append(Finding(level=Check.CRITICAL, file=self._name, text=self._other_begin))
        if self._covered.problem:
            found.append(Finding(level=Check.CRITICAL, file=file, line=self._covered.line, text=self._covered.problem))
        if whole and self._waiting:
            found.append(Finding(level=Check.CRITICAL, file=self._name, line=self._last or None,
                                 text=f"ends at record {self._last:,}, but {self._whose} covers record "
                                 f"{self._waiting[-1].seq:,}: records are missing"))
        if found or not whole:
            return found
        return [self._sound(file)]

    def _sound(self, file: str) -> Finding:
        assert self._covered is not None
        if not self._covered.checkpoints:
            return Finding(level=Check.UNKNOWN, file=file, text=f"holds no checkpoint; {self._last:,} records lie open")
        last = self._covered.checkpoints[-1]
        reach = self.reach
        said = (f"{len(self._covered.checkpoints):,} {self._kind}, the last covers record {reach:,}; "
                f"{self._last - reach:,} records lie after it")
        if not self._trusted:
            return Finding(level=Check.UNKNOWN, file=file, text=f"{said}; signed with {fingerprint(last.key)}, for "
                           f"which no config/{KEYS} vouches")
        if self._last > reach and not self.open_end:
            return Finding(level=Check.UNKNOWN, file=file, text=f"{said}: nobody has signed for them yet. The program "
                           "signs at its next start, or `vanta audit checkpoint`")
        return Finding(level=Check.OK, file=file, text=said)
