"""A fan is told that he could not be reached, by mail or on a browser; whose clocks he reads."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from sqlalchemy import Connection

from dropengine.catalogue import CATALOGUES, LANGUAGES
from dropengine.mail import outbox
from dropengine.mail.carriers import Bounced, Carried, Taken
from dropengine.mail.letter import Kind, Letter, letter_id
from dropengine.people import persons as people
from dropengine.people.persons import Person
from dropengine.push import outbox as pushes
from dropengine.push.outbox import Call, Failed, Sent
from dropengine.push.outbox import Kind as PushKind
from tests.kit import persons, push_service, web_process
from tests.kit.persons import PHONE, Browser, Shop, address

server = web_process.server
shop = persons.shop

ENDPOINT = "https://push.example/phone?token=secret"


async def me(shop: Shop, hand: Browser) -> Person:
    """Who is signed in there."""
    ticket, now_ms = hand.ticket, int(time.time() * 1000)
    found = await shop.web.runtime.database.read(
        lambda sql: people.of_session(sql, ticket.session, now_ms)
    )
    assert found is not None
    return found[0]


async def wrote(shop: Shop, to: Person, carried: Carried) -> None:
    """A letter went to him, and this came of it."""
    now_ms = time.time_ns() // 1_000_000
    letter = Letter(
        id=letter_id(Kind.OFFER, to.id, time.time_ns()),
        kind=Kind.OFFER,
        to=to.address,
        subject="Your turn",
        words="Now.",
        written_ms=now_ms,
        whose=f"person:{to.id}",
    )

    def work(sql: Connection) -> None:
        outbox.put(sql, letter)
        outbox.note(sql, letter.id, carried, now_ms)

    await shop.web.runtime.database.write(work)


async def asked(hand: Browser) -> str:
    """What the page of a drop hears."""
    answer = await hand.get("/you/reached")
    assert answer.headers["cache-control"] == "no-store"
    return str(json.loads(answer.text)["address"])


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_bounce_is_told_with_what_to_do_until_it_is_mended(
    shop: Shop, language: str
) -> None:
    say = CATALOGUES[language]
    async with shop.browser() as hand:
        hand.http.headers["accept-language"] = language
        await hand.sign_in(address())
        ana = await me(shop, hand)
        assert await asked(hand) == ""
        assert say("reach.mended") not in (await hand.get("/you")).text
        await wrote(shop, ana, Bounced("550 5.1.1 <b>Nobody</b> there"))
        assert await asked(hand) == ana.address
        page = (await hand.get("/you")).text
        for words in (say("reach.why"), say("reach.gone"), say("reach.mended")):
            assert words in page
        assert f"<bdi>{ana.address}</bdi>" in page
        assert "550 5.1.1 &lt;b&gt;Nobody&lt;/b&gt; there" in page
        assert (await hand.send("/you/reached")).status_code == 303
        assert await asked(hand) == ""
        assert say("reach.mended") not in (await hand.get("/you")).text


async def test_a_later_letter_that_goes_through_ends_it(shop: Shop) -> None:
    async with shop.browser() as hand:
        await hand.sign_in(address())
        ana = await me(shop, hand)
        await wrote(shop, ana, Bounced("552 Full"))
        assert await asked(hand) == ana.address
        await wrote(shop, ana, Taken())
        assert await asked(hand) == ""


async def test_who_waits_for_a_code_that_bounced_is_told_so(shop: Shop) -> None:
    ana = address()
    async with shop.browser() as hand, shop.browser() as other:
        await hand.ask(ana)
        assert "The letter was not taken there" not in (await hand.get("/you")).text

        def bounced(sql: Connection) -> None:
            (mine,) = [one for one in outbox.due(sql, 10**15) if one.to == ana]
            outbox.note(sql, mine.id, Bounced("550 Nobody"), mine.written_ms)

        await shop.web.runtime.database.write(bounced)
        page = (await hand.get("/you")).text
        assert "The letter was not taken there" in page
        assert f"<bdi>{ana}</bdi>" in page
        assert ana not in (await other.get("/you")).text


async def test_nobody_else_learns_or_ends_it(shop: Shop) -> None:
    async with shop.browser() as hand, shop.browser() as other, shop.browser() as stranger:
        await hand.sign_in(address())
        await other.sign_in(address("bo"))
        await wrote(shop, await me(shop, hand), Bounced("550"))
        assert await asked(other) == ""
        await other.send("/you/reached")
        assert (await stranger.get("/you/reached")).status_code == 401
        assert (await stranger.send("/you/reached")).status_code == 401
        assert await asked(hand) != ""


async def test_the_browsers_that_call_him_are_listed_with_the_last_call(shop: Shop) -> None:
    sale = await shop.sale()
    browser = push_service.Browser(ENDPOINT)
    async with shop.browser(PHONE) as hand:
        await hand.sign_in(address())
        assert "Browsers that call you" not in (await hand.get("/you")).text
        await hand.get(f"/drops/{sale.drop}")
        begun = await hand.http.post(f"/api/drops/{sale.drop}/calls", json=browser.asks())
        assert begun.status_code == 200, begun.text
        page = (await hand.get("/you")).text
        assert "Browsers that call you" in page
        assert "no call yet" in page
        # Although he has nothing there.
        assert f'<a href="/drops/{sale.drop}" dir="auto">Test drop</a>' in page
        mine = browser.subscribed(sale.drop, hand.fan(sale))

        def called(sql: Connection, name: str, at_ms: int, outcome: Any) -> None:
            pushes.put(sql, mine, Call(name, PushKind.OFFER, "", at_ms, 0), "Pin", "Now.")
            (due,) = [one for one in pushes.due(sql, 10**15) if one.drop == sale.drop]
            pushes.note(sql, due, outcome, at_ms)

        database = shop.web.runtime.database
        await database.write(lambda sql: called(sql, "a", 1_800_000_000_000, Sent()))
        assert "Your turn, sent Fri 15 Jan 2027" in (await hand.get("/you")).text
        await database.write(lambda sql: called(sql, "b", 1_800_000_100_000, Failed("413")))
        page = (await hand.get("/you")).text
        assert "Your turn, could not be sent Fri 15 Jan 2027" in page
        assert "push.example" not in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_became_of_whichever_call_has_a_sentence(language: str) -> None:
    say = CATALOGUES[language]
    for kind in PushKind:
        for state in pushes.PushState:
            if state is not pushes.PushState.QUEUED:
                what = say(f"calling_kind.{kind}")
                assert what in say(f"calling.{state}", what=what, when="now")


async def test_his_zone_is_learned_from_the_page_wherever_he_comes(shop: Shop) -> None:
    async with shop.browser() as hand:
        hand.http.cookies.set("zone", "Europe/Berlin")
        await hand.sign_in(address())
        assert (await me(shop, hand)).zone == "Europe/Berlin"
        hand.http.cookies.set("zone", "America/New_York")
        assert (await hand.http.post("/you/renew")).status_code == 204
        assert (await me(shop, hand)).zone == "America/New_York"
        hand.http.cookies.set("zone", "Asia/Kathmandu")
        await hand.get("/you")
        assert (await me(shop, hand)).zone == "Asia/Kathmandu"
        assert json.loads((await hand.get("/you/data.json")).text)["zone"] == "Asia/Kathmandu"


@pytest.mark.parametrize("zone", ["Mars/Base", "../../etc/passwd", "Factory", "x" * 3_000, ""])
async def test_what_is_no_zone_is_not_believed(shop: Shop, zone: str) -> None:
    async with shop.browser() as hand:
        await hand.sign_in(address())
        hand.http.cookies.set("zone", zone)
        assert (await hand.get("/you")).status_code == 200
        assert (await me(shop, hand)).zone == ""
