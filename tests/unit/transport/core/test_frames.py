"""The words between two nodes are read strictly: anything odd ends the talk."""

import pytest

from vanta.transport.core.frames import Answer, Ask, Garbled, Stat, answered, asked, line


def test_questions_and_answers_come_back_as_they_were() -> None:
    """What one side writes the other reads."""
    ask = Ask("read", "trade_log.jsonl", 5, 7)
    assert asked(line(ask)) == ask
    answer = Answer(size=3, stat=Stat(3, None, 2, 90))
    assert answered(line(answer), 3) == answer


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"op":"write","name":"x"}',
                                 b'{"op":"read","name":"x","start":-1}', b"[" * 5000,
                                 b'{"op":"read","name":"x","most":-1}', b'{"op":"read","name":"\xff"}',
                                 b'{"op":"read"}', b'{"op":"read","name":"x","shell":"y"}'])
def test_no_question(raw: bytes) -> None:
    """A line that is no question of ours is refused."""
    with pytest.raises(Garbled):
        asked(raw)


@pytest.mark.parametrize("raw", [b"Last login: today", b'{"kind":"odd"}', b'{"size":8}', b'{"size":-1}', b"\xff"])
def test_no_answer(raw: bytes) -> None:
    """Neither is a greeting of the other host, nor more bytes than were asked for."""
    with pytest.raises(Garbled):
        answered(raw, 7)
