"""Records of the tracker's log as sentences, and one item or thread as the tree that `vanta explain` shows. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vanta.alpha.core.node import Node
from vanta.alpha.core.tracker import KINDS
from vanta.alpha.core.trail import place
from vanta.alpha.core.words import person, when
from vanta.common.events import Kind
from vanta.common.paths import TRACKER_LOG
from vanta.common.store.ports import Record

ITEM, THREAD = "vt_", "th_"
PREFIXES = (ITEM, THREAD)

Body = Mapping[str, Any]


def _added(body: Body) -> str:
    return f"{person(body['by'])} added the {body['kind']} \"{body['title']}\" of {body['severity']} severity."


def _marked(body: Body) -> str:
    return f"{person(body['by'])} marked it {body['state']}: {body['reason']}."


def _checked(body: Body) -> str:
    code = "nothing in time" if body["exit"] is None else body["exit"]
    return f"its check, run by {person(body['by'])}, ended with {code}."


SENTENCES: Mapping[str, Callable[[Body], str]] = {
    Kind.ITEM_ADDED: _added, Kind.ITEM_MARKED: _marked, Kind.ITEM_CHECKED: _checked,
    Kind.ITEM_NOTED: lambda body: f"{person(body['by'])} said of it: {body['text']}",
    Kind.THREAD_OPENED: lambda body: f"{person(body['by'])} opened the thread \"{body['title']}\".",
    Kind.THREAD_APPENDED: lambda body: f"{person(body['by'])} said in the thread: {body['text']}",
    Kind.THREAD_LINKED: lambda body: f"{person(body['by'])} linked the thread to {body['target']}.",
    Kind.RELEASE_MOVING: lambda body: f"{person(body['by'])} began to move {body['module']} from "
                                      f"{body['before'] or 'nothing'} to {body['after']}: {body['reason']}.",
    Kind.RELEASE_MOVED: lambda body: f"{body['module']} runs {body['after'] or 'nothing'}: {body['reason']}.",
    Kind.THREAD_CLOSED: lambda body: f"{person(body['by'])} closed the thread: {body['outcome']}.",
}


def names(records: Sequence[Record]) -> set[str]:
    """Every item and thread that was added."""
    return {one.ids["item_id"] for one in records if one.kind == Kind.ITEM_ADDED} | {
        one.ids["thread_id"] for one in records if one.kind == Kind.THREAD_OPENED}


def explain_tracked(name: str, records: Sequence[Record]) -> Node:
    """What was said and done about one item or thread, in order."""
    of = [one for one in records if one.kind in KINDS and name in one.ids.values()]
    what = "item" if name.startswith(ITEM) else "thread"
    parts = tuple(Node(one.kind, place(TRACKER_LOG, one), f"{when(one.at)} ({place(TRACKER_LOG, one)}): "
                       f"{SENTENCES[one.kind](one.payload)}", dict(one.payload), (), place(TRACKER_LOG, one))
                  for one in of)
    return Node(what, name, f"The {what} {name}, \"{of[0].payload['title']}\": {len(parts)} records.",
                {"title": of[0].payload["title"]}, parts, place(TRACKER_LOG, of[0]))
