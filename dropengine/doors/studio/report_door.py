"""The door at which creators read how a sale went, as JSON or for a spreadsheet."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from dropengine import refusals
from dropengine.doors.http_answers import Written
from dropengine.doors.studio.studio_answers import refused, told
from dropengine.doors.studio.studio_door import Call, Doors, Unfit
from dropengine.jobs.ledger.report import report
from dropengine.jobs.ledger.spreadsheet import spreadsheet
from dropengine.sql.database import Database

NOT_YET = "The books know nothing of this drop yet. Ask again in a moment."
CSV = "text/csv"


class ReportDoor:
    """The same answer as `dropengine report`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def routes(self, doors: Doors) -> list[Route]:
        """One."""
        return [doors.route("GET", "/drops/{drop}/report", self.report)]

    async def report(self, call: Call) -> Response:
        """Its figures, each with its definition and what it stands on."""
        drop, form = call.named("drop"), _form(call)
        found = await self._database.read(lambda sql: report(sql, drop))
        if found is None:
            return refused(refusals.NotFound(), title=NOT_YET)
        if form == "json":
            return told(found)
        name = f'attachment; filename="{drop}.csv"'.encode()
        kind = f"{CSV}; charset=utf-8".encode()
        return Written(spreadsheet(found).encode(), 200, kind, (b"content-disposition", name))


def _form(call: Call) -> str:
    """json or csv: as the address says it, else as the client likes it. Raises Unfit."""
    liked = "csv" if CSV in call.request.headers.get("accept", "") else "json"
    asked = call.request.query_params.get("format", liked)
    if asked not in ("json", "csv"):
        raise Unfit("format is json or csv")
    return asked
