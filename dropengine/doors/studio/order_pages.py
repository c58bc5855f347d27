"""Orders of a drop: found, read, handed over, noted; and all of them as a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from dropengine import plain_text, refusals
from dropengine.doors.access import ORDERS
from dropengine.doors.http_answers import Written
from dropengine.doors.studio import order_files
from dropengine.doors.studio.answer_pages import sheet_of
from dropengine.doors.studio.changes import Changes
from dropengine.doors.studio.command_forms import moment_in
from dropengine.doors.studio.night_pages import words
from dropengine.doors.studio.order_files import AddressedLine, OrderLine, missing_of
from dropengine.doors.studio.order_search import (
    ASKED_CHARS_MAX,
    PAGE_MAX,
    SHOWN,
    Bought,
    Wanted,
    every,
    history,
    search,
    some,
)
from dropengine.doors.studio.panel_door import Panel, PanelCall
from dropengine.doors.studio.standing import Standing, standing
from dropengine.doors.studio.studio_answers import problem_of, refused
from dropengine.doors.studio.studio_messages import Gone
from dropengine.log.in_words import MONEY_OF, told
from dropengine.model import DropId, OrderRecord
from dropengine.people import order_notes
from dropengine.people.order_notes import NOTE_CHARS_MAX
from dropengine.people.roles import READS_ADDRESSES, May
from dropengine.sql.database import Database
from dropengine.truth import record_pages, true_time
from dropengine.truth.record_pages import order_states
from dropengine.truth.store import Store

NOT_NOW = "This order cannot be found any more."


class OrderPages:
    """One method a page. origin: the address people type."""

    def __init__(
        self,
        store: Store,
        database: Database,
        changes: Changes,
        origin: str,
    ) -> None:
        self._store = store
        self._database = database
        self._changes = changes
        self._origin = origin

    def routes(self, panel: Panel) -> list[Route]:
        """The files before one order: its address takes any name."""
        self._panel = panel
        one = f"{ORDERS}/{{order}}"
        return [
            panel.route("GET", ORDERS, self.found),
            panel.route("GET", f"{ORDERS}.csv", partial(self.file, "csv")),
            panel.route("GET", f"{ORDERS}.ndjson", partial(self.file, "ndjson")),
            panel.route("GET", one, self.order),
            panel.route("POST", f"{one}/handed-over", self.handed_over),
            panel.route("POST", f"{one}/note", self.noted),
        ]

    async def found(self, call: PanelCall) -> Response:
        """GET .../orders: the newest first, by what was asked for."""
        s = await self._standing(call)
        if s is None:
            return self._panel.missing(call)
        query = call.request.query_params
        wanted = _wanted(query.get, s)
        got = await self._database.read(lambda sql: search(sql, s.manifest.id, wanted))
        states = await self._states(s, got.rows)
        kept = {name: query[name] for name in ("asked", "since", "until", "shown") if name in query}
        return self._page(
            call,
            "studio-orders.html",
            s,
            got=got,
            states=states,
            missing={row.hold: len(missing_of(row, s.manifest.asks)) for row in got.rows},
            typed=kept,
            shown=SHOWN,
            first=wanted.after + 1,
            onward=urlencode({**kept, "after": got.after}),
            back=urlencode({**kept, "after": max(0, wanted.after - PAGE_MAX)})
            if wanted.after
            else "",
        )

    async def order(self, call: PanelCall) -> Response:
        """GET .../orders/{order}: one order, its history in words, and what may be done with it."""
        s = await self._standing(call)
        if s is None:
            return self._panel.missing(call)
        drop, hold = s.manifest.id, call.named("order")

        def asked(sql: Connection) -> tuple[list[Bought], list[Any]]:
            one = some(sql, drop, [hold])
            return one, history(sql, drop, hold) if one else []

        one, log = await self._database.read(asked)
        if not one:
            return self._panel.missing(call)
        states = await self._states(s, one)
        now = await record_pages.record(self._store, DropId(drop), OrderRecord, hold)
        await self._store.operators.learn(getattr(event, "by", "") for event in log)
        return self._page(
            call,
            "studio-order.html",
            s,
            one=one[0],
            state=states[hold],
            away=[] if now is None else sorted(now.away),
            sheet=sheet_of(one[0], s.manifest.asks) if call.may >= READS_ADDRESSES else None,
            missing=len(missing_of(one[0], s.manifest.asks)),
            lines=[
                (true_time.happened(event.at, s.view.leads), told(event, s.terms)) for event in log
            ],
            note_most=NOTE_CHARS_MAX,
        )

    async def handed_over(self, call: PanelCall) -> Response:
        """POST .../orders/{order}/handed-over: its fan has it, or after all not."""
        drop, hold = call.named("drop"), call.named("order")
        undo = call.fields.get("undo", "") == "yes"

        def work(sql: Connection) -> Response | Gone:
            if not some(sql, drop, [hold]):
                return refused(refusals.NotFound(), title=NOT_NOW)
            if undo:
                order_notes.take_back(sql, drop, hold)
            else:
                order_notes.hand_over(sql, drop, hold, call.caller.by, call.now_ms)
            return Gone(hold)

        what = "take back" if undo else "hand over"
        said = "Not handed over any more." if undo else "Handed over."
        return await self._changed(call, what, work, said, undo=undo)

    async def noted(self, call: PanelCall) -> Response:
        """POST .../orders/{order}/note: what those who run the drop should know of it."""
        drop, hold = call.named("drop"), call.named("order")
        text = call.fields.get("note", "").strip()
        if len(text) > NOTE_CHARS_MAX:
            return self._panel.wrong(call, f"A note may have {NOTE_CHARS_MAX} characters.")
        for line in text.splitlines():
            if why := plain_text.unfit(line):
                return self._panel.wrong(call, f"The note {why}.")

        def work(sql: Connection) -> Response | Gone:
            if not some(sql, drop, [hold]):
                return refused(refusals.NotFound(), title=NOT_NOW)
            order_notes.note(sql, drop, hold, text, call.caller.by, call.now_ms)
            return Gone(hold)

        return await self._changed(call, "note", work, "The note is kept.", note=text)

    async def _changed(
        self,
        call: PanelCall,
        what: str,
        work: Callable[[Connection], Response | Gone],
        said: str,
        **body: Any,
    ) -> Response:
        drop, hold = call.named("drop"), call.named("order")
        asked = call.asking(**body)
        answer = await self._changes.once(
            asked, what, work, of=f"{drop} {hold}", maker=call.maker.id
        )
        if (problem := problem_of(answer)) is not None:
            return self._panel.wrong(call, problem.title, answer.status_code)
        to = call.fields.get("to", "")
        here = ORDERS.format(drop=drop)
        return self._panel.then(call, here if to == "list" else f"{here}/{quote(hold)}", said)

    async def file(self, form: str, call: PanelCall) -> Response:
        """GET .../orders.csv, .ndjson: all of them, the oldest first."""
        s = await self._standing(call)
        if s is None:
            return self._panel.missing(call)
        drop = s.manifest.id

        def made(sql: Connection) -> bytes:
            found = every(sql, drop)
            if call.may >= READS_ADDRESSES:
                asks = s.manifest.asks
                told = order_files.addressed(found, s.terms, s.view.leads, asks)
                kind: type[OrderLine] = AddressedLine
                rows: Iterator[OrderLine] = told
            else:
                kind, rows = OrderLine, order_files.lines(found, s.terms, s.view.leads)
            if form == "csv":
                return order_files.spreadsheet(rows, kind).encode()
            return order_files.ndjson(rows)

        body = await self._database.read(made)
        kind = b"text/csv; charset=utf-8" if form == "csv" else b"application/x-ndjson"
        name = f'attachment; filename="{drop}-orders.{form}"'.encode()
        return Written(body, 200, kind, (b"content-disposition", name))

    async def _standing(self, call: PanelCall) -> Standing | None:
        return await standing(self._store, DropId(call.named("drop")))

    async def _states(self, s: Standing, rows: Sequence[Bought]) -> dict[str, str]:
        """Order -> its state now: the books may be half a second behind."""
        holds = [one.hold for one in rows]
        found = await order_states(self._store, DropId(s.manifest.id), holds)
        return {one.hold: found.get(one.hold, one.state) for one in rows}

    def _page(
        self, call: PanelCall, template: str, s: Standing, *, status: int = 200, **more: Any
    ) -> Response:
        return self._panel.page(
            call,
            template,
            status,
            **words(s, self._origin),
            orders=ORDERS.format(drop=s.manifest.id),
            money_of=MONEY_OF,
            may_run=call.may >= May.RUN,
            may_read=call.may >= READS_ADDRESSES,
            asks=s.manifest.asks,
            really=lambda ms: true_time.happened(ms, s.view.leads),
            **more,
        )


def _wanted(said: Callable[[str, str], str], s: Standing) -> Wanted:
    """What was asked for; what cannot be read is not asked for."""
    zone = s.manifest.zone
    shown, after = said("shown", ""), said("after", "")
    return Wanted(
        asked=said("asked", "")[:ASKED_CHARS_MAX],
        since_ms=moment_in(said("since", ""), zone) or 0,
        until_ms=moment_in(said("until", ""), zone) or 0,
        shown=shown if shown in SHOWN else "all",
        after=int(after) if after.isdecimal() and len(after) < 8 else 0,
    )
