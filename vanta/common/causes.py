"""What an exception was made from: client libraries wrap what they meet, three or four times. Pure."""

from collections.abc import Iterator

_DEEPEST = 16
"""So many exceptions are looked at behind one."""


def behind(error: BaseException) -> Iterator[BaseException]:
    """The exception and what it was made from; some libraries hand that on as an argument or as a `reason`."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < _DEEPEST:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        more = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
        waiting += [other for other in more if isinstance(other, BaseException)]
