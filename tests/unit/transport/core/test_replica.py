"""What arrives of a log is adopted only where it goes on from the replica, holds together and is signed for."""

from collections.abc import Callable

import pytest

from vanta.common.canonical import sha256
from vanta.common.signatures import Signer
from vanta.common.store.checkpoint import Checkpoint, decode, encode
from vanta.common.store.inmemory import MemoryJournal
from vanta.common.store.ports import GENESIS, Head
from vanta.transport.core.replica import EMPTY, Held, Points, Refusal, adopt, after, asked_from, follow, grown

NAME = "trade_log.jsonl"
KEY, OTHER = Signer(b"k" * 32, ()), Signer(b"o" * 32, ())


def lines(count: int, what: str = "x") -> list[bytes]:
    """The lines of a journal of so many records."""
    journal = MemoryJournal()
    for number in range(count):
        journal.append("fill", {"n": number, "what": what}, at="2026-11-20T15:00:00.000Z")
    return [line + b"\n" for line in journal.raw().split(b"\n")[:-1]]


def held(log: list[bytes], count: int) -> Held:
    """A replica that holds the first records."""
    if not count:
        return EMPTY
    return Held(Head(count, sha256(log[count - 1][:-1]), sum(map(len, log[:count]))), log[count - 1])


def signed(log: list[bytes], *at: int, key: Signer = KEY, before: bytes = b"", **more: str) -> bytes:
    """Checkpoint lines about these records."""
    raw = b""
    prev = sha256(before[:-1]) if before else GENESIS
    for seq in at:
        head = held(log, seq).head
        line = encode(Checkpoint(journal=more.get("journal", NAME), seq=seq, size=head.size,
                                 head=more.get("head", head.hash), at="t", state=None, key=key.public, prev=prev), key)
        raw, prev = raw + line + b"\n", sha256(line)
    return raw


def points(raw: bytes) -> list[Checkpoint]:
    return [decode(line, where=NAME) for line in raw.split(b"\n")[:-1]]


def test_it_is_asked_for_from_its_last_line_on() -> None:
    """The overlap is what shows that nothing before it was changed; an empty replica asks from the beginning."""
    log = lines(3)
    assert asked_from(EMPTY) == 0
    assert after(EMPTY, b"abc", NAME) == b"abc"
    assert asked_from(held(log, 2)) == len(log[0])
    assert after(held(log, 2), log[1] + log[2], NAME) == log[2]


def test_what_goes_on_and_is_covered_is_adopted() -> None:
    """Only up to the newest record that a checkpoint covers; what follows waits for its own."""
    log = lines(5)
    found = adopt(held(log, 1), b"".join(log[1:]) + b'{"torn', points(signed(log, 2, 4)), name=NAME, covered=True)
    assert found.size == sum(map(len, log[1:4]))
    assert found.held == held(log, 4)
    assert found.points == 2


def test_nothing_covered_is_nothing_adopted() -> None:
    """Records whose checkpoint has not come may not be durable at their source."""
    log = lines(3)
    found = adopt(held(log, 1), b"".join(log[1:]), [], name=NAME, covered=True)
    assert (found.size, found.points) == (0, 0)


def test_a_log_that_may_lie_open_is_adopted_by_whole_lines() -> None:
    """Without checkpoints a chain is all there is; half a line is none."""
    log = lines(3)
    found = adopt(EMPTY, log[0] + log[1] + log[2][:9], [], name=NAME, covered=False)
    assert found.held == held(log, 2)


def test_checkpoints_of_what_is_held_are_passed_over() -> None:
    """Those about earlier records, and one about the very end, which has to fit."""
    log = lines(4)
    found = adopt(held(log, 2), log[2], points(signed(log, 1, 2, 4)), name=NAME, covered=True)
    assert (found.size, found.points) == (0, 2)


def _cut() -> object:
    log = lines(3)
    return after(held(log, 3), log[2][:5], NAME)


def _forked() -> object:
    log, other = lines(3), lines(3, "y")
    return after(held(log, 3), other[2] + b"more", NAME)


def _dropped() -> object:
    log = lines(4)
    return adopt(held(log, 1), log[2] + log[3], [], name=NAME, covered=False)


def _made_anew() -> object:
    log, other = lines(3), lines(3, "y")
    return adopt(EMPTY, b"".join(log), points(signed(other, 2)), name=NAME, covered=True)


def _end_not_covered() -> object:
    log = lines(3)
    return adopt(held(log, 2), log[2], points(signed(log, 2, head="f" * 64)), name=NAME, covered=True)


def _no_record() -> object:
    return adopt(EMPTY, b"{}\n", [], name=NAME, covered=False)


def _garbled() -> object:
    return follow(b"nonsense\n", b"", (KEY.public,), name=NAME)


def _about_another() -> object:
    return follow(signed(lines(2), 1, journal="control_log.jsonl"), b"", (KEY.public,), name=NAME)


def _not_following() -> object:
    log = lines(3)
    return follow(signed(log, 2), signed(log, 1), (KEY.public,), name=NAME)


def _strange_key() -> object:
    return follow(signed(lines(2), 1, key=OTHER), b"", (KEY.public,), name=NAME)


def _replaced_key() -> object:
    log = lines(3)
    first = signed(log, 1, key=OTHER)
    return follow(signed(log, 2, before=first), first, (KEY.public, OTHER.public), name=NAME)


def _backwards() -> object:
    log = lines(3)
    return follow(signed(log, 2, 1), b"", (KEY.public,), name=NAME)


def _forged() -> object:
    return follow(signed(lines(2), 1).replace(b'"at":"t"', b'"at":"u"'), b"", (KEY.public,), name=NAME)


def _forged_first_of_a_later_beginning() -> object:
    log = lines(3)
    first = signed(log, 1).replace(b'"at":"t"', b'"at":"u"')
    return follow(first + signed(log, 2, before=first), b"", (KEY.public,), name=NAME, later=True)


def _list_changed() -> object:
    return grown(b"a\nb\n", b"a\nc\n", NAME)


@pytest.mark.parametrize(("make", "fault", "words"), [
    (_cut, "cut", "ends before byte"), (_forked, "forked", "made anew"), (_dropped, "broken", "sequence number 3"),
    (_made_anew, "broken", "not the one that its checkpoint covers"), (_end_not_covered, "broken", "its checkpoint"),
    (_no_record, "broken", "not a journal record"), (_garbled, "broken", "not a checkpoint"),
    (_about_another, "broken", "is about control_log"), (_not_following, "broken", "does not follow"),
    (_strange_key, "broken", "does not name"), (_replaced_key, "broken", "had been replaced"),
    (_backwards, "broken", "comes after one about record 2"), (_forged, "broken", "is not signed"),
    (_forged_first_of_a_later_beginning, "broken", "is not signed"), (_list_changed, "forked", "changed or cut"),
], ids=lambda value: getattr(value, "__name__", ""))
def test_what_must_not_be_adopted(make: Callable[[], object], fault: str, words: str) -> None:
    """Each is refused by its kind, in words that name it, with the bytes as evidence."""
    with pytest.raises(Refusal, match=words) as refused:
        make()
    assert refused.value.fault == fault
    assert refused.value.evidence


def test_checkpoints_that_follow() -> None:
    """Key after key in the order of the list; nothing is nothing."""
    log = lines(4)
    first = signed(log, 1, 2)
    last = first.split(b"\n")[1] + b"\n"
    both = first + signed(log, 3, key=OTHER, before=last)
    found = follow(both, b"", (KEY.public, OTHER.public), name=NAME)
    assert [one.seq for one in found.parsed] == [1, 2, 3]
    assert b"".join(found.raw) == both
    assert follow(signed(log, 3, before=last), last, (KEY.public,), name=NAME).parsed[0].seq == 3
    assert follow(b"", b"", (), name=NAME) == Points((), ())


def test_a_key_that_the_list_has_forgotten_does_not_stop_the_one_after() -> None:
    """The line before was adopted under an older list; what counts is who signs now."""
    log = lines(3)
    first = signed(log, 1, key=OTHER)
    assert follow(signed(log, 2, before=first), first, (KEY.public,), name=NAME).parsed[0].seq == 2


def test_a_log_that_begins_later() -> None:
    """Its first checkpoint follows one that was put away with its piece: that cannot be looked at."""
    log = lines(3)
    later = signed(log, 2, before=signed(log, 1))
    assert follow(later, b"", (KEY.public,), name=NAME, later=True).parsed[0].seq == 2
    with pytest.raises(Refusal, match="does not follow"):
        follow(later, b"", (KEY.public,), name=NAME)


def test_a_list_that_grows() -> None:
    """Longer is news, the same is none."""
    assert grown(b"a\n", b"a\nb\n", NAME)
    assert not grown(b"a\n", b"a\n", NAME)
