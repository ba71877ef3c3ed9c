"""A wish becomes one command, quoted for a shell, or is refused."""

import shlex

import pytest

from vanta.alpha.core.assistant.proposing import proposed
from vanta.common.errors import UsageError


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "propose overlay maintenance on for 2h because the feed is odd",
            ["vanta", "overlay", "set", "maintenance", "--until", "2h", "--reason", "the feed is odd"],
        ),
        ("propose full_halt on", ["vanta", "overlay", "set", "full_halt"]),
        (
            "please propose to turn on reduce_only on vault V_CORE for 90 s: too hot",
            ["vanta", "overlay", "set", "reduce_only", "--scope", "vault:V_CORE", "--until", "90s"],
        ),
        (
            "propose the switch orders_disabled on for asset class crypto since it is odd",
            ["vanta", "overlay", "set", "orders_disabled", "--scope", "asset_class:crypto", "--reason", "it is odd"],
        ),
        (
            "suggest turning off full_halt because all is explained",
            ["vanta", "overlay", "clear", "full_halt", "--reason", "all is explained"],
        ),
        ("propose item look at the SEC feed", ["vt-add", "look at the SEC feed", "--kind", "task"]),
        (
            "draft an incident the feed is stale, severity high because no success since 03:00",
            ["vt-add", "the feed is stale: no success since 03:00", "--kind", "incident", "--sev", "high"],
        ),
        ("propose release of scorer of low severity", ["vt-add", "of scorer", "--kind", "task", "--sev", "low"]),
    ],
)
def test_what_is_proposed(text: str, words: list[str]) -> None:
    """Switches and items, in plain words."""
    if ": too hot" in text:
        with pytest.raises(UsageError, match="do not understand"):
            proposed(text)
        text = text.replace(": too hot", "")
    assert shlex.split(proposed(text).command) == words


@pytest.mark.parametrize(
    "evil",
    [
        "$(rm -rf ~)",
        "`reboot`",
        "'; reboot; '",
        "a && b | c > /etc/passwd",
        "\x1b[2J\x07x\ny",
        "--confirm full_halt",
        "see memory/trade_log.jsonl",
        '"$HOME"',
        "--",
        "ï»¿\u202egnp",
    ],
)
def test_no_word_of_a_person_becomes_an_option_or_a_command(evil: str) -> None:
    """For a shell it is one word behind --reason, or one title; for a terminal there is nothing to obey."""
    command = proposed(f"propose full_halt on because {evil}").command
    words = shlex.split(command)
    assert words[:4] == ["vanta", "overlay", "set", "full_halt"]
    assert len(words) in (4, 6)
    assert words[4:5] in ([], ["--reason"])
    assert command.isprintable()
    titled = shlex.split(proposed(f"propose item x {evil}").command)
    assert (titled[0], titled[2:]) == ("vt-add", ["--kind", "task"])
    assert not titled[1].startswith("-")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("propose", "neither"),
        ("propose to sell everything", "neither"),
        ("propose maintenence on", "no switch"),
        ("propose everything off because x", "no switch"),
        ("propose maintenance off", "needs a reason"),
        ("propose full_halt on for 2h because x", "does not end by itself"),
        ("propose maintenance off for 2h because x", "turned off at once"),
        ("propose maintenance on for 2 parsecs because x", "no time"),
        ("propose maintenance on and buy because x", "do not understand"),
        ("propose maintenance on for 0 h because x", "no time"),
        ("propose item -- ", "needs a title"),
    ],
)
def test_what_is_not_proposed(text: str, why: str) -> None:
    """Doubt refuses, with what can be said instead."""
    with pytest.raises(UsageError, match=why) as found:
        proposed(text)
    assert found.value.cure


def test_what_loosens_is_marked() -> None:
    """So that the answer can say what the command will ask."""
    assert proposed("propose full_halt off because fine").loosens
    assert not proposed("propose full_halt on because fine").loosens
