"""The game of a drop's line on its night: missions that are started, said and ticked off, and what
gave no points. All of it by the API's own doors."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

import msgspec
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from dropengine.doors.access import GAME
from dropengine.doors.studio.following import count
from dropengine.doors.studio.game_doors import (
    GameDoors,
    GameLine,
    MissionLine,
    RefusedPage,
    Tapped,
    game_of,
    refused_page,
)
from dropengine.doors.studio.night_pages import words
from dropengine.doors.studio.panel_door import Panel, PanelCall
from dropengine.doors.studio.standing import Standing, standing
from dropengine.doors.studio.studio_answers import problem_of
from dropengine.model import DropId
from dropengine.people.in_line import AT_ONCE
from dropengine.people.roles import May
from dropengine.sql.database import Database
from dropengine.truth.store import Store
from dropengine.wire_game import SAID_CHARS_MAX

REASONS: Final = MappingProxyType(
    {
        "self": "He came by his own link.",
        "cycle": "The one who brought him came by his link, straight or through others.",
        "device": "He came with a browser that the fan plays with too.",
        "here_before": "He was here before he came by the link.",
        "gone": "He had left the line, and held nothing, before he counted.",
        "most": "All points for friends are taken: it would be more than one fan may have.",
        "network": "Too many friends came from one network on that day.",
        "domain": "Too many friends came with one mail domain on that day.",
        "late": "It came when points counted no more.",
    }
)
"""Reason -> what a creator is told."""
STATES: Final = MappingProxyType(
    {
        "waiting": "Still to count",
        "counted": "Counted",
        "refused": "Refused",
        "taken_back": "Taken back",
        "cured": "Cured by you",
    }
)
BEGUN: Final = MappingProxyType(
    {
        "code": "Say it now: it is shown below.",
        "answer": "It runs: whoever says the answer has the points.",
        "tap": "It runs: tick off who did it.",
    }
)
WHOM: Final = f"Say whom: the numbers they joined as, with commas, {AT_ONCE} at most."
_NUMBERS = re.compile(r"[0-9]{1,9}(?:[\s,;]+[0-9]{1,9})*")
_OVER = ("settled", "cancelled")


class GamePages:
    """One method a page or form. origin: the address people type."""

    def __init__(self, store: Store, database: Database, doors: GameDoors, origin: str) -> None:
        self._store = store
        self._database = database
        self._doors = doors
        self._origin = origin

    def routes(self, panel: Panel) -> list[Route]:
        """The page, and what is sent from it."""
        self._panel = panel
        one = f"{GAME}/missions/{{mission}}"
        return [
            panel.route("GET", GAME, self.game),
            panel.route("POST", f"{one}/start", self.start),
            panel.route("POST", f"{one}/end", self.end),
            panel.route("POST", f"{one}/tap", self.tap),
            panel.route("POST", f"{GAME}/cure", self.cure),
        ]

    async def game(self, call: PanelCall) -> Response:
        """GET /studio/drops/{drop}/game: `?after=` older ones of what was refused."""
        s = await standing(self._store, DropId(call.named("drop")))
        if s is None:
            return self._panel.missing(call)
        return await self._page(call, s)

    async def _page(
        self, call: PanelCall, s: Standing, wrong: str = "", status: int = 400
    ) -> Response:
        drop = DropId(s.manifest.id)
        after = call.request.query_params.get("after", "")
        older = int(after) if re.fullmatch(r"[0-9]{1,15}", after) else 0

        def asked(sql: Connection) -> tuple[GameLine, RefusedPage]:
            return game_of(sql, s.manifest, call.now_ms), refused_page(sql, drop, older)

        known, refused = await self._database.read(asked)
        return self._panel.page(
            call,
            "studio-game.html",
            status if wrong else 200,
            **words(s, self._origin),
            here=GAME.format(drop=drop),
            wrong=wrong,
            missions=known.missions,
            sums=[
                (says, known.points[state])
                for state, says in STATES.items()
                if state in known.points
            ],
            refused=refused,
            reasons=REASONS,
            over=s.view.state in _OVER,
            may_run=call.may >= May.RUN,
            said_chars_max=SAID_CHARS_MAX,
        )

    async def start(self, call: PanelCall) -> Response:
        """POST .../start: say its word now, ask for its answer, or let it be ticked off."""
        s = await standing(self._store, DropId(call.named("drop")))
        if s is None:
            return self._panel.missing(call)
        answer = await self._doors.start(call.asking(said=call.fields.get("said", "").strip()))
        if problem := problem_of(answer):
            return await self._page(call, s, problem.detail or problem.title, answer.status_code)
        begun = msgspec.json.decode(answer.body, type=MissionLine)
        if begun.state != "running":
            return self._back(call, "It is over: nobody can do it any more.", amiss=True)
        return self._back(call, BEGUN[begun.kind])

    async def end(self, call: PanelCall) -> Response:
        """POST .../end: nobody has its points by it any more."""
        answer = await self._doors.end(call.asking())
        if problem := problem_of(answer):
            return self._panel.wrong(call, problem.title, answer.status_code)
        return self._back(call, "It is over.")

    async def tap(self, call: PanelCall) -> Response:
        """POST .../tap: these did it, or everybody in line."""
        s = await standing(self._store, DropId(call.named("drop")))
        if s is None:
            return self._panel.missing(call)
        typed = call.fields.get("numbers", "").strip().strip(",;")
        everybody = call.fields.get("who") == "everybody"
        numbers: list[int] = []
        if not everybody:
            if _NUMBERS.fullmatch(typed):
                numbers = [int(one) for one in re.split(r"[\s,;]+", typed)]
            if not 1 <= len(numbers) <= AT_ONCE:
                return await self._page(call, s, WHOM)
        answer = await self._doors.tap(call.asking(numbers=numbers, everybody=everybody))
        if problem := problem_of(answer):
            return await self._page(call, s, problem.detail or problem.title, answer.status_code)
        done = msgspec.json.decode(answer.body, type=Tapped)
        said = f"{count(done.new, 'fan')} ticked off."
        if done.unknown:
            said += f" Nobody in line joined as: {', '.join(map(str, done.unknown))}."
        return self._back(call, said, amiss=bool(done.unknown))

    async def cure(self, call: PanelCall) -> Response:
        """POST .../cure: what was refused counts."""
        answer = await self._doors.cure(call.asking(row=call.number("row")))
        if problem := problem_of(answer):
            return self._panel.wrong(call, problem.title, answer.status_code)
        return self._back(call, "It counts from now on.")

    def _back(self, call: PanelCall, sentence: str, *, amiss: bool = False) -> Response:
        here = GAME.format(drop=call.named("drop"))
        return self._panel.then(call, here, sentence, amiss=amiss)
