"""A rehearsal of a drop: asked for here, watched while it goes on, read afterwards.

Nothing of it runs in a web process: this writes down what is wanted, and reads how far it is.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from dropengine.doors.access import NIGHT, REHEARSAL
from dropengine.doors.http_answers import Written
from dropengine.doors.rehearsal_page import rehearsal_page
from dropengine.doors.studio.changes import audit_row
from dropengine.doors.studio.panel_door import Panel, PanelCall
from dropengine.model import DropId
from dropengine.people import audit_trail, rehearsals
from dropengine.people.one_after_another import change
from dropengine.people.rehearsals import Answer, Rehearsal
from dropengine.people.roles import May
from dropengine.rehearsal_report import (
    FANS,
    FANS_MAX,
    FANS_MIN,
    MINUTES,
    MINUTES_MAX,
    MINUTES_MIN,
    SHAPES,
    Asked,
    Progress,
)
from dropengine.sql.database import Database
from dropengine.truth.as_it_is import Selling, selling
from dropengine.truth.replies import Shown
from dropengine.truth.store import Store

SHAPES_IN_WORDS: Final = {
    "burst": "All at the opening",
    "build": "One after another",
    "wave": "In two waves",
    "storm": "All at once, and everybody loses the connection",
}
STAGES: Final = {
    "": "It is about to begin",
    "shop": "A shop of its own is opened",
    "coming": "Fans come to the page",
    "sale": "The sale",
    "closing": "The end of the sale",
    "judging": "The log is judged",
    "presses": "How many presses a second",
    "watchers": "How many people watching",
}
UNREADABLE: Final = (
    f"Say how many fans, {FANS_MIN} to {FANS_MAX:,}, and how many minutes, "
    f"{MINUTES_MIN} to {MINUTES_MAX}."
)
ONE_GOES_ON: Final = "One rehearsal goes on already on this machine; two would measure each other."
NOBODY: Final = "Nothing goes on that could be stopped."
SELLS: Final = (
    "A drop of this machine sells now, or opens soon. A rehearsal beside it slows it down: wait, "
    "or say below that you want it all the same."
)


class Now(msgspec.Struct, frozen=True):
    """What the page asks for once a second. goes_on: false, and the page has something new."""

    goes_on: bool
    stage: str
    progress: Progress | None


class RehearsalPages:
    """One method a page."""

    def __init__(self, store: Store, database: Database) -> None:
        self._store = store
        self._database = database

    def routes(self, panel: Panel) -> list[Route]:
        """The page, its two forms, how far it is, and each report as files."""
        self._panel = panel
        one = f"{REHEARSAL}/{{rehearsal}}"
        return [
            panel.route("GET", REHEARSAL, self.page),
            panel.route("POST", REHEARSAL, self.asked),
            panel.route("POST", f"{REHEARSAL}/stop", self.stopped),
            panel.route("GET", f"{REHEARSAL}/now", self.now),
            panel.route("GET", f"{one}.html", self.html),
            panel.route("GET", f"{one}.json", self.json),
        ]

    async def page(self, call: PanelCall) -> Response:
        """GET .../rehearsal: what goes on, what came of the last, and a form for the next."""
        return await self._page(call)

    async def asked(self, call: PanelCall) -> Response:
        """POST .../rehearsal: one is wanted."""
        drop, asked = call.named("drop"), _asked(call)
        if asked is None:
            return await self._page(call, UNREADABLE, 400)
        if not asked.beside_live and await self._selling(call, asked.minutes):
            return await self._page(call, SELLS, 409, asked)

        def work(sql: Connection) -> Answer:
            key = f"{call.caller.id} {call.key}"
            answer = rehearsals.ask(
                sql, drop, asked, by=call.caller.by, key=key, now_ms=call.now_ms
            )
            if answer is Answer.BEGINS:
                self._note(sql, call, "rehearse")
            return answer

        if await change(self._database, work) is Answer.ANOTHER:
            return await self._page(call, ONE_GOES_ON, 409, asked)
        return self._panel.then(call, REHEARSAL.format(drop=drop), "The rehearsal begins.")

    async def stopped(self, call: PanelCall) -> Response:
        """POST .../rehearsal/stop: it ends within seconds and leaves nothing behind."""
        drop = call.named("drop")

        def work(sql: Connection) -> bool:
            stopped = rehearsals.stop(sql, drop)
            if stopped:
                self._note(sql, call, "stop rehearsal")
            return stopped

        if not await change(self._database, work):
            return await self._page(call, NOBODY, 409)
        return self._panel.then(call, REHEARSAL.format(drop=drop), "It is being stopped.")

    def _note(self, sql: Connection, call: PanelCall, what: str) -> None:
        maker, drop = call.maker.id, call.named("drop")
        audit_trail.write(sql, audit_row(call, what, drop, maker, "", audit_trail.DONE))

    async def now(self, call: PanelCall) -> Response:
        """GET .../rehearsal/now: for the page's script."""
        found = await self._found(call)
        one = found[0] if found else None
        progress = one.progress if one else None
        stage = STAGES.get(progress.stage if progress else "", "")
        told = Now(one is not None and one.goes_on, stage, progress)
        return Written(msgspec.json.encode(told), 200)

    async def html(self, call: PanelCall) -> Response:
        """GET .../rehearsal/{rehearsal}.html: a report as a page that needs nothing beside it."""
        return await self._file(call, "html")

    async def json(self, call: PanelCall) -> Response:
        """GET .../rehearsal/{rehearsal}.json: the same for programs."""
        return await self._file(call, "json")

    async def _file(self, call: PanelCall, form: Literal["html", "json"]) -> Response:
        wanted = call.named("rehearsal")
        report = next((o.report for o in await self._found(call) if o.id == wanted), None)
        if report is None:
            return self._panel.missing(call)
        if form == "html":
            body, kind = rehearsal_page(report), "text/html; charset=utf-8"
        else:
            body = msgspec.json.format(msgspec.json.encode(report), indent=2)
            kind = "application/json"
        name = f"rehearsal-{report.drop}.{form}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(body, headers=headers, media_type=kind)

    async def _found(self, call: PanelCall) -> list[Rehearsal]:
        drop, now_ms = call.named("drop"), call.now_ms
        found = await self._database.read(lambda sql: rehearsals.of_drop(sql, drop))
        return [rehearsals.as_heard(one, now_ms) for one in found]

    async def _selling(self, call: PanelCall, minutes: int) -> list[Selling]:
        return await selling(self._store, call.now_ms, (minutes + 1) * 60_000)

    async def _page(
        self, call: PanelCall, wrong: str = "", status: int = 200, asked: Asked | None = None
    ) -> Response:
        drop = DropId(call.named("drop"))
        shown = await self._store.show(drop)
        if shown is None:
            return self._panel.missing(call)
        found = await self._found(call)
        elsewhere = await self._database.read(rehearsals.going_on)
        newest = found[0] if found else None
        going = newest if newest is not None and newest.goes_on else None
        done = [one for one in found if one.report is not None]
        wanted = call.request.query_params.get("report", done[0].id if done else "")
        return self._panel.page(
            call,
            "studio-rehearsal.html",
            status,
            **_words(shown),
            here=REHEARSAL.format(drop=drop),
            wrong=wrong,
            may_run=call.may >= May.RUN,
            going=going,
            stage=STAGES.get(going.progress.stage if going and going.progress else "", ""),
            elsewhere=elsewhere.drop if elsewhere and elsewhere.drop != drop else "",
            ended=newest if newest is not None and newest.says else None,
            one=next((o for o in done if o.id == wanted), None),
            done=done,
            selling=await self._selling(call, (asked or Asked()).minutes),
            asked=asked or (newest.asked if newest else Asked()),
            shapes=SHAPES_IN_WORDS,
            bounds={"fans": (FANS_MIN, FANS_MAX), "minutes": (MINUTES_MIN, MINUTES_MAX)},
        )


def _words(shown: Shown) -> dict[str, Any]:
    """What the page of a drop is written with, of what is read without a script: a rehearsal leaves
    nothing in its drop, not even that somebody looked."""
    m = shown.manifest
    base = f"/studio/drops/{m.id}"
    return {"drop": m, "s": shown, "base": base, "night": NIGHT.format(drop=m.id)}


def _asked(call: PanelCall) -> Asked | None:
    """The form; None of one that cannot be read."""
    shape = call.fields.get("shape", SHAPES[0])
    body = {
        "fans": call.number("fans") if "fans" in call.fields else FANS,
        "minutes": call.number("minutes") if "minutes" in call.fields else MINUTES,
        "shape": shape,
        "beside_live": call.fields.get("beside_live", "") == "yes",
    }
    try:
        return msgspec.convert(body, Asked)
    except msgspec.ValidationError:
        return None
