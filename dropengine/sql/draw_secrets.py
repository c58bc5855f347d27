"""The secret that a drop commits to: made and kept before the drop is published, the same however
often it is asked for, and revealed by its draw alone."""

from __future__ import annotations

import secrets
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from dropengine.log.draw import commitment_of, drand
from dropengine.manifest import Manifest, seal
from dropengine.manifest.defaults import MODES
from dropengine.randomness import SECRET_BYTES, Chain, CommitReveal, Source
from dropengine.sql.schema.draws import DRAW_SECRETS


def commit(sql: Connection, drop: str, now_ms: int) -> CommitReveal:
    """What the manifest of this drop says. The secret is made when it is first asked for and never
    changes; publish only when this transaction is on disk."""
    made: Any = (sqlite if sql.dialect.name == "sqlite" else postgresql).insert(DRAW_SECRETS)
    row = {"drop_id": drop, "secret": secrets.token_bytes(SECRET_BYTES), "at_ms": now_ms}
    sql.execute(made.on_conflict_do_nothing(), row)
    kept = of(sql, drop)
    assert kept is not None
    return CommitReveal(commitment_of(kept))


def named(sql: Connection, drop: Manifest, chain: Chain, now_ms: int) -> Source | None:
    """Where the chance of a drop comes from, as it is published: asked again it is the same. None
    in a rush. chain: what the shop takes rounds of."""
    if drop.mode == MODES[0]:
        return None
    if drop.beacon_round:
        return chain.named(drop.beacon_round)
    return commit(sql, drop.id, now_ms)


def fault_in_chance(drop: Manifest, chain: Chain) -> str:
    """Why no list of this drop could be ordered here by the round that it names, as a sentence, or
    ''."""
    if not drop.beacon_round:
        return ""
    if not drand.can_check():
        return f"beacon_round: {drand.NO_LIBRARY}"
    if not drand.is_key(chain.public_key):
        return f"beacon_round: the public key of {chain.beacon_id} is no point of the curve"
    fault = seal.fault_in_round(drop, chain)
    return f"beacon_round: {fault}" if fault else ""


def of(sql: Connection, drop: str) -> bytes | None:
    """The secret itself, for whoever draws a list that is sealed; None: this drop has none."""
    asked = sa.select(DRAW_SECRETS.c.secret).where(DRAW_SECRETS.c.drop_id == drop)
    found = sql.execute(asked).scalar_one_or_none()
    return None if found is None else bytes(found)
