"""What only ever grows is told apart from what was cut or made anew."""

from vanta.alpha.core.witnessing import grown
from vanta.common.exitcodes import Check


def test_what_was_seen_is_a_beginning_of_what_is_shown() -> None:
    """Nothing before, the same, or more."""
    for before, now in ((b"", b""), (b"", b"a\n"), (b"a\n", b"a\n"), (b"a\n", b"a\nb\n")):
        assert grown("x", before, now) is None


def test_what_was_cut_or_changed_is_named_by_its_line() -> None:
    """The first line that is not what was seen, or that is not there any more."""
    cut, anew = grown("x", b"a\nb\nc\n", b"a\n"), grown("x", b"a\nb\nc\n", b"a\nB\nc\nd\n")
    assert cut is not None
    assert anew is not None
    assert (cut.level, cut.line) == (Check.CRITICAL, 2)
    assert cut.text == "3 lines were witnessed, 1 are left: it was cut since"
    assert (anew.level, anew.line) == (Check.CRITICAL, 2)
    assert "made anew since" in anew.text
