"""A fan closes the page and is called: asked by a tap, shown by the worker, led to the drop.

Chromium without a push service neither subscribes nor opens a window: the service is the test's,
what it sends is handed to the worker by DevTools, and the address that its click asks for is opened
by the test.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import BrowserContext, Worker, expect

from dropengine.config import Settings
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.truth import connections
from dropengine.truth.store import Store
from tests.browser.test_access import faults, faults_in_each_scheme
from tests.kit.manifests import item, manifest
from tests.kit.push_service import Browser, Message, PushService, vapid
from tests.kit.shop_in_browser import Person, ShopInBrowser
from tests.kit.web_process import LONG_S

_numbers = count(1)

SUBSCRIBES = """
([endpoint, p256dh, auth]) => {
  // The browser's own service, as this test's browser has one.
  const plain = (text) => atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const raw = (text) => Uint8Array.from(plain(text), (one) => one.charCodeAt(0)).buffer;
  let had = null;
  PushManager.prototype.subscribe = async function (how) {
    window.asked = how;
    const keys = { p256dh: raw(p256dh), auth: raw(auth) };
    had = {
      endpoint,
      options: { applicationServerKey: null },
      getKey: (name) => keys[name],
      unsubscribe: async () => { had = null; return true; },
    };
    return had;
  };
  PushManager.prototype.getSubscription = async () => had;
}
"""

KEEPS = """
() => {
  // What its own handler promised of each push. Whoever asks what is shown before that is kept
  // takes it away: Chromium forgets what it has written down and not drawn yet.
  if (self.promised !== undefined) return;
  self.promised = [];
  const waits = ExtendableEvent.prototype.waitUntil;
  ExtendableEvent.prototype.waitUntil = function (what) {
    if (this instanceof PushEvent) self.promised.push(what);
    return waits.call(this, what);
  };
}
"""
SHOWN = """
async ([number, tag]) => {
  while (self.promised.length < number) await new Promise((done) => setTimeout(done, 50));
  await self.promised[number - 1];
  const [one] = await self.registration.getNotifications({ tag });
  if (one === undefined) throw new Error(`nothing is shown: ${tag}`);
  return { title: one.title, body: one.body, tag: one.tag };
}
"""
CHANGED = """
async ([endpoint, p256dh, auth]) => {
  // A browser that says neither which address it had nor which it has.
  const plain = (text) => atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const raw = (text) => Uint8Array.from(plain(text), (one) => one.charCodeAt(0)).buffer;
  const keys = { p256dh: raw(p256dh), auth: raw(auth) };
  let asked = '';
  PushManager.prototype.subscribe = async (how) => {
    asked = how.applicationServerKey;
    return { endpoint, getKey: (name) => keys[name] };
  };
  const event = new ExtendableEvent('pushsubscriptionchange');
  const waits = [];
  event.waitUntil = (what) => waits.push(what);
  self.dispatchEvent(event);
  await Promise.all(waits);
  return asked;
}
"""
CLICKED = """
async (tag) => {
  let wanted = '';
  const opens = self.clients.openWindow;
  const windows = self.clients.matchAll;
  // Without a finger on it a browser opens and shows nothing: what is asked for is what counts.
  self.clients.openWindow = async (address) => { wanted = address; return null; };
  const still = (one) => ({ url: one.url, focused: one.focused, focus: async () => one });
  self.clients.matchAll = async (how) => (await windows.call(self.clients, how)).map(still);
  const [notification] = await self.registration.getNotifications({ tag });
  const event = new NotificationEvent('notificationclick', { notification });
  const waits = [];
  event.waitUntil = (what) => waits.push(what);
  self.dispatchEvent(event);
  await Promise.all(waits);
  self.clients.openWindow = opens;
  self.clients.matchAll = windows;
  return wanted;
}
"""


@pytest.fixture(scope="module")
async def calling_shop(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[SupervisorProcess]:
    """A whole shop that may call a service on this machine."""
    data = tmp_path_factory.mktemp("calling")
    settings = Settings(local_pay=True, data_dir=data, port=0, log_level="warning", push_here=True)
    supervisor = SupervisorProcess(settings)
    await asyncio.to_thread(supervisor.start)
    yield supervisor
    await asyncio.to_thread(supervisor.stop)


@pytest.fixture
async def shop(calling_shop: SupervisorProcess, browser: Chromium) -> AsyncIterator[ShopInBrowser]:
    client = connections.client(calling_shop.running.redis_url)
    name = f"calls-{next(_numbers)}"
    one = ShopInBrowser(calling_shop.running, Store(client), browser, name)
    yield one
    await client.aclose(close_connection_pool=True)
    assert one.faults.seen == []


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    async with PushService().at_work() as one:
        yield one


class Phone:
    """A fan's browser with a push service of the test. `person`: he at the drop's page; `worker`:
    what lives when it is closed."""

    def __init__(self, context: BrowserContext, person: Person, keys: Browser, origin: str) -> None:
        self.context = context
        self.person = person
        self.keys = keys
        self._origin = origin
        self._heard = 0

    @property
    def worker(self) -> Worker:
        (one,) = [one for one in self.context.service_workers if one.url.endswith("/calls.js")]
        return one

    async def wants(self, words: str) -> None:
        """Tap what lets him be called."""
        await self.person.clicks(words)
        await self.person.sees("This browser calls you, also when this page is closed.")

    async def leaves(self) -> None:
        """No page of the shop is open any more."""
        beside = await self.context.new_page()
        self._cdp = await self.context.new_cdp_session(beside)
        self._registration = await self._registered()
        await self.person.page.close()

    async def _registered(self) -> str:
        found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def told(event: dict[str, Any]) -> None:
            for one in event["registrations"]:
                if one["scopeURL"] == f"{self._origin}/" and not found.done():
                    found.set_result(one["registrationId"])

        self._cdp.on("ServiceWorker.workerRegistrationUpdated", told)
        await self._cdp.send("ServiceWorker.enable")
        async with asyncio.timeout(LONG_S):
            return await found

    async def hears(self, message: Message) -> dict[str, Any]:
        """What came for it, unsealed as browsers do it, and what its worker shows."""
        said: dict[str, Any] = self.keys.reads(message.body)
        about = {"origin": self._origin, "registrationId": self._registration}
        data = {"data": json.dumps(said)}
        worker = self.worker
        await worker.evaluate(KEEPS)
        await self._cdp.send("ServiceWorker.deliverPushMessage", about | data)
        self._heard += 1
        async with asyncio.timeout(LONG_S):
            shown: dict[str, Any] = await worker.evaluate(SHOWN, [self._heard, said["tag"]])
        return shown

    async def clicks(self, tag: str) -> str:
        """The address that a click on a notification asks for."""
        wanted: str = await self.worker.evaluate(CLICKED, tag)
        return wanted


def own(keys: Browser) -> list[str]:
    """What a page or a worker subscribes with."""
    return [keys.endpoint, keys.p256dh, keys.auth]


@asynccontextmanager
async def phone(shop: ShopInBrowser, service: PushService) -> AsyncIterator[Phone]:
    keys = service.browser()
    async with shop.context() as context:
        await context.grant_permissions(["notifications"])
        await context.add_init_script(f"({SUBSCRIBES})({json.dumps(own(keys))})")
        yield Phone(context, Person(await context.new_page()), keys, shop.running.url)


async def test_at_place_30_a_fan_closes_the_page_and_is_called_to_his_offer(
    shop: ShopInBrowser, service: PushService
) -> None:
    drop = await shop.drop(manifest("pins", item("pin", {"pin": 1})))
    hold = await drop.hold("holder")
    crowd = {f"fan{n}": await drop.join(f"fan{n}") for n in range(29)}
    async with phone(shop, service) as fans:
        await fans.person.open(drop)
        await fans.person.press("Join the line")
        await fans.person.reads("place 30")
        await fans.wants("Call me when it is my turn")
        await fans.leaves()
        for n in range(20):
            await drop.leave(f"fan{n}", crowd[f"fan{n}"])
        (near,) = await service.until(1)
        claims, _ = vapid(near.headers["authorization"])
        assert claims["aud"] == service.origin
        shown = await fans.hears(near)
        assert shown["body"] == "You are at place 10 in line. Your turn is near."
        for n in range(20, 29):
            await drop.leave(f"fan{n}", crowd[f"fan{n}"])
        await drop.release("holder", hold)
        (_, offer) = await service.until(2)
        assert offer.headers["urgency"] == "high"
        assert 0 < int(offer.headers["ttl"]) <= drop.manifest.offer_ms / 1000
        shown = await fans.hears(offer)
        assert shown["title"] == drop.manifest.title
        # The worker has the clocks of this machine: those of others are its module's tests.
        at = datetime.fromtimestamp(fans.keys.reads(offer.body)["at"] / 1000, UTC).astimezone()
        assert shown["body"] == f"Your turn. Take it before {at:%I:%M %p}."
        address = await fans.clicks(shown["tag"])
        assert address == f"{shop.running.url}{drop.path}"
        back = Person(await fans.context.new_page())
        await back.page.goto(address)
        await back.press("Take it")
        await back.press("Pay")
        await back.pays()
        await back.sees("#1")
        (*_, sold) = await service.until(3)
        assert fans.keys.reads(sold.body)["tag"] == f"{drop.id}.sold"


async def test_what_is_delivered_twice_stands_there_once_and_an_open_tab_is_shown(
    shop: ShopInBrowser, service: PushService
) -> None:
    drop = await shop.drop(manifest("pins", item("pin", {"pin": 1})))
    await drop.hold("holder")
    async with phone(shop, service) as fans:
        await fans.person.open(drop)
        await fans.person.press("Join the line")
        await fans.wants("Call me when it is my turn")
        await fans.leaves()
        await drop.say("Back in five minutes.")
        (news,) = await service.until(1)
        first, again = await fans.hears(news), await fans.hears(news)
        assert first["body"] == again["body"] == "Back in five minutes."
        assert (
            await fans.worker.evaluate(
                "async () => (await self.registration.getNotifications()).length"
            )
            == 1
        )
        tab = Person(await fans.context.new_page())
        await tab.open(drop)
        assert await fans.clicks(first["tag"]) == ""


async def test_a_fan_says_how_he_is_called_and_ends_it(
    shop: ShopInBrowser, service: PushService
) -> None:
    drop = await shop.drop(manifest("pins", item("pin", {"pin": 1})))
    await drop.hold("holder")
    async with phone(shop, service) as fans:
        person = fans.person
        await person.open(drop)
        asks = person.page.get_by_role("button", name="Call me when it is my turn")
        await expect(asks).to_have_count(0)
        await person.press("Join the line")
        await expect(asks).to_have_count(1)
        await fans.wants("Call me when it is my turn")
        await person.clicks("Call me without a sound")
        await expect(person.page.get_by_role("button", name="Call me with a sound")).to_be_visible()
        await drop.say("Soon.")
        (news,) = await service.until(1)
        assert fans.keys.reads(news.body)["quiet"] is True
        await person.clicks("Do not call me")
        await expect(asks).to_be_visible()
        await drop.say("Now.")
        await person.sees("Now.")
        assert len(service.came) == 1


async def test_a_browser_that_gets_another_address_tells_the_shop_while_no_page_is_open(
    shop: ShopInBrowser, service: PushService
) -> None:
    drop = await shop.drop(manifest("pins", item("pin", {"pin": 1})))
    await drop.hold("holder")
    async with phone(shop, service) as fans:
        await fans.person.open(drop)
        await fans.person.press("Join the line")
        await fans.wants("Call me when it is my turn")
        await fans.leaves()
        key = (await fans.context.request.get(f"/api/drops/{drop.id}/calls")).json
        fresh = service.browser()
        asked = await fans.worker.evaluate(CHANGED, own(fresh))
        assert asked == (await key())["key"]
        await drop.say("Soon.")
        (news,) = await service.until(1)
        assert fresh.reads(news.body)["body"] == "Soon."
        # And once more: what it was told last is what it tells.
        again = service.browser()
        await fans.worker.evaluate(CHANGED, own(again))
        await drop.say("Now.")
        (_, news) = await service.until(2)
        assert again.reads(news.body)["body"] == "Now."


async def test_where_the_worker_missed_it_the_page_tells_the_shop(
    shop: ShopInBrowser, service: PushService
) -> None:
    drop = await shop.drop(manifest("pins", item("pin", {"pin": 1})))
    await drop.hold("holder")
    async with phone(shop, service) as fans:
        await fans.person.open(drop)
        await fans.person.press("Join the line")
        await fans.wants("Call me when it is my turn")
        fresh = service.browser()
        has = "PushManager.prototype.subscribe({});"
        given = f"({SUBSCRIBES})({json.dumps(own(fresh))}); {has}"
        await fans.context.add_init_script(given)
        await fans.person.open(drop)
        await fans.person.sees("This browser calls you, also when this page is closed.")
        await drop.say("Soon.")
        (news,) = await service.until(1)
        assert fresh.reads(news.body)["body"] == "Soon."


async def test_before_a_drop_opens_whoever_is_there_may_be_called(
    shop: ShopInBrowser, service: PushService
) -> None:
    drop = await shop.drop(manifest("pins", item("pin", {"pin": 1})), opened=False)
    async with phone(shop, service) as fans:
        await fans.person.open(drop)
        await fans.wants("Call me before it opens")


async def test_who_blocked_notifications_is_told_what_he_can_do(shop: ShopInBrowser) -> None:
    drop = await shop.drop(manifest("pins", item("pin", {"pin": 1})))
    await drop.hold("holder")
    async with shop.context() as context:
        await context.add_init_script(
            "Object.defineProperty(Notification, 'permission', { get: () => 'denied' })"
        )
        person = Person(await context.new_page())
        await person.open(drop)
        await person.press("Join the line")
        await person.sees("Your browser blocks notifications of this shop")


async def test_a_phone_that_calls_only_from_its_home_screen_says_how(shop: ShopInBrowser) -> None:
    """As Safari on an iPhone looks to a page."""
    drop = await shop.drop(manifest("pins", item("pin", {"pin": 1})))
    await drop.hold("holder")
    async with shop.context() as context:
        await context.add_init_script(
            "delete window.PushManager; delete window.Notification; navigator.standalone = false;"
        )
        person = Person(await context.new_page())
        await person.open(drop)
        await expect(person.page.locator("drop-calls")).to_be_hidden()
        await person.press("Join the line")
        await person.sees("Add to Home Screen")
        await expect(person.page.locator("drop-calls button")).to_have_count(0)


async def test_where_no_push_service_is_it_is_said_and_the_place_stays(shop: ShopInBrowser) -> None:
    """This Chromium as it is."""
    drop = await shop.drop(manifest("pins", item("pin", {"pin": 1})))
    await drop.hold("holder")
    async with shop.context() as context:
        await context.grant_permissions(["notifications"])
        person = Person(await context.new_page())
        await person.open(drop)
        await person.press("Join the line")
        await person.clicks("Call me when it is my turn")
        await person.sees("This browser could not be set up to call you.")
        await person.reads("place 1")


async def test_axe_finds_nothing_in_what_he_is_asked_and_told(
    shop: ShopInBrowser, service: PushService
) -> None:
    drop = await shop.drop(manifest("pins", item("pin", {"pin": 1})))
    await drop.hold("holder")
    async with phone(shop, service) as fans:
        page = fans.person.page
        await fans.person.open(drop)
        await fans.person.press("Join the line")
        await expect(page.get_by_role("button", name="Call me when it is my turn")).to_be_visible()
        assert await faults(page) == []
        await fans.wants("Call me when it is my turn")
        assert await faults_in_each_scheme(page) == []
