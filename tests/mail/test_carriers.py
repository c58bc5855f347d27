"""A carrier tells what became of a mail: taken, to be tried again, refused for good, or that
nothing can be carried now."""

from __future__ import annotations

import asyncio
import logging
import ssl
import stat
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from dropengine.mail.carriers import (
    Away,
    Bounced,
    Deferred,
    FileCarrier,
    Refused,
    SmtpCarrier,
    Taken,
    file_of,
    remove_files,
)
from dropengine.mail.letter import Kind, Letter, Sender, as_mail
from dropengine.smtp_address import Protection, SmtpAddress
from tests.kit.post_office import STEPS, PostOffice, certificate

SHOP = Sender("shop@example.org", ("https://pins.example.org",))


def mail(number: int = 1) -> EmailMessage:
    one = Letter(
        id=f"m{number}",
        kind=Kind.SIGN_IN,
        to="ana@example.org",
        subject="Päused",
        words="Look.\n.\nIt is paused.",
        written_ms=1_700_000_000_000,
    )
    return as_mail(one, SHOP)


@pytest.fixture
async def office() -> AsyncIterator[PostOffice]:
    async with PostOffice().at_work() as one:
        yield one


def to(
    port: int,
    *,
    answer_s_max: float = 20.0,
    password: str = "",
    protection: Protection = "none",
    trust: ssl.SSLContext | None = None,
) -> SmtpCarrier:
    user = "ana" if password else ""
    address = SmtpAddress("127.0.0.1", port, protection, user, password)
    return SmtpCarrier(address, answer_s_max, trust)


async def test_mails_go_over_one_connection(office: PostOffice) -> None:
    carrier = to(office.port)
    assert [await carrier.carry(mail(n)) for n in (1, 2, 3)] == [Taken()] * 3
    assert (office.connections, len(office.took)) == (1, 3)
    assert b"Message-ID: <m1@example.org>" in office.took[0]
    assert office.took[0] == mail().as_bytes()
    await carrier.leave()


async def test_whoever_said_goodbye_comes_again(office: PostOffice) -> None:
    carrier = to(office.port)
    for _ in range(3):
        assert await carrier.carry(mail()) == Taken()
        await carrier.leave()
    assert office.connections == 3


async def test_4xx_is_tried_again_and_5xx_is_final(office: PostOffice) -> None:
    carrier = to(office.port)
    office.to_recipient = "450 Mailbox busy"
    assert await carrier.carry(mail()) == Deferred("450 Mailbox busy")
    office.to_recipient = "550 No such person"
    assert await carrier.carry(mail()) == Bounced("550 No such person")
    office.to_recipient, office.to_mail = "250 OK", "452 Disk full"
    assert await carrier.carry(mail()) == Deferred("452 Disk full")
    office.to_mail = "554 Spam"
    assert await carrier.carry(mail()) == Refused("554 Spam")
    office.to_mail = "250 OK"
    assert await carrier.carry(mail()) == Taken()
    await carrier.leave()


async def test_a_server_that_does_not_want_us_says_nothing_of_the_mail(office: PostOffice) -> None:
    carrier = to(office.port)
    for told in ("550 Who are you", "451 Too many of yours"):
        office.to_sender = told
        assert await carrier.carry(mail()) == Away(told)
    office.to_sender = "250 OK"
    assert await carrier.carry(mail()) == Taken()
    await carrier.leave()


@pytest.mark.parametrize("step", STEPS)
async def test_a_connection_that_is_cut_is_unknown_and_the_repeat_is_the_same_mail(
    office: PostOffice, step: str
) -> None:
    carrier = to(office.port)
    office.cut = step
    told = await carrier.carry(mail())
    assert isinstance(told, Away if step == "connect" else Away | Deferred)
    office.cut = ""
    assert await carrier.carry(mail()) == Taken()
    assert len(office.took) == (2 if step == "after" else 1)
    assert {*office.took} == {mail().as_bytes()}
    await carrier.leave()


async def test_a_server_that_does_not_answer_gets_the_same_mail_again(office: PostOffice) -> None:
    carrier = to(office.port, answer_s_max=0.5)
    office.silent = True
    assert isinstance(await carrier.carry(mail()), Deferred)
    office.silent = False
    patient = to(office.port)
    assert await patient.carry(mail()) == Taken()
    assert office.took[0] == office.took[1]
    await patient.leave()


async def test_a_server_that_is_not_there_is_away() -> None:
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    gone = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    assert isinstance(await to(gone).carry(mail()), Away)


@pytest.mark.parametrize("protection", ["tls", "starttls"])
async def test_mail_goes_under_tls_to_a_server_that_proves_itself(
    tmp_path: Path, protection: Protection
) -> None:
    shown, believed = certificate(tmp_path)
    office = PostOffice(shown, starttls=protection == "starttls", password="s3cret-word")
    async with office.at_work():
        trust = ssl.create_default_context(cafile=believed)
        carrier = to(office.port, protection=protection, trust=trust, password="s3cret-word")
        assert await carrier.carry(mail()) == Taken()
        await carrier.leave()
        assert len(office.took) == 1
        stranger = to(office.port, protection=protection, password="s3cret-word")
        assert isinstance(await stranger.carry(mail()), Away)
        assert len(office.took) == 1


async def test_without_the_tls_that_was_asked_for_nothing_is_said(office: PostOffice) -> None:
    carrier = to(office.port, protection="starttls", password="s3cret-word")
    assert isinstance(await carrier.carry(mail()), Away)
    assert not office.took


async def test_no_password_is_told_or_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown, believed = certificate(tmp_path)
    async with PostOffice(shown, password="another-word").at_work() as office:
        trust = ssl.create_default_context(cafile=believed)
        carrier = to(office.port, protection="tls", trust=trust, password="s3cret-word")
        told = await carrier.carry(mail())
        assert told == Away("the server does not accept our name and password")
        assert "s3cret-word" not in caplog.text
        assert not office.took


async def test_a_file_is_for_the_shop_alone_and_a_repeat_is_the_same_file(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    carrier = FileCarrier(folder)
    assert [await carrier.carry(mail()), await carrier.carry(mail())] == [Taken(), Taken()]
    [file] = folder.iterdir()
    assert file == file_of(folder, "m1")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert file.read_bytes() == mail().as_bytes()
    remove_files(folder, ["m1", "never-there"])
    assert [*folder.iterdir()] == []


async def test_a_folder_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file stands in the way")
    assert isinstance(await FileCarrier(tmp_path / "mail").carry(mail()), Away)
