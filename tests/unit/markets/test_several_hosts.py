"""Markets on a host of its own reads Alpha's controls and the executor's truth where they arrived."""

from datetime import UTC, datetime
from pathlib import Path

from tests.unit.executor.world import ALL_CLEAR, without_permission
from vanta.common.clock import ManualClock
from vanta.common.models.configuration import Settings
from vanta.common.paths import OVERLAY, PORTFOLIO, VAULTS, Home
from vanta.common.store.files import FolderFiles
from vanta.markets.wire import build

SEVERAL = Settings.model_validate({"node": {"name": "markets"}})


def test_alphas_switch_forbids_calls(tmp_path: Path) -> None:
    """Hers and one that lies here; as long as hers has not arrived, nobody is called."""
    home = Home(tmp_path / "home").prepare()
    place = home.replica("alpha")
    place.memory.mkdir(parents=True)
    with build(home, SEVERAL, ManualClock(datetime(2026, 11, 20, tzinfo=UTC))) as markets:
        assert "has not arrived" in str(markets._forbidden())
        FolderFiles(place.memory).replace(OVERLAY, ALL_CLEAR)
        assert markets._forbidden() is None
        FolderFiles(place.memory).replace(OVERLAY, without_permission({"external_calls_disabled": True}))
        assert "external_calls_disabled is on" in str(markets._forbidden())
        home.file(OVERLAY).write_bytes(b"{")
        assert OVERLAY in str(markets._forbidden())


def test_files_of_others_are_read_where_they_arrived(tmp_path: Path) -> None:
    """Vaults and the overlay from Alpha, the portfolio from the executor."""
    home = Home(tmp_path / "home").prepare()
    for source, name in (("alpha", VAULTS), ("executor", PORTFOLIO)):
        home.replica(source).memory.mkdir(parents=True)
        home.replica(source).file(name).write_bytes(source.encode())
    markets = build(home, SEVERAL, ManualClock(datetime(2026, 11, 20, tzinfo=UTC)))
    assert markets._files.read(VAULTS) == b"alpha"
    assert markets._files.read(PORTFOLIO) == b"executor"
    assert not build(home, Settings(), ManualClock(datetime(2026, 11, 20, tzinfo=UTC)))._files.exists(VAULTS)
