"""Fields of snapshots that are withheld: only those, provably, and so that the copy still parses."""

import orjson
import pytest

from vanta.alpha.core.redaction import SNAPSHOT_FIELDS, personal, redacted, restored, sealed
from vanta.common import strictjson
from vanta.common.canonical import canonical, sha256
from vanta.common.errors import BadInput, StateError
from vanta.common.models.base import validate
from vanta.common.models.configuration import Settings
from vanta.common.models.overlay import Overlay
from vanta.common.models.vault import VaultRegistry

OVERLAY = b"""{
  "maintenance": {"enabled": true, "reason": "by ann", "by" : "Ann \\"A\\" \\u00c5"}, "orders_disabled": false,
  "external_calls_disabled": false, "full_halt": false, "by": "ann", "persona_boosts": {"Ares": 0.1},
  "scopes": {"vault": {"by": {"full_halt": {"enabled": true, "by": "ann"}, "maintenance": false}}}, "written_by": "vi"
}
"""
SETTINGS = canonical(validate(Settings, strictjson.loads(b"""{
  "markets": {"contact": "ann@example.org", "feeds": {"sec": {"source": "/srv/ann", "options": {
     "forms": ["4", "5"], "deep": {"er": "x"}, "most": 7}}}},
  "executor": {"alert_command": ["/opt/ann/alert", "--to", "ann"], "accounts": {"main": {"adapter": "ibkr",
     "url": "https://ann.example.org", "credentials": "ann-main", "options": {"account": "U1234567", "port": 4001}}}}
  }""", file="x"), file="x").model_dump(mode="json"))


def salt(path: str) -> str:
    """Another for each path."""
    return sha256(path.encode())[:32]


def test_an_overlay_loses_its_names_and_nothing_else() -> None:
    """Every `by`, however deep; a vault that is called `by` and the reason stay."""
    made = redacted(OVERLAY, personal(["overlay"]), salt)
    assert [one.path for one in made.fields] == ["maintenance.by", "by", "scopes.vault.by.full_halt.by", "written_by"]
    was, now = orjson.loads(OVERLAY), orjson.loads(made.raw)
    names = [now["maintenance"].pop("by"), now.pop("by"), now["scopes"]["vault"]["by"]["full_halt"].pop("by"),
             now.pop("written_by")]
    assert names == [f"withheld:{one.withheld}" for one in made.fields]
    for one in (was["maintenance"], was, was["scopes"]["vault"]["by"]["full_halt"]):
        del one["by"]
    del was["written_by"]
    assert now == was
    validate(Overlay, strictjson.loads(made.raw, file="x"), file="x")


def test_settings_lose_hosts_paths_and_accounts() -> None:
    """Texts at any depth of a feed's or an adapter's options; numbers stay. What is left are settings."""
    made = redacted(SETTINGS, personal(["settings"]), salt)
    assert sorted(one.path for one in made.fields) == [
        "executor.accounts.main.credentials", "executor.accounts.main.options.account", "executor.accounts.main.url",
        "executor.alert_command.0", "executor.alert_command.1", "executor.alert_command.2", "markets.contact",
        "markets.feeds.sec.options.deep.er", "markets.feeds.sec.options.forms.0", "markets.feeds.sec.options.forms.1",
        "markets.feeds.sec.source"]
    assert b"ann" not in made.raw
    assert b"U1234567" not in made.raw
    kept = validate(Settings, strictjson.loads(made.raw, file="x"), file="x")
    assert kept.executor.accounts["main"].options["port"] == 4001


def test_vaults_keep_everything_but_who_wrote_them() -> None:
    """The names of vaults are what orders speak of."""
    raw = b'{"vaults": [{"vault_id": "V_ONE", "label": "One"}], "written_by": "ann"}'
    made = redacted(raw, personal(["vaults", "inputs.vault.json", "evidence"]), salt)
    assert [one.path for one in made.fields] == ["written_by"]
    assert made.raw.startswith(raw[:raw.rindex(b'"ann"')])
    validate(VaultRegistry, strictjson.loads(made.raw, file="x"), file="x")


@pytest.mark.parametrize(("raw", "what"), [(OVERLAY, "overlay"), (SETTINGS, "settings")])
def test_whoever_is_told_salt_and_value_has_the_original(raw: bytes, what: str) -> None:
    """The proof: the copy with the values in their places has the hash that the log names. No other value does."""
    made = redacted(raw, personal([what]), salt)
    told = dict[str, tuple[str, bytes]]()
    for one in made.fields:  # the reader is told each by somebody who has the original
        value, key = orjson.loads(raw), salt(one.path.replace(".", "\0"))
        for step in one.path.split("."):
            value = value[int(step)] if isinstance(value, list) else value[step]
        texts = orjson.dumps(value), b'"Ann \\"A\\" \\u00c5"'  # the first is how the second could be spelled too
        told[one.withheld] = key, next(text for text in texts if sealed(text, key) == one.withheld)
    assert sha256(restored(made.raw, told)) == sha256(raw)
    hidden = made.fields[0].withheld
    for lie in ((told[hidden][0], b'"eve"'), ("0" * 32, told[hidden][1])):
        with pytest.raises(StateError, match="was not withheld as"):
            restored(made.raw, {hidden: lie})
    with pytest.raises(StateError, match="was not withheld as"):
        restored(b"{}", told)


def test_what_names_nobody_stays_as_it_is() -> None:
    """The very bytes, so that the original can go in; an empty document too."""
    for raw in (b'{"by": null, "full_halt": {"by": 7}, "x": [], "y": {}}', b"[]", b'"by"'):
        made = redacted(raw, personal(["overlay"]), salt)
        assert made == (raw, [], [])


def test_what_is_no_json_is_not_redacted() -> None:
    """Nobody can say whom it names."""
    with pytest.raises(BadInput):
        redacted(b'{"by": "ann"', personal(["overlay"]), salt)


def test_only_known_snapshots_have_personal_fields() -> None:
    """By what records call them, each once."""
    assert personal(["instruments", "ranks"]) == ()
    assert personal(["overlay", "inputs.vault_overlay.json"]) == SNAPSHOT_FIELDS["overlay"]
