"""The roof: `build(settings)` makes every object of one web process and hands them to each
other."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from types import FrameType

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from dropengine.config import Settings
from dropengine.data_directory import secret, shop_id
from dropengine.doors import (
    access,
    asyncapi,
    early_doors,
    event_stream,
    fan_api,
    fast_path,
    follow_doors,
    game_doors,
    health,
    home_screen,
    languages,
    metrics,
    openapi,
    page_templates,
    pages,
    push_doors,
    webhooks,
)
from dropengine.doors.fast_path import FastPath
from dropengine.doors.gate import Gate
from dropengine.doors.http_answers import no_such_door
from dropengine.doors.identity import Identity
from dropengine.doors.live_socket import LiveDoor
from dropengine.doors.newcomers import Newcomers
from dropengine.doors.persons.persons import Persons
from dropengine.doors.persons.renewing import Renewing
from dropengine.doors.process_table import HEARS, NUMBERS
from dropengine.doors.rate_limit import RequestRate, SocketLimit
from dropengine.doors.shown_things import ShownThings
from dropengine.doors.studio import studio
from dropengine.doors.studio.alarm_letters import AlarmLetters
from dropengine.doors.studio.desks import Desks
from dropengine.errors import ConfigError, Unavailable
from dropengine.jobs.beacon_rounds import BeaconRounds
from dropengine.jobs.carrying import Carrying
from dropengine.jobs.clock_watch import ClockWatch
from dropengine.jobs.counting import Counting
from dropengine.jobs.disk_watch import DiskWatch, disk_free_mib
from dropengine.jobs.drawing import Drawing
from dropengine.jobs.durability_watch import DurabilityWatch
from dropengine.jobs.duties import Duties, wall_ms
from dropengine.jobs.hand_letters import HandLetters
from dropengine.jobs.job_runner import JobRunner
from dropengine.jobs.loop_watch import LoopWatch
from dropengine.jobs.reconciling import Reconciling
from dropengine.jobs.revealing import Revealing
from dropengine.jobs.revoking import Revoking
from dropengine.jobs.server_watch import ServerWatch
from dropengine.jobs.settle import Settling
from dropengine.jobs.trial import Trial
from dropengine.live.hub import Hub
from dropengine.live.socket_handshake import SHORT_WAY
from dropengine.model import DropId, DutyRecord
from dropengine.payments import duties, providers
from dropengine.payments.fees import Fees
from dropengine.payments.hands.one_open import OneOpen
from dropengine.payments.intent_ids import IntentIds
from dropengine.people.earlier_draws import EarlierDraws
from dropengine.people.operators import Names
from dropengine.people.passwords import Passwords
from dropengine.people.receivers import Tokens
from dropengine.people.revoked import Revoked
from dropengine.people.tickets import Tickets
from dropengine.processes.claim_note import noted_nonce
from dropengine.push import shop_key
from dropengine.sql.archive import Archive
from dropengine.sql.charge_ids import CopiedIds
from dropengine.sql.database import Database
from dropengine.sql.log_rows import LogRows
from dropengine.truth.connections import client
from dropengine.truth.house import Claim
from dropengine.truth.server_check import check_server_async
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

CONNECTIONS = 4
STOPS = (signal.SIGTERM, signal.SIGINT)


class Runtime:
    """The objects of one web process, and the tasks that keep it going.

    settings.redis_url names the server: the private one's socket, or the operator's.
    """

    def __init__(self, settings: Settings) -> None:
        if settings.redis_url is None:
            raise ConfigError(["redis_url: a web process needs a running server"])
        key = secret(settings)
        self.settings = settings
        self.secret = key
        self.store = Store(
            client(
                settings.redis_url,
                timeout_s=settings.redis_timeout_ms / 1000,
                connections=CONNECTIONS,
            ),
            prefix=settings.redis_prefix,
        )
        self.database = Database(settings)
        self.things = ShownThings(self.database)
        self.store.in_the_books = LogRows(self.database).texts
        self.store.archive = Archive(self.database)
        self.receivers = Tokens(key)
        self.store.charge_ids.in_sql = CopiedIds(self.database).of
        self.store.operators.in_sql = Names(self.database).all
        self.passwords = Passwords()
        self.tickets = Tickets(key.decode(), settings.ticket_days, settings.public_mail_domains)
        self.shop = shop = shop_id(settings)
        self.push_key = shop_key.of_shop(settings)
        self.store.house.claim = Claim(shop, noted_nonce(settings.data_dir))
        self.revoked = Revoked()
        self.identity = Identity(settings, self.tickets, shop, self.revoked)
        self.renewing = Renewing(self.database, self.identity, self.tickets)
        self.persons = Persons(self)
        self.newcomers = Newcomers(self.store, settings, key)
        self.templates = page_templates.templates()
        self.payments = providers.build(settings, key, self.database)
        self.intents = IntentIds(shop, self.store)
        self._nudges = client(settings.redis_url, timeout_s=None, connections=1)
        self.hub = Hub(
            self.store,
            settings,
            self.payments,
            self.intents,
            self._nudges,
            epoch="",
            durable=False,
        )
        self.hub.earlier = EarlierDraws(self.database)
        self.hands = OneOpen(self.store, self.database)
        self.hub.hands = self.hands
        guest_s = settings.ticket_days * 86_400
        self.revoking = Revoking(self.store.house, self.hub, self.revoked, guest_s)
        self.hub.on_house.append(self.revoking.look)
        self.counting = Counting(self.hub, self.database)
        self.early = early_doors.EarlyDoor(self)
        self.game = game_doors.GameDoors(self)
        self.jobs = JobRunner()
        self.duties = Duties(self.store, self._perform)
        rounds = BeaconRounds(settings.beacon_urls)
        self.beacon_rounds = rounds
        self.drawing = Drawing(self.store, Revealing(self.database, rounds, wall_ms))
        self.carrying = Carrying(self.store, self.database)
        self.reconciling = Reconciling(self.store, self.payments, self.intents, Fees(self.database))
        self.settling = Settling(
            self.store,
            settings,
            self.duties.begin,
            ordering=self.drawing.begin,
            carrying=self.carrying.begin,
        )
        self.server_watch = ServerWatch(
            self.store, lambda facts: self.hub.know(facts.run_id, facts.durable)
        )
        self.disk_watch = DiskWatch(self.store, settings, lambda: disk_free_mib(settings.data_dir))
        self.clock_watch = ClockWatch(self.store, settings)
        self.trial = Trial(self.store, settings, self.server_watch, self.disk_watch)
        self.desks = Desks(self)
        self.hand_letters = HandLetters(self.store, self.database, settings, self.hands)
        self.alarm_letters = AlarmLetters(self.store, self.database, settings, self.desks)

    async def _perform(self, drop: DropId, duty_id: str, duty: DutyRecord) -> str:
        return await duties.perform(self.store, self.payments, self.intents, drop, duty_id, duty)

    async def check(self) -> None:
        """Look at the server before anybody is let in. Raises a sentence when it cannot sell.

        One that is away may come back: until then everybody is told so.
        """
        try:
            facts = await check_server_async(
                self.store.client, self.settings.accept_weaker, self.store.prefix
            )
        except Unavailable as error:
            log.error("coming up without the server of the truth: %s", error)
        else:
            self.server_watch.hear(facts)

    def start(self) -> None:
        """Begin what goes on by itself in this process."""
        store, settings = self.store, self.settings
        # The lease is asked for before the first duty can be found.
        self.jobs.repeat(self.duties)
        self.jobs.repeat(self.drawing)
        self.jobs.repeat(self.carrying)
        self.jobs.repeat(self.settling)
        self.jobs.repeat(self.reconciling)
        self.jobs.repeat(self.server_watch)
        self.jobs.repeat(self.trial)
        self.jobs.repeat(self.clock_watch)
        self.jobs.repeat(self.disk_watch)
        self.jobs.repeat(self.counting)
        self.jobs.repeat(self.desks)
        self.jobs.repeat(self.alarm_letters)
        self.jobs.repeat(self.hand_letters)
        self.jobs.repeat(self.revoking)
        self.jobs.repeat(self.renewing)
        self.jobs.repeat(self.persons.erasing)
        self.jobs.repeat(self.persons.visits)
        self.jobs.repeat(LoopWatch(self.hub.loop_lag_s))
        self.jobs.repeat(DurabilityWatch(store, settings, self.server_watch.hear))
        self.jobs.keep(self.hub.run, "the hub")
        for name, provider in self.payments.built.items():
            self.jobs.keep(provider.run, f"the provider {name}")

    async def close(self) -> None:
        """End everything that was begun."""
        await self.jobs.close()
        await self.duties.close()
        await self.drawing.close()
        await self.carrying.close()
        await self.beacon_rounds.close()
        await self.hub.close()
        await self._nudges.aclose(close_connection_pool=True)
        for provider in self.payments:
            await provider.close()
        await self.store.close()
        await self.counting.close()
        self.passwords.close()
        await self.things.close()
        await self.database.close()


@contextlib.contextmanager
def _told_to_stop(then: Callable[[], None]) -> Iterator[None]:
    """Call `then` in this loop as soon as the process is told to stop.

    A server lets open streams come to their end before it ends the lifespan: they would wait for
    each other. Whoever listened for the signals before hears them as well.
    """
    if threading.current_thread() is not threading.main_thread():
        # Signals are only heard in the main thread.
        yield
        return
    loop = asyncio.get_running_loop()

    def heard(number: int, where: FrameType | None) -> None:
        loop.call_soon_threadsafe(then)
        before = listened[signal.Signals(number)]
        if callable(before):
            before(number, where)
        elif before == signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    listened = {number: signal.signal(number, heard) for number in STOPS}
    try:
        yield
    finally:
        for number, before in listened.items():
            # Whoever came after us and listens now goes on listening.
            if signal.getsignal(number) is heard:
                signal.signal(number, before)


class Application(Starlette):
    """The application. A fan's command that needs nothing of it goes past it, by `FastPath`."""

    fast_path: FastPath
    secure: bool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        later = await self.fast_path(scope, receive, send)
        if later is not None:
            if self.secure and scope["type"] == "http":
                # How people reach us, whatever a proxy says of it: addresses are made of it.
                scope["scheme"] = "https"
            await super().__call__(scope, later, send)


def build(settings: Settings) -> Application:
    """The application of one web process. Nothing is started before its lifespan begins."""
    runtime = Runtime(settings)
    rate = RequestRate(settings)
    sockets = SocketLimit(settings)
    live = LiveDoor(runtime.hub, runtime.identity, sockets)
    commands = FastPath(runtime.hub, runtime.identity, rate)
    short = {SHORT_WAY: live, fast_path.SHORT_WAY: commands}
    told: dict[str, object] = {
        NUMBERS: lambda: msgspec.json.encode(metrics.own(runtime)),
        HEARS: runtime.desks.hear,
    }

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, object]]:
        try:
            await runtime.check()
            runtime.start()
            with _told_to_stop(runtime.hub.leave):
                # Behind a proxy the caller's address is read on the long way.
                yield told if settings.forwarded_allow_ips else told | short
        finally:
            await runtime.close()

    hot: list[BaseRoute] = [
        WebSocketRoute("/drops/{drop}/live", live),
        *fan_api.routes(runtime),
        *runtime.early.routes(),
        *runtime.game.routes(),
        *event_stream.routes(runtime),
    ]
    writer, static = pages.writing(runtime)
    routes = [
        *hot,
        *pages.routes(runtime, writer, static),
        *home_screen.routes(writer),
        *push_doors.routes(runtime, static.files),
        *follow_doors.routes(runtime),
        *languages.routes(runtime),
        *runtime.persons.routes(writer),
        *webhooks.routes(runtime),
        *health.routes(runtime),
        *metrics.routes(runtime),
        _fixed("/openapi.json", openapi.openapi()),
        _fixed("/asyncapi.json", asyncapi.asyncapi()),
        *studio.routes(runtime, writer),
        studio.socket(runtime, sockets),
    ]
    access.check(routes)
    app = Application(
        routes=routes,
        lifespan=lifespan,
        middleware=[Middleware(Gate, identity=runtime.identity, rate=rate)],
        max_body_size=settings.body_bytes_max,
        exception_handlers={ClientDisconnect: _nobody_left, 404: no_such_door, 405: no_such_door},
    )
    app.state.runtime = runtime
    app.fast_path = commands
    app.secure = runtime.identity.secure
    return app


def _nobody_left(_: Request, __: Exception) -> Response:
    """Who went away in the middle of his request hears no answer; it is no fault of ours."""
    return Response(status_code=400)


def _fixed(path: str, content: dict[str, object]) -> Route:
    async def show(_: Request) -> Response:
        return JSONResponse(content)

    return Route(path, show, methods=["GET"])
