"""The page "You": who a fan is, where he is signed in, what is his, and how it is erased."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from dropengine.config import Settings
from dropengine.jobs.revoking import EVERY_S
from dropengine.mail import outbox as mails
from dropengine.mail.letter import Kind, Letter, letter_id
from dropengine.mail.outbox import PAGE_MAX
from dropengine.people import devices
from dropengine.people import persons as people
from dropengine.people.tickets import PERSON_S
from dropengine.push import outbox as pushes
from dropengine.push.outbox import Call, PushState
from dropengine.push.outbox import Kind as PushKind
from dropengine.sql import engine
from dropengine.sql.schema.mails import MAILS
from dropengine.sql.schema.persons import DEVICES, ERASED, PERSONS
from dropengine.truth.carried_list import list_of
from tests.kit import databases, persons, push_service, web_process
from tests.kit.manifests import carrying, item, manifest
from tests.kit.persons import (
    DESK,
    NOBODY_WAITS,
    PHONE,
    Browser,
    Shop,
    address,
    letters,
    opened,
)
from tests.kit.private_server import Server
from tests.kit.sale import Sale
from tests.kit.web_process import Fan, WebProcess, settings

server = web_process.server
shop = persons.shop
postgres = databases.postgres
sql_settings = databases.sql_settings


async def socket_of(hand: Browser, sale: Sale, at: WebProcess | None = None) -> Fan:
    web = at or hand.web
    cookie = f"person-{web.runtime.shop[:8]}={hand.cookie('person-')}"
    one = Fan(await web.dial(sale.drop, headers={"Cookie": cookie}), None)
    await one.until("snapshot")
    return one


async def older(shop: Shop, hand: Browser, by_s: int) -> None:
    """A session began that much earlier."""
    here = DEVICES.c.id == hand.ticket.session

    def moved(sql: Connection) -> None:
        earlier = DEVICES.c.since_ms - by_s * 1000
        sql.execute(sa.update(DEVICES).where(here).values(since_ms=earlier))

    await shop.web.runtime.database.write(moved)


async def test_the_page_shows_orders_holds_and_places_of_every_drop(shop: Shop) -> None:
    one, other = await shop.sale(), await shop.sale("verified", cap=1)
    async with shop.browser() as desk, shop.browser(PHONE) as phone:
        ana = address()
        await desk.sign_in(ana)
        await phone.sign_in(ana)
        await other.held("somebody")
        order = (await desk.press(one)).json()["hold"]["id"]
        await one.succeeded(order)
        await desk.press(one)
        await desk.press(other, "join", pools=["pin"])
        page = (await phone.get("/you")).text
        assert f"/drops/{one.drop}/orders/{order}" in page
        assert "Held for you" in page
        assert "Place 1 in the line" in page
        assert "Firefox, Linux" in page
        assert "Safari, iPhone" in page
        assert (await phone.get(f"/drops/{one.drop}/orders/{order}")).status_code == 200
        async with shop.browser() as stranger:
            assert (await stranger.get(f"/drops/{one.drop}/orders/{order}")).status_code == 404
            await stranger.sign_in(address())
            assert (await stranger.get(f"/drops/{one.drop}/orders/{order}")).status_code == 404
            assert "Nothing yet" in (await stranger.get("/you")).text


async def test_who_waited_in_vain_has_his_place_in_the_next_drop_and_says_that_he_wants_it(
    shop: Shop,
) -> None:
    old = await shop.sale("verified", cap=1)
    async with shop.browser() as ana:
        await ana.sign_in(address())
        bought = await old.held("somebody")
        await ana.press(old, "join", pools=["pin"])
        await old.succeeded(bought)
        await old.creator("close")
        await old.settle()
        runtime = shop.web.runtime
        new = Sale(runtime.store, f"{old.drop}-2", now=0)
        digest = (await list_of(runtime.store, old.drop)).hash
        text = carrying(manifest(new.drop, item("pin", {"pin": 2})), digest=digest)
        await new.publish(msgspec.structs.replace(text, carried_from=old.drop))
        assert await runtime.carrying.do(new.drop)
        await new.creator("open")
        page = (await ana.get("/you")).text
        assert f"/drops/{new.drop}" in page
        assert "Say that you still want it" in page
        (entry,) = (await ana.you(new))["entries"]
        assert entry["carried"] == "asked"
        answer = await ana.press(new, "confirm", entry=entry["id"])
        assert (answer.status_code, answer.json()["entry"]) == (200, entry["id"])
        assert "Your turn" in (page := (await ana.get("/you")).text) or "Offered" in page
        assert "Say that you still want it" not in page


async def test_a_guest_sees_there_what_he_has_in_this_browser(shop: Shop) -> None:
    sale = await shop.sale()
    async with shop.browser() as guest:
        await guest.get(f"/drops/{sale.drop}")
        await guest.press(sale)
        page = (await guest.get("/you")).text
        assert "Yours in this browser" in page
        assert f"/drops/{sale.drop}" in page


async def test_until_when_something_is_held_is_told_by_the_clocks_of_who_reads(shop: Shop) -> None:
    sale = await shop.sale()
    async with shop.browser() as hand:
        await hand.get(f"/drops/{sale.drop}")
        await hand.press(sale)
        hand.http.cookies.set("zone", "Asia/Kathmandu")
        assert "UTC+5:45" in (await hand.get("/you")).text
        await hand.sign_in(address())
        assert "Held for you" in (await hand.get("/you")).text
        held = (await hand.get("/you")).text.partition("Held for you")[2].partition("</li>")[0]
        assert "UTC+5:45" in held


async def test_signing_out_here_ends_this_session_alone(shop: Shop) -> None:
    ana, sale = address(), await shop.sale()
    async with shop.browser() as desk, shop.browser(PHONE) as phone:
        await desk.sign_in(ana)
        await phone.sign_in(ana)
        kept = desk.cookie("person-")
        ends, stays = await socket_of(desk, sale), await socket_of(phone, sale)
        assert (await desk.send("/you/sign-out")).status_code == 303
        assert not desk.known
        assert await ends.closed() == 4501
        assert (await stays.ask("hold", pool="pin"))["t"] == "done"
        await stays.socket.close()
        # Who kept the ticket has nothing of it.
        async with shop.browser() as thief:
            cookie = f"person-{shop.web.runtime.shop[:8]}={kept}"
            thief.http.headers["cookie"] = cookie
            assert (await thief.press(sale)).status_code == 401
            assert (await thief.get("/you/data.json")).status_code == 401
            assert (await thief.send("/you/renew")).status_code == 401


async def test_a_device_is_signed_out_from_another_and_nobody_elses(shop: Shop) -> None:
    ana, sale = address(), await shop.sale()
    async with (
        shop.browser() as desk,
        shop.browser(PHONE) as phone,
        shop.browser() as eve,
    ):
        await desk.sign_in(ana)
        await phone.sign_in(ana)
        await eve.sign_in(address("eve"))
        session = phone.ticket.session
        for wanted in (session, "0" * 18, eve.ticket.session + "x"):
            answer = await eve.send(f"/you/devices/{wanted}/end")
            assert answer.status_code == 404
        assert (await phone.press(sale)).status_code == 200
        assert (await desk.send(f"/you/devices/{session}/end")).status_code == 303
        assert (await phone.press(sale)).status_code == 401
        assert "Safari" not in (await desk.get("/you")).text
        assert desk.known


async def test_signed_out_everywhere_ends_sockets_and_presses_in_every_worker(
    server: Server, tmp_path: Path
) -> None:
    """Within twelve seconds, also where the word of it was lost."""
    conf = settings(server.url, tmp_path, **NOBODY_WAITS)
    async with opened(conf) as one:
        secret = one.web.runtime.settings.secret_key
        other_conf = settings(server.url, tmp_path, **NOBODY_WAITS)
        async with web_process.front(msgspec.structs.replace(other_conf, secret_key=secret)) as two:
            sale = await one.sale()
            ana = address()
            async with (
                one.browser() as desk,
                one.browser(PHONE) as phone,
                one.browser() as stays,
            ):
                await desk.sign_in(ana)
                await phone.sign_in(ana)
                await stays.sign_in(address("ben"))
                sockets = [await socket_of(hand, sale, two) for hand in (desk, phone)]
                bens = await socket_of(stays, sale, two)
                # The word does not come through to the other worker.
                two.runtime.hub.on_house.clear()
                begun = time.monotonic()
                assert (await desk.send("/you/sign-out-everywhere")).status_code == 303
                async with asyncio.timeout(EVERY_S + 2):
                    assert [await socket.closed() for socket in sockets] == [4501, 4501]
                assert time.monotonic() - begun <= EVERY_S + 2
                async with one.browser(at=two) as there:
                    cookie = f"person-{two.runtime.shop[:8]}={phone.cookie('person-')}"
                    there.http.headers["cookie"] = cookie
                    answer = await there.press(sale)
                    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in")
                assert (await bens.ask("hold", pool="pin"))["t"] == "done"
                await bens.socket.close()


async def test_a_streams_reader_is_signed_out_too(shop: Shop) -> None:
    sale = await shop.sale()
    async with shop.browser() as desk:
        await desk.sign_in(address())
        async with desk.http.stream("GET", f"/drops/{sale.drop}/events") as events:
            lines = events.aiter_lines()
            while '"snapshot"' not in await anext(lines):
                pass
            await desk.send("/you/sign-out")
            async with asyncio.timeout(12):
                async for _ in lines:
                    pass


async def test_a_new_sign_in_ends_the_session_that_the_browser_had(shop: Shop) -> None:
    async with shop.browser() as desk:
        await desk.sign_in(address("eve"))
        laid = desk.cookie("person-")
        await desk.sign_in(address())
        assert desk.cookie("person-") != laid
        assert shop.web.runtime.identity.whose(laid) is None


async def test_a_ticket_is_renewed_by_the_page_and_by_a_page_that_stays_open(shop: Shop) -> None:
    sale = await shop.sale("verified")
    async with shop.browser() as desk:
        await desk.sign_in(address())
        fan = (await desk.you(sale))["fan"]
        runtime = shop.web.runtime
        was = desk.ticket
        name = f"person-{runtime.shop[:8]}"

        def aged(by_s: int) -> str:
            return runtime.tickets.issue_to(was.key, was.session, int(time.time()) - by_s)

        # Fresh: nothing is asked. Half over: the page brings another. Over: the page too.
        for by_s, renewed in ((60, False), (PERSON_S // 2 + 60, True), (20 * PERSON_S, True)):
            desk.http.cookies.clear()
            desk.http.cookies.set(name, aged(by_s))
            if by_s > PERSON_S:
                assert (await desk.press(sale)).status_code == 401
            page = await desk.get(f"/drops/{sale.drop}")
            assert page.status_code == 200
            assert ("set-cookie" in page.headers) == renewed
            assert f'"fan":"{fan}"' in page.text
            assert "person.js" in page.text or "person-" in page.text
            assert (await desk.you(sale))["fan"] == fan
        desk.http.cookies.clear()
        desk.http.cookies.set(name, aged(60))
        answer = await desk.send("/you/renew")
        assert answer.status_code == 204
        renewed_text = answer.headers["set-cookie"].partition(";")[0].partition("=")[2]
        newer = runtime.identity.whose(renewed_text)
        assert newer is not None
        assert newer.issued_s > int(time.time()) - 30
        assert (newer.session, newer.key) == (was.session, was.key)


async def test_a_socket_outlives_its_ticket_and_a_session_without_use_ends(shop: Shop) -> None:
    sale = await shop.sale("verified")
    async with shop.browser() as desk:
        await desk.sign_in(address())
        runtime = shop.web.runtime
        was = desk.ticket
        almost = runtime.tickets.issue_to(was.key, was.session, int(time.time()) - PERSON_S + 1)
        cookie = f"person-{runtime.shop[:8]}={almost}"
        one = Fan(await shop.web.dial(sale.drop, headers={"Cookie": cookie}), None)
        await one.until("snapshot")
        await web_process.until(lambda: runtime.identity.whose(almost) is None)
        assert (await one.ask("hold", pool="pin"))["t"] == "done"
        await one.socket.close()

        def unused(sql: Connection) -> None:
            long_ago = int(time.time() * 1000) - devices.LIFE_MS - 1_000
            here = DEVICES.c.id == was.session
            sql.execute(sa.update(DEVICES).where(here).values(seen_ms=long_ago))

        await runtime.database.write(unused)
        assert (await desk.send("/you/renew")).status_code == 401
        assert (await desk.get("/you/data.json")).status_code == 401


async def test_where_nobody_can_tell_a_page_is_a_watchers_and_asks_again(
    server: Server, tmp_path: Path
) -> None:
    async with opened(settings(server.url, tmp_path, **NOBODY_WAITS)) as shop:
        sale = await shop.sale()
        async with shop.browser() as desk:
            await desk.sign_in(address())
            runtime, was = shop.web.runtime, desk.ticket
            old = runtime.tickets.issue_to(was.key, was.session, int(time.time()) - PERSON_S - 9)
            desk.http.cookies.clear()
            desk.http.cookies.set(f"person-{runtime.shop[:8]}", old)
            kept = runtime.database._engine
            runtime.database._engine = sa.create_engine("sqlite:////nowhere/x").execution_options(
                place="nowhere"
            )
            page = await desk.get(f"/drops/{sale.drop}")
            assert page.status_code == 200
            assert '"you":null' in page.text
            assert "retry-after" in page.headers
            # He is not made a guest meanwhile.
            assert "set-cookie" not in page.headers
            runtime.database._engine = kept
            assert '"you":null' not in (await desk.get(f"/drops/{sale.drop}")).text


async def letters_after(shop: Shop, hand: Browser, *, more: int) -> list[dict[str, str]]:
    """Those in his data when so many more were written to him."""

    def written(sql: Connection) -> None:
        here = sa.select(DEVICES.c.person).where(DEVICES.c.id == hand.ticket.session)
        him = people.by_id(sql, sql.execute(here).scalar_one())
        assert him is not None
        for n in range(more):
            letter = Letter(
                id=letter_id(Kind.SOLD, him.id, n),
                kind=Kind.SOLD,
                to=him.address,
                subject="It is yours",
                words="#1",
                written_ms=n // 3,
                whose=f"person:{him.id}",
            )
            mails.put(sql, letter)

    await shop.web.runtime.database.write(written)
    found: list[dict[str, str]] = (await hand.get("/you/data.json")).json()["letters"]
    return found


async def test_what_is_his_can_be_taken_along(shop: Shop) -> None:
    ana, sale = address(), await shop.sale()
    async with shop.browser() as desk:
        await desk.sign_in(ana)
        await desk.press(sale)
        answer = await desk.get("/you/data.json")
        assert "attachment" in answer.headers["content-disposition"]
        told = json.loads(answer.text)
        assert told["address"] == ana
        assert [one["browser"] for one in told["devices"]] == [DESK]
        assert [one["drop"] for one in told["drops"]] == [sale.drop]
        assert [one["to"] for one in told["letters"]] == [ana]
        assert [one["to"] for one in await letters_after(shop, desk, more=PAGE_MAX)] == (
            [ana] * (PAGE_MAX + 1)
        )
        # Nothing that would let anybody in.
        text = answer.text
        assert desk.cookie("person-") not in text
        assert desk.ticket.key.hex() not in text


async def test_his_language_goes_with_him_and_is_what_he_is_written_to_in(shop: Shop) -> None:
    ana, german = address(), {"accept-language": "de"}

    async def known() -> str:
        database = shop.web.runtime.database
        query = sa.select(PERSONS.c.language).where(PERSONS.c.address == ana)
        return await database.read(lambda sql: str(sql.execute(query).scalar_one()))

    async with shop.browser() as desk, shop.browser(PHONE) as phone:
        desk.http.headers.update(german)
        letter = await desk.ask(ana)
        assert "ist dein Code" in letter.subject
        await desk.send("/you/code", code=letter.code)
        assert await known() == "de"
        # Another browser, which asks for none of ours, speaks to him as this one.
        await phone.sign_in(ana)
        assert (await phone.get("/you")).headers["content-language"] == "de"
        assert (await phone.send("/language", language="en")).status_code == 303
        assert await known() == "en"
        assert (await desk.get("/you")).headers["content-language"] == "de"
        assert json.loads((await desk.get("/you/data.json")).text)["language"] == "en"
    async with shop.browser() as third:
        await third.send("/language", language="de")
        await third.sign_in(ana)
        assert await known() == "de"


async def test_erasing_wants_a_word_and_a_fresh_proof(shop: Shop) -> None:
    async with shop.browser() as desk:
        ana = address()
        await desk.sign_in(ana)
        assert (await desk.send("/you/erase")).status_code == 400
        await older(shop, desk, 3_600)
        answer = await desk.send("/you/erase", sure="yes")
        assert answer.status_code == 403
        assert "Sign out here and in again" in answer.text
        assert ana in (await desk.get("/you")).text
        await desk.sign_in(ana)
        assert (await desk.send("/you/erase", sure="yes")).status_code == 200


@pytest.fixture
async def one_shop(
    server: Server, tmp_path: Path, sql_settings: Settings
) -> AsyncIterator[tuple[Shop, Settings]]:
    """On SQLite and on PostgreSQL."""
    conf = settings(server.url, tmp_path, database_url=sql_settings.database_url, **NOBODY_WAITS)
    async with opened(conf) as shop:
        yield shop, shop.web.runtime.settings


async def test_of_who_is_erased_no_byte_of_his_address_is_left(
    one_shop: tuple[Shop, Settings], tmp_path: Path
) -> None:
    shop, conf = one_shop
    ana, sale = "unmistakable.person@example.org", await shop.sale("verified")
    async with shop.browser() as desk, shop.browser(PHONE) as phone:
        await desk.sign_in(ana)
        await phone.sign_in(ana)
        order = (await desk.press(sale)).json()["hold"]["id"]
        await sale.succeeded(order)
        # Two letters were sent into files.
        folder = tmp_path / "mail"
        folder.mkdir(exist_ok=True)
        for letter in await _ids(shop, ana):
            (folder / f"{letter}.eml").write_text(f"To: {ana}\n")
        await phone.ask(ana)
        # And a call is owed to his phone, at an address that is a secret of his.
        called = push_service.Browser("https://push.example/unmistakable")
        began = await desk.http.post(f"/api/drops/{sale.drop}/calls", json=called.asks())
        assert began.status_code == 200, began.text
        fan, key = desk.fan(sale), desk.ticket.key
        call = Call("sold-h1", PushKind.SOLD, "", 1, 0)
        await shop.web.runtime.database.write(
            lambda sql: pushes.put(sql, called.subscribed(sale.drop, fan), call, "Pin", "#1")
        )
        mine = (await desk.get("/you/data.json")).json()["called_on"]
        assert [one["drop"] for one in mine] == [sale.drop]
        told = await desk.send("/you/erase", sure="yes")
        assert told.status_code == 200
        assert "erased" in told.text
        assert not desk.known
        assert desk.cookie("fan-") == desk.cookie("was-here-") == ""
        assert (await phone.press(sale)).status_code == 401
        assert (await phone.send("/you/renew")).status_code == 401
    needles = [ana.encode(), b"unmistakable"]
    assert files_with(tmp_path, *needles, key) == []
    assert not [*folder.iterdir()]
    assert await _rows_with(conf, "unmistakable") == []
    assert await shop.web.runtime.database.read(pushes.counts) == dict.fromkeys(PushState, 0)
    log = b"".join([row async for row in shop.web.runtime.store.log(sale.drop)])
    assert b"unmistakable" not in log
    # What was sold stays, as a number that is nobody's.
    assert fan.encode() in log
    row = await sale.you(fan)
    assert [one for one, _ in row.orders] == [order]


def files_with(folder: Path, *needles: bytes) -> list[Path]:
    """Files in which any of these stands."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if any(one in path.read_bytes() for one in needles)]


async def _ids(shop: Shop, to: str) -> list[str]:
    def asked(sql: Connection) -> list[str]:
        return [*sql.execute(sa.select(MAILS.c.id).where(MAILS.c.reader == to)).scalars()]

    return await shop.web.runtime.database.read(asked)


async def _rows_with(conf: Settings, text: str) -> list[str]:
    """Tables of which any row has this in any column."""
    one = engine.connect(conf)
    found = []
    with engine.snapshot(one) as sql:
        tables = sa.MetaData()
        tables.reflect(sql)
        for table in tables.sorted_tables:
            found += [
                table.name
                for row in sql.execute(sa.select(table))
                if any(text.encode() in repr(value).encode() for value in row)
            ]
    one.dispose()
    return found


async def test_who_he_was_stays_under_a_hash_until_his_drops_are_over(shop: Shop) -> None:
    ana, sale, looked = address(), await shop.sale("verified"), await shop.sale("verified")
    async with shop.browser() as desk:
        await desk.sign_in(ana)
        fan = (await desk.you(sale))["fan"]
        order = (await desk.press(sale)).json()["hold"]["id"]
        await sale.succeeded(order)
        await desk.get(f"/drops/{looked.drop}")
        await desk.send("/you/erase", sure="yes")

    def asked(sql: Connection) -> tuple[list[tuple[str, str, str]], int]:
        rows = sql.execute(sa.select(ERASED)).all()
        kept = [(row.drop_id, row.fan, row.normal) for row in rows if row.drop_id == sale.drop]
        known = sa.select(sa.func.count()).select_from(PERSONS).where(PERSONS.c.address == ana)
        return kept, sql.execute(known).scalar_one()

    kept, known = await shop.web.runtime.database.read(asked)
    assert known == 0
    ((_, who, normal),) = kept
    assert who == fan
    assert ana not in normal

    def traces(sql: Connection) -> list[str]:
        return [trace.drop for trace in people.traces(sql, normal)]

    assert await shop.web.runtime.database.read(traces) == [sale.drop]


async def test_letters_that_wait_go_with_him(shop: Shop) -> None:
    ana = address()
    async with shop.browser() as desk, shop.browser() as other:
        await desk.sign_in(ana)
        late = await other.ask(ana)
        await desk.send("/you/erase", sure="yes")
        assert await letters(shop.web.runtime.database, ana) == []
        assert (await other.send(late.link)).status_code == 404
        assert (await other.send("/you/code", code=late.code)).status_code == 401
