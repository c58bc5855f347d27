"""One fan on two devices, from his first press as a guest to the moment he is signed out
everywhere, before a shop of two web workers; once in each language.

`FANS_PICTURES=folder pytest -s --timeout=0` keeps pictures of each scene.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from typing import Self

import httpx2
import msgspec
import pytest
import websockets.asyncio.client as sockets
from playwright.async_api import Browser, Locator, Page, expect
from websockets.typing import Origin

from dropengine.asked import Asks
from dropengine.catalogue import LANGUAGES
from dropengine.config import Settings
from dropengine.manifest import Manifest
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.truth import connections
from dropengine.truth.store import Store
from tests.browser.test_access import SCHEMES
from tests.kit.manifests import item
from tests.kit.page_states import pin
from tests.kit.persons import Letter, address, letter_in
from tests.kit.shop_in_browser import DESK, PHONE, Drop, Person, ShopInBrowser
from tests.kit.web_process import Fan
from tests.kit.which_worker import worker_at

PICTURES = os.environ.get("FANS_PICTURES", "")
SIGNED_OUT_S = 12
"""Within which nobody who was signed out can do anything any more."""
PROOF = msgspec.structs.replace(item("proof", {"proof": 1}, price=9000), title="Artist's proof")
LIVES = {"name": "Ada Lovelace", "lines": "Ockham Park 1", "city": "Ockham"}
SUM = {"en": "€24.00", "de": "24,00\u00a0€"}
SIGNED_OUT = 4501
WORKERS = 2
ASKS = Asks(name="required", address="required")

_numbers = count(1)


class Scenes:
    """Pictures of what a story shows, where somebody wants to look."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._numbers = count(1)

    async def look(self, page: Page, name: str) -> None:
        """Both sizes, light and dark; on none is a scene wider than its screen."""
        before = page.viewport_size
        number = next(self._numbers)
        for screen, size in (("phone", PHONE), ("desk", DESK)):
            await page.set_viewport_size(size)
            await page.wait_for_function("width => innerWidth === width", arg=size["width"])
            found = await page.evaluate("document.documentElement.scrollWidth")
            assert found <= size["width"], f"{name} on a {screen}"
            for scheme in SCHEMES if PICTURES else ():
                await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                file = f"{self._language}.{number:02}.{name}.{screen}.{scheme}.png"
                await page.screenshot(path=Path(PICTURES) / file, full_page=True)
        assert before is not None
        await page.set_viewport_size(before)


@pytest.fixture(scope="module")
async def two_workers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SupervisorProcess]:
    data = tmp_path_factory.mktemp("two-workers")
    one = SupervisorProcess(
        Settings(
            local_pay=True, data_dir=data, port=0, log_level="warning", web_concurrency=WORKERS
        )
    )
    await asyncio.to_thread(one.start)
    yield one
    await asyncio.to_thread(one.stop)


@pytest.fixture
async def world(two_workers: SupervisorProcess, browser: Browser) -> AsyncIterator[ShopInBrowser]:
    client = connections.client(two_workers.running.redis_url)
    letters = two_workers._settings.data_dir / "mail"
    one = ShopInBrowser(
        two_workers.running, Store(client), browser, f"fans-{next(_numbers)}", letters
    )
    yield one
    await client.aclose(close_connection_pool=True)
    assert one.faults.seen == []


def words() -> Manifest:
    """A thing of which there is enough, and one that a fan waits for."""
    known = pin(asks=ASKS)
    return msgspec.structs.replace(known, items=(*known.items, PROOF), limit=3)


def button(fan: Person, key: str, **values: object) -> Locator:
    return fan.page.get_by_role("button", name=fan.say(key, **values), exact=True)


async def asks_for_a_letter(
    world: ShopInBrowser, fan: Person, scenes: Scenes, to: str, before: Letter | None = None
) -> Letter:
    """He types his address; a letter has come, and it is another than the one before."""
    await fan.page.get_by_label(fan.say("signing.address")).fill(to)
    await scenes.look(fan.page, "address")
    await button(fan, "signing.send").click()
    await fan.sees(fan.say("signing.sent"))
    await scenes.look(fan.page, "code")
    return await letter_in(world.mail, to, before)


async def begins_as_a_guest(fan: Person, drop: Drop) -> None:
    """A place in the line for the one thing, and a hold of the other."""
    await fan.open(drop)
    await fan.page.get_by_label(PROOF.title).check()
    await fan.press(fan.say("join"))
    await fan.reads(fan.say("in_line_at", count=1))
    await fan.page.get_by_label("Eclipse pin").check()
    await fan.press(fan.say("hold_one"))
    await fan.wakes(pay(fan))


def pay(fan: Person) -> str:
    return fan.say("pay_sum", sum=SUM[fan.say.language])


async def signs_in_by_code(world: ShopInBrowser, fan: Person, scenes: Scenes) -> Letter:
    """From the drop's own page and back to it; what he has there is a person's now."""
    await fan.page.get_by_role("link", name=fan.say("sign_in")).click()
    letter = await asks_for_a_letter(world, fan, scenes, address())
    await fan.page.get_by_label(fan.say("signing.code")).fill(letter.code)
    await button(fan, "sign_in").click()
    await fan.is_live()
    await fan.wakes(pay(fan))
    await has_his_place(fan)
    return letter


async def has_his_place(fan: Person) -> None:
    await expect(fan.page.locator(".places")).to_contain_text(PROOF.title)


async def signs_in_by_link(
    world: ShopInBrowser, fan: Person, drop: Drop, first: Letter, scenes: Scenes
) -> None:
    """A second browser, by the link of a letter of its own; it is good once."""
    await fan.page.goto(f"/you?to={drop.path}")
    letter = await asks_for_a_letter(world, fan, scenes, first.to, first)
    await fan.page.goto(letter.link)
    await fan.sees(letter.to)
    await scenes.look(fan.page, "link")
    await button(fan, "sign_in").click()
    await fan.is_live()
    await fan.wakes(pay(fan))
    await has_his_place(fan)
    await scenes.look(fan.page, "both")


async def fills_in_and_pays(fan: Person, scenes: Scenes) -> None:
    """What the maker has to know, beside the clock; then the provider's page."""
    page = fan.page
    await fan.press(pay(fan))
    await fan.sees(fan.say("ask.before"))
    await expect(page.locator("#left")).to_contain_text("07:")
    for name, text in LIVES.items():
        field = page.locator(f'[name="{name}"]')
        await field.fill(text)
        await field.blur()
        await expect(page.locator(f'[id="{name}-fault"]')).to_have_text(fan.say("ask.saved"))
    await page.locator('[name="country"]').select_option("DE")
    await scenes.look(page, "asked")
    await button(fan, "ask_pay", sum=SUM[fan.say.language]).click()
    await expect(page.locator("button[value=pay]")).to_be_visible()
    await scenes.look(page, "paying")
    await fan.pays()
    await fan.sees(fan.say("bought"))


async def makes_a_link(fan: Person, scenes: Scenes) -> str:
    """For whom the unit is."""
    page, say = fan.page, fan.say
    await page.locator('a[href*="/orders/"]').first.click()
    await fan.sees(LIVES["city"])
    await page.get_by_text(say("give.title")).click()
    await page.get_by_label(say("give.gift")).check()
    await page.get_by_label(say("give.giver")).fill("Ada")
    await scenes.look(page, "order")
    await button(fan, "give.make").click()
    link = await page.get_by_label(say("give.link")).input_value()
    await scenes.look(page, "receiver-link")
    return link


async def receives(fan: Person, link: str, scenes: Scenes) -> None:
    """Somebody who was never here says that it is she; nobody says so a second time."""
    await fan.page.goto(link)
    await fan.sees(fan.say("receive_from", giver="Ada"))
    await scenes.look(fan.page, "receives")
    for name, text in (LIVES | {"name": "Anna Isabella"}).items():
        await fan.page.locator(f'[name="{name}"]').fill(text)
    await fan.page.locator('[name="country"]').select_option("DE")
    await button(fan, "receive.confirm").click()
    await fan.sees(fan.say("receive_gift_done", maker="Taller Umbra"))
    await scenes.look(fan.page, "received")
    await fan.page.goto(link)
    await fan.sees(fan.say("receive_over.title"))
    await scenes.look(fan.page, "link-over")


class OtherTabs:
    """What else the phone has open: in each of the workers a socket, and a line for presses."""

    def __init__(self, world: ShopInBrowser, drop: Drop, cookie: str) -> None:
        self._running = world.running
        self._drop = drop
        self._headers = {"cookie": cookie, "origin": world.running.url}
        self._sockets: dict[int, Fan] = {}
        self._lines: dict[int, httpx2.AsyncClient] = {}
        self._opened = AsyncExitStack()

    def _worker(self, own_port: int) -> int:
        return worker_at(self._running.port, own_port, self._running.worker_pids)

    async def __aenter__(self) -> Self:
        """Dial until each worker has one of both."""
        while len(self._sockets) < WORKERS:
            await self._dial()
        while len(self._lines) < WORKERS:
            await self._ask()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._opened.aclose()

    async def _dial(self) -> None:
        socket = await sockets.connect(
            f"ws{self._running.url.removeprefix('http')}{self._drop.path}/live",
            origin=Origin(self._headers["origin"]),
            additional_headers={"Cookie": self._headers["cookie"]},
            proxy=None,
        )
        self._opened.push_async_callback(socket.close)
        self._sockets[self._worker(socket.local_address[1])] = Fan(socket, None)

    async def _ask(self) -> None:
        line = await self._opened.enter_async_context(
            httpx2.AsyncClient(base_url=self._running.url, headers=self._headers, trust_env=False)
        )
        answer = await line.get(f"/api{self._drop.path}/you")
        assert answer.json()["orders"] != [], answer.text
        stream = answer.extensions["network_stream"]
        self._lines[self._worker(stream.get_extra_info("client_addr")[1])] = line

    async def all_end(self) -> None:
        """Every socket is closed as one that was signed out, and every press is refused."""
        codes = [await one.closed() for one in self._sockets.values()]
        assert codes == [SIGNED_OUT] * WORKERS
        for line in self._lines.values():
            answer = await line.post(f"/api{self._drop.path}/hold", json={"pool": self._drop.pool})
            assert (answer.status_code, answer.json()["code"]) == (401, "sign_in")


async def is_signed_out_everywhere(
    world: ShopInBrowser, drop: Drop, desk: Person, phone: Person, scenes: Scenes
) -> None:
    """By the one device; whatever the other has open ends in time, in both workers."""
    kept = await phone.page.context.cookies(world.running.url)
    person = next(one for one in kept if one["name"].startswith("person-"))
    async with OtherTabs(world, drop, f"{person['name']}={person['value']}") as tabs:
        await desk.page.goto("/you")
        await scenes.look(desk.page, "you")
        begun = time.monotonic()
        await button(desk, "person.everywhere").click()
        async with asyncio.timeout(SIGNED_OUT_S):
            await tabs.all_end()
            await expect(phone.page.locator("drop-link")).to_contain_text(phone.say("ticket_over"))
        print(f"signed out everywhere after {time.monotonic() - begun:.2f} s")
    await scenes.look(phone.page, "signed-out")
    await button(phone, "load_again").click()
    await phone.is_live()
    await phone.wakes(phone.say("hold_one"))
    await scenes.look(phone.page, "guest-again")


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_fan_is_one_person_from_his_first_press_until_he_is_signed_out_everywhere(
    world: ShopInBrowser, language: str
) -> None:
    scenes = Scenes(language)
    drop = await world.drop(words())
    await drop.takes("another", "proof")
    async with (
        world.person(PHONE, language=language) as phone,
        world.person(DESK, language=language) as desk,
        world.person(PHONE, language=language) as anna,
    ):
        await begins_as_a_guest(phone, drop)
        await scenes.look(phone.page, "guest")
        letter = await signs_in_by_code(world, phone, scenes)
        await scenes.look(phone.page, "known")
        await signs_in_by_link(world, desk, drop, letter, scenes)
        await fills_in_and_pays(desk, scenes)
        await scenes.look(desk.page, "bought")
        await phone.sees(phone.say("bought"))
        link = await makes_a_link(desk, scenes)
        await receives(anna, link, scenes)
        await is_signed_out_everywhere(world, drop, desk, phone, scenes)
