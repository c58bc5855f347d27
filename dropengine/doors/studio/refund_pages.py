"""Orders given back: whole ones, units of one, an amount of one; and what came back in order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.routing import Route

from dropengine import plain_text
from dropengine.creator_commands import WHY_CHARS_MAX
from dropengine.doors.access import ORDERS
from dropengine.doors.studio.command_doors import CommandDoors
from dropengine.doors.studio.following import count
from dropengine.doors.studio.night_pages import words
from dropengine.doors.studio.order_search import PAGE_MAX, Bought, some
from dropengine.doors.studio.panel_door import Panel, PanelCall
from dropengine.doors.studio.refund_plan import BACKS, Plan, Wish, plan, usual
from dropengine.doors.studio.standing import Standing, standing
from dropengine.doors.studio.studio_answers import problem_of
from dropengine.manifest.amounts import minor
from dropengine.manifest.currencies import MINOR_DIGITS
from dropengine.model import GIVEN_BACK, DropId, OrderRecord, OrderState
from dropengine.order_number import number_of
from dropengine.people import order_notes
from dropengine.sql.database import Database
from dropengine.truth import record_pages
from dropengine.truth.record_pages import order_states
from dropengine.truth.store import Store

PARTS = ("serial", "back", "amount")
"""Fields that say what of one order goes back."""
LEFT_OUT = "Choose each of its units by its number."


class RefundPages:
    """One method a page. origin: the address people type."""

    def __init__(
        self, store: Store, database: Database, commands: CommandDoors, origin: str
    ) -> None:
        self._store = store
        self._database = database
        self._commands = commands
        self._origin = origin

    def routes(self, panel: Panel) -> list[Route]:
        """Before one order: its address takes any name."""
        self._panel = panel
        return [
            panel.route("GET", f"{ORDERS}/refund", self.asked),
            panel.route("POST", f"{ORDERS}/refund", self.refunded),
            panel.route("POST", f"{ORDERS}/{{order}}/came-back", self.came_back),
        ]

    async def asked(self, call: PanelCall) -> Response:
        """GET .../orders/refund?order=...: what goes back, and the reason its fans will read. Of
        one order, `serial`, `back` and `amount` say what of it."""
        query = call.request.query_params
        return await self._page(call, query.getlist("order"), _wish_of(query))

    async def refunded(self, call: PanelCall) -> Response:
        """POST .../orders/refund: one or several, each by itself."""
        holds, why = call.many.get("order", [])[:PAGE_MAX], call.fields.get("why", "").strip()
        wish = _wish_of(
            QueryParams([(name, one) for name in PARTS for one in call.many.get(name, [])])
        )
        if len(why) > WHY_CHARS_MAX or plain_text.unfit(why):
            rule = plain_text.unfit(why) or f"may have {WHY_CHARS_MAX} characters"
            return await self._page(call, holds, wish, f"The reason {rule}.")
        if wish is None:
            return await self._page(call, holds, wish)
        drop = DropId(call.named("drop"))
        s = await standing(self._store, drop)
        if s is None:
            return self._panel.missing(call)
        cares = await self._database.read(lambda sql: order_notes.of_orders(sql, drop, holds))
        part = wish if len(holds) == 1 else Wish()
        done, faults = 0, []
        for hold in holds:
            handed = hold in cares and cares[hold].handed_ms > 0
            try:
                body = _body_of(part, handed=handed, currency=s.manifest.currency)
            except ValueError:
                return await self._page(call, holds, wish)
            one = call.asking(order=hold, why=why, **body)
            one.key = f"{call.key}-{hold}"[:64]
            problem = problem_of(await self._commands.refund(one))
            if problem is None:
                done += 1
            else:
                faults.append(f"{number_of(hold)}: {problem.title} {problem.detail}".strip())
        if faults and part != Wish():
            return await self._page(call, holds, wish, faults[0], 409)
        if faults:
            said = f"{count(done, 'order')} refunded. " if done else ""
            return await self._page(call, holds, wish, said + " ".join(faults), 409)
        sentence = f"{count(done, 'order')} refunded: the money is on its way back."
        if part != Wish():
            states = await order_states(self._store, drop, holds)
            if all(_may_go_back(state) for state in states.values()):
                sentence = f"A part of order {number_of(holds[0])} is refunded."
        return self._panel.then(call, ORDERS.format(drop=drop), sentence)

    async def came_back(self, call: PanelCall) -> Response:
        """POST .../orders/{order}/came-back: units that were out are in order, and free."""
        hold = call.named("order")
        serials = _numbers(call.many.get("serial", []))
        if not serials:
            return self._panel.wrong(call, "Choose which of them came back.")
        problem = problem_of(
            await self._commands.came_back(call.asking(order=hold, serials=serials))
        )
        if problem is not None:
            told = f"{problem.title} {problem.detail}".strip()
            return self._panel.wrong(call, told, problem.status)
        here = f"{ORDERS.format(drop=call.named('drop'))}/{quote(hold)}"
        sentence = f"{count(len(serials), 'unit')} came back in order: others may have them now."
        return self._panel.then(call, here, sentence)

    async def _plan(self, s: Standing, hold: str, wish: Wish, *, handed: bool) -> Plan | str:
        drop = DropId(s.manifest.id)
        order = await record_pages.record(self._store, drop, OrderRecord, hold)
        if order is None or not _may_go_back(order.state):
            return "Choose an order that was not refunded yet."
        way = await self._way_left(drop, hold, order)
        currency = s.manifest.currency
        return plan(order, wish, handed=handed, way_left=way, currency=currency)

    async def _way_left(self, drop: DropId, hold: str, order: OrderRecord) -> int:
        """What goes back for the way with the last unit of this order."""
        payment = await self._store.payment(drop, order.payment) if order.payment else None
        if payment is None:
            return 0
        others = [one for one in payment.holds if one != hold]
        records = await asyncio.gather(
            *(record_pages.record(self._store, drop, OrderRecord, one) for one in others)
        )
        if any(
            one is not None and one.payment == order.payment and one.state not in GIVEN_BACK
            for one in records
        ):
            return 0
        return payment.way_kept

    async def _page(
        self,
        call: PanelCall,
        holds: Sequence[str],
        wish: Wish | None,
        wrong: str = "",
        status: int = 400,
    ) -> Response:
        drop = DropId(call.named("drop"))
        s = await standing(self._store, drop)
        if s is None:
            return self._panel.missing(call)
        chosen = await self._database.read(lambda sql: some(sql, drop, [*holds][:PAGE_MAX]))
        states = await order_states(self._store, drop, [one.hold for one in chosen])
        fit = [one for one in chosen if _may_go_back(states.get(one.hold, one.state))]
        found: Plan | None = None
        order: OrderRecord | None = None
        if len(fit) == 1 and len(chosen) == 1:
            order = await record_pages.record(self._store, drop, OrderRecord, fit[0].hold)
            found, fault = await self._planned(s, fit[0], wish)
            wrong = fault or wrong
        return self._panel.page(
            call,
            "studio-refund.html",
            status if wrong else 200,
            **words(s, self._origin),
            orders=ORDERS.format(drop=drop),
            chosen=fit,
            gone=[one for one in chosen if one not in fit],
            total=sum(one.amount for one in fit),
            plan=found,
            order=order,
            wish=wish or Wish(),
            why=call.fields.get("why", call.request.query_params.get("why", "")),
            wrong=wrong,
            most=WHY_CHARS_MAX,
        )

    async def _planned(
        self, s: Standing, one: Bought, wish: Wish | None
    ) -> tuple[Plan | None, str]:
        """What goes back of it, and why not what was asked for."""
        handed = one.care.handed_ms > 0
        fault = LEFT_OUT
        if wish is not None:
            found = await self._plan(s, one.hold, wish, handed=handed)
            if isinstance(found, Plan):
                return found, ""
            fault = found
        usual_one = await self._plan(s, one.hold, Wish(), handed=handed)
        return (usual_one if isinstance(usual_one, Plan) else None), fault


def _wish_of(said: QueryParams) -> Wish | None:
    """None: the numbers are none."""
    typed = [one for one in said.getlist("serial") if one]
    serials = tuple(_numbers(typed))
    if len(serials) != len(typed):
        return None
    back = said.get("back")
    if back == "stay":
        back = ""
    return Wish(serials, back, said.get("amount", "").strip())


def _numbers(typed: Sequence[str]) -> list[int]:
    return [int(one) for one in typed if one.isdecimal() and len(one) < 10]


def _body_of(wish: Wish, *, handed: bool, currency: str) -> dict[str, Any]:
    """As the door reads it. Raises ValueError."""
    body: dict[str, Any] = {"back": usual(handed) if wish.back is None else wish.back}
    if body["back"] not in BACKS:
        raise ValueError
    if wish.serials:
        body["serials"] = wish.serials
    if wish.amount:
        body["amount"] = minor(wish.amount, MINOR_DIGITS.get(currency, 2))
    return body


def _may_go_back(state: str) -> bool:
    return state in (OrderState.DONE, OrderState.CAPTURE_PENDING, OrderState.CAPTURE_FAILED)
