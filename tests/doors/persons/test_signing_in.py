"""A fan becomes known by a letter: by its code in the browser that asked, by its link in any."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from traceback import walk_stack

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from dropengine.doors.persons import person_limit
from dropengine.doors.persons.person_limit import LETTERS_AT_ONCE
from dropengine.doors.persons.person_pages import back
from dropengine.model import DropId
from dropengine.people.sign_ins import LIFE_MS, TRIES_MAX
from dropengine.sql.schema.mails import MAILS
from dropengine.sql.schema.persons import PERSONS, SIGN_INS
from tests.kit import persons, web_process
from tests.kit.persons import NOBODY_WAITS, PHONE, Browser, Shop, address, letters, opened
from tests.kit.private_server import Server
from tests.kit.rows import EVERY
from tests.kit.web_process import settings

server = web_process.server
shop = persons.shop

GUESSES = 10_000 if EVERY else 2_000


async def persons_known(shop: Shop, *which: str) -> int:
    def asked(sql: Connection) -> int:
        found = sa.select(sa.func.count()).select_from(PERSONS).where(PERSONS.c.address.in_(which))
        return sql.execute(found).scalar_one()

    return await shop.web.runtime.database.read(asked)


async def age(shop: Shop, letter_to: str, by_ms: int) -> None:
    """All letters to somebody were asked for that much earlier."""

    def older(sql: Connection) -> None:
        here = SIGN_INS.c.address == letter_to
        sql.execute(sa.update(SIGN_INS).where(here).values(ends_ms=SIGN_INS.c.ends_ms - by_ms))

    await shop.web.runtime.database.write(older)


async def test_a_code_signs_in_the_browser_that_asked_and_takes_him_back(shop: Shop) -> None:
    ana, sale = address(), await shop.sale("verified")
    async with shop.browser() as desk:
        letter = await desk.ask(ana, to=f"/drops/{sale.drop}?via=letter")
        assert letter.code in letter.subject
        page = (await desk.get("/you")).text
        assert ana in page
        assert letter.code not in page
        # On the shop's own machine, where nobody sends letters, it says where they are.
        assert str(shop.web.runtime.settings.data_dir / "mail") in page
        answer = await desk.send("/you/code", code=f" {letter.code[:3]} {letter.code[3:]} ")
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/drops/{sale.drop}?via=letter"
        assert desk.known
        assert ana in (await desk.get("/you")).text
        assert (await desk.press(sale)).status_code == 200


async def test_a_link_signs_in_whichever_browser_confirms_it(shop: Shop) -> None:
    ana = address()
    async with shop.browser() as desk, shop.browser(PHONE) as phone:
        letter = await desk.ask(ana)
        page = await phone.get(letter.link)
        assert page.status_code == 200
        assert ana in page.text
        assert not phone.known
        assert (await phone.send(letter.link)).status_code == 303
        assert phone.cookie("person-") != ""
        # What asked waits for nothing any more.
        assert not desk.known
        answer = await desk.send("/you/code", code=letter.code)
        assert answer.status_code == 401
        assert not desk.known
        assert "Safari, iPhone" in (await phone.get("/you")).text


async def test_programs_that_look_at_a_link_spend_nothing(shop: Shop) -> None:
    async with shop.browser() as scanner, shop.browser() as phone, shop.browser() as desk:
        letter = await desk.ask(address())
        for _ in range(20):
            assert (await scanner.get(letter.link)).status_code == 200
            assert (await scanner.http.head(letter.link)).status_code == 200
        assert scanner.cookie("") == ""
        assert (await phone.send(letter.link)).status_code == 303


async def test_a_link_and_a_code_are_good_once(shop: Shop) -> None:
    async with shop.browser() as one, shop.browser() as two, shop.browser() as asks:
        letter = await asks.ask(address())
        both = await asyncio.gather(*(hand.send(letter.link) for hand in (one, two)))
        assert sorted(answer.status_code for answer in both) == [303, 404]
        assert one.known != two.known
        for _ in range(3):
            assert (await two.send(letter.link)).status_code == 404
            assert (await two.get(letter.link)).status_code == 404
    async with shop.browser() as desk:
        letter = await desk.ask(address())
        kept = desk.cookie("asked-")
        assert (await desk.send("/you/code", code=letter.code)).status_code == 303
        async with shop.browser() as again:
            again.http.headers["cookie"] = f"asked-{shop.web.runtime.shop[:8]}={kept}"
            assert (await again.send("/you/code", code=letter.code)).status_code == 401
            assert (await again.send(letter.link)).status_code == 404


async def test_both_are_over_after_a_quarter_of_an_hour(shop: Shop) -> None:
    ana = address()
    async with shop.browser() as desk:
        letter = await desk.ask(ana)
        await age(shop, ana, LIFE_MS - 5_000)
        assert (await desk.get(letter.link)).status_code == 200
        await age(shop, ana, 5_001)
        assert (await desk.get(letter.link)).status_code == 404
        assert (await desk.send(letter.link)).status_code == 404
        assert (await desk.send("/you/code", code=letter.code)).status_code == 401
        assert not desk.known


async def test_a_code_is_good_in_no_other_browser(shop: Shop) -> None:
    ana = address()
    async with shop.browser() as desk, shop.browser() as stranger:
        letter = await desk.ask(ana)
        assert (await stranger.send("/you/code", code=letter.code)).status_code == 401
        await stranger.ask(ana)
        assert (await stranger.send("/you/code", code=letter.code)).status_code == 401
        assert not stranger.known
        assert (await desk.send("/you/code", code=letter.code)).status_code == 303


async def test_a_letter_that_comes_late_still_counts(shop: Shop) -> None:
    ana = address()
    async with shop.browser() as desk:
        late = await desk.ask(ana)
        await desk.ask(ana)
        assert (await desk.send("/you/code", code=late.code)).status_code == 303


async def test_thousands_of_guesses_open_nothing_and_lock_nobody_out(shop: Shop) -> None:
    ana = address()
    async with shop.browser() as desk, shop.browser() as thief:
        mine = await desk.ask(ana)
        await thief.ask(ana)
        wrong = [f"{n:06d}" for n in range(GUESSES) if f"{n:06d}" != mine.code]
        heard: dict[int, int] = {}
        for start in range(0, len(wrong), 50):
            some = (thief.send("/you/code", code=code) for code in wrong[start : start + 50])
            for answer in await asyncio.gather(*some):
                heard[answer.status_code] = heard.get(answer.status_code, 0) + 1
        assert not thief.known
        assert heard.keys() <= {401, 429}
        # The code that the thief could have used up was his own.
        assert (await desk.send("/you/code", code=mine.code)).status_code == 303
        assert desk.known


async def test_so_few_codes_of_a_letter_may_be_wrong(shop: Shop) -> None:
    async with shop.browser() as desk:
        letter = await desk.ask(address())
        wrong = "000000" if letter.code != "000000" else "111111"
        for _ in range(TRIES_MAX):
            assert (await desk.send("/you/code", code=wrong)).status_code == 401
        answer = await desk.send("/you/code", code=letter.code)
        assert answer.status_code == 401
        assert "Too many codes were tried" in answer.text
        assert not desk.known
        assert (await desk.send(letter.link)).status_code == 303


async def test_a_browser_that_was_here_before_has_tries_of_its_own(shop: Shop) -> None:
    ana = address()
    async with shop.browser() as desk, shop.browser() as thief:
        await desk.sign_in(ana)
        await desk.send("/you/sign-out")
        for _ in range(person_limit.CODES_AT_ONCE // TRIES_MAX):
            await thief.ask(ana)
            for _ in range(TRIES_MAX):
                await thief.send("/you/code", code="999999")
        letter = await thief.ask(ana)
        # Only the first code of a letter is looked at from now on.
        for _ in range(2):
            assert (await thief.send("/you/code", code="999999")).status_code == 429
        assert (await thief.send("/you/code", code=letter.code)).status_code == 429
        await desk.sign_in(ana)


async def test_a_browser_that_was_here_before_gets_letters_however_many_others_asked_for(
    shop: Shop,
) -> None:
    ana = address()
    async with shop.browser() as desk, shop.browser() as ben, shop.browser() as thief:
        await desk.sign_in(ana)
        await desk.send("/you/sign-out")
        await ben.sign_in(address("ben"))
        await ben.send("/you/sign-out")
        asked = [await thief.send("/you/sign-in", address=ana) for _ in range(LETTERS_AT_ONCE + 1)]
        assert asked[-1].status_code == 429
        # To have been here as somebody else is no help.
        assert (await ben.send("/you/sign-in", address=ana)).status_code == 429
        await desk.sign_in(ana)
        assert desk.known


async def test_whether_an_address_is_known_nobody_hears(shop: Shop) -> None:
    known, unknown = address(), address()
    async with shop.browser() as first:
        await first.sign_in(known)
    answers = []
    for one in (known, unknown):
        async with shop.browser() as asks:
            answer = await asks.send("/you/sign-in", address=one)
            page = await asks.get("/you")
            headers = {k: v for k, v in answer.headers.items() if k not in ("set-cookie", "date")}
            answers.append(
                (answer.status_code, answer.content, headers, page.text.replace(one, "?"))
            )
    assert answers[0] == answers[1]
    assert await persons_known(shop, known, unknown) == 1


@contextlib.contextmanager
def asked_of_sql(shop: Shop) -> Iterator[list[str]]:
    """The statements of signing in, until the end; what the jobs of the shop ask meanwhile, at
    moments of their own, is none of them."""
    heard: list[str] = []
    engine = shop.web.runtime.database._engine

    def note(*told: object) -> None:
        files = {Path(frame.f_code.co_filename).stem for frame, _ in walk_stack(None)}
        if any(stem.startswith("signing_") for stem in files):
            heard.append(str(told[2]))

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield heard
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


async def test_asking_does_the_same_whether_an_address_is_known(shop: Shop) -> None:
    """Nothing is looked up that could take longer: the statements are alike."""
    known, unknown = address(), address()
    async with shop.browser() as first:
        await first.sign_in(known)
    said: list[list[str]] = []
    for one in (known, unknown):
        async with shop.browser() as asks:
            with asked_of_sql(shop) as heard:
                await asks.send("/you/sign-in", address=one)
        said.append(heard)
    assert said[0] == said[1] != []
    assert not any("persons" in statement.replace("person_", "") for statement in said[0])


async def test_a_wrong_code_is_answered_alike_whether_an_address_is_known(shop: Shop) -> None:
    """And as soon: the statements are the same ones."""
    known, unknown = address(), address()
    async with shop.browser() as first:
        await first.sign_in(known)
    told: list[tuple[int, str, list[str]]] = []
    for one in (known, unknown):
        async with shop.browser() as asks:
            letter = await asks.ask(one)
            wrong = f"{(int(letter.code) + 1) % 1_000_000:06}"
            with asked_of_sql(shop) as heard:
                answer = await asks.send("/you/code", code=wrong)
        told.append((answer.status_code, answer.text.replace(one, "?"), heard))
    assert told[0] == told[1]
    assert told[0][0] == 401
    assert told[0][2]


async def test_nobody_is_made_before_he_confirms(shop: Shop) -> None:
    ana = address()
    async with shop.browser() as desk:
        letter = await desk.ask(ana)
        assert await persons_known(shop, ana) == 0
        await desk.get(letter.link)
        assert await persons_known(shop, ana) == 0
        await desk.send("/you/code", code=letter.code)
        assert await persons_known(shop, ana) == 1


async def test_a_likely_slip_is_asked_back_before_anything_is_sent(shop: Shop) -> None:
    name = address().partition("@")[0]
    typed, meant = f"{name}@gmial.com", f"{name}@gmail.com"
    database = shop.web.runtime.database
    async with shop.browser() as desk:
        page = await desk.send("/you/sign-in", address=typed)
        assert page.status_code == 200
        assert meant in page.text
        assert await letters(database, typed) == await letters(database, meant) == []
        await desk.ask(meant)
        await desk.ask(typed, sure="yes")
        assert len(await letters(database, typed)) == len(await letters(database, meant)) == 1


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "",
            " ",
            "ana",
            "ana@",
            "@example.org",
            "ana@example",
            "ana@localhost",
            "a b@example.org",
        ),
        *("ana@[127.0.0.1]", "ana@example.org, eve@example.org", "<ana@example.org>"),
        *("ana@example.org\r\nBcc: eve@example.org", "ana@example.org\nX: y", "a" * 400 + "@x.org"),
        *('"a\\"b"@example.org', "ana@exa\x7fmple.org", "ana@example.org%0d%0aBcc:eve@example.org"),
        *("änä@example.org", "=?utf-8?q?a=0d=0aBcc:_eve?=@example.org"),
    ],
)
async def test_what_is_no_address_is_said_and_nothing_is_sent(shop: Shop, typed: str) -> None:
    def count(sql: Connection) -> int:
        return sql.execute(sa.select(sa.func.count()).select_from(MAILS)).scalar_one()

    before = await shop.web.runtime.database.read(count)
    async with shop.browser() as desk:
        answer = await desk.send("/you/sign-in", address=typed)
        assert answer.status_code == 400
        assert "That is no address" in answer.text
        assert desk.cookie("asked-") == ""
    assert await shop.web.runtime.database.read(count) == before


@pytest.mark.parametrize(
    "to",
    [
        *("https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"),
        *("/drops/../studio", "/drops/x/../../y", "/drops/x\r\nLocation: https://evil.example"),
        *("/drops/x?to=https://evil.example", "/drops/x#https://evil.example", "/studio", "/"),
        *("https://evil.example/drops/x", "/drops/X", "drops/x", "/drops/x?via=a&via=b", ""),
    ],
)
async def test_signing_in_leads_to_no_other_place(shop: Shop, to: str) -> None:
    assert back(to) == "/you"
    async with shop.browser() as desk, shop.browser() as phone:
        page = await desk.get("/you", params={"to": to})
        assert "evil" not in page.text
        letter = await desk.ask(address(), to=to)
        assert "evil" not in letter.words
        answer = await desk.send("/you/code", code=letter.code)
        assert answer.headers["location"] == "/you"
        again = await phone.ask(address(), to=to)
        assert (await phone.send(again.link)).headers["location"] == "/you"
    assert back("/drops/pin") == "/drops/pin"
    assert back("/drops/pin?via=a.b-c_D") == "/drops/pin?via=a.b-c_D"


async def test_a_form_of_another_page_does_nothing(shop: Shop) -> None:
    async with shop.browser() as desk:
        await desk.sign_in(address())
        for path in ("/you/sign-out", "/you/sign-out-everywhere", "/you/erase", "/you/renew"):
            for headers, wanted in (
                ({"origin": "https://evil.example"}, 403),
                ({"origin": "null"}, 403),
                ({"sec-fetch-site": "cross-site"}, 400 if path != "/you/renew" else 204),
            ):
                answer = await desk.http.post(path, data={"sure": "yes"}, headers=headers)
                assert answer.status_code == wanted, (path, headers)
        bare = desk.http.build_request("POST", "/you/sign-out", data={"a": "b"})
        del bare.headers["origin"]
        assert (await desk.http.send(bare)).status_code == 403
        text = await desk.http.post(
            "/you/sign-out", content="a=b", headers={"content-type": "text/plain"}
        )
        assert text.status_code == 400
        assert (await desk.get("/you/data.json")).status_code == 200


async def test_letters_are_paced_by_address_and_by_network(server: Server, tmp_path: Path) -> None:
    conf = settings(server.url, tmp_path, letters_at_once_max=8, letter_each_ms=3_600_000)
    async with opened(conf) as shop, shop.browser() as desk:
        ana = address()
        for _ in range(person_limit.LETTERS_AT_ONCE):
            await desk.ask(ana)
        answer = await desk.send("/you/sign-in", address=ana)
        assert answer.status_code == 429
        assert "Many letters" in answer.text
        # Whatever way it is written.
        assert (await desk.send("/you/sign-in", address=ana.upper())).status_code == 429
        ben = address("ben")
        await desk.ask(ben)
        assert (await desk.send("/you/sign-in", address=address("cy"))).status_code == 429
        letter = (await letters(shop.web.runtime.database, ana))[-1]
        assert (await desk.send(letter.link)).status_code == 303


async def test_forty_nine_spellings_of_one_address_are_one_person_with_one_limit(
    shop: Shop,
) -> None:
    name = "".join(letter for letter in address("ana") if letter.isalnum())[:11]
    sale = await shop.sale("verified", limit=2)
    dotted = [f"{name[:n]}.{name[n:]}" for n in range(1, 7)] + [name]
    spelled = [
        f"{way}@{domain}"
        for one in dotted
        for way, domain in (
            (one, "gmail.com"),
            (one, "googlemail.com"),
            (one.upper(), "gmail.com"),
            (f"{one}+pins", "gmail.com"),
            (f"{one}+a.b+c", "GMAIL.com"),
            (one.title(), "GoogleMail.com"),
            (f"{one}+", "gmail.com"),
        )
    ]
    assert len(set(spelled)) == 49
    fans, codes = set(), []
    for one in spelled:
        async with shop.browser() as desk:
            await nobody_asked(shop)
            letter = await _asked(shop, desk, one)
            assert (await desk.send(letter.link)).status_code == 303
            fans.add((await desk.you(sale))["fan"])
            press = await desk.press(sale)
            codes.append(press.json().get("code", "held"))
            if press.status_code == 200:
                # An equal hold would be the answer to the next press.
                await sale.succeeded(press.json()["hold"]["id"])
    assert len(fans) == 1
    assert codes == ["held"] * 2 + ["limit_reached"] * 47


async def nobody_asked(shop: Shop) -> None:
    """As if a long time had passed since anybody asked for letters."""
    client = shop.web.runtime.store.client
    async for name in client.scan_iter("{house}:tickets:letters:*"):
        await client.delete(name)


async def _asked(shop: Shop, desk: Browser, one: str) -> persons.Letter:
    await desk.send("/you/sign-in", address=one)

    def newest(sql: Connection) -> persons.Letter:
        rows = sql.execute(sa.select(MAILS).order_by(MAILS.c.written_ms.desc())).all()
        row = next(row for row in rows if row.reader.lower() == one.lower())
        return persons.read(row.reader, row.subject, row.words)

    return await shop.web.runtime.database.read(newest)


async def test_two_devices_at_once_have_one_limit(shop: Shop) -> None:
    ana, sale = address(), await shop.sale("verified", limit=1)
    async with shop.browser(PHONE) as phone, shop.browser() as desk:
        await phone.sign_in(ana)
        await desk.sign_in(ana)
        assert phone.ticket.session != desk.ticket.session
        presses = (one.press(sale, pool="pin", qty=1) for one in (phone, desk) for _ in range(10))
        answers = await asyncio.gather(*presses)
        holds = {a.json()["hold"]["id"] for a in answers if a.status_code == 200}
        assert len(holds) == 1
        assert (await phone.you(sale))["used"] == (await desk.you(sale))["used"] == 1
        assert (await phone.you(sale))["holds"] == (await desk.you(sale))["holds"]


async def test_what_one_device_does_the_other_shows_at_once(shop: Shop) -> None:
    ana, sale = address(), await shop.sale()
    async with shop.browser(PHONE) as phone, shop.browser() as desk:
        await phone.sign_in(ana)
        await desk.sign_in(ana)
        cookie = f"person-{shop.web.runtime.shop[:8]}={desk.cookie('person-')}"
        async with await shop.web.dial(sale.drop, headers={"Cookie": cookie}) as one:
            screen = web_process.Fan(one, None)
            assert (await screen.until("snapshot"))["you"]["fan"] == phone.fan(sale)
            hold = (await phone.press(sale)).json()["hold"]["id"]
            you = await screen.shows("you", lambda m: m["used"] == 1)
            assert [one["id"] for one in you["holds"]] == [hold]


async def test_a_guest_watches_a_drop_for_those_who_are_known_and_may_do_nothing(
    shop: Shop,
) -> None:
    sale = await shop.sale("verified")
    async with shop.browser() as guest:
        page = await guest.get(f"/drops/{sale.drop}")
        assert page.status_code == 200
        assert "retry-after" not in page.headers
        assert '"you":null' in page.text
        assert f"/you?to=/drops/{sale.drop}" in page.text
        assert guest.cookie("fan-") != ""
        for verb, body in (("hold", {"pool": "pin"}), ("join", {"pools": ["pin"]})):
            answer = await guest.press(sale, verb, **body)
            assert (answer.status_code, answer.json()["code"]) == (401, "sign_in")
        assert (await guest.get(f"/api/drops/{sale.drop}/you")).status_code == 401
        ticket = guest.cookie("fan-")
        async with await shop.web.dial(sale.drop, ticket) as one:
            socket = web_process.Fan(one, None)
            assert (await socket.until("snapshot"))["you"] is None
            answer_ = await socket.ask("hold", pool="pin")
            assert answer_["code"] == "sign_in"
            await socket.raw(json.dumps({"t": "hello", "ticket": ticket}))
            assert (await socket.until("snapshot"))["you"] is None
            assert (await socket.ask("join", pools=["pin"]))["code"] == "sign_in"
    assert await sale.counts() == (10, 0, 0, 0)


async def test_no_log_ties_the_drops_of_a_person_together(shop: Shop) -> None:
    one, other = await shop.sale(), await shop.sale("verified")
    async with shop.browser() as desk:
        await desk.sign_in(address())
        for sale in (one, other):
            assert (await desk.press(sale)).status_code == 200
        ids = {desk.fan(one), desk.fan(other)}
        assert len(ids) == 2
        store = shop.web.runtime.store
        logs = [
            b"".join([row async for row in store.log(DropId(sale.drop))]) for sale in (one, other)
        ]
        for sale, log, foreign in ((one, logs[0], logs[1]), (other, logs[1], logs[0])):
            assert desk.fan(sale).encode() in log
            assert desk.fan(sale).encode() not in foreign


async def test_tokens_stand_in_no_log_of_the_shop_and_in_no_address(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    ana = address()
    async with shop.browser() as desk:
        letter = await desk.ask(ana)
        await desk.send("/you/code", code="000000" if letter.code != "000000" else "1")
        answer = await desk.send("/you/code", code=letter.code)
        secrets_ = (letter.code, letter.link.rpartition("/")[2], ana, desk.cookie("person-"))
        ours = "\n".join(r.getMessage() for r in caplog.records if r.name.startswith("dropengine"))
        assert not [one for one in secrets_ if one in ours]
        assert not re.search(r"[?&](code|token|ticket)=", answer.headers["location"])


async def test_cookies_are_out_of_reach_of_scripts_and_other_sites(
    server: Server, tmp_path: Path
) -> None:
    conf = settings(server.url, tmp_path, public_url="https://pins.example", **NOBODY_WAITS)
    async with opened(conf) as shop, shop.browser() as desk:
        desk.http.headers.update({"origin": "https://pins.example", "host": "pins.example"})
        ana = address()
        asked = await desk.send("/you/sign-in", address=ana)
        (letter,) = await letters(shop.web.runtime.database, ana)
        assert "https://pins.example/you/links/" in letter.words
        signed = await desk.send(letter.link)
        cookies = [*asked.headers.get_list("set-cookie"), *signed.headers.get_list("set-cookie")]
        assert len(cookies) == 6
        for cookie in cookies:
            name, _, rest = cookie.partition("=")
            assert name.startswith("__Host-")
            for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
                assert word in rest
            assert "Domain" not in rest


async def test_where_sql_is_away_nobody_signs_in_and_who_did_goes_on(
    server: Server, tmp_path: Path
) -> None:
    async with opened(settings(server.url, tmp_path, **NOBODY_WAITS)) as shop:
        sale = await shop.sale("verified")
        async with shop.browser() as desk, shop.browser() as late:
            await desk.sign_in(address())
            shop.web.runtime.database._engine = _away()
            assert (await desk.press(sale)).status_code == 200
            assert (await desk.get(f"/drops/{sale.drop}")).status_code == 200
            answer = await late.send("/you/sign-in", address=address())
            assert answer.status_code == 503
            assert "Sales go on" in answer.text
            assert (await desk.get("/you")).status_code == 503


def _away() -> sa.Engine:
    engine = sa.create_engine("sqlite:////nowhere/at/all.sqlite")
    return engine.execution_options(place="nowhere")
