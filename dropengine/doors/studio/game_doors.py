"""The doors at which creators run the missions of a drop, tick off who did one, and see and cure
what gave no points."""

from __future__ import annotations

import secrets
from typing import Annotated, Final

import msgspec
from msgspec import Meta
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from dropengine import refusals
from dropengine.doors.studio.changes import Changes, Result, Work
from dropengine.doors.studio.studio_answers import refused, told, unfit
from dropengine.doors.studio.studio_door import Call, Doors, Unfit
from dropengine.manifest.game import Mission
from dropengine.manifest.manifest import Manifest
from dropengine.model import DropId, FanId
from dropengine.people import in_line, missions, points_book
from dropengine.people.missions import MissionRow
from dropengine.sql.database import Database
from dropengine.truth.store import Store
from dropengine.wire_game import SAID_CHARS_MAX

GAME: Final = "/drops/{drop}/game"
MISSION: Final = f"{GAME}/missions/{{mission}}"
REFUSED_AT_ONCE: Final = 100
WORD_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"
WORD_CHARS: Final = 6
"""Of a word that is made for a maker: none is read for another letter, or for a number."""
NOTHING_TO_SAY: Final = "say the answer that counts"
NO_TAP: Final = "this mission is not ticked off by hand"
NOBODY: Final = "say whom: entries by their numbers, or everybody"
WAITING: Final = "waiting"
OVER: Final = "over"
CURABLE: Final = frozenset({"cycle", "device", "gone", "here_before", "most", "network", "domain"})
"""Reasons that may have met somebody whom they were not meant for. Nobody is his own friend, and
what comes too late comes to nothing."""


class MissionLine(msgspec.Struct, frozen=True):
    """One mission. `kind`: code, answer or tap. `state`: waiting, running or over. `said`: the word
    of a code that was started, else ''. `ends_ms`: 0 for as long as points count. `done`: how many
    fans did it."""

    id: str
    title: str
    kind: str
    worth: int
    state: str
    said: str
    started_ms: int
    ends_ms: int
    done: int


class PointSum(msgspec.Struct, frozen=True):
    """Rows of the book of points in one state, and what they are worth together."""

    rows: int
    points: int


class GameLine(msgspec.Struct, frozen=True):
    """`points`: state -> what stands in it: waiting, counted, refused, taken_back, cured."""

    missions: list[MissionLine]
    points: dict[str, PointSum]


class RefusedLine(msgspec.Struct, frozen=True):
    """What gave no points. `why`: friend, mission or collector. `n`: the arrival number of its fan,
    0 where he has none. `reason`: of the closed list. `curable`: its maker may let it count."""

    row: int
    fan: str
    n: int
    why: str
    worth: int
    reason: str
    at_ms: int
    curable: bool


class RefusedPage(msgspec.Struct, frozen=True):
    """The newest first. `after`: where it goes on, 0 where that was all."""

    refused: list[RefusedLine]
    after: int


class StartMission(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`said`: the word or the answer. A word is made where none is said; a tap needs none."""

    said: Annotated[str, Meta(max_length=SAID_CHARS_MAX)] = ""


class Tap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who did it: entries by their arrival numbers, or everybody in line."""

    numbers: Annotated[list[int], Meta(max_length=in_line.AT_ONCE)] = []
    everybody: bool = False


class Tapped(msgspec.Struct, frozen=True):
    """`new`: how many have its points by this; `unknown`: numbers that nobody in line has."""

    new: int
    unknown: list[int]


class Cure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Let a refused row count."""

    row: int


class Cured(msgspec.Struct, frozen=True):
    """It counts from now on."""

    row: int


class GameDoors:
    """One method a door."""

    def __init__(self, store: Store, database: Database, changes: Changes) -> None:
        self._store = store
        self._database = database
        self._changes = changes

    def routes(self, doors: Doors) -> list[Route]:
        """What is read and changed."""
        return [
            doors.route("GET", GAME, self.game),
            doors.route("GET", f"{GAME}/refused", self.refused),
            doors.route("POST", f"{MISSION}/start", self.start),
            doors.route("POST", f"{MISSION}/end", self.end),
            doors.route("POST", f"{MISSION}/tap", self.tap),
            doors.route("POST", f"{GAME}/cure", self.cure),
        ]

    async def game(self, call: Call) -> Response:
        """The missions of a drop, and what its points come to."""
        shown = await self._store.show(DropId(call.named("drop")))
        if shown is None:
            return refused(refusals.NotFound())
        m = shown.manifest
        return told(await self._database.read(lambda sql: game_of(sql, m, call.now_ms)))

    async def refused(self, call: Call) -> Response:
        """What gave no points."""
        after = call.request.query_params.get("after", "0")
        if not (after.isascii() and after.isdecimal() and len(after) <= 15):
            raise Unfit("after is a number")
        drop = DropId(call.named("drop"))
        return told(await self._database.read(lambda sql: refused_page(sql, drop, int(after))))

    async def start(self, call: Call) -> Response:
        """A mission begins: its word is said, its answer is known, or it may be ticked off."""
        asked, drop, one = call.read(StartMission), call.named("drop"), await self._of(call)
        if one is None:
            return refused(refusals.NotFound())
        said = asked.said.strip()
        if one.kind == "answer" and not said:
            return unfit(NOTHING_TO_SAY)
        if one.kind == "code" and not said:
            said = "".join(secrets.choice(WORD_LETTERS) for _ in range(WORD_CHARS))
        if one.kind == "tap":
            said = ""

        def done(sql: Connection) -> Result:
            missions.start(sql, DropId(drop), one, said, one.ends_ms, call.now_ms)
            return line_of(sql, DropId(drop), one, call.now_ms)

        return await self._once(call, "start_mission", done, drop, one)

    async def end(self, call: Call) -> Response:
        """A mission is over: nobody gets points for it any more."""
        drop, one = call.named("drop"), await self._of(call)
        if one is None:
            return refused(refusals.NotFound())

        def done(sql: Connection) -> Result:
            missions.end(sql, DropId(drop), one.id, call.now_ms)
            return line_of(sql, DropId(drop), one, call.now_ms)

        return await self._once(call, "end_mission", done, drop, one)

    async def tap(self, call: Call) -> Response:
        """These did it."""
        asked, drop, one = call.read(Tap), DropId(call.named("drop")), await self._of(call)
        if one is None:
            return refused(refusals.NotFound())
        if one.kind != "tap":
            return unfit(NO_TAP)
        if not asked.numbers and not asked.everybody:
            return unfit(NOBODY)

        def done(sql: Connection) -> Result:
            known = in_line.numbered(sql, drop, asked.numbers) if asked.numbers else {}
            fans: list[FanId] = [*known.values()]
            if asked.everybody:
                fans = in_line.everybody(sql, drop)
            new = missions.tap(sql, drop, one, fans, call.now_ms)
            return Tapped(new, [number for number in asked.numbers if number not in known])

        return await self._once(call, "tap_mission", done, drop, one)

    async def cure(self, call: Call) -> Response:
        """A row that was refused counts, because its drop's maker says so."""
        asked, drop = call.read(Cure), DropId(call.named("drop"))

        def done(sql: Connection) -> Result:
            known = points_book.refused(sql, drop, asked.row + 1, 1)
            curable = [row for row in known if row.id == asked.row and row.reason in CURABLE]
            if not curable or not points_book.cure(sql, drop, asked.row, call.now_ms):
                return refused(refusals.NotFound())
            return Cured(asked.row)

        of = f"{drop} {asked.row}"
        return await self._changes.once(call, "cure_points", done, of=of, maker=call.maker.id)

    async def _once(self, call: Call, what: str, work: Work, drop: str, one: Mission) -> Response:
        of = f"{drop} {one.id}"
        return await self._changes.once(call, what, work, of=of, maker=call.maker.id)

    async def _of(self, call: Call) -> Mission | None:
        shown = await self._store.show(DropId(call.named("drop")))
        game = None if shown is None else shown.manifest.game
        found = () if game is None else game.missions
        return next((one for one in found if one.id == call.named("mission")), None)


def game_of(sql: Connection, m: Manifest, now_ms: int) -> GameLine:
    """What is known of the game of a drop."""
    drop = DropId(m.id)
    known = {row.id: row for row in missions.of_drop(sql, drop, now_ms)}
    listed = () if m.game is None else m.game.missions
    sums = points_book.tallies(sql, drop)
    ended = points_book.ended_ms(sql, drop) > 0
    return GameLine(
        [_line(one, known.get(one.id), ended=ended) for one in listed],
        {state: PointSum(*both) for state, both in sums.items()},
    )


def line_of(sql: Connection, drop: DropId, one: Mission, now_ms: int) -> MissionLine:
    """One mission as it stands."""
    known = {row.id: row for row in missions.of_drop(sql, drop, now_ms)}
    return _line(one, known.get(one.id), ended=points_book.ended_ms(sql, drop) > 0)


def _line(one: Mission, row: MissionRow | None, *, ended: bool) -> MissionLine:
    state, said, started_ms, ends_ms, done = OVER if ended else WAITING, "", 0, one.ends_ms, 0
    if row is not None:
        state, said, started_ms = row.state, row.said, row.started_ms
        ends_ms, done = row.ends_ms, row.done
    return MissionLine(
        one.id, one.title, one.kind, one.worth, state, said, started_ms, ends_ms, done
    )


def refused_page(sql: Connection, drop: DropId, after: int) -> RefusedPage:
    """A part of what gave no points."""
    rows = points_book.refused(sql, drop, after, REFUSED_AT_ONCE)
    numbers = in_line.numbers_of(sql, drop, [row.fan for row in rows])
    ended = points_book.ended_ms(sql, drop) > 0
    lines = [
        RefusedLine(
            row.id,
            row.fan,
            numbers.get(row.fan, 0),
            row.source,
            row.worth,
            row.reason,
            row.at_ms,
            row.reason in CURABLE and not ended,
        )
        for row in rows
    ]
    return RefusedPage(lines, rows[-1].id if len(rows) == REFUSED_AT_ONCE else 0)
