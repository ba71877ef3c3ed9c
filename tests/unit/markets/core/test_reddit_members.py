"""The posts behind a mention signal: encoding, merging, voices, campaigns."""

import pytest

from vanta.markets.core.reddit_members import Member, decode, encode, merge, swarm_posts, voices


def member(name: str, **fields: object) -> Member:
    values: dict[str, object] = {
        "id": name, "author": f"a{name}", "created_s": 1000, "stance_bp": 0, "confidence_bp": 9500, "method": "cashtag",
        "cluster": name, "verbatim": "", "sha": "5a5a", "path": f"/data/children/{name}"}
    return Member(**(values | fields))  # type: ignore[arg-type]


def test_members_survive_their_text_form() -> None:
    """Signs and empty fields included."""
    members = [member("a", stance_bp=-5000), member("b", verbatim="00ff00ff")]
    assert decode(encode(members)) == members


@pytest.mark.parametrize("text", ["", ";", "a,b,c", "a,b,x,0,0,m,c,,s,p", encode([member("a")]) + ",more"],
                         ids=["empty", "separators", "short", "no number", "long"])
def test_entries_of_another_form_are_left_out(text: str) -> None:
    """A damaged file costs a count, never a crash."""
    assert decode(text) == []


def test_an_unchanged_post_keeps_its_first_evidence() -> None:
    """A changed one takes the new."""
    known = [member("a", sha="old1"), member("b", sha="old2")]
    fresh = [member("a", sha="new1"), member("b", sha="new2", stance_bp=1)]
    merged = merge(known, fresh, frozenset({"a", "b"}))
    assert [one.sha for one in merged] == ["old1", "new2"]


def test_clusters_are_named_by_their_earliest_post() -> None:
    """Whatever the passes called them; a chain over passes is one cluster."""
    known = [member("b", cluster="b"), member("c", cluster="b", created_s=1001)]
    fresh = [member("c", cluster="c", created_s=1001), member("a", cluster="c", created_s=900)]
    merged = merge(known, fresh, frozenset({"c", "a"}))
    assert {one.id: one.cluster for one in merged} == {"a": "a", "b": "a", "c": "a"}


def test_who_is_in_a_copied_cluster_adds_no_other_voice() -> None:
    """Both x and y copied one text; y's other post is no new voice, z is."""
    members = [member("1", author="x", cluster="1"), member("2", author="y", cluster="1"),
               member("3", author="y"), member("4", author="z")]
    assert len(voices(members)) == 2


def test_one_author_repeating_a_text_is_an_author() -> None:
    """Not a copied cluster: the same person twice, beside another."""
    members = [member("1", author="x", cluster="1"), member("2", author="x", cluster="1"), member("3", author="x")]
    assert len(voices(members)) == 1


def test_a_voice_leans_as_its_posts_by_certainty() -> None:
    """Weighted mean lean, best certainty."""
    (voice,) = voices([member("1", author="x", stance_bp=8000, confidence_bp=9000),
                       member("2", author="x", stance_bp=-1000, confidence_bp=1000)])
    assert (voice.stance_bp, voice.confidence_bp) == (7100, 9000)
    (mute,) = voices([member("1", confidence_bp=0, stance_bp=500)])
    assert mute.stance_bp == 0


@pytest.mark.parametrize(("times", "verbatim", "authors", "expected"), [
    pytest.param([0, 10, 25, 31, 90], "same", 5, 5, id="burst, word for word"),
    pytest.param([0, 60, 120, 180, 240], "", 5, 5, id="burst, like a timer"),
    pytest.param([0, 3600, 7200, 10800, 14400], "same", 5, 5, id="like a timer, word for word"),
    pytest.param([0, 4000, 5000, 11000, 20000], "same", 5, 0, id="word for word only"),
    pytest.param([0, 10, 25, 31, 90], "", 5, 0, id="burst only"),
    pytest.param([0, 3600, 7200, 10800, 14400], "", 5, 0, id="timer only"),
    pytest.param([0, 10, 25, 31], "same", 4, 0, id="four posts"),
    pytest.param([0, 10, 25, 31, 90], "same", 4, 0, id="four authors"),
    pytest.param([0, 0, 0, 0, 0], "", 5, 0, id="one moment is a burst, not a timer"),
])
def test_a_campaign_takes_two_signs(times: list[int], verbatim: str, authors: int, expected: int) -> None:
    """Five posts, five authors, and two of: burst, timer, word for word."""
    members = [member(str(number), author=f"u{number % authors}", created_s=time, cluster="0", verbatim=verbatim)
               for number, time in enumerate(times)]
    assert swarm_posts(members) == expected
