"""Watchers and pressers by the thousand: frames however they come, presses that nobody hides."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame, Opcode

from dropengine.rehearsal.fans.client_socket import SUBPROTOCOL, bounds
from dropengine.rehearsal.load.pressers import Pressers
from dropengine.rehearsal.load.watchers import Swarm
from tests.kit.web_process import until

Door = Callable[[ServerConnection], Awaitable[None]]
HELD = '{"t":"done","id":1,"seq":3,"hold":{"id":"h1"}}'
GIVEN_BACK = '{"t":"done","id":2,"seq":4}'
TICK = '{"t":"tick","seq":1,"now":1800000000000}'


@contextlib.asynccontextmanager
async def other_end(door: Door) -> AsyncIterator[str]:
    """Its origin."""
    async with serve(door, "127.0.0.1", 0, subprotocols=[SUBPROTOCOL]) as server:
        (one,) = server.sockets
        yield f"http://127.0.0.1:{one.getsockname()[1]}"


async def kind(socket: ServerConnection) -> None:
    """Everything is granted; every answer has company, and one message comes in pieces."""
    await socket.send(TICK)
    async for message in socket:
        asked = json.loads(message)
        await socket.send(TICK)
        answer = HELD if asked["t"] == "hold" else GIVEN_BACK
        await socket.send([answer[:10], answer[10:]] if asked["t"] == "hold" else answer)


async def silent(socket: ServerConnection) -> None:
    await socket.wait_closed()


async def stingy(socket: ServerConnection) -> None:
    async for _ in socket:
        await socket.send('{"t":"refused","id":1,"seq":2,"code":"away","text":"later"}')


def frame(payload: bytes) -> bytes:
    """As a server writes it."""
    return Frame(Opcode.TEXT, payload).serialize(mask=False)


@given(st.lists(st.sampled_from([0, 1, 125, 126, 127, 65_535, 65_536]), min_size=1), st.data())
def test_a_frame_is_found_wherever_what_came_ends(sizes: list[int], data: st.DataObject) -> None:
    payloads = [bytes([n % 251]) * size for n, size in enumerate(sizes)]
    came = b"".join(frame(one) for one in payloads)
    cut = data.draw(st.integers(0, len(came)))
    found, at = [], 0
    while at < cut:
        begin, end = bounds(came[:cut], at)
        if end > cut:
            # Not whole yet: and when it is, it is where it was said to be.
            assert bounds(came, at)[1] > cut
            break
        found.append(came[begin:end])
        at = end
    assert found == payloads[: len(found)]
    whole = sum(len(frame(one)) for one in payloads[: len(found) + 1])
    assert len(found) == len(payloads) or whole > cut


async def test_pressers_hold_and_give_back_in_turn_at_the_pace_that_is_asked() -> None:
    async with other_end(kind) as url:
        pressers = Pressers(url, "pins", "pin", "fan")
        await pressers.arrive(["t"] * 5)
        assert pressers.open == 5
        paced = await pressers.pace(100, 0.5, 0.1)
        assert paced.lost == 0
        assert pressers.answered > 0
        assert not pressers.refused
        assert 0 < paced.p50_ms <= paced.p99_ms
        pressers.leave()


async def test_a_shop_that_does_not_answer_cannot_hide_it() -> None:
    async with other_end(silent) as url:
        pressers = Pressers(url, "pins", "pin", "fan")
        await pressers.arrive(["t"] * 2)
        paced = await pressers.pace(200, 0.3, 0.0)
        # Two presses are out, and all that were due meanwhile waited behind them.
        assert (paced.did, paced.lost) == (0, 2)
        assert len(pressers.waits_us) > 2
        assert paced.p99_ms >= 1_000
        pressers.leave()


async def test_what_is_refused_is_no_press_that_was_carried() -> None:
    async with other_end(stingy) as url:
        pressers = Pressers(url, "pins", "pin", "fan")
        await pressers.arrive(["t"])
        paced = await pressers.pace(50, 0.3, 0.0)
        assert paced.lost == pressers.refused["away"] > 0
        pressers.leave()


async def test_everybody_presses_at_once_and_again_after_each_answer() -> None:
    async with other_end(kind) as url:
        pressers = Pressers(url, "pins", "pin", "fan")
        await pressers.arrive(["t"] * 5)
        burst = await pressers.flat_out(0.3)
        assert burst.lost == 0
        assert pressers.answered > 5
        pressers.leave()


def there(swarm: Swarm, count: int) -> bool:
    return swarm.open == count and swarm.frames >= count


async def test_a_swarm_grows_and_shrinks_and_counts_what_it_is_sent() -> None:
    async with other_end(kind) as url:
        swarm = Swarm(url, "pins", lag_every=1)
        for count in (3, 8, 2):
            await swarm.resize(count)
            await until(partial(there, swarm, count))
        assert swarm.frames >= 8
        assert swarm.bytes == swarm.frames * len(TICK)
        assert len(swarm.lags_ms) == swarm.frames
        await swarm.close()
        assert swarm.open == 0
