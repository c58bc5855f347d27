"""Four people and the game of one line: a link is shared, a friend takes part, a word is said, a
name is shown, a friend's money goes back and his points with it; once in each language, once for
somebody who wants no motion.

`GAME_PICTURES=folder pytest -s --timeout=0` keeps pictures of each scene.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Locator, Page, expect

from dropengine.catalogue import LANGUAGES
from dropengine.config import Settings
from dropengine.people import missions
from dropengine.sql import engine
from tests.browser.test_access import SCHEMES, faults
from tests.kit.manifests import WORD, playing
from tests.kit.page_states import pin
from tests.kit.persons import address, letter_in
from tests.kit.shop_in_browser import DESK, PHONE, Drop, Person, ShopInBrowser

PICTURES = os.environ.get("GAME_PICTURES", "")
AHEAD = 6
PAY = {"en": "€24.00", "de": "24,00\u00a0€"}
MOTION: dict[str, Literal["no-preference", "reduce"]] = {"en": "no-preference", "de": "reduce"}
FELL = """() => {
    window.fell = 0;
    new MutationObserver((changes) => {
        for (const { addedNodes } of changes)
            for (const node of addedNodes) if (node.className === 'confetti') window.fell += 1;
    }).observe(document, { childList: true, subtree: true });
}"""

_numbers = count(1)


async def look(page: Page, name: str, language: str) -> None:
    """Both sizes, light and dark; on none is a scene wider than its screen."""
    before = page.viewport_size
    number = next(_numbers)
    for screen, size in (("phone", PHONE), ("desk", DESK)):
        await page.set_viewport_size(size)
        found = await page.evaluate("document.documentElement.scrollWidth")
        assert found <= size["width"], f"{name} on a {screen}"
        for scheme in SCHEMES if PICTURES else ():
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            file = f"{language}.{number:02}.{name}.{screen}.{scheme}.png"
            await page.screenshot(path=Path(PICTURES) / file, full_page=True)
    assert before is not None
    await page.set_viewport_size(before)


async def accessible(page: Page) -> None:
    found = {}
    for scheme in SCHEMES:
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found[scheme] = await faults(page)
    assert found == {"light": [], "dark": []}


def game(fan: Person) -> Locator:
    return fan.page.locator("drop-game")


async def points(fan: Person, how_many: int) -> None:
    """His points, on the screen that he looks at."""
    told = fan.say("game_points", count=how_many)
    await expect(game(fan).locator(".points")).to_have_text(told, timeout=20_000)


async def signs_in(shop: ShopInBrowser, fan: Person, drop: Drop) -> None:
    mailbox = address()
    say = fan.say
    await fan.page.goto(f"/you?to={drop.path}")
    await fan.page.get_by_label(say("signing.address")).fill(mailbox)
    await fan.page.get_by_role("button", name=say("signing.send"), exact=True).click()
    await fan.sees(say("signing.sent"))
    letter = await letter_in(shop.mail, mailbox)
    await fan.page.get_by_label(say("signing.code")).fill(letter.code)
    await fan.page.get_by_role("button", name=say("sign_in"), exact=True).click()
    await fan.is_live()


async def comes(shop: ShopInBrowser, fan: Person, drop: Drop, link: str) -> None:
    """By a friend's link; then he says who he is. No copy of his address says it again."""
    await fan.page.goto(link)
    await fan.is_live()
    await expect(fan.page).not_to_have_url(link)
    await signs_in(shop, fan, drop)


def begins(shop: ShopInBrowser, drop: Drop, word: str) -> None:
    """The maker says a word in his stream."""
    one = engine.connect(Settings(data_dir=shop.mail.parent))
    try:
        with engine.transaction(one, writes=True) as sql:
            missions.start(sql, drop.id, WORD, word, 0, time.time_ns() // 1_000_000)
    finally:
        one.dispose()


async def says(fan: Person, word: str) -> None:
    await game(fan).get_by_role("textbox", name=fan.say("game.word"), exact=True).fill(word)
    await game(fan).get_by_role("button", name=fan.say("game.send"), exact=True).click()


async def shows(fan: Person, name: str) -> None:
    await fan.page.get_by_label(fan.say("game.board_why"), exact=True).fill(name)
    await game(fan).get_by_role("button", name=fan.say("game.board_join"), exact=True).click()
    await expect(game(fan).locator(".board .mine")).to_contain_text(name)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_friends_move_a_fan_up_until_one_gets_his_money_back(
    in_browser: ShopInBrowser, language: str
) -> None:
    drop = await in_browser.drop(playing(pin(2, limit=1, k=2)))
    await drop.hold("first")
    async with AsyncExitStack() as stack:
        ana, ben, cleo, dora = [
            await stack.enter_async_context(in_browser.person(screen, language=language))
            for screen in (PHONE, DESK, PHONE, DESK)
        ]
        say = ana.say
        # He who brings nobody reads what would bring him up.
        await ana.open(drop)
        await expect(game(ana)).to_contain_text(say("game.no_link"))
        await signs_in(in_browser, ana, drop)
        link = await ana.page.get_by_label(say("game.link"), exact=True).input_value()
        assert "?ref=" in link

        # A friend comes by it, and takes the last one.
        await ben.page.emulate_media(reduced_motion=MOTION[language])
        await ben.page.add_init_script(f"({FELL})()")
        await comes(in_browser, ben, drop, link)
        await ben.press(say("hold_one"))
        await ben.wakes(say("pay_sum", sum=PAY[language]))
        entries = [await drop.join(f"before-{n}") for n in range(AHEAD)]
        await ana.press(say("join"))
        await ana.reads(say("in_line_at", count=AHEAD + 1))
        await points(ana, 2)
        # Nobody else has points: the first of the boost lane, and nobody's place moved.
        await expect(game(ana).locator(".boost dd")).to_contain_text("1")
        await expect(game(ana)).to_contain_text(say("game_friends", count=1))
        await expect(game(ana)).to_contain_text(say("waiting_units", count=2))

        # Another one, while she looks.
        await comes(in_browser, cleo, drop, link)
        await cleo.press(say("join"))
        await cleo.reads(say("in_line_at", count=AHEAD + 2))
        await expect(game(cleo)).to_contain_text(say("waiting.cannot"))
        await points(ana, 4)
        await expect(game(ana)).to_contain_text(say("game_friends", count=2))
        await expect(game(ana).locator("[role=status]").first).to_contain_text(
            say("game.say_more", points=say("game_points", count=4))
        )
        await expect(game(ana)).to_contain_text(say("game_badge.first_friend"))

        # The maker says a word; whoever heard it types it, however he writes it.
        await signs_in(in_browser, dora, drop)
        await dora.press(say("join"))
        await asyncio.to_thread(begins, in_browser, drop, "Penumbra")
        await says(ana, "eclipse")
        await expect(game(ana)).to_contain_text(say("refused.wrong_word"))
        for fan, more in ((ana, 7), (cleo, 3), (dora, 3)):
            await says(fan, " PENUMBRA ")
            await points(fan, more)
            await expect(game(fan)).to_contain_text(say("game.done"))
            await expect(game(fan)).to_contain_text(say("game_badge.mission"))
        # Of as many points the one who came first stands first.
        await expect(game(dora).locator(".boost dd")).to_contain_text("3")

        # Names of who wants it, and of nobody else; ties are ties.
        await shows(ana, "Ana")
        await shows(cleo, "Cleo")
        await dora.page.reload()
        await expect(game(dora).locator(".board li")).to_have_count(2)
        await shows(dora, "Dora")
        ranks = game(dora).locator(".board .rank")
        await expect(ranks).to_contain_text(["1", "2=", "2="])
        await game(dora).get_by_role("button", name=say("game.board_off")).click()
        await expect(game(dora).locator(".board li")).to_have_count(2)

        # On the wall everybody reads what runs.
        wall = await stack.enter_async_context(in_browser.person(DESK, language=language))
        await wall.page.goto(f"{drop.path}/wall")
        await expect(wall.page.locator(".queue i")).to_have_count(AHEAD + 3)
        await expect(wall.page.locator(".until.game")).to_contain_text(say("game.wall_missions"))
        await expect(wall.page.locator(".until.game b").first).to_have_text("5")
        await accessible(wall.page)
        await look(wall.page, "wall", language)

        # Somebody before her goes: her own place falls, and is drawn.
        await drop.leave("before-0", entries[0])
        await ana.reads(say("in_line_at", count=AHEAD))
        await expect(game(ana).locator(".climb")).to_be_visible()
        await expect(game(ana).locator(".boost dd")).to_contain_text("1")
        await accessible(ana.page)
        await game(ana).locator("summary").click()
        picture = game(ana).locator("details img")
        await expect(picture).to_have_js_property("complete", True)
        assert await picture.evaluate("one => one.naturalWidth") == 1200
        await look(ana.page, "game", language)
        await accessible(dora.page)

        # He pays, and celebrates once, where he wants motion.
        await ben.press(say("pay_sum", sum=PAY[language]))
        await ben.pays()
        await ben.reads("#1")
        fell = 1 if MOTION[language] == "no-preference" else 0
        await ben.page.wait_for_function("fell => window.fell === fell", arg=fell)
        await ben.page.reload()
        await ben.reads("#1")
        assert await ben.page.evaluate("window.fell") == 0

        # His money goes back: so do the points, with a word that is hers to read.
        (order,) = await orders(ben)
        await drop.refund(order, "The glaze cracked.")
        await points(ana, 5)
        taken = f"{say('game_taken', count=2)} {say('game_reason.refunded')}"
        await expect(game(ana).locator(".notice")).to_contain_text(taken)
        await expect(game(ana).locator("[role=status]").first).to_contain_text(taken)
        await ana.reads(say("in_line_at", count=AHEAD))
        await expect(game(ana).locator(".board .mine")).to_contain_text(say("game_points", count=5))
        await look(ana.page, "taken", language)
        await accessible(ana.page)
        await game(ana).get_by_role("button", name=say("read"), exact=True).click()
        await expect(game(ana).locator(".notice")).to_have_count(0)
        await ana.page.reload()
        await points(ana, 5)
        await expect(game(ana).locator(".notice")).to_have_count(0)
        await accessible(cleo.page)


async def orders(fan: Person) -> list[str]:
    """Of a fan, as his page came with them."""
    first = "JSON.parse(document.getElementById('state').textContent).you.orders"
    return [one["id"] for one in await fan.page.evaluate(first)]
