"""Ticks on their way to the sockets: nobody waits for a slow one, and nothing is lost in part."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dropengine import wire
from dropengine.live.seat import Frame, Seat
from dropengine.model import FanId
from dropengine.truth.replies import ViewReply
from tests.kit import web_process
from tests.kit.room_by_hand import FrameKeeper, Line, RoomByHand, room_by_hand
from tests.kit.sale import Sale
from tests.kit.web_process import until

server = web_process.server


async def test_a_tick_is_passed_over_for_a_slow_reader_and_given_when_he_is_back(
    sale: Sale, tmp_path: Path
) -> None:
    async with room_by_hand(sale, tmp_path, seat_buffer_bytes_max=1_000) as one:
        (slow, quick) = await one.seated("ada", "ben")
        slow.backlog = 1_001
        for name in ("cleo", "dan"):
            await sale.held(name)
            await one.look()
        assert (len(slow.all("tick")), len(quick.all("tick"))) == (0, 2)
        slow.backlog = 0
        one.room.fan_out.drain()
        await one.quiet()
        assert slow.last("tick")["seq"] == quick.last("tick")["seq"]
        # What he missed of the line comes with his whole state.
        assert one.store.read[-1] == ["ada"]
        assert slow.heard[-1]["t"] == "you"


async def test_one_who_stays_behind_is_sent_away(sale: Sale, tmp_path: Path) -> None:
    async with room_by_hand(
        sale, tmp_path, seat_buffer_bytes_max=1_000, seat_behind_ms_max=0
    ) as one:
        (slow, quick) = await one.seated("ada", "ben")
        slow.backlog = 1_001
        await sale.held("cleo")
        await one.look()
        one.room.fan_out.drain()
        assert (slow.code, quick.code) == (wire.CloseCode.BEHIND, 0)
        assert set(one.room.fans) == {"ben"}


async def test_personal_frames_are_kept_up_to_a_limit(sale: Sale, tmp_path: Path) -> None:
    async with room_by_hand(sale, tmp_path) as one:
        (slow,) = await one.seated("ada")
        slow.backlog = 1 << 18
        await one.press("ada", "hold")
        assert slow.last("you")["used"] == 1
        slow.backlog += 1
        await one.press("ada", "hold", qty=2)
        assert slow.code == wire.CloseCode.BEHIND


@pytest.fixture
def lines() -> Iterator[list[Line]]:
    three = [Line() for _ in range(3)]
    yield three
    for line in three:
        line.close()


async def told(one: RoomByHand, buyer: str) -> bytes:
    """Somebody buys and the screens are told: the bytes of that tick."""
    await one.sale.held(buyer)
    await one.look()
    assert one.room.fan_out.tick is not None
    return one.room.fan_out.tick.raw


async def test_a_socket_that_is_full_or_gone_keeps_no_tick_from_the_others(
    sale: Sale, tmp_path: Path, lines: list[Line]
) -> None:
    async with room_by_hand(sale, tmp_path) as one:
        for line in lines:
            one.room.sit(line.screen, None)
        await one.look()
        full, gone, good = lines
        assert b'"t":"snapshot"' in good.heard()
        full.stuff()
        gone.far.close()
        ticks = [await told(one, name) for name in ("ada", "ben")]
        assert good.heard() == b"".join(ticks)
        # What it did not take is its owner's to send; he says when it is full.
        assert full.screen.rests == ticks


async def test_a_tick_that_was_taken_in_part_goes_on_where_it_stopped(
    sale: Sale, tmp_path: Path, lines: list[Line]
) -> None:
    line = lines[0]
    async with room_by_hand(sale, tmp_path) as one:
        seat = one.room.sit(line.screen, FanId("ada"))
        await one.quiet()
        await one.look()
        line.heard()
        # Larger than any socket's buffer.
        sent = Frame(b"x" * (1 << 23))
        seat.push(sent)
        (rest,) = line.screen.rests
        assert 0 < len(rest) < len(sent.raw)
        assert line.heard() + rest == sent.raw
        line.screen.rests.clear()
        one.room.fan_out.send(sent)
        (rest,) = line.screen.rests
        assert 0 < len(rest) < len(sent.raw)
        assert line.heard() + rest == sent.raw


async def test_only_its_transport_says_that_a_full_socket_has_drained(
    sale: Sale, tmp_path: Path, lines: list[Line]
) -> None:
    """It says once that it is full; were it written to before it drained, it would never again."""
    line = lines[0]
    async with room_by_hand(sale, tmp_path) as one:
        seat = one.room.sit(line.screen, FanId("ada"))
        await one.quiet()
        assert b'"t":"snapshot"' in line.heard()
        one.room.fan_out.full(seat)
        one.room.fan_out.full(seat)
        for name in ("ben", "cleo"):
            await told(one, name)
            one.room.fan_out.drain()
        assert (line.heard(), line.screen.heard) == (b"", [])
        one.room.fan_out.drained(seat)
        one.room.fan_out.drained(seat)
        assert one.room.fan_out.tick is not None
        assert line.heard() == one.room.fan_out.tick.raw
        await one.quiet()
        assert b'"t":"you"' in line.heard()
        newest = await told(one, "dan")
        assert line.heard() == newest


async def asking(one: RoomByHand, line: Line) -> Seat:
    """Ada, with a command on its way."""
    seat = one.room.sit(line.screen, FanId("ada"))
    await one.quiet()
    await one.look()
    line.heard()
    one.room.fan_out.asks(seat)
    return seat


async def test_a_tick_goes_out_with_the_answer_that_is_awaited(
    sale: Sale, tmp_path: Path, lines: list[Line]
) -> None:
    line = lines[0]
    async with room_by_hand(sale, tmp_path) as one:
        seat = await asking(one, line)
        owed = await told(one, "ben")
        assert line.heard() == b""
        answer = Frame(b'{"t":"done"}')
        one.room.fan_out.answered(seat)
        seat.push(answer)
        # What is older stands first.
        assert line.heard() == owed + answer.raw
        newest = await told(one, "cleo")
        assert line.heard() == newest


async def test_a_tick_waits_for_an_answer_no_longer_than_for_the_next_tick(
    sale: Sale, tmp_path: Path, lines: list[Line]
) -> None:
    line = lines[0]
    async with room_by_hand(sale, tmp_path) as one:
        await asking(one, line)
        first = await told(one, "ben")
        assert line.heard() == b""
        second = await told(one, "cleo")
        assert line.heard() == first + second


async def test_without_another_tick_it_goes_out_alone_after_a_moment(
    sale: Sale, tmp_path: Path, lines: list[Line]
) -> None:
    line = lines[0]
    async with room_by_hand(sale, tmp_path) as one:
        await asking(one, line)
        owed = await told(one, "ben")
        assert line.heard() == b""
        heard: list[bytes] = []

        def came() -> bool:
            heard.append(line.heard())
            return any(heard)

        await until(came)
        assert b"".join(heard) == owed


async def test_who_reads_too_slowly_or_left_is_owed_no_old_tick(
    sale: Sale, tmp_path: Path, lines: list[Line]
) -> None:
    line = lines[0]
    async with room_by_hand(sale, tmp_path) as one:
        seat = await asking(one, line)
        newest = await told(one, "ben")
        one.room.fan_out.full(seat)
        one.room.fan_out.answered(seat)
        one.room.fan_out.drained(seat)
        one.room.fan_out.drain()
        assert line.heard() == newest
        # Now his state comes, which holds what he missed.
        await one.quiet()
        assert b'"t":"you"' in line.heard()
        one.room.fan_out.asks(seat)
        await told(one, "cleo")
        one.room.leave(seat)
        one.room.fan_out.drain()
        assert line.heard() == b""


def seqs(heard: bytes) -> list[int]:
    """What the states in these frames say that they know: snapshots and ticks."""
    return [int(n) for n in re.findall(rb'"t":"(?:snapshot|tick)","seq":(\d+)', heard)]


@pytest.mark.parametrize("fan", [None, FanId("ada")])
async def test_who_catches_up_is_told_nothing_older_than_his_snapshot(
    sale: Sale, tmp_path: Path, lines: list[Line], fan: FanId | None
) -> None:
    line = lines[0]
    async with room_by_hand(sale, tmp_path) as one:
        room = one.room
        seat = room.sit(line.screen, fan)
        await one.quiet()
        await told(one, "ben")
        tick = room.fan_out.tick
        # A look out of turn for somebody who asks: its state is in snapshots before any tick.
        await sale.held("cleo")
        view = await one.store.view(room.drop)
        assert isinstance(view, ViewReply)
        room.show(view, None)
        room.greet(seat, fan)
        await one.quiet()
        room.fan_out.full(seat)
        room.fan_out.drained(seat)
        assert room.fan_out.tick is tick
        heard = seqs(line.heard())
        assert heard == sorted(heard)
        assert heard[-1] == room.view.seq  # type: ignore[union-attr]


@pytest.mark.parametrize("direct", [True, False])
async def test_who_catches_up_while_the_server_is_away_is_told_so(
    sale: Sale, tmp_path: Path, lines: list[Line], *, direct: bool
) -> None:
    line = lines[0]
    async with room_by_hand(sale, tmp_path, seat_buffer_bytes_max=1_000) as one:
        room = one.room
        screen = line.screen if direct else FrameKeeper()
        seat = room.sit(screen, None)
        await one.look()
        await told(one, "ben")
        if direct:
            room.fan_out.full(seat)
        else:
            screen.backlog = 1_001
            await told(one, "cleo")
        line.heard()
        room.away = True
        screen.backlog = 0
        room.fan_out.drained(seat) if direct else room.fan_out.drain()
        last = line.heard() if direct else screen.frames[-1].text
        assert last.count(b'"away":true') == 1
        # The server is back before the next tick: what comes then is no lie either.
        room.fan_out.full(seat)
        screen.backlog = 1_001
        room.away = False
        screen.backlog = 0
        room.fan_out.drained(seat) if direct else room.fan_out.drain()
        last = line.heard() if direct else screen.frames[-1].text
        assert b'"away"' not in last
