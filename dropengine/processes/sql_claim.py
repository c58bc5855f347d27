"""One database, one shop: a PostgreSQL that several could reach is claimed as the server is.

Selling never waits for it. Where SQL is away it is claimed when it is back; if another works there
by then, this shop ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools

from dropengine.config import Settings
from dropengine.errors import DatabaseAway
from dropengine.processes.claim_note import ClaimNote
from dropengine.processes.claiming import LASTS_MS, Claiming
from dropengine.sql import claim
from dropengine.sql.claim import Run
from dropengine.sql.database import Database
from dropengine.truth.house import Laid
from dropengine.truth.replies import AnotherShop, Claimed, Occupied, Replaced

RENEW_S = 2.0


class SqlClaim(Claiming):
    """The claim of one run, from `lay` to `end`. A file in the data directory needs none: the
    directory is one shop's. note: of the run, open."""

    thing = "database"
    own = "a database of its own"

    def __init__(self, settings: Settings, note: ClaimNote, *, take_over: bool) -> None:
        super().__init__(settings, note, take_over=take_over)
        self._database = Database(settings) if settings.database_url is not None else None

    async def lay(self, address: str, *, there: bool = True) -> None:
        """Raises ServerTaken. address: where people reach the shop. there: does SQL answer? Where
        it does not, nobody waits for it twice, and it is claimed by `keep`."""
        if self._database is not None:
            self._begin(address)
            if there:
                await self._try_now()

    async def keep(self) -> None:
        """Renew it until cancelled. Raises ServerTaken when another works there."""
        while self._database is not None:
            await self._renew()
            await asyncio.sleep(RENEW_S)
        await asyncio.Event().wait()

    async def end(self, *, opened: bool) -> None:
        """Nobody needs to wait for it. Harmless when it was never laid. opened: see
        `ServerClaim`."""
        database, self._database = self._database, None
        if database is None:
            return
        if self._held:
            forget = self._fresh and not opened
            end = functools.partial(claim.end, nonce=self._note.nonce, forget=forget)
            with contextlib.suppress(DatabaseAway):
                await database.write(end)
        await database.close()

    @property
    def _run(self) -> Run:
        note = self._note
        return Run(self._shop, self._life, note.nonce, note.count, note.before, self._runs)

    async def _is_nobodys(self) -> bool:
        assert self._database is not None, "not laid"
        return await self._database.read(claim.claimant) is None

    async def _laid(self, over: str) -> Laid:
        assert self._database is not None, "not laid"
        lay = functools.partial(
            claim.lay, run=self._run, over=over, ms=LASTS_MS, address=self._address
        )
        there = await self._database.write(lay)
        if there is None:
            return Claimed()
        if there.shop != self._shop:
            return AnotherShop(there.shop, there.address, there.left_ms)
        if there.life != self._life:
            return Replaced(there.life, there.address)
        return Occupied(there.shop, there.address, there.left_ms)

    async def _kept(self) -> bool:
        assert self._database is not None, "not laid"
        keep = functools.partial(claim.keep, run=self._run, ms=LASTS_MS, address=self._address)
        return await self._database.write(keep)
