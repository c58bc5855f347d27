"""The money of a drop, by provider, and the same as a journal for whoever keeps the books."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.responses import Response
from starlette.routing import Route

from dropengine.doors.access import MONEY
from dropengine.doors.http_answers import Written
from dropengine.doors.studio.night_pages import words
from dropengine.doors.studio.order_files import decimal
from dropengine.doors.studio.panel_door import Panel, PanelCall
from dropengine.doors.studio.standing import standing
from dropengine.jobs.ledger import money
from dropengine.model import DropId
from dropengine.sql.database import Database
from dropengine.truth import true_time
from dropengine.truth.store import Store


class MoneyPages:
    """A page and a file. origin: the address people type."""

    def __init__(self, store: Store, database: Database, origin: str) -> None:
        self._store = store
        self._database = database
        self._origin = origin

    def routes(self, panel: Panel) -> list[Route]:
        """Reading alone."""
        self._panel = panel
        return [
            panel.route("GET", MONEY, self.shown),
            panel.route("GET", f"{MONEY}.csv", self.file),
        ]

    async def shown(self, call: PanelCall) -> Response:
        """GET .../money: as the books know it, half a second behind at most."""
        drop = DropId(call.named("drop"))
        s = await standing(self._store, drop)
        if s is None:
            return self._panel.missing(call)
        found, fees = await self._read(drop)
        return self._panel.page(
            call,
            "studio-money.html",
            **words(s, self._origin),
            rows=money.sums(found, fees),
            file=f"{MONEY.format(drop=drop)}.csv",
        )

    async def file(self, call: PanelCall) -> Response:
        """GET .../money.csv: double entry, every document balanced."""
        drop = DropId(call.named("drop"))
        s = await standing(self._store, drop)
        if s is None:
            return self._panel.missing(call)
        currency, leads = s.manifest.currency, s.view.leads
        found, fees = await self._read(drop)
        rows = (
            (
                _at(true_time.happened(one.at_ms, leads)),
                f"{drop} {one.document}",
                one.account,
                decimal(one.debit, currency),
                decimal(one.credit, currency),
                currency,
                one.text,
            )
            for one in money.journal(found, fees)
            if one.debit or one.credit
        )
        name = f'attachment; filename="{drop}-money.csv"'.encode()
        body = money.sheet(rows).encode()
        return Written(body, 200, b"text/csv; charset=utf-8", (b"content-disposition", name))

    async def _read(self, drop: DropId) -> tuple[list[money.Paid], list[money.Fee]]:
        """In one state of the books."""
        return await self._database.read(lambda sql: (money.paid(sql, drop), money.fees(sql, drop)))


def _at(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
