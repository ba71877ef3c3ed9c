"""The suite's composition root: the adapters behind what it reads and the one log that it writes."""

from vanta.common.paths import CONTROL_LOG, Home
from vanta.common.signing_key import signer_if_any
from vanta.common.store.files import FolderFiles
from vanta.common.store.journal import FileJournal
from vanta.common.store.ports import Files


def control_log(home: Home) -> FileJournal:
    """Who changed which control. One writer at a time, under the lock `controls`."""
    return FileJournal(home.file(CONTROL_LOG), signer=signer_if_any(home))


def files(home: Home) -> Files:
    """The documents of a home."""
    return FolderFiles(home.memory)
