"""One database, one shop, by the same rules as at the server of the truth (`lua/house/lay_claim`):
each function is one transaction of whoever calls it. Times are of the database's clock.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from dropengine.sql.schema.claims import CLAIMED, RUNS

LOCK = 0x636C6169
"""PostgreSQL's lock of whoever lays a claim, within the transaction."""


class Run(NamedTuple):
    """A run that claims: its shop and which life of it, itself and how often it was renewed, the
    runs that it goes on from as `<nonce>:<renewals>`, and how many may live side by side."""

    shop: str
    life: str
    nonce: str
    renewals: int
    before: str
    runs_most: int


class Claimant(NamedTuple):
    """Whose a database is. left_ms: so long its runs live yet, but for those that the asker goes on
    from; 0: none does."""

    shop: str
    life: str
    address: str
    left_ms: int
    living: int


def claimant(connection: Connection, run: Run | None = None) -> Claimant | None:
    """Who claims it; None: nobody ever did. run: who asks."""
    row = connection.execute(sa.select(CLAIMED)).first()
    if row is None:
        return None
    now_ms = _now_ms(connection)
    left = [
        one.until_ms - now_ms
        for one in connection.execute(sa.select(RUNS))
        if one.until_ms > now_ms and not _goes_on_from(run, one.nonce, one.renewals)
    ]
    return Claimant(row.shop, row.life, row.address, max(left, default=0), len(left))


def lay(connection: Connection, run: Run, over: str, ms: int, address: str) -> Claimant | None:
    """Claim it for a run; whoever stands against that, or None. over: the shop that is taken over,
    if it is gone, or ''."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
    there = claimant(connection, run)
    if there is not None and there.shop != run.shop:
        if over != there.shop or there.left_ms:
            return there
        connection.execute(sa.delete(RUNS))
    elif there is not None and (there.life != run.life or there.living >= run.runs_most):
        return there
    now_ms = _now_ms(connection)
    for one in connection.execute(sa.select(RUNS)).all():
        if one.until_ms <= now_ms or _goes_on_from(run, one.nonce, one.renewals):
            connection.execute(sa.delete(RUNS).where(RUNS.c.nonce == one.nonce))
    _tell(connection, run.shop, run.life, address)
    values = {"nonce": run.nonce, "renewals": run.renewals, "until_ms": now_ms + ms}
    connection.execute(sa.insert(RUNS).values(values))
    return None


def keep(connection: Connection, run: Run, ms: int, address: str) -> bool:
    """Renew it, so that it lasts from now; False: it is lost, or another's."""
    kept = connection.execute(
        sa.update(RUNS)
        .where(RUNS.c.nonce == run.nonce)
        .values(renewals=run.renewals, until_ms=_now_ms(connection) + ms)
    )
    if kept.rowcount != 1:
        return False
    told = connection.execute(
        sa.update(CLAIMED)
        .where(CLAIMED.c.shop == run.shop, CLAIMED.c.life == run.life)
        .values(address=address)
    )
    return told.rowcount == 1


def end(connection: Connection, nonce: str, *, forget: bool = False) -> None:
    """A run is over. The database stays its shop's, unless that is to be forgotten."""
    connection.execute(sa.delete(RUNS).where(RUNS.c.nonce == nonce))
    if forget:
        connection.execute(sa.delete(CLAIMED))


def begin_life(connection: Connection, shop: str, life: str, address: str) -> None:
    """From now on the database is this life's of a shop, and no run's that was there before."""
    connection.execute(sa.delete(RUNS))
    _tell(connection, shop, life, address)


def _tell(connection: Connection, shop: str, life: str, address: str) -> None:
    connection.execute(sa.delete(CLAIMED))
    connection.execute(sa.insert(CLAIMED).values(shop=shop, life=life, address=address))


def _goes_on_from(run: Run | None, nonce: str, renewals: int) -> bool:
    """A copy of a living run's directory knows less of its renewals than the database."""
    if run is None:
        return False
    known = re.search(rf"{nonce}:(\d+)", run.before)
    return nonce == run.nonce or (known is not None and int(known[1]) >= renewals)


def _now_ms(connection: Connection) -> int:
    clocks = {
        "sqlite": "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
        "postgresql": "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
    }
    return int(connection.execute(sa.text(clocks[connection.dialect.name])).scalar_one())
