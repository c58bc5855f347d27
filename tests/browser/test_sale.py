"""A sale as people see it: bought, lapsed, offered, waited for, through the death of a worker."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time

import msgspec
import pytest
from playwright.async_api import expect

from dropengine.processes.supervisor_process import SupervisorProcess
from tests.kit.manifests import item, manifest
from tests.kit.shop_in_browser import DESK, LOW, ShopInBrowser

SHORT_MS = 3_000
NO_WAY = """(way) => {
    window[way] = class {
        constructor() {
            setTimeout(() => {
                this.onclose?.({code: 1006});
                this.onerror?.();
            });
        }
        addEventListener() {}
        close() {}
    };
    window[way].OPEN = 1;
}"""
"""A network that lets some ways of hearing not through."""


async def test_a_person_buys_a_unit(in_browser: ShopInBrowser) -> None:
    drop = await in_browser.drop(manifest("a"), opened=False)
    async with in_browser.person() as fan:
        await fan.open(drop)
        await fan.reads("Opens soon")
        # The page opens on the server's word: nobody loads it again.
        await drop.open()
        await fan.press("Hold one for me")
        await fan.reads("Pay €24.00")
        await fan.figures(free=2, held=1, sold=0)
        await fan.press("Pay €24.00")
        await fan.pays()
        await fan.sees("#1 of 3")
        await fan.figures(free=2, held=0, sold=1)


async def test_coming_back_from_the_payment_page_shows_the_true_state(
    in_browser: ShopInBrowser,
) -> None:
    drop = await in_browser.drop(manifest("a"))
    async with in_browser.person() as fan:
        await fan.open(drop)
        await fan.press("Hold one for me")
        await fan.press("Pay €24.00")
        await expect(fan.page).to_have_title(re.compile("Test payment"))
        await drop.hold("another", 2)
        await fan.page.go_back()
        await fan.is_live()
        await fan.reads("Back to the payment")
        await fan.figures(free=0, held=3, sold=0)


async def test_a_hold_that_lapses_becomes_an_offer_to_the_line(in_browser: ShopInBrowser) -> None:
    short = msgspec.structs.replace(
        manifest("a", item("pin", {"pin": 1})), hold_ms=SHORT_MS, practice=True
    )
    drop = await in_browser.drop(short)
    async with in_browser.person() as late, in_browser.person(DESK) as waiting:
        await late.open(drop)
        await waiting.open(drop)
        await late.press("Hold one for me")
        await late.reads("Pay €24.00")
        await waiting.press("Join the line")
        await waiting.reads("In line: place 1")
        await waiting.sees("You are next")
        # The deadline is the server's; both screens turn by themselves.
        await late.sees("The time to pay ran out")
        await waiting.reads("Take it")
        await late.reads("Join the line")
        await waiting.press("Take it")
        await waiting.reads("Pay €24.00")


async def test_an_offer_is_bought_and_the_line_moves_on(in_browser: ShopInBrowser) -> None:
    drop = await in_browser.drop(manifest("a", item("pin", {"pin": 1})))
    taken = await drop.hold("first")
    async with in_browser.person() as fan:
        await fan.open(drop)
        await fan.press("Join the line")
        await fan.reads("In line: place 1")
        await drop.release("first", taken)
        await fan.reads("Take it")
        await fan.figures(free=0, held=0, sold=0)
        await expect(fan.page.locator(".figures .offered")).to_have_text(
            re.compile(r"^\s*offered to people in line\s*1\s*$")
        )
        await fan.press("Take it")
        await fan.press("Pay €24.00")
        await fan.pays()
        await fan.reads("Yours: #1 of 1")


async def test_who_cools_may_press_for_what_is_free(in_browser: ShopInBrowser) -> None:
    drop = await in_browser.drop(manifest("a", item("pin", {"pin": 1}), limit=1))
    taken = await drop.hold("first")
    async with in_browser.person() as fan:
        await fan.open(drop)
        await fan.press("Join the line")
        await fan.reads("In line: place 1")
        await drop.release("first", taken)
        await fan.reads("Take it")
        await fan.clicks("Pass on it")
        await fan.sees("You missed one turn. You keep your place")
        await fan.press("Hold one for me")
        await fan.press("Pay €24.00")
        await fan.pays()
        await fan.reads("Yours: #1 of 1")
        await fan.sees("Your place has ended: what you bought fills what one fan may have.")


async def test_a_place_that_ends_says_why(in_browser: ShopInBrowser) -> None:
    no_cooling = msgspec.structs.replace(manifest("a", item("pin", {"pin": 1})), cool_ms=1000)
    drop = await in_browser.drop(no_cooling)
    taken = await drop.hold("first")
    async with in_browser.person() as fan:
        await fan.open(drop)
        await fan.sees("the second ends it, and joining again puts you at the end")
        await fan.press("Join the line")
        await fan.reads("In line: place 1")
        await drop.release("first", taken)
        await fan.reads("Take it")
        await fan.clicks("Pass on it")
        await fan.sees("You passed on this offer.")
        await fan.sees("Your second turn: your offer is above. Missing it ends your place.")
        await fan.clicks("Pass on it")
        await fan.sees("Your place has ended: you missed two turns. You had joined as number 1")
        note = fan.page.locator(".card.ended", has_text="Your place has ended")
        await expect(fan.page.locator("#voice")).to_contain_text("Your place has ended")
        await fan.reads("Hold one for me")
        await expect(note.get_by_role("button", name="Join again")).to_be_visible()
        # A fresh page still tells it: the state is the fan's, not the screen's.
        await fan.page.reload()
        await fan.is_live()
        await fan.sees("Your place has ended")
        await note.get_by_role("button", name="Got it").click()
        await expect(note).to_have_count(0)


async def test_a_place_falls_on_the_screen_and_can_be_given_up(in_browser: ShopInBrowser) -> None:
    drop = await in_browser.drop(manifest("a", item("pin", {"pin": 1})))
    await drop.hold("first")
    entries = {fan: await drop.join(fan) for fan in ("b", "c", "d")}
    async with in_browser.person() as fan:
        await fan.open(drop)
        await fan.press("Join the line")
        await fan.reads("In line: place 4")
        await drop.leave("c", entries["c"])
        await fan.reads("In line: place 3")
        await drop.leave("b", entries["b"])
        await drop.leave("d", entries["d"])
        await fan.reads("In line: place 1")
        # A place is not lost by one touch: what gives up waits, and can be undone.
        await fan.clicks("Leave the line")
        await fan.clicks("Undo")
        await fan.reads("In line: place 1")
        await expect(fan.page.locator("#voice")).to_have_text("Undone. Nothing was given up.")
        await fan.clicks("Leave the line")
        await fan.reads("Join the line")
        await fan.sees("You left the line. You had joined as number 4")


async def test_what_the_maker_does_and_says_is_on_the_screen_at_once(
    in_browser: ShopInBrowser,
) -> None:
    drop = await in_browser.drop(manifest("a"))
    async with in_browser.person() as fan:
        await fan.open(drop)
        await drop.say("Back in five minutes.")
        await expect(fan.page.locator(".news")).to_contain_text("Back in five minutes.")
        await expect(fan.page.locator("#voice")).to_contain_text("Back in five minutes.")
        await drop.pause()
        await fan.sees("Paused by the maker")
        await fan.reads("Join the line")


async def test_a_press_outlives_the_worker_that_was_to_carry_it(
    in_browser: ShopInBrowser, shop: SupervisorProcess
) -> None:
    drop = await in_browser.drop(manifest("a"))
    async with in_browser.person() as fan:
        await fan.open(drop)
        await fan.reads("Hold one for me")
        for pid in shop.running.worker_pids:
            os.kill(pid, signal.SIGKILL)
        await fan.sees_stale()
        # Pressed into the void: the key makes it one hold, whoever carries it.
        await fan.press("Hold one for me")
        await fan.reads("Pay €24.00")
        await fan.is_live()
        await fan.figures(free=2, held=1, sold=0)
    events = [line async for line in drop.store.log(drop.id)]
    assert sum(b'"e":"held"' in line for line in events) == 1


async def test_a_server_that_does_not_answer_is_named_with_the_time(
    in_browser: ShopInBrowser, shop: SupervisorProcess
) -> None:
    drop = await in_browser.drop(manifest("a"))
    server = shop.running.server_pid
    assert server is not None
    async with in_browser.person() as fan:
        await fan.open(drop)
        await fan.reads("Hold one for me")
        os.kill(server, signal.SIGSTOP)
        try:
            await expect(fan.page.locator("drop-link")).to_contain_text(
                "The shop is out of reach since", timeout=15_000
            )
        finally:
            os.kill(server, signal.SIGCONT)
        await fan.is_live()
        await fan.press("Hold one for me")
        await fan.reads("Pay €24.00")


@pytest.mark.parametrize("who", ["workers", "server"])
async def test_a_page_that_hears_nothing_does_not_say_that_it_is_up_to_date(
    in_browser: ShopInBrowser, shop: SupervisorProcess, who: str
) -> None:
    """The line stays open; nobody closes it and nothing comes."""
    drop = await in_browser.drop(manifest("a"))
    server = shop.running.server_pid
    assert server is not None
    async with in_browser.person() as fan:
        await fan.open(drop)
        pids = shop.running.worker_pids if who == "workers" else (server,)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            await expect(fan.page.locator("drop-link")).to_have_text("Checking…")
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        await fan.is_live()


@pytest.mark.parametrize(
    ("missing", "asks", "says"),
    [
        (["WebSocket"], "**/drops/*/events", "Up to date"),
        (["WebSocket", "EventSource"], "**/api/drops/*", "Up to date every few seconds"),
    ],
)
async def test_who_gets_no_socket_through_still_buys(
    in_browser: ShopInBrowser, missing: list[str], asks: str, says: str
) -> None:
    drop = await in_browser.drop(manifest("a"))
    async with in_browser.person() as fan:
        # No jitter, so that the test does not wait for the ways that fail.
        await fan.page.add_init_script(f"Math.random = () => 0; {missing}.forEach({NO_WAY});")
        async with fan.page.expect_request(asks):
            await fan.page.goto(drop.path)
        await expect(fan.page.locator("drop-link")).to_have_text(says)
        await fan.press("Hold one for me")
        await fan.reads("Pay €24.00")
        await fan.figures(free=2, held=1, sold=0)
        await drop.hold("another")
        await fan.figures(free=1, held=2, sold=0)
        await fan.press("Pay €24.00")
        await fan.page.locator("button[value=pay]").click()
        await fan.sees("#1 of 3")


async def test_a_refund_says_why_wherever_it_is_read(in_browser: ShopInBrowser) -> None:
    why = "The glaze <b>cracked</b>, and \u0627\u0644 too."
    drop = await in_browser.drop(manifest("a"))
    async with in_browser.person() as fan:
        await fan.open(drop)
        await fan.press("Hold one for me")
        await fan.press("Pay €24.00")
        await fan.pays()
        await drop.refund("h1", why)
        # Beside the button, wherever the page was scrolled to, until it was read.
        moment = fan.page.locator(".moment", has_text="Refunded by the maker")
        await expect(moment.locator("q")).to_have_text(why)
        await moment.get_by_role("button", name="Got it").click()
        await expect(moment).to_have_count(0)
        await expect(fan.page.locator(".card.order .why")).to_have_text(why)
        await fan.page.get_by_role("link", name="what happens next").click()
        await expect(fan.page.locator(".slip q")).to_have_text(why)


async def test_another_time_is_counted_to_and_named_while_people_look(
    in_browser: ShopInBrowser,
) -> None:
    now = int(time.time() * 1000)
    told = msgspec.structs.replace(manifest("a", item("pin", {"pin": 3})), opens_ms=now + 7_200_000)
    drop = await in_browser.drop(told, opened=False)
    async with in_browser.person(LOW) as fan:
        await fan.open(drop)
        voice, countdown = fan.page.locator("#voice"), fan.page.locator(".countdown")
        await expect(countdown).to_have_text(re.compile(r"^(2:00|1:59):\d\d$"))
        await expect(fan.page.get_by_text("Changed by the maker")).to_have_count(0)
        rows = fan.page.locator(".rules dl > div:has(drop-time)")
        first = await rows.nth(0).inner_text()
        await drop.reschedule(opens_ms=now + 600_000)
        await expect(countdown).to_have_text(re.compile(r"^0\d:\d\d$"))
        await expect(voice).to_contain_text("The maker changed the time: this drop opens ")
        await expect(fan.page.locator("#hint")).to_contain_text("Changed by the maker: it was ")
        assert await rows.nth(0).inner_text() != first
        await expect(rows.nth(1)).to_be_hidden()
        await drop.reschedule()
        await fan.sees("The maker opens this drop by hand. Changed by the maker")
        await expect(rows.nth(0)).to_be_hidden()
        await drop.open()
        await fan.wakes("Hold one for me")
        await drop.reschedule(closes_ms=now + 7_200_000)
        await fan.sees("Closes in 1:59:")
        await expect(voice).to_contain_text("The maker changed the time: this drop closes ")
        await expect(fan.page.locator(".when")).to_contain_text("Changed by the maker")
        await expect(rows.nth(1)).to_contain_text("add to my calendar")
        await drop.reschedule()
        await expect(voice).to_contain_text("No closing time any more.")
        await expect(fan.page.locator(".when")).not_to_contain_text("closes in", ignore_case=True)


async def test_two_tabs_of_one_fan_show_the_same_hold(in_browser: ShopInBrowser) -> None:
    drop = await in_browser.drop(manifest("a"))
    async with in_browser.person() as fan:
        await fan.open(drop)
        other = type(fan)(await fan.page.context.new_page())
        await other.open(drop)
        await fan.press("Hold one for me")
        await other.reads("Pay €24.00")
        await other.clicks("Give it back")
        await fan.reads("Hold one for me")


async def test_a_choice_of_pools_and_quantity_is_what_gets_held(in_browser: ShopInBrowser) -> None:
    drop = await in_browser.drop(
        manifest("a", item("amber", {"amber": 5}), item("slate", {"slate": 5}, price=3100))
    )
    async with in_browser.person(DESK) as fan:
        await fan.open(drop)
        await fan.page.get_by_label("Slate").check()
        await fan.page.get_by_role("button", name="One more").click()
        await fan.press("Hold 2 for me")
        await fan.reads("Pay €62.00")
        await fan.sees("2 \N{MULTIPLICATION SIGN} Slate")


async def test_more_than_is_free_is_answered_with_what_there_is(in_browser: ShopInBrowser) -> None:
    drop = await in_browser.drop(manifest("a"))
    async with in_browser.person() as fan:
        await fan.open(drop)
        await fan.page.get_by_role("button", name="One more").click()
        await fan.page.get_by_role("button", name="One more").click()
        await fan.reads("Hold 3 for me")
        await drop.hold("another", 2)
        await fan.press("Hold one for me")
        await fan.reads("Pay €24.00")


async def test_both_see_the_same_second(in_browser: ShopInBrowser) -> None:
    opening = msgspec.structs.replace(manifest("a"), opens_ms=2_000_000_000_000)
    drop = await in_browser.drop(opening, opened=False)
    async with in_browser.person() as one, in_browser.person(DESK) as other:
        await asyncio.gather(one.open(drop), other.open(drop))
        # Over some seconds: else a turn of one is a large part of what is looked at.
        look = "document.querySelector('.countdown').textContent"
        text = f"new Promise(done => setTimeout(() => done({look}), 50))"
        pairs = [
            await asyncio.gather(one.page.evaluate(text), other.page.evaluate(text))
            for _ in range(100)
        ]
    # The first looks may come before the first round trip, one may fall on the turn of a second.
    same = sum(first == second for first, second in pairs[50:])
    assert same >= 45, pairs
