"""A carrier tells what became of a mail: taken, to be tried again, refused for good."""

from __future__ import annotations

import asyncio
import logging
import stat
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from dropengine.mail.carriers import Deferred, FileCarrier, Refused, SmtpCarrier, Taken
from dropengine.mail.letter import Letter, as_mail
from dropengine.mail.smtp_address import SmtpAddress


def mail(number: int = 1) -> EmailMessage:
    one = Letter(f"m{number}", "ana@example.org", "Paused", "Look.", 1_700_000_000_000)
    return as_mail(one, "shop@example.org", "Pins", "shop.example.org")


class PostOffice:
    """A real mail server: what it took, who came, and what it says next."""

    def __init__(self) -> None:
        self.took: list[bytes] = []
        self.connections = 0
        self.to_recipient = "250 OK"
        self.to_mail = "250 OK"
        self.silent = False

    def __call__(self) -> SMTP:
        self.connections += 1
        return SMTP(self, loop=asyncio.get_running_loop(), hostname="post.example.org")

    async def handle_RCPT(  # noqa: N802 - the name aiosmtpd looks for
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if self.to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.to_recipient

    async def handle_DATA(  # noqa: N802 - the name aiosmtpd looks for
        self, _server: Any, _session: Any, envelope: Any
    ) -> str:
        self.took.append(envelope.content)
        if self.silent:
            await asyncio.Event().wait()
        return self.to_mail


@pytest.fixture
def office() -> PostOffice:
    return PostOffice()


@pytest.fixture
async def port(office: PostOffice) -> AsyncIterator[int]:
    server = await asyncio.get_running_loop().create_server(office, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


def to(port: int, answer_s_max: float = 20.0, password: str = "") -> SmtpCarrier:
    user = "ana" if password else ""
    return SmtpCarrier(SmtpAddress("127.0.0.1", port, "none", user, password), answer_s_max)


async def test_mails_go_over_one_connection(office: PostOffice, port: int) -> None:
    carrier = to(port)
    assert [await carrier.carry(mail(n)) for n in (1, 2, 3)] == [Taken()] * 3
    assert (office.connections, len(office.took)) == (1, 3)
    assert b"Message-ID: <m1@shop.example.org>" in office.took[0]
    carrier.close()


async def test_4xx_is_tried_again_and_5xx_is_final(office: PostOffice, port: int) -> None:
    carrier = to(port)
    office.to_recipient = "450 Mailbox busy"
    assert await carrier.carry(mail()) == Deferred("450 Mailbox busy")
    office.to_recipient = "550 No such person"
    assert await carrier.carry(mail()) == Refused("550 No such person")
    office.to_recipient, office.to_mail = "250 OK", "452 Disk full"
    assert await carrier.carry(mail()) == Deferred("452 Disk full")
    office.to_mail = "554 Spam"
    assert await carrier.carry(mail()) == Refused("554 Spam")
    office.to_mail = "250 OK"
    assert await carrier.carry(mail()) == Taken()
    carrier.close()


async def test_a_server_that_does_not_answer_gets_the_same_mail_again(
    office: PostOffice, port: int
) -> None:
    carrier = to(port, answer_s_max=0.5)
    office.silent = True
    assert isinstance(await carrier.carry(mail()), Deferred)
    office.silent = False
    patient = to(port)
    assert await patient.carry(mail()) == Taken()
    assert office.took[0] == office.took[1]
    patient.close()


async def test_a_server_that_is_not_there_is_tried_again() -> None:
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    gone = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    assert isinstance(await to(gone).carry(mail()), Deferred)


async def test_no_password_is_told_or_logged(
    office: PostOffice, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    carrier = to(port, password="s3cret-word")
    told = await carrier.carry(mail())
    assert isinstance(told, Deferred)
    assert "s3cret-word" not in told.said + caplog.text
    assert not office.took


async def test_a_file_is_for_the_shop_alone_and_a_repeat_is_the_same_file(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    carrier = FileCarrier(folder)
    assert [await carrier.carry(mail()), await carrier.carry(mail())] == [Taken(), Taken()]
    [file] = folder.iterdir()
    assert file.name == "m1.eml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert file.read_bytes() == mail().as_bytes()


async def test_a_folder_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file stands in the way")
    assert isinstance(await FileCarrier(tmp_path / "mail").carry(mail()), Deferred)
