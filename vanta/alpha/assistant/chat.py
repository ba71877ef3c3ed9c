"""A model behind the usual HTTP: `POST …/chat/completions`, answered with `choices[0].message.content`.

On the loopback, or by https. One request, no redirects, no proxy from the environment, an answer of bounded size, and
an end to waiting whatever the other side does: who drips a byte at a time is given up like who says nothing.
"""

import threading
from typing import Any
from urllib.parse import urlsplit

import orjson

from vanta.alpha.assistant.model import Prompt
from vanta.common.errors import CredentialsRefused, OutsideError
from vanta.common.models.configuration import AssistantSettings
from vanta.common.outside.out import Out
from vanta.common.outside.over_httpx import transport

MOST_BYTES = 64 * 1024
MOST_TOKENS = 600


class ChatModel:
    """See the module's contract. It asks by way of `out`. `key` is sent as a bearer token; empty for none."""

    def __init__(self, settings: AssistantSettings, out: Out, key: str = "") -> None:
        self._settings, self._out, self._key = settings, out, key
        self.name = settings.model or ""
        self.host = urlsplit(settings.url or "").hostname or ""

    def answer(self, prompt: Prompt) -> str:
        """See `Model.answer`."""
        import httpx

        body = {
            "model": self.name,
            "temperature": 0,
            "max_tokens": MOST_TOKENS,
            "stream": False,
            "messages": [{"role": "system", "content": prompt.rules}, {"role": "user", "content": prompt.data}],
        }
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        headers |= {"Authorization": f"Bearer {self._key}"} if self._key else {}
        with httpx.Client(timeout=self._settings.timeout_s, follow_redirects=False, trust_env=False, headers=headers,
                          transport=transport(self._out)) as client:
            call = _Call(client, f"{(self._settings.url or '').rstrip('/')}/chat/completions", body)
            call.start()
            call.join(self._settings.timeout_s)
            late = call.is_alive()
        if late:
            raise OutsideError(f"{self.host} did not answer within {self._settings.timeout_s:g} s")
        return _content(call.result())


class _Call(threading.Thread):
    """One request, in a thread of its own, so that whoever asked can stop waiting."""

    def __init__(self, client: Any, url: str, body: dict[str, Any]) -> None:
        super().__init__(daemon=True)
        self._client, self._url, self._body = client, url, body
        self._raw = b""
        self._wrong: Exception | None = None

    def run(self) -> None:
        """Ask, and read no more than is allowed."""
        import httpx

        try:
            with self._client.stream("POST", self._url, json=self._body) as response:
                self._take(response)
        except (OutsideError, httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
            self._wrong = error

    def _take(self, response: Any) -> None:
        if response.status_code in (401, 403):
            raise CredentialsRefused(f"the model's host refused the key ({response.status_code})")
        if response.status_code != 200:
            raise OutsideError(f"the model's host answered {response.status_code}")
        for piece in response.iter_raw():
            self._raw += piece
            if len(self._raw) > MOST_BYTES:
                raise OutsideError(f"the answer is longer than {MOST_BYTES:,} bytes")

    def result(self) -> bytes:
        """The body. Raises `OutsideError`."""
        if isinstance(self._wrong, OutsideError):
            raise self._wrong
        if self._wrong is not None:
            raise OutsideError(f"the model's host could not be asked: {type(self._wrong).__name__}") from self._wrong
        return self._raw


def _content(raw: bytes) -> str:
    try:
        said = orjson.loads(raw)["choices"][0]["message"]["content"]
    except (orjson.JSONDecodeError, LookupError, TypeError) as error:
        raise OutsideError("what the model's host sent is no answer of a model") from error
    if not isinstance(said, str):
        raise OutsideError("what the model's host sent holds no text")
    return said
