"""Simulated people. They know the public doors only: a page, a socket, the provider's page.

Each lives out a `plans.Plan`, acts on what the server tells, and writes every operation into a
history. Law 4 is theirs too: no answer means unknown, which is asked again with the same key.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urljoin

import httpx2
import msgspec

from dropengine import wire
from dropengine.history import Recorder
from dropengine.link import ABNORMAL, Link, dial
from dropengine.model import DropState
from dropengine.plans import Answer, Ending, Plan
from dropengine.screen import Screen, Tally

ANSWER_S = 5.0
"""An answer that takes longer is unknown: the same key is sent again on a new socket."""
DIAL_S = 10.0
BACKOFF_S = 1.0
BACKOFF_S_MAX = 30.0
GONE_FOR_GOOD = range(4500, 5000)
"""Close codes after which a screen does not come back."""
DIALS_AT_ONCE = 64
FRAMES_KEPT = 64
MONEY_SLACK_MS = 3_000
"""A late payment's webhook is on its way for less than this, and its duty done."""

NOT_YET = (DropState.DRAFT, DropState.SCHEDULED)
OVER = (DropState.SETTLED, DropState.CANCELLED, DropState.FROZEN)

Reply = wire.Done | wire.Refused

_decoder: msgspec.json.Decoder[wire.ToFanMessage] = msgspec.json.Decoder(wire.ToFanMessage)
_you_decoder: msgspec.json.Decoder[wire.You] = msgspec.json.Decoder(wire.You)
_encoder = msgspec.json.Encoder()


class Crowd:
    """People in front of one address, and what they share: a loop, an HTTP client, a history."""

    def __init__(self, base_url: str, *, seed: int) -> None:
        self.base_url = base_url
        self.live_url = base_url.replace("http", "ws", 1)
        self.history = Recorder()
        self.opened = asyncio.Event()
        """Set by whoever knows that the drop opens: late arrivals count from here."""
        self.doors = asyncio.Semaphore(DIALS_AT_ONCE)
        self.http = httpx2.AsyncClient(
            # People share the client, never a ticket: nothing may be kept in a jar.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            trust_env=False,
            timeout=DIAL_S,
            limits=httpx2.Limits(max_connections=DIALS_AT_ONCE, max_keepalive_connections=16),
        )
        self.fans: list[Fan] = []
        self.refusals: Counter[str] = Counter()
        self.reconnects = 0
        self.questions = 0
        self.money_ms = 0.0
        """Until then a provider may still speak of a payment (wall clock)."""
        self.stumbles: list[str] = []
        self._seed = seed
        self._waiting_for: list[tuple[float, asyncio.Future[None]]] = []
        self._frames: dict[bytes, wire.ToFanMessage] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def enter(self, drop: str, plan: Plan, *, opens_ms: int = 0) -> Fan:
        """One more person, from now on; with `opens_ms` some open the page later than others."""
        fan = Fan(self, drop, plan, number=len(self.fans), seed=self._seed)
        self.fans.append(fan)
        self.start(fan.live(opens_ms))
        return fan

    def start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Let something go on beside the rest, until it ends or the crowd goes home."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def decode(self, frame: bytes) -> wire.ToFanMessage:
        """A frame's message. A tick is the same bytes for all: it is decoded for the first."""
        message = self._frames.get(frame)
        if message is None:
            message = _decoder.decode(frame)
            if isinstance(message, wire.Tick):
                if len(self._frames) >= FRAMES_KEPT:
                    del self._frames[next(iter(self._frames))]
                self._frames[frame] = message
        return message

    async def granted_since(self, moment_s: float) -> None:
        """Wait until a command is granted that was first sent after this moment (monotonic)."""
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting_for.append((moment_s, granted))
        await granted

    def granted(self, sent_s: float) -> None:
        """A command that was first sent at this moment was granted."""
        for moment_s, granted in self._waiting_for:
            if sent_s > moment_s and not granted.done():
                granted.set_result(None)

    @property
    def connected(self) -> int:
        return sum(fan.link is not None for fan in self.fans)

    def tally(self) -> Tally:
        """Places checked, wrong and risen, over all screens."""
        total = Tally()
        for fan in self.fans:
            total.add(fan.screen.tally())
        return total

    async def close(self) -> None:
        """Everybody goes home. What had no answer by now stays unknown."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for fan in self.fans:
            if fan.link is not None:
                fan.link.close()
        await self.http.aclose()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self.stumbles.append(f"{type(fault).__name__}: {fault}")


class Fan:
    """One person with one screen. `link` is None while there is no connection."""

    def __init__(self, crowd: Crowd, drop: str, plan: Plan, *, number: int, seed: int) -> None:
        self.crowd = crowd
        self.drop = drop
        self.plan = plan
        self.number = number
        self.screen = Screen()
        self.link: Link | None = None
        self.cookie = ""
        self.sockets = 0
        self.seeks = True
        """Wants to press or to join at the next chance."""
        self.losses = 0
        self.offers = 0
        self.endings = 0
        self._draw = random.Random(f"{seed}+{number}")
        self._keys = 0
        self._asked = 0
        self._replies: dict[int, asyncio.Future[Reply | None]] = {}
        self._watchers: list[asyncio.Future[None]] = []
        self._let_go: set[str] = set()
        self._orders: set[str] = set()
        self._questioning = False
        self._clock_ms = 0.0

    # --- A life. --------------------------------------------------------------------------------

    async def live(self, opens_ms: int) -> None:
        """Come, wait for the opening, buy or not, and watch until the crowd goes home."""
        plan = self.plan
        if plan.early_ms < 0:
            await self.crowd.opened.wait()
            await asyncio.sleep(-plan.early_ms / 1000)
        elif opens_ms:
            await asyncio.sleep(max(0.0, (opens_ms - plan.early_ms) / 1000 - time.time()))
        await self._take_ticket()
        self.crowd.start(self._stay_connected())
        await self.until(lambda: self.screen.drop is not None)
        if plan.impatient and self.screen.state in NOT_YET:
            # Refused and forgotten: being early earns nothing.
            await self.do(self._hold(plan.pools[0]))
        await self.until(lambda: self.screen.state not in NOT_YET)
        if plan.breaks_ms:
            self.crowd.start(self._lose_connection())
        await asyncio.sleep(plan.tap_ms / 1000)
        await self._shop()

    async def _shop(self) -> None:
        while self.screen.state not in OVER:
            hold = next((h for h in self._holds() if h.id not in self._let_go), None)
            if hold is not None and hold.origin == "line" and not hold.claimed:
                await self._answer(hold)
            elif hold is not None:
                await self._finish(hold)
            elif self.seeks and self.screen.state in (DropState.LIVE, DropState.SOLD_OUT):
                self.seeks = False
                await self._seek()
            else:
                await self.change()

    async def _seek(self) -> None:
        """Press for each liked pool until one is granted; then stand in line for all of them."""
        plan = self.plan
        for pool in plan.pools:
            command = self._hold(pool)
            presses = [self.do(command)]
            if plan.twice:
                # A double click: one key, and one hold.
                presses.append(self.do(command))
            replies = await asyncio.gather(*presses)
            holds = {r.hold.id for r in replies if isinstance(r, wire.Done) and r.hold is not None}
            if len(holds) > 1:
                self._doubt(f"one key made {len(holds)} holds")
            if holds:
                return
            if self.screen.state == DropState.PAUSED:
                self.seeks = True
                return
        if plan.joins and not self._entries():
            await self._join()

    async def _join(self) -> None:
        pools = [self._pool(place) for place in self.plan.pools]
        qty = min(self._qty(pool) for pool in pools)
        reply = await self.do(wire.Join(id=0, key=self._key(), pools=pools, qty=qty))
        if isinstance(reply, wire.Done) and self.plan.patience:
            self.crowd.start(self._lose_patience(reply.entry))

    async def _lose_patience(self, entry: str) -> None:
        assert self.screen.drop is not None
        await asyncio.sleep(self.plan.patience * self.screen.drop.hold_ms / 1000)
        mine = next((e for e in self._entries() if e.id == entry), None)
        if mine is not None and mine.state == "waiting":
            await self.do(wire.Leave(id=0, key=self._key(), entry=entry))

    async def _answer(self, offer: wire.HoldView) -> None:
        """An offer: claim it, give it back, or let its window pass."""
        assert self.screen.drop is not None
        self.offers += 1
        answer = self.plan.answer if self.offers == 1 else Answer.CLAIM
        if answer is Answer.LAPSE:
            self._let_go.add(offer.id)
            return
        await asyncio.sleep(self.plan.answer_think * self.screen.drop.offer_ms / 1000)
        if answer is Answer.DECLINE:
            command: wire.FanCommand = wire.Release(id=0, key=self._key(), hold=offer.id)
        else:
            command = wire.Claim(id=0, key=self._key(), hold=offer.id)
        reply = await self.do(command)
        if answer is Answer.DECLINE or not isinstance(reply, wire.Done):
            await self._until_gone(offer.id)
        elif not self._seen(reply.seq):
            await self.until(lambda: self._seen(reply.seq))

    async def _finish(self, hold: wire.HoldView) -> None:
        """A hold: pay it in one of many ways, give it back, or forget it."""
        assert self.screen.drop is not None
        self.endings += 1
        ending = self.plan.ending if self.endings == 1 else Ending.PAY
        if self.plan.extends and not hold.extended:
            await self.do(wire.Extend(id=0, key=self._key(), hold=hold.id))
        if ending is Ending.LAPSE:
            self._let_go.add(hold.id)
            self.crowd.start(self._mourn(hold.id))
            return
        await asyncio.sleep(self.plan.think * self.screen.drop.hold_ms / 1000)
        if ending is Ending.RELEASE:
            await self.do(wire.Release(id=0, key=self._key(), hold=hold.id))
            await self._until_gone(hold.id)
            return
        reply = await self.do(wire.Pay(id=0, key=self._key(), holds=[hold.id]))
        if isinstance(reply, wire.Done) and hold.id in reply.pay:
            await self._pay(urljoin(self.crowd.base_url, reply.pay[hold.id]), ending, hold)
        await self._until_gone(hold.id)

    async def _pay(self, page: str, ending: Ending, hold: wire.HoldView) -> None:
        wait_ms = self._draw.randrange(100, 1_000)
        # The deadline that the provider was told may be a later one by now.
        told_ms = max((h.deadline_ms for h in self._holds() if h.id == hold.id), default=0)
        told_ms = max(told_ms, hold.deadline_ms)
        if ending in (Ending.LATE, Ending.SLOW):
            until_ms = max(time.time() * 1000, told_ms if ending is Ending.LATE else 0)
            self.crowd.money_ms = max(self.crowd.money_ms, until_ms + wait_ms + MONEY_SLACK_MS)
        match ending:
            case Ending.SLOW:
                await self._at_provider(page, "delay", wait_ms)
            case Ending.DOUBLE:
                await self._at_provider(page, "twice")
            case Ending.LATE:
                await self._at_provider(page, "late", wait_ms)
            case Ending.DECLINED:
                await self._at_provider(page, "decline")
                await asyncio.sleep(wait_ms / 1000)
                await self._at_provider(page, "pay")
            case _:
                await self._at_provider(page, "pay")

    async def _mourn(self, hold: str) -> None:
        await self.until(lambda: all(h.id != hold for h in self._holds()))
        self._lost_one()

    async def _until_gone(self, hold: str) -> None:
        """Wait until the hold has ended, sold or not."""
        await self.until(lambda: all(h.id != hold for h in self._holds()))
        if hold not in self._orders:
            self._lost_one()

    def _lost_one(self) -> None:
        self.losses += 1
        # Twice is enough for anybody; so a run comes to its end.
        self.seeks = self.plan.again and self.losses <= 2 and not self._orders
        self.wake()

    async def _lose_connection(self) -> None:
        await asyncio.sleep(self.plan.breaks_ms / 1000)
        if self.link is not None:
            self.link.cut()

    # --- Doors. ---------------------------------------------------------------------------------

    async def do(self, command: wire.FanCommand) -> Reply | None:
        """Carry a command to its answer, across lost sockets and an absent server, with one key."""
        history = self.crowd.history
        operation = history.invoke(self.drop, self.name, command)
        begun_s = time.monotonic()
        try:
            while True:
                await self.until(lambda: self.link is not None)
                reply = await self._ask(command)
                if isinstance(reply, wire.Done):
                    history.ok(operation, reply)
                    self.crowd.granted(begun_s)
                    return reply
                if reply is not None and reply.code not in ("away", "too_many_requests"):
                    self.crowd.refusals[reply.code] += 1
                    history.fail(operation, reply)
                    return reply
                if reply is not None:
                    self.crowd.refusals[reply.code] += 1
                    pause_ms = reply.retry_ms or 1_000
                    await asyncio.sleep(pause_ms / 1000 * self._draw.uniform(0.5, 1.5))
        except BaseException:
            history.info(operation)
            raise

    async def _ask(self, command: wire.FanCommand) -> Reply | None:
        """Send a command once. None: the socket was lost or silent, so nothing is known."""
        link = self.link
        if link is None:
            return None
        self._asked += 1
        number = self._asked
        reply: asyncio.Future[Reply | None] = asyncio.get_running_loop().create_future()
        self._replies[number] = reply
        try:
            if not link.send(_encoder.encode(msgspec.structs.replace(command, id=number))):
                # It is closing. Asking it again at once would keep everybody else from living.
                await self.until(lambda: self.link is not link)
                return None
            async with asyncio.timeout(ANSWER_S):
                return await reply
        except TimeoutError:
            link.cut()
            return None
        finally:
            self._replies.pop(number, None)

    async def _take_ticket(self) -> None:
        """Open the page: its cookie is who this fan is."""
        page = f"{self.crowd.base_url}/drops/{self.drop}"
        while True:
            answer = await self._http("GET", page)
            if answer is not None and answer.status_code == 200:
                cookies = answer.headers.get_list("set-cookie")
                self.cookie = "; ".join(cookie.partition(";")[0] for cookie in cookies)
                return
            await self._pause(1)

    async def _at_provider(self, page: str, do: str, after_ms: int = 0) -> None:
        """Press a button of the provider's page; again while it does not answer, with one key."""
        body: dict[str, object] = {"do": do, "after_ms": after_ms, "key": self._key()}
        for attempt in range(8):
            answer = await self._http("POST", page, body)
            if answer is not None and answer.status_code < 500 and answer.status_code != 429:
                return
            await self._pause(attempt)

    async def _question(self) -> None:
        """Moves were missed: ask for the exact place, one question at a time."""
        self.crowd.questions += 1
        try:
            answer = await self._http("GET", f"{self.crowd.base_url}/api/drops/{self.drop}/you")
            if answer is not None and answer.status_code == 200:
                self._heard_of_me(_you_decoder.decode(answer.content))
        finally:
            self._questioning = False

    async def _http(
        self, method: str, url: str, body: dict[str, object] | None = None
    ) -> httpx2.Response | None:
        """One request, as a browser on our pages sends it. None when no answer came."""
        headers = {"Origin": self.crowd.base_url}
        if self.cookie:
            headers["Cookie"] = self.cookie
        try:
            async with self.crowd.doors:
                return await self.crowd.http.request(method, url, json=body, headers=headers)
        except httpx2.HTTPError:
            return None

    async def _stay_connected(self) -> None:
        """Open the socket, and again whenever it is lost: full jitter, base 1 s, cap 30 s."""
        url = f"{self.crowd.live_url}/drops/{self.drop}/live"
        attempt = 0
        while True:
            gone: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            socket = self.sockets
            self.sockets += 1

            def lost(code: int, gone: asyncio.Future[int] = gone) -> None:
                if not gone.done():
                    gone.set_result(code)

            def hear(frame: bytes, socket: int = socket) -> None:
                self._hear(socket, frame)

            try:
                async with self.crowd.doors:
                    self.link = await dial(
                        url,
                        origin=self.crowd.base_url,
                        cookie=self.cookie,
                        hear=hear,
                        lost=lost,
                        within_s=DIAL_S,
                    )
            except OSError:
                code = ABNORMAL
            else:
                self.wake()
                code = await gone
                attempt = 0
            self.link = None
            self.wake()
            for reply in self._replies.values():
                if not reply.done():
                    reply.set_result(None)
            if code in GONE_FOR_GOOD:
                self._doubt(f"the socket was closed with {code}: do not come back")
                return
            self.crowd.reconnects += 1
            await self._pause(attempt)
            attempt += 1

    async def _pause(self, attempt: int) -> None:
        most = min(BACKOFF_S_MAX, BACKOFF_S * 2.0 ** min(attempt, 10))
        await asyncio.sleep(self._draw.uniform(0, most))

    # --- Ears. ----------------------------------------------------------------------------------

    def _hear(self, socket: int, frame: bytes) -> None:
        message = self.crowd.decode(frame)
        match message:
            case wire.Tick():
                before = self.screen.state
                if self.screen.tick(message) and not self._questioning:
                    self._questioning = True
                    self.crowd.start(self._question())
                self.crowd.history.tick(self.drop, self.number, socket, message)
                if self.screen.state != before:
                    self.wake()
            case wire.You():
                self._heard_of_me(message)
            case wire.Done() | wire.Refused():
                reply = self._replies.get(message.id)
                if reply is not None and not reply.done():
                    reply.set_result(message)
            case wire.Snapshot():
                self.screen.snapshot(message)
                self.crowd.history.tick(self.drop, self.number, socket, as_tick(message))
                if message.you is None:
                    self._doubt("the ticket of the page was not known at the socket")
                else:
                    self._heard_of_me(message.you)
                self.wake()
            case _:
                pass

    def _heard_of_me(self, you: wire.You) -> None:
        if self.screen.heard_of_me(you):
            for order in you.orders:
                if order.id not in self._orders:
                    self._orders.add(order.id)
                    self.crowd.history.order(self.drop, self.name, order)
            self.wake()

    def _doubt(self, sentence: str) -> None:
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

    # --- What the screen shows. -----------------------------------------------------------------

    @property
    def name(self) -> str:
        """The fan's id as the server says it; before the first word, the number in the crowd."""
        return f"#{self.number}" if self.screen.you is None else self.screen.you.fan

    def _holds(self) -> list[wire.HoldView]:
        return [] if self.screen.you is None else self.screen.you.holds

    def _entries(self) -> list[wire.EntryView]:
        return [] if self.screen.you is None else self.screen.you.entries

    def _seen(self, seq: int) -> bool:
        return self.screen.you is not None and self.screen.you.seq >= seq

    def _pool(self, place: int) -> str:
        assert self.screen.drop is not None
        return list(self.screen.drop.pools)[place]

    def _qty(self, pool: str) -> int:
        """As many as planned, and no more than the drop sells to one person at once."""
        drop = self.screen.drop
        assert drop is not None
        item = next(item for item in drop.items if item.id == self.screen.pools[pool].item)
        return min(self.plan.qty, item.most, item.limit or drop.limit, drop.limit)

    def _key(self) -> str:
        self._keys += 1
        return f"k{self.number}.{self._keys}"

    def _hold(self, place: int) -> wire.Hold:
        pool = self._pool(place)
        return wire.Hold(
            id=0, key=self._key(), pool=pool, qty=self._qty(pool), fewer=self.plan.fewer
        )


def as_tick(snapshot: wire.Snapshot) -> wire.Tick:
    """The public state that a snapshot shows, to be held against the log as ticks are."""
    drop = snapshot.drop
    return wire.Tick(
        seq=snapshot.seq,
        now=drop.now,
        state=drop.state,
        revision=drop.revision,
        pools=drop.pools,
        opens_ms=drop.opens_ms,
        closes_ms=drop.closes_ms,
    )
