"""The way out under `httpx`: a transport for a client.

The line is left when the answer is closed, so that its duration is that of the whole answer. Bytes are of the body
as it was sent, as far as it was read.
"""

from collections.abc import Iterator
from typing import Any

from vanta.common.outside.out import Asking, Out


def transport(out: Out) -> Any:
    """The transport: no retries, nothing taken from the environment."""
    import httpx

    class Told(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            call = out.begin(request.url.host, request.method)
            try:
                response = super().handle_request(request)
            except BaseException as error:
                call.failed(error)
                raise
            return httpx.Response(response.status_code, headers=response.headers, extensions=response.extensions,
                                  stream=_counted(response.stream, call, response.status_code))

    return Told(trust_env=False)


def _counted(stream: Any, call: Asking, status: int) -> Any:
    import httpx

    class Counted(httpx.SyncByteStream):
        size = 0

        def __iter__(self) -> Iterator[bytes]:
            try:
                for piece in stream:
                    self.size += len(piece)
                    yield piece
            except Exception as error:
                call.failed(error, self.size)
                raise

        def close(self) -> None:
            try:
                stream.close()
            finally:
                call.ended(str(status), self.size)

    return Counted()
