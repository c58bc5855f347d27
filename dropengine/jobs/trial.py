"""Could a hold be granted and written down now? Tried by this worker once a second.

Whoever wants to know is told the last result and how old it is: a door that asked the server itself
would hang with it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Final

from hiredis import ReplyError
from msgspec import Struct
from redis.exceptions import BusyLoadingError

from dropengine.config import Settings
from dropengine.errors import Broken, ServerWeaker, Unavailable
from dropengine.jobs.disk_watch import DiskWatch
from dropengine.jobs.server_watch import ServerWatch
from dropengine.truth.server_check import check_rights
from dropengine.truth.store import Store

EVERY_S: Final = 1.0
OLD_S: Final = 5.0
"""A result that is older says nothing about now."""

RIGHTS_S: Final = 3.0
"""So often it is tried what the server's user may do, which somebody may have changed."""

AWAY: Final = "away"
REFUSALS: Final = {
    "OOM": ("memory", "the server's memory is full"),
    "READONLY": ("replica", "the server is a replica, which cannot be written"),
    "NOREPLICAS": ("replicas", "the server has fewer replicas than it must have"),
    "MISCONF": ("disk", "the server cannot write to its disk"),
    "LOADING": ("loading", "the server is still reading its log"),
    "BUSY": ("busy", "the server runs a script that does not end"),
    "MASTERDOWN": ("replica", "the server is a replica that lost its primary"),
    "CLUSTERDOWN": ("cluster", "the server's cluster is down"),
    "NOAUTH": ("permission", "the server wants a password"),
    "WRONGPASS": ("permission", "the server refuses the password"),
    "NOPERM": ("permission", "the server's user may not do what a sale needs"),
    "ERR The user executing": ("permission", "the server's user may not do what a sale needs"),
}
"""How the server's refusal begins -> our word for it, and a sentence."""


class Verdict(Struct, frozen=True):
    """`server`: ok, or one word for what keeps it from selling; `why`: a sentence, '' where it can
    sell. `age_s`: of the last trial."""

    server: str
    why: str
    age_s: float


class Trial:
    """The last trial of this worker, and what its watch over the server knows.

    clock: monotonic, s.
    """

    name = "the trial"
    every_s = EVERY_S

    def __init__(
        self,
        store: Store,
        settings: Settings,
        watch: ServerWatch,
        disk: DiskWatch,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._accepted = settings.accept_weaker
        self._watch = watch
        self._disk = disk
        self._clock = clock
        self._me = f"{os.getpid()}"
        self._began_at = clock()
        self._tried_at: float | None = None
        self._rights_at = -RIGHTS_S
        self._result = ("", "")

    async def round(self) -> None:
        """One trial. Raises nothing: what is found is the result."""
        try:
            await self._store.house.prove(self._me)
            if self._clock() - self._rights_at >= RIGHTS_S:
                await check_rights(self._store.client, self._store.prefix)
                self._rights_at = self._clock()
            result = ("", "")
        except (Unavailable, Broken, ServerWeaker) as error:
            result = _refusal(error)
        self._tried_at, self._result = self._clock(), result

    def verdict(self) -> Verdict:
        """Whether a sale can go on now, as far as is known."""
        since = self._began_at if self._tried_at is None else self._tried_at
        age_s = self._clock() - since
        word, why = self._result
        if self._tried_at is None:
            word, why = AWAY, "the server was not tried yet"
        elif age_s > OLD_S:
            word, why = AWAY, f"the server was last tried {age_s:.0f} s ago"
        elif not word:
            word, why = self._stopped()
        return Verdict(word or "ok", why, round(age_s, 3))

    def _stopped(self) -> tuple[str, str]:
        """What keeps us from selling though the server would write."""
        facts = self._watch.facts
        if self._store.house.anothers:
            return "taken", "another shop sells from the server"
        if self._store.nearly_full:
            return "memory", "the server's memory is nearly full: only what was begun goes on"
        if facts is not None and (facts.evicts or not (facts.durable or self._accepted)):
            return "weaker", f"{facts.promise}: sales are paused"
        if self._disk.full:
            return "disk", "the disk is nearly full: sales are paused"
        return "", ""


def refusal(said: str) -> tuple[str, str]:
    """What a server refuses to write for. said: its own words."""
    for beginning, named in REFUSALS.items():
        if said.startswith(beginning):
            return named
    return "refused", "the server refuses what a sale needs"


def _refusal(error: Exception) -> tuple[str, str]:
    if isinstance(error.__cause__, ReplyError):
        return refusal(str(error.__cause__))
    if isinstance(error.__cause__, BusyLoadingError):
        # Said already where the connection was made.
        return REFUSALS["LOADING"]
    if isinstance(error, ServerWeaker):
        return "permission", "the server's user may not do what a sale needs"
    return AWAY, "the server does not answer"
