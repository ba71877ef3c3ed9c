"""Every unit, as systemd itself reads it: no word on stderr, and little that a program of ours could do to its host."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenarios.hosts import PROGRAMS, UNITS, ask, rendered, tool, units
from vanta.alpha.core.placing import NODES

AT_MOST = 2.0
NAMES = sorted({name.replace("@.", "@sec.") for node in NODES for name in rendered(node, UNITS) if "/" not in name})
SERVICES = [name for name in NAMES if name.endswith(".service")]
NOTIFYING = ("executor-router.service", "markets-reflector.service", "vanta-alpha-lease.service",
             "vanta-alpha-board.service", *(f"vanta-{node}-transport.service" for node in NODES),
             *(f"vanta-{node}-publish.service" for node in NODES))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("units")
    assert units(made) == NAMES
    return made


def lines(folder: Path, name: str, key: str) -> list[str]:
    """The values of a key in a unit, in order."""
    return [line.partition("=")[2] for line in (folder / name).read_text().splitlines() if line.startswith(f"{key}=")]


def verified(folder: Path, name: str) -> str:
    """What systemd has to say against a unit; it ends with 0 for keys that it does not know."""
    done = ask(tool("systemd-analyze"), "verify", "--man=no", str(folder / name), SYSTEMD_UNIT_PATH=f"{folder}:")
    return done.stdout + done.stderr + (f"status {done.returncode}" if done.returncode else "")


def exposure(path: Path) -> float:
    """How much a unit may do, from 0 to 10, as systemd measures it."""
    done = ask(tool("systemd-analyze"), "security", "--offline=yes", "--no-pager", str(path))
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    return float(found.group(1))


@pytest.mark.parametrize("name", NAMES)
def test_systemd_has_nothing_to_say_about_a_unit(folder: Path, name: str) -> None:
    """No unknown key, no program that is not there, no unit that is not known."""
    assert verified(folder, name) == ""


def test_an_unknown_key_and_a_missing_program_would_be_seen(folder: Path, tmp_path: Path) -> None:
    """The look at stderr is what finds them."""
    text = (folder / "executor-router.service").read_text()
    (tmp_path / "a.service").write_text(text.replace("NoNewPrivileges", "NoNewPriveleges"))
    (tmp_path / "b.service").write_text(text.replace(PROGRAMS, "/nowhere"))
    assert "NoNewPriveleges" in verified(tmp_path, "a.service")
    assert "/nowhere" in verified(tmp_path, "b.service")


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_could_do_to_its_host_is_little(folder: Path, name: str, capsys: pytest.CaptureFixture[str]
                                                       ) -> None:
    """2.0 of 10 at the most; a unit without any of it has 9 and more."""
    score = exposure(folder / name)
    with capsys.disabled():
        sys.stdout.write(f"\n{name}: exposure {score} of 10\n")
    assert score <= AT_MOST


def test_a_unit_without_any_restriction_would_be_seen(tmp_path: Path) -> None:
    """The measure can fail."""
    (tmp_path / "bare.service").write_text("[Service]\nExecStart=/bin/true\n")
    assert exposure(tmp_path / "bare.service") > 9


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_starts_a_command_that_there_is(folder: Path, name: str) -> None:
    """Each option of it is known: the command's own parser says so."""
    for line in lines(folder, name, "ExecStart"):
        words = shlex.split(line.removeprefix("-").replace("%i", "sec").partition(" -- ")[0])
        words = words[4:] if words[0] == "/bin/sh" else words  # its log is opened first
        assert "--home" in words
        done = subprocess.run([*words, "--help"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert all(word in done.stdout for word in words if word.startswith("--"))


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_is_opened_as_root_where_another_account_can_put_a_link(folder: Path, name: str) -> None:
    """Systemd opens a unit's output before it becomes the unit's account: a link to /etc/cron.d would be followed."""
    said = [*lines(folder, name, "StandardOutput"), *lines(folder, name, "StandardError")]
    assert [one for one in said if one.partition(":")[0] in ("append", "file", "truncate")] == []
    assert not any(re.match(r"[-@:]*[+!]", line) for line in lines(folder, name, "ExecStart"))


def test_a_pass_is_logged_by_the_account_that_makes_it(folder: Path, tmp_path: Path) -> None:
    """What the unit's line does, with another program in it: both outputs are appended, and how it ended is kept."""
    (line,) = lines(folder, "markets-collect@sec.service", "ExecStart")
    words = [word.replace("$$", "$") for word in shlex.split(line)[:3]]
    for _ in range(2):
        done = subprocess.run([*words, tmp_path / "sec.log", "/bin/sh", "-c", "echo out; echo $0 >&2; exit 75", "a b"],
                              check=False)
        assert done.returncode == 75
    assert (tmp_path / "sec.log").read_text() == "out\na b\n" * 2


@pytest.mark.parametrize("name", NOTIFYING)
def test_a_daemon_is_watched_by_what_it_gets_done(folder: Path, name: str) -> None:
    """It says itself when it is ready and that it gets on, for long enough for a slow venue."""
    assert lines(folder, name, "Type") == ["notify"]
    assert int(lines(folder, name, "WatchdogSec")[0]) >= 60
    assert "78" in lines(folder, name, "RestartPreventExitStatus")[0].split()


@pytest.mark.parametrize("name", SERVICES)
def test_users_are_split_and_secrets_are_loaded(folder: Path, name: str) -> None:
    """Whoever reads what strangers wrote is not whoever holds a broker's keys; no secret is in an environment."""
    text = (folder / name).read_text()
    (user,) = lines(folder, name, "User")
    node = "executor" if "executor" in name else name.split("-")[1] if name.startswith("vanta-") else "markets"
    node = "assistant" if "assistant" in name else node
    assert user == f"vanta-{node}"
    assert ("markets" in " ".join(lines(folder, name, "ExecStart"))) == (node == "markets" and "vanta-" not in name)
    assert "Environment" not in text
    loaded = {one.partition(":")[0] for one in lines(folder, name, "LoadCredential")}
    assert loaded <= ({"transport"} if "transport" in name else {"audit.signing_key", "transport"} if "publish" in name
                      else {"audit.signing_key"})


@pytest.mark.parametrize("name", ["markets-reflector.service", *(name for name in SERVICES if "tidy" in name),
                                  *(name for name in SERVICES if "verify" in name), "vanta-alpha-lease.service",
                                  "vanta-alpha-board.service", "vanta-alpha-module@sec.service",
                                  "vanta-assistant@sec.service",
                                  *(f"vanta-{node}-alert@sec.service" for node in NODES)])
def test_who_asks_nobody_has_no_network(folder: Path, name: str) -> None:
    """Not even loopback."""
    assert lines(folder, name, "PrivateNetwork") == ["yes"]


def test_nothing_but_the_router_and_the_sweep_can_send_an_order(folder: Path) -> None:
    """By what they start; and neither is wanted by anything that is there after an installation."""
    sending = {name for name in SERVICES if " executor " in " ".join(lines(folder, name, "ExecStart"))}
    assert sending == {"executor-router.service", "executor-sweep.service"}
    wanted = {name: lines(folder, name, "WantedBy") for name in NAMES if lines(folder, name, "WantedBy")}
    assert wanted == {
        "executor-router.service": ["vanta-executor.target"], "markets-reflector.service": ["vanta-markets.target"],
        "opt-vanta-build.automount": wanted["opt-vanta-build.automount"],
        **{f"vanta-alpha-{what}.service": ["vanta-alpha.target"] for what in ("lease", "board", "module@sec")},
        **{f"vanta-{node}-{what}.service": [f"vanta-{node}.target"]
           for node in NODES for what in ("transport", "publish")},
        **{f"vanta-{node}.target": ["multi-user.target"] for node in NODES}}
    assert not [name for name in NAMES if any(lines(folder, name, key) for key in ("Wants", "Requires", "BindsTo"))
                and "executor-router.service" in (folder / name).read_text().partition("[Unit]")[2]]


@pytest.mark.parametrize("name", ["vanta-alpha-lease.service", *(f"vanta-{node}-transport.service" for node in NODES),
                                  *(f"vanta-{node}-publish.service" for node in NODES)])
def test_what_the_executor_waits_for_is_tried_for_ever(folder: Path, name: str) -> None:
    """A full disk at night must not be the end of it once there is room again."""
    assert lines(folder, name, "StartLimitIntervalSec") == ["0"]
    assert lines(folder, name, "Restart") == ["on-failure"]


@pytest.mark.parametrize("name", [*NOTIFYING, *(f"vanta-{node}-{what}.service" for node in NODES
                                               for what in ("verify", "tidy"))])
def test_a_unit_that_has_failed_leaves_an_alert(folder: Path, name: str) -> None:
    """By a unit of its own node that is there, ends whatever it finds, and speaks at the level of an alert."""
    (user,) = lines(folder, name, "User")
    (handler,) = lines(folder, name, "OnFailure")
    assert handler == f"{user}-alert@%n.service"
    found = handler.replace("%n", "")
    assert lines(folder, found, "SuccessExitStatus") == ["1 2 3"]
    assert lines(folder, found, "SyslogLevel") == ["alert"]
    assert lines(folder, found, "OnFailure") == []
