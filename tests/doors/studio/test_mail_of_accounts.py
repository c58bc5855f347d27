"""An account is reached where its owner confirmed it; invitations, the way back, and what is told
to nobody."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import Connection

from dropengine.doors.studio.account_doors import CONFIRMS_AN_HOUR_MAX
from dropengine.doors.studio.letter_pages import ABOUT
from dropengine.doors.studio.mail_pages import BACKS_AN_HOUR_MAX, ON_ITS_WAY
from dropengine.mail import makers_letters, outbox
from dropengine.mail.carriers import Bounced
from dropengine.mail.letter import Kind as LetterKind
from dropengine.mail.letter import Letter
from dropengine.model import DropId
from dropengine.people import account_mails, accounts, makers
from dropengine.people.roles import Role
from dropengine.push import outbox as pushes
from dropengine.push import subscriptions
from dropengine.push.outbox import Call, Failed, Kind, Sent
from tests.doors.studio.test_night import told
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.letters import link_in, owed
from tests.kit.private_server import Server
from tests.kit.push_service import Browser
from tests.kit.studio import NOBODY_WAITS, PASSWORD, Hand, Studio
from tests.kit.web_process import key, settings

server = web_process.server
studio = studio_kit.studio

ACCOUNT = "/studio/account"
PRESSED = {"": ""}
"""A form without a field."""


async def form(hand: Hand, path: str, **fields: str) -> int:
    answer = await hand.http.post(path, data={"key": key(), **fields})
    return answer.status_code


async def reached(studio: Studio, hand: Hand, address: str) -> None:
    """Say so, and confirm it."""
    assert await form(hand, f"{ACCOUNT}/mail", address=address) == 303
    letter = (await owed(studio.web.runtime.database, address))[-1]
    async with studio.stranger() as reader:
        assert (await reader.http.post(link_in(letter), data=PRESSED)).status_code == 200


async def address_of(hand: Hand) -> str:
    return str((await hand.get("/account")).json()["mail"]["address"])


async def test_an_address_counts_when_its_link_was_confirmed_and_not_when_it_was_followed(
    studio: Studio,
) -> None:
    async with studio.person("ben") as ben, studio.stranger() as scanner:
        assert await form(ben, f"{ACCOUNT}/mail", address="ben@example.org") == 303
        [letter] = await owed(studio.web.runtime.database, "ben@example.org")
        assert letter.urgent
        path = link_in(letter)
        for _ in range(3):
            page = await scanner.http.get(path)
            assert "ben@example.org" in told(page)
        assert await address_of(ben) == ""
        assert "Letters reach you there" in told(await scanner.http.post(path, data=PRESSED))
        assert await address_of(ben) == "ben@example.org"
        assert (await scanner.http.post(path, data=PRESSED)).status_code == 404
        assert (await scanner.http.get(path)).status_code == 404


async def test_another_address_is_told_to_the_one_before(studio: Studio) -> None:
    async with studio.person("cyd") as cyd:
        await reached(studio, cyd, "cyd@example.org")
        await reached(studio, cyd, "cyd2@example.org")
        letters = await owed(studio.web.runtime.database, "cyd@example.org")
        assert letters[-1].subject == "Your account has another address now"
        assert await form(cyd, f"{ACCOUNT}/mail/remove") == 303
        assert await address_of(cyd) == ""
        letters = await owed(studio.web.runtime.database, "cyd2@example.org")
        assert [one.subject for one in letters] == ["Your account has another address now"]


@pytest.mark.parametrize("address", ["ana", "a@b, c@d", "<a@b.org>", "a b@example.org", ""])
async def test_what_is_no_address_is_refused_beside_its_field(studio: Studio, address: str) -> None:
    async with studio.person("ben") as ben:
        page = await ben.http.post(f"{ACCOUNT}/mail", data={"key": key(), "address": address})
        assert page.status_code == 400
        assert "That is no address that letters reach." in told(page)
        for hostile in (address, f"{address}\r\nBcc: x@example.net", f"{address}\x00"):
            answer = await ben.post("/account/mail", {"address": hostile})
            assert answer.status_code == 400


async def test_nobody_is_flooded_with_letters_of_one_account(studio: Studio) -> None:
    async with studio.person("dan") as dan:
        heard = [
            await form(dan, f"{ACCOUNT}/mail", address=f"victim{number}@example.org")
            for number in range(CONFIRMS_AN_HOUR_MAX + 2)
        ]
        assert heard == [303] * CONFIRMS_AN_HOUR_MAX + [429] * 2


async def test_who_cannot_be_reached_reads_so_on_his_page(studio: Studio) -> None:
    database = studio.web.runtime.database
    async with studio.person("ada") as ada:
        assert await form(ada, f"{ACCOUNT}/mail", address="gone@example.org") == 303
        [letter] = await owed(database, "gone@example.org")
        said = Bounced("550 <b>No such person")
        await database.write(lambda sql: outbox.note(sql, letter.id, said, letter.written_ms))
        page = await ada.http.get(ACCOUNT)
        assert "We could not reach you at gone@example.org" in told(page)
        assert "550 &lt;b&gt;No such person" in page.text
        await form(ada, f"{ACCOUNT}/mail/remove")


async def test_an_invitation_goes_by_mail_and_not_when_it_was_taken_back(studio: Studio) -> None:
    database = studio.web.runtime.database
    people = f"/studio/makers/{studio.lamps.id}/invitations"
    async with studio.person("ada") as ada, studio.stranger() as newcomer:
        sent = {"key": key(), "role": "viewer", "mail": "gil@example.org"}
        page = await ada.http.post(people, data=sent)
        assert "on its way by mail" in told(page)
        again = await ada.http.post(people, data=sent)
        assert again.status_code == 200
        [letter] = await owed(database, "gil@example.org")
        assert letter.sender == studio.lamps.name
        assert "to gil@example.org : waits to be sent" in told(page)
        taken = {"name": "gillian", "password": "long enough a word"}
        assert (await newcomer.http.post(link_in(letter), data=taken)).status_code == 303

        page = await ada.http.post(people, data={**sent, "key": key(), "mail": "hal@example.org"})
        waits = re.search(r"/invitations/(\w+)/withdraw", page.text)
        assert waits is not None
        await ada.http.post(f"{people}/{waits[1]}/withdraw", data={"key": key()})
        assert await owed(database, "hal@example.org") == []
        nobody = await ada.http.post(people, data={**sent, "key": key(), "mail": "a@b\r\nBcc: x"})
        assert nobody.status_code == 400


async def test_who_is_locked_out_comes_back_by_mail_and_is_signed_out_elsewhere(
    studio: Studio,
) -> None:
    database = studio.web.runtime.database
    async with (
        studio.person("ben") as ben,
        studio.person("ben") as elsewhere,
        studio.stranger() as lost,
    ):
        await reached(studio, ben, "ben2@example.org")
        page = await lost.http.post("/studio/way-back", data={"address": "Ben2@Example.org"})
        assert ON_ITS_WAY in told(page)
        letter = (await owed(database, "ben2@example.org"))[-1]
        assert "way back" in letter.subject
        path = link_in(letter)
        assert (await lost.http.get(path)).status_code == 200
        assert (await lost.http.post(path, data={"password": PASSWORD})).status_code == 303
        assert (await elsewhere.http.get(ACCOUNT)).status_code == 303
        assert (await lost.http.get(ACCOUNT)).status_code == 200
        assert (await lost.http.post(path, data={"password": PASSWORD})).status_code == 404


async def test_whether_an_address_is_known_is_told_to_nobody(studio: Studio) -> None:
    async with studio.person("ada") as ada, studio.stranger() as stranger:
        await reached(studio, ada, "ada@example.org")
        known, unknown = [
            await stranger.http.post("/studio/way-back", data={"address": address})
            for address in ("ada@example.org", "nobody@example.org")
        ]
        assert (known.status_code, told(known)) == (unknown.status_code, told(unknown))
        assert await owed(studio.web.runtime.database, "nobody@example.org") == []


async def test_an_account_is_written_few_ways_back_an_hour(studio: Studio) -> None:
    async with studio.person("ada") as ada, studio.stranger() as stranger:
        await reached(studio, ada, "ada3@example.org")
        for _ in range(BACKS_AN_HOUR_MAX + 3):
            await stranger.http.post("/studio/way-back", data={"address": "ada3@example.org"})
        letters = await owed(studio.web.runtime.database, "ada3@example.org")
        backs = [one for one in letters if one.kind == "back"]
        assert len(backs) <= BACKS_AN_HOUR_MAX


async def test_an_address_that_was_never_confirmed_lets_nobody_back(studio: Studio) -> None:
    database = studio.web.runtime.database
    async with studio.stranger() as stranger:
        await database.write(
            lambda sql: account_mails.want(sql, "id-cyd", "thief@example.org", studio.now_ms)
        )
        await stranger.http.post("/studio/way-back", data={"address": "thief@example.org"})
        assert await owed(database, "thief@example.org") == []


async def test_how_a_drop_calls_browsers_is_seen_by_those_who_run_it(studio: Studio) -> None:
    drop = DropId("lamps-called")
    phone = Browser("https://push.example/phone?token=secret").subscribed(drop, "fan")

    def called(sql: Connection) -> None:
        makers.own(sql, drop, studio.lamps.id, 1)
        subscriptions.keep(sql, phone)
        for name, outcome in (("a", Sent()), ("b", Sent()), ("c", Failed("413"))):
            pushes.put(sql, phone, Call(name, Kind.OFFER, "", 1, 0), "Lamp", "Now.")
            (one,) = pushes.due(sql, 1)
            pushes.note(sql, one, outcome, 2)

    await studio.web.runtime.database.write(called)
    seen = {}
    for name in ("ada", "ben", "cyd", "dan"):
        async with studio.person(name) as one:
            page = told(await one.http.get("/studio/letters"))
        assert "push.example" not in page
        seen[name] = "lamps-called · 1 browser 2 sent · 1 not taken" in page
        assert seen[name] == ("2 sent" in page)
    assert seen == {"ada": True, "ben": True, "cyd": False, "dan": False}


async def test_the_account_page_learns_whose_clocks_letters_tell_times_by(studio: Studio) -> None:
    database = studio.web.runtime.database
    async with studio.person("ada") as ada:
        await reached(studio, ada, "ada6@example.org")
        for zone, kept in (("Asia/Kathmandu", "Asia/Kathmandu"), ("Mars/Base", "Asia/Kathmandu")):
            ada.http.cookies.set("zone", zone)
            await ada.http.get(ACCOUNT)
            found = await database.read(lambda sql: account_mails.of(sql, "id-ada"))
            assert found.zone == kept
            [named] = await database.read(lambda sql: account_mails.at(sql, "ada6@example.org"))
            assert named.zone == kept


async def test_a_form_of_another_page_asks_for_nothing(studio: Studio) -> None:
    async with studio.stranger(**{"sec-fetch-site": "cross-site"}) as other:
        answer = await other.http.post("/studio/way-back", data={"address": "ada@example.org"})
        assert answer.status_code == 400


async def test_letters_are_seen_by_those_whom_they_concern(studio: Studio) -> None:
    database = studio.web.runtime.database
    async with studio.person("ada") as ada:
        await reached(studio, ada, "ada4@example.org")
    [mine, *_] = [one for one in await owed(database) if one.to == "ada4@example.org"]
    assert mine.whose == makers_letters.whose("id-ada")
    seen = {}
    for name in ("ada", "ben", "cyd", "dan"):
        async with studio.person(name) as one:
            page = await one.http.get("/studio/letters")
            seen[name] = "ada4@example.org" in page.text
            letter = await one.http.get(f"/studio/letters/{mine.id}")
            assert (letter.status_code == 200) == seen[name]
            assert link_in(mine) not in letter.text
    assert seen == {"ada": True, "ben": False, "cyd": False, "dan": False}


async def test_whole_addresses_of_fans_are_seen_by_who_owns_the_maker_of_their_drop(
    studio: Studio,
) -> None:
    """Who runs it and owns another one sees no more of them than others who run it."""
    letter = Letter(
        id="sold-to-a-fan",
        kind=LetterKind.SOLD,
        to="wilhelmina@example.org",
        subject="It is yours",
        words="#1",
        written_ms=1,
        whose="person:wilhelmina",
        drop="lamps-written",
    )

    hashed = studio_kit.password_hash()

    def written(sql: Connection) -> None:
        makers.own(sql, DropId(letter.drop), studio.lamps.id, 1)
        outbox.put(sql, letter)
        tins = makers.new("tins", "Tinsmiths", "#333333", studio.now_ms)
        makers.make(sql, tins)
        accounts.make(sql, "id-eve", "eve", hashed, studio.now_ms)
        makers.join(sql, tins.id, "id-eve", Role.OWNER, studio.now_ms)
        makers.join(sql, studio.lamps.id, "id-eve", Role.OPERATOR, studio.now_ms)

    await studio.web.runtime.database.write(written)
    seen = {}
    for name in ("ada", "ben", "cyd", "dan", "eve"):
        async with studio.person(name) as one:
            pages = [
                await one.http.get("/studio/letters"),
                await one.http.get(f"/studio/letters/{letter.id}"),
            ]
        whole = {"wilhelmina@example.org" in page.text for page in pages}
        part = {"w…@example.org" in page.text for page in pages}
        assert len(whole) == len(part) == 1
        seen[name] = "whole" if whole == {True} else "part" if part == {True} else "nothing"
    runs = {"ben": "part", "eve": "part"}
    assert seen == {"ada": "whole", "cyd": "nothing", "dan": "nothing", **runs}


async def test_what_a_letter_is_about_is_told_in_words_and_when_by_the_clocks_of_who_reads(
    studio: Studio,
) -> None:
    drop = DropId("lamps-told")
    letters = {
        kind: Letter(
            id=f"told-{number}",
            kind=kind,
            to="fan@example.org",
            subject="Lamps",
            words="Lamps.",
            written_ms=studio.now_ms,
            drop=drop,
        )
        for number, kind in enumerate(LetterKind)
    }

    def written(sql: Connection) -> None:
        makers.own(sql, drop, studio.lamps.id, 1)
        for letter in letters.values():
            outbox.put(sql, letter)

    await studio.web.runtime.database.write(written)
    async with studio.person("ada") as ada:
        ada.http.cookies.set("zone", "Asia/Kathmandu")
        listed = told(await ada.http.get("/studio/letters"))
        assert all(about in listed for about in ABOUT.values())
        for kind, letter in letters.items():
            page = told(await ada.http.get(f"/studio/letters/{letter.id}"))
            assert ABOUT[kind].capitalize() in page
            assert "UTC+5:45" in page


@pytest.mark.parametrize(("smtp_url", "shown"), [(None, True), ("smtp://127.0.0.1:9", False)])
async def test_a_fans_code_is_shown_only_where_no_letter_is_sent(
    server: Server, tmp_path: Path, smtp_url: str | None, *, shown: bool
) -> None:
    """Else whoever owns the shop could ask for one and be any fan."""
    conf = settings(server.url, tmp_path, smtp_url=smtp_url, **NOBODY_WAITS)
    letter = Letter(
        id="sign-in-1",
        kind=LetterKind.SIGN_IN,
        to="fan@example.org",
        subject="271828 is your code to sign in",
        words="271828",
        written_ms=1,
    )
    async with studio_kit.opened(conf) as one, one.person("ada") as ada:
        await one.web.runtime.database.write(lambda sql: outbox.put(sql, letter))
        for path in ("/studio/letters", f"/studio/letters/{letter.id}"):
            page = await ada.http.get(path)
            assert page.status_code == 200
            assert ("271828" in page.text) == shown
