"""Every page of the panel for everybody, and with whatever strangers write into its fields."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, NamedTuple

from playwright.async_api import Page, ViewportSize, expect
from sqlalchemy import Connection

from dropengine import refusals, wire
from dropengine.mail import makers_letters, outbox
from dropengine.mail.carriers import Bounced
from dropengine.model import DropId, FanId
from dropengine.people import answers, links, makers, receivers
from dropengine.people.links import Kind
from dropengine.people.makers import Maker
from dropengine.people.receivers import GIFT, Meant
from dropengine.people.roles import Role
from dropengine.sql.database import Database
from dropengine.truth.networks import NetworkNames
from dropengine.truth.store import Whences
from tests.browser.test_access import ZOOMED, faults_in_each_scheme
from tests.browser.test_studio import database, new_link, with_password
from tests.browser.test_writing import begins, fills, goes_on, photo
from tests.kit import every_page
from tests.kit.every_page import There
from tests.kit.page_states import STATES
from tests.kit.rows import EVERY
from tests.kit.shop_in_browser import DESK, SMALL, Drop, ShopInBrowser

__all__ = ["database"]

_numbers = count(1)
Writes = Callable[[Page], Awaitable[None]]
"""What else is written in a draft."""
HALL = ("127.0.1.1", "127.0.1.0/24")
CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary"
LOST = """controls => {
    const away = (one, box) => {
        for (let up = one.parentElement; up; up = up.parentElement) {
            if (/auto|scroll/.test(getComputedStyle(up).overflowX)) return false;
        }
        return box.left < -1 || box.right > innerWidth + 1;
    };
    const covered = (one) => {
        one.scrollIntoView({block: 'nearest'});
        const {x, y, width, height} = one.getClientRects()[0];
        const seen = (part) => {
            const top = document.elementFromPoint(x + width / 2, y + height * part);
            const about = top?.closest('label');
            return top && (one.contains(top) || top.contains(one) || about?.contains(one));
        };
        return ![0.1, 0.5, 0.9].some(seen);
    };
    return [...document.querySelectorAll(controls)]
        .filter((one) => one.checkVisibility() && !one.matches('.skip, .sr, :disabled'))
        .filter((one) => away(one, one.getBoundingClientRect()) || covered(one))
        .map((one) => one.outerHTML.slice(0, 120));
}"""


class World(NamedTuple):
    """A maker of a test's own, with somebody who owns it."""

    page: Page
    there: There
    drop: Drop


@asynccontextmanager
async def world(
    in_browser: ShopInBrowser, database: Database, viewport: ViewportSize, title: str
) -> AsyncIterator[World]:
    """A drop that sells, one that waits and one that is being written: all made in the panel."""
    number, url = next(_numbers), in_browser.running.url
    maker = makers.new(f"every{number}", f"Lamps of {number}", "#aa5500", int(time.time() * 1000))
    await database.write(lambda sql: _made(sql, maker))
    link = await new_link(database, Kind.INVITE, maker=maker.id, role=Role.OWNER)
    async with in_browser.context(viewport) as context:
        page = await with_password(context, url + link, f"owner{number}")
        found = [await _published(page, f"{title} one", more=game)]
        found.append(await _published(page, f"{title} two", more=early))
        shown = await in_browser.store.show(DropId(found[0]))
        assert shown is not None
        drop = Drop(in_browser.store, shown.manifest)
        await drop.open()
        await drop.sells("a", 1)
        await drop.hold("b", 2)
        await drop.say("We begin")
        await page.goto(f"/studio/drops/{drop.id}/game")
        await page.get_by_role("button", name="Start it").click()
        await page.goto(f"/studio/drops/{drop.id}/orders")
        orders = page.locator(".orders .number a")
        # The books are a moment behind.
        while not await orders.count():
            await page.reload()
        order = await orders.get_attribute("href")
        await database.write(lambda sql: _said(sql, drop.id, str(order).rpartition("/")[2]))
        listed, network = await _listed(page, in_browser, f"{title} four")
        await begins(page)
        await fills(page, f"{title} three")
        await by_chance(page)
        await goes_on(page)
        draft = page.url.split("/")[-2]
        spare = await new_link(database, Kind.INVITE, maker=maker.id, role=Role.VIEWER)
        letter = await database.write(lambda sql: _written(sql, maker, url))
        number_of = str(order).rpartition("/")[2]
        there = There(
            maker.id, draft, drop.id, found[1], number_of, f"{url}{spare}", letter, listed, network
        )
        yield World(page, there, drop)


def _said(sql: Connection, drop: str, order: str) -> None:
    """Of an order, and who receives it; something is missing still."""
    said = {(0, "name"): "Ada Lovelace", (0, "lines"): "12 Square\nFlat 3", (0, "country"): "GB"}
    answers.save(sql, drop, order, said, "ada", 1)
    link = receivers.make(sql, drop, order, Meant(1, 1, GIFT, "Anna"), "ada", 2)
    assert link is not None
    receivers.take(sql, link.id, {"name": "Anna Isabella", "city": "Ockham"}, 3)
    answers.lock(sql, drop, order, "owner", 4)


def _written(sql: Connection, maker: Maker, url: str) -> str:
    """A letter that this maker's owner may see, with words of a mail server; its id."""
    link, secret = links.make(sql, Kind.INVITE, int(time.time() * 1000), by="<b>", maker=maker.id)
    one = makers_letters.invite(link, secret, maker.name, f"{maker.short}@example.org", url)
    outbox.put(sql, one)
    outbox.note(sql, one.id, Bounced("550 <script>alert(1)</script> nobody"), one.written_ms)
    return one.id


def _made(sql: Connection, maker: Maker) -> None:
    makers.make(sql, maker)


async def by_chance(page: Page) -> None:
    """In the draft: a lobby into which guests may come."""
    await page.get_by_text("A lobby, then chance").click()
    await page.get_by_label("Guests may enter too").check()


async def early(page: Page) -> None:
    """In the draft: a cohort that comes before the others, by its list or by a code."""
    await page.get_by_role("button", name="Let some come before the others").click()
    await page.get_by_label("What fans call it").fill("Members of the club")
    await page.get_by_label("How many for it before").fill("1")
    await page.get_by_label("Whoever has a code").check()


async def game(page: Page) -> None:
    """In the draft: points for friends, and missions, of which one is ticked off by hand."""
    await page.get_by_label("Points for a friend").fill("2")
    await page.get_by_role("button", name="Set a mission").click()
    for title, kind in (("The word", "code"), ("Come to the stall", "tap")):
        mission = page.locator("#game fieldset").last
        await mission.get_by_label("What is to be done").fill(title)
        await mission.get_by_label("How it is proved").select_option(kind)
        if kind == "code":
            await page.get_by_role("button", name="Add a mission").click()


async def _listed(page: Page, in_browser: ShopInBrowser, title: str) -> tuple[str, str]:
    """A drop whose list is open, and what a network is called there that is full."""
    name = await _published(page, title, more=by_chance)
    shown = await in_browser.store.show(DropId(name))
    assert shown is not None
    drop = Drop(in_browser.store, shown.manifest)
    await drop.open()
    rows = [(FanId(f"fan{n}"), wire.Join(0, drop.key(), [drop.pool])) for n in range(21)]
    whences = Whences(NetworkNames(), [HALL] * len(rows))
    *_, last = await in_browser.store.press(drop.id, rows, whence=whences)
    assert isinstance(last, refusals.NetworkFull), last
    return name, last.network


async def _published(page: Page, title: str, *, more: Writes | None = None) -> str:
    await begins(page)
    await fills(page, title)
    if more is not None:
        await more(page)
    await page.get_by_label("A picture of it").set_input_files(photo())
    await page.locator(".shot").wait_for()
    for label in ("A name", "An address", "Something for each unit"):
        await page.get_by_label(label, exact=True).select_option("required")
    await page.get_by_label("What it is called").fill("Name to engrave")
    await goes_on(page)
    await page.get_by_role("button", name="Publish").click()
    await expect(page.locator(".said")).to_contain_text("Published")
    return page.url.rpartition("/")[2]


def test_every_page_of_the_shop_is_looked_at() -> None:
    assert every_page.forgotten() == set()
    assert set(every_page.FANS.values()) <= STATES.keys()


async def test_axe_finds_nothing_and_nothing_is_lost_on_a_small_screen(
    in_browser: ShopInBrowser, database: Database
) -> None:
    async with world(in_browser, database, SMALL, "Seen by everybody") as (page, there, _):
        found = []
        for path in _each(every_page.panel(there).values()):
            answer = await page.goto(path)
            assert answer is not None
            assert "text/html" in answer.headers["content-type"], path
            # The preview alone is shown in a frame: by pages of ours.
            alone = "'self'" if "/preview" in path else "'none'"
            assert f"frame-ancestors {alone}" in answer.headers["content-security-policy"], path
            found += [f"{path} {one}" for one in await faults_in_each_scheme(page)]
            for size in (SMALL, ZOOMED):
                await page.set_viewport_size(size)
                wide = await page.evaluate("document.documentElement.scrollWidth")
                if wide > size["width"]:
                    found.append(f"{path} is {wide} wide")
                lost = await page.evaluate(LOST, CONTROLS)
                found += [f"{path} {size['height']} high: lost {one}" for one in lost]
        assert found == []


def _each(addresses: Iterable[list[str]]) -> list[str]:
    return [one for some in addresses for one in some]


CORPUS = (
    "<xss-mark></xss-mark>",
    '"><xss-mark>',
    "'><xss-mark>",
    "<img src=x onerror=alert(1)>",
    '" autofocus onfocus=alert(2) x="',
    "' onmouseover=alert(3) '",
    "</textarea><xss-mark>",
    "</title></style><xss-mark>",
    "</script><xss-mark>",
    "--><xss-mark>",
    "<svg onload=alert(4)>",
    "<a href=javascript:alert(5)>",
    "javascript:alert(6)",
    "<iframe srcdoc=<xss-mark>>",
    "&lt;xss-mark&gt;",
    "{{7*7}}${7*7}<%=7*7%>",
    "\\u003cxss-mark\\u003e",
    "%3Cxss-mark%3E",
)
ALIVE = """() => [...document.querySelectorAll('*')].filter((one) => one.localName === 'xss-mark'
    || one.matches('img[src=x], iframe[srcdoc], a[href^="javascript:"]')
    || [...one.attributes].some(({name}) => name.startsWith('on')))
    .map((one) => one.outerHTML.slice(0, 120))"""
FORMS = """() => [...document.forms].map((form, place) => ({
    place,
    fields: [...form.elements].filter((one) => one.name && (one.localName === 'textarea'
        || (one.localName === 'input' && !/hidden|file|checkbox|radio|submit/.test(one.type))))
        .map((one) => [one.name, one.maxLength > 0 ? one.maxLength : 400]),
})).filter(({fields}) => fields.length > 0)"""
SENT = """([place, typed]) => {
    const form = document.forms[place];
    form.noValidate = true;
    for (const [name, text] of Object.entries(typed)) {
        const field = form.elements.namedItem(name);
        if (!field) continue;
        if (field.localName === 'input') field.type = 'text';
        field.value = text;
    }
    const pressed = form.querySelector('button:not([type=button])');
    if (pressed) pressed.click(); else form.submit();
}"""


async def test_what_came_alive_would_be_found(in_browser: ShopInBrowser) -> None:
    context = await in_browser.browser.new_context(java_script_enabled=True)
    page = await context.new_page()
    for mark in CORPUS[1:12]:
        one = f"<p title='{mark}'>{mark}</p><textarea>{mark}</textarea>"
        await page.set_content(f'{one}<input value="{mark}">')
        assert await page.evaluate(ALIVE) != [], mark
    await context.close()


def packed(turn: int, most: int) -> str:
    """As many of the corpus as a field may have, beginning with another one each turn."""
    text = ""
    for at in range(len(CORPUS)):
        more = f"{text} {CORPUS[(turn + at) % len(CORPUS)]}".strip()
        if len(more) <= most:
            text = more
    return text


async def typed_everywhere(page: Page, path: str, turns: range) -> set[str]:
    """Write the corpus into every field of a page and send it; the names of the fields."""
    names: set[str] = set()
    await page.goto(path)
    forms: list[dict[str, Any]] = await page.evaluate(FORMS)
    for form in forms:
        names |= {name for name, _ in form["fields"]}
        for turn in turns:
            await page.goto(path)
            # What was sent before may have been the last of its kind.
            if await page.evaluate("document.forms.length") <= form["place"]:
                break
            texts = {
                name: packed(turn + at, most) for at, (name, most) in enumerate(form["fields"])
            }
            async with page.expect_event("load"):
                await page.evaluate(SENT, [form["place"], texts])
            assert await page.evaluate(ALIVE) == [], (path, texts)
    return names


FIELDS = {
    *("name", "password", "old", "label", "colour", "title", "story", "maker"),
    *("why", "text", "qty", "opens", "closes", "opens_at", "closes_at", "asked", "since", "until"),
    *("note", "delivery", "returns", "contact", "currency", "limit", "id", "zone"),
}
"""The plainest of what is typed somewhere in the panel."""


async def test_nothing_typed_into_any_field_is_ever_more_than_text(
    in_browser: ShopInBrowser, database: Database
) -> None:
    """The fixture asks at the end whether a page broke its policy or spoke."""
    turns = range(0, len(CORPUS), 1 if EVERY else 9)
    evil = "<xss-mark>"
    async with world(in_browser, database, DESK, evil) as (page, there, drop):
        fan, wall = await page.context.new_page(), await page.context.new_page()
        # These two hear what is typed while they look.
        await fan.goto(drop.path)
        await wall.goto(f"{drop.path}/wall")
        every = every_page.panel(there)
        names: set[str] = set()
        signed_out = ("/studio/sign-in", "/studio/links/{token}")
        for path in _each(some for row, some in every.items() if row not in signed_out):
            names |= await typed_everywhere(page, path, turns)
        spoken = set()
        for path in (*_each(every.values()), "/", drop.path, f"{drop.path}/wall"):
            await page.goto(path)
            assert await page.evaluate(ALIVE) == [], path
            if "xss-mark" in await page.locator("body").inner_text():
                spoken.add(path)
        for live in (fan, wall):
            assert await live.evaluate(ALIVE) == []
            await live.get_by_text("xss-mark").first.wait_for()
        # What was typed is really there, as text.
        base = f"/studio/drops/{drop.id}"
        for part in ("", "/night", "/orders", f"/orders/{there.order}", "/words"):
            assert f"{base}{part}" in spoken
        for path in ("/studio", "/studio/people", drop.path, f"{drop.path}/wall"):
            assert path in spoken
        for path in signed_out:
            names |= await typed_everywhere(page, every[path][0], turns)
        assert names >= FIELDS
