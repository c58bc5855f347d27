"""Random looks at the pages of a crowd's sale, through everything that comes between a page and the
truth: what says that it is up to date is.

`LOOKS=300 LOOKS_SEED=7 pytest -s --timeout=0 tests/browser/test_looks.py` looks more often.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import msgspec
from playwright.async_api import Page

from dropengine import outcomes, wire
from dropengine.model import FanId
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.truth.replies import ViewReply, YouReply
from tests.kit.manifests import item, manifest
from tests.kit.shop_in_browser import DESK, Drop, Person, ShopInBrowser

LOOKS = int(os.environ.get("LOOKS") or 12)
SEED = int(os.environ.get("LOOKS_SEED") or 7)
OLD_S_MAX = 2.0
"""A page may say for so long that it is up to date when it is not."""
BACK_S_MAX = 30
HOLD_MS = 1_800_000
DAY_MS = 86_400_000
SKEWED = """(skew) => {
    const True = Date;
    globalThis.Date = class extends True {
        constructor(...given) { given.length ? super(...given) : super(True.now() + skew); }
        static now() { return True.now() + skew; }
    };
}"""
SEEN = """() => {
    const number = (name) =>
        Number(document.querySelector(`.figures .${name} dd`)?.textContent.replace(/\\D/g, ''));
    return {
        link: document.querySelector('drop-link').textContent.trim(),
        stock: [number('free'), number('held'), number('sold')],
        place: Number(document.querySelector('.places .place')?.textContent ?? 0),
        holds: document.querySelectorAll('.card.hold').length,
    };
}"""

State = tuple[list[int], dict[str, tuple[int, int]]]


class Crowd:
    """Changes the sale, one thing after the other, and keeps what was true from when on."""

    def __init__(self, drop: Drop, fans: list[str], dice: random.Random) -> None:
        self.drop = drop
        self.fans = fans
        self.dice = dice
        self.history: list[tuple[float, State]] = []
        self.still = asyncio.Lock()
        self._held: list[tuple[str, str]] = []
        self._waiting: list[tuple[str, str]] = []
        self._sold = 0
        self._names = 0

    async def begin(self) -> None:
        """The pin is taken, and everybody who looks stands in its line."""
        await self.drop.hold("first")
        for fan in self.fans:
            for _ in range(2):
                await self._join(f"before-{self._name()}")
            await self.drop.press(fan, wire.Join(0, self.drop.key(), ["pin"]))
        await self._note(time.monotonic())

    async def run(self) -> None:
        while True:
            async with self.still:
                begun = time.monotonic()
                await self._change()
                await self._note(begun)
            await asyncio.sleep(self.dice.expovariate(20))

    async def _change(self) -> None:
        what = self.dice.choice(("hold", "hold", "release", "join", "leave", "sell"))
        match what:
            case "release" if self._held:
                fan, hold = self._held.pop(self.dice.randrange(len(self._held)))
                await self.drop.press(fan, wire.Release(0, self.drop.key(), hold))
            case "leave" if len(self._waiting) > 1:
                who, entry = self._waiting.pop(self.dice.randrange(len(self._waiting)))
                await self.drop.leave(who, entry)
            case "sell" if self._sold < 20:
                self._sold += 1
                await self._sells(f"buyer-{self._name()}")
            case "hold" if len(self._held) < 15:
                presser = self.dice.choice([*self.fans, f"presses-{self._name()}"])
                outcome = await self.drop.press(
                    presser, wire.Hold(0, self.drop.key(), "tag", self.dice.choice((1, 2)))
                )
                if isinstance(outcome, outcomes.Held) and (presser, outcome.id) not in self._held:
                    self._held.append((presser, outcome.id))
            case _:
                await self._join(f"joins-{self._name()}")

    async def _sells(self, fan: str) -> None:
        begun = time.monotonic()
        outcome: Any = await self.drop.press(fan, wire.Hold(0, self.drop.key(), "tag", 1))
        # A screen may show what is true between two steps.
        await self._note(begun)
        await self.drop.press(fan, wire.Pay(0, self.drop.key(), [outcome.id]))
        await self.drop.store.succeeded(
            self.drop.id, outcome.id, f"paid-{outcome.id}", 2400, "EUR", True
        )

    async def _join(self, fan: str) -> None:
        self._waiting.append((fan, await self.drop.join(fan)))

    def _name(self) -> int:
        self._names += 1
        return self._names

    async def _note(self, begun: float) -> None:
        """What is true, from a moment that is not later than the true one on."""
        view = await self.drop.store.view(self.drop.id)
        you = await self.drop.store.you(self.drop.id, [FanId(fan) for fan in self.fans])
        assert isinstance(view, ViewReply)
        assert isinstance(you, YouReply)
        stock = [
            sum(getattr(pool, name) for pool in view.pools) for name in ("free", "held", "sold")
        ]
        mine = {}
        for row in you.rows:
            places = [one.place for _, _, lines in row.entries for one in lines]
            mine[row.fan] = (min(places, default=0), len(row.record.holds))
        self.history.append((begun, (stock, mine)))

    def age(self, fan: str, seen: dict[str, Any], at: float) -> float:
        """For how long what was seen at a moment had been over by then; 0: it was the present. The
        stock and what is a fan's own come by two messages: each is of its own moment."""
        own = (seen["place"], seen["holds"])
        stock = [(begun, true == seen["stock"]) for begun, (true, _) in self.history]
        mine = [(begun, true[fan] == own) for begun, (_, true) in self.history]
        return max(_over(stock, at), _over(mine, at))


def _over(history: list[tuple[float, bool]], at: float) -> float:
    """For how long it has not been so, at a moment, by what is known from when on."""
    end = at
    for begun, so in reversed(history):
        if so:
            break
        end = begun
    return max(0.0, at - end)


class Looker:
    """Somebody with one tab or two."""

    def __init__(self, fan: Person, drop: Drop) -> None:
        self.fan = fan
        self.drop = drop
        self.name = ""

    @property
    def page(self) -> Page:
        return self.fan.page

    async def begin(self) -> None:
        await self.fan.open(self.drop)
        first = "JSON.parse(document.getElementById('state').textContent).you.fan"
        self.name = await self.page.evaluate(first)

    async def see(self) -> dict[str, Any]:
        seen: dict[str, Any] = await self.page.evaluate(SEEN)
        return seen

    async def doubles(self) -> None:
        """Duplicates the tab and goes on in the new one."""
        other = await self.page.context.new_page()
        await other.goto(self.drop.path)
        for old in self.page.context.pages[:-2]:
            await old.close()
        self.fan.page = other

    async def sleeps(self, seconds: float) -> None:
        """The device sleeps: nothing of the page runs meanwhile."""
        tools = await self.page.context.new_cdp_session(self.page)
        await tools.send("Page.setWebLifecycleState", {"state": "frozen"})
        await asyncio.sleep(seconds)
        await tools.send("Page.setWebLifecycleState", {"state": "active"})
        await tools.detach()


@asynccontextmanager
async def lookers(shop: ShopInBrowser, drop: Drop) -> AsyncIterator[list[Looker]]:
    """Three people: one whose clock is right, two whose clocks are a day off."""
    async with AsyncExitStack() as stack:
        found = []
        for skew in (0, DAY_MS, -DAY_MS):
            context = await stack.enter_async_context(shop.context(DESK))
            await context.add_init_script(f"({SKEWED})({skew})")
            found.append(Looker(Person(await context.new_page()), drop))
            await found[-1].begin()
        yield found


class Looks:
    """Looks, and counts what was wrong."""

    def __init__(self, crowd: Crowd, people: list[Looker], dice: random.Random) -> None:
        self.crowd = crowd
        self.people = people
        self.dice = dice
        self.met: Counter[str] = Counter()
        self.oldest = 0.0
        self.wrong: list[Any] = []
        self.trouble = ""
        """What came between last."""

    async def look(self, who: Looker) -> dict[str, Any]:
        """One look; whoever says that he is up to date is, or was a moment ago."""
        at = time.monotonic()
        seen = await who.see()
        self.met[seen["link"].partition(" since")[0]] += 1
        if seen["link"] == "Up to date":
            async with self.crowd.still:
                age = self.crowd.age(who.name, seen, at)
            self.oldest = max(self.oldest, age)
            if age > OLD_S_MAX:
                self.wrong.append((self.trouble, age, seen))
        return seen

    async def watch(self, who: Looker, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await self.look(who)
            await asyncio.sleep(self.dice.uniform(0.05, 0.4))

    async def in_sync(self, who: Looker) -> None:
        """The crowd stands still: the page comes back and shows what is true."""
        async with self.crowd.still:
            stock, mine = self.crowd.history[-1][1]
            true = (stock, *mine[who.name])
            end = time.monotonic() + BACK_S_MAX
            said_at = 0.0
            while time.monotonic() < end:
                seen = await who.see()
                shown = (seen["stock"], seen["place"], seen["holds"])
                up = seen["link"] == "Up to date"
                if up and shown == true:
                    return
                said_at = (said_at or time.monotonic()) if up else 0.0
                if said_at and time.monotonic() - said_at > OLD_S_MAX:
                    break
                await asyncio.sleep(0.1)
            self.wrong.append((self.trouble, true, seen))


async def test_what_says_that_it_is_up_to_date_is(
    in_browser: ShopInBrowser, shop: SupervisorProcess
) -> None:
    dice = random.Random(SEED)
    rules = manifest("a", item("pin", {"pin": 1}), item("tag", {"tag": 80}, most=2), limit=60)
    # Nothing changes by the clock: the crowd alone does, and knows when.
    rules = msgspec.structs.replace(rules, pace=0, pace_ms=0, hold_ms=HOLD_MS)
    drop = await in_browser.drop(rules)
    async with lookers(in_browser, drop) as people:
        crowd = Crowd(drop, [one.name for one in people], random.Random(SEED + 1))
        await crowd.begin()
        looks = Looks(crowd, people, dice)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(crowd.run())
            for _ in range(LOOKS):
                await trouble(looks, dice.choice(people), shop)
            running.cancel()
    print(
        f"\n{LOOKS} times, {looks.met.total()} looks: {dict(looks.met)}; what said that it was up "
        f"to date was at most {looks.oldest:.2f} s old; {len(looks.wrong)} wrong"
    )
    assert looks.wrong == []
    assert looks.met["Up to date"] > 0


async def trouble(looks: Looks, who: Looker, shop: SupervisorProcess) -> None:
    """Something comes between, or nothing; he looks meanwhile, and afterwards sees what is true."""
    dice = looks.dice
    looks.trouble = dice.choice(("nothing", "offline", "killed", "stopped", "sleeps", "doubles"))
    match looks.trouble:
        case "offline":
            await who.page.context.set_offline(True)
            await looks.watch(who, dice.uniform(0.2, 4))
            await who.page.context.set_offline(False)
        case "killed":
            for pid in shop.running.worker_pids:
                os.kill(pid, signal.SIGKILL)
        case "stopped":
            pids = shop.running.worker_pids
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            try:
                await looks.watch(who, dice.uniform(0.2, 4))
            finally:
                for pid in pids:
                    os.kill(pid, signal.SIGCONT)
        case "sleeps":
            await who.sleeps(dice.uniform(0.2, 4))
        case "doubles":
            await who.doubles()
        case _:
            pass
    await looks.watch(who, dice.uniform(0.3, 1.5))
    await looks.in_sync(who)
