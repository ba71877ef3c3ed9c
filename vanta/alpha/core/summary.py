"""How is this home doing? Gathered facts in, one row for each question out. Pure.

Decides a level, a sentence and the command that helps, for every question a person has at three in the morning.
Refuses to look at anything itself: facts are handed in, with `now`. What is not known is UNKNOWN with the reason and
never passes for OK; a stale feed, a torn log or a latch is CRITICAL; a halt that a person wanted is a WARNING.

Example: feed `sec` last succeeded 41 minutes ago, limit 15 -> CRITICAL "no success for 41 min, the limit is 15 min",
fix `vanta markets collect sec`.
"""

import shlex
from collections.abc import Iterator, Sequence

from vanta.alpha.core import peers
from vanta.alpha.core.doing import EXECUTOR, PROMOTE, REFLECT, TIDY, collect, doing
from vanta.alpha.core.heads import heads
from vanta.alpha.core.latches import untold
from vanta.alpha.core.sights import (
    Disk,
    Doc,
    Facts,
    FarSight,
    FeedSight,
    LatchSight,
    Limits,
    LockSight,
    Row,
    one_line,
    since,
    span,
)
from vanta.common.exitcodes import Check

GRAVITY = (Check.CRITICAL, Check.UNKNOWN, Check.WARNING, Check.OK)
"""The gravest first. A check that could not be made outweighs a warning."""

FIRST_LINE = 80
_RELEASE = 'vanta-run release --scope global --reason "…"'
ON_ALPHA = "on Alpha: vanta overlay clear SWITCH --reason TEXT"
_STATUS = {"ok": Check.OK, "partial": Check.WARNING, "error": Check.WARNING}


def rows(facts: Facts, limits: Limits) -> list[Row]:
    """Every check, in the order a person reads them. A node of several hosts is asked about what it can know."""
    return [_dispatch(facts, limits), *([] if facts.node == "markets" else [_executor(facts, limits)]),
            *peers.rows(facts), *_alarm(facts), *_loosened(facts),
            *(_feed(feed, facts, limits) for feed in facts.feeds),
            *([_reflection(facts, limits)] if facts.node in ("", "markets") else []),
            *([] if facts.node == "alpha" else [_queue(facts, limits)]),
            *heads(facts), _locks(facts.locks), _disk(facts.disk, limits), _archive(facts, limits),
            *_settings(facts)]


def worst(found: Sequence[Row]) -> Check:
    """The gravest level; UNKNOWN for no rows at all."""
    levels = {row.level for row in found}
    return next((level for level in GRAVITY if level in levels), Check.UNKNOWN)


def headline(found: Sequence[Row]) -> str:
    """The first line of a monitoring check, with its figures, in at most 80 characters of ASCII."""
    level = worst(found)
    feeds = [row for row in found if row.name.startswith("feed ")]
    fresh = sum(row.level is Check.OK for row in feeds)
    figures = f" | feeds_fresh={fresh};;;0;{len(feeds)}"
    grave = [row for row in found if row.level is level]
    said = f"{len(found)} checks passed" if level is Check.OK or not grave else f"{grave[0].name}: {grave[0].text}"
    more = f" (+{len(grave) - 1} more)" if level is not Check.OK and len(grave) > 1 else ""
    head = f"VANTA {level.name} - "
    room = FIRST_LINE - len(head) - len(more) - len(figures)
    said = one_line(said).encode("ascii", "replace").decode().replace("|", "/")
    return head + (said if len(said) <= room else said[:room - 3] + "...") + more + figures


def _dispatch(facts: Facts, limits: Limits) -> Row:
    """May an order leave? Latches, switches and the permit all have to allow it; latches are named first."""
    found = [*_halts(facts), *_doubts(facts)] or [*_partial(facts)]
    if facts.node == "alpha" and not facts.unreadable and not facts.stops and (aged := _aged(facts, limits)):
        level = min([Check.UNKNOWN, *(one for one, _, _ in found)], key=GRAVITY.index)
        return Row(name="dispatch", level=level, fix="on the executor: vanta-run status", text="; ".join(
            [f"Alpha's overlay permits, and {aged}", *(f"then {text}" for _, text, _ in found)]))
    if not found:
        return Row(name="dispatch", level=Check.OK, text="open: orders may leave" if facts.node != "markets" else
                   "Alpha's overlay permits; what the executor says is not known here")
    level, _, fix = min(found, key=lambda one: GRAVITY.index(one[0]))
    return Row(name="dispatch", level=level, text="; ".join(text for _, text, _ in found), fix=fix)


def _aged(facts: Facts, limits: Limits) -> str:
    """On Alpha: that what arrived of the executor is too old to say that anything holds, or is open; else empty."""
    beat = facts.executor.time("heartbeat_at")
    if beat is None:
        return "nothing of the executor has arrived"
    age = since(beat, facts.now)
    if abs(age) <= limits.heartbeat_s:
        return ""
    return f"what is known of the executor {f'is {span(age)} old' if age > 0 else f'lies {span(age)} ahead'}"


Said = tuple[Check, str, str]


def _halts(facts: Facts) -> Iterator[Said]:
    """What stops every order."""
    for latch in facts.latches:
        if latch.everything:
            yield Check.CRITICAL, f"latched: {latch.detail}", _release(latch)
    if facts.unreadable:
        yield Check.CRITICAL, f"halted: {facts.unreadable}", "vanta overlay check memory/vault_overlay.json"
    elif facts.stops:
        yield Check.WARNING, f"halted: {'; '.join(facts.stops)}", "${EDITOR:-vi} memory/vault_overlay.json"
    if facts.far is not None:
        yield from _by_alpha(facts.far)
    if not facts.permit and facts.node in ("", "executor"):
        yield Check.WARNING, "halted: there is no permit", _RELEASE


def _by_alpha(far: FarSight) -> Iterator[Said]:
    """What stops every order on Alpha's behalf; only there can it be changed."""
    if far.unreadable:
        yield Check.CRITICAL, f"halted: {far.unreadable}", "on Alpha: vanta overlay show"
    elif far.stops:
        yield Check.WARNING, f"halted on Alpha: {'; '.join(far.stops)}", ON_ALPHA
    if far.lease:
        yield Check.CRITICAL, f"held: {far.lease}", peers.LEASE_FIX


def _doubts(facts: Facts) -> Iterator[Said]:
    """Why it is not known whether anything else stops orders. Not asked where something certainly does."""
    why = untold(facts.executor)
    if why and not any(_halts(facts)):
        yield Check.UNKNOWN, f"it cannot be told whether the executor latched itself: {why}", doing(facts, EXECUTOR)


def _partial(facts: Facts) -> Iterator[Said]:
    """What stops some orders; or all of them, for a reason that only the executor sees."""
    doc = facts.executor
    known = {"alpha": doc.value is not None, "markets": False}.get(facts.node, facts.running("executor"))
    if known and doc.text("dispatch") not in ("open", "latched"):
        said = f"{doc.text('dispatch') or 'nothing'}: {doc.text('dispatch_reason')}"
        yield (Check.WARNING, f"the switches are open{' here' if facts.node else ''}, but the executor says {said}",
               "on the executor: vanta-run status" if facts.node == "alpha" else "tail -n 20 logs/executor.log")
    for latch in facts.latches:
        yield Check.CRITICAL, f"open, except for a vault that is latched: {latch.detail}", _release(latch)
    if facts.scoped:
        yield Check.WARNING, f"open, except for {'; '.join(facts.scoped)}", "${EDITOR:-vi} memory/vault_overlay.json"
    if facts.far is not None and facts.far.scoped:
        yield Check.WARNING, f"open, except on Alpha for {'; '.join(facts.far.scoped)}", ON_ALPHA


def _release(latch: LatchSight) -> str:
    return f'vanta-run release --latch {shlex.quote(latch.latch_id)} --reason "…"'


def _executor(facts: Facts, limits: Limits) -> Row:
    """Is the executor alive, and is it content?"""
    level, text, fix = _executor_said(facts, limits)
    return Row(name="executor", level=level, text=text, fix=fix)


def _executor_said(facts: Facts, limits: Limits) -> tuple[Check, str, str]:
    doc, running = facts.executor, facts.running("executor")
    beat = doc.time("heartbeat_at")
    if beat is None:
        return Check.UNKNOWN, _absent(doc, "it has not run here yet"), doing(facts, EXECUTOR)
    if facts.latches:
        details = "; ".join(latch.detail for latch in facts.latches)
        first = facts.latches[0]
        return Check.CRITICAL, f"latched: {details} ({first.latch_id})", _release(first)
    age = since(beat, facts.now)
    told = f"last heartbeat {span(age)} ago, mode {doc.text('mode') or 'unknown'}"
    if age < -limits.ahead_s:
        return Check.UNKNOWN, f"its last heartbeat lies {span(age)} ahead: a clock is wrong", "check the clocks"
    if facts.node == "alpha":
        return _heard(age, told, limits)
    if running is None:
        return Check.UNKNOWN, f"cannot tell whether it runs; {told}", "look at the lock as its owner"
    if not running:
        return Check.WARNING, f"is not running; {told}", doing(facts, EXECUTOR)
    if age > limits.heartbeat_s:
        why = "its disk or a venue does not answer, nothing is sent meanwhile"
        return Check.CRITICAL, f"runs, but gets nowhere: {why}; {told}", "vanta-run kill"
    if age > limits.heartbeat_warn_s:
        return Check.WARNING, f"runs, but is silent; {told}", "tail -n 20 logs/executor.log"
    unsure = [f"{name} {said}" for name, said in doc.table("broker_sync").items() if said != "in sync"]
    if unsure:
        return Check.UNKNOWN, f"runs; {'; '.join(unsure)}", "look at the venue"
    return Check.OK, f"runs; {told}, brokers in sync", ""


def _heard(age: float, told: str, limits: Limits) -> tuple[Check, str, str]:
    """On Alpha: by what arrived, whose time is the executor's."""
    if age > limits.heartbeat_s:
        return Check.CRITICAL, f"nothing newer has arrived of it; {told}", "on the executor: vanta-run status"
    return (Check.WARNING if age > limits.heartbeat_warn_s else Check.OK), f"on its own host; {told}", ""


def _alarm(facts: Facts) -> list[Row]:
    """Was the last alert said to whom the operator chose?"""
    problem = facts.executor.text("alarm")
    return [Row(name="alarm", level=Check.WARNING, text=problem, fix="tail -n 20 logs/executor.log")] if problem else []


def _loosened(facts: Facts) -> list[Row]:
    """What does a person still have to answer for? Asked whether the executor runs or not."""
    asked = facts.executor.texts("warnings")
    return [Row(name="controls", level=Check.WARNING, text="; ".join(asked),
                fix='vanta-run acknowledge --reason "…"')] if asked else []


def _absent(doc: Doc, missing: str) -> str:
    if doc.problem:
        return doc.problem
    return missing if doc.value is None else "its file lacks what it must say"


def _feed(feed: FeedSight, facts: Facts, limits: Limits) -> Row:
    """Is the feed fresh? `prices` has no status of its own: its file's time decides."""
    level, text = _feed_said(feed, facts, limits)
    return Row(name=f"feed {feed.name}", level=level, text=text,
               fix="" if level is Check.OK else doing(facts, collect(feed.name)))


def _feed_said(feed: FeedSight, facts: Facts, limits: Limits) -> tuple[Check, str]:
    doc, quotes = feed.doc, feed.name == "prices"
    success = doc.time("now" if quotes else "last_success_at")
    if doc.value is None or doc.problem or (success is None and doc.text("status") not in ("error", "partial")):
        return Check.UNKNOWN, _absent(doc, "it has not been collected yet")
    if success is None:
        return Check.CRITICAL, f"no pass has succeeded yet: {doc.text('status_reason')}"
    age, limit = since(success, facts.now), feed.stale_after_s
    if age < -limits.ahead_s:
        return Check.CRITICAL, f"its last success lies {span(age)} ahead: a clock is wrong"
    if age > limit:
        return Check.CRITICAL, f"no success for {span(age)}, the limit is {span(limit)}"
    status = "ok" if quotes else doc.text("status")
    level = _STATUS.get(status, Check.UNKNOWN)
    why = "" if level is Check.OK else f": {doc.text('status_reason')}"
    return level, f"{status or 'unknown status'}, {span(age)} old{why}"


def _reflection(facts: Facts, limits: Limits) -> Row:
    """Does the last reflection know the newest feed files? Its age alone says little: no news, no new cycle."""
    doc, fix = facts.reflection, doing(facts, REFLECT)
    moment = doc.time("now")
    if moment is None:
        return Row(name="reflection", level=Check.UNKNOWN, text=_absent(doc, "there has been none yet"), fix=fix)
    age = since(moment, facts.now)
    if age < -limits.ahead_s:
        return Row(name="reflection", level=Check.UNKNOWN, text=f"lies {span(age)} ahead: a clock is wrong", fix=fix)
    newest = max((made for feed in facts.feeds if (made := feed.doc.time("generated_at")) is not None), default=moment)
    lag = since(moment, newest)
    level = Check.OK if lag <= limits.reflection_warn_s else Check.WARNING
    if lag > limits.reflection_fail_s:
        level = Check.CRITICAL
    text = f"{span(age)} ago, {doc.text('status')}"
    if level is not Check.OK:
        text += f"; feeds are newer by {span(lag)}"
    if doc.table("missing"):
        text += f"; without {', '.join(sorted(doc.table('missing')))}"
    return Row(name="reflection", level=level, text=text, fix="" if level is Check.OK else fix)


def _queue(facts: Facts, limits: Limits) -> Row:
    """What is staged, what the executor holds, and whether anybody clears what is over."""
    doc = facts.queue
    if doc.value is None or doc.problem or not isinstance(doc.value.get("intents"), list):
        return Row(name="queue", level=Check.UNKNOWN, text=_absent(doc, "nothing has been promoted yet"),
                   fix=doing(facts, PROMOTE))
    meant, ours = doc.text("home"), facts.portfolio.text("home")
    if meant and ours and meant != ours:
        return Row(name="queue", level=Check.CRITICAL, fix=doing(facts, PROMOTE), text=f"is for the executor of home "
                   f"{meant}, this is home {ours}: nothing of it is carried out")
    expiries = [Doc(row).time("expires_at") for row in doc.rows("intents")]
    over = sum(end is None or since(end, facts.now) > limits.uncleared_s for end in expiries)
    held = ", ".join(f"{count} held by {code}" for code, count in _held(facts))
    text = f"{len(expiries)} staged" + (f", {held}" if held else "")
    if over:
        return Row(name="queue", level=Check.WARNING, text=f"{text}; {over} are long over and not cleared",
                   fix=doing(facts, PROMOTE))
    return Row(name="queue", level=Check.OK, text=text)


def _held(facts: Facts) -> Iterator[tuple[str, int]]:
    """What holds intents now: the executor's last word, less what is certainly over.

    Every code is, once no intent is held any more; a halt is, once nothing halts.
    """
    intents = facts.portfolio.table("intents") if facts.portfolio.value is not None else None
    waiting = None if intents is None else sum(state == "held" for state in intents.values())
    halted = facts.latches or facts.scoped or any(_halts(facts))
    for code, count in facts.executor.table("held").items():
        left = min(count, waiting) if isinstance(count, int) and waiting is not None else count
        if left and (halted or not code.startswith("halt.")):
            yield code, left


def _locks(locks: Sequence[LockSight]) -> Row:
    """Who is running."""
    hidden = [lock.name for lock in locks if not lock.known]
    if hidden:
        return Row(name="locks", level=Check.UNKNOWN, text=f"cannot be looked at: {', '.join(hidden)}",
                   fix="run this as the owner of the home")
    held = "; ".join(f"{lock.name} held by {lock.holder}" for lock in locks if lock.holder)
    return Row(name="locks", level=Check.OK, text=held or "nobody is running")


def _disk(disk: Disk | None, limits: Limits) -> Row:
    """Is there room to write? Without any the executor latches."""
    if disk is None:
        return Row(name="disk", level=Check.UNKNOWN, text="its free space cannot be told", fix="df -h memory/")
    few = disk.files > 0 and disk.free_files * 50 < disk.files
    level = Check.OK
    if disk.free < limits.disk_warn or few:
        level = Check.WARNING
    if disk.free < limits.disk_fail or (disk.files > 0 and disk.free_files == 0):
        level = Check.CRITICAL
    text = f"{disk.free / (1 << 30):.1f} GiB free of {disk.size / (1 << 30):.1f} GiB"
    if few:
        text += f", {disk.free_files:,} file slots left"
    return Row(name="disk", level=level, text=text, fix="" if level is Check.OK else "free some space below the home")


def _archive(facts: Facts, limits: Limits) -> Row:
    """Were the journals copied elsewhere lately?"""
    if facts.archive is None:
        return Row(name="archive", level=Check.OK, text="none: the journals are on this disk alone; see [archive]")
    kept_at, problem = facts.archive.time("kept_at"), facts.archive.problem or facts.archive.text("problem")
    if facts.archive.value is None or kept_at is None:
        return Row(name="archive", level=Check.WARNING, fix=doing(facts, TIDY),
                   text=problem or "nothing was copied yet")
    age_s = (facts.now - kept_at).total_seconds()
    text = f"journals copied {span(age_s)} ago" + (f"; since then: {problem}" if problem else "")
    good = not problem and age_s < limits.archive_s
    return Row(name="archive", level=Check.OK if good else Check.WARNING, text=text,
               fix="" if good else doing(facts, TIDY))


def _settings(facts: Facts) -> list[Row]:
    """Settings that cannot be read stop every program at its start."""
    return [Row(name="settings", level=Check.CRITICAL, text=problem, fix="${EDITOR:-vi} config/vanta.toml")
            for problem in facts.problems]
