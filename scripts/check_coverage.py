"""Holds the measured coverage to its limits: every line and branch of each `core/`, 95 % of everything else.

    python scripts/check_coverage.py        # after `coverage run -m pytest`

Reads the data files of the run, prints one row per package, names every line and branch that a core package is
missing, and ends with 1 if a limit is missed. A package without any measured file is a fault of the run, not a pass.
"""

import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coverage import Coverage
from coverage.exceptions import NoDataError

CORE_LIMIT, OTHER_LIMIT = 100.0, 95.0
PACKAGES = ("vanta.common", "vanta.markets", "vanta.executor", "vanta.alpha", "vanta.suite")


@dataclass
class Group:
    """Totals of one package, and where it falls short."""

    limit: float
    possible: int = 0
    covered: int = 0
    gaps: list[str] = field(default_factory=list)

    @property
    def percent(self) -> float:
        """Lines and branches that were taken, of all."""
        return 100.0 * self.covered / self.possible if self.possible else 0.0

    @property
    def passes(self) -> bool:
        """Whether the limit is met. Nothing measured is no pass."""
        return self.possible > 0 and self.percent >= self.limit


def group_of(path: str) -> tuple[str, float]:
    """`vanta/markets/core/decay.py` → `vanta.markets.core` and its limit."""
    parts = Path(path).with_suffix("").parts
    if "core" in parts:
        return ".".join(parts[: parts.index("core") + 1]), CORE_LIMIT
    return ".".join(parts[:2] if len(parts) > 2 else parts[:1]), OTHER_LIMIT


def groups(files: Mapping[str, Mapping[str, Any]]) -> dict[str, Group]:
    """Totals by package from coverage's JSON report."""
    found: dict[str, Group] = {name: Group(OTHER_LIMIT) for name in PACKAGES}
    for path, measured in sorted(files.items()):
        name, limit = group_of(path)
        group = found.setdefault(name, Group(limit))
        summary = measured["summary"]
        group.possible += summary["num_statements"] + summary["num_branches"]
        group.covered += summary["covered_lines"] + summary["covered_branches"]
        lines = [str(line) for line in measured["missing_lines"]]
        branches = [f"{a}→{'exit' if b < 0 else b}" for a, b in measured["missing_branches"]
                    if a not in measured["missing_lines"]]
        if lines or branches:
            group.gaps.append(f"{path}: {', '.join(lines + branches)}")
    return found


def report(found: Mapping[str, Group]) -> list[str]:
    """One row per package; then the gaps of those that miss their limit."""
    rows = [f"{name:<24} {group.percent:6.2f} %  of at least {group.limit:3.0f} %  "
            + ("ok" if group.passes else "MISSED" if group.possible else "NOTHING MEASURED")
            for name, group in found.items()]
    for name, group in found.items():
        if not group.passes:
            rows += [f"\n{name} is not reached at:", *(f"  {gap}" for gap in group.gaps)]
    return rows


def measured() -> dict[str, Any]:
    """Combine the run's data files and return the files of coverage's JSON report."""
    data = Coverage()
    data.combine()
    with tempfile.NamedTemporaryFile(suffix=".json") as target:
        data.json_report(outfile=target.name)
        files: dict[str, Any] = json.loads(Path(target.name).read_text("utf-8"))["files"]
    return files


def main() -> int:
    """Print the report and return the exit status."""
    try:
        found = groups(measured())
    except NoDataError as error:
        print(f"no coverage was measured: {error}", file=sys.stderr)
        return 1
    print("\n".join(["", "coverage, lines and branches", *report(found)]))
    return 0 if all(group.passes for group in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
