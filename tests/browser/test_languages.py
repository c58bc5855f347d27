"""Fans' pages in another language: whole, in place, and chosen without a script."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import expect

from dropengine.catalogue import CATALOGUES, DEFAULT, ENGLISH, LANGUAGES
from tests.browser.test_access import faults, tabs_to
from tests.kit import every_page
from tests.kit.page_states import STATES, in_language, pin
from tests.kit.rows import rows
from tests.kit.shop_in_browser import SMALL, Person, ShopInBrowser

SEEN = (*every_page.FANS.values(), "cooling", "refunded")
"""Every page of fans, and more of the one that has many parts; with every row all states."""


CUT = """() => [...document.querySelectorAll('body, body *')]
    .filter((one) => one.checkVisibility() && !one.closest('.sr, .skip, svg, noscript'))
    .filter((one) => {
        const {left, right} = one.getBoundingClientRect();
        const {overflowX, overflowY} = getComputedStyle(one);
        const hides = (how) => how === 'hidden' || how === 'clip';
        return left < -1 || right > innerWidth + 1
            || one.scrollWidth > one.clientWidth + 1 && hides(overflowX)
            || one.scrollHeight > one.clientHeight + 1 && hides(overflowY);
    })
    .map((one) => one.outerHTML.slice(0, 120))"""
"""What does not fit: wider than the screen, or cut by its own box."""


def texts(sentences: Any) -> Iterator[str]:
    if isinstance(sentences, str):
        yield sentences
    else:
        for one in sentences.values() if isinstance(sentences, dict) else sentences:
            yield from texts(one)


def foreign(language: str) -> set[str]:
    """Sentences that a page of this language never says."""
    own = set(texts(dict(CATALOGUES[language].sentences)))
    others = {*texts(dict(ENGLISH.sentences))} - own
    return {one for one in others if "{" not in one and len(one) > 2}


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != DEFAULT])
@pytest.mark.parametrize("name", rows(STATES, [[*STATES].index(name) for name in SEEN]))
async def test_a_page_in_another_language_is_whole_and_fits(
    in_browser: ShopInBrowser, name: str, language: str
) -> None:
    async with in_browser.person(SMALL) as fan:
        await fan.page.emulate_media(reduced_motion="reduce")
        await STATES[name](in_browser, fan)
        await in_language(fan, language)
        read = {line.strip() for line in (await fan.page.inner_text("body")).splitlines()}
        assert read & foreign(language) == set()
        assert await fan.page.evaluate(CUT) == []
        assert await faults(fan.page) == []


async def test_a_language_is_chosen_by_the_keyboard_alone_and_stays(
    in_browser: ShopInBrowser,
) -> None:
    drop = await in_browser.drop(pin())
    async with in_browser.context(scripts=False) as context:
        fan = Person(await context.new_page())
        await fan.page.goto(drop.path)
        await tabs_to(fan, "Deutsch")
        await fan.page.keyboard.press("Enter")
        await expect(fan.page.get_by_text("Jetzt offen")).to_be_visible()
        await expect(fan.page).to_have_url(f"{in_browser.running.url}{drop.path}")
        await fan.page.goto("/you")
        await expect(fan.page.locator("html")).to_have_attribute("lang", "de")
        await tabs_to(fan, "English")
        await fan.page.keyboard.press("Enter")
        await expect(fan.page.locator("html")).to_have_attribute("lang", "en")


async def test_a_german_fan_buys_and_is_told_in_german(in_browser: ShopInBrowser) -> None:
    drop = await in_browser.drop(pin(language="de"))
    async with in_browser.person() as fan:
        await fan.page.goto(drop.path)
        await in_language(fan, "de")
        await fan.press("Eins für mich reservieren")
        await expect(fan.page.locator("#voice")).to_contain_text("für dich reserviert")
        await fan.press("24,00\u00a0€ zahlen")
        await expect(fan.page.locator("h1")).to_have_text("Eclipse pin")
        await expect(fan.page.get_by_text("Hier fließt kein Geld.")).to_be_visible()
        await fan.page.locator("button[value=pay]").click()
        await fan.reads("Deins: #1 von 200")
        await drop.pause("Kaffee!")
        await fan.sees("Vom Anbieter angehalten")
        await fan.page.get_by_role("link", name="wie es weitergeht").click()
        await fan.sees("Nummer 1 gehört dir.")
