"""A drop's log is fit to be published byte for byte: whatever a night brings, no name, no address
and no id of a provider stands in it, and the shop's own people still read all of that."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection

from dropengine import events, outcomes
from dropengine.config import Settings
from dropengine.creator_commands import SHOPS_NAMES
from dropengine.log.referee import judge
from dropengine.model import CHARGE, OPERATOR, DropId
from dropengine.people import accounts, makers
from dropengine.people.roles import Role
from dropengine.rehearsal import rehearse
from dropengine.rehearsal.rehearse import Rehearsal
from dropengine.truth.store import Store
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.shops_till import Till
from tests.kit.studio import Hand, Studio, password_hash
from tests.kit.web_process import LONG_S
from tests.stories.test_backup import command

server = web_process.server
studio = studio_kit.studio

OWNER = "rosa.lopez@example.org"
AT_THE_MACHINE = "Mia Weber"


def said(event: events.AnyEvent) -> Iterator[tuple[str, str]]:
    for name in ("by", "charge", "duty", "key"):
        if text := getattr(event, name, ""):
            yield name, text


def fit_to_publish(log: list[bytes], *secret: str) -> None:
    """secret: what must stand nowhere in it, in whatever letters."""
    whole = b"\n".join(log).lower()
    for word in secret:
        assert word.lower().encode() not in whole, word
    # Pools of places bear an @ too.
    assert not re.search(rb"@[a-z0-9-]+\.[a-z]", whole)
    assert not re.search(rb"(ch|ev|evt|pi)_[0-9a-f]{8}", whole)
    numbers = []
    for event in map(events.parse, log):
        for name, text in said(event):
            if name == "by":
                assert text in SHOPS_NAMES or OPERATOR.fullmatch(text), event
            if name == "charge":
                assert CHARGE.fullmatch(text), event
                numbers.append(text)
            if name == "duty":
                assert re.fullmatch(
                    r"(void|refund):c\d+|(capture|cancel):p\d+|refund:p\d+:(late|\d+)", text
                ), event
    assert list(dict.fromkeys(numbers)) == [f"c{n + 1}" for n in range(len(set(numbers)))]


def test_a_rehearsed_evening_with_refunds_and_late_payments_tells_nobody(tmp_path: Path) -> None:
    wanted = Rehearsal(fans=120, seed=5, mix="hard", export=tmp_path / "log.ndjson")
    assert rehearse.run(Settings(), wanted) == 0
    logs = [path.read_bytes().splitlines() for path in tmp_path.glob("log-hard-mix-*.ndjson")]
    assert len(logs) == 2
    told = {model_of(line) for log in logs for line in log}
    assert {"sold", "refunded", "discharged", "paused", "message"} <= told
    for log in logs:
        fit_to_publish(log)


def model_of(line: bytes) -> str:
    return str(msgspec.json.decode(line)["e"])


@pytest.fixture
async def rosa(studio: Studio) -> AsyncIterator[Hand]:
    """The owner, who is called by her address."""
    hashed = password_hash()

    def made(sql: Connection) -> None:
        accounts.make(sql, "id-rosa", OWNER, hashed, studio.now_ms)
        makers.join(sql, studio.lamps.id, "id-rosa", Role.OWNER, studio.now_ms)

    await studio.web.runtime.database.write(made)
    async with studio.person(OWNER) as hand:
        yield hand


@contextlib.asynccontextmanager
async def till_of(studio: Studio, drop: str) -> AsyncIterator[Till]:
    one = Till(studio.web.runtime.store, studio.web.runtime.settings, drop)
    try:
        yield one
    finally:
        await one.close()


async def revision(hand: Hand, drop: str) -> int:
    return int((await hand.get(f"/drops/{drop}")).json()["revision"])


async def commands(hand: Hand, drop: str, verb: str, **more: object) -> None:
    body = {"revision": await revision(hand, drop), **more}
    answer = await hand.post(f"/drops/{drop}/{verb}", body)
    assert answer.status_code == 200, answer.text


async def nothing_owed(store: Store, drop: DropId) -> None:
    async with asyncio.timeout(LONG_S):
        while await store.duties(drop):  # noqa: ASYNC110 - another task does them
            await asyncio.sleep(0.02)


async def test_a_night_of_people_and_payments_tells_none_of_them(
    studio: Studio, rosa: Hand
) -> None:
    drop = await studio.publish(rosa)
    store, settings = studio.web.runtime.store, studio.web.runtime.settings
    await commands(rosa, drop, "open", why="all is ready, says Rosa")
    async with till_of(studio, drop) as till:
        kept = [await till.paid(f"fan{n}", told=True) for n in range(3)]
        code, told = await command(
            settings, "drop", "pause", drop, "--by", AT_THE_MACHINE, "--why", "lunch"
        )
        assert code == 0, told
        shown = (await rosa.get(f"/drops/{drop}")).json()
        assert shown["paused_by"] == AT_THE_MACHINE
        late = await rosa.post(f"/drops/{drop}/pause", {"revision": shown["revision"]})
        assert (late.json()["code"], late.json()["by"]) == ("already", AT_THE_MACHINE)
        await commands(rosa, drop, "resume")
        await commands(rosa, drop, "message", text="Nearly gone.")
        refunded = await rosa.post(f"/drops/{drop}/refund", {"order": "h1", "why": "torn"})
        assert refunded.status_code == 200, refunded.text
        code, told = await command(settings, "drop", "refund", drop, "h2", "--by", AT_THE_MACHINE)
        assert code == 0, told
        # Its webhook comes again, and one that nobody signed comes too.
        again = await till.sale.succeeded("h1", kept[0].charge)
        assert isinstance(again, outcomes.Paid)
        await nothing_owed(store, DropId(drop))
        await commands(rosa, drop, "close")
    log = [line async for line in store.log(DropId(drop))]
    assert judge(log).honest
    secret = [OWNER, "rosa.lopez", "mia", "weber", "id-rosa", *(one.charge for one in kept)]
    fit_to_publish(log, *secret)
    await its_people_read_names(studio, rosa, drop, kept[2].charge)


async def its_people_read_names(studio: Studio, rosa: Hand, drop: str, charge: str) -> None:
    """In the studio, and of its orders what the provider calls the money."""
    night = (await rosa.http.get(f"/studio/drops/{drop}/night")).text
    assert f"{OWNER} told everybody" in night
    assert f"{AT_THE_MACHINE} paused the drop: lunch" in night
    orders = (await rosa.get(f"/drops/{drop}/orders")).json()["rows"]
    assert {one["charge"] for one in orders} == {"c1", "c2", "c3"}
    assert [one["provider_id"] for one in orders if one["charge"] == "c3"] == [charge]
