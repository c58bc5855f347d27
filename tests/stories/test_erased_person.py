"""Somebody who bought, waits and was written to has himself erased in a shop that runs: no byte of
who he was is left where the shop keeps anything, and what was sold still adds up."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from dropengine.asked import Asks
from dropengine.config import Settings
from dropengine.jobs.ledger import books, report
from dropengine.log.figures.figure import COUNTED, Figure
from dropengine.log.referee import judge
from dropengine.processes.supervisor_process import SupervisorProcess
from dropengine.sql import engine
from dropengine.sql.schema.persons import PERSONS
from dropengine.truth.store import Store
from tests.kit import short_folder
from tests.kit.manifests import item, manifest
from tests.kit.persons import letter_in
from tests.kit.push_service import PushService
from tests.kit.shop_fan import LONG_S, ShopFan, shop_fan
from tests.kit.shop_in_browser import Drop
from tests.kit.spellings import stands_in
from tests.stories.test_backup import command

folder = short_folder.folder
pytestmark = pytest.mark.timeout(400)

WORD = "unmistakable"
ANA = f"Ana.{WORD}+pins@example.org"
HIS = {
    "name": f"Ana {WORD}",
    "lines": f"1 {WORD} Road",
    "postal": "SW1Y 4JH",
    "city": "London",
    "country": "GB",
}
ASKS = Asks(name="required", address="required")


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    async with PushService().at_work() as one:
        yield one


@pytest.fixture
def settings(folder: Path, sql_settings: Settings) -> Settings:
    return Settings(
        local_pay=True,
        data_dir=folder / "shop",
        database_url=sql_settings.database_url,
        port=0,
        disk_free_mib_min=16,
        maxmemory_mib=256,
        log_level="debug",
        push_here=True,
    )


@pytest.fixture
async def shop(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> AsyncIterator[SupervisorProcess]:
    """What it says goes where this test reads it."""
    one = SupervisorProcess(settings)
    await asyncio.to_thread(one.start)
    yield one
    await asyncio.to_thread(one.stop)


def files_with(folder: Path, *keys: bytes) -> list[Path]:
    """Files that know him."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and knows(path, keys)]


def knows(path: Path, keys: tuple[bytes, ...]) -> bool:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return False
    return stands_in(content, WORD) or any(key in content for key in keys)


def tables_with(settings: Settings, *keys: bytes) -> list[str]:
    """Tables of which a row knows him."""
    one = engine.connect(settings)
    with engine.snapshot(one) as sql:
        found = sa.MetaData()
        found.reflect(sql)
        known = [
            table.name
            for table in found.sorted_tables
            if any(
                stands_in(value, WORD) or any(key in value for key in keys)
                for row in sql.execute(sa.select(table))
                for value in map(raw, row)
            )
        ]
    one.dispose()
    return known


def raw(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def told(settings: Settings, drop: Drop) -> tuple[list[bytes], list[Figure]]:
    """A drop's log as the books have it, and what its report makes of that."""
    one = engine.connect(settings)
    with engine.snapshot(one) as sql:
        log = list(books.lines(sql, drop.id))
        found = report.report(sql, drop.id)
    one.dispose()
    return log, [one for one in found.figures if one.stands_on != COUNTED] if found else []


async def in_the_books(store: Store, settings: Settings, drop: Drop) -> list[Figure]:
    """What the report says once the books know the whole log, and that the referee finds nothing
    in it."""
    whole = [line async for line in store.log(drop.id)]
    async with asyncio.timeout(LONG_S):
        while True:
            log, figures = await asyncio.to_thread(told, settings, drop)
            if log == whole:
                break
            await asyncio.sleep(0.05)
    assert judge(whole).honest
    return figures


def key_of(settings: Settings) -> bytes:
    """What his ids are made of."""
    one = engine.connect(settings)
    with engine.snapshot(one) as sql:
        key: bytes = sql.execute(sa.select(PERSONS.c.key)).scalar_one()
    one.dispose()
    return key


async def lived(ana: ShopFan, settings: Settings, lamps: Drop, pins: Drop, endpoint: Any) -> str:
    """He signs in, buys a lamp, waits for a pin, and is written to and called; his order."""
    await ana.asks(ANA)
    await ana.signs_in(await letter_in(settings.data_dir / "mail", ANA))
    hold: str = (await ana.press(lamps.id, "hold", pool=lamps.pool))["hold"]["id"]
    said = await ana.send(f"{lamps.path}/holds/{hold}/asked", **HIS, do="pay")
    await ana.pays_at(said.headers["location"])
    await ana.has_order(lamps.id, hold)
    await ana.press(pins.id, "join", pools=[pins.pool])
    await ana.press(pins.id, "calls", **endpoint)
    return hold


def letters_in(folder: Path) -> int:
    return len([*folder.glob("*.eml")])


async def letters(folder: Path, number: int) -> None:
    """Wait until so many lie there."""
    async with asyncio.timeout(LONG_S):
        while letters_in(folder) < number:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.05)


def drops(store: Store) -> Iterator[Drop]:
    lamp = manifest("lamps", item("lamp", {"lamp": 5}, most=1), limit=1)
    yield Drop(store, msgspec.structs.replace(lamp, identity="verified", asks=ASKS))
    yield Drop(store, manifest("pins", item("pin", {"pin": 1}, most=1), limit=1))


@pytest.mark.parametrize("before", ["", "a", "ab", "To: Ana."])
def test_the_word_is_found_however_it_is_written(before: str) -> None:
    text = f"{before}{WORD}@example.org".encode()
    half = len(before) + 5
    for written in (
        text,
        text.upper(),
        text.decode().encode("utf-16-le"),
        text.hex().encode(),
        base64.b64encode(text),
        base64.encodebytes(text * 9),
        base64.urlsafe_b64encode(text),
        text[:half] + b"=\r\n" + text[half:],
        "".join(f"={one:02X}" for one in text).encode(),
        "".join(f"%{one:02x}" for one in text).encode(),
    ):
        assert stands_in(b"\x00 " + written + b"\n", WORD), written
    assert not stands_in(base64.encodebytes(b"somebody.else@example.org" * 9), WORD)


async def test_of_who_is_erased_nothing_is_left_in_a_whole_shop(
    settings: Settings,
    shop: SupervisorProcess,
    folder: Path,
    service: PushService,
    capfd: pytest.CaptureFixture[str],
) -> None:
    store = Store.connect(shop.running.redis_url, settings.redis_prefix)
    lamps, pins = drops(store)
    for one in (lamps, pins):
        await one.publish()
        await one.open()
    await pins.hold("holder")
    phone = service.browser()
    phone.endpoint += f"/{WORD}"
    async with shop_fan(shop.running.url) as ana, shop_fan(shop.running.url) as late:
        order = await lived(ana, settings, lamps, pins, phone.asks())
        # The sign-in, what he bought, and a word of the maker; another sign-in waits.
        await pins.say("Soon.")
        await service.until(1)
        await late.asks(ANA)
        await letters(settings.data_dir / "mail", 4)
        key = key_of(settings)
        # All of it is where it would be found.
        assert {"persons", "mails", "answers", "push_subscriptions"} <= {
            *await asyncio.to_thread(tables_with, settings, key)
        }
        found = files_with(folder, key)
        assert {path.suffix for path in found} >= {".eml"}
        in_file = any(path.name.startswith(engine.FILE) for path in found)
        assert in_file == (settings.database_url is None)
        before = [await in_the_books(store, settings, one) for one in (lamps, pins)]
        logs = [[line async for line in store.log(one.id)] for one in (lamps, pins)]

        await ana.send("/you/erase", sure="yes")
        async with asyncio.timeout(LONG_S):
            # What others read just then is wiped a little later.
            while files_with(folder, key):  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.2)
        assert await asyncio.to_thread(tables_with, settings, key) == []
        code, said = await command(settings, "backup", folder / "copy")
        assert code == 0, said
        assert (folder / "copy" / "backup.json").exists()
        assert files_with(folder, key) == []
        for one, log, figures in zip((lamps, pins), logs, before, strict=True):
            assert [line async for line in store.log(one.id)] == log
            assert await in_the_books(store, settings, one) == figures
        assert order.encode() in b"".join(logs[0])
    await store.close()
    # The shop goes on, writes nothing of him as it ends, and said nothing of him.
    await asyncio.to_thread(shop.stop)
    assert files_with(folder, key) == []
    out, err = capfd.readouterr()
    assert "Started server process" in err
    assert not stands_in((out + err).encode(), WORD)
