"""The keys and channels that belong to no drop: what all workers at one server share.

Every such name is made here. They share the hash tag `{house}`, so no script ever mixes them with
the keys of a drop.
"""

from __future__ import annotations

from typing import Final

DROPS: Final = "{house}:drops"
"""zset of drop ids -> when published, ms. An index for pages, never a source of truth."""

NUDGE: Final = "{house}:nudge"
"""Nothing is published here. It keeps a subscription open that has no drop's channel yet."""


TRIED: Final = "{house}:tried"
"""A hash in which the rights of the server's user are tried; empty again at once."""

PROOF: Final = "{house}:proof"
"""Written to see whether anything can be: a string that runs out by itself."""


def tickets(network: str) -> str:
    """Until when the new tickets of a network are used up: a string that runs out by itself.

    network: a name from which nobody can read the address.
    """
    return f"{{house}}:tickets:{network}"


def lease(job: str) -> str:
    """Who does a job for all workers: a string that runs out by itself."""
    return f"{{house}}:lease:{job}"
