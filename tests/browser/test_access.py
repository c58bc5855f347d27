"""Every state of every page for everybody: axe finds nothing, and nothing moves while it loads."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from playwright.async_api import Page, ViewportSize, expect

from dropengine.creator_commands import MESSAGE_CHARS_MAX
from tests.kit.manifests import item, manifest
from tests.kit.page_states import STATES, mix, pin
from tests.kit.rows import rows
from tests.kit.shop_in_browser import DESK, LOW, SMALL, Drop, Person, ShopInBrowser

AXE = Path(__file__).parent.parent.parent / "node_modules" / "axe-core" / "axe.min.js"
ZOOMED: ViewportSize = {"width": 320, "height": 256}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
OF_COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
FOCUSED = "element => element === document.activeElement"
TIMES = "\N{MULTIPLICATION SIGN}"
SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
        if (!entry.hadRecentInput) {
            const moved = entry.sources.map((one) => one.node?.outerHTML?.slice(0, 60));
            window.shifts.push([entry.value, moved]);
        }
    }
}).observe({type: 'layout-shift', buffered: true});
"""


async def faults(page: Page, rules: Mapping[str, Any] = RULES) -> list[str]:
    """What axe finds, a line each."""
    if await page.evaluate("window.axe === undefined"):
        await page.evaluate(AXE.read_text())
    found: dict[str, Any] = await page.evaluate("rules => axe.run(document, rules)", rules)
    return [
        f"{one['id']}: {node['html'][:120]} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


async def faults_in_each_scheme(page: Page) -> list[str]:
    """Everything in light colours, and what hangs on colours in dark ones: nothing else differs.
    Colours that are on their way to others are nobody's contrast, so nothing moves."""
    found = []
    for scheme in SCHEMES:
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        rules = RULES if scheme == SCHEMES[0] else OF_COLOURS
        found += [f"{scheme}: {one}" for one in await faults(page, rules)]
    return found


@pytest.mark.parametrize("name", rows(STATES, range(0, len(STATES), 2)))
async def test_axe_finds_nothing(in_browser: ShopInBrowser, name: str) -> None:
    async with in_browser.person(LOW) as fan:
        await fan.page.emulate_media(reduced_motion="reduce")
        await STATES[name](in_browser, fan)
        assert await faults_in_each_scheme(fan.page) == []


async def test_axe_would_find_something(in_browser: ShopInBrowser) -> None:
    async with in_browser.person() as fan:
        await STATES["open_now"](in_browser, fan)
        faint = "document.querySelector('.hint').style = 'color: #bbb; background: #fff'"
        await fan.page.evaluate(faint)
        found = await faults_in_each_scheme(fan.page)
        assert {one.partition(": ")[0] for one in found if "color-contrast" in one} == {*SCHEMES}


async def shift(fan: Person, path: str) -> tuple[float, list[Any]]:
    """How much moved by itself from the first byte until the page had settled."""
    await fan.page.add_init_script(SHIFTS)
    await fan.page.goto(path)
    await fan.is_live()
    # Two more seconds of the page's own clock: the second that turns, the first round trips.
    await fan.page.wait_for_function("start => performance.now() > start + 2000", arg=500)
    seen: list[Any] = await fan.page.evaluate("window.shifts")
    return sum(value for value, _ in seen), seen


@pytest.mark.parametrize("screen", [LOW, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("place", ["", "/wall"])
@pytest.mark.parametrize(
    ("what", "most"), rows([("pin", 0.01), ("mix", 0.02), ("soon", 0.01)], (0, 1))
)
async def test_nothing_moves_while_a_page_loads(
    in_browser: ShopInBrowser, what: str, most: float, place: str, screen: Any
) -> None:
    words = {"pin": pin(), "soon": pin(opens_ms=2_000_000_000_000), "mix": mix()}[what]
    drop = await in_browser.drop(words, opened=what != "soon")
    if what != "soon":
        await drop.hold("another", 2)
    async with in_browser.person(screen) as fan:
        moved, seen = await shift(fan, drop.path + place)
        assert moved <= most, seen


async def test_nothing_moves_when_an_offer_comes_unasked(in_browser: ShopInBrowser) -> None:
    drop = await in_browser.drop(pin(1))
    taken = await drop.hold("first")
    async with in_browser.person(LOW) as fan:
        await fan.open(drop)
        await fan.press("Join the line")
        await fan.reads("In line: place 1")
        await fan.page.evaluate(SHIFTS)
        await fan.page.evaluate("() => new Promise(done => setTimeout(done, 600))")
        await fan.page.evaluate("window.shifts = []")
        await drop.release("first", taken)
        await fan.reads("Take it")
        seen: list[Any] = await fan.page.evaluate("window.shifts")
        assert sum(value for value, _ in seen) <= 0.1, seen


async def test_the_button_never_lies_on_a_choice(in_browser: ShopInBrowser) -> None:
    drop = await in_browser.drop(mix())
    async with in_browser.person(DESK) as fan:
        await fan.open(drop)
        for at in range(await fan.page.locator(".pool").count()):
            choice = fan.page.locator(".pool").nth(at)
            await choice.scroll_into_view_if_needed()
            one, other = await choice.bounding_box(), await fan.button.bounding_box()
            assert one is not None
            assert other is not None
            apart = (
                one["y"] >= other["y"] + other["height"] or other["y"] >= one["y"] + one["height"]
            )
            assert apart, (one, other)


async def tabs_to(fan: Person, name: str) -> None:
    """Go on by the keyboard until this has the focus and is awake."""
    wanted = fan.page.get_by_role("button", name=name).first
    for _ in range(40):
        if await wanted.count() and await wanted.evaluate(FOCUSED):
            await expect(wanted).not_to_have_attribute("aria-disabled", "true")
            return
        await fan.page.keyboard.press("Tab")
    pytest.fail(f"the keyboard does not come to {name!r}")


async def says(fan: Person, words: str) -> None:
    await expect(fan.page.locator("#voice")).to_contain_text(words)


async def test_a_purchase_by_keyboard_alone_with_all_that_is_said(
    in_browser: ShopInBrowser,
) -> None:
    drop = await in_browser.drop(pin(1))
    taken = await drop.hold("first")
    async with in_browser.person(DESK) as fan:
        await fan.open(drop)
        await tabs_to(fan, "Join the line")
        await fan.page.keyboard.press("Enter")
        await says(fan, "In line for Eclipse pin: place 1.")
        await drop.release("first", taken)
        await says(fan, f"It is your turn: 1 {TIMES} Eclipse pin. Take it within 30 minutes.")
        await expect(fan.button).to_be_focused()
        await fan.page.keyboard.press("Enter")
        await says(fan, f"1 {TIMES} Eclipse pin: taken. It is held for you now.")
        await tabs_to(fan, "2 minutes more")
        await fan.page.keyboard.press("Enter")
        await says(fan, "More time: held for you until ")
        # What had the focus is gone; it goes on at the one button.
        await expect(fan.button).to_be_focused()
        await fan.wakes("Pay €24.00")
        await fan.page.keyboard.press("Enter")
        pay = fan.page.locator("button[value=pay]")
        await expect(pay).to_be_visible()
        await pay.focus()
        await fan.page.keyboard.press("Enter")
        await fan.is_live()
        await fan.reads("Yours: #1 of 1")


class Tree:
    """A page as a screen reader has it: names, roles and descriptions, and nothing that is seen."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def press(self, name: str) -> str:
        """Press the one button of this name once it can be; answer what is said of it beside."""
        tools = await self.page.context.new_cdp_session(self.page)
        for _ in range(100):
            nodes = (await tools.send("Accessibility.getFullAXTree"))["nodes"]
            found = [one for one in nodes if self._can(one, name)]
            if found:
                break
            await asyncio.sleep(0.05)
        (button,) = found
        ref = {"backendNodeId": button["backendDOMNodeId"]}
        node = await tools.send("DOM.resolveNode", ref)
        click = {
            "objectId": node["object"]["objectId"],
            "functionDeclaration": "function () { this.click() }",
        }
        await tools.send("Runtime.callFunctionOn", click)
        await tools.detach()
        said: str = button.get("description", {}).get("value", "")
        return said

    @staticmethod
    def _can(node: dict[str, Any], name: str) -> bool:
        named = (node.get("role", {}).get("value"), node.get("name", {}).get("value", ""))
        off = any(
            one["name"] == "disabled" and one["value"]["value"]
            for one in node.get("properties", ())
        )
        return named[0] == "button" and named[1].startswith(name) and not off


async def test_a_purchase_by_the_accessibility_tree_alone(in_browser: ShopInBrowser) -> None:
    drop = await in_browser.drop(pin(1))
    taken = await drop.hold("first")
    async with in_browser.person(LOW) as fan:
        tree = Tree(fan.page)
        await fan.open(drop)
        said = await tree.press("Join the line")
        assert said == "All held: 1 in carts. What comes back goes to the line."
        await says(fan, "In line for Eclipse pin: place 1.")
        await drop.release("first", taken)
        await says(fan, f"It is your turn: 1 {TIMES} Eclipse pin. Take it within 30 minutes.")
        said = await tree.press("Take it")
        assert said.startswith(f"1 {TIMES} Eclipse pin · Your turn. Take it before ")
        await says(fan, f"1 {TIMES} Eclipse pin: taken. It is held for you now.")
        said = await tree.press("Pay €24.00")
        assert said.startswith(f"1 {TIMES} Eclipse pin · Held for you until ")
        await expect(fan.page.locator("button[value=pay]")).to_be_visible()
        await tree.press("Pay €24.00")
        await fan.is_live()
        await fan.reads("Yours: #1 of 1")
        last = "Bought and numbered. Your order number and what happens next stand below."
        await expect(fan.button).to_have_accessible_description(f"Eclipse pin · {last}")


async def test_what_is_given_up_is_said_and_keeps_the_focus(in_browser: ShopInBrowser) -> None:
    async with in_browser.person(DESK) as fan:
        await STATES["in_line"](in_browser, fan)
        await tabs_to(fan, "Leave the line")
        await fan.page.keyboard.press("Enter")
        await says(fan, "Leaving the line in 4 seconds. Undo keeps your place.")
        await expect(fan.page.get_by_role("button", name="Leaving in 4 seconds…")).to_be_focused()
        await fan.page.keyboard.press("Tab")
        await fan.page.keyboard.press("Enter")
        await says(fan, "Undone. Nothing was given up.")
        await expect(fan.button).to_be_focused()
        await tabs_to(fan, "Leave the line")
        await fan.page.keyboard.press("Enter")
        await says(fan, "You left the line. You had joined as number 4")


async def text_of(page: Page) -> str:
    """What stands in the live parts, without what a script alone can know."""
    found = page.locator(".phase, .figures, .pools, .qty")
    said: list[str] = await found.evaluate_all("all => all.map(one => one.innerText)")
    return " ".join(" ".join(said).split())


@pytest.mark.parametrize(
    "what", ["live", "mix", "paused", "all_held", "sold_out", "closing", "cancelled"]
)
async def test_server_and_script_say_the_same(in_browser: ShopInBrowser, what: str) -> None:
    drop = await in_browser.drop(mix() if what == "mix" else manifest("a", item("pin", {"pin": 2})))
    await brought(drop, what)
    async with in_browser.context(LOW, scripts=False) as bare, in_browser.person(LOW) as fan:
        plain = await bare.new_page()
        await plain.goto(drop.path)
        await fan.open(drop)
        await expect(fan.button).not_to_contain_text("One moment")
        assert await text_of(plain) == await text_of(fan.page)


async def brought(drop: Drop, what: str) -> None:
    match what:
        case "paused":
            await drop.pause("Lunch")
        case "all_held":
            await drop.hold("another", 2)
        case "sold_out":
            await drop.sells("another", 2)
        case "closing":
            await drop.close()
        case "cancelled":
            await drop.cancel("The kiln broke.")


ARABIC = "دبوس الكسوف (٢٠٠)"
LONG = "Donaudampfschifffahrtsgesellschaft" * 117


@pytest.mark.parametrize("size", rows(["100%", "200%"], [1]))
@pytest.mark.parametrize("screen", [LOW, SMALL, ZOOMED], ids=["390x664", "320x568", "320x256"])
async def test_large_letters_long_words_and_other_directions_fit(
    in_browser: ShopInBrowser, screen: ViewportSize, size: str
) -> None:
    """320 x 256 is a desk's screen at 400 %."""
    words = msgspec.structs.replace(
        pin(1), title=ARABIC, maker=ARABIC, story=f"{LONG[:3900]} {ARABIC}"
    )
    drop = await in_browser.drop(words)
    taken = await drop.hold("first")
    await drop.say(LONG[:400])
    async with in_browser.person(screen) as fan:
        await fan.open(drop)
        await fan.page.evaluate("size => { document.documentElement.style.fontSize = size }", size)
        # The way past the page's head is for the keyboard alone, however large its letters.
        bottom = "element => element.getBoundingClientRect().bottom"
        assert await fan.page.locator(".skip").evaluate(bottom) <= 0
        await fan.press("Join the line")
        await fan.reads("In line: place 1")
        await drop.release("first", taken)
        await fan.press("Take it")
        await fan.wakes("Pay €24.00")
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await fan.page.evaluate(wide) == 0
        # With 200 % of 400 % the button alone is more than half of the screen.
        ratio = 0.9 if screen is not ZOOMED else 0.5
        await expect(fan.button).to_be_in_viewport(ratio=ratio)
        direction = "element => getComputedStyle(element).direction"
        assert await fan.page.locator("h1").evaluate(direction) == "rtl"
        assert await fan.page.locator(".hint .thing").evaluate(direction) in ("rtl", "ltr")
        assert await fan.page.locator(".hint").evaluate(direction) == "ltr"


TITLE_CHARS = 120
LATIN = "Donaudampfschifffahrt " * 181
HARD = {"one word": LONG[:3_900], "many words": LATIN[:3_900], "rtl": f"{ARABIC} " * 40}


@pytest.mark.parametrize(("size", "motion"), [("100%", "no-preference"), ("200%", "reduce")])
@pytest.mark.parametrize("screen", [SMALL, ZOOMED], ids=["320x568", "320x256"])
@pytest.mark.parametrize("text", rows(HARD, [0, 2]))
async def test_order_and_payment_fit_whatever_a_maker_wrote(
    in_browser: ShopInBrowser,
    text: str,
    screen: ViewportSize,
    size: str,
    motion: Literal["reduce", "no-preference"],
) -> None:
    """Titles as long as they may be, a message as long as it may be."""
    said = HARD[text]
    title = said[:TITLE_CHARS].strip()
    one = msgspec.structs.replace(item("pin", {"pin": 3}), title=title)
    words = msgspec.structs.replace(manifest("a", one), title=title, maker=title, story=said)
    drop = await in_browser.drop(words)
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    found: dict[str, tuple[int, list[str]]] = {}

    async def look(name: str) -> None:
        await fan.page.wait_for_load_state()
        await fan.page.evaluate("size => { document.documentElement.style.fontSize = size }", size)
        found[name] = (await fan.page.evaluate(wide), await faults(fan.page))

    async with in_browser.person(screen) as fan:
        await fan.page.emulate_media(reduced_motion=motion)
        await fan.open(drop)
        await fan.press("Hold one for me")
        await fan.press("Pay €24.00")
        await expect(fan.page.locator("button[value=pay]")).to_be_visible()
        await look("payment")
        await fan.pays()
        await drop.say(said[:MESSAGE_CHARS_MAX].strip())
        await fan.page.get_by_role("link", name="what happens next").click()
        await fan.sees("Order number")
        await look("order")
        direction = "element => getComputedStyle(element).direction"
        right = "rtl" if text == "rtl" else "ltr"
        assert await fan.page.locator("h1").evaluate(direction) == right
    assert found == {"payment": (0, []), "order": (0, [])}


async def test_a_page_that_is_offline_says_so_at_once_and_comes_back(
    in_browser: ShopInBrowser,
) -> None:
    drop = await in_browser.drop(pin())
    async with in_browser.person(LOW) as fan:
        await fan.open(drop)
        await fan.page.context.set_offline(True)
        # Said by the event itself: the next full second of the page does not have to come.
        assert "Not up to date since" in await fan.page.locator("drop-link").inner_text()
        await drop.hold("another")
        await fan.page.context.set_offline(False)
        await fan.is_live()
        await fan.figures(free=199, held=1, sold=0)


@pytest.mark.parametrize("path", ["pay", "away"])
async def test_axe_finds_nothing_beside_the_drop_either(
    in_browser: ShopInBrowser, path: str
) -> None:
    async with in_browser.person(LOW) as fan:
        await fan.page.emulate_media(reduced_motion="reduce")
        drop = await STATES["held"](in_browser, fan)
        assert drop is not None
        if path == "pay":
            await fan.press("Pay €24.00")
            await expect(fan.page.locator("button[value=pay]")).to_be_visible()
        else:
            server = in_browser.running.server_pid
            assert server is not None
            os.kill(server, signal.SIGSTOP)
            try:
                await fan.page.goto("/", timeout=20_000)
            finally:
                os.kill(server, signal.SIGCONT)
        assert await faults(fan.page) == []
        if path == "away":
            # It comes back by itself.
            await expect(fan.page.get_by_role("heading", name="Drops")).to_be_visible(
                timeout=20_000
            )
