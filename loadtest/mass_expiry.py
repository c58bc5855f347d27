"""Fifteen thousand holds that end in the same millisecond: `python -m loadtest.mass_expiry`.

A line waits for some of the units, newcomers press all the time over sockets. No script may run
longer than 15 ms, nobody may be refused who could have had a unit, and within 3 s every unit is
offered to the line or free.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time

import httpx2
import msgspec
import uvloop

from dropengine import outcomes, refusals, wire
from dropengine.log.referee import judge
from dropengine.model import DropId, FanId
from dropengine.rehearsal.fans.client_socket import ClientSocket, dial
from dropengine.terminal.progress import Progress
from dropengine.truth import keys
from dropengine.truth.store import Store
from loadtest.slow_calls import SlowCalls
from loadtest.throwaway_shop import one_pool, opened, throwaway_shop

PROCESSES = 2
BATCH = 256
AHEAD_S = 12
"""Time to fill the carts and the line before everything ends."""
PRESS_S = 0.02
"""Each newcomer presses again this long after a refusal."""
LOOK_S = 0.01
OVER_S_MAX = 3.0
GIVE_UP_S = 60.0

_heard: msgspec.json.Decoder[wire.ToFanMessage] = msgspec.json.Decoder(wire.ToFanMessage)


class Newcomer:
    """Somebody who presses until a unit is his. `wrong`: refusals that no rule explains."""

    def __init__(self, due_ms: int) -> None:
        self._due_ms = due_ms
        self._link: ClientSocket | None = None
        self._presses = 0
        self._pressed_ms = 0.0
        self._again: asyncio.TimerHandle | None = None
        self._left = False
        self.refused = 0
        self.granted_ms = 0.0
        self.longest_ms = 0.0
        self.wrong: list[str] = []

    async def come(self, browser: httpx2.AsyncClient, origin: str, drop: DropId) -> None:
        page = await browser.get(f"{origin}/drops/{drop}")
        ticket = page.raise_for_status().cookies["fan"]
        browser.cookies.clear()
        self._link = await dial(
            f"ws{origin.removeprefix('http')}/drops/{drop}/live",
            origin=origin,
            cookie=f"fan={ticket}",
            hear=self._hear,
            lost=self._lost,
            within_s=GIVE_UP_S,
        )

    def press(self) -> None:
        assert self._link is not None
        self._presses += 1
        self._pressed_ms = time.time() * 1000
        self._link.send(msgspec.json.encode(wire.Hold(self._presses, f"p{self._presses}", "pin")))

    def _lost(self, code: int) -> None:
        if not self._left:
            self.wrong.append(f"his socket was closed with {code}")

    def leave(self) -> None:
        self._left = True
        if self._again is not None:
            self._again.cancel()
        if self._link is not None:
            self._link.cut()

    def _hear(self, text: bytes) -> None:
        match _heard.decode(text):
            case wire.Done():
                self._answered()
                self.granted_ms = time.time() * 1000
            case wire.Refused(code=code):
                self._answered()
                self.refused += 1
                # The end of the holds comes before every later press, and the line is shorter than
                # the units: whoever pressed after it gets one.
                if code != "all_held" or self._pressed_ms > self._due_ms:
                    self.wrong.append(f"{code}, {self._pressed_ms - self._due_ms:.0f} ms after it")
                self._again = asyncio.get_running_loop().call_later(PRESS_S, self.press)
            case _:
                pass

    def _answered(self) -> None:
        self.longest_ms = max(self.longest_ms, time.time() * 1000 - self._pressed_ms)


async def fill(
    store: Store, drop: DropId, row: list[wire.FanCommand], who: str, at_ms: int
) -> None:
    """Every command by a fan of his own, all at the same moment."""
    for start in range(0, len(row), BATCH):
        batch = [(FanId(f"{who}{start + i}"), c) for i, c in enumerate(row[start : start + BATCH])]
        for outcome in await store.press(drop, batch, clock_ms=at_ms):
            assert isinstance(outcome, outcomes.Granted), outcome


async def measure(units: int, line: int, newcomers: int, say: Progress) -> list[str]:
    """Play it; the sentences of what was not kept."""
    async with throwaway_shop(PROCESSES) as (running, store):
        at_ms = await store.time_ms()
        due_ms = at_ms + AHEAD_S * 1000
        drop = await opened(
            store, one_pool("due", cap=units, hold_s=AHEAD_S), test=True, at_ms=at_ms
        )
        await fill(store, drop, [wire.Hold(0, "k", "pin")] * units, "holder", at_ms)
        say.say(f"{units} holds end in the same millisecond")
        await fill(store, drop, [wire.Join(0, "k", ["pin"])] * line, "waiting", at_ms)
        say.say(f"{line} wait in line")
        crowd = [Newcomer(due_ms) for _ in range(newcomers)]
        async with httpx2.AsyncClient(trust_env=False) as browser:
            for one in crowd:
                await one.come(browser, running.url, drop)
        left_s = due_ms / 1000 - time.time()
        assert left_s > 1, "the carts were filled too slowly: it is due already"
        say.say(f"{newcomers} newcomers are here; it is due in {left_s:.1f} s")

        slow = SlowCalls(store.client)
        await slow.reset()
        await asyncio.sleep(left_s - 0.5)
        for one in crowd:
            one.press()
        over_s = await until_over(store, drop, due_ms, slow, say)
        async with asyncio.timeout(GIVE_UP_S):
            while not all(one.granted_ms for one in crowd):  # noqa: ASYNC110 - fifty events
                await asyncio.sleep(LOOK_S)
        await slow.read()
        for one in crowd:
            one.leave()
        view = await store.view(drop)
        assert not isinstance(view, refusals.Frozen | refusals.NotFound)
        (pool,) = view.pools
        verdict = judge([text async for text in store.log(drop)])
    broken = report(over_s, slow, crowd, say)
    broken += [str(violation) for violation in verdict.violations]
    ends = (pool.free, pool.held, verdict.offers)
    if ends != (units - line - newcomers, line + newcomers, line):
        broken.append(f"{units} units ended as {ends}: free, held, offered to the line")
    return broken


async def until_over(
    store: Store, drop: DropId, due_ms: int, slow: SlowCalls, say: Progress
) -> float:
    """Look from outside, deciding nothing, until nothing is due and nobody is ready; seconds."""
    began_s = time.time()
    while time.time() - began_s < GIVE_UP_S:
        due, ready, past = await asyncio.gather(
            store.client.zcount(keys.one(drop, "due"), "-inf", due_ms),
            store.client.zcard(keys.one(drop, "ready")),
            store.time_ms(),
        )
        if past >= due_ms:
            if not due and not ready:
                return (past - due_ms) / 1000
            say.now(f"{due} are due, {ready} wait")
            await slow.read()
        await asyncio.sleep(LOOK_S)
    return float("inf")


def report(over_s: float, slow: SlowCalls, crowd: list[Newcomer], say: Progress) -> list[str]:
    """Say the figures; the sentences of what was not kept."""
    wrong = [sentence for one in crowd for sentence in one.wrong]
    say.say(f"every unit is offered or free {over_s:.2f} s after the end")
    kept = slow.report(say)
    say.say(
        f"{sum(one.refused for one in crowd)} refusals, {len(wrong)} of them wrong;"
        f" the longest answer took {max(one.longest_ms for one in crowd):.0f} ms"
    )
    if over_s > OVER_S_MAX:
        kept.append(f"it took {over_s:.2f} s, more than {OVER_S_MAX:.0f}")
    return kept + [f"a newcomer was refused wrongly: {sentence}" for sentence in wrong[:5]]


def main(argv: list[str] | None = None) -> int:
    """0 when all is kept, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.mass_expiry", description=__doc__)
    parser.add_argument("--units", type=int, default=15_000)
    parser.add_argument("--line", type=int, default=5_000)
    parser.add_argument("--newcomers", type=int, default=50)
    given = parser.parse_args(argv)
    if given.line + given.newcomers > given.units:
        parser.error("the line and the newcomers must find a unit each")
    with Progress() as say:
        broken = uvloop.run(measure(given.units, given.line, given.newcomers, say))
        for sentence in broken:
            say.say(sentence)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
