"""The doors of the game: a fan's points and where they come from, who came by his link, missions,
the board.

What he is told stands in SQL and is read when he asks; how many points his place has, his screens
hear from the truth. No press waits for any of it.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
import secrets
import time
from typing import Any, Final, NamedTuple, Protocol, TypeVar

import msgspec
from sqlalchemy import Connection
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from dropengine import errors, refusals
from dropengine.config import Settings
from dropengine.doors.http_answers import Written, problem
from dropengine.doors.identity import BOUND, NAME_DIGITS, Identity, by_name
from dropengine.doors.paced_tries import PacedTries
from dropengine.doors.rate_limit import around, network_of
from dropengine.doors.told_games import ToldGames
from dropengine.live.hub import Hub
from dropengine.live.room import Room
from dropengine.manifest import GameRules
from dropengine.model import FanId, ShopId
from dropengine.people import (
    boards,
    collecting,
    game_fans,
    missions,
    persons,
    points_book,
    referrals,
)
from dropengine.people.many_at_once import ManyAtOnce
from dropengine.people.missions import Told
from dropengine.people.referrals import Came
from dropengine.people.tickets import Ticket
from dropengine.sql.database import Database
from dropengine.truth.store import Store
from dropengine.wire_game import Came as CameBy
from dropengine.wire_game import (
    OnBoard,
    Said,
)

log = logging.getLogger(__name__)

GAME: Final = "/api/drops/{drop}"
BODY_BYTES_MAX: Final = 1024
AGAIN_S: Final = 600.0
"""Whoever asks again and again is looked up so often for what he collected."""
KNOWN_MAX: Final = 20_000
CAME_AT_ONCE: Final = 60
CAME_EACH_MS: Final = 1_000
"""Arrivals by links from one network."""
TRIES_AT_ONCE: Final = 5
TRY_EACH_MS: Final = 10_000
"""What one fan types for missions."""
WORD_CHARS: Final = 20
MARK_BYTES: Final = 16
MARK_S: Final = 400 * 86_400
"""As long as browsers keep one at most."""

_MARK: Final = re.compile(rf"[0-9a-f]{{{2 * MARK_BYTES}}}")

T = TypeVar("T")


class Deps(Protocol):
    """What these doors need of the web process."""

    @property
    def store(self) -> Store: ...
    @property
    def hub(self) -> Hub: ...
    @property
    def identity(self) -> Identity: ...
    @property
    def database(self) -> Database: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def secret(self) -> bytes: ...
    @property
    def shop(self) -> ShopId: ...


class _Place(NamedTuple):
    """Whence somebody comes. word, device: what the drop calls his network and his browser; ''
    where that is not known."""

    network: str
    word: str
    device: str


class _Here(NamedTuple):
    """Somebody at a door of a drop with a game. fan: who he is there; None: he may not act."""

    room: Room
    rules: GameRules
    ticket: Ticket | None
    fan: FanId | None


class GameDoors:
    """One method a door. `arrived`: of whoever opens the page of a drop."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._many = ManyAtOnce(deps.database)
        self._tries = PacedTries(deps.store, deps.settings, deps.secret, "game")
        self._key = hmac.digest(deps.secret, b"dropengine:game networks", "sha256")
        bound = BOUND if deps.identity.secure else ""
        self._cookie = f"{bound}plays-{deps.shop[:NAME_DIGITS]}"
        """Which browser it is, whoever sits at it."""
        self._games = ToldGames(deps.store, deps.database)
        self._asked: dict[tuple[str, str], float] = {}
        """Drop and ticket -> when somebody was looked up last."""
        self._tasks: set[asyncio.Task[None]] = set()

    def routes(self) -> list[Route]:
        """Four doors."""
        return [
            Route(f"{GAME}/game", self.game, methods=["GET"]),
            *(
                Route(f"{GAME}/{name}", door, methods=["POST"], max_body_size=BODY_BYTES_MAX)
                for name, door in (
                    ("came", self.came),
                    ("mission", self.mission),
                    ("board", self.board),
                )
            ),
        ]

    async def game(self, request: Request) -> Response:
        """GET /api/drops/{drop}/game: what is everybody's, and what is the fan's."""
        return await self._guarded(self._game(request))

    async def came(self, request: Request) -> Response:
        """POST /api/drops/{drop}/came: by whose link the fan came."""
        return await self._guarded(self._came(request))

    async def mission(self, request: Request) -> Response:
        """POST /api/drops/{drop}/mission: what the fan says for a mission."""
        return await self._guarded(self._mission(request))

    async def board(self, request: Request) -> Response:
        """POST /api/drops/{drop}/board: the fan's name on the board, or no more."""
        return await self._guarded(self._board(request))

    def arrived(
        self, room: Room | None, ticket: Ticket, ref: str, request: Request, response: Response
    ) -> None:
        """He opens the page of this drop, by this link: his page waits for nothing of it."""
        if room is None or room.manifest.game is None:
            return
        place = self._place(room, request, response)
        if not (ref or ticket.person):
            return
        task = asyncio.get_running_loop().create_task(self._quietly(room, ticket, ref, place))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _quietly(self, room: Room, ticket: Ticket, ref: str, place: _Place) -> None:
        try:
            if ref:
                await self._came_by(room, ticket, ref, place)
            if ticket.person:
                await self._look_up(room, ticket, place)
        except (errors.Unavailable, errors.DatabaseAway) as fault:
            # His page says it again.
            log.warning("%s: who came by a link could not be kept: %s", room.drop, fault)

    async def _guarded(self, answer: Any) -> Response:
        try:
            found: Response = await answer
        except errors.Unavailable as error:
            return problem(None, refusals.Away(why=error.why))
        except errors.DatabaseAway:
            return problem(None, refusals.Away())
        except _Refused as refused:
            return problem(None, refused.refusal)
        return found

    async def _here(self, request: Request, *, acts: bool = False) -> _Here:
        """acts: it is not only read, so who asks has a ticket."""
        ticket = self._deps.identity.who(by_name(request.scope["headers"]))
        if acts and ticket is None:
            raise _Refused(refusals.SignIn())
        room = await self._deps.hub.room(request.path_params["drop"])
        if room is None or room.manifest.game is None:
            raise _Refused(refusals.NotFound())
        return _Here(room, room.manifest.game, ticket, room.fan(ticket))

    async def _acting(self, request: Request, kind: type[T]) -> tuple[_Here, FanId, T]:
        """A fan, and what he sent."""
        here = await self._here(request, acts=True)
        if here.fan is None:
            raise _Refused(refusals.SignIn())
        return here, here.fan, await _body(request, kind)

    async def _game(self, request: Request) -> Response:
        here = await self._here(request)
        if here.ticket is not None and here.fan is not None:
            place = self._place(here.room, request)
            await self._look_up(here.room, here.ticket, place)
        return await self._told(request, here)

    async def _came(self, request: Request) -> Response:
        here = await self._here(request, acts=True)
        assert here.ticket is not None, "who acts has one"
        said = await _body(request, CameBy)
        place = self._place(here.room, request)
        await self._came_by(here.room, here.ticket, said.ref, place)
        return await self._told(request, here)

    async def _mission(self, request: Request) -> Response:
        here, fan, said = await self._acting(request, Said)
        mission = next((one for one in here.rules.missions if one.id == said.mission), None)
        if mission is None:
            raise _Refused(refusals.NotFound())
        drop, now_ms = here.room.drop, _now_ms()
        names = [self._tries.name(what, f"{drop} {fan}") for what in ("mission", "missions")]
        wait_ms = await self._tries.admit(names[0], names[1], TRIES_AT_ONCE, TRY_EACH_MS)
        if wait_ms:
            raise _Refused(refusals.TooManyRequests(retry_ms=wait_ms))
        told = await self._many.change(
            lambda sql: missions.say(sql, drop, mission, fan, said.said, now_ms)
        )
        if told is not Told.RIGHT:
            wrong = told is Told.WRONG
            raise _Refused(refusals.WrongWord() if wrong else refusals.NotRunning())
        return await self._told(request, here)

    async def _board(self, request: Request) -> Response:
        here, fan, said = await self._acting(request, OnBoard)
        name = "" if said.off else said.name.strip()
        if not said.off and (why := boards.fault_in(name)):
            raise _Refused(refusals.BadMessage(f"name {why}"))
        drop, now_ms = here.room.drop, _now_ms()

        def shown(sql: Connection) -> None:
            boards.show(sql, drop, game_fans.enter(sql, drop, fan, now_ms).fan, name)

        await self._many.change(shown)
        self._games.changed(drop)
        return await self._told(request, here)

    def _place(self, room: Room, request: Request, response: Response | None = None) -> _Place:
        """Whence he comes. response: lets his browser keep what it is known by, where it does
        not."""
        mark = request.cookies.get(self._cookie, "")
        if response is not None and not _MARK.fullmatch(mark):
            mark = secrets.token_hex(MARK_BYTES)
            self._deps.identity.keep(response, self._cookie, mark, MARK_S)
        known = _MARK.fullmatch(mark) is not None
        network = network_of(request.scope.get("client"))
        return _Place(network, self._word(room, network), self._word(room, mark) if known else "")

    def _word(self, room: Room, said: str) -> str:
        """What a drop calls it."""
        word = hmac.digest(self._key, f"{room.drop} {said}".encode(), "sha256")
        return word.hex()[:WORD_CHARS]

    async def _came_by(self, room: Room, ticket: Ticket, ref: str, place: _Place) -> None:
        """Too many from one network are not kept: their pages say it again."""
        drop, network, now_ms = room.drop, place.network, _now_ms()
        fan = room.fan(ticket) or FanId(ticket.any_fan(drop)[0])
        name = self._tries.name
        near, wide = name("came-near", network), name("came-wide", around(network))
        if await self._tries.admit(near, wide, CAME_AT_ONCE, CAME_EACH_MS):
            return
        whence = Came(place.word, ticket.domain, place.device)
        await self._many.change(lambda sql: referrals.came(sql, drop, fan, ref, whence, now_ms))

    async def _look_up(self, room: Room, ticket: Ticket, place: _Place) -> None:
        """He plays, with this browser; and what he collected in earlier drops counts."""
        fan, now_s, now_ms = room.fan(ticket), time.monotonic(), _now_ms()
        one = (room.drop, f"{ticket.name} {place.device}")
        if fan is None or now_s - self._asked.get(one, -AGAIN_S) < AGAIN_S:
            return
        if len(self._asked) >= KNOWN_MAX:
            self._asked.clear()
        game, drop = room.manifest.game, room.drop
        assert game is not None, "only drops with a game are asked"

        def looked(sql: Connection) -> None:
            him = game_fans.enter(sql, drop, fan, now_ms).fan
            points_book.plays_with(sql, drop, him, place.device)
            referrals.learn_domain(sql, drop, him, ticket.domain)
            known = persons.of_session(sql, ticket.session, now_ms) if ticket.person else None
            if known is not None and game.collectors is not None:
                collecting.collect(sql, drop, game.collectors, *known, him, now_ms)

        await self._many.change(looked)
        self._asked[one] = now_s

    async def _told(self, request: Request, here: _Here) -> Response:
        fan, drop = here.fan, here.room.drop
        if here.ticket is not None and fan is None:
            fan = FanId(here.ticket.any_fan(drop)[0])
        origin = self._deps.settings.public_url or str(request.base_url).rstrip("/")
        link = f"{origin}/drops/{drop}"
        game = await self._games.of(here.room.manifest, link, fan, acts=here.fan is not None)
        return Written(msgspec.json.encode(game))


class _Refused(Exception):
    """A door answers with this."""

    def __init__(self, refusal: refusals.Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


async def _body(request: Request, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.body() or b"{}", type=kind)
    except (ClientDisconnect, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _Refused(refusals.BadMessage(str(error) or "the body did not come whole")) from None


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
