"""One truth, one shop: the supervisor claims its server, and goes on claiming it while it runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from dropengine.config import Settings
from dropengine.errors import Broken, ServerTaken, Unavailable
from dropengine.processes.claim_note import ClaimNote
from dropengine.processes.claiming import LASTS_MS, Claiming
from dropengine.truth.connections import client
from dropengine.truth.house import Claim, Laid
from dropengine.truth.replies import Kept
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

RENEW_S = 2.0
ANSWER_S_MAX = 2.0


class ServerClaim(Claiming):
    """The claim of one run, from `open` to `end`. own: the server is nobody's but this directory's.

    take_over: of a shop that is gone for good.
    """

    thing = "server"
    own = "a server of its own, or a redis_prefix"

    def __init__(self, settings: Settings, *, own: bool, take_over: bool) -> None:
        self.note = ClaimNote(settings.data_dir)
        super().__init__(settings, self.note, take_over=take_over)
        self._alone = own
        self._store: Store | None = None

    def open(self) -> None:
        """Nothing is said to the server yet. Raises AlreadyRunning for a second run of the data
        directory."""
        self.note.open()

    async def lay(self, url: str, address: str) -> None:
        """Raises ServerTaken. address: where people reach the shop.

        A server that takes no writes now is claimed by `keep` as soon as it does.
        """
        settings = self._settings
        self._begin(address)
        timeout_s = min(settings.redis_timeout_ms / 1000, ANSWER_S_MAX)
        one = client(url, timeout_s=timeout_s, connections=1)
        self._store = Store(one, prefix=settings.redis_prefix)
        self._store.house.claim = Claim(self._shop, self.note.nonce)
        with contextlib.suppress(Unavailable):
            if await self._store.house.restoring():
                raise ServerTaken(
                    "A restore has begun here and not ended, so drops are missing: run it again."
                )
        await self._try_now()

    async def keep(self) -> None:
        """Renew it until cancelled. Raises ServerTaken when another sells from the server."""
        while True:
            await self._renew()
            await asyncio.sleep(RENEW_S)

    async def end(self, *, opened: bool) -> None:
        """Nobody needs to wait for it. Harmless when it was never laid.

        opened: whether people could come in. Where they could not, a server that was nobody's is
        nobody's again.
        """
        if self._store is not None:
            try:
                await self._store.house.end_claim()
                if self._held and self._fresh and not opened:
                    await self._store.house.forget_claim()
            except (Unavailable, Broken) as fault:
                log.info("The claim to the server runs out by itself: %s", fault)
            await self._store.close()
            self._store = None
        self.note.close()

    async def _is_nobodys(self) -> bool:
        assert self._store is not None, "not laid"
        if self._alone:
            await self._store.house.forget_claim()
        return not await self._store.house.claimed_by()

    async def _laid(self, over: str) -> Laid:
        assert self._store is not None, "not laid"
        note = self.note
        return await self._store.house.lay_claim(
            note.count, note.before, self._runs, over, LASTS_MS, self._address, self._life
        )

    async def _kept(self) -> bool:
        assert self._store is not None, "not laid"
        self.note.renewed()
        found = await self._store.house.keep_claim(self.note.count, LASTS_MS, self._address)
        return isinstance(found, Kept)
