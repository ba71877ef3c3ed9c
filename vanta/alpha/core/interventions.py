"""Why a latch is there and what it stopped; what an operator's command asked for and what came of it. Pure.

Latch latch_5f0c2a91 stops entries of V_CORE since 2026-11-20 15:00:07 UTC (trade_log:88): the vault lost more than …
Intent in1_… set it off.
It held intent in1_… (buy equity:AAPL in V_CORE) from 2026-… until 2026-…: by then it had expired.
ann released it at 2026-… (trade_log:120) with the command cmd_…: looked at the fills.
"""

from collections.abc import Iterator

from vanta.alpha.core.affairs import Affairs, Stopped, codes_of
from vanta.alpha.core.changes import stop_node
from vanta.alpha.core.node import Node
from vanta.alpha.core.words import figure, meaning, person, when
from vanta.common.events import Kind
from vanta.common.reasons import Reason
from vanta.common.store.ports import Record

_AT_LENGTH = 1 << 62


class Interventions:
    """Explanations of latches and commands over one index."""

    def __init__(self, affairs: Affairs) -> None:
        self._affairs = affairs

    def latch(self, name: str) -> Node:
        """A latch: why, since when, what it stopped, who released it with which words."""
        record = self._affairs.latches[name]
        body, code = record.payload, str(record.payload["code"])
        scope = "everything" if body["vault"] is None else f"vault {body['vault']}"
        exits = "entries of " if body["exits"] else ""
        figures = "" if body["value"] == "flatten" else \
            f" It saw {figure(body['value'])}, the limit is {figure(body['limit'])}."
        text = (f"Latch {name} stops {exits}{scope} since {when(record.at)} (trade_log:{record.seq}), set by the "
                f"executor itself: "
                f"{meaning(code).partition('. ')[0].rstrip('.')} ({code}). {_sentence(body['detail'])}{figures}")
        return Node("latch", name, text, dict(body), (
            *self._cause(record, code), *(stop_node(self._affairs, one, self._affairs.released.get(name))
                                          for one in self._held(record, code)),
            self._end(name)), f"trade_log:{record.seq}")

    def _cause(self, latch: Record, code: str) -> Iterator[Node]:
        """What set it off: an intent whose verdict it was, or a command."""
        for record in self._next(latch, 1):
            if code in codes_of(record):
                name = record.ids["intent_id"]
                yield Node("cause", name,
                           f"Intent {name} set it off, with the verdict after it (trade_log:{record.seq}).", {},
                           (), f"trade_log:{record.seq}")
        for command_id, receipts in self._affairs.receipts.items():
            if code == Reason.FLATTENED and any(one.seq == latch.seq - 1 for one in receipts):
                yield Node("cause", command_id,
                           f"Command {command_id} of {person(receipts[0].payload['by'])} set it, to leave every "
                           f"position: {receipts[0].payload['reason']}.", {}, (), f"trade_log:{receipts[0].seq}")

    def _next(self, record: Record, number: int) -> list[Record]:
        """Records about intents right after another one."""
        trail = self._affairs.trail
        return [one for intent_id in trail.intents() for one in trail.of_intent(intent_id)
                if record.seq < one.seq <= record.seq + number]

    def _held(self, latch: Record, code: str) -> Iterator[Stopped]:
        """Intents that were held by it, and orders that it stopped at the last look."""
        name, released = str(latch.payload["latch_id"]), self._affairs.released.get(str(latch.payload["latch_id"]))
        codes = frozenset({Reason.HALT_LATCHED, *(one for one in Reason if one == code)})
        for one in self._affairs.stopped(codes, latch.seq, released.seq if released else None):
            seen = [str(line[2]) for line in one.by.payload.get("lines", ()) if line[1] == Reason.HALT_LATCHED]
            ours = name in seen if seen else latch.payload["vault"] in (None, one.by.ids["vault"])
            if ours:
                yield one

    def _end(self, name: str) -> Node:
        record = self._affairs.released.get(name)
        if record is None:
            last = self._affairs.last
            end = f" ({when(last.at)}, trade_log:{last.seq})" if last is not None else ""
            return Node("until", name, f"It is still set at the end of the log{end}. When its cause is settled: "
                                       f"`vanta-run "
                        f"release --latch {name} --reason TEXT`.", {}, ())
        body = record.payload
        return Node("until", str(body["command_id"]),
                    f"{person(body['by'])} released it at {when(record.at)} (trade_log:{record.seq}) "
                    f"with the command {body['command_id']}: {body['reason']}.", dict(body), (),
                    f"trade_log:{record.seq}")

    def command(self, name: str) -> Node:
        """A command: who asked for what and why, the executor's receipt, and what followed."""
        given, receipts = self._affairs.given.get(name), self._affairs.receipts.get(name, [])
        body = given.record.payload if given is not None else receipts[0].payload
        first = given.record if given is not None else receipts[0]
        here = given.place if given is not None else f"trade_log:{first.seq}"
        text = (f"Command {name}: {person(body['by'])} asked at {when(first.at)} ({here}) {_wish(body)}. The reason "
                f"given: "
                f"{body['reason']}.")
        parts = [part for receipt in receipts for part in self._receipt(receipt, flatten=body.get("kind") == "flatten")]
        if not receipts:
            parts = [Node("until", name, "The executor has not carried it out, nor refused it; it does so only before "
                          f"{when(body.get('expires_at'))}.", {}, ())]
        return Node("command", name, text, dict(body), tuple(parts), here)

    def _receipt(self, record: Record, *, flatten: bool) -> Iterator[Node]:
        """What the executor's log says of it, and what it did on the same occasion."""
        here, at, body = f"trade_log:{record.seq}", when(record.at), record.payload
        said = {
            Kind.COMMAND_REFUSED: f"The executor refused it at {at} ({here}): {body.get('refused')}.",
            Kind.OVERRIDE_SET: f"It has been in force since {at} ({here}), until {when(body.get('until'))} at the "
                               f"latest.",
            Kind.OVERRIDE_ENDED: f"It ended at {at} ({here}); {body.get('limit')} is again what vault.json says.",
            Kind.LATCH_RELEASED: f"The executor released latch {body.get('latch_id')} at {at} ({here}).",
        }.get(Kind(record.kind), f"The executor carried it out at {at} ({here}).")
        yield Node("receipt", here, said, dict(body), (), here)
        if record.kind == Kind.COMMAND_TAKEN:
            yield from self._followed(record, flatten=flatten)

    def _followed(self, receipt: Record, *, flatten: bool) -> Iterator[Node]:
        """Records of the same occasion: one batch has one time."""
        for name, latch in self._affairs.latches.items():
            if flatten and latch.at == receipt.at and latch.payload["code"] == Reason.FLATTENED:
                yield Node("effect", name, f"It set latch {name}: no entries from then on.", {}, (),
                           f"trade_log:{latch.seq}")
        for record in self._next(receipt, _AT_LENGTH):
            here = f"trade_log:{record.seq}"
            if record.at == receipt.at and flatten and record.payload.get("from") == "executor":
                body = record.payload["intent"]
                yield Node("effect", body["intent_id"],
                           f"It made intent {body['intent_id']} to leave {body['instrument_id']} in "
                           f"{body['vault']}.", {}, (), here)
            if (record.at == receipt.at and record.kind == Kind.ORDER_CANCELLING
                    and record.payload["detail"] == "an operator asked for it"):
                yield Node("effect", record.ids["order_id"],
                           f"It had order {record.ids['order_id']} cancelled ({here}).", {}, (),
                           here)


def _wish(body: object) -> str:
    """What a command asks for, in words."""
    assert isinstance(body, dict)
    whose = f"of {body['vault']}" if body.get("vault") else "of every vault"
    return {
        "release": f"to release latch {body.get('latch_id')}",
        "acknowledge": "nothing more: it answers for a switch that was loosened without a stated reason",
        "cancel": f"to cancel {body.get('order_id') or 'every working order'}",
        "flatten": f"to leave every position {whose} and let no entry through",
        "override": f"to have {body.get('limit')} of {body.get('vault')} at {figure(body.get('value'))} until "
                    f"{when(body.get('until'))}",
    }.get(str(body.get("kind")), f"for {body.get('kind') or 'something that its record does not name'}")


def _sentence(text: object) -> str:
    said = str(text)
    return said if said.endswith((".", "!", "?")) else f"{said}."
