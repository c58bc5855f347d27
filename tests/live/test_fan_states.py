"""What is personal: read again when it changed, told whole, and never an older one after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropengine import outcomes, wire
from dropengine.errors import Unavailable
from dropengine.model import FanId
from tests.conftest import MakeSale
from tests.kit import web_process
from tests.kit.manifests import item
from tests.kit.room_by_hand import room_by_hand
from tests.kit.sale import Sale
from tests.kit.web_process import until

server = web_process.server


async def test_one_who_left_while_he_was_being_read_is_not_told(sale: Sale, tmp_path: Path) -> None:
    async with room_by_hand(sale, tmp_path) as one:
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
    async with room_by_hand(sale, tmp_path) as one:
        screens = await one.seated("ada", "ada")
        one.store.read.clear()
        held = await one.press("ada", "hold")
        assert isinstance(held, outcomes.Held)
        await one.press("ada", "extend", hold=held.id)
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


async def test_a_basket_is_shown_without_reading_and_what_is_being_paid_is_read(
    make_sale: MakeSale, tmp_path: Path
) -> None:
    sale = await make_sale(item("pin", {"pin": 3}), item("mug", {"mug": 3}))
    async with room_by_hand(sale, tmp_path) as one:
        (ada,) = await one.seated("ada")
        one.store.read.clear()
        wants = [wire.Want(["pin"]), wire.Want(["mug"])]
        outcome = await sale.press("ada", wire.Basket(0, "basket", wants))
        assert isinstance(outcome, outcomes.Basketed)
        one.room.fan_states.note(FanId("ada"), outcome)
        you = ada.last("you")
        assert ([hold["pool"] for hold in you["holds"]], you["used"]) == (["pin", "mug"], 2)
        first, second = (hold["id"] for hold in you["holds"])
        paying = await one.press("ada", "pay", first, second)
        assert isinstance(paying, outcomes.Paying)
        (payment,) = ada.last("you")["payments"]
        assert (payment["holds"], payment["state"]) == ([first, second], "open")
        assert [hold["state"] for hold in ada.last("you")["holds"]] == ["paying", "paying"]
        await one.quiet()
        assert one.store.read == []
        # To end one of its holds may end the payment too.
        await one.press("ada", "release", first)
        await until(lambda: [hold["id"] for hold in ada.last("you")["holds"]] == [second])
        assert one.store.read != []


async def test_a_fan_in_the_line_is_read_instead(make_sale: MakeSale, tmp_path: Path) -> None:
    sale = await make_sale(item("pin", {"pin": 3}), item("mug", {"mug": 1}))
    await sale.held("holder", "mug")
    async with room_by_hand(sale, tmp_path) as one:
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
    async with room_by_hand(sale, tmp_path) as one:
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
        # Told once more when all of it is known, it changes nothing and is not told again.
        heard = len(ada.heard)
        assert one.room.fan_states.note(FanId("ada"), first) is None
        await one.quiet()
        assert len(ada.heard) == heard


async def test_you_is_never_older_than_the_one_sent(sale: Sale, tmp_path: Path) -> None:
    async with room_by_hand(sale, tmp_path) as one:
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
    async with room_by_hand(sale, tmp_path) as one:
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
    async with room_by_hand(sale, tmp_path) as one:
        one.store.faults.append(Unavailable("no reply"))
        screens = [one.screen("ada"), one.screen("ben")]
        await one.quiet()
        assert [screen.heard for screen in screens] == [[], []]
        await one.look()
        assert [screen.heard[0]["t"] for screen in screens] == ["snapshot"] * 2
        assert "could not be read" in caplog.text


async def test_many_fans_are_read_in_batches(make_sale: MakeSale, tmp_path: Path) -> None:
    sale = await make_sale()
    async with room_by_hand(sale, tmp_path) as one:
        await one.seated(*(f"f{n}" for n in range(600)))
        # The first went alone; who came while it was on its way went together.
        assert sum(len(fans) for fans in one.store.read) == 600
        assert max(len(fans) for fans in one.store.read) == 256
        assert len(one.store.read) <= 4


async def test_an_end_without_a_sale_is_told_with_its_reason(sale: Sale, tmp_path: Path) -> None:
    async with room_by_hand(sale, tmp_path) as one:
        (ada,) = await one.seated("ada")
        hold = await sale.held("ada")
        await one.look()
        assert ada.last("you")["ended"] is None
        sale.now += 24 * 3_600_000
        await sale.settle()
        await one.look()
        ended = ada.last("you")["ended"]
        assert (ended["id"], ended["state"]) == (hold, "expired")


async def test_screens_of_a_guest_who_signed_in_elsewhere_show_what_the_person_sees(
    sale: Sale, tmp_path: Path
) -> None:
    """Their sockets stay open, and from then on whatever changes for the person comes there too."""
    async with room_by_hand(sale, tmp_path) as one:
        old, own = await one.seated("ana", "pia")
        hold = await sale.held("ana")
        mine = await sale.held("pia", qty=2)
        assert isinstance(await sale.adopt("ana", "pia"), outcomes.Adopted)
        await one.look()
        await one.quiet()
        for screen in (old, own):
            you = screen.last("you")
            assert (you["fan"], you["used"]) == ("pia", 3)
            assert [held["id"] for held in you["holds"]] == [hold, mine]
        assert list(one.room.fans) == ["pia"]
        await sale.release("pia", mine)
        await one.look()
        await one.quiet()
        assert old.last("you") == own.last("you")
        assert old.last("you")["used"] == 1


async def test_a_ticket_of_the_guest_still_opens_the_persons_screen(
    sale: Sale, tmp_path: Path
) -> None:
    async with room_by_hand(sale, tmp_path) as one:
        hold = await sale.held("ana")
        await sale.adopt("ana", "pia")
        (screen,) = await one.seated("ana")
        you = screen.heard[0]["you"]
        assert (you["fan"], [held["id"] for held in you["holds"]]) == ("pia", [hold])
        held = await one.press("ana", "hold", qty=2)
        assert isinstance(held, outcomes.Held)
        await one.look()
        await one.quiet()
        assert screen.last("you")["used"] == 3
