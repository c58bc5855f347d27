"""The order of a lobby and of a draw: from a sealed list and randomness that nobody knew at the
seal to one list, in integers and SHA-256 alone.

Pure: no clock, no network, no chance of its own. `docs/fairness.md` says all of it byte by byte, so
that a stranger gets the same list, and which events of the log tell it. In short::

    sealed = Sealed([Entry("e1", tickets=1, nonce=b"..."), ...])   # fixed; sealed.root is published
    chance = chance_of(source, sealed.root, revealed, sealed_ms=at)  # proven, or raises DrawFault
    ids = order(sealed, chance)                                    # ids[0] gets arrival 1
    proof = sealed.proof(7)                                        # that entry stands in the list
    is_included(sealed.entries[7], 7, len(sealed), proof, sealed.root)

All of it is quick enough for a thread of a worker: 100,000 entries take some 0.3 s.
"""

from __future__ import annotations

from dropengine.log.draw.chance import chance_of, commitment_of
from dropengine.log.draw.ordering import order
from dropengine.log.draw.sealed import Entry, Sealed, is_included
from dropengine.log.draw.tickets import tickets_of

__all__ = [
    "Entry",
    "Sealed",
    "chance_of",
    "commitment_of",
    "is_included",
    "order",
    "tickets_of",
]
