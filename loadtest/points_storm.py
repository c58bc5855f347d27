"""A storm of points over a line of a hundred thousand: `python -m loadtest.points_storm`.

The entries and the points come through the store, as the shop's own job brings them; screens watch
from a process of their own, and some fans of the line look at their own places. Meanwhile the line
calls. A fan's points may take no longer than 1 s to his screen at the 99th percentile, no script
may run longer than 5 ms, and no screen may wait longer than 500 ms for its next tick.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import deque
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import msgspec
import uvloop

from dropengine import outcomes, wire
from dropengine.config import Settings
from dropengine.creator_commands import Add
from dropengine.data_directory import secret
from dropengine.jobs.ledger.crediting import TOLD_AT_ONCE
from dropengine.log.referee import judge
from dropengine.manifest import Manifest, parse
from dropengine.model import DropId, FanId
from dropengine.people.tickets import Tickets, pseudonym
from dropengine.processes.open_file_limit import raise_file_limit
from dropengine.rehearsal.fans.client_socket import ClientSocket, dial
from dropengine.rehearsal.history.checks import percentile
from dropengine.terminal.progress import Progress
from dropengine.truth.replies import Pointed
from dropengine.truth.store import Pointing, Store
from loadtest.list_opening import watching
from loadtest.slow_calls import SlowCalls
from loadtest.swarm import AGAIN, Seen
from loadtest.throwaway_shop import BY, opened, throwaway_shop

PROCESSES = 2
BATCH = 256
UNITS = 5_000
ADDED = 10
ADD_EVERY_S = 0.5
POINTS = 30
OWN_SHARE = 4
"""One change in so many is of somebody who looks."""
SETTLED_S = 3.0
HEARD_S = 3.0
"""What was said last may take so long until it counts as never heard."""
AT_ONCE = 64
OPEN_S = 20.0
GIVE_UP_S = 120.0
EFFECT_MS_MAX = 1_000
GAP_MS_MAX = 500.0
SCRIPT_MS_MAX = 5.0
DROP = DropId("storm")
YOU = b'{"t":"you"'
TICK = b'{"t":"tick"'

_heard: msgspec.json.Decoder[wire.ToFanMessage] = msgspec.json.Decoder(wire.ToFanMessage)


def storm() -> Manifest:
    """One item, of which nothing is for sale yet: everybody stands in line."""
    text = f"""
id = "{DROP}"
title = "Storm"
maker = "loadtest"
story = "Practice."
mode = "rush"
zone = "UTC"
currency = "EUR"
limit = 1
pace = 0
network_most = 0
practice = true
points_until = "close"
[friends]
worth = 1
most = {POINTS}
[[items]]
id = "pin"
title = "Pin"
price = 100
cap = {UNITS}
withheld = {UNITS}
"""
    return parse(text.encode(), DROP)


class Looker:
    """A fan of the line before his own screen. effects_ms: from when his points were said to when
    he saw them."""

    def __init__(self, fan: FanId) -> None:
        self.fan = fan
        self.socket: ClientSocket | None = None
        self.said: deque[tuple[int, float]] = deque()
        self.effects_ms: list[int] = []
        self.since_s = 0.0
        self.tick_s = 0.0
        self.longest_gap_ms = 0.0
        self.left = False
        self.lost = ""

    async def come(self, host: str, ticket: str) -> None:
        self.socket = await dial(
            f"{host.replace('http', 'ws', 1)}/drops/{DROP}/live",
            origin=host,
            cookie=f"fan={ticket}",
            hear=self._hear,
            lost=self._gone,
            within_s=OPEN_S,
        )

    def again(self) -> None:
        """The measure begins."""
        self.since_s, self.longest_gap_ms = time.monotonic(), 0.0

    def leave(self) -> None:
        self.left = True
        if self.socket is not None:
            self.socket.cut()

    def _gone(self, code: int) -> None:
        if not self.left:
            self.lost = f"closed with {code}"

    def _hear(self, frame: bytes) -> None:
        now_s = time.monotonic()
        if frame.startswith(TICK):
            if self.tick_s and self.since_s:
                gap_s = now_s - max(self.tick_s, self.since_s)
                self.longest_gap_ms = max(self.longest_gap_ms, gap_s * 1000)
            self.tick_s = now_s
        elif self.said and frame.startswith(YOU):
            you = _heard.decode(frame)
            assert isinstance(you, wire.You)
            self._seen({entry.points for entry in you.entries if entry.boost}, now_s)

    def _seen(self, points: set[int], now_s: float) -> None:
        """What was said before what he sees was overtaken by it: it has had its effect too."""
        found = next((i for i, (said, _) in enumerate(self.said) if said in points), None)
        for _ in range(0 if found is None else found + 1):
            self.effects_ms.append(round((now_s - self.said.popleft()[1]) * 1000))


async def in_line(store: Store, fans: list[FanId], say: Progress) -> None:
    """All of them join."""
    join = wire.Join(0, "k", ["pin"])
    for start in range(0, len(fans), BATCH):
        batch = [(fan, join) for fan in fans[start : start + BATCH]]
        for outcome in await store.press(DROP, batch):
            assert isinstance(outcome, outcomes.Joined), outcome
        say.now(f"{start + len(batch)} of {len(fans)} in line")


class Clouds:
    """Where the points come from: the next rows of a call, each of another fan."""

    def __init__(self, lookers: list[Looker], others: list[FanId]) -> None:
        self._lookers, self._others = lookers, others
        self._dice = Random(1)
        self._at: dict[FanId, int] = {}
        self._turn = 0

    def rows(self, many: int) -> list[Pointing]:
        own = min(many // OWN_SHARE, len(self._lookers))
        mine = [self._lookers[(self._turn + i) % len(self._lookers)] for i in range(own)]
        self._turn += own
        rows = [self._row(one.fan) for one in mine]
        now_s = time.monotonic()
        for one, row in zip(mine, rows, strict=True):
            one.said.append((row.points, now_s))
        rows += [self._row(fan) for fan in self._dice.sample(self._others, many - own)]
        return rows

    def _row(self, fan: FanId) -> Pointing:
        at = self._at[fan] = self._at.get(fan, 0) + 1
        # Up, and taken back: no two neighbours are equal, so the screen tells which one it shows.
        points = 1 + at * 7 % POINTS
        return Pointing(fan, at, points, "friend" if at % 3 else "taken_back")


async def poured(store: Store, clouds: Clouds, per_s: int, seconds: int, slow: SlowCalls) -> float:
    """So many changes a second; how many ms the longest call took, seen from here."""
    begun_s = time.monotonic()
    longest_ms = 0.0
    done = 0
    while done < per_s * seconds:
        due_s = begun_s + done / per_s
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        rows = clouds.rows(TOLD_AT_ONCE)
        asked_s = time.monotonic()
        reply = await store.point(DROP, rows)
        longest_ms = max(longest_ms, (time.monotonic() - asked_s) * 1000)
        assert isinstance(reply, Pointed), reply
        done += len(rows)
        if done % (per_s or 1) < TOLD_AT_ONCE:
            await slow.read()
    return longest_ms


async def calling(store: Store, revision: int) -> None:
    """The line moves meanwhile."""
    for number in range(UNITS // ADDED):
        command = Add("pin", ADDED)
        done = await store.command(DROP, command, revision=revision, by=BY, key=f"add{number}")
        assert isinstance(done, outcomes.Changed), done
        revision = done.revision
        await asyncio.sleep(ADD_EVERY_S)


async def measure(given: argparse.Namespace, say: Progress) -> list[str]:
    """Play it; the sentences of what was not kept."""
    with TemporaryDirectory(prefix="storm-") as folder:
        return await _measured(Path(folder), given, say)


async def _measured(folder: Path, given: argparse.Namespace, say: Progress) -> list[str]:
    async with throwaway_shop(PROCESSES, folder) as (running, store):
        await opened(store, storm())
        settings = Settings(data_dir=folder)
        tickets = Tickets(secret(settings).decode(), settings.ticket_days)
        made = [tickets.issue(int(time.time())) for _ in range(given.own)]
        lookers = [Looker(pseudonym(ticket.key, DROP)) for ticket, _ in made]
        others = [FanId(f"f{i}") for i in range(given.entries - given.own)]
        everybody = [*others, *(one.fan for one in lookers)]
        Random(2).shuffle(everybody)
        await in_line(store, everybody, say)
        say.say(f"{given.entries} in line")
        view = await store.view(DROP)
        revision = getattr(view, "revision", 0)
        async with watching(running.url, DROP, given.screens) as process:
            assert process.stdout is not None
            assert process.stdin is not None
            async with asyncio.timeout(GIVE_UP_S):
                await process.stdout.readline()
            for start in range(0, given.own, AT_ONCE):
                some = zip(lookers[start : start + AT_ONCE], made[start:], strict=False)
                await asyncio.gather(*(one.come(running.url, text) for one, (_, text) in some))
            say.say(f"{given.screens} screens and {given.own} fans of the line look")
            await asyncio.sleep(SETTLED_S)
            slow = SlowCalls(store.client)
            await slow.reset()
            process.stdin.write(AGAIN)
            for one in lookers:
                one.again()
            called = asyncio.create_task(calling(store, revision))
            clouds = Clouds(lookers, others)
            begun_s = time.monotonic()
            longest_ms = await poured(store, clouds, given.per_s, given.seconds, slow)
            over_s = time.monotonic() - begun_s
            called.cancel()
            await asyncio.gather(called, return_exceptions=True)
            await asyncio.sleep(HEARD_S)
            for one in lookers:
                one.leave()
            out, _ = await process.communicate(b"over\n")
            seen = msgspec.json.decode(out, type=Seen)
            await slow.read()
        verdict = judge([text async for text in store.log(DROP)])
    say.say(
        f"{given.per_s * given.seconds} changes in {over_s:.1f} s, {verdict.offers} were called; "
        f"the longest call of points took {longest_ms:.1f} ms from here"
    )
    broken = [*slow.report(say, SCRIPT_MS_MAX), *(str(one) for one in verdict.violations)]
    if over_s > given.seconds * 1.05:
        broken.append(f"{over_s:.1f} s for what should take {given.seconds}")
    return broken + report(lookers, seen, say)


def report(lookers: list[Looker], seen: Seen, say: Progress) -> list[str]:
    """Say what screens saw; the sentences of what was not kept."""
    effects = sorted(ms for one in lookers for ms in one.effects_ms)
    unheard = sum(len(one.said) for one in lookers)
    p50, p99 = percentile(effects, 50), percentile(effects, 99)
    gap_ms = max(seen.longest_gap_ms, *(one.longest_gap_ms for one in lookers))
    say.say(
        f"{len(effects)} effects on their fans' screens: p50 {p50} ms, p99 {p99} ms, the "
        f"longest {max(effects, default=0)} ms"
    )
    say.say(
        f"{seen.open} of {seen.wanted} screens to the end, {seen.frames} frames; the longest that "
        f"one waited for its next tick: {gap_ms:.0f} ms"
    )
    broken = []
    if p99 > EFFECT_MS_MAX:
        broken.append(f"p99 of an effect is {p99} ms, more than {EFFECT_MS_MAX}")
    if unheard:
        broken.append(f"{unheard} changes were never seen")
    if gap_ms > GAP_MS_MAX:
        broken.append(f"a screen waited {gap_ms:.0f} ms, more than {GAP_MS_MAX:.0f}")
    if seen.open < seen.wanted or seen.why:
        broken.append(f"{seen.open} of {seen.wanted} screens stayed: {seen.why}")
    broken += [one.lost for one in lookers if one.lost][:3]
    return broken


def main(argv: list[str] | None = None) -> int:
    """0 when all is kept, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.points_storm", description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--screens", type=int, default=2_000)
    parser.add_argument("--own", type=int, default=500, help="fans of the line who look")
    parser.add_argument("--per-s", type=int, default=1_000, help="changes of points")
    parser.add_argument("--seconds", type=int, default=20)
    given = parser.parse_args(argv)
    raise_file_limit()
    with Progress() as say:
        broken = uvloop.run(measure(given, say))
        for sentence in broken:
            say.say(sentence)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
