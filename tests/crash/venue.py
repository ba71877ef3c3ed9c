"""A venue outside the system under test: a program of its own that remembers everything it was sent.

    python tests/crash/venue.py SOCKET LEDGER

It shares nothing with VANTA (this file imports the standard library only) and survives every crash of the executor.
One connection carries one request, a line of JSON; they are dealt with in the order in which they were made, so what a
killed process has sent is dealt with before anything that comes after its death. Every request is
appended to the ledger with the time of its receipt (CLOCK_MONOTONIC, nanoseconds) and with what the venue did about it.

Whether a second order under a known id is taken is a knob: with `deduplicates` off a double shows as a double.

    {"op": "submit", "id", "intent", "symbol", "side", "quantity"}   {"op": "lookup", "id"}   {"op": "cancel", "id"}
    {"op": "poll", "after": n}     {"op": "holdings"}     {"op": "witness", "seq", "hash"}, which it only writes down

Each poll executes the next share of `fills` for every working order. Knobs in `moods` are used up one a submit:

    well     answers                    silent   takes nothing, never answers
    lose     takes it, never answers    cut      takes it, half an answer
    late:N   takes it after N further requests, never answers
    busy     asks to wait               reject   refuses

The driver of the tests speaks to it too (`set`, `keep`, `restore`, `settle`, `halt`); that is not in the ledger. An
answer to `settle` means that whatever was sent before is in the ledger.
"""

import contextlib
import copy
import json
import os
import select
import socket
import sys
import time
from decimal import Decimal
from typing import Any

Json = dict[str, Any]


class Book:
    """What the venue knows: orders (a list, for ids may come twice), events, and requests that it is late with."""

    def __init__(self) -> None:
        self.knobs: Json = {"deduplicates": False, "fills": ["0.5", "0.5"], "moods": [], "price": "50000"}
        self.orders: list[Json] = []
        self.events: list[Json] = []
        self.late: list[tuple[int, Json]] = []
        self.ledger: list[Json] = []

    def known(self, order_id: str) -> Json | None:
        """The order of that id, the first if there are several."""
        return next((order for order in self.orders if order["id"] == order_id), None)

    def note(self, did: str, **more: Any) -> None:
        """One line of the ledger."""
        self.ledger.append({"t": time.clock_gettime_ns(time.CLOCK_MONOTONIC), "did": did, **more})

    def event(self, kind: str, order: Json, **more: Any) -> None:
        """Something that polls report from now on."""
        self.events.append({"kind": kind, "id": order["id"], **more})
        self.note(kind, id=order["id"], venue_id=order["venue_id"], intent=order["intent"], **more)

    def take(self, request: Json) -> Json:
        """Accept an order; again under the same id unless the venue de-duplicates."""
        known = self.known(request["id"])
        if known is not None and self.knobs["deduplicates"]:
            self.note("duplicate", id=request["id"])
            return known
        order = {**request, "venue_id": f"x{len(self.orders) + 1}", "filled": "0", "shares": 0, "state": "working"}
        self.orders.append(order)
        self.note("accepted", id=order["id"], venue_id=order["venue_id"], intent=order["intent"],
                  symbol=order["symbol"], side=order["side"], quantity=order["quantity"])
        return order

    def execute(self) -> None:
        """The next share of every working order."""
        for order in self.orders:
            shares = self.knobs["fills"]
            if order["state"] != "working" or order["shares"] >= len(shares):
                continue
            order["shares"] += 1
            whole, done = Decimal(order["quantity"]), Decimal(order["filled"])
            last = order["shares"] == len(shares) and sum(map(Decimal, shares)) == 1
            share = (whole * Decimal(shares[order["shares"] - 1])).quantize(Decimal("1e-8"))
            quantity = whole - done if last else share
            order["filled"] = str(done + quantity)
            order["state"] = "filled" if done + quantity == whole else "working"
            self.event("fill", order, fill=f"{order['venue_id']}-f{order['shares']}", quantity=str(quantity),
                       price=self.knobs["price"], fee="0.01", symbol=order["symbol"], side=order["side"])


class Venue:
    """Answers requests. `None` is no answer, bytes that do not end in a newline are half of one."""

    def __init__(self) -> None:
        self.book = Book()
        self.kept: dict[str, Book] = {}

    def client(self, raw: bytes) -> bytes | None:
        """One request of the executor."""
        book = self.book
        if not raw.endswith(b"\n"):
            book.note("torn request", bytes=len(raw))
            return None
        request = json.loads(raw)
        book.note("request", request=request)
        self._be_late()
        answer: Json | None = getattr(self, f"_{request['op']}")(request)
        if answer is None:
            return None
        line = json.dumps(answer).encode() + b"\n"
        return line[: len(line) // 2] if answer.get("cut") else line

    def driver(self, request: Json) -> Json:
        """One request of the tests."""
        if request["op"] == "set":
            self.book.knobs.update(request["knobs"])
        elif request["op"] == "keep":
            self.kept[request["name"]] = copy.deepcopy(self.book)
        elif request["op"] == "restore":
            self.book = copy.deepcopy(self.kept[request["name"]]) if request["name"] else Book()
        return {"ok": True}

    def _be_late(self) -> None:
        waiting, self.book.late = self.book.late, []
        for count, request in waiting:
            if count <= 1:
                self.book.take(request)
            else:
                self.book.late.append((count - 1, request))

    def _submit(self, request: Json) -> Json | None:
        moods = self.book.knobs["moods"]
        mood, _, number = (moods.pop(0) if moods else "well").partition(":")
        self.book.note("mood", mood=mood, id=request["id"])
        if mood == "late":
            self.book.late.append((int(number), request))
        if mood in ("silent", "late"):
            return None
        if mood == "reject":
            return {"rejected": "not today"}
        if mood == "busy":
            return {"busy": 2}
        order = self.book.take(request)
        return None if mood == "lose" else {"accepted": order["venue_id"], "cut": mood == "cut"}

    def _lookup(self, request: Json) -> Json:
        order = self.book.known(request["id"])
        if order is None:
            return {"unknown": True}
        return {"found": order["venue_id"], "events": [one for one in self.book.events if one["id"] == request["id"]]}

    def _cancel(self, request: Json) -> Json:
        for order in self.book.orders:
            if order["id"] == request["id"] and order["state"] == "working":
                order["state"] = "cancelled"
                self.book.event("ended", order, how="cancelled")
        return {"asked": True}

    def _poll(self, request: Json) -> Json:
        self.book.execute()
        return {"events": self.book.events[request["after"]:], "next": len(self.book.events)}

    def _witness(self, request: Json) -> Json:
        del request
        return {"seen": True}

    def _holdings(self, request: Json) -> Json:
        del request
        positions: dict[str, Decimal] = {}
        for one in self.book.events:
            if one["kind"] == "fill":
                signed = Decimal(one["quantity"]) * (1 if one["side"] == "buy" else -1)
                positions[one["symbol"]] = positions.get(one["symbol"], Decimal(0)) + signed
        working = [{**order, "leaves": str(Decimal(order["quantity"]) - Decimal(order["filled"]))}
                   for order in self.book.orders if order["state"] == "working"]
        return {"positions": {name: str(amount) for name, amount in positions.items()}, "orders": working}


class Ledger:
    """The file that the oracle reads: appended to before an answer leaves, written anew when the book is put back."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "w", encoding="utf-8")  # noqa: SIM115 - open as long as the venue runs
        self._lines: list[Json] = []

    def follow(self, lines: list[Json]) -> None:
        """Bring the file up to `lines`."""
        if lines[: len(self._lines)] != self._lines:
            self._file.seek(0)
            self._file.truncate()
            self._lines = []
        self._file.writelines(json.dumps(line) + "\n" for line in lines[len(self._lines):])
        self._file.flush()
        self._lines = list(lines)


class Door:
    """Accepts connections and hears them in the order in which they were made; a silent one keeps nobody waiting."""

    def __init__(self, address: str) -> None:
        self._parent = os.getppid()
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(f"{address}.new")
        self._server.listen(64)
        os.rename(f"{address}.new", address)  # whoever sees the name can connect
        self._server.setblocking(False)
        self._open: dict[socket.socket, bytes] = {}

    def next(self) -> list[tuple[socket.socket, bytes]]:
        """Wait, then return connections with their whole request, or with what was said before they hung up."""
        while not select.select([self._server, *self._open], [], [], 1.0)[0]:
            if os.getppid() != self._parent:  # whoever started us is gone without a word
                sys.exit(1)
        with contextlib.suppress(BlockingIOError):
            while True:
                connection, _ = self._server.accept()
                connection.setblocking(False)
                self._open[connection] = b""
        return [(one, self._open.pop(one)) for one in list(self._open) if self._heard(one)]

    def _heard(self, connection: socket.socket) -> bool:
        with contextlib.suppress(BlockingIOError):
            while not self._open[connection].endswith(b"\n"):
                part = connection.recv(65536)
                if not part:
                    return True
                self._open[connection] += part
            return True
        return False


def serve(address: str, ledger_path: str) -> None:
    """Answer until the driver says halt."""
    venue, ledger, door, going = Venue(), Ledger(ledger_path), Door(address), True
    while going:
        for connection, raw in door.next():
            op = json.loads(raw)["op"] if raw.endswith(b"\n") else ""
            if op in ("set", "keep", "restore", "settle", "halt"):
                answer: bytes | None = json.dumps(venue.driver(json.loads(raw))).encode() + b"\n"
            else:
                answer = venue.client(raw) if raw else None
            ledger.follow(venue.book.ledger)
            with connection, contextlib.suppress(OSError):  # whoever asked may be dead
                connection.setblocking(True)
                connection.sendall(answer or b"")
            going = going and op != "halt"


if __name__ == "__main__":
    serve(*sys.argv[1:])
