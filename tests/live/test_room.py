"""One drop in one worker: who sits where, and how what is personal reaches him."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dropengine import outcomes, wire
from dropengine.errors import Unavailable
from dropengine.live import views
from dropengine.live.seat import Frame, Seat
from dropengine.model import FanId
from tests.conftest import MakeSale
from tests.kit import web_process
from tests.kit.manifests import item
from tests.kit.room_by_hand import FrameKeeper, Line, RoomByHand, rig
from tests.kit.sale import Sale
from tests.kit.web_process import until

server = web_process.server


async def test_the_first_thing_that_a_screen_gets_is_its_snapshot(
    sale: Sale, tmp_path: Path
) -> None:
    async with rig(sale, tmp_path) as one:
        one.store.gate.clear()
        screen = one.screen("ada")
        await sale.held("ben")
        await sale.creator("message", text="hello")
        assert await one.relay.look() is not None
        assert screen.heard == []
        one.store.gate.set()
        await one.quiet()
        assert screen.heard[0]["t"] == "snapshot"
        assert [news["text"] for news in screen.heard[0]["drop"]["news"]] == ["hello"]


async def test_who_says_who_he_is_before_the_first_view_gets_one_snapshot_his_own(
    sale: Sale, tmp_path: Path
) -> None:
    async with rig(sale, tmp_path) as one:
        one.room.view = None
        one.store.gate.clear()
        screen = one.screen()
        (seat,) = one.room.seats
        one.room.greet(seat, FanId("ada"))
        assert await one.relay.look() is not None
        one.store.gate.set()
        await one.quiet()
        assert [snapshot["you"]["fan"] for snapshot in screen.all("snapshot")] == ["ada"]


async def test_leaving_twice_is_harmless_and_nobody_is_left(sale: Sale, tmp_path: Path) -> None:
    async with rig(sale, tmp_path) as one:
        await one.seated("ada", "ada", "ben")
        first, *others = list(one.room.seats)
        one.room.leave(first)
        one.room.leave(first)
        assert set(one.room.fans) == {"ada", "ben"}
        for seat in others:
            one.room.leave(seat)
        assert not one.room.seats
        assert not one.room.fans


async def test_nothing_comes_after_a_seat_was_left(sale: Sale, tmp_path: Path) -> None:
    async with rig(sale, tmp_path) as one:
        (screen,) = await one.seated("ada")
        (seat,) = one.room.seats
        count = len(screen.heard)
        seat.end(1000, "")
        await one.press("ada", "hold")
        await one.look()
        assert len(screen.heard) == count
        assert screen.code == 1000


async def test_one_who_left_while_he_was_being_read_is_not_told(sale: Sale, tmp_path: Path) -> None:
    async with rig(sale, tmp_path) as one:
        one.store.gate.clear()
        screen = one.screen("ada")
        (seat,) = one.room.seats
        await until(lambda: one.store.read)
        seat.end(1000, "")
        one.store.gate.set()
        await one.quiet()
        assert screen.heard == []


async def test_a_plain_hold_is_shown_on_every_screen_without_reading(
    sale: Sale, tmp_path: Path
) -> None:
    async with rig(sale, tmp_path) as one:
        screens = await one.seated("ada", "ada")
        one.store.read.clear()
        held = await one.press("ada", "hold")
        assert isinstance(held, outcomes.Held)
        await one.press("ada", "extend", hold=held.id)
        await one.press("ada", "pay", hold=held.id)
        await one.press("ada", "release", hold=held.id)
        await one.press("ada", "hold", qty=2)
        assert one.store.read == []
        for screen in screens:
            told = [
                ([(h["qty"], h["state"]) for h in you["holds"]], you["used"])
                for you in screen.all("you")
            ]
            assert told == [
                ([(1, "active")], 1),
                ([(1, "active")], 1),
                ([(1, "paying")], 1),
                ([], 0),
                ([(2, "active")], 2),
            ]
            assert screen.last("you")["ended"]["state"] == "released"
        # What was applied here is exactly what is read.
        await one.look()
        one.room.fan_states.want(FanId("ada"))
        await one.quiet()
        seen, read = screens[0].all("you")[-2:]
        del seen["seq"], read["seq"]
        assert seen == read


async def test_a_fan_in_the_line_is_read_instead(make_sale: MakeSale, tmp_path: Path) -> None:
    sale = await make_sale(item("pin", {"pin": 3}), item("mug", {"mug": 1}))
    await sale.held("holder", "mug")
    async with rig(sale, tmp_path) as one:
        (ada,) = await one.seated("ada")
        one.store.read.clear()
        outcome = await sale.join("ada", "mug")
        assert isinstance(outcome, outcomes.Joined)
        one.room.fan_states.note(FanId("ada"), outcome)
        await one.quiet()
        await one.press("ada", "hold")
        await one.quiet()
        assert one.store.read == [["ada"], ["ada"]]
        you = ada.last("you")
        assert (len(you["entries"]), len(you["holds"])) == (1, 1)


async def test_an_answer_that_comes_late_does_not_undo_a_newer_one(
    sale: Sale, tmp_path: Path
) -> None:
    async with rig(sale, tmp_path) as one:
        (ada,) = await one.seated("ada")
        first = await sale.hold("ada")
        second = await sale.hold("ada", qty=2)
        assert isinstance(first, outcomes.Held)
        assert isinstance(second, outcomes.Held)
        one.room.fan_states.note(FanId("ada"), second)
        one.room.fan_states.note(FanId("ada"), first)
        await one.quiet()
        assert [hold["qty"] for hold in ada.last("you")["holds"]] == [1, 2]
        seqs = [you["seq"] for you in ada.all("you")]
        assert seqs == sorted(seqs)


async def test_you_is_never_older_than_the_one_sent(sale: Sale, tmp_path: Path) -> None:
    async with rig(sale, tmp_path) as one:
        (ada,) = await one.seated("ada")
        one.store.gate.clear()
        one.room.fan_states.want(FanId("ada"))
        await until(lambda: one.store.replies == 2)
        # The old state is on its way while a press is granted.
        held = await one.press("ada", "hold")
        assert isinstance(held, outcomes.Held)
        assert ada.last("you")["used"] == 1
        one.store.gate.set()
        await one.quiet()
        assert [you["used"] for you in ada.all("you")] == [1]


async def test_a_change_while_a_fan_is_read_makes_him_be_read_again(
    sale: Sale, tmp_path: Path
) -> None:
    async with rig(sale, tmp_path) as one:
        one.store.gate.clear()
        ada = one.screen("ada")
        await until(lambda: one.store.replies)
        await sale.held("ada")
        assert await one.relay.look() is not None
        one.store.gate.set()
        await one.quiet()
        you = ada.last("you") if ada.all("you") else ada.heard[0]["you"]
        assert you["used"] == 1


async def test_one_who_could_not_be_read_is_read_at_the_next_look(
    sale: Sale, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with rig(sale, tmp_path) as one:
        one.store.faults.append(Unavailable("no reply"))
        screens = [one.screen("ada"), one.screen("ben")]
        await one.quiet()
        assert [screen.heard for screen in screens] == [[], []]
        await one.look()
        assert [screen.heard[0]["t"] for screen in screens] == ["snapshot"] * 2
        assert "could not be read" in caplog.text


async def test_many_fans_are_read_in_batches(make_sale: MakeSale, tmp_path: Path) -> None:
    sale = await make_sale()
    async with rig(sale, tmp_path) as one:
        await one.seated(*(f"f{n}" for n in range(600)))
        # The first went alone; who came while it was on its way went together.
        assert sum(len(fans) for fans in one.store.read) == 600
        assert max(len(fans) for fans in one.store.read) == 256
        assert len(one.store.read) <= 4


async def test_an_end_without_a_sale_is_told_with_its_reason(sale: Sale, tmp_path: Path) -> None:
    async with rig(sale, tmp_path) as one:
        (ada,) = await one.seated("ada")
        hold = await sale.held("ada")
        await one.look()
        assert ada.last("you")["ended"] is None
        sale.now += 24 * 3_600_000
        await sale.settle()
        await one.look()
        ended = ada.last("you")["ended"]
        assert (ended["id"], ended["state"]) == (hold, "expired")


async def test_a_tick_is_passed_over_for_a_slow_reader_and_given_when_he_is_back(
    sale: Sale, tmp_path: Path
) -> None:
    async with rig(sale, tmp_path, seat_buffer_bytes_max=1_000) as one:
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
    async with rig(sale, tmp_path, seat_buffer_bytes_max=1_000, seat_behind_ms_max=0) as one:
        (slow, quick) = await one.seated("ada", "ben")
        slow.backlog = 1_001
        await sale.held("cleo")
        await one.look()
        one.room.fan_out.drain()
        assert (slow.code, quick.code) == (wire.CloseCode.BEHIND, 0)
        assert set(one.room.fans) == {"ben"}


async def test_personal_frames_are_kept_up_to_a_limit(sale: Sale, tmp_path: Path) -> None:
    async with rig(sale, tmp_path) as one:
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
    async with rig(sale, tmp_path) as one:
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
    async with rig(sale, tmp_path) as one:
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


async def test_only_its_transport_says_that_a_full_socket_has_drained(
    sale: Sale, tmp_path: Path, lines: list[Line]
) -> None:
    """It says once that it is full; were it written to before it drained, it would never again."""
    line = lines[0]
    async with rig(sale, tmp_path) as one:
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
    async with rig(sale, tmp_path) as one:
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
    async with rig(sale, tmp_path) as one:
        await asking(one, line)
        first = await told(one, "ben")
        assert line.heard() == b""
        second = await told(one, "cleo")
        assert line.heard() == first + second


async def test_without_another_tick_it_goes_out_alone_after_a_moment(
    sale: Sale, tmp_path: Path, lines: list[Line]
) -> None:
    line = lines[0]
    async with rig(sale, tmp_path) as one:
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
    async with rig(sale, tmp_path) as one:
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


@pytest.mark.parametrize(
    ("place", "k", "latest"), [(1, 5, 2), (4, 5, 5), (5, 5, 7), (1, 2, 2), (10, 2, 20), (7, 1, 7)]
)
def test_the_latest_turn_is_rounded_up(place: int, k: int, latest: int) -> None:
    assert views.latest_turn(place, k) == latest


async def test_a_drop_without_a_free_or_a_held_unit_is_sold_out(
    make_sale: MakeSale, tmp_path: Path
) -> None:
    sale = await make_sale(item("pin", {"pin": 1}))
    async with rig(sale, tmp_path) as one:
        screen: FrameKeeper = one.screen()
        hold = await sale.held("ada")
        assert (await one.look()).state == "live"
        assert screen.last("tick")["state"] == "live"
        await sale.succeeded(hold, captured=True)
        await one.look()
        assert screen.last("tick")["state"] == "sold_out"
        await sale.refund(hold)
        await one.look()
        assert screen.last("tick")["state"] == "live"
