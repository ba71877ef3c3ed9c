"""The cron jobs: as cron reads them, without a trap, without a job that could overlap itself or start trading."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.hosts import UNITS, ask, rendered, tool
from vanta.alpha.core.placing import NODES
from vanta.alpha.installer import shipped
from vanta.common.models.configuration import Settings
from vanta.common.paths import FEEDS, Home
from vanta.common.settings import load

FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
NICKNAMES = {"@hourly": "0 * * * *", "@daily": "0 0 * * *"}
VARIABLES = {"SHELL", "PATH", "MAILTO"}


def jobs(text: str) -> list[tuple[str, str, str]]:
    """When, who and what of each job; raises `ValueError` for what cron would refuse or take for something else."""
    if not text.endswith("\n"):
        raise ValueError("cron skips a file without a newline at its end")
    found: list[tuple[str, str, str]] = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if (setting := re.fullmatch(r"([A-Z]+)=(\S+)", line)) is not None:
            if setting.group(1) not in VARIABLES or found:
                raise ValueError(f"{line}: cron knows no such variable, or takes it for the jobs below only")
            continue
        words = line.split(None, 2 if line.startswith("@") else 6)
        when = NICKNAMES[words[0]] if line.startswith("@") else " ".join(words[:5])
        user, command = words[-2:]
        for field, (low, high) in zip(when.split(), FIELDS, strict=True):
            numbers = [int(one) for one in re.findall(r"\d+", field)]
            if not re.fullmatch(r"\*|\d+(-\d+)?", field) or not all(low <= one <= high for one in numbers):
                raise ValueError(f"{line}: {field}")
        if re.search(r"(?<!\\)%", command):
            raise ValueError(f"{line}: cron makes a newline of a %")
        found.append((when, user, command))
    return found


@pytest.mark.parametrize("text", [
    "* * * * * root true", "60 * * * * root true\n", "* * * * root true\n", "* * * * 8 root true\n",
    "* * * * * root date +%F\n", "TZ=UTC\n* * * * * root true\n", "@often root true\n",
    "* * * * * root true\nPATH=/bin\n"])
def test_a_trap_would_be_seen(text: str) -> None:
    """Each of these has cost somebody a night."""
    with pytest.raises((ValueError, KeyError)):
        jobs(text)


def files() -> Iterator[tuple[str, str, str]]:
    """Node, name and text of each cron file."""
    for node in NODES:
        for name, text in rendered(node, "/etc/cron.d/").items():
            yield node, name, text


@pytest.mark.parametrize(("node", "name", "text"), list(files()), ids=NODES)
def test_cron_reads_every_file(node: str, name: str, text: str) -> None:
    """A name that run-parts takes, users, times, no trap; and each job is a unit that the node has."""
    assert re.fullmatch(r"[A-Za-z0-9_-]+", name)
    assert dict(re.findall(r"^([A-Z]+)=(.*)$", text, re.MULTILINE)) == {
        "SHELL": "/bin/sh", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "MAILTO": "root"}
    units = rendered(node, UNITS)
    for _, user, command in jobs(text):
        assert user == "root"
        words = command.split()
        assert words[:2] == ["systemctl", "start"]
        for unit in words[2 + (words[2] == "--no-block"):]:
            found = units[re.sub("@.*[.]", "@.", unit)]
            assert "Type=oneshot" in found  # starting one that runs does nothing, so that none overlaps itself
            assert re.search("^TimeoutStartSec=", found, re.MULTILINE)


def crontab(text: str, folder: Path) -> str:
    """What cron's own parser has against a file; a user's own table has no column for the user."""
    (folder / "table").write_text(re.sub(r"^((?:\S+ ){5}|@\w+ )root ", r"\1", text, flags=re.MULTILINE))
    done = ask(tool("crontab"), "-n", str(folder / "table"))
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize(("node", "name", "text"), list(files()), ids=NODES)
def test_crons_own_parser_takes_every_file(node: str, name: str, text: str, tmp_path: Path) -> None:
    """And refuses the same file with one line more."""
    del node, name
    assert crontab(text, tmp_path) == ""
    assert crontab(text + "61 * * * * root true\n", tmp_path) != ""


def times(node: str) -> dict[str, str]:
    """When each unit is started."""
    ((_, text),) = rendered(node, "/etc/cron.d/").items()
    return {unit: when for when, _, command in jobs(text) for unit in command.split()[2:] if unit != "--no-block"}


def test_the_schedule_is_that_of_the_design() -> None:
    """Light feeds each minute, deeper ones each hour, all of them before the session, housekeeping once a day."""
    markets, executor = times("markets"), times("executor")
    assert {unit for unit, when in markets.items() if when == "* * * * *"} == {
        f"markets-collect@{feed}.service" for feed in ("crypto", "news", "prices")}
    assert {unit for unit, when in markets.items() if when == "0 * * * *"} == {
        f"markets-collect@{feed}.service" for feed in ("reddit", "sec")}
    assert {unit for unit in markets if "@" in unit} == {
        f"markets-collect@{feed}.service" for feed in (*FEEDS, "prices")}
    assert markets["markets-warmup.service"] == "15 9 * * 1-5"
    warmup = rendered("markets", UNITS)["markets-warmup.service"]
    assert set(re.findall(r"collect (\w+) ", warmup)) == {*FEEDS, "prices"}
    assert executor["executor-sweep.service"] == "* * * * *"
    for node in NODES:
        for what in ("tidy", "verify"):
            assert re.fullmatch(r"\d+ \d+ \* \* \*", times(node)[f"vanta-{node}-{what}.service"])


def test_no_job_starts_trading_after_an_installation(tmp_path: Path) -> None:
    """Jobs start no daemon; the sweep is the only one that could send, and may not by the settings that are shipped."""
    started = {unit for node in NODES for unit in times(node)}
    assert not started & {"executor-router.service", "markets-reflector.service", "vanta-executor.target"}
    home = Home(tmp_path).prepare()
    (home.config / "vanta.toml").write_text(shipped("config/executor.toml"))
    assert load(home, {}).executor == Settings().executor
    assert (Settings().executor.mode, Settings().executor.dispatch) == ("paper", "daemon")


@pytest.mark.parametrize("node", NODES)
def test_the_shipped_settings_are_settings(node: str, tmp_path: Path) -> None:
    """And what is commented out in them would be as well."""
    home = Home(tmp_path).prepare()
    text = shipped(f"config/{node}.toml")
    (home.config / "vanta.toml").write_text(text)
    load(home, {})
    (home.config / "vanta.toml").write_text(re.sub(r"^#(?=\[|[a-z_]+ = )", "", text, flags=re.MULTILINE))
    load(home, {})
