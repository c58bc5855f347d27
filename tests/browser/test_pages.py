"""The pages as documents: safe, readable without scripts, usable on any screen and by keyboard."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import AsyncIterator

import httpx2
import msgspec
import pytest
from playwright.async_api import Page, expect

from dropengine import wire
from dropengine.truth import repair
from tests.kit.freezing import leave_mark
from tests.kit.manifests import item, manifest
from tests.kit.shop_in_browser import DESK, PHONE, Drop, ShopInBrowser

TIMES = "\N{MULTIPLICATION SIGN}"
CORPUS = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "<!--<script>",
    "javascript:alert(3)",
    "\"'><svg onload=alert(4)>",
    "{{ 7 * 7 }} ${7 * 7} {% raw %}",
    "&lt;b&gt; &amp; \u2028 \u2029 \\u003c",
    "日本語 العربية \U0001f311",
)


@pytest.fixture
async def http(in_browser: ShopInBrowser) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=in_browser.running.url) as client:
        yield client


async def said(page: Page, selector: str) -> str:
    return str(await page.locator(selector).first.evaluate("element => element.textContent"))


@pytest.mark.parametrize("text", CORPUS)
async def test_what_a_maker_wrote_is_only_ever_text(in_browser: ShopInBrowser, text: str) -> None:
    words = msgspec.structs.replace(
        manifest("a", msgspec.structs.replace(item("pin", {"pin": 3}), title=text, about=text)),
        title=text,
        maker=text,
        story=text,
    )
    drop = await in_browser.drop(words)
    # A message is one line.
    spoken = " ".join(text.split())
    await drop.say(spoken)
    async with in_browser.person() as fan:
        await fan.open(drop)
        assert (await said(fan.page, "h1")).strip() == text
        for place in (".maker", ".story p", ".about p", ".items .name"):
            assert (await said(fan.page, place)).strip() == text, place
        assert await said(fan.page, ".news p") == spoken
        # The live parts have rendered over the server's words: the same text again.
        await fan.press("Hold one for me")
        await expect(fan.page.locator(".card.hold h3")).to_be_visible()
        assert (await said(fan.page, ".card.hold h3")).strip() == f"1 {TIMES} {text}"
        await fan.page.goto(f"{drop.path}/wall")
        await fan.is_live()
        assert (await said(fan.page, ".latest")).endswith(spoken)
        await fan.page.goto("/")
        await expect(fan.page.get_by_role("list").first).to_be_visible()
        assert text in await said(fan.page, "main")


async def test_the_page_is_readable_without_scripts(in_browser: ShopInBrowser) -> None:
    story = msgspec.structs.replace(
        manifest("a"), story="Cast in May.\n\nNumbered by hand.", opens_ms=2_000_000_000_000
    )
    drop = await in_browser.drop(story, opened=False)
    async with in_browser.context(scripts=False) as context:
        page = await context.new_page()
        await page.goto(drop.path)
        main = page.locator("main")
        words = (
            "Test drop",
            "Cast in May.",
            "Numbered by hand.",
            "€24.00",
            "Wed, May 18, 2033, 3:33:20 AM UTC",
            "at most 3",
        )
        for word in words:
            await expect(main).to_contain_text(word)
        await expect(page.locator(".figures .free dd")).to_have_text("3")
        assert "needs JavaScript" in await page.locator("main noscript").inner_html()
        # A page that nothing keeps alive says of when it is.
        await expect(page.locator("drop-link")).to_contain_text("As of")


async def test_the_wall_follows_the_sale_and_knows_nobody(in_browser: ShopInBrowser) -> None:
    drop = await in_browser.drop(manifest("a", item("pin", {"pin": 12}, most=5), limit=5))
    async with in_browser.person(DESK) as watcher:
        await watcher.page.goto(f"{drop.path}/wall")
        await watcher.is_live()
        cells = watcher.page.locator(".grids rect")
        await expect(cells).to_have_count(12)
        await drop.hold("somebody", 5)
        await expect(watcher.page.locator(".grids rect.held")).to_have_count(5)
        await expect(watcher.page.locator(".grids rect.free")).to_have_count(7)
        await expect(watcher.page.locator(".huge")).to_contain_text("7")
        assert await watcher.page.context.cookies() == []


@pytest.mark.parametrize("place", ["", "/wall"])
async def test_why_a_drop_stands_still_is_told_until_it_goes_on(
    in_browser: ShopInBrowser, place: str
) -> None:
    drop = await in_browser.drop(manifest("a"))
    async with in_browser.person(DESK) as somebody:
        await somebody.page.goto(f"{drop.path}{place}")
        await somebody.is_live()
        why = somebody.page.locator(".why")
        await expect(why).to_have_count(0)
        await drop.pause("Lunch & <b>tea</b>")
        await expect(why).to_have_text("Lunch & <b>tea</b>")
        await drop.resume()
        await expect(why).to_have_count(0)


async def test_a_frozen_drop_says_what_is_the_matter_and_offers_nothing_to_press(
    in_browser: ShopInBrowser,
) -> None:
    drop = await in_browser.drop(manifest("a"))
    async with in_browser.person() as fan:
        await fan.open(drop)
        await fan.press("Hold one for me")
        await fan.reads("Pay €24.00")
        await leave_mark(drop.store, drop.id, int(time.time() * 1000))
        await fan.reads("Stopped")
        await expect(fan.page.locator(".why")).to_contain_text("could not write a change down")
        await fan.sees("Its time stands still while the drop is stopped.")
        await expect(fan.button).to_have_attribute("aria-disabled", "true")
        for words in ("Pay", "Give it back"):
            await expect(fan.page.get_by_role("button", name=words)).to_have_count(0)
        found = await repair.audit(drop.store, drop.id)
        assert found is not None
        await repair.thaw(drop.store, found, by="o1", key="thaw")
        await fan.reads("Pay €24.00")


async def overflow(page: Page) -> int:
    """How many pixels the page is wider than its screen."""
    width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    return int(await page.evaluate(width))


async def bought(in_browser: ShopInBrowser, drop: Drop) -> None:
    """The drop in its fullest dress: news, a line, several pools."""
    await drop.say("Supercalifragilisticexpialidocious" * 4)
    await drop.hold("first", 2)
    await drop.join("second")


@pytest.mark.parametrize("path", ["", "/wall"])
@pytest.mark.parametrize(("width", "height"), [(320, 256), (390, 844), (1280, 800), (2560, 1440)])
async def test_no_screen_is_too_small(
    in_browser: ShopInBrowser, width: int, height: int, path: str
) -> None:
    """320 x 256 is a desk's screen at 400 % zoom: nothing is cut off to the side."""
    two = manifest("a", item("amber", {"amber": 2}), item("slate", {"slate": 2}))
    drop = await in_browser.drop(two)
    await bought(in_browser, drop)
    async with in_browser.person({"width": width, "height": height}) as fan:
        await fan.page.goto(drop.path + path)
        await fan.is_live()
        assert await overflow(fan.page) == 0
        if not path:
            await fan.press("Hold one for me")
            await fan.reads("Pay €24.00")
            assert await overflow(fan.page) == 0


async def test_a_unit_can_be_held_by_keyboard_and_the_focus_stays(
    in_browser: ShopInBrowser,
) -> None:
    drop = await in_browser.drop(manifest("a"))
    async with in_browser.person(DESK) as fan:
        await fan.open(drop)
        await fan.page.keyboard.press("Tab")
        await expect(fan.page.locator(".skip")).to_be_focused()
        await fan.page.keyboard.press("Enter")
        for _ in range(8):
            if await fan.button.evaluate("one => one === document.activeElement"):
                break
            await fan.page.keyboard.press("Tab")
        await expect(fan.button).to_be_focused()
        await fan.page.keyboard.press("Enter")
        await fan.reads("Pay €24.00")
        await expect(fan.button).to_be_focused()


async def test_a_screen_reader_is_not_told_every_second(in_browser: ShopInBrowser) -> None:
    drop = await in_browser.drop(manifest("a"))
    async with in_browser.person() as fan:
        await fan.open(drop)
        await fan.press("Hold one for me")
        await expect(fan.page.locator("#voice")).to_have_text(f"1 {TIMES} Pin: held for you.")
        changes = await fan.page.evaluate(SPOKEN)
        assert changes == {"spoken": 0, "ticks": 3}


async def test_every_page_comes_with_its_shields(
    in_browser: ShopInBrowser, http: httpx2.AsyncClient
) -> None:
    drop = await in_browser.drop(manifest("a"))
    for path, status in (
        (drop.path, 200),
        (f"{drop.path}/wall", 200),
        ("/", 200),
        ("/drops/none", 404),
        ("/drops/NOT%20AN%20ID/wall", 404),
    ):
        page = await http.get(path)
        assert page.status_code == status, path
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert page.headers["x-content-type-options"] == "nosniff"
        kept = "no-cache" if path in ("/", f"{drop.path}/wall") else "private, no-store"
        assert page.headers["cache-control"] == kept, path
        assert page.headers["referrer-policy"] == "same-origin"


async def test_a_shop_that_is_away_says_so_and_asks_again_by_itself(
    in_browser: ShopInBrowser, http: httpx2.AsyncClient
) -> None:
    server = in_browser.running.server_pid
    assert server is not None
    os.kill(server, signal.SIGSTOP)
    try:
        page = await http.get("/", timeout=15)
    finally:
        os.kill(server, signal.SIGCONT)
    assert page.status_code == 503
    assert page.headers["retry-after"] == "5"
    assert "Nothing is sold out and nothing is lost" in page.text
    # Whoever reads it is not interrupted: a script asks, and loads it again once the shop is back.
    assert "http-equiv" not in page.text
    assert 'data-retry="5"' in page.text
    assert "error.js" in page.text


async def test_a_guest_gets_one_ticket_and_keeps_it(
    in_browser: ShopInBrowser, http: httpx2.AsyncClient
) -> None:
    drop = await in_browser.drop(manifest("a"))
    first = await http.get(drop.path)
    cookie = first.headers["set-cookie"]
    name, _, ticket = cookie.partition(";")[0].partition("=")
    assert re.fullmatch("fan-[0-9a-f]{8}", name)
    for rule in ("HttpOnly", "Path=/", "SameSite=lax", "Max-Age=15552000"):
        assert rule in cookie
    again = await http.get(drop.path)
    assert "set-cookie" not in again.headers
    forged = await http.get(drop.path, headers={"cookie": "fan=f1.me.0.forged"})
    assert "set-cookie" in forged.headers
    assert "set-cookie" not in (await http.get("/drops/none")).headers
    http.cookies.clear()
    # As shops kept it before each had a name of its own for it.
    moved = await http.get(drop.path, headers={"cookie": f"fan={ticket}"})
    assert moved.headers["set-cookie"].startswith(f"{name}={ticket};")


async def test_the_first_state_is_in_the_page(
    in_browser: ShopInBrowser, http: httpx2.AsyncClient
) -> None:
    drop = await in_browser.drop(manifest("a"))
    page = (await http.get(drop.path)).text
    block = page.partition('<script id="state" type="application/json">')[2]
    message = json.loads(block.partition("</script>")[0])
    snapshot = msgspec.convert(message, wire.Snapshot)
    assert snapshot.drop.id == drop.id
    assert snapshot.you is not None


async def test_built_files_are_kept_for_ever_and_renamed_when_they_change(
    in_browser: ShopInBrowser, http: httpx2.AsyncClient
) -> None:
    drop = await in_browser.drop(manifest("a"))
    page = (await http.get(drop.path)).text
    address = page.partition('<script type="module" src="')[2].partition('"')[0]
    script = await http.get(address)
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["content-encoding"] == "gzip"
    tag = script.headers["etag"]
    assert (await http.get(address, headers={"if-none-match": tag})).status_code == 304
    bare = await http.get(address.partition("?")[0])
    assert bare.headers["cache-control"] == "public, no-cache"
    for stranger in ("/static/none.js", "/static/sources.sha256", "/static/..%2Fapp.py"):
        assert (await http.get(stranger)).status_code == 404


async def test_dark_and_light_both_have_enough_contrast(in_browser: ShopInBrowser) -> None:
    drop = await in_browser.drop(manifest("a"))
    async with in_browser.person(PHONE) as fan:
        for scheme in ("light", "dark"):
            await fan.page.emulate_media(color_scheme=scheme)
            await fan.open(drop)
            await fan.reads("Hold one for me")
            for selector in (".one", ".hint", ".figures dt", ".phase", "h1", "drop-link p"):
                ratio = await fan.page.evaluate(CONTRAST, selector)
                assert ratio >= 4.5, f"{selector} in {scheme}: {ratio:.2f}"


SPOKEN = """() => new Promise((done) => {
    const all = {childList: true, characterData: true, subtree: true};
    const on = (selector, told) =>
        new MutationObserver(told).observe(document.querySelector(selector), all);
    let [spoken, ticks] = [0, 0];
    on('#voice', () => { spoken += 1; });
    on('.one .clock', () => { ticks += 1; if (ticks === 3) done({spoken, ticks}); });
})"""

CONTRAST = """(selector) => {
    const canvas = document.createElement('canvas').getContext('2d');
    const light = (colour) => {
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((part) => {
            const c = part / 255;
            return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const element = document.querySelector(selector);
    let behind = element;
    while (getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)') {
        behind = behind.parentElement;
    }
    const [a, b] = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor]
        .map(light);
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""
