"""What a server says instead of running a script, as one of our faults."""

from __future__ import annotations

import redis.exceptions

from dropengine.errors import Broken, Unavailable

NEWER = "NEWERSCHEMA"
"""The word that a script ends with when the drop's layout is newer than the one it was made for."""
PASSING = (
    *("BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "MISCONF", "NOREPLICAS", "READONLY"),
    *("TRYAGAIN", "UNBLOCKED", "NOAUTH", "WRONGPASS", "ERR max number of clients"),
)
"""Refusals of a server that is there and will do it later, or after an operator's word: it has
lost nothing."""


class MemoryFull(Unavailable):
    """The server's memory is full: it takes nothing new, and what was begun may go on."""


def no_reply(what: str, error: Exception) -> Unavailable:
    """It is unknown what became of a request."""
    away = Unavailable(f"no reply to {what}: {error}")
    away.silent = isinstance(error, TimeoutError | redis.exceptions.TimeoutError)
    return away


def fault(verb: str, refusal: str) -> Exception:
    """The server's refusal of a script as a fault: passing ones are `Unavailable`, what our scripts
    say is `Broken`."""
    if refusal.startswith("OOM"):
        return MemoryFull(f"the server's memory is full: {verb} begins something")
    if refusal.startswith(PASSING):
        return Unavailable(f"the server cannot do {verb} now: {refusal}")
    return Broken(f"{verb}: {refusal}")
