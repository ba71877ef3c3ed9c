"""Why is this order, intent, conviction or signal there? A tree of plain sentences over recorded facts. Pure.

Every node says one thing that happened, with the ids that prove it; its parts say what it rests on. Nothing is
guessed: what is not in the records or documents that were handed in is said to be unknown here.

    explain("v7xk2ab-…-1", trail, evidence)
        Order v7xk2ab-…-1 bought 5 of 5 AAPL for V_CORE …
          Intent in1_… asked to buy equity:AAPL for 1,000 …
            Conviction cv1_… : equity:AAPL long, 4,000 of 10,000
              +3,000 bp source:sec.form4: …
                Signal sig1_… of sec.form4 : …
                  Raw payload 5f0c… from https://… : 9,123 bytes, kept in the snapshot store
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from vanta.alpha.core.course import course, fill_sentence, order_sentence, state_of
from vanta.alpha.core.earnings import Earned, Earnings
from vanta.alpha.core.node import Node
from vanta.alpha.core.outcome import brief, facts, result
from vanta.alpha.core.trail import Evidence, Row, Trail
from vanta.alpha.core.words import count, figure, short, when
from vanta.common.errors import Bug

CONVICTION = "cv1_"
"""How the ids of convictions begin; an intent that closes what nobody wants any more names none."""
EXIT = "exit:"
"""How the one reason begins of an intent of the executor's own: why a position was left, and no part of a sum."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Answers questions over one trail and the evidence beside it."""

    trail: Trail
    evidence: Evidence = field(default_factory=Evidence)
    earnings: Earnings = field(default_factory=Earnings)

    def explain(self, name: str) -> Node:
        """The tree of a full id. Raises `Bug` for one that nothing knows; `meant` finds ids."""
        order_id = self.trail.order_of(name)
        if order_id is not None:
            return self._order(order_id) if order_id == name else self._fill(name, order_id)
        if self.trail.of_intent(name):
            return self._intent(name)
        if name in self.evidence.signals or self.trail.rested_on(name):
            return self._signal(name, uses=True)
        if name in self.evidence.convictions or self.trail.asked_by(name):
            return self._conviction(name, uses=True)
        raise Bug(f"asked to explain {name}, which is not known")

    def _fill(self, name: str, order_id: str) -> Node:
        own = () if len(self.earnings.of_intent(self.trail.intent_of(name) or "")) == 1 else self._pnl(
            "This fill", name, self.earnings.of_fill(order_id, name))
        return Node("fill", name, fill_sentence(name, self.trail.of_intent(self.trail.intent_of(name) or "")), {},
                    (*own, self._order(order_id)))

    def _order(self, order_id: str) -> Node:
        """An order: what became of it, and why it was sent."""
        intent_id = self.trail.intent_of(order_id) or ""
        return Node("order", order_id, order_sentence(order_id, self.trail.of_intent(intent_id)), {},
                    (self._intent(intent_id),))

    def _pnl(self, who: str, name: str, parts: Sequence[Earned]) -> tuple[Node, ...]:
        """What came of it in money; none where nothing was filled."""
        if not parts:
            return ()
        gap = f" Counted up to where the log can be followed: {self.earnings.problem}." if self.earnings.problem else ""
        return (Node("pnl", name, f"{who}: {result(parts)}.{gap}", facts(parts), ()),)

    def grounds(self, intent_id: str) -> Node:
        """An intent without its course: what it asked for, and on what grounds."""
        whole = self._intent(intent_id)
        kinds = ("allocation", "cause", "conviction")
        return replace(whole, parts=tuple(part for part in whole.parts if part.kind in kinds))

    def _intent(self, intent_id: str) -> Node:
        """An intent: what it asked for, on what grounds, its course through fences, venue and fills, and its result."""
        body, records = self.trail.intent(intent_id), self.trail.of_intent(intent_id)
        if body is None:
            return Node("intent", intent_id, f"Intent {intent_id}: the log does not say what it asked for.", {}, ())
        why = body["provenance"]
        wish = "leave the whole position in" if body["close"] else f"{body['side']} {figure(body['notional'])} worth of"
        basis = (f"on what was held and ordered at trade_log:{body['basis_seq']}" if body["basis_seq"] else
                 "before anything of it was held or ordered")
        text = (f"Intent {intent_id} asked to {wish} {body['instrument_id']} for vault {body['vault']} (account "
                f"{body['account']}), made at {when(body['created_at'])} {basis}, good until "
                f"{when(body['expires_at'])}.")
        asked = why["signal_id"].startswith(CONVICTION)
        cause, belief = _left(why), (self._conviction(why["signal_id"], said=why),) if asked else ()
        grounds = (_cause(intent_id, cause, asked=asked), *belief) if cause is not None else (
            self._target(body), *(belief or (Node(
                "conviction", why["signal_id"], "No conviction asks for it any more.", {}, ()),)))
        return Node("intent", intent_id, text, dict(body), (
            *grounds, *course(records, self.trail),
            *self._pnl("Result", intent_id, self.earnings.of_intent(intent_id))))

    def _target(self, body: Row) -> Node:
        why = body["provenance"]
        asked = ", ".join(f"{name} ({bp:+,} bp)" for name, bp in why["personas"].items()) or "no persona"
        target = self.evidence.targets.get((body["vault"], body["instrument_id"], why["signal_id"]))
        if target is None:
            return Node("allocation", body["vault"], f"The allocation wanted {figure(body['target_notional'])} of "
                        f"{body['instrument_id']} in {body['vault']}; asked for by {asked}.", {}, ())
        limits = f" It was cut by {'; '.join(target['limits'])}." if target["limits"] else ""
        return Node("allocation", body["vault"], f"The allocation wanted {target['weight_bp']:,} bp of the NAV of "
                    f"{body['vault']} ({figure(target['vault_nav'])}) in {body['instrument_id']}: "
                    f"{figure(target['notional'])}; asked for by {asked}.{limits}", dict(target), ())

    def _conviction(self, name: str, *, said: Row | None = None, uses: bool = False) -> Node:
        """A conviction from its own row, or as the intent that it led to tells it."""
        row = self.evidence.convictions.get(name)
        told = [body["provenance"] for one in self.trail.asked_by(name) if (body := self.trail.intent(one))]
        if told and (said is None or _left(said) is not None):  # an exit has no lines of the conviction's
            said = next((one for one in reversed(told) if _left(one) is None), told[-1])
        asked = self.trail.asked_by(name) if uses else []
        intents = tuple(self.outcome(one) for one in asked)
        why = said if said is not None and _left(said) is None else None
        lines = row["reason_vector"] if row is not None else why["reasons"] if why is not None else []
        seen = () if row is None or why is None else self._view(row, why)
        return Node("conviction", name, _conviction_text(name, row, said), dict(row or {}), (
            *(self._reason(line) for line in lines), *seen, *intents, *self._sum(name, asked)))

    def _sum(self, name: str, intents: Sequence[str]) -> tuple[Node, ...]:
        """What the intents of a conviction have come to together."""
        fills = [one for intent_id in intents for one in self.earnings.of_intent(intent_id)]
        traded = len({one.intent_id for one in fills})
        return self._pnl(f"Result of the {count(traded, 'intent')} that traded, of {len(intents):,}", name, fills)

    def _view(self, row: Row, said: Row) -> tuple[Node, ...]:
        """The view of the persona that asked for most, as a sum of its own; none where it is the evidence itself.

        A persona moves every line: the shares of the evidence are shares of another sum then.
        """
        own = [(line["reason"], line["bp"]) for line in row["reason_vector"]]
        if own == [(line["reason"], line["bp"]) for line in said["reasons"]]:
            return ()
        names = dict.fromkeys(line["reason"].partition(":")[2] for line in said["reasons"]
                              if line["reason"].startswith(("persona:", "cap:")))
        who = " and ".join(names) or "the persona that asked for most"
        total, lines = sum(line["bp"] for line in said["reasons"]), said["reasons"]
        adds = "" if total == said["conviction_bp"] else f" They sum to {total:,}, which is wrong."
        text = (f"As seen by {who}: {said['conviction_bp']:,} of 10,000, which the intent acts on; {len(lines)} lines "
                f"make it up.{adds}")
        return (Node("view", who, text, {"conviction_bp": said["conviction_bp"]},
                     tuple(self._reason({**line, "signals": []}) for line in lines)),)

    def _reason(self, line: Row) -> Node:
        count = len(line["signals"])
        more = line["count"] - count
        tail = f" The {count} strongest are listed; {more:,} more count." if count and more > 0 else ""
        return Node("reason", line["reason"], f"{line['bp']:+,} bp {line['reason']}: {line['text']}{tail}",
                    {"bp": line["bp"], "evidence": line["evidence"], "count": line["count"]},
                    tuple(self._signal(name) for name in line["signals"]))

    def _signal(self, name: str, *, uses: bool = False) -> Node:
        row = self.evidence.signals.get(name)
        counted = tuple(self._counted(name)) if uses else ()
        if row is None:
            return Node("signal", name, f"Signal {name}: no longer in the feed files that are kept here.", {}, counted)
        text = (f"Signal {name} of {row['source']}: {_sentence(row['summary'])} It points {_way(row)} with strength "
                f"{row['strength']} and confidence {row['confidence']}. It was published at "
                f"{when(row['published_at'])}, first seen at {when(row['observed_at'])}, and counts until "
                f"{when(row['expires_at'])}.")
        if row.get("retracted_reason"):
            text += f" Retracted: {row['retracted_reason']}."
        return Node("signal", name, text, dict(row), (*self._raw(row), *counted))

    def _raw(self, row: Row) -> Iterator[Node]:
        for item in row["evidence"]:
            size = self.evidence.stored.get(item["sha256"])
            kept = "not in the store of this home" if size is None else f"{size:,} bytes, kept in the snapshot store"
            place = (row.get("raw_ref") or "").removeprefix(item["sha256"])
            where = f", at {place}" if place else ""
            yield Node("raw", item["sha256"], f"Raw payload {short(item['sha256'])} from {item['url']}, fetched at "
                       f"{when(item['fetched_at'])}: {kept}{where}.", dict(item), ())

    def _counted(self, signal_id: str) -> Iterator[Node]:
        """Convictions and intents that list the signal among their strongest."""
        for name, row in self.evidence.convictions.items():
            for line in row["reason_vector"]:
                if signal_id in line["signals"]:
                    yield Node("conviction", name, f"It counts in {name} ({row['entity']} {row['direction']}, "
                               f"{row['conviction_bp']:,} of 10,000), line {line['reason']} of {line['bp']:+,} bp.", {},
                               ())
        for intent_id in self.trail.rested_on(signal_id):
            yield self.outcome(intent_id)

    def outcome(self, intent_id: str, *, said: str = "It led to intent") -> Node:
        """What became of an intent, in one sentence that begins as it is told to."""
        body, records = self.trail.intent(intent_id), self.trail.of_intent(intent_id)
        state = state_of(records) if records else "not seen by the executor"
        wish = f"{body['side']} {body['instrument_id']} in {body['vault']}" if body else "an unknown wish"
        earned = brief(self.earnings.of_intent(intent_id))
        return Node("intent", intent_id, f"{said} {intent_id}: {wish}, now {state}"
                    f"{f'; {earned}' if earned else ''}.", {"state": state}, ())


def _left(why: Row) -> Row | None:
    """The line by which the executor itself says why it leaves a position; `None` for what the promoter asked for."""
    line: Row | None = next((one for one in why["reasons"] if one["reason"].startswith(EXIT)), None)
    return line


def _cause(intent_id: str, line: Row, *, asked: bool) -> Node:
    name = line["reason"].removeprefix(EXIT).replace("_", " ")
    tail = " The conviction that the position was opened on comes below." if asked else ""
    return Node("cause", intent_id, f"The executor asked for it itself ({name}): {line['text']}.{tail}", dict(line), ())


def _conviction_text(name: str, row: Row | None, said: Row | None) -> str:
    if row is None:
        assert said is not None, "one of both is known"
        return (f"Conviction {name}: {said['entity']}, {said['conviction_bp']:,} of 10,000 in the strongest persona's "
                f"view, as the intent tells it.")
    lines, total = row["reason_vector"], sum(line["bp"] for line in row["reason_vector"])
    adds = "" if total == row["conviction_bp"] else f" They sum to {total:,}, which is wrong."
    return (f"Conviction {name}: {row['entity']} {row['direction']}, {row['conviction_bp']:,} of 10,000, rank "
            f"{row['rank']}, in cycle {row['dag_id']}; {len(lines)} lines make it up.{adds}")


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _way(row: Row) -> str:
    direction = Decimal(str(row["direction"]))
    return "up" if direction > 0 else "down" if direction < 0 else "neither way"
