"""The assistant's composition root: which model stands behind the gate, by the settings.

The way out has the node's list of hosts and no ledger: the gate itself records each call, before and after.
"""

from vanta.alpha.assistant.chat import ChatModel
from vanta.alpha.assistant.guard import Gate
from vanta.alpha.assistant.model import Model
from vanta.common.clock import Clock, SystemClock
from vanta.common.models.configuration import Settings
from vanta.common.outside.allowed import Allowed, host_of
from vanta.common.outside.ledger import NoLedger
from vanta.common.outside.out import Out
from vanta.common.paths import Home
from vanta.common.secrets import read_secrets


def model_of(home: Home, settings: Settings) -> Model | None:
    """The model that the settings name, `None` for none. Raises `CredentialsRefused` for a key that cannot be read."""
    chosen = settings.assistant
    if chosen.url is None:
        return None
    key = "" if chosen.credentials is None else read_secrets(chosen.credentials, home).get("api_key", "")
    hosts = settings.outside.hosts
    allowed = Allowed.of([host_of(chosen.url)] if hosts is None else hosts)
    return ChatModel(chosen, Out(allowed, NoLedger(), SystemClock(), purpose="model"), key)


def gate_of(home: Home, settings: Settings, clock: Clock) -> Gate:
    """The gate, with whatever stands behind it."""
    return Gate(home, settings, model_of(home, settings), clock)
