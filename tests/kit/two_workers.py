"""Two web processes on one server, people who never give up, and the judgement at the end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from itertools import count
from pathlib import Path

import httpx2
import msgspec
import websockets.asyncio.client as sockets
from websockets.exceptions import WebSocketException
from websockets.typing import Origin

from dropengine import events, wire
from dropengine.log import replay
from dropengine.log.referee import Verdict, judge
from dropengine.rehearsal.history import Recorder, check
from dropengine.truth.store import Store
from tests.kit.web_process import LONG_S, WebProcess, settings

AGAIN_S = 0.02
"""Between two tries; a real client takes longer and spreads out."""
UNKNOWN = ("away", "too_many_requests")

_keys = count(1)
_heard: msgspec.json.Decoder[wire.ToFanMessage] = msgspec.json.Decoder(wire.ToFanMessage)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.asynccontextmanager
async def two_workers(
    url: str, folder: Path, **more: object
) -> AsyncIterator[tuple[WebProcess, WebProcess]]:
    """Two web processes on the server at `url`, with one book of payments between them."""
    fronts = []
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(2):
            port = free_port()
            # The provider calls back at the port that the settings name.
            one = WebProcess(msgspec.structs.replace(settings(url, folder, **more), port=port))
            one.port = port
            await one.start()
            stack.push_async_callback(one.stop)
            fronts.append(one)
        yield fronts[0], fronts[1]


class Patron:
    """Somebody who dials again whenever the line breaks and repeats what was not answered.

    origin: of any of the web processes. cookie: who he is. history: what he did and saw.
    patience_s: longer than anything that he waits for.
    """

    patience_s: float = LONG_S

    def __init__(
        self,
        origin: str,
        drop: str,
        ticket: str,
        fan: str,
        browser: httpx2.AsyncClient,
        history: Recorder,
    ) -> None:
        self.origin = origin
        self.drop = drop
        self.fan = fan
        self.cookie = f"fan={ticket}"
        self.history = history
        self.browser = browser
        self.dialled = 0
        self.you: wire.You | None = None
        self._socket: sockets.ClientConnection | None = None

    async def arrive(self) -> None:
        await self._line()

    async def leave(self) -> None:
        if self._socket is not None:
            await self._socket.close()

    async def done(self, command: wire.FanCommand) -> wire.Done | wire.Refused:
        """Send it until it is answered; `away` is no answer, the same key goes out again."""
        op = self.history.invoke(self.drop, self.fan, command)
        frame = msgspec.json.encode(command).decode()
        async with asyncio.timeout(self.patience_s):
            while True:
                try:
                    answer = await self._ask(frame, command.id)
                except (OSError, WebSocketException):
                    self._socket = None
                    await asyncio.sleep(AGAIN_S)
                    continue
                if isinstance(answer, wire.Done):
                    self.history.ok(op, answer)
                    return answer
                if answer.code not in UNKNOWN:
                    self.history.fail(op, answer)
                    return answer
                await asyncio.sleep(AGAIN_S)

    async def _ask(self, frame: str, number: int) -> wire.Done | wire.Refused:
        line = await self._line()
        await line.send(frame)
        while True:
            match await self._hear(line):
                case (wire.Done() | wire.Refused()) as answer if answer.id == number:
                    return answer
                case _:
                    pass

    async def _line(self) -> sockets.ClientConnection:
        if self._socket is None:
            self.dialled += 1
            self._socket = await sockets.connect(
                f"ws{self.origin.removeprefix('http')}/drops/{self.drop}/live",
                origin=Origin(self.origin),
                additional_headers={"Cookie": self.cookie},
                compression=None,
                proxy=None,
                ping_interval=None,
                open_timeout=5,
                close_timeout=1,
            )
        return self._socket

    async def _hear(self, line: sockets.ClientConnection) -> wire.ToFanMessage:
        message: wire.ToFanMessage = _heard.decode(await line.recv())
        match message:
            case wire.You():
                self.you = message
            case wire.Snapshot(you=you):
                self.you = you
            case _:
                pass
        return message

    async def hears(self) -> None:
        """The next message, if the line holds."""
        try:
            await self._hear(await self._line())
        except (OSError, WebSocketException):
            self._socket = None

    async def hold(self, pool: str = "pin", qty: int = 1) -> wire.Done | wire.Refused:
        number = next(_keys)
        return await self.done(wire.Hold(number, f"patron-{number}", pool, qty))

    async def held(self, pool: str = "pin", qty: int = 1) -> str:
        """A press that must be granted; the id of its hold."""
        answer = await self.hold(pool, qty)
        assert isinstance(answer, wire.Done), answer
        assert answer.hold is not None
        return answer.hold.id

    async def release(self, hold: str) -> wire.Done | wire.Refused:
        number = next(_keys)
        return await self.done(wire.Release(number, f"patron-{number}", hold))

    async def buys(self, hold: str) -> wire.OrderView:
        """Pay on the provider's page and look at the screen until the order is there."""
        number = next(_keys)
        answer = await self.done(wire.Pay(number, f"patron-{number}", [hold]))
        assert isinstance(answer, wire.Done), answer
        page = httpx2.URL(self.origin).join(answer.pay[hold])
        async with asyncio.timeout(self.patience_s):
            while not await self._pays(page):  # noqa: ASYNC110 - it tries, it does not watch
                await asyncio.sleep(AGAIN_S)
            return await self.shown(hold)

    async def _pays(self, page: httpx2.URL) -> bool:
        given = {"origin": self.origin, "cookie": self.cookie}
        try:
            paid = await self.browser.post(page, json={"do": "pay"}, headers=given)
        except httpx2.HTTPError:
            return False
        return paid.is_success

    async def shown(self, order: str) -> wire.OrderView:
        """The order, once the screen shows it."""
        while True:
            for one in self.you.orders if self.you else ():
                if one.id == order:
                    self.history.order(self.drop, self.fan, one)
                    return one
            try:
                await self._hear(await self._line())
            except (OSError, WebSocketException):
                self._socket = None
                await asyncio.sleep(AGAIN_S)


@contextlib.asynccontextmanager
async def crowd(
    origins: Sequence[str], drop: str, size: int, history: Recorder
) -> AsyncIterator[list[Patron]]:
    """New people, spread over the origins; each opens the page and gets a ticket."""
    async with httpx2.AsyncClient(trust_env=False, timeout=LONG_S) as browser:
        patrons = []
        for i in range(size):
            origin = origins[i % len(origins)]
            page = await browser.get(f"{origin}/drops/{drop}")
            assert page.is_success, page.text
            ticket = next(iter(page.cookies.values()))
            you = await browser.get(f"{origin}/api/drops/{drop}/you")
            fan = msgspec.json.decode(you.content, type=wire.You).fan
            patrons.append(Patron(origin, drop, ticket, fan, browser, history))
            # The next one is somebody else.
            browser.cookies.clear()
        try:
            yield patrons
        finally:
            # Who has not read all of it waits for a goodbye that lies behind the rest.
            await asyncio.gather(*(patron.leave() for patron in patrons))


async def judged(
    store: Store, drop: str, history: Recorder | None = None, *, closed: bool = False
) -> tuple[Verdict, list[events.AnyEvent]]:
    """The log is whole and fair, replay gives the stored truth, and no client saw anything else."""
    while True:
        truth = await store.truth(drop)  # type: ignore[arg-type]
        lines = [line async for line in store.log(drop)]  # type: ignore[arg-type]
        assert truth is not None
        # Duties are still being done: look again until both were read at one moment.
        if truth.drop["seq"] == str(len(lines)):
            break
    verdict = judge(lines, closed=closed)
    assert verdict.violations == []
    assert replay.difference(replay.fold_lines(lines), truth) == []
    log = [events.parse(line) for line in lines]
    if history is not None:
        assert check(history.lines(), drop, log) == []
    return verdict, log
