"""A fan at place 30 closes the page and has his mailbox alone: he is called to his turn and buys.

The mail server puts a letter off, refuses one, and says of his mailbox that it is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from dropengine.config import Settings
from dropengine.mail import outbox
from dropengine.mail.outbox import MailState, Row
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.sql.database import Database
from dropengine.sql.schema.mails import MAILS
from dropengine.truth.store import Store
from tests.kit import short_folder
from tests.kit.manifests import item, manifest
from tests.kit.persons import read
from tests.kit.post_office import PostOffice
from tests.kit.shop_fan import LONG_S, ShopFan, shop_fan
from tests.kit.shop_in_browser import Drop

folder = short_folder.folder
pytestmark = pytest.mark.timeout(400)

ANA = "ana@example.org"


@pytest.fixture
async def office() -> AsyncIterator[PostOffice]:
    async with PostOffice().at_work() as one:
        yield one


@pytest.fixture
def settings(folder: Path, sql_settings: Settings, office: PostOffice) -> Settings:
    return Settings(
        local_pay=True,
        data_dir=folder,
        database_url=sql_settings.database_url,
        port=0,
        disk_free_mib_min=16,
        maxmemory_mib=256,
        log_level="error",
        smtp_url=f"smtp://127.0.0.1:{office.port}",
        mail_from="shop@example.org",
    )


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[SupervisorProcess]:
    one = SupervisorProcess(settings)
    await asyncio.to_thread(one.start)
    yield one
    await asyncio.to_thread(one.stop)


class Mailbox:
    """What the mail server was given for somebody, taken or not."""

    def __init__(self, office: PostOffice, address: str) -> None:
        self._office = office
        self._address = address

    def of(self, kind: str) -> list[EmailMessage]:
        mails = self._office.to(self._address)
        return [one for one in mails if str(one["Message-ID"]).startswith(f"<{kind}-")]

    async def until(self, kind: str, number: int = 1) -> list[EmailMessage]:
        """Wait until so many of a kind came."""
        async with asyncio.timeout(LONG_S):
            while len(self.of(kind)) < number:
                self._office.came.clear()
                await self._office.came.wait()
        return self.of(kind)


def words(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


async def ended(settings: Settings, kind: str, *states: MailState) -> list[Row]:
    """What became of the letters of a kind, the oldest first, once they came to these ends."""
    database = Database(settings)
    async with asyncio.timeout(LONG_S):
        while True:
            rows = await database.read(lambda sql: outbox.page(sql, MAILS.c.kind == kind))
            if tuple(one.state for one in reversed(rows)) == states:
                break
            await asyncio.sleep(0.05)
    await database.close()
    return [*reversed(rows)]


async def test_at_place_30_a_fan_is_called_by_mail_alone_and_buys(
    settings: Settings, shop: SupervisorProcess, office: PostOffice
) -> None:
    store = Store.connect(shop.running.redis_url, settings.redis_prefix)
    drop = Drop(store, manifest("pins", item("pin", {"pin": 1}, most=1), limit=1))
    await drop.publish()
    await drop.open()
    mailbox = Mailbox(office, ANA)
    async with shop_fan(shop.running.url) as ana:
        await signed_in(ana, mailbox)
        await called_to_his_turn(ana, mailbox, drop, office)
        # The end of his hold is said to nobody who paid before.
        await ended(settings, "hold_ends", MailState.OVER)
        await refused_and_bounced(ana, settings, drop, office, mailbox)
    await store.close()


async def signed_in(ana: ShopFan, mailbox: Mailbox) -> None:
    await ana.asks(ANA)
    (mail,) = await mailbox.until("sign-in")
    await ana.signs_in(read(ANA, str(mail["Subject"]), words(mail)))


async def called_to_his_turn(
    ana: ShopFan, mailbox: Mailbox, drop: Drop, office: PostOffice
) -> None:
    first = await drop.hold("first")
    crowd = {name: await drop.join(name) for name in (f"fan{n}" for n in range(29))}
    await ana.press(drop.id, "join", pools=[drop.pool])
    assert await ana.place(drop.id) == 30
    # He closes the page; the crowd moves, and the server puts off what it is given.
    office.to_mail = "451 4.3.0 Come back later"
    for name in [*crowd][:20]:
        await drop.leave(name, crowd[name])
    await mailbox.until("ten-before")
    office.to_mail = "250 OK"
    put_off, taken = await mailbox.until("ten-before", 2)
    assert put_off.as_bytes() == taken.as_bytes()
    assert "place 10" in words(taken)
    assert drop.path in words(taken)
    assert taken["List-Unsubscribe"]
    for name in [*crowd][20:]:
        await drop.leave(name, crowd[name])
    await drop.release("first", first)
    (offer,) = await mailbox.until("offer")
    assert drop.path in words(offer)
    # What he finds where the letter leads is what it speaks of.
    (hold,) = (await ana.you(drop.id))["holds"]
    assert (hold["origin"], hold["claimed"]) == ("line", False)
    await ana.press(drop.id, "claim", hold=hold["id"])
    await ana.pays(drop.id, hold["id"])
    (sold,) = await mailbox.until("sold")
    assert "#1" in words(sold)
    assert sold["List-Unsubscribe"] is None


async def refused_and_bounced(
    ana: ShopFan, settings: Settings, drop: Drop, office: PostOffice, mailbox: Mailbox
) -> None:
    office.to_mail = "554 5.6.0 Not this one"
    await drop.say("It is packed.")
    (refused,) = await ended(settings, "message", MailState.FAILED)
    assert (refused.tries, refused.said) == (1, "554 5.6.0 Not this one")
    assert await unreached(ana) == ANA
    office.to_mail = "250 OK"
    await drop.say("It is on its way.")
    await ended(settings, "message", MailState.FAILED, MailState.SENT)
    assert await unreached(ana) == ""
    office.to_recipient = "550 5.1.1 No such mailbox"
    await drop.say("It is there.")
    *_, bounced = await ended(
        settings, "message", MailState.FAILED, MailState.SENT, MailState.BOUNCED
    )
    assert (bounced.tries, bounced.said) == (1, "550 5.1.1 No such mailbox")
    assert await unreached(ana) == ANA
    # Nothing that ended was tried again.
    assert len(mailbox.of("message")) == 2


async def unreached(ana: ShopFan) -> str:
    """The address that his page names as one where he could not be reached."""
    told: str = (await ana.http.get("/you/reached")).json()["address"]
    return told
