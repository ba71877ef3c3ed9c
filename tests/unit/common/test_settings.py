"""Configuration: a file, the environment over it, and errors that name who said what."""

import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from vanta.common import settings
from vanta.common.clock import ShiftedClock, SystemClock
from vanta.common.errors import BadInput, OperatorError
from vanta.common.paths import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A prepared home without a configuration file."""
    return Home(tmp_path).prepare()


def write(home: Home, text: str) -> None:
    """Write `config/vanta.toml`."""
    (home.config / "vanta.toml").write_text(text, encoding="utf-8")


def test_defaults_without_file_and_environment(home: Home) -> None:
    """Nothing has to be configured; the mode is paper."""
    loaded = settings.load(home, {})
    assert loaded == settings.Settings()
    assert loaded.executor.mode == "paper"


def test_file_is_read(home: Home) -> None:
    """Tables of the file become settings; decimals keep their literal text."""
    write(home, '[markets]\ncontact = "ops@example.org"\n[markets.feeds.sec]\nevery_s = 30\noptions = { form = "4" }\n'
                "[executor.paper]\ncommission_min = 0.10\n[executor]\npoll_s = 0.5\n")
    loaded = settings.load(home, {})
    assert loaded.markets.feed("sec").every_s == 30
    assert loaded.markets.feed("sec").options == {"form": "4"}
    assert loaded.markets.feed("news") == settings.FeedSettings()
    assert str(loaded.executor.paper.commission_min) == "0.10"
    assert loaded.executor.poll_s == 0.5


ENVIRONMENT: dict[str, tuple[str, str, object]] = {
    "text": ("VANTA_EXECUTOR__MODE", "live", "live"),
    "quoted text": ("VANTA_EXECUTOR__MODE", '"live"', "live"),
}


@pytest.mark.parametrize(("name", "text", "value"), ENVIRONMENT.values(), ids=ENVIRONMENT.keys())
def test_environment_wins_over_the_file(home: Home, name: str, text: str, value: object) -> None:
    """A variable overrides the same setting of the file and leaves its neighbours alone."""
    write(home, '[executor]\nmode = "simulate"\npublish_ms = 7\n')
    loaded = settings.load(home, {name: text})
    assert loaded.executor.mode == value
    assert loaded.executor.publish_ms == 7


def test_environment_values_have_types(home: Home) -> None:
    """Values that parse as TOML are numbers, booleans and tables; all else is text."""
    loaded = settings.load(home, {
        "VANTA_EXECUTOR__PUBLISH_MS": "9", "VANTA_EXECUTOR__POLL_S": "0.25",
        "VANTA_MARKETS__CONTACT": "ops@example.org",
        "VANTA_MARKETS__FEEDS__SEC__ENABLED": "false", "VANTA_MARKETS__FEEDS__NEWS": "{ every_s = 5 }",
        "VANTA_EXECUTOR__PAPER__COMMISSION_MIN": "0.35"})
    assert (loaded.executor.publish_ms, loaded.executor.poll_s) == (9, 0.25)
    assert loaded.markets.contact == "ops@example.org"
    assert loaded.markets.feed("sec").enabled is False
    assert loaded.markets.feed("news").every_s == 5
    assert loaded.executor.paper.commission_min == Decimal("0.35")


def test_other_variables_are_no_settings(home: Home) -> None:
    """The home, the test data and everything without our prefix are not looked at."""
    assert settings.load(home, {"VANTA_HOME": "/x", "VANTA_REALDATA": "/y", "PATH": "/bin"}) == settings.Settings()


def test_unknown_field_in_the_file_gets_a_hint(home: Home) -> None:
    """A mistyped name is refused with the file, its place, and the name that was probably meant."""
    write(home, "[executor]\npol_s = 1\n")
    with pytest.raises(BadInput, match="unknown field 'pol_s'; did you mean 'poll_s'") as caught:
        settings.load(home, {"VANTA_EXECUTOR__MODE": "live"})
    assert (caught.value.file, caught.value.field) == (str(home.config / "vanta.toml"), "executor.pol_s")


def test_wrong_variable_is_named_as_one(home: Home) -> None:
    """A mistake in the environment is not blamed on the file."""
    with pytest.raises(BadInput, match="unknown field 'mod'; did you mean 'mode'") as caught:
        settings.load(home, {"VANTA_EXECUTOR__MOD": "live"})
    assert "VANTA_EXECUTOR__MOD" in caught.value.file


BROKEN = {"bad TOML": b"[executor\n", "a duplicate key": b"log_level = 'info'\nlog_level = 'debug'\n",
          "not UTF-8": b"log_level = '\xff'\n", "nested without end": b"a = " + b"[" * 100_000,
          "a number of 5,000 digits": b"a = " + b"9" * 5_000, "a number that overflows": b"a = 1e999999999999999999999",
          "an integer of 65 bits": b"[executor]\npublish_ms = 18446744073709551616",
          "one deep inside": b"[markets.feeds.sec.options]\na = [1, { b = -9223372036854775809 }]"}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_unparsable_file_is_named(home: Home, content: bytes) -> None:
    """A file that is no TOML is an operator's error with the path."""
    (home.config / "vanta.toml").write_bytes(content)
    with pytest.raises(OperatorError, match=r"vanta\.toml"):
        settings.load(home, {})


def test_folder_in_place_of_the_file(home: Home) -> None:
    """Whatever stands at the path is read or refused, never skipped."""
    (home.config / "vanta.toml").mkdir()
    with pytest.raises(OperatorError, match=r"vanta\.toml"):
        settings.load(home, {})


@pytest.mark.parametrize("kind", ["pipe", "link", "dangling link", "too large"])
def test_what_is_no_plain_file_is_refused_and_never_waited_for(home: Home, kind: str) -> None:
    """A pipe would wait for a writer for ever, a link may lead anywhere: both are refused with what to do."""
    path = home.config / "vanta.toml"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "too large":
        path.write_bytes(b"#" * (1 << 20) + b"\n")
    else:
        path.symlink_to(home.root / "elsewhere.toml")
        if kind == "link":
            (home.root / "elsewhere.toml").write_text("log_level = 'debug'\n")
    with pytest.raises(OperatorError, match=r"vanta\.toml") as caught:
        settings.load(home, {})
    assert "Put a plain file there" in caught.value.cure


def test_what_does_not_fit_is_named(home: Home) -> None:
    """An integer that no record can hold is refused by its name, in the file and in the environment."""
    write(home, "[executor]\npublish_ms = 18446744073709551616\n")
    with pytest.raises(OperatorError, match=r"vanta\.toml: executor\.publish_ms does not fit into 64 bits"):
        settings.load(home, {})
    write(home, "[executor]\npoll_s = +1_0.5\n")
    assert settings.load(home, {}).executor.poll_s == 10.5
    with pytest.raises(BadInput, match=r"VANTA_EXECUTOR__PUBLISH_MS \(executor\.publish_ms\)"):
        settings.load(home, {"VANTA_EXECUTOR__PUBLISH_MS": "18446744073709551616"})


WRONG = {"text for a number": "[executor]\npublish_ms = '7'\n",
         "number for a boolean": "[markets.feeds.sec]\nenabled = 0\n",
         "outside its range": "[executor]\npoll_s = 0\n", "not a choice": "[executor]\nmode = 'real'\n",
         "NaN": "[executor]\npoll_s = nan\n", "infinity": "[executor]\npoll_s = +inf\n"}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG.keys())
def test_wrong_values_name_the_field(home: Home, text: str) -> None:
    """No value is bent into shape: the field is named."""
    write(home, text)
    with pytest.raises(BadInput, match=r"vanta\.toml \((executor|markets)\."):
        settings.load(home, {})


NUMBERS = [f"{table}.{name}" for table, model in (("markets", settings.MarketsSettings),
                                                  ("executor", settings.ExecutorSettings),
                                                  ("executor.paper", settings.PaperSettings),
                                                  ("markets.feeds.sec", settings.FeedSettings))
           for name, info in model.model_fields.items() if info.annotation in (int, float)]


@pytest.mark.parametrize("name", NUMBERS)
def test_no_number_is_larger_than_anything_it_is_used_for(home: Home, name: str) -> None:
    """Seconds end within a year or a day, shares at the whole: no time and no price overflows because of a setting."""
    table, _, field = name.rpartition(".")
    write(home, f"[{table}]\n{field} = 9223372036854775807\n")
    with pytest.raises(BadInput) as caught:
        settings.load(home, {})
    assert caught.value.field == name


def test_variable_below_a_plain_value(home: Home) -> None:
    """A variable that treats a plain setting as a table says so."""
    with pytest.raises(OperatorError, match="VANTA_LOG_LEVEL__X: log_level is not a table"):
        settings.load(home, {"VANTA_LOG_LEVEL": "info", "VANTA_LOG_LEVEL__X": "1"})


def test_home_is_the_option_then_the_variable_then_the_default(tmp_path: Path) -> None:
    """`--home` wins over `$VANTA_HOME`; an empty variable counts as none; relative paths become absolute."""
    assert settings.home_from(tmp_path, {"VANTA_HOME": "/elsewhere"}).root == tmp_path
    assert settings.home_from(None, {"VANTA_HOME": str(tmp_path)}).root == tmp_path
    assert settings.home_from(None, {"VANTA_HOME": ""}).root == Path("/opt/vanta")
    assert settings.home_from(None, {}).root == Path("/opt/vanta")
    assert settings.home_from(Path("var"), {}).root == Path.cwd() / "var"


SHIFT = '[clock]\nstarts_at = "2020-01-02T00:00:00.000Z"\nanchored_at = "2026-01-02T00:00:00.000Z"\n'


def test_clock_is_shifted_where_the_settings_say_so(home: Home) -> None:
    """A demonstration's programs share one clock; `--now` wins over it; without settings it is the host's."""
    write(home, SHIFT)
    now = datetime(2026, 1, 2, tzinfo=UTC)
    assert isinstance(settings.clock_from(settings.load(home, {})), ShiftedClock)
    assert settings.clock_from(settings.load(home, {}), now).now() == now
    assert type(settings.clock_from(settings.Settings())) is SystemClock


def test_live_mode_is_never_shifted(home: Home) -> None:
    """Orders for real money with a wrong clock are refused before anything starts."""
    write(home, SHIFT + '[executor]\nmode = "live"\n')
    with pytest.raises(OperatorError, match="a shifted clock is set"):
        settings.clock_from(settings.load(home, {}))


def test_credentials_are_a_folder_of_the_unit(tmp_path: Path) -> None:
    """Inside a systemd unit secrets are files in a folder; outside there are none."""
    assert settings.credential_folder({"CREDENTIALS_DIRECTORY": str(tmp_path)}) == tmp_path
    assert settings.credential_folder({}) is None


def test_the_process_environment_is_the_default(home: Home) -> None:
    """Without an explicit mapping the real environment is read."""
    assert isinstance(settings.load(home), settings.Settings)
    assert settings.home_from(home.root).root == home.root
    assert settings.credential_folder() is None or settings.credential_folder()


def test_the_editor_is_the_persons_own(tmp_path: Path) -> None:
    """$VISUAL before $EDITOR, with its options; else vi, else nano, else none."""
    assert settings.editor({"VISUAL": "code --wait", "EDITOR": "vi"}) == ["code", "--wait"]
    assert settings.editor({"VISUAL": " ", "EDITOR": "ed"}) == ["ed"]
    nano = tmp_path / "nano"
    nano.write_text("")
    nano.chmod(0o755)
    assert settings.editor({"PATH": str(tmp_path)}) == ["nano"]
    for environment in ({"PATH": "/nowhere"}, {"EDITOR": "'"}):
        with pytest.raises(OperatorError, match="editor"):
            settings.editor(environment)


def test_a_terminal_that_says_nothing_is_dumb() -> None:
    """Nothing is drawn over on one."""
    assert [settings.terminal_kind(one) for one in ({}, {"TERM": ""}, {"TERM": "xterm"})] == ["dumb", "dumb", "xterm"]
