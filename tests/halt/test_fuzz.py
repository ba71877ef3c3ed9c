"""Mutated overlay documents: none permits what an independent checker denies, and lenient readers are found out."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.halt.checker import FIELDS, SWITCHES
from tests.halt.fuzz import KNOWN, SCOPE, SEED, Subject, fuzz, open_gate, permits, second_opinion
from tests.halt.mutate import NOW, Mutator
from tests.unit.executor.core.test_controls import HALTED, PERMITTED
from vanta.common import strictjson
from vanta.common.errors import BadInput
from vanta.common.models.base import validate
from vanta.common.models.overlay import HALTING, Overlay
from vanta.common.paths import OVERLAY, Home
from vanta.common.times import parse_iso
from vanta.executor.core.controls import Controls, read_overlay, stops
from vanta.executor.gate import FileGate

COUNT = 30_000
NOT_ITS_BUSINESS = {"boost out of bounds", "unknown persona", "infinite", "until without offset"}
"""What the checker leaves to the product: fields that no kill switch rests on."""


def test_no_mutated_document_permits_what_the_checker_denies(capsys: pytest.CaptureFixture[str]) -> None:
    """Thirty thousand documents, every kind of mutation, and among those that permit many that were mutated."""
    tally = fuzz(permits, count=COUNT, seed=SEED)
    with capsys.disabled():
        print(f"\n  overlay fuzz, seed {SEED}: {tally}")
    assert tally.kept == []
    assert tally.violations == 0
    assert list(tally.missing()) == []
    assert 0 < tally.cautious < tally.documents // 20


def test_the_same_through_a_real_file(tmp_path: Path) -> None:
    """What the gate reads from disk is judged as the bytes themselves are."""
    home = Home(tmp_path / "home").prepare()
    path, gate = home.file(OVERLAY), FileGate(home)

    def saved(raw: bytes) -> bool:
        path.write_bytes(raw)
        return open_gate(gate.read().controls)

    tally = fuzz(saved, count=1_000, seed=SEED + 1)
    assert tally.kept == []
    assert tally.permitted == fuzz(permits, count=1_000, seed=SEED + 1).permitted


@pytest.mark.parametrize("name", [*PERMITTED, *HALTED])
def test_the_checker_is_right_about_plain_cases(name: str) -> None:
    """The second opinion is worth something: it knows the forms that permit and those that halt."""
    if name not in NOT_ITS_BUSINESS:
        assert second_opinion({**PERMITTED, **HALTED}[name]) is (name in PERMITTED)


def test_the_checker_shares_no_code_and_stays_small() -> None:
    """At most sixty lines, the standard library only, no parser of JSON."""
    text = Path(__file__).with_name("checker.py").read_text("utf-8")
    assert text.count("\n") <= 60
    imported = [line.split()[1] for line in text.splitlines() if line.startswith(("import", "from"))]
    assert imported == ["re", "datetime", "typing"]
    assert set(Overlay.model_fields) == FIELDS


def lenient(raw: bytes) -> bool:
    """A reader with the standard library's parser: the last of two keys wins, BOM and UTF-16 are welcome."""
    try:
        return open_gate(Controls(validate(Overlay, json.loads(raw), file="x"), None))
    except (ValueError, RecursionError, BadInput):
        return False


def truthy(raw: bytes) -> bool:
    """A reader that takes whatever is not true for off, and what is missing too."""
    try:
        value = strictjson.loads_object(raw, file="x")
    except BadInput:
        return False
    return not any(value.get(name) for name in SWITCHES) and not value.get("scopes")


def unscoped(raw: bytes) -> bool:
    """A reader that looks at the root alone."""
    controls = read_overlay(raw)
    if controls.overlay is None:
        return False
    root = Controls(controls.overlay.model_copy(update={"scopes": {}}), None)
    return not stops(root, SCOPE, KNOWN, now=parse_iso(NOW))


def forgiving(raw: bytes) -> bool:
    """A reader for which `until` ends every switch."""
    try:
        value = strictjson.loads_object(raw, file="x")
    except BadInput:
        return False

    def ended(switch: Any) -> bool:
        return isinstance(switch, dict) and "until" in switch and str(switch["until"]) <= NOW

    return permits(json.dumps({name: False if name in HALTING and ended(item) else item
                               for name, item in value.items()}, default=str).encode())


def tolerant(raw: bytes) -> bool:
    """A reader that strips what an editor leaves before and behind."""
    return permits(raw.removeprefix(b"\xef\xbb\xbf").strip(b"\0 \n\t,#x"))


def careless_keys(raw: bytes) -> bool:
    """A reader that does not care about the case of keys and the spaces around them."""
    try:
        value = strictjson.loads_object(raw, file="x")
    except BadInput:
        return False
    return permits(json.dumps({name.strip().lower(): item for name, item in value.items()}, default=str).encode())


MUTANTS: tuple[Subject, ...] = (lenient, truthy, unscoped, forgiving, tolerant, careless_keys)


def first_violation(subject: Callable[[bytes], bool]) -> int | None:
    """How many documents it takes to find the subject out."""
    mutator = Mutator(SEED)
    for number in range(1, COUNT + 1):
        raw, _ = mutator.document()
        if subject(raw) and not second_opinion(raw):
            return number
    return None


@pytest.mark.parametrize("subject", MUTANTS, ids=lambda subject: subject.__name__)
def test_a_lenient_reader_is_found_out(subject: Subject) -> None:
    """Each weakness of a reader shows within the same documents."""
    assert first_violation(subject) is not None
