"""The tables of a shop, a file a subject; a change of them is a revision in `migrations/`."""

from __future__ import annotations

from dropengine.sql.schema import (
    answers,
    archive,
    by_hand,
    charges,
    claims,
    cohorts,
    draws,
    fees,
    game,
    interests,
    ledger,
    mails,
    orders,
    people,
    persons,
    pushes,
    rehearsals,
    stripe,
)
from dropengine.sql.schema.metadata import METADATA

REVISION = "0027"
"""The newest of `migrations/versions`: what this version of the shop works with."""

__all__ = [
    "METADATA",
    "REVISION",
    "answers",
    "archive",
    "by_hand",
    "charges",
    "claims",
    "cohorts",
    "draws",
    "fees",
    "game",
    "interests",
    "ledger",
    "mails",
    "orders",
    "people",
    "persons",
    "pushes",
    "rehearsals",
    "stripe",
]
