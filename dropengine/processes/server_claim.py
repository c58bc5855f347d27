"""One truth, one shop: the supervisor claims its server, and goes on claiming it while it runs.

A claim that nobody renews runs out. Who finds a living one waits that long, once: if it was renewed
meanwhile somebody sells there, and this shop does not.
"""

from __future__ import annotations

import asyncio
import logging
from typing import NoReturn

from dropengine.config import Settings
from dropengine.data_directory import shop_id
from dropengine.errors import Broken, ServerTaken, Unavailable
from dropengine.processes.claim_note import ClaimNote
from dropengine.truth.connections import client
from dropengine.truth.house import Claim
from dropengine.truth.replies import AnotherShop, Claimed, Lost, Occupied
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

LASTS_MS = 10_000
RENEW_S = 2.0
ANSWER_S_MAX = 2.0
LATE_MS = 100
"""So much later it is looked at again: clocks count in steps."""
HOSTS_MAX = 64
"""So many hosts may be given the id of one shop."""


class ServerClaim:
    """The claim of one run, from `lay` to `end`. own: the server is nobody's but this directory's.

    take_over: of a shop that is gone for good.
    """

    def __init__(self, settings: Settings, *, own: bool, take_over: bool) -> None:
        self._settings = settings
        self._own = own
        self._take_over = take_over
        self._note = ClaimNote(settings.data_dir)
        self._runs = HOSTS_MAX if settings.shop_id is not None else 1
        self._address = ""
        self._held = False
        """Was it ours? Then who else is there sells beside us, and is not waited for."""
        self._store: Store | None = None

    async def lay(self, url: str) -> None:
        """Raises ServerTaken, or AlreadyRunning for a second run of the data directory.

        A server that takes no writes now is claimed by `keep` as soon as it does.
        """
        settings = self._settings
        shop = shop_id(settings)
        self._note.open()
        timeout_s = min(settings.redis_timeout_ms / 1000, ANSWER_S_MAX)
        one = client(url, timeout_s=timeout_s, connections=1)
        self._store = Store(one, prefix=settings.redis_prefix)
        self._store.house.claim = Claim(shop, self._note.nonce)
        try:
            if self._own:
                await self._store.house.forget_claim()
            await self._until_claimed()
        except (Unavailable, Broken) as fault:
            log.warning("The server is not claimed yet: %s", fault)

    async def keep(self, address: str) -> None:
        """Renew it until cancelled. Raises ServerTaken when another sells from the server.

        address: where people reach the shop.
        """
        self._address = address
        assert self._store is not None, "not laid"
        while True:
            try:
                self._note.renewed()
                kept = await self._store.house.keep_claim(self._note.count, LASTS_MS, address)
                if isinstance(kept, Lost):
                    # It was never laid, the server lost it, or it ran out and another was there.
                    await self._until_claimed()
            except (Unavailable, Broken, OSError) as fault:
                log.warning("The claim to the server is not renewed: %s", fault)
            await asyncio.sleep(RENEW_S)

    async def end(self) -> None:
        """Nobody needs to wait for it. Harmless when it was never laid."""
        if self._store is not None:
            try:
                await self._store.house.end_claim()
            except (Unavailable, Broken) as fault:
                log.info("The claim to the server runs out by itself: %s", fault)
            await self._store.close()
            self._store = None
        self._note.close()

    async def _until_claimed(self) -> None:
        waited, over = self._held, ""
        while True:
            match await self._laid(over):
                case Claimed():
                    self._held, self._take_over = True, False
                    return
                case AnotherShop() as found if not self._take_over or (waited and found.ms):
                    self._refuse_another(found)
                case AnotherShop() as found if not found.ms:
                    log.warning("Taking the server over from the shop at %s.", found.address)
                    over = found.shop
                case Occupied() as found if waited:
                    raise ServerTaken(
                        f"This shop sells from the server already, at {found.address or '?'}, with "
                        f"another data directory than {self._settings.data_dir}: stop it first. "
                        f"Hosts of one shop are each given its id (DROPENGINE_SHOP_ID)."
                    )
                case found:
                    log.warning(
                        "The server is claimed by the shop at %s, maybe gone.", found.address
                    )
                    await asyncio.sleep((found.ms + LATE_MS) / 1000)
                    waited = True

    async def _laid(self, over: str) -> Claimed | AnotherShop | Occupied:
        assert self._store is not None, "not laid"
        note = self._note
        return await self._store.house.lay_claim(
            note.count, note.before, self._runs, over, LASTS_MS, self._address
        )

    def _refuse_another(self, found: AnotherShop) -> NoReturn:
        where = found.address or "?"
        if found.ms:
            raise ServerTaken(
                f"Another shop sells from this server, at {where}: give this one a server of its "
                f"own, or a redis_prefix. --take-over is for a shop that is gone."
            )
        raise ServerTaken(
            f"This server holds the sales of another shop, last at {where}: give this one a server "
            f"of its own, or a redis_prefix. If that shop is gone for good, say --take-over once."
        )
