"""The text format of metrics, to the letter, and what is masked before it leaves the house."""

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.alpha.core.exposition import Metric, Sample, render
from vanta.alpha.core.masking import Masks

LINE = re.compile(r'(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>[^\n]*)\})? (?P<value>\S+)')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,|$)')


def read(text: str) -> list[tuple[str, dict[str, str], float]]:
    """Samples of an exposition, read by the format's own grammar: whatever does not fit fails."""
    assert text.endswith("\n")
    found = []
    for line in text[:-1].split("\n"):
        if line.startswith("# "):
            assert re.fullmatch(r"# (?:HELP \S+ .*|TYPE \S+ (?:gauge|counter))", line), line
            continue
        said = LINE.fullmatch(line)
        assert said, line
        labels = said["labels"] or ""
        pairs = list(LABEL.finditer(labels))
        assert "".join(one[0] for one in pairs) == labels
        plain = {one[1]: re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), one[2]) for one in pairs}
        found.append((said["name"], plain, float(said["value"])))
    return found


def test_the_format_to_the_letter() -> None:
    """HELP and TYPE once, then samples; labels escaped; numbers as the format spells them."""
    assert render([
        Metric("vanta_a", "gauge", 'with \\ and\nlines "', [
            Sample(1, {"feed": 'a"b\\c\nd'}), Sample(0.25, {"feed": "x", "y": ""})]),
        Metric("vanta_none", "gauge", "left out", []),
        Metric("vanta_b", "counter", "b", [Sample(math.nan), Sample(math.inf), Sample(-math.inf), Sample(1e300)]),
    ]) == ('# HELP vanta_a with \\\\ and\\nlines "\n# TYPE vanta_a gauge\nvanta_a{feed="a\\"b\\\\c\\nd"} 1\n'
           'vanta_a{feed="x",y=""} 0.25\n# HELP vanta_b b\n# TYPE vanta_b counter\nvanta_b NaN\nvanta_b +Inf\n'
           'vanta_b -Inf\nvanta_b 1e+300\n')
    assert render([]) == ""


@settings(deadline=None, derandomize=True)
@given(st.text(max_size=12), st.floats())
def test_any_label_and_any_value_come_back(label: str, value: float) -> None:
    """Whatever a feed or an account is called."""
    label = label.encode("utf-8", "ignore").decode()
    ((name, labels, read_value),) = read(render([Metric("vanta_x", "gauge", label, [Sample(value, {"a": label})])]))
    assert (name, labels) == ("vanta_x", {"a": label})
    assert read_value == value or (math.isnan(value) and math.isnan(read_value))


@pytest.mark.parametrize(("name", "label"), [("vanta-x", "a"), ("", "a"), ("1x", "a"), ("x", "a-b"), ("x", "__a"),
                                             ("x", "a:b"), ("x\n", "a")])
def test_names_that_the_format_does_not_know_are_refused(name: str, label: str) -> None:
    """Rather than answering with what no reader takes."""
    with pytest.raises(ValueError, match="is no name for"):
        render([Metric(name, "gauge", "x", [Sample(1, {label: "v"})])])


def test_names_addresses_and_secrets_are_masked() -> None:
    """The same name by the same mask; short ones would hit everything; parts of words stay."""
    masks = Masks(["ann", "annabel", "x", "host-7"])
    assert masks.text("annabel asked ann at host-7, x; annex; ann@example.org token=abc") == (
        "name-1 asked name-3 at name-2, x; annex; ***@*** token=***")
    assert Masks([]).text("ann") == "ann"
    assert masks.value({"by": "zoe", "reason": "ann said so", "password": "p", "list": [{"contact": ""}, 7, None],
                        "uid": None, "ann": 1}) == {
        "by": "***", "reason": "name-3 said so", "password": "***", "list": [{"contact": ""}, 7, None],
        "uid": None, "name-3": 1}
