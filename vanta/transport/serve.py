"""`vanta transport serve`: answers questions on stdin until it ends. What a link's other end runs; only reads.

It knows nothing of who asks: what may be seen was fixed when it was started, by the forced command of a key or by the
puller that starts it itself. A question that is none ends it.
"""

from typing import BinaryIO

from vanta.common.errors import StateError
from vanta.transport.core.frames import LONGEST, Answer, Ask, Garbled, asked, line
from vanta.transport.port import Refused, Remote, fault_of


def serve(remote: Remote, questions: BinaryIO, answers: BinaryIO) -> int:
    """Answer until nobody asks any more. Returns how many questions were answered; raises `Garbled`."""
    count = 0
    while raw := questions.readline(LONGEST):
        if not raw.endswith(b"\n"):
            raise Garbled("not a question: it has no end")
        said, body = _answered(remote, asked(raw))
        answers.write(line(said) + body)
        answers.flush()
        count += 1
    return count


def _answered(remote: Remote, ask: Ask) -> tuple[Answer, bytes]:
    try:
        if ask.op == "stat":
            return Answer(stat=remote.stat(ask.name)), b""
        body = remote.read(ask.name, ask.start, ask.most)
        return Answer(size=len(body)), body
    except (StateError, Refused) as error:
        return Answer(kind=fault_of(error), what=error.what[:1000]), b""
