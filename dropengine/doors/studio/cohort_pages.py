"""Who is in the cohorts of a drop: lists of addresses by paste or file, codes as a file. All of it
by the API's own doors.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

import msgspec
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from dropengine.doors.access import COHORTS
from dropengine.doors.http_answers import Written
from dropengine.doors.studio.cohort_doors import (
    AT_ONCE,
    AddressesListed,
    CodesMade,
    CodesStruck,
    CohortDoors,
    Struck,
    lines_of,
)
from dropengine.doors.studio.following import count
from dropengine.doors.studio.night_pages import words
from dropengine.doors.studio.panel_door import Panel, PanelCall
from dropengine.doors.studio.standing import Standing, standing
from dropengine.doors.studio.studio_answers import problem_of
from dropengine.jobs.ledger.spreadsheet import plain
from dropengine.manifest import Cohort
from dropengine.model import DropId
from dropengine.people import cohorts
from dropengine.people.cohorts import TYPED_CHARS_MAX, CodesGone, spelled
from dropengine.people.roles import May
from dropengine.sql.database import Database
from dropengine.truth.store import Store

FILE_BYTES_MAX: Final = 4_000_000
"""Of a list: some 100,000 addresses."""
WRONG_MOST: Final = 5
"""So many lines that are no addresses are named."""
NO_TEXT = "The file is no text. Save it as CSV or as plain text, and send it again."
NOTHING = "There was no address in it."
NO_CODE = "Say which code."
TOO_MANY = f"Say how many: 1 to {AT_ONCE:,} at once."
_OVER = ("settled", "cancelled")


class CohortPages:
    """One method a page or form. origin: the address people type."""

    def __init__(self, store: Store, database: Database, doors: CohortDoors, origin: str) -> None:
        self._store = store
        self._database = database
        self._doors = doors
        self._origin = origin

    def routes(self, panel: Panel) -> list[Route]:
        """The page, what is sent from it, and the files."""
        self._panel = panel
        one = f"{COHORTS}/{{cohort}}"
        return [
            panel.route("GET", COHORTS, self.cohorts),
            panel.route("POST", f"{one}/addresses", self.put, FILE_BYTES_MAX),
            panel.route("POST", f"{one}/strike", self.strike),
            panel.route("POST", f"{one}/codes", self.make),
            panel.route("POST", f"{one}/codes/strike", self.strike_codes),
            panel.route("GET", f"{one}/addresses.csv", self.addresses),
            panel.route("GET", f"{one}/codes.csv", self.codes),
        ]

    async def cohorts(self, call: PanelCall) -> Response:
        """GET /studio/drops/{drop}/cohorts."""
        s = await standing(self._store, DropId(call.named("drop")))
        if s is None:
            return self._panel.missing(call)
        return await self._page(call, s)

    async def _page(
        self, call: PanelCall, s: Standing, wrong: str = "", status: int = 400
    ) -> Response:
        drop = DropId(s.manifest.id)
        known = await self._database.read(lambda sql: cohorts.counts(sql, drop))
        return self._panel.page(
            call,
            "studio-cohorts.html",
            status if wrong else 200,
            **words(s, self._origin),
            here=COHORTS.format(drop=drop),
            wrong=wrong,
            lines=[*zip(s.manifest.cohorts, lines_of(s.manifest.cohorts, known), strict=True)],
            over=s.view.state in _OVER,
            widened=s.view.early is not None and not s.view.early.lasts,
            may_run=call.may >= May.RUN,
            at_once=AT_ONCE,
            code_chars=TYPED_CHARS_MAX,
        )

    async def put(self, call: PanelCall) -> Response:
        """POST .../addresses: what was pasted, and the file."""
        s = await standing(self._store, DropId(call.named("drop")))
        if s is None:
            return self._panel.missing(call)
        _, sent = call.files.get("file", ("", b""))
        text = cohorts.as_text(sent)
        if text is None:
            return await self._page(call, s, NO_TEXT)
        listed = AddressesListed(0, 0, [], 0)
        addresses = cohorts.lines(f"{call.fields.get('text', '')}\n{text}")
        for first in range(0, len(addresses), AT_ONCE):
            asked = call.asking(addresses=addresses[first : first + AT_ONCE])
            # Each part is a change of its own: a repeat of the form repeats each.
            asked.key = f"{call.key}.{first}"
            answer = await self._doors.put(asked)
            if problem := problem_of(answer):
                return await self._page(call, s, problem.title, answer.status_code)
            more = msgspec.json.decode(answer.body, type=AddressesListed)
            listed = AddressesListed(
                listed.new + more.new,
                listed.known + more.known,
                [*listed.wrong, *more.wrong],
                listed.beyond + more.beyond,
            )
        if listed == AddressesListed(0, 0, [], 0):
            return await self._page(call, s, NOTHING)
        here = COHORTS.format(drop=s.manifest.id)
        amiss = bool(listed.wrong or listed.beyond)
        return self._panel.then(call, here, _listed(listed), amiss=amiss)

    async def strike(self, call: PanelCall) -> Response:
        """POST .../strike: nobody is on the list any more."""
        answer = await self._doors.strike(call.asking())
        if problem := problem_of(answer):
            return self._panel.wrong(call, problem.title, answer.status_code)
        gone = msgspec.json.decode(answer.body, type=Struck).gone
        here = COHORTS.format(drop=call.named("drop"))
        return self._panel.then(
            call, here, f"{count(gone, 'address', 'addresses')} struck. {cohorts.STAY}"
        )

    async def make(self, call: PanelCall) -> Response:
        """POST .../codes: so many new ones, which stand in the file of codes."""
        s = await standing(self._store, DropId(call.named("drop")))
        if s is None:
            return self._panel.missing(call)
        wanted = call.number("count")
        if not 1 <= wanted <= AT_ONCE:
            return await self._page(call, s, TOO_MANY)
        answer = await self._doors.make(call.asking(count=wanted))
        if problem := problem_of(answer):
            return await self._page(call, s, problem.title, answer.status_code)
        made = len(msgspec.json.decode(answer.body, type=CodesMade).codes)
        # Who presses twice made them once.
        said = f"{count(made, 'code')} made: the" if made else "They are made: the"
        here = COHORTS.format(drop=s.manifest.id)
        return self._panel.then(call, here, f"{said} file has all of them.")

    async def strike_codes(self, call: PanelCall) -> Response:
        """POST .../codes/strike: the code that was typed, or all that nobody used."""
        s = await standing(self._store, DropId(call.named("drop")))
        if s is None:
            return self._panel.missing(call)
        code = call.fields.get("code", "").strip()
        every = call.fields.get("all") == "yes"
        if not (code or every):
            return await self._page(call, s, NO_CODE)
        asked = call.asking() if every else call.asking(code=code[:TYPED_CHARS_MAX])
        answer = await self._doors.strike_codes(asked)
        if problem := problem_of(answer):
            return await self._page(call, s, problem.title, answer.status_code)
        found = msgspec.json.decode(answer.body, type=CodesStruck)
        struck = CodesGone(found.gone, found.used)
        said = cohorts.said_of_codes(struck, one=not every)
        here = COHORTS.format(drop=s.manifest.id)
        return self._panel.then(call, here, said, amiss=not (every or struck.gone))

    async def addresses(self, call: PanelCall) -> Response:
        """GET .../addresses.csv: the list, and who came."""

        def rows(sql: Connection, drop: DropId, cohort: str) -> Iterator[tuple[str, str]]:
            after = ""
            while found := cohorts.listed(sql, drop, cohort, after):
                yield from ((plain(one.address), _moment(one.came_ms)) for one in found)
                after = found[-1].address

        return await self._told(call, "addresses", ("address", "came_at"), rows)

    async def codes(self, call: PanelCall) -> Response:
        """GET .../codes.csv: all codes, and which were used."""

        def rows(sql: Connection, drop: DropId, cohort: str) -> Iterator[tuple[str, str]]:
            after = ""
            while found := cohorts.codes(sql, drop, cohort, after):
                yield from ((spelled(one.code), _moment(one.used_ms)) for one in found)
                after = found[-1].code

        return await self._told(call, "codes", ("code", "used_at"), rows)

    async def _told(
        self,
        call: PanelCall,
        name: str,
        head: tuple[str, str],
        rows: Callable[[Connection, DropId, str], Iterable[tuple[str, str]]],
    ) -> Response:
        """The file of that name of a cohort."""
        cohort = await self._of(call)
        if cohort is None:
            return self._panel.missing(call)
        drop = DropId(call.named("drop"))
        text = await self._database.read(lambda sql: _sheet(head, rows(sql, drop, cohort.id)))
        return _file(text, f"{drop}-{cohort.id}-{name}.csv")

    async def _of(self, call: PanelCall) -> Cohort | None:
        shown = await self._store.show(DropId(call.named("drop")))
        found = () if shown is None else shown.manifest.cohorts
        return next((one for one in found if one.id == call.named("cohort")), None)


def _listed(found: AddressesListed) -> str:
    said = f"{count(found.new, 'address is', 'addresses are')} new on the list."
    if found.known:
        said += f" {count(found.known, 'was', 'were')} on it before."
    if found.wrong:
        named = ", ".join(text[:60] for text in found.wrong[:WRONG_MOST])
        more = " and others" if len(found.wrong) > WRONG_MOST else ""
        said += f" Not taken, {count(len(found.wrong), 'line')}: {named}{more}."
    if found.beyond:
        said += f" No room for {count(found.beyond, 'more', 'more')}: {cohorts.FULL}"
    return said


def _moment(ms: int) -> str:
    """RFC 3339, UTC; '' for never."""
    if not ms:
        return ""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")


def _sheet(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """RFC 4180."""
    out = io.StringIO(newline="")
    sheet = csv.writer(out)
    sheet.writerow(head)
    sheet.writerows(rows)
    return out.getvalue()


def _file(text: str, name: str) -> Response:
    """A file to be saved, and kept by nobody on the way."""
    said = f'attachment; filename="{name}"'.encode()
    kind = b"text/csv; charset=utf-8"
    return Written(text.encode(), 200, kind, (b"content-disposition", said))
