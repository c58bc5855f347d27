"""Who of all workers does a job, and for how long.

Among the workers of one shop a lease only saves the others the work; nothing rests on it. Two may
hold one for a moment, so whatever is done under it must be harmless to repeat. A shop that lost its
claim to the server gets none.
"""

from __future__ import annotations

import os
import secrets

from dropengine.errors import Unavailable
from dropengine.truth.store import Store


class Lease:
    """This worker's wish to be the one who does `job`; renew it well before `ms` are over. It is
    called by its process, and told apart from those of other machines.

    When its holder dies, the next to ask after `ms` has it.
    """

    def __init__(self, store: Store, job: str, ms: int) -> None:
        self._store = store
        self._job = job
        self._ms = ms
        self._me = f"{os.getpid()}.{secrets.token_hex(8)}"
        self.held = False
        """What the last answer was: no answer changes nothing."""

    async def renew(self) -> None:
        """Take it, keep it, or see that another has it. Raises Unavailable."""
        self.held = await self._store.house.lease(self._job, self._me, self._ms)

    async def keep(self) -> None:
        """The same, but whoever has it goes on while the server is away: for what has to be said
        just then. Raises Unavailable to whoever never had it."""
        try:
            await self.renew()
        except Unavailable:
            if not self.held:
                raise
