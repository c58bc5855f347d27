"""A list of a hundred thousand that opens before five thousand screens: `python -m
loadtest.list_opening`.

The entries are made through the store, the screens watch from a process of their own. From the seal
to the opening no more than 5 s may pass, no call may hold the server up for longer than 15 ms, and
no screen may wait longer than 500 ms for its next tick.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import uvloop

from dropengine import outcomes, wire
from dropengine.config import Settings
from dropengine.creator_commands import Open, Seal
from dropengine.log.referee import judge
from dropengine.manifest import Manifest, parse
from dropengine.model import DropId, DropState, FanId
from dropengine.processes.open_file_limit import raise_file_limit
from dropengine.randomness import QUICKNET, Source
from dropengine.sql import draw_secrets
from dropengine.sql.database import Database
from dropengine.terminal.progress import Progress
from dropengine.truth.replies import Sealed, ViewReply
from dropengine.truth.store import Store
from loadtest.slow_calls import SlowCalls
from loadtest.swarm import AGAIN, Seen
from loadtest.throwaway_shop import BY, throwaway_shop

PROCESSES = 2
BATCH = 256
UNITS = 2_000
LOOK_S = 0.02
SETTLED_S = 3.0
"""What is left to tell of the joins is told before the seal."""
OPEN_S_MAX = 5.0
GAP_MS_MAX = 500.0
GIVE_UP_S = 120.0
DROP = DropId("list")


def lobby() -> Manifest:
    """Anybody may enter its list; it is sealed by hand."""
    text = f"""
id = "{DROP}"
title = "List"
maker = "loadtest"
story = "Practice."
mode = "lobby"
guests_may_enter = true
window_seconds = 86400
zone = "UTC"
currency = "EUR"
limit = 1
pace = 0
network_most = 0
practice = true
[[items]]
id = "pin"
title = "Pin"
price = 100
cap = {UNITS}
"""
    return parse(text.encode(), DROP)


@contextlib.asynccontextmanager
async def watching(host: str, drop: str, screens: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """So many screens, in a process of their own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "loadtest.swarm", "--host", host),
        *("--drop", drop, "--fans", str(screens)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def committed(folder: Path) -> Source | None:
    """What the order will follow from: a secret of this shop's, as its panel makes it."""
    database = Database(Settings(data_dir=folder))
    try:
        now_ms = int(time.time() * 1000)
        return await database.write(lambda sql: draw_secrets.named(sql, lobby(), QUICKNET, now_ms))
    finally:
        await database.close()


async def entered(store: Store, entries: int, say: Progress) -> None:
    """So many fans stand in the list."""
    join = wire.Join(0, "k", ["pin"])
    for start in range(0, entries, BATCH):
        many = min(BATCH, entries - start)
        batch = [(FanId(f"f{start + i}"), join) for i in range(many)]
        for outcome in await store.press(DROP, batch):
            assert isinstance(outcome, outcomes.Joined), outcome
        say.now(f"{start + many} of {entries} entered")


async def commanded(store: Store, command: Open | Seal, revision: int) -> int:
    """The drop's revision after it."""
    done = await store.command(DROP, command, revision=revision, by=BY, key=type(command).__name__)
    assert isinstance(done, outcomes.Changed), done
    return done.revision


async def until_open(store: Store, slow: SlowCalls, say: Progress) -> tuple[float, float]:
    """Look from outside until it is live; seconds, and the longest wait for the server's answer."""
    began_s = time.monotonic()
    longest_s = 0.0
    while (over_s := time.monotonic() - began_s) < GIVE_UP_S:
        head = await store.sealed(DROP, most=1)
        longest_s = max(longest_s, time.monotonic() - began_s - over_s)
        assert isinstance(head, Sealed), head
        if head.state == DropState.LIVE:
            return over_s, longest_s
        say.now(f"{head.placed} of {head.entries} have their arrivals")
        await slow.read()
        await asyncio.sleep(LOOK_S)
    return float("inf"), longest_s


async def first_round_over(store: Store, called: int) -> None:
    """So many were called."""
    async with asyncio.timeout(GIVE_UP_S):
        while True:
            view = await store.view(DROP)
            if isinstance(view, ViewReply) and view.pools[0].held >= called:
                return
            await asyncio.sleep(LOOK_S)


async def measure(entries: int, screens: int, say: Progress) -> list[str]:
    """Play it; the sentences of what was not kept."""
    with TemporaryDirectory(prefix="list-") as folder:
        return await _measured(Path(folder), entries, screens, say)


async def _measured(folder: Path, entries: int, screens: int, say: Progress) -> list[str]:
    async with throwaway_shop(PROCESSES, folder) as (running, store):
        chance = await committed(folder)
        done = await store.publish(lobby(), by=BY, key="publish", chance=chance)
        assert isinstance(done, outcomes.Changed), done
        revision = await commanded(store, Open(), done.revision)
        await entered(store, entries, say)
        say.say(f"{entries} entered")
        async with watching(running.url, DROP, screens) as process:
            assert process.stdout is not None
            # It says so once all of them are there.
            async with asyncio.timeout(GIVE_UP_S):
                await process.stdout.readline()
            say.say(f"{screens} screens are there")
            await asyncio.sleep(SETTLED_S)
            slow = SlowCalls(store.client)
            await slow.reset()
            assert process.stdin is not None
            process.stdin.write(AGAIN)
            await commanded(store, Seal(), revision)
            over_s, longest_s = await until_open(store, slow, say)
            out, _ = await process.communicate(b"over\n")
            seen = msgspec.json.decode(out, type=Seen)
            await slow.read()
        await first_round_over(store, min(UNITS, entries))
        verdict = judge([text async for text in store.log(DROP)])
    say.say(f"open {over_s:.2f} s after the seal")
    say.say(f"the longest answer to one who looked took {longest_s * 1000:.0f} ms")
    say.say(
        f"{seen.open} of {seen.wanted} screens to the end, {seen.frames} frames; the longest that "
        f"one waited for its next tick: {seen.longest_gap_ms:.0f} ms"
    )
    broken = slow.report(say) + [str(violation) for violation in verdict.violations]
    if over_s > OPEN_S_MAX:
        broken.append(f"it took {over_s:.2f} s to open, more than {OPEN_S_MAX:.0f}")
    if seen.longest_gap_ms > GAP_MS_MAX:
        broken.append(f"a screen waited {seen.longest_gap_ms:.0f} ms, more than {GAP_MS_MAX:.0f}")
    if seen.open < seen.wanted or seen.why:
        broken.append(f"{seen.open} of {seen.wanted} screens stayed: {seen.why}")
    if verdict.offers < min(UNITS, entries):
        broken.append(f"{verdict.offers} were called, and there were units for {UNITS}")
    return broken


def main(argv: list[str] | None = None) -> int:
    """0 when all is kept, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.list_opening", description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--screens", type=int, default=5_000)
    given = parser.parse_args(argv)
    raise_file_limit()
    with Progress() as say:
        broken = uvloop.run(measure(given.entries, given.screens, say))
        for sentence in broken:
            say.say(sentence)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
