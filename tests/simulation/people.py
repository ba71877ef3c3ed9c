"""Everybody who writes files beside the executor: the operator, the promoter and the prices collector.

They edit as people and programs do: properly, half, twice, too late, or not at all. What a version of vault.json
allows is kept by hash, so that the judge knows it without reading what the executor read.
"""

import hashlib
from base64 import b32encode
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from random import Random
from typing import Any

import orjson

from tests.simulation.clock import SimClock
from tests.simulation.disk import Disk
from tests.simulation.judge import Limits
from vanta.common.canonical import document
from vanta.common.paths import MARKET_QUOTES, OPERATOR_COMMANDS, QUEUE, VAULTS
from vanta.common.times import iso

CLEAR: Mapping[str, Any] = {"maintenance": False, "orders_disabled": False, "external_calls_disabled": False,
                            "full_halt": False, "reduce_only": False}
SWITCHES = tuple(CLEAR)
NO_PERMISSION: tuple[bytes | None, ...] = (
    None, b"", b"{", b'{"maintenance": false}', b"\x00" * 64, orjson.dumps({**CLEAR, "full_halt": "false"}),
    orjson.dumps({**CLEAR, "full_hold": False}), orjson.dumps(CLEAR)[:-1] + b',"full_halt":false}',
    orjson.dumps(CLEAR)[:40], orjson.dumps({**CLEAR, "scopes": {"vault": {"V_NOBODY": {"full_halt": True}}}}))
TTL = timedelta(minutes=15)
PLANS: tuple[dict[str, Any], ...] = (
    {}, {}, {}, {"stop_pct": "0.01"}, {"stop_pct": "0.02", "take_profit_pct": "0.01"}, {"trail_pct": "0.005"},
    {"max_holding_s": 30})
RESTS_S = 30
TERMS: tuple[dict[str, Any], ...] = (
    {}, {}, {}, {}, {"replace_after_s": RESTS_S}, {"type": "limit", "limit_offset_pct": "0.002"},
    {"type": "limit", "limit_offset_pct": "-0.004"},
    {"type": "limit", "limit_offset_pct": "-0.004", "replace_after_s": RESTS_S},
    {"type": "limit", "limit_offset_pct": "-0.004", "time_in_force": "gtc"},
    {"type": "limit", "limit_offset_pct": "-0.002", "time_in_force": "gtc", "replace_after_s": RESTS_S})
PLAIN = {"allow_short": False, "risk": {"max_single_pos_pct": "0.20", "max_asset_class_pct": {
    "equity": "1.0", "crypto": "0.6"}}}


class People:
    """See the module's contract."""

    def __init__(self, chance: Random, clock: SimClock, disk: Disk, vaults: Mapping[str, str]) -> None:
        self.chance = chance
        self.clock = clock
        self.disk = disk
        self.vaults = dict(vaults)
        self.terms = {name: chance.choice(TERMS) for name in vaults}
        self.rest_stops(())
        self.limits: dict[str, Limits] = {}
        self.overlay: bytes | None = orjson.dumps(CLEAR)
        self.permit = True
        self.intents: list[dict[str, Any]] = []
        self.withdrawals: list[dict[str, Any]] = []
        self.extra: list[dict[str, Any]] = []
        self.prices: dict[str, int] = {"equity:AAPL": 20_000, "crypto:BTC-USD": 5_000_000}
        self.thin = True
        self._commands: list[bytes] = []
        self._drawn = 0
        self._staged = (-1, -1, -1)
        self._quotes: dict[str, Any] = {}
        self.did: Callable[[str], None] = lambda _: None
        self.armed: Callable[[], None] = lambda: None

    def rest_stops(self, vaults: Collection[str]) -> None:
        """These vaults ask for stops at the venue."""
        self.terms = {name: {**wanted, "stops": "venue" if name in vaults else "executor"}
                      for name, wanted in self.terms.items()}

    def header(self) -> dict[str, Any]:
        """What stands at the top of a program's document."""
        return {"schema_version": 1, "revision": 1, "written_at": iso(self.clock.now()), "written_by": "simulation",
                "now": iso(self.clock.now())}

    # ---- the operator ----

    def save(self, raw: bytes | None) -> None:
        """The overlay is saved (`None`: removed)."""
        self.did(f"operator saves overlay {raw!r}")
        self.overlay = raw

    def any_overlay(self) -> bytes | None:
        """Some overlay: clear, switched, scoped, or no permission at all."""
        chance, kind = self.chance, self.chance.randrange(10)
        if kind < 4:
            return orjson.dumps(CLEAR)
        if kind < 6:
            return self.chance.choice(NO_PERMISSION)
        name = chance.choice(SWITCHES)
        until = iso(self.clock.now() + timedelta(seconds=chance.choice((-60, 5, 600))))
        value: Any = chance.choice((True, {"enabled": True, "reason": "test", "by": "ann", "until": until}))
        if kind < 9:
            return orjson.dumps({**CLEAR, name: value})
        where, names = chance.choice((("vault", [*self.vaults, "V_ELSE"]), ("broker", [*self.vaults.values()]),
                                      ("instrument", [*self.prices]), ("asset_class", ["equity", "crypto"])))
        return orjson.dumps({**CLEAR, "scopes": {where: {chance.choice(names): {name: value}}}})

    def arm(self, *, permit: bool) -> None:
        """The permit is made or removed."""
        self.did(f"operator {'arms' if permit else 'removes the permit'}")
        self.permit = permit
        if permit:
            self.armed()

    def command(self, kind: str, valid_s: int = 3600, /, **names: str) -> None:
        """A command is appended to the operator's log."""
        self.did(f"operator commands {kind} {names}")
        self._drawn += 1
        now = self.clock.now()
        line = {"seq": len(self._commands) + 1, "at": iso(now), "kind": "command.given", "dag_id": None, "ids": {},
                "payload": {"command_id": f"cmd_{self._drawn:016x}", "kind": kind, **names, "by": "ann",
                            "reason": "looked at it", "at": iso(now),
                            "expires_at": iso(now + timedelta(seconds=valid_s))},
                "prev": hashlib.sha256(self._commands[-1]).hexdigest() if self._commands else "0" * 64}
        self._commands.append(orjson.dumps(line))
        self.disk.files[OPERATOR_COMMANDS] = b"".join(raw + b"\n" for raw in self._commands)

    def any_command(self, latches: list[str], orders: list[str]) -> None:
        """Some command: a release of what is set or is not, too late, a cancel, a flattening, another limit."""
        chance, vault = self.chance, self.chance.choice([*self.vaults, "V_NOBODY"])
        kind = chance.randrange(10)
        if kind == 0:
            self.command("release", latch_id="latch_00000000")
        elif kind == 1:
            self.spoil_commands()
        elif kind == 2:
            self.command("cancel", **({"order_id": chance.choice(orders)} if orders and chance.random() < 0.7 else {}))
        elif kind == 3:
            self.command("flatten", **({"vault": vault} if chance.random() < 0.7 else {}))
        elif kind == 4:
            until = iso(self.clock.now() + timedelta(seconds=chance.choice((-5, 60, 7200))))
            limit, value = chance.choice((("max_single_pos_pct", "0.40"), ("max_single_pos_pct", "0.02"),
                                          ("max_gross_pct", "0.10"), ("max_open_orders", "1")))
            self.command("override", vault=vault, limit=limit, value=value, until=until)
        elif latches:
            self.command("release", chance.choice((3600, 3600, -5)), latch_id=chance.choice(latches))

    def spoil_commands(self) -> None:
        """The commands' file is torn or broken for a while."""
        whole = self.disk.files.get(OPERATOR_COMMANDS, b"")
        self.disk.files[OPERATOR_COMMANDS] = self.chance.choice((whole + b'{"seq":', b"nonsense\n", whole[:-3]))

    def edit_vaults(self, **changes: Any) -> None:
        """vault.json is saved with some limits changed in every vault."""
        capital = changes.pop("capital", "100000")
        body: dict[str, Any] = {**PLAIN, **changes}
        risk = {**PLAIN["risk"], **body["risk"]}  # type: ignore[dict-item]
        rows = [{"vault_id": name, "label": name, "account": account, "capital": capital,
                 "crypto_enabled": True, "personas": ["Athena", "Apollo"], "risk": risk,
                 "allocation": {"allow_short": body["allow_short"]}, "orders": self.terms.get(name, {})}
                for name, account in self.vaults.items()]
        raw = orjson.dumps({"vaults": rows})
        self.limits[hashlib.sha256(raw).hexdigest()] = {
            name: {"risk": risk, "allow_short": body["allow_short"], "orders": self.terms.get(name, {})}
            for name in self.vaults}
        self.did(f"operator edits vault.json {changes}")
        self.disk.files[VAULTS] = raw

    def any_vaults(self) -> None:
        """Some edit of vault.json."""
        kind = self.chance.randrange(8)
        if kind == 0:
            self.disk.files.pop(VAULTS, None)
            self.did("operator removes vault.json")
        elif kind == 1:
            self.disk.files[VAULTS] = self.chance.choice((b"", b'{"vaults": [', b'{"vaults": [{"label": "no name"}]}'))
            self.did("operator breaks vault.json")
        elif kind == 2:
            self.edit_vaults(risk={"max_single_pos_pct": "0.03"})
        elif kind == 3:
            self.edit_vaults(risk={"max_orders_per_minute": 1})
        elif kind == 4:
            self.edit_vaults(capital="250000")
        elif kind == 5:
            self.edit_vaults(risk={"max_gross_pct": "0.25"}, allow_short=True)
        else:
            self.edit_vaults(allow_short=self.chance.random() < 0.7)

    # ---- the prices collector ----

    def fall(self) -> None:
        """One price falls by a fifth."""
        name = self.chance.choice(list(self.prices))
        self.did(f"{name} falls")
        self.prices[name] = self.prices[name] * 8 // 10

    def quote(self) -> None:
        """Prices move a little and are published, sometimes oddly."""
        chance, now = self.chance, self.clock.now()
        for name, price in self.prices.items():
            self.prices[name] = max(100, price + price * chance.choice((-3, -1, 0, 0, 1, 2)) // 200)
            last = self.prices[name]
            odd = chance.random()
            spread = last // 1000 if odd > 0.05 else -last // 100
            thin = self.thin and chance.random() < 0.1
            at = now - timedelta(seconds=2000 if odd > 0.97 else 0)
            self._quotes[name] = {
                "bid": _money(last - spread), "ask": _money(last + spread), "last": _money(last), "at": iso(at),
                "size": chance.choice(("1", "0.01")) if thin else None, "source": "sim", "average_daily_volume": None}
        self.disk.files[MARKET_QUOTES] = orjson.dumps({**self.header(), "quotes": self._quotes})

    # ---- the promoter ----

    def want(self, basis: Mapping[str, int], **more: Any) -> str:
        """Stage an intent on a basis and return its id."""
        chance, now = self.chance, self.clock.now()
        vault, instrument = chance.choice(list(self.vaults)), chance.choice(list(self.prices))
        vault, instrument = more.pop("vault", vault), more.pop("instrument", instrument)
        side = more.pop("side", chance.choice(("buy", "buy", "buy", "sell", "sell")))
        known = basis.get(f"{vault}|{instrument}", 0)
        self._drawn += 1
        name = "in1_" + b32encode(hashlib.sha256(f"{self._drawn}".encode()).digest()).decode().lower()[:26]
        body = {
            "intent_id": name, "account": self.vaults[vault], "vault": vault, "instrument_id": instrument,
            "side": side, "notional": chance.choice(("500", "2000", "9000", "18000", "40000")),
            "target_notional": "0", "close": side == "sell" and chance.random() < 0.5, "basis_seq": known,
            "created_at": iso(now), "expires_at": iso(now + TTL), "flip_id": None,
            "exit_plan": {"stop_pct": None, "trail_pct": None, "take_profit_pct": None, "max_holding_s": None,
                          **chance.choice(PLANS)},
            "provenance": {"signal_id": "cv1_" + "a" * 26, "dag_id": "dag1_simulated", "entity": "equity:AAPL",
                           "conviction_bp": 4000, "band": chance.choice(("low", "high")), "personas": {"Athena": 300,
                           "Apollo": 100}, "sources": {"sec.form4": 3000, "news.rss": 1000}, "reasons": [],
                           "inputs": {}}}
        if self.terms.get(vault, {}).get("stops") == "venue":
            body["exit_plan"]["stop_pct"] = body["exit_plan"]["stop_pct"] or "0.01"
        self.intents.append({**body, **more})
        self.did(f"promoter wants {name[-6:]} {side} {body['notional']} {instrument} for {vault} on {known}")
        return name

    def withdraw(self, intent_id: str) -> None:
        """The promoter no longer wants something."""
        self.did(f"promoter withdraws {intent_id[-6:]}")
        self.withdrawals.append({"intent_id": intent_id, "at": iso(self.clock.now()), "reason": "changed its mind"})

    def disturb_queue(self) -> None:
        """An entry twice, an entry with other content under a known id, or one of no known shape."""
        if not self.intents:
            return
        entry = self.chance.choice(self.intents)
        kind = self.chance.randrange(3)
        self.did(f"promoter repeats {entry['intent_id'][-6:]} in way {kind}")
        if kind == 0:
            self.extra.append(entry)
        elif kind == 1:
            self.extra.append({**entry, "notional": "77777"})
        else:
            self.extra.append({**entry, "intent_id": "in1_" + "b" * 26, "surprise": 1})

    def mend_queue(self) -> None:
        """Entries of no known shape are taken out."""
        self.extra = [entry for entry in self.extra if "surprise" not in entry]

    def stage(self) -> None:
        """The queue file is written, if there is news."""
        content = (len(self.intents), len(self.withdrawals), len(self.extra))
        if content == self._staged:
            return
        self._staged = content
        body = {**self.header(), "intents": self.intents + self.extra, "withdrawals": self.withdrawals}
        self.disk.files[QUEUE] = document(body) if self.chance.random() < 0.8 else orjson.dumps(body)

    def spoil_queue(self) -> None:
        """The queue cannot be read for a while."""
        self.did("promoter spoils the queue")
        self._staged = (-1, -1, -1)
        if self.chance.random() < 0.5:
            self.disk.files.pop(QUEUE, None)
        else:
            self.disk.files[QUEUE] = self.chance.choice((b"", b'{"intents": [', b"[]"))


def _money(units: int) -> str:
    text = f"{units // 100}.{units % 100:02d}"
    return text.rstrip("0").rstrip(".")
