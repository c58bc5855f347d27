"""A whole shop is killed while it sends: nothing is lost, and what came twice is one Message-ID."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from dropengine.config import Settings
from dropengine.mail import outbox
from dropengine.mail.letter import Kind, Letter
from dropengine.mail.outbox import MailState
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.sql.database import Database
from tests.kit import short_folder
from tests.kit.post_office import PostOffice
from tests.kit.web_process import LONG_S

folder = short_folder.folder
LETTERS = 40


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


def letter(number: int) -> Letter:
    return Letter(
        id=f"m{number}",
        kind=Kind.SIGN_IN,
        to=f"fan{number}@example.org",
        subject="Your code",
        words="123456",
        written_ms=1_000,
    )


async def counts(database: Database) -> dict[MailState, int]:
    found = await database.read(outbox.counts)
    return {state: number for state, number in found.items() if number}


async def test_a_kill_in_the_middle_of_a_mail_loses_none_and_doubles_only_an_id(
    settings: Settings, office: PostOffice
) -> None:
    shop = SupervisorProcess(settings)
    await asyncio.to_thread(shop.start)
    database = Database(settings)
    # It has each mail, and says nothing: so they are sent and not marked.
    office.silent = True
    for number in range(LETTERS):
        one = letter(number)
        await database.write(lambda sql, one=one: outbox.put(sql, one))  # type: ignore[misc]
    async with asyncio.timeout(LONG_S):
        await office.came.wait()
        pid = shop.running.ledger_pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        office.silent = False
        while await counts(database) != {MailState.SENT: LETTERS}:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)
    await database.close()
    await asyncio.to_thread(shop.stop)
    readers = [mail["To"] for mail in office.mails()]
    assert {*readers} == {letter(number).to for number in range(LETTERS)}
    assert len(readers) > LETTERS
    bytes_of: dict[str, set[bytes]] = {}
    for mail, content in zip(office.mails(), office.took, strict=True):
        bytes_of.setdefault(mail["To"], set()).add(content)
    assert all(len(different) == 1 for different in bytes_of.values())
    assert len({mail["Message-ID"] for mail in office.mails()}) == LETTERS


async def test_what_was_owed_when_the_shop_stopped_is_sent_when_it_starts(
    settings: Settings, office: PostOffice
) -> None:
    shop = SupervisorProcess(settings)
    await asyncio.to_thread(shop.start)
    await asyncio.to_thread(shop.stop)
    database = Database(settings)
    await database.write(lambda sql: outbox.put(sql, letter(1)))
    await database.close()
    assert not office.took
    again = SupervisorProcess(msgspec.structs.replace(settings))
    await asyncio.to_thread(again.start)
    async with asyncio.timeout(LONG_S):
        await office.came.wait()
    await asyncio.to_thread(again.stop)
    assert [mail["Message-ID"] for mail in office.mails()] == ["<m1@example.org>"]
