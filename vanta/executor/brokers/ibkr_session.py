"""The questions to TWS or IB Gateway about one account, each asked anew: an answer is whole or it is none.

Nothing is kept here. Everything runs in the loop of `ibkr_link`.
"""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from vanta.common.errors import OutsideError
from vanta.executor.brokers import ibkr_wire as wire
from vanta.executor.brokers import ibkr_words as words
from vanta.executor.brokers.ibkr_talk import NoSuchContract, Talk
from vanta.executor.brokers.ibkr_words import Execution, Row, State
from vanta.executor.brokers.port import Answer
from vanta.executor.core.approval import Approved
from vanta.executor.core.reconcile import named_by_a_home


class Session:
    """Questions raise `OutsideError` unless there is an answer."""

    def __init__(self, talk: Talk) -> None:
        self._talk, self._client, self._account = talk, talk.client, talk.account

    async def open_orders(self) -> list[Row]:
        """Every open order of the account, whoever sent it."""
        self._talk.states.clear()
        found = await self._talk.ask("open", lambda _: self._client.reqAllOpenOrders())
        return list({(order.permId, order.clientId, order.orderId): words.open_row(
            order, words.ours(contract, {}), self._state(order, state),
            self._talk.refusals.get(order.orderId) if order.clientId == self._talk.place.client_id else None)
            for contract, order, state in found if order.account in (self._account, "")}.values())

    async def completed(self) -> list[Row]:
        """Orders of the account that were over since the gateway's midnight."""
        found = await self._talk.ask("completed", lambda _: self._client.reqCompletedOrders(False))
        return [words.completed_row(order, words.ours(contract, {}), state)
                for contract, order, state in found if order.account in (self._account, "")]

    async def executions(self) -> list[Execution]:
        """Executions of the account since the gateway's midnight, corrections among them."""
        wanted = wire.executions_of(self._account)
        found = await self._talk.ask(None, lambda number: self._client.reqExecutions(number, wanted))
        return [words.execution(contract, row) for contract, row in found if row.acctNumber == self._account]

    async def fees(self, executions: Mapping[str, str], wait_s: float) -> dict[str, Decimal]:
        """Fees by execution, given its currency. They come by themselves, and may be late: waited for `wait_s`."""
        missing, end = set(executions), asyncio.get_running_loop().time() + wait_s
        while missing := missing - self._talk.fees.keys():
            self._talk.more_fees.clear()
            try:
                await asyncio.wait_for(self._talk.more_fees.wait(), end - asyncio.get_running_loop().time())
            except TimeoutError:
                break
        return {name: self._talk.fees[name][0] for name, currency in executions.items()
                if name in self._talk.fees and self._talk.fees[name][1] == currency}

    async def positions(self, currencies: Mapping[str, str]) -> dict[str, Decimal]:
        """What the account holds, signed. `currencies` of instruments by symbol."""
        rows = await self._talk.ask("positions", lambda _: self._client.reqPositions(),
                                    lambda _: self._client.cancelPositions())
        found: dict[str, Decimal] = {}
        for account, contract, quantity in rows:
            if account == self._account:
                name = words.ours(contract, currencies)
                found[name] = found.get(name, Decimal(0)) + words.number(quantity)
        return {name: quantity for name, quantity in found.items() if quantity}

    async def cash(self) -> dict[str, Decimal]:
        """Cash of the account by currency."""
        rows = await self._talk.ask(
            None, lambda number: self._client.reqAccountUpdatesMulti(number, self._account, "", True),
            self._client.cancelAccountUpdatesMulti)
        found = {tag: {currency: value for account, name, value, currency in rows
                       if account == self._account and name == tag and currency not in ("", "BASE")}
                 for tag in ("CashBalance", "TotalCashBalance")}
        return {currency: words.number(value)
                for currency, value in {**found["CashBalance"], **found["TotalCashBalance"]}.items()}

    async def contracts(self, symbol: str, currency: str) -> list[Any]:
        """The shares that a symbol and a currency name, one for each number that the venue has for them."""
        wanted = wire.share(symbol, currency)
        try:
            rows = await self._talk.ask(None, lambda number: self._client.reqContractDetails(number, wanted))
        except NoSuchContract:
            return []
        return list({row.contract.conId: row.contract for row in rows
                     if (row.contract.secType, row.contract.currency) == ("STK", currency)}.values())

    def ready(self) -> None:
        """Raises `OutsideError` unless the gateway could take an order now."""
        self._talk.ready()

    async def place(self, order: Approved, contract_id: int) -> Answer:
        """Send one order, once, and wait for what the gateway makes of it."""
        share = wire.share(order.symbol, order.currency, contract_id)
        sent = wire.order(order, self._account)
        return await self._talk.answer_to_order(lambda number: self._client.placeOrder(number, share, sent))

    async def cancel(self, number: int) -> None:
        """Cancel an order of this client, and wait until the gateway has understood. Being over is fine."""
        await self._talk.cancelled(number)

    def _state(self, order: Any, state: Any) -> State:
        """What the message beside an open order said. Without it nobody knows how much of the order still works."""
        told = self._talk.states.get(str(order.permId))
        if told is None and named_by_a_home(order.orderRef):
            raise OutsideError(f"ibkr: order {order.orderRef} was listed without its state", "It is asked again.")
        return told or State(str(state.status), Decimal(0), words.number(order.totalQuantity))
