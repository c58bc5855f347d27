"""Whose a database is, by the same rules as at the server of the truth, on both engines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from dropengine.config import Settings
from dropengine.sql import claim, engine
from dropengine.sql.claim import Claimant, Run
from dropengine.sql.migrate import migrate
from dropengine.sql.schema.claims import RUNS

OURS, THEIRS = "5e" * 16, "07" * 16
ONE, TWO, THREE = "1" * 32, "2" * 32, "3" * 32
MS = 60_000


@pytest.fixture
def one(sql_settings: Settings) -> Iterator[Engine]:
    migrate(sql_settings)
    engine_ = engine.connect(sql_settings)
    yield engine_
    engine_.dispose()


def run(
    nonce: str,
    shop: str = OURS,
    *,
    life: str = "",
    renewals: int = 1,
    before: str = "",
    runs_most: int = 1,
) -> Run:
    return Run(shop, life, nonce, renewals, before, runs_most)


def lay(one: Engine, who: Run, over: str = "", ms: int = MS) -> str | None:
    """The shop that stands against it."""
    with engine.transaction(one, writes=True) as connection:
        found = claim.lay(connection, who, over, ms, f"http://{who.nonce[:1]}")
        return found and found.shop


def lapse(one: Engine, nonce: str) -> None:
    with engine.transaction(one, writes=True) as connection:
        connection.execute(sa.update(RUNS).where(RUNS.c.nonce == nonce).values(until_ms=1))


def claimant(one: Engine) -> Claimant | None:
    with engine.transaction(one, writes=False) as connection:
        return claim.claimant(connection)


def begin_life(one: Engine, life: str) -> None:
    def begun(connection: Connection) -> None:
        claim.begin_life(connection, OURS, life, "http://new")

    with engine.transaction(one, writes=True) as connection:
        begun(connection)


def test_a_database_that_nobody_claimed_is_claimed_and_kept(one: Engine) -> None:
    assert claimant(one) is None
    assert lay(one, run(ONE)) is None
    found = claimant(one)
    assert found is not None
    assert (found.shop, found.address, found.living) == (OURS, "http://1", 1)
    with engine.transaction(one, writes=True) as connection:
        assert claim.keep(connection, run(ONE, renewals=2), MS, "http://here")
        assert not claim.keep(connection, run(TWO), MS, "http://there")
        claim.end(connection, ONE)
    found = claimant(one)
    assert found is not None
    assert (found.shop, found.address, found.living) == (OURS, "http://here", 0)


def test_a_living_shop_is_never_taken_over(one: Engine) -> None:
    lay(one, run(ONE, THEIRS))
    assert lay(one, run(TWO), over=THEIRS) == THEIRS
    lapse(one, ONE)
    assert lay(one, run(TWO)) == THEIRS
    assert lay(one, run(TWO), over=THEIRS) is None


def test_a_second_run_waits_and_one_that_goes_on_does_not(one: Engine) -> None:
    lay(one, run(ONE, renewals=7))
    assert lay(one, run(TWO)) == OURS
    assert lay(one, run(TWO, before=f"{ONE}:{6:015}")) == OURS
    assert lay(one, run(TWO, before=f"{ONE}:{7:015}")) is None
    assert lay(one, run(THREE, runs_most=2)) is None


def test_whoever_was_there_before_a_restore_is_refused_for_good(one: Engine) -> None:
    lay(one, run(ONE))
    lapse(one, ONE)
    begin_life(one, "b2")
    assert lay(one, run(ONE, renewals=2)) == OURS
    assert lay(one, run(TWO, before=f"{ONE}:{9:015}")) == OURS
    assert lay(one, run(TWO, life="b2")) is None
    with engine.transaction(one, writes=True) as connection:
        assert not claim.keep(connection, run(ONE), MS, "http://1")
