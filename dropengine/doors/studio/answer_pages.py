"""What fans said of their orders, in the panel: a sheet an order for who packs, and an end to
changes."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from dropengine import refusals
from dropengine.asked import NOTE, ORDER, Asks
from dropengine.doors.access import ORDERS
from dropengine.doors.studio.changes import Changes
from dropengine.doors.studio.night_pages import words
from dropengine.doors.studio.order_files import missing_of
from dropengine.doors.studio.order_search import PAGE_MAX, Bought, every, some
from dropengine.doors.studio.panel_door import Panel, PanelCall
from dropengine.doors.studio.standing import standing
from dropengine.doors.studio.studio_answers import problem_of, refused
from dropengine.doors.studio.studio_messages import Gone
from dropengine.model import DropId
from dropengine.people import answers
from dropengine.people.answers import as_fields
from dropengine.people.receivers import Receiver
from dropengine.sql.database import Database
from dropengine.truth.store import Store

NO_SUCH_ORDER = "This order cannot be found any more."
CALLED = {
    "name": "name",
    "lines": "street",
    "postal": "postal code",
    "city": "town",
    "country": "country",
    "phone": "phone",
}


class UnitSheet(NamedTuple):
    """One unit: what its fan wants on it, and who receives it for him."""

    serial: int
    note: str
    link: Receiver | None


class Sheet(NamedTuple):
    """What a fan said of an order. `missing`: what must be said and is not, as makers call it."""

    said: dict[str, str]
    units: list[UnitSheet]
    missing: list[str]


class AnswerPages:
    """One method a page or form. origin: the address people type."""

    def __init__(self, store: Store, database: Database, changes: Changes, origin: str) -> None:
        self._store = store
        self._database = database
        self._changes = changes
        self._origin = origin

    def routes(self, panel: Panel) -> list[Route]:
        """Before one order: its address takes any name."""
        self._panel = panel
        return [
            panel.route("GET", f"{ORDERS}/packing", self.packing),
            panel.route("POST", f"{ORDERS}/lock", self.lock_all),
            panel.route("POST", f"{ORDERS}/{{order}}/lock", self.lock),
        ]

    async def packing(self, call: PanelCall) -> Response:
        """GET .../orders/packing: what goes to whom, a sheet an order, the oldest first."""
        s = await standing(self._store, DropId(call.named("drop")))
        if s is None:
            return self._panel.missing(call)
        drop = s.manifest.id
        bought = await self._database.read(lambda sql: every(sql, drop))
        waiting = [one for one in bought if one.kept and not one.care.handed_ms]
        said = call.request.query_params.get("after", "")
        after = int(said) if said.isdecimal() and len(said) < 8 else 0
        shown = waiting[after : after + PAGE_MAX]
        return self._panel.page(
            call,
            "studio-packing.html",
            **words(s, self._origin),
            orders=ORDERS.format(drop=drop),
            drop_asks=s.manifest.asks,
            sheets=[(one, sheet_of(one, s.manifest.asks)) for one in shown],
            total=len(waiting),
            first=after + 1,
            onward=after + PAGE_MAX if after + PAGE_MAX < len(waiting) else 0,
        )

    async def lock(self, call: PanelCall) -> Response:
        """POST .../orders/{order}/lock: its fan changes nothing any more, or after all does."""
        drop, hold = call.named("drop"), call.named("order")
        undo = call.fields.get("undo", "") == "yes"

        def work(sql: Connection) -> Response | Gone:
            if not some(sql, drop, [hold]):
                return refused(refusals.NotFound(), title=NO_SUCH_ORDER)
            if undo:
                answers.unlock(sql, drop, hold)
            else:
                answers.lock(sql, drop, hold, call.caller.by, call.now_ms)
            return Gone(hold)

        what = "unlock answers" if undo else "lock answers"
        said = "Its fan may change it again." if undo else "Closed: its fan changes it no more."
        asked = call.asking(undo=undo)
        answer = await self._changes.once(
            asked, what, work, of=f"{drop} {hold}", maker=call.maker.id
        )
        if (problem := problem_of(answer)) is not None:
            return self._panel.wrong(call, problem.title, answer.status_code)
        return self._panel.then(call, f"{ORDERS.format(drop=drop)}/{quote(hold)}", said)

    async def lock_all(self, call: PanelCall) -> Response:
        """POST .../orders/lock: the same of all that are complete; the others stay open."""
        s = await standing(self._store, DropId(call.named("drop")))
        if s is None:
            return self._panel.missing(call)
        drop, asks = s.manifest.id, s.manifest.asks

        def work(sql: Connection) -> Response | Gone:
            for one in every(sql, drop):
                if one.kept and not missing_of(one, asks):
                    answers.lock(sql, drop, one.hold, call.caller.by, call.now_ms)
            return Gone(drop)

        answer = await self._changes.once(
            call.asking(all=True), "lock all answers", work, of=drop, maker=call.maker.id
        )
        if (problem := problem_of(answer)) is not None:
            return self._panel.wrong(call, problem.title, answer.status_code)
        said = "Closed: the orders that are complete. What is missing can still be said."
        return self._panel.then(call, ORDERS.format(drop=drop), said)


def sheet_of(one: Bought, asks: Asks | None) -> Sheet:
    """What its page and its sheet say of it."""
    missing = missing_of(one, asks)
    said = as_fields(one.told.answers, ORDER)
    links = {link.unit: link for link in one.told.receivers if not link.revoked_ms}
    units = [
        UnitSheet(serial, one.told.answers.get((unit, NOTE), ""), links.get(unit))
        for unit, serial in enumerate(one.serials, 1)
    ]
    called = [CALLED[field] for unit, field in missing if unit == ORDER]
    called += [f"#{one.serials[unit - 1]}" for unit, _ in missing if 0 < unit <= len(one.serials)]
    return Sheet(said, units, called)
