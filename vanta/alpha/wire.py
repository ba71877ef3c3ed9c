"""The control plane's composition root: which adapters stand behind what is read."""

from vanta.common.paths import Home
from vanta.common.store.ports import Snapshots
from vanta.common.store.snapshot import FileSnapshots


def snapshots(home: Home) -> Snapshots:
    """The content-addressed store of a home."""
    return FileSnapshots(home.snapshots)
