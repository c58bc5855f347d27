"""A fan's browser: the page, the socket and the provider's page, and one screen to look at.

Law 4 is a client's too: no answer means unknown, and the unknown is asked again with the same key.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

import httpx2
import msgspec

from dropengine import wire
from dropengine.asked import Asks, name_of
from dropengine.rehearsal.fans.addresses import address_of
from dropengine.rehearsal.fans.client_socket import ABNORMAL, ClientSocket, dial
from dropengine.rehearsal.fans.client_state import ClientState, as_tick
from dropengine.rehearsal.fans.shared_client import REQUEST_S, SharedClient
from dropengine.wire_game import Game

ANSWER_S = 5.0
"""An answer that takes longer is unknown: the same key is sent again on a new socket."""
BACKOFF_S = 1.0
BACKOFF_S_MAX = 30.0
GONE_FOR_GOOD = range(4500, 5000)
"""Close codes after which a screen does not come back."""
NO_NONCE = 0.1
PRESSES_MAX = 8
"""Tries at a provider's page that does not answer."""

Reply = wire.Done | wire.Refused

_game_decoder: msgspec.json.Decoder[Game] = msgspec.json.Decoder(Game)
_you_decoder: msgspec.json.Decoder[wire.You] = msgspec.json.Decoder(wire.You)
_encoder = msgspec.json.Encoder()


def _said(field: str, number: int) -> str:
    """What somebody of a crowd says of himself: nobody lives there."""
    says = {"lines": f"{number} Crowd Street", "country": "AT", "phone": f"+43 1 {number}"}
    return says.get(field, f"{field} {number}")


class Browser:
    """One person's way into one drop. `socket` is None while there is no connection.

    orders: every order that was ever shown as this fan's. arrivals: of each of his entries the one
    that was shown last. address: where his socket comes from, None: wherever.
    """

    def __init__(
        self, client: SharedClient, drop: str, *, number: int, draw: random.Random
    ) -> None:
        self.client = client
        self.drop = drop
        self.number = number
        self.address = address_of(number, client.base_url)
        self.screen = ClientState()
        self.socket: ClientSocket | None = None
        self.cookie = ""
        self.orders: set[str] = set()
        self.arrivals: dict[str, int] = {}
        self._draw = draw
        self._sockets = 0
        self._keys = 0
        self._asked = 0
        self._replies: dict[int, asyncio.Future[Reply | None]] = {}
        self._watchers: list[asyncio.Future[None]] = []
        self._questioning = False

    @property
    def name(self) -> str:
        """The fan's id as the server says it; before the first word, the number in the crowd."""
        return f"#{self.number}" if self.screen.you is None else self.screen.you.fan

    def key(self) -> str:
        """A fresh key: a new command."""
        self._keys += 1
        return f"k{self.number}.{self._keys}"

    def nonce(self) -> str:
        """What this browser has its part in chance with; an old one has none."""
        return "" if self._draw.random() < NO_NONCE else f"{self._draw.getrandbits(128):032x}"

    async def do(self, command: wire.FanCommand) -> Reply | None:
        """Carry a command to its answer, across lost sockets and an absent server, with one key."""
        history = self.client.history
        operation = history.invoke(self.drop, self.name, command)
        begun_s = time.monotonic()
        try:
            while True:
                await self.until(lambda: self.socket is not None)
                reply = await self._ask(command)
                if isinstance(reply, wire.Done):
                    history.ok(operation, reply)
                    self.client.granted(begun_s)
                    return reply
                if reply is not None and reply.code not in ("away", "too_many_requests"):
                    self.client.refusals[reply.code] += 1
                    history.fail(operation, reply)
                    return reply
                if reply is not None:
                    self.client.refusals[reply.code] += 1
                    pause_ms = reply.retry_ms or 1_000
                    # Whoever is paced was told his own time: sooner is too soon.
                    least = 1.0 if reply.code == "too_many_requests" else 0.5
                    await asyncio.sleep(pause_ms / 1000 * self._draw.uniform(least, 1.5))
        except BaseException:
            history.info(operation)
            raise

    async def _ask(self, command: wire.FanCommand) -> Reply | None:
        """Send a command once. None: the socket was lost or silent, so nothing is known."""
        socket = self.socket
        if socket is None:
            return None
        self._asked += 1
        number = self._asked
        reply: asyncio.Future[Reply | None] = asyncio.get_running_loop().create_future()
        self._replies[number] = reply
        try:
            if not socket.send(_encoder.encode(msgspec.structs.replace(command, id=number))):
                # It is closing. Asking it again at once would keep everybody else from living.
                await self.until(lambda: self.socket is not socket)
                return None
            async with asyncio.timeout(ANSWER_S):
                return await reply
        except TimeoutError:
            socket.cut()
            return None
        finally:
            self._replies.pop(number, None)

    async def open_page(self) -> None:
        """Open the drop's page: its cookie is who this fan is. Then stay connected."""
        page = f"{self.client.base_url}/drops/{self.drop}"
        while True:
            answer = await self._http("GET", page)
            # Without a ticket this is a watcher's page: it asks again by itself.
            if answer is not None and answer.status_code == 200 and "set-cookie" in answer.headers:
                break
            await self._pause(1)
        cookies = answer.headers.get_list("set-cookie")
        kept = [cookie.partition(";")[0] for cookie in cookies]
        if self.client.sign_in is not None:
            kept.append(self.client.sign_in())
        self.cookie = "; ".join(kept)
        self.client.start(self._stay_connected())

    def close(self) -> None:
        """Leave the page."""
        if self.socket is not None:
            self.socket.close()

    async def says(self, hold: wire.HoldView, asks: Asks) -> None:
        """Fill in what the drop asks before it is paid, each his own; a shop that cannot keep it
        now asks again later."""
        form = {
            name_of(where): _said(where[1], self.number)[: asks.most(where[1])]
            for where, _ in asks.asked(hold.qty)
        }
        page = f"{self.client.base_url}/drops/{self.drop}/holds/{hold.id}/asked"
        answer = await self._http("POST", page, form=form)
        if answer is not None and answer.status_code == 400:
            self.doubt(f"what the drop asks was said and not taken: {answer.text}")

    async def game(self, where: str = "", body: dict[str, object] | None = None) -> Game | None:
        """How the game stands for him, or something that he does in it, at the door that is called
        so. None: it was refused, or nothing is known."""
        door = f"{self.client.base_url}/api/drops/{self.drop}/{where or 'game'}"
        answer = await self._http("POST" if where else "GET", door, body)
        if answer is None or answer.status_code != 200:
            return None
        return _game_decoder.decode(answer.content)

    async def at_provider(self, page: str, do: str, after_ms: int = 0) -> None:
        """Press a button of the provider's page; again while it does not answer, with one key."""
        body: dict[str, object] = {"do": do, "after_ms": after_ms, "key": self.key()}
        for attempt in range(PRESSES_MAX):
            answer = await self._http("POST", page, body)
            if answer is not None and answer.status_code < 500 and answer.status_code != 429:
                return
            await self._pause(attempt)

    async def _question(self) -> None:
        """Moves were missed: ask for the exact place, one question at a time."""
        self.client.questions += 1
        try:
            answer = await self._http("GET", f"{self.client.base_url}/api/drops/{self.drop}/you")
            if answer is not None and answer.status_code == 200:
                self._heard_of_me(_you_decoder.decode(answer.content))
        finally:
            self._questioning = False

    async def _http(
        self,
        method: str,
        url: str,
        body: dict[str, object] | None = None,
        form: dict[str, str] | None = None,
    ) -> httpx2.Response | None:
        """One request, as a browser on our pages sends it. None when no answer came."""
        headers = {"Origin": self.client.base_url}
        if form is not None:
            headers["Accept"] = "application/json"
        if self.cookie:
            headers["Cookie"] = self.cookie
        try:
            async with self.client.doors:
                return await self.client.http.request(
                    method, url, json=body, data=form, headers=headers
                )
        except httpx2.HTTPError:
            return None

    async def _stay_connected(self) -> None:
        """Open the socket, and again whenever it is lost: full jitter, base 1 s, cap 30 s."""
        url = f"{self.client.live_url}/drops/{self.drop}/live"
        attempt = 0
        while True:
            gone: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            number = self._sockets
            self._sockets += 1

            def lost(code: int, gone: asyncio.Future[int] = gone) -> None:
                if not gone.done():
                    gone.set_result(code)

            def hear(frame: bytes, number: int = number) -> None:
                self._hear(number, frame)

            try:
                async with self.client.doors:
                    self.socket = await dial(
                        url,
                        origin=self.client.base_url,
                        cookie=self.cookie,
                        hear=hear,
                        lost=lost,
                        within_s=REQUEST_S,
                        local=self.address,
                    )
            except OSError:
                code = ABNORMAL
            else:
                self.wake()
                code = await gone
                attempt = 0
            self.socket = None
            self.wake()
            for reply in self._replies.values():
                if not reply.done():
                    reply.set_result(None)
            if code in GONE_FOR_GOOD:
                self.doubt(f"the socket was closed with {code}: do not come back")
                return
            self.client.reconnects += 1
            await self._pause(attempt)
            attempt += 1

    async def _pause(self, attempt: int) -> None:
        most = min(BACKOFF_S_MAX, BACKOFF_S * 2.0 ** min(attempt, 10))
        await asyncio.sleep(self._draw.uniform(0, most))

    def _hear(self, nth: int, frame: bytes) -> None:
        message = self.client.decode(frame)
        match message:
            case wire.Tick():
                before = self.screen.state, self.screen.early
                if self.screen.tick(message) and not self._questioning:
                    self._questioning = True
                    self.client.start(self._question())
                self.client.history.tick(self.drop, self.number, nth, message)
                if (self.screen.state, self.screen.early) != before:
                    self.wake()
            case wire.You():
                self._heard_of_me(message)
            case wire.Done() | wire.Refused():
                reply = self._replies.get(message.id)
                if reply is not None and not reply.done():
                    reply.set_result(message)
            case wire.Snapshot():
                self.screen.snapshot(message)
                self.client.history.tick(self.drop, self.number, nth, as_tick(message))
                if message.you is None:
                    self.doubt("the ticket of the page was not known at the socket")
                else:
                    self._heard_of_me(message.you)
                self.wake()
            case _:
                pass

    def _heard_of_me(self, you: wire.You) -> None:
        if self.screen.heard_of_me(you):
            for entry in you.entries:
                if entry.n and self.arrivals.get(entry.id) != entry.n:
                    self.arrivals[entry.id] = entry.n
                    self.client.history.placed(self.drop, self.name, entry.id, entry.n)
            for order in you.orders:
                if order.id not in self.orders:
                    self.orders.add(order.id)
                    self.client.history.order(self.drop, self.name, order)
            self.wake()

    def doubt(self, sentence: str) -> None:
        """Something that must not be."""
        self.screen.doubt(sentence)
        self.wake()

    def wake(self) -> None:
        """Something that a person would notice has changed."""
        watchers, self._watchers = self._watchers, []
        for watcher in watchers:
            if not watcher.done():
                watcher.set_result(None)

    async def change(self) -> None:
        """Wait for the next thing that a person would notice."""
        watcher: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._watchers.append(watcher)
        await watcher

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something is so."""
        while not true():
            await self.change()
