"""Near-identical texts."""

import hashlib
import json
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vanta.markets.core.neardup import THRESHOLD, clusters, normalise, similarity

CAMPAIGN = "massive whale just moved 20000 btc to binance, dump incoming, get out of everything right now"


@pytest.mark.parametrize(("text", "expected"), [
    ("Buy $XYZ NOW!!", "buy $xyz now"), ("RT @someone: Buy $XYZ now", "buy $xyz now"),
    ("via @x buy https://t.co/abc $xyz @you now", "buy $xyz u now"), ("buy_$xyz\n\nnow", "buy $xyz now"),
    ("🚀🚀", ""), ("", ""), ("https://only.link", ""),
], ids=["case", "repost", "link and handle", "spacing", "emoji", "empty", "link"])
def test_what_copies_change_for_free_is_ignored(text: str, expected: str) -> None:
    """Case, links, handles, repost marks, punctuation and spacing."""
    assert normalise(text) == expected


@pytest.mark.parametrize("copy", [
    pytest.param(CAMPAIGN + " lol", id="a word added"),
    pytest.param(CAMPAIGN.replace("massive", "huge").replace("incoming", "coming"), id="synonyms"),
    pytest.param(CAMPAIGN.replace("just ", "").replace("right now", "asap"), id="words dropped"),
    pytest.param("RT @whale: " + CAMPAIGN.upper() + "!!! https://t.co/x", id="reposted, shouted, with a link"),
    pytest.param(" ".join(CAMPAIGN.split()[8:] + CAMPAIGN.split()[:8]), id="halves swapped"),
])
def test_a_copy_with_small_changes_is_the_same_text(copy: str) -> None:
    """What campaigns do to their text does not hide it."""
    assert similarity(CAMPAIGN, copy) >= THRESHOLD
    assert clusters(["rates fell today", CAMPAIGN, copy]) == [0, 1, 1]


def test_texts_about_the_same_share_are_not_the_same_text() -> None:
    """Unrelated posts that share a symbol and a few words stay apart."""
    texts = ["$AAPL earnings tomorrow, I expect a beat on services revenue",
    "$AAPL looks weak below the 50 day average",
             "Sold my $AAPL calls this morning for a small loss", "Anyone else waiting for the $AAPL event in June?"]
    assert clusters(texts) == [0, 1, 2, 3]


def test_clusters_hang_together_through_pairs() -> None:
    """A, B and C are one cluster although A and C alone are too far apart."""
    first = "alpha bravo charlie delta echo foxtrot golf hotel"
    second = "charlie delta echo foxtrot golf hotel india juliet"
    third = "echo foxtrot golf hotel india juliet kilo lima"
    assert similarity(first, third) < THRESHOLD <= min(similarity(first, second), similarity(second, third))
    assert clusters([first, second, third]) == [0, 0, 0]
    assert clusters([first, third]) == [0, 1]


def test_texts_with_nothing_to_compare_stay_alone() -> None:
    """Two posts of rockets are two posts."""
    assert clusters(["🚀", "🚀", "", "https://a.b"]) == [0, 1, 2, 3]
    assert similarity("🚀", "🚀") == 0.0


def test_no_texts_are_no_clusters() -> None:
    """An empty pass."""
    assert clusters([]) == []


def test_short_texts_are_compared_whole() -> None:
    """Shorter than one piece: identical or different."""
    assert clusters(["gm", "GM!", "hi", "gm"]) == [0, 0, 2, 0]


@pytest.mark.parametrize("text", ["aaac", "aagc", "accd"])
def test_a_text_of_one_piece_fills_every_bin(text: str) -> None:
    """These fill so few bins that the walk of an empty one passes by them all at first; they compare all the same."""
    assert clusters([text, f"{text} or {text}", "rates fell today", f"{text}!"]) == [0, 1, 2, 0]


def test_a_thousand_copies_are_one_cluster() -> None:
    """A flood of identical and of slightly different texts, in a bounded number of comparisons."""
    flood = [f"{CAMPAIGN} {number}" for number in range(300)] + [CAMPAIGN] * 700
    assert set(clusters(flood)) == {0}


WORDS = st.lists(
    st.sampled_from(["buy", "sell", "moon", "gme", "calls", "now", "dump", "whale", "earnings", "🚀"]), max_size=9)


@settings(deadline=None, derandomize=True)
@given(st.lists(WORDS.map(" ".join), max_size=12), st.randoms(use_true_random=False))
def test_clusters_do_not_depend_on_the_order(texts: list[str], chance: object) -> None:
    """The same texts in another order fall into the same groups; roots are first members."""
    def groups(order: list[int]) -> set[frozenset[int]]:
        roots = clusters([texts[at] for at in order])
        assert all(roots[root] == root <= at for at, root in enumerate(roots))
        return {frozenset(order[at] for at, root in enumerate(roots) if root == wanted) for wanted in set(roots)}

    order = list(range(len(texts)))
    shuffled = order[:]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert groups(order) == groups(shuffled)


@pytest.mark.parametrize("seed", ["0", "1"])
def test_clusters_do_not_depend_on_the_hash_seed(seed: str) -> None:
    """Python's own hash differs between processes; ours does not use it."""
    texts = [CAMPAIGN, CAMPAIGN + " lol", "rates fell", "gme to the moon", "GME to the moon!"]
    program = f"from vanta.markets.core.neardup import clusters; print(clusters({json.dumps(texts)}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True,
                          env=os.environ | {"PYTHONHASHSEED": seed})
    assert json.loads(done.stdout) == [0, 0, 2, 3, 3]


def test_a_crowd_with_common_words_is_compared_in_bounds() -> None:
    """300 texts that share a phrase: not every pair at the very threshold is found, but the order does not matter."""
    texts = [f"good morning everyone, {number * 7919} {number * 104729} {number * 1299709}" for number in range(300)]
    close = [(one, other) for one in range(300) for other in range(one)
             if similarity(texts[one], texts[other]) >= THRESHOLD]
    roots, reverse = clusters(texts), clusters(texts[::-1])
    assert sum(roots[one] == roots[other] for one, other in close) >= 0.75 * len(close) > 200
    groups = {frozenset(at for at in range(300) if roots[at] == root) for root in roots}
    assert groups == {frozenset(299 - at for at in range(300) if reverse[at] == root) for root in reverse}


@pytest.mark.parametrize(("common", "own"), [(32, 23), (80, 60), (200, 152)], ids=["a line", "a tweet", "a post"])
def test_pairs_just_above_the_threshold_are_found(common: int, own: int) -> None:
    """Of pairs that overlap by 0.38 to 0.40 hardly one is missed, whatever their length."""
    found = []
    for number in range(150):
        text = "".join(hashlib.sha256(f"{number} {part}".encode()).hexdigest() for part in range(8))
        one, other = text[:common + own], text[:common] + text[common + own:common + 2 * own]
        if THRESHOLD <= similarity(one, other) < 0.40:
            found.append(clusters([one, other]) == [0, 0])
    assert len(found) > 100
    assert sum(found) >= 0.94 * len(found)
