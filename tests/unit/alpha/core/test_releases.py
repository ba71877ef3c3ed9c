"""Whether a release may be used: exactly the approved bytes, by whom that is allowed."""

from collections.abc import Mapping
from typing import Any

import pytest

from vanta.alpha.core.releases import File, approval, before, is_name, manifest, superfluous, unfinished
from vanta.alpha.tracker import Desk, New
from vanta.common.errors import StateError
from vanta.common.events import Kind
from vanta.common.store.inmemory import MemoryJournal
from vanta.common.store.ports import Record

AT = "2026-11-20T15:00:00.000Z"
DIGEST, OTHER = "a" * 64, "b" * 64


@pytest.mark.parametrize(("name", "good"), [("markets", True), ("1.2.0-rc.1", True), ("", False), (".", False),
                                            ("..", False), ("a/b", False), ("a\n", False), ("-x", False),
                                            ("x" * 65, False), ("ä", False)])
def test_names_are_folders_and_no_paths(name: str, good: bool) -> None:
    """Nothing leads out of the shelf."""
    assert is_name(name) is good


def test_the_same_files_make_the_same_manifest() -> None:
    """In whatever order; another byte, size, name or mode makes another."""
    one, two = File("a", 1, DIGEST, executable=False), File("b", 2, DIGEST, executable=True)
    made = manifest("m", "1", [one, two])
    assert manifest("m", "1", [two, one]) == made
    for changed in ([one], [one, two._replace(sha256=OTHER)], [one, two._replace(executable=False)]):
        assert manifest("m", "1", changed).digest != made.digest
    assert manifest("m", "2", [one, two]).digest != made.digest
    with pytest.raises(StateError, match="holds no file"):
        manifest("m", "1", [])


def test_only_an_approval_of_these_bytes_counts() -> None:
    """Nobody, another hash, not approved, no longer approved, approved by the one who asked."""
    one = Desk(MemoryJournal(), by="ann", at=AT, uid=1)

    def why(digest: str = DIGEST, *, two_person: bool = False) -> str:
        try:
            return approval(one.tracker, "m@1", digest, two_person=two_person).id
        except StateError as error:
            return f"{error.what}: {error.cure}"

    one.add(New(title="m@1", kind="task", subject="m@1", digest=DIGEST))
    assert "nobody has added m@1 to the tracker: vt-add TITLE --release m@1" in why()
    name = one.add(New(title="x", kind="release", subject="m@1", digest=DIGEST)).id
    assert "have changed since" in why(OTHER)
    assert f"is open, not approved: vt-mark {name} approved --reason TEXT" in why()
    one.mark(name, "approved", "read it")
    assert why() == name
    assert "another one has to" in why(two_person=True)
    one.mark(name, "open", "not so")
    assert "is open, not approved" in why()
    other = Desk(one._journal, by="ann", at=AT, uid=2)
    other.mark(name, "approved", "read it too")
    one = other
    assert why(two_person=True) == name


def moved(kind: Kind, after: str | None, module: str = "m") -> Record:
    """A step of a release."""
    body: Mapping[str, Any] = {"module": module, "after": after}
    return Record(1, AT, kind, None, {}, body, "", "")


def test_history_tells_what_ran_before_and_what_was_cut_off() -> None:
    """By module; a move that ended is none that was cut off; what was taken back did not run."""
    ran = [moved(Kind.RELEASE_MOVED, "1"), moved(Kind.RELEASE_MOVED, None), moved(Kind.RELEASE_MOVED, "2"),
           moved(Kind.RELEASE_MOVED, "9", "other")]
    assert (before(ran, "m", "2"), before(ran, "m", "1"), before(ran, "x", "1")) == ("1", "2", None)
    assert unfinished(ran, "m") is unfinished([], "m") is None
    assert unfinished([*ran, moved(Kind.RELEASE_MOVING, "3")], "m") == {"module": "m", "after": "3"}
    assert unfinished([*ran, moved(Kind.RELEASE_MOVING, "3")], "other") is None


def test_what_may_go_ran_and_is_not_needed() -> None:
    """Not what is in a slot, not the latest, not what never ran."""
    assert superfluous(["1", "2", "3", "4", "5"], ["1", "2", "3", "2", "4"], ["4"], 1) == ["1", "2", "3"]
    assert superfluous(["1", "2", "3", "4", "5"], ["1", "2", "3", "2", "4"], ["1"], 2) == ["3"]
