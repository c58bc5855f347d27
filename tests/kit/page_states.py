"""Every state of the pages that a person can come to, each brought about for real."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from playwright.async_api import expect
from sqlalchemy import select

from dropengine import manifest as manifests
from dropengine import outcomes
from dropengine.asked import Asks
from dropengine.catalogue import COOKIE
from dropengine.config import Settings
from dropengine.mail import outbox
from dropengine.mail.carriers import Bounced
from dropengine.mail.letter import Kind, letter_id
from dropengine.mail.letter import Letter as Owed
from dropengine.manifest import Manifest
from dropengine.manifest.manifest import Cohort
from dropengine.model import FanId
from dropengine.people import cohorts
from dropengine.sql import engine
from dropengine.sql.schema.persons import PERSONS
from dropengine.truth import carried_list
from tests.kit.freezing import leave_mark
from tests.kit.manifests import item, manifest, playing
from tests.kit.persons import Letter, letter_in
from tests.kit.persons import address as new_address
from tests.kit.quiet_hours import hours_long_over, opened_hours_ago
from tests.kit.shop_in_browser import Drop, Person, ShopInBrowser

Reach = Callable[[ShopInBrowser, Person], Coroutine[Any, Any, Drop | None]]
R = TypeVar("R", bound=Reach)
STATES: dict[str, Reach] = {}
EXAMPLES = Path(__file__).parent.parent.parent / "examples"
STORY = "Cast in May, numbered by hand.\n\nThe mould is broken afterwards."


def state(reach: R) -> R:
    """A state of this name."""
    STATES[reach.__name__] = reach
    return reach


async def in_language(fan: Person, language: str) -> None:
    """The same page once more, for who chose this language; what was only on the screen is gone."""
    page = fan.page
    await page.context.set_offline(False)
    # Else a browser keeps it for the folder of this page alone.
    shop = "/".join([*page.url.split("/")[:3], ""])
    await page.context.add_cookies([{"name": COOKIE, "value": language, "url": shop}])
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("lang", language)
    # Every live part has written itself anew.
    await expect(page.locator("drop-link .bare")).to_have_count(0)


def pin(cap: int = 200, **more: Any) -> Manifest:
    """One item, as most drops are."""
    one = msgspec.structs.replace(item("pin", {"pin": cap}, most=2), title="Eclipse pin")
    words = manifest("a", one, limit=2)
    told = {
        "title": "Eclipse pin",
        "maker": "Taller Umbra",
        "story": STORY,
        "zone": "Europe/Madrid",
    }
    return msgspec.structs.replace(words, **{**told, **more})


def mix() -> Manifest:
    """Three items at two places each: as much choice as a page should carry."""
    return manifests.parse((EXAMPLES / "hard-mix-a.toml").read_bytes(), "hard-mix-a.toml")


@state
async def soon(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await shop.drop(pin(opens_ms=2_000_000_000_000), opened=False)
    await fan.open(drop)
    return drop


@state
async def another_time(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await soon(shop, fan)
    await drop.reschedule(opens_ms=2_000_000_600_000)
    await fan.sees("Changed by the maker")
    return drop


@state
async def by_hand(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await shop.drop(pin(), opened=False)
    await fan.open(drop)
    return drop


@state
async def open_now(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await shop.drop(pin(closes_ms=2_000_000_000_000))
    await drop.hold("another", 2)
    await fan.open(drop)
    return drop


@state
async def choices(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await shop.drop(mix())
    await fan.open(drop)
    return drop


@state
async def held(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await open_now(shop, fan)
    await fan.press("Hold one for me")
    await fan.wakes("Pay €24.00")
    return drop


@state
async def paying(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await held(shop, fan)
    await fan.press("Pay €24.00")
    await expect(fan.page.locator("button[value=pay]")).to_be_visible()
    await fan.page.go_back()
    await fan.is_live()
    await fan.wakes("Back to the payment")
    return drop


@state
async def last_minute(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await shop.drop(pin(hold_ms=55_000, practice=True))
    await fan.open(drop)
    await fan.press("Hold one for me")
    await fan.wakes("Pay €24.00")
    return drop


@state
async def giving_back(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await held(shop, fan)
    await fan.clicks("Give it back")
    return drop


@state
async def all_in_carts(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await shop.drop(pin(7))
    for one in range(4):
        await drop.hold(f"fan-{one}", min(2, 7 - 2 * one))
    await fan.open(drop)
    return drop


@state
async def in_line(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await shop.drop(pin(1))
    await drop.hold("first")
    for one in range(3):
        await drop.join(f"before-{one}")
    await fan.open(drop)
    await fan.press("Join the line")
    await fan.reads("In line: place 4")
    return drop


@state
async def line_as_a_game(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await shop.drop(playing(pin(1), identity="guest"))
    await drop.hold("first")
    await drop.join("before")
    await fan.open(drop)
    await fan.press("Join the line")
    await fan.sees("As it stands, the units cannot reach you.")
    await fan.sees("Your link")
    return drop


@state
async def leaving(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await in_line(shop, fan)
    await fan.clicks("Leave the line")
    return drop


async def called(shop: ShopInBrowser, fan: Person, **more: Any) -> Drop:
    drop = await shop.drop(pin(1, **more))
    taken = await drop.hold("first")
    await fan.open(drop)
    await fan.press("Join the line")
    await fan.reads("In line: place 1")
    await drop.release("first", taken)
    await fan.reads("Take it")
    return drop


@state
async def offer(shop: ShopInBrowser, fan: Person) -> Drop:
    return await called(shop, fan)


async def night(shop: ShopInBrowser, fan: Person, *, first: bool) -> Drop:
    """A unit came back at night; whoever is first may call himself."""
    drop = await shop.drop(pin(1, zone="UTC", **hours_long_over()))
    taken = await drop.hold("first")
    if not first:
        await drop.join("before")
    await fan.open(drop)
    await fan.press("Join the line")
    await fan.reads(f"In line: place {1 if first else 2}")
    await opened_hours_ago(drop.store, drop.id)
    await drop.release("first", taken)
    return drop


@state
async def night_and_ones_turn(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await night(shop, fan, first=True)
    await fan.sees("It would be your turn")
    return drop


@state
async def night_in_line(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await night(shop, fan, first=False)
    await fan.sees("At night nobody is called")
    return drop


@state
async def cooling(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await called(shop, fan)
    await fan.clicks("Pass on it")
    await fan.sees("You passed on this offer.")
    return drop


@state
async def place_ended(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await called(shop, fan, cool_ms=1_000)
    for _ in range(2):
        await fan.clicks("Pass on it")
        await fan.sees("You passed on this offer.")
        await fan.page.locator(".card.ended").first.get_by_role("button", name="Got it").click()
    await fan.sees("you missed two turns")
    return drop


@state
async def hold_ended(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await shop.drop(pin(hold_ms=2_000, practice=True))
    await fan.open(drop)
    await fan.press("Hold one for me")
    await fan.sees("The time to pay ran out")
    return drop


@state
async def won(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await held(shop, fan)
    await fan.press("Pay €24.00")
    await fan.pays()
    await fan.reads("Yours: #1 of 200")
    return drop


@state
async def payment_page(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await held(shop, fan)
    await fan.press("Pay €24.00")
    await expect(fan.page.locator("button[value=pay]")).to_be_visible()
    return drop


@state
async def order_page(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await won(shop, fan)
    await drop.say("Pick up at the studio from Saturday on, ten to six.")
    await fan.page.get_by_role("link", name="what happens next").click()
    await fan.sees("Order number")
    return drop


@state
async def why_page(shop: ShopInBrowser, fan: Person) -> Drop:
    """He stood in the line of a drop that is over."""
    drop = await shop.drop(pin(2))
    await drop.sells("another", 2)
    await fan.open(drop)
    await fan.press("Join the line")
    await fan.sees("You joined as number 1")
    await drop.close()
    await fan.page.goto(f"{drop.path}/why")
    async with asyncio.timeout(20):
        # The books are a moment behind.
        while not await fan.page.get_by_text("no unit came back").count():
            await fan.page.reload()
    return drop


@state
async def plain_till(shop: ShopInBrowser, fan: Person) -> Drop:
    """Held, and not all of what was asked for: by forms alone."""
    drop = await shop.drop(mix())
    await fan.open(drop)
    await fan.page.goto(f"{drop.path}/plain")
    for at in (0, 1):
        await fan.page.get_by_label("How many").nth(at).fill("1")
    await fan.page.get_by_role("button", name="Hold all of it").click()
    await fan.sees("Pay together")
    return drop


def asks_all() -> Asks:
    """Everything that a drop can ask."""
    return Asks(
        name="required",
        address="required",
        phone="optional",
        note="required",
        note_label="Name to engrave",
        note_chars=20,
    )


@state
async def asked(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await shop.drop(pin(asks=asks_all()))
    await fan.open(drop)
    await fan.press("Hold one for me")
    await fan.press("Pay €24.00")
    await fan.sees("Before you pay")
    return drop


@state
async def asked_later(shop: ShopInBrowser, fan: Person) -> Drop:
    """The order's page, and what is missing on it."""
    drop = await asked(shop, fan)
    await fan.page.get_by_label("Name", exact=True).fill("Ada Lovelace")
    await fan.page.get_by_role("button", name="Pay now, say it afterwards").click()
    await fan.pays()
    await fan.reads("Yours: #1 of 200")
    await fan.page.get_by_role("link", name="what happens next").click()
    await fan.sees("things are still missing")
    return drop


@state
async def receiving(shop: ShopInBrowser, fan: Person) -> Drop:
    """What somebody opens who is to receive it."""
    drop = await asked_later(shop, fan)
    await fan.page.get_by_text("Somebody else receives it?").click()
    await fan.page.get_by_label("It is a gift").check()
    await fan.page.get_by_label("From whom").fill("Ada")
    await fan.page.get_by_role("button", name="Make the link").click()
    link = await fan.page.get_by_label("The link to send").input_value()
    await fan.page.goto(link)
    await fan.sees("Somebody has something for you")
    return drop


@state
async def you_page(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await won(shop, fan)
    await signs_in(shop, fan, drop.path)
    await fan.page.goto("/you")
    await fan.sees("Signed in as")
    return drop


@state
async def unreached(shop: ShopInBrowser, fan: Person) -> Drop:
    """Signed in, something is held, and the last letter came back."""
    drop = await held(shop, fan)
    letter = await asks(shop, fan, drop.path)
    await fan.page.get_by_label("The code").fill(letter.code)
    await fan.page.get_by_role("button", name="Sign in", exact=True).click()
    await fan.is_live()
    await asyncio.to_thread(came_back, shop, letter.to)
    await fan.page.reload()
    await fan.sees(f"We could not reach you at {letter.to}.")
    return drop


@state
async def unreached_page(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await unreached(shop, fan)
    await fan.page.get_by_role("link", name="What to do").click()
    await fan.sees("It works again")
    return drop


def came_back(shop: ShopInBrowser, to: str) -> None:
    """A letter to somebody was refused by his mail server."""
    now_ms = time.time_ns() // 1_000_000
    one = engine.connect(Settings(data_dir=shop.mail.parent))
    with engine.transaction(one, writes=True) as sql:
        whose = sql.execute(select(PERSONS.c.id).where(PERSONS.c.address == to)).scalar_one()
        letter = Owed(
            id=letter_id(Kind.OFFER, whose, now_ms),
            kind=Kind.OFFER,
            to=to,
            subject="Your turn",
            words="Now.",
            written_ms=now_ms,
            whose=f"person:{whose}",
        )
        outbox.put(sql, letter)
        outbox.note(sql, letter.id, Bounced("552 5.2.2 The mailbox is full"), now_ms)
    one.dispose()


@state
async def signing_in(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await shop.drop(pin(identity="verified"))
    await fan.open(drop)
    await fan.press("Sign in to buy")
    await fan.page.get_by_label("Your e-mail address").fill(new_address())
    await fan.page.get_by_role("button", name="Send me a letter").click()
    await fan.sees("A letter is on its way")
    return drop


@state
async def letters_link(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await held(shop, fan)
    letter = await asks(shop, fan, drop.path)
    await fan.page.goto(letter.link)
    await fan.sees("If that is not you")
    return drop


@state
async def letters_off(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await held(shop, fan)
    await fan.page.goto("/mail/off/nobody.of-this-name")
    await fan.sees("This link is over")
    return drop


@state
async def reminded(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await soon(shop, fan)
    await signs_in(shop, fan, drop.path)
    await fan.page.get_by_role("button", name="Remind me by mail").click()
    await fan.sees("A letter will go to")
    return drop


@state
async def maker_page(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await soon(shop, fan)
    # Nobody has signed in to run this shop: it has no maker yet.
    await fan.page.goto("/makers/none")
    await fan.sees("There is no such maker")
    return drop


async def asks(shop: ShopInBrowser, fan: Person, to: str) -> Letter:
    """He asks for a letter; it has come."""
    address = new_address()
    await fan.page.goto(f"/you?to={to}")
    await fan.page.get_by_label("Your e-mail address").fill(address)
    await fan.page.get_by_role("button", name="Send me a letter").click()
    await fan.sees("A letter is on its way")
    return await letter_in(shop.mail, address)


async def signs_in(shop: ShopInBrowser, fan: Person, to: str) -> None:
    """By the code of a letter; back at the drop."""
    letter = await asks(shop, fan, to)
    await fan.page.get_by_label("The code").fill(letter.code)
    await fan.page.get_by_role("button", name="Sign in", exact=True).click()
    await fan.is_live()


@state
async def refunded(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await won(shop, fan)
    await drop.refund("h2", "The glaze of number 1 cracked.")
    await fan.sees("Refunded by the maker")
    return drop


@state
async def message(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await open_now(shop, fan)
    await drop.say(
        "The printer jammed; the last ten come in a quarter of an hour. Nobody loses a place."
    )
    await expect(fan.page.locator(".moment")).to_contain_text("The printer jammed")
    return drop


@state
async def paused(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await open_now(shop, fan)
    await drop.pause("The card machine is down.")
    await fan.sees("Paused by the maker")
    return drop


@state
async def frozen(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await held(shop, fan)
    await leave_mark(drop.store, drop.id, int(time.time() * 1000))
    await fan.reads("Stopped")
    return drop


@state
async def cancelled(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await open_now(shop, fan)
    await drop.cancel("The kiln broke.")
    await fan.reads("Cancelled")
    return drop


@state
async def closing(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await open_now(shop, fan)
    await drop.close()
    await fan.reads("Closed")
    return drop


@state
async def offline(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await held(shop, fan)
    await fan.page.context.set_offline(True)
    await fan.sees_stale()
    return drop


@state
async def wall_soon(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await shop.drop(pin(opens_ms=2_000_000_000_000), opened=False)
    await on_the_wall(fan, drop)
    return drop


@state
async def wall(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await shop.drop(mix())
    await drop.hold("another", 2)
    await on_the_wall(fan, drop)
    return drop


@state
async def wall_all_in_carts(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await all_in_carts(shop, fan)
    await on_the_wall(fan, drop)
    return drop


async def on_the_wall(fan: Person, drop: Drop) -> None:
    await fan.page.goto(f"{drop.path}/wall")
    await fan.is_live()


SOON_MS = 2_000_000_000_000
"""A planned opening that no test comes to."""
NOT_SOON = 2_000_000_000
"""A round of the beacon that is due long after any test."""


def drawn(cap: int = 200, mode: str = "lobby", **more: Any) -> Manifest:
    """A drop whose list chance orders; anybody may enter it."""
    tickets = 5 if mode == "draw" else 1
    of_list = {"window_ms": 1_800_000, "first_offer_ms": 600_000, "tickets_most": tickets}
    return pin(cap, **{"mode": mode, "guests_may_enter": True, **of_list, **more})


async def whose(fan: Person) -> str:
    """Who he is in the drop that his page shows."""
    told = await fan.page.locator("#state").text_content()
    return str(msgspec.json.decode(told or "")["you"]["fan"])


@state
async def list_soon(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await shop.drop(drawn(opens_ms=SOON_MS), opened=False)
    await fan.open(drop)
    await fan.sees("The list opens in")
    return drop


@state
async def list_soon_by_a_beacon(shop: ShopInBrowser, fan: Person) -> Drop:
    """A draw for people who are known, opened by hand."""
    known: dict[str, Any] = {"identity": "verified", "guests_may_enter": False}
    drop = await shop.drop(drawn(mode="draw", beacon_round=NOT_SOON, **known), opened=False)
    await fan.open(drop)
    await fan.sees("a public network, quicknet")
    return drop


@state
async def list_open(shop: ShopInBrowser, fan: Person) -> Drop:
    """A list of kinds, in the order in which they are liked."""
    of_list = {"mode": "lobby", "window_ms": 1_800_000, "first_offer_ms": 600_000}
    told = msgspec.structs.replace(mix(), **of_list, tickets_most=1, guests_may_enter=True)
    drop = await shop.drop(told)
    await drop.enters("another")
    await fan.open(drop)
    await fan.reads("Enter the list")
    await fan.page.locator(".also label").nth(2).click()
    await fan.page.locator(".also label").nth(1).click()
    return drop


@state
async def list_in(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await list_open(shop, fan)
    await fan.press("Enter the list")
    await fan.reads("You are in")
    return drop


@state
async def list_in_with_tickets(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await shop.drop(drawn(mode="draw"))
    for one in range(11):
        await drop.enters(f"before-{one}")
    await fan.open(drop)
    await drop.enters(await whose(fan), tickets=3)
    await fan.sees("because you went away empty 2 times")
    return drop


@state
async def list_signs_in(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await shop.drop(drawn(identity="verified", guests_may_enter=False))
    await fan.open(drop)
    await fan.reads("Sign in to enter")
    return drop


@state
async def list_sealed(shop: ShopInBrowser, fan: Person) -> Drop:
    """It waits for the beacon."""
    drop = await shop.drop(drawn(beacon_round=NOT_SOON))
    await drop.enters("another")
    await fan.open(drop)
    await fan.press("Enter the list")
    await fan.reads("You are in")
    await drop.seal()
    await fan.reads("Your place is being drawn")
    return drop


@state
async def list_sealed_without_him(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await shop.drop(drawn(beacon_round=NOT_SOON))
    await drop.enters("another")
    await drop.seal()
    await fan.open(drop)
    await fan.reads("The list is closed")
    return drop


@state
async def list_won(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await shop.drop(drawn())
    for one in range(17):
        await drop.enters(f"before-{one}")
    await fan.open(drop)
    await fan.press("Enter the list")
    await fan.reads("You are in")
    await drop.seal()
    await fan.reads("Take it")
    await fan.sees("Chance called you")
    return drop


@state
async def list_alternate(shop: ShopInBrowser, fan: Person) -> Drop:
    """Of those before him two let theirs go: the calls have come further."""
    drop = await shop.drop(drawn(2, mode="draw", tickets_most=100))
    for one in range(40):
        await drop.enters(f"before-{one}", tickets=100)
    await fan.open(drop)
    await fan.press("Enter the draw")
    await fan.reads("You are in")
    await drop.seal()
    await fan.sees("2 were called at first.")
    for offer in ("h1", "h2"):
        held = await drop.store.hold(drop.id, offer)
        assert held is not None
        await drop.release(held.fan, offer)
    await fan.sees("So far the calls have come to number 4.")
    return drop


@state
async def list_lost(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await list_alternate(shop, fan)
    for offer in ("h3", "h4"):
        paid = await drop.store.succeeded(drop.id, offer, f"paid-{offer}", 2400, "EUR", True)
        assert isinstance(paid, outcomes.Paid), paid
    await drop.goes_on()
    await drop.close()
    await fan.reads("None for you this time")
    await fan.sees("Why did I not get one?")
    return drop


@state
async def carried_over(shop: ShopInBrowser, fan: Person) -> Drop:
    """He waited in vain in a drop before."""
    before = await shop.drop(pin(1, identity="verified"))
    await before.sells("first", 1)
    await signs_in(shop, fan, before.path)
    await fan.press("Join the line")
    await fan.reads("In line: place 1")
    await before.goes_on()
    await before.close()
    await fan.reads("Closed")
    await before.store.settle(before.id)
    waited = await carried_list.list_of(before.store, before.id)
    named: dict[str, Any] = {
        "carried_from": before.id,
        "carried_hash": waited.hash,
        "carried_share": 50,
    }
    drop = await shop.drop(pin(identity="verified", **named), opened=False)
    await fan.open(drop)
    await fan.reads("Yes, I still want it")
    return drop


@state
async def carried_and_confirmed(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await carried_over(shop, fan)
    await fan.press("Yes, I still want it")
    await fan.reads("In line: place 1")
    return drop


async def early(shop: ShopInBrowser, fan: Person) -> Drop:
    """Sold to a club first; he is signed in."""
    club = Cohort(
        id="club",
        title="Umbra Club",
        most=(50,),
        listed=True,
        codes=True,
        bought=(),
        missed=(),
    )
    drop = await shop.drop(pin(identity="verified", cohorts=(club,), public_ms=SOON_MS))
    await signs_in(shop, fan, drop.path)
    return drop


@state
async def early_for_others(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await early(shop, fan)
    await fan.reads("For you from")
    return drop


@state
async def early_for_him(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await early(shop, fan)
    await drop.store.enroll(drop.id, FanId(await whose(fan)), ["club"])
    await fan.sees("You have it: Umbra Club")
    await fan.reads("Hold one for me")
    return drop


@state
async def early_by_code(shop: ShopInBrowser, fan: Person) -> Drop:
    """What he typed first was none."""
    drop = await early(shop, fan)
    (code,) = await asyncio.to_thread(one_code, shop, drop)
    for typed, said in (("ABCDE-FGHJK", "There is no such code"), (code, "You have it")):
        await fan.page.get_by_label("Do you have a code").fill(typed)
        await fan.page.get_by_role("button", name="Use it").click()
        await fan.sees(said)
    return drop


def one_code(shop: ShopInBrowser, drop: Drop) -> list[str]:
    """Made by the drop's maker."""
    one = engine.connect(Settings(data_dir=shop.mail.parent))
    with engine.transaction(one, writes=True) as sql:
        made = cohorts.make_codes(sql, drop.id, "club", 1, time.time_ns() // 1_000_000)
    one.dispose()
    return made


@state
async def wall_list_open(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await shop.drop(drawn())
    for one in range(7):
        await drop.enters(f"fan-{one}")
    await on_the_wall(fan, drop)
    return drop


@state
async def wall_list_sealed(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await shop.drop(drawn(beacon_round=NOT_SOON))
    await drop.enters("another")
    await drop.seal()
    await on_the_wall(fan, drop)
    return drop


@state
async def wall_list_called(shop: ShopInBrowser, fan: Person) -> Drop:
    drop = await list_alternate(shop, fan)
    await on_the_wall(fan, drop)
    return drop


@state
async def index(shop: ShopInBrowser, fan: Person) -> None:
    await (await shop.drop(mix())).hold("another", 2)
    await (await shop.drop(pin())).cancel("The kiln broke.")
    await shop.drop(pin(opens_ms=2_000_000_000_000), opened=False)
    await fan.page.goto("/")


@state
async def no_such_drop(_: ShopInBrowser, fan: Person) -> None:
    await fan.page.goto("/drops/none")
