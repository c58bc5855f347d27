"""What orders a list is told once it may be known, by whoever is asked, and only if it is right."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from dropengine.errors import DrawFault
from dropengine.jobs.beacon_rounds import ANSWER_BYTES_MAX, BeaconRounds
from dropengine.jobs.revealing import Revealing
from dropengine.log.draw import commitment_of
from dropengine.model import DropId
from dropengine.randomness import LATE_MS, BeaconRound, CommitReveal
from dropengine.sql import draw_secrets
from dropengine.sql.database import Database
from tests.kit.own_beacon import BeaconServer, OwnBeacon
from tests.kit.webhook_receiver import Clock, serving

PIN = DropId("pin")
ROUND = 30_000_000
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
def told_by() -> BeaconServer:
    return BeaconServer(OwnBeacon(), ROUND)


@pytest.fixture
def clock(told_by: BeaconServer) -> Clock:
    return Clock(told_by.beacon.chain.due_ms(ROUND))


@asynccontextmanager
async def revealing(
    database: Database, told_by: BeaconServer, clock: Clock, urls: Sequence[str]
) -> AsyncIterator[Revealing]:
    rounds = BeaconRounds(urls)
    yield Revealing(database, rounds, clock)
    await rounds.close()


async def test_the_secret_that_a_drop_committed_to_is_revealed(
    database: Database, told_by: BeaconServer, clock: Clock
) -> None:
    source = await database.write(lambda sql: draw_secrets.commit(sql, PIN, clock()))
    async with revealing(database, told_by, clock, []) as one:
        revealed = await one.revealed(PIN, source, clock())
        assert revealed is not None
        assert commitment_of(revealed) == source.commitment
        assert await one.revealed(PIN, source, clock()) == revealed
        with pytest.raises(DrawFault, match="that lamp committed to is not here any more"):
            await one.revealed(DropId("lamp"), CommitReveal("00" * 32), clock())


async def test_a_round_is_asked_for_when_it_is_due_and_not_before(
    database: Database, told_by: BeaconServer, clock: Clock
) -> None:
    source, sealed_ms = told_by.beacon.named(ROUND), clock() - LATE_MS
    clock.pass_ms(-1)
    async with serving(told_by.app) as url, revealing(database, told_by, clock, [url]) as one:
        assert await one.revealed(PIN, source, sealed_ms) is None
        assert told_by.asked == []
        clock.pass_ms(1)
        assert await one.revealed(PIN, source, sealed_ms) == told_by.beacon.signature(ROUND)
        assert told_by.asked == [ROUND]


async def test_a_list_that_was_sealed_late_waits_for_its_later_round(
    database: Database, told_by: BeaconServer, clock: Clock
) -> None:
    source, sealed_ms = told_by.beacon.named(ROUND), clock()
    async with serving(told_by.app) as url, revealing(database, told_by, clock, [url]) as one:
        assert await one.revealed(PIN, source, sealed_ms) is None
        clock.pass_ms(LATE_MS)
        assert await one.revealed(PIN, source, sealed_ms) is None
        told_by.newest = ROUND + 10
        assert await one.revealed(PIN, source, sealed_ms) == told_by.beacon.signature(ROUND + 10)


@pytest.mark.parametrize(
    "lie",
    [
        b'{"round": 30000000, "signature": "%s"}' % (b"00" * 48),
        b'{"round": 30000000, "signature": "not hex"}',
        b'{"round": 29999999, "signature": "00"}',
        b'{"round": 30000000}',
        b"<html>",
        b" " * (ANSWER_BYTES_MAX + 1),
    ],
)
async def test_a_server_that_tells_something_else_is_passed_over(
    database: Database, told_by: BeaconServer, clock: Clock, lie: bytes
) -> None:
    honest = BeaconServer(told_by.beacon, ROUND)
    told_by.says[ROUND] = lie
    async with (
        serving(told_by.app) as lying,
        serving(honest.app) as url,
        revealing(database, told_by, clock, [NOWHERE, lying]) as fooled,
        revealing(database, told_by, clock, [NOWHERE, lying, url]) as one,
    ):
        source, sealed_ms = told_by.beacon.named(ROUND), clock() - LATE_MS
        assert await fooled.revealed(PIN, source, sealed_ms) is None
        assert await one.revealed(PIN, source, sealed_ms) == told_by.beacon.signature(ROUND)


async def test_a_chain_that_is_not_known_is_refused(
    database: Database, told_by: BeaconServer, clock: Clock
) -> None:
    async with revealing(database, told_by, clock, []) as one:
        with pytest.raises(DrawFault, match="is not known here"):
            await one.revealed(PIN, BeaconRound(told_by.beacon.chain.hash, ROUND), clock())
