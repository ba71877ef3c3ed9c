"""The way out under `requests`: an adapter for a session's `https://` and `http://`.

Each request of the session is a line, each hop of a redirect and each try of its own. The body is read here, because
only then is known how many bytes came; that is what the session itself would do next. Bytes are those of the body as it
was sent, before anything is unpacked.
"""

from typing import Any

from vanta.common.outside.allowed import host_of
from vanta.common.outside.out import Out


def mount(session: Any, out: Out, *, timeout_s: float | None = None) -> None:
    """Put the way out under everything that `session` asks, without retries. `timeout_s` bounds each wait."""
    adapter = _adapter(out, timeout_s)
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter)


def _adapter(out: Out, timeout_s: float | None) -> Any:
    from requests.adapters import HTTPAdapter

    bound = {} if timeout_s is None else {"timeout": (timeout_s, timeout_s)}

    class Told(HTTPAdapter):
        def send(self, request: Any, **how: Any) -> Any:  # type: ignore[override]
            call, stream = out.begin(host_of(request.url), request.method), how.get("stream", False)
            response = None
            try:
                response = super().send(request, **{**how, **bound})
                if not stream:
                    response.content  # noqa: B018 - reads it
            except BaseException as error:
                call.failed(error, None if response is None else response.raw.tell())
                raise
            call.ended(str(response.status_code), None if stream else response.raw.tell())
            return response

    return Told(max_retries=0)
