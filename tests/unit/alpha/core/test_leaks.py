"""The second look for secrets before anything leaves the host."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vanta.alpha.core.leaks import leaks, named, spellings
from vanta.common.redact import redact_text

VALUES = spellings(["hunter2-hunter2", 'pä"ss\\wörd', "short"])


@pytest.mark.parametrize("text", ["x hunter2-hunter2 y", 'pä"ss\\wörd', '"pä\\"ss\\\\wörd"',
                                  '"p\\u00e4\\"ss\\\\w\\u00f6rd"'])
def test_the_value_of_a_credential_is_found_wherever_it_stands(text: str) -> None:
    """As it is and as JSON spells it, also in what others wrote; its line is named, and not what it is."""
    found = list(leaks(b"one\ntwo\n" + text.encode(), VALUES, own=False))
    assert found == [(3, "the value of a credential of this home")]


def test_short_values_stand_anywhere_by_chance() -> None:
    """A user name of five letters is no secret that could be looked for."""
    assert not list(leaks(b"a short word", VALUES, own=True))


@pytest.mark.parametrize("text", ['{"api_key": "abc"}', "https://u:pw@host/", "Authorization: Bearer abcdefgh",
                                  "?access_token=abc", "bot123456:" + "a" * 24, "basic YWJjOmRlZg=="])
def test_what_looks_like_a_secret_is_found_in_what_the_home_wrote(text: str) -> None:
    """Public texts speak of tokens all the time."""
    data = f"the token sale was fine\n{text}\n".encode()
    assert list(leaks(data, [], own=True)) == [(2, "what looks like a secret")]
    assert not list(leaks(data, [], own=False))


def test_a_long_line_is_looked_at_once() -> None:
    """Words that only sound like secrets, many of them, and bytes that are no text."""
    assert not list(leaks(b"token " * 20_000 + b"\xff", VALUES, own=True))
    assert not list(leaks(b"token\nsecret\n", VALUES, own=True))


def test_a_name_in_a_text_is_noticed() -> None:
    """However JSON spells it, as a word of its own; numbers and two letters are no names."""
    people = ["Anna Kolářová", 'Bo "B" Öst', "ann", "bo", "1000"]
    lines = ["drill (by Anna Kolářová)", "annual 1000", "Bo \\\"B\\\" \\u00d6st said so", "ask ann.", "bo", "nobody"]
    assert named("\n".join(lines).encode(), people) == [1, 3, 4]
    assert named(b"anything", ["bo", "77777"]) == []


@given(st.text(alphabet="bot:\t/@.=?&\"' 0123456789abcdefTOKENsecretpassword-_\n", max_size=120))
def test_no_line_that_would_be_masked_is_passed_over(text: str) -> None:
    """The quick look for words misses nothing that the masks of operational logs know."""
    masked = [number for number, line in enumerate(text.split("\n"), start=1) if redact_text(line) != line]
    assert [line for line, _ in leaks(text.encode(), [], own=True)] == masked[:1]
