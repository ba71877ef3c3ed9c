"""Masking: planted secrets in every disguise, plain data left alone."""

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.common.redact import MASK, is_secret, redact, redact_text

PLANTED = "PLANTED-Zx9_q7R.secretvalue"
BOT = "123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc"

TEXTS = {
    "bearer header": f"Authorization: Bearer {PLANTED}",
    "bearer alone": f"sent Bearer {PLANTED} to the host",
    "basic header": "authorization: Basic dXNlcjpwYXNzd29yZA==",
    "headers of requests": f"{{'User-Agent': 'vanta', 'Authorization': 'Bearer {PLANTED}', 'X': '1'}}",
    "api key header": f"{{'X-MBX-APIKEY': '{PLANTED}'}}",
    "dashed key": f"api-key={PLANTED}",
    "query": f"https://api.example.org/v1?access_token={PLANTED}&page=2",
    "JSON": f'{{"client_secret": "{PLANTED}", "scope": "*"}}',
    "user and password": f"https://ops:{PLANTED}@db.example.org/x",
    "assignment": f"password = {PLANTED}",
    "cookie": f"set-cookie: {PLANTED}; path=/",
    "signature": f"?symbol=BTC&signature={PLANTED}",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_secrets_in_text_are_masked(text: str) -> None:
    """However a library prints it, the secret is gone and the rest can still be read."""
    masked = redact_text(text)
    assert PLANTED not in masked
    assert "dXNlcjpwYXNzd29yZA" not in masked
    assert MASK in masked


def test_bot_tokens_are_masked() -> None:
    """A bot token in a URL is no longer one, with or without the word bot before it."""
    for text in (f"https://api.example.org/bot{BOT}/getMe", f"token is {BOT}"):
        assert "AAEhBOweik6ad9r" not in redact_text(text)


KEYS = ["token", "ACCESS_TOKEN", "X-Auth-Token", "client_secret", "password", "passwd", "passphrase", "Authorization",
        "api_key", "apiKey", "X-API-Key", "private-key", "cookie", "signature"]
PLAIN_KEYS = ["signal_id", "ticker", "basis", "bot", "url", "keys_read", "author", "pass.done"]


@pytest.mark.parametrize("key", KEYS)
def test_values_under_secret_names_are_masked(key: str) -> None:
    """Whatever lies under such a name is masked, at any depth and of any type."""
    assert is_secret(key)
    value = redact({"a": [{key: PLANTED}, {key: [PLANTED, {"x": PLANTED}]}, (key, PLANTED)]})
    assert PLANTED not in json.dumps(value)
    assert redact({key: None}) == {key: None}


@pytest.mark.parametrize("key", PLAIN_KEYS)
def test_other_names_are_left_alone(key: str) -> None:
    """Ids and tickers stay readable."""
    assert redact({key: "AAPL"}) == {key: "AAPL"}


class Leaky:
    """An object whose text holds a secret."""

    def __str__(self) -> str:
        return f"Leaky(api_key={PLANTED})"


VALUES = {"object": Leaky(), "exception": ValueError(f"token={PLANTED}"), "bytes": f"token={PLANTED}".encode(),
          "key": {f"token={PLANTED}": 1}, "set": {f"token={PLANTED}"},
          "bad bytes": b"\xff" + f"token={PLANTED}".encode()}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_every_kind_of_value_is_looked_into(value: object) -> None:
    """Objects become their text, and the text is masked."""
    assert PLANTED not in json.dumps(redact({"x": value}))


def test_plain_data_is_unchanged() -> None:
    """Numbers, booleans, nothing and ordinary text pass as they are."""
    value = {"n": 1, "f": 0.5, "b": True, "none": None, "rows": [1, ["equity:AAPL", "x"]], "id": "sig1_abcdefghijkl"}
    assert redact(value) == value
    assert redact({"d": Decimal("1.10")}) == {"d": "1.10"}


def test_a_structure_without_end_ends() -> None:
    """A list that contains itself does not hang the log."""
    loop: list[object] = []
    loop.append(loop)
    assert "…" in json.dumps(redact(loop), ensure_ascii=False)


JSONABLE = st.recursive(st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
                        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner))


@settings(deadline=None, derandomize=True, max_examples=200)
@given(value=JSONABLE)
def test_result_is_always_json(value: object) -> None:
    """Whatever goes in, plain data comes out, and masking it again changes nothing."""
    once = redact(value)
    json.dumps(once)
    assert redact(once) == once


def test_long_text_costs_one_pass() -> None:
    """A megabyte without any secret is looked through in bounded steps."""
    text = "a" * 1_000_000
    assert redact_text(text) == text
