"""Where the shipped fixtures are: beside the package in a checkout, inside it once it is installed."""

from pathlib import Path

import vanta
from vanta.common.errors import OperatorError

FOLDER = "memory_fixtures"


def fixtures(name: str, given: Path | None = None) -> Path:
    """The named state tree, below `given` if that is not None. Raises `OperatorError` where there is none."""
    package = Path(vanta.__file__).resolve().parent
    places = [given] if given is not None else [package / FOLDER, package.parent / FOLDER]
    for place in places:
        if (place / name / "config").is_dir():
            return place / name
    raise OperatorError(f"no fixtures {name!r} in {' or '.join(str(place) for place in places)}",
                        "Give the folder that holds them with --fixtures DIR.")
