"""A thumb that taps the one button three times at every step buys, and loses nothing."""

from __future__ import annotations

import asyncio
from itertools import product

import pytest
from playwright.async_api import ViewportSize, expect

from tests.kit.manifests import item, manifest
from tests.kit.rows import rows
from tests.kit.shop_in_browser import LOW, SMALL, Drop, Person, ShopInBrowser

TAPS = 3
RHYTHMS_MS = (60, 150, 300)
THUMBS = pytest.mark.parametrize(
    ("screen", "rhythm_ms"), rows(product((LOW, SMALL), RHYTHMS_MS), (0, 2, 4))
)
RHYTHMS = pytest.mark.parametrize("rhythm_ms", rows(RHYTHMS_MS, [1]))
GIVEN_UP = {b"released", b"left", b"declined", b"lapsed", b"extended", b"dormant"}


async def taps(fan: Person, words: str, rhythm_ms: int) -> None:
    """Three taps in one place, whatever comes to stand there meanwhile."""
    await fan.wakes(words)
    box = await fan.button.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for _ in range(TAPS):
        await fan.page.mouse.click(x, y)
        # The rhythm of the thumb is what is tried here, not something to wait for.
        await asyncio.sleep(rhythm_ms / 1000)


async def events(drop: Drop) -> list[bytes]:
    log = [line async for line in drop.store.log(drop.id)]
    return [line.partition(b'"e":"')[2].partition(b'"')[0] for line in log]


@THUMBS
async def test_a_thumb_that_taps_thrice_buys_one_unit(
    in_browser: ShopInBrowser, screen: ViewportSize, rhythm_ms: int
) -> None:
    drop = await in_browser.drop(manifest("a", item("pin", {"pin": 3})))
    async with in_browser.person(screen) as fan:
        await fan.open(drop)
        await taps(fan, "Hold one for me", rhythm_ms)
        await taps(fan, "Pay €24.00", rhythm_ms)
        await expect(fan.page.locator("button[value=pay]")).to_be_visible()
        await fan.pays()
        await taps_yours(fan, rhythm_ms)
    said = await events(drop)
    assert (said.count(b"held"), said.count(b"sold")) == (1, 1)
    assert not GIVEN_UP & set(said)


async def taps_yours(fan: Person, rhythm_ms: int) -> None:
    """The win stands there, and taps do not press it away."""
    await fan.reads("Yours: #1 of 3")
    box = await fan.button.bounding_box()
    assert box is not None
    for _ in range(TAPS):
        await fan.page.mouse.click(box["x"] + 40, box["y"] + box["height"] / 2)
        await asyncio.sleep(rhythm_ms / 1000)
    await fan.reads("Yours: #1 of 3")


@THUMBS
async def test_a_thumb_that_taps_thrice_stays_in_line_and_takes_its_offer(
    in_browser: ShopInBrowser, screen: ViewportSize, rhythm_ms: int
) -> None:
    drop = await in_browser.drop(manifest("a", item("pin", {"pin": 1})))
    taken = await drop.hold("first")
    async with in_browser.person(screen) as fan:
        await fan.open(drop)
        await taps(fan, "Join the line", rhythm_ms)
        await fan.reads("In line: place 1")
        await drop.release("first", taken)
        await taps(fan, "Take it", rhythm_ms)
        await taps(fan, "Pay €24.00", rhythm_ms)
        await expect(fan.page.locator("button[value=pay]")).to_be_visible()
        await fan.pays()
        await fan.reads("Yours: #1 of 1")
    said = await events(drop)
    # The first hold was given back by its own fan.
    assert said.count(b"released") == 1
    assert (said.count(b"joined"), said.count(b"sold")) == (1, 1)
    assert not (GIVEN_UP - {b"released"}) & set(said)


@RHYTHMS
async def test_three_taps_on_what_gives_up_can_still_be_undone(
    in_browser: ShopInBrowser, rhythm_ms: int
) -> None:
    drop = await in_browser.drop(manifest("a", item("pin", {"pin": 3})))
    async with in_browser.person(SMALL) as fan:
        await fan.open(drop)
        await fan.press("Hold one for me")
        give_back = fan.page.get_by_role("button", name="Give it back")
        await expect(give_back).not_to_have_attribute("aria-disabled", "true")
        await give_back.scroll_into_view_if_needed()
        box = await give_back.bounding_box()
        assert box is not None
        for _ in range(TAPS):
            await fan.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            await asyncio.sleep(rhythm_ms / 1000)
        await fan.clicks("Undo")
        await fan.wakes("Pay €24.00")
        await expect(give_back).not_to_have_attribute("aria-disabled", "true")
    assert b"released" not in await events(drop)


@pytest.mark.parametrize("screen", [LOW, SMALL], ids=["390x664", "320x568"])
async def test_the_button_stands_where_it_stood_through_every_step(
    in_browser: ShopInBrowser, screen: ViewportSize
) -> None:
    drop = await in_browser.drop(manifest("a", item("pin", {"pin": 1})))
    taken = await drop.hold("first")
    async with in_browser.person(screen) as fan:
        bottoms = []

        async def look(words: str) -> None:
            await fan.reads(words)
            box = await fan.button.bounding_box()
            assert box is not None
            bottoms.append((box["y"], box["y"] + box["height"]))

        await fan.open(drop)
        await look("Join the line")
        await fan.press("Join the line")
        await look("In line: place 1")
        await drop.say("Two more are on their way, and the kiln is hot.")
        await expect(fan.page.locator(".moment")).to_be_visible()
        await look("In line: place 1")
        await drop.release("first", taken)
        await look("Take it")
        await fan.press("Take it")
        await look("Pay €24.00")
    assert len(set(bottoms)) == 1, bottoms
