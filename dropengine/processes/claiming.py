"""How a run of a shop claims what it works with, and goes on claiming it while it lives.

A claim that nobody renews runs out. Who finds a living one waits that long, once: if it was renewed
meanwhile somebody works there, and this shop does not.
"""

from __future__ import annotations

import abc
import asyncio
import logging
from typing import NoReturn

from dropengine import data_directory
from dropengine.config import Settings
from dropengine.data_directory import shop_id
from dropengine.errors import Broken, DatabaseAway, ServerTaken, Unavailable
from dropengine.processes.claim_note import ClaimNote
from dropengine.truth.house import Laid
from dropengine.truth.replies import AnotherShop, Claimed, Replaced

log = logging.getLogger(__name__)

LASTS_MS = 10_000
LATE_MS = 100
"""So much later it is looked at again: clocks count in steps."""
HOSTS_MAX = 64
"""So many hosts may be given the id of one shop."""
FAULTS = (Unavailable, Broken, DatabaseAway, OSError)


class Claiming(abc.ABC):
    """The claim of one run to one thing. take_over: of a shop that is gone for good.

    thing: what it is, in a word; own: what another shop should be given instead.
    """

    thing: str
    own: str

    def __init__(self, settings: Settings, note: ClaimNote, *, take_over: bool) -> None:
        self._settings = settings
        self._note = note
        self._take_over = take_over
        self._shop = self._life = ""
        self._runs = HOSTS_MAX if settings.shop_id is not None else 1
        self._address = ""
        self._held = False
        """Was it ours? Then who else is there works beside us, and is not waited for."""
        self._fresh = False
        """Nobody had claimed it before this run."""

    @abc.abstractmethod
    async def _is_nobodys(self) -> bool:
        """Has nobody claimed it yet?"""

    @abc.abstractmethod
    async def _laid(self, over: str) -> Laid:
        """Try once. over: the shop that is taken over, if it is gone, or ''."""

    @abc.abstractmethod
    async def _kept(self) -> bool:
        """Renew it; False: it was never laid, was lost, or ran out and another was there."""

    def _begin(self, address: str) -> None:
        """Learn who we are. address: where people reach the shop. Raises ConfigError."""
        self._shop = shop_id(self._settings)
        self._life = data_directory.life(self._settings)
        self._address = address

    async def _try_now(self) -> None:
        """Raises ServerTaken. What does not answer now is claimed by `_renew` as soon as it
        does."""
        try:
            self._fresh = await self._is_nobodys()
            await self._until_claimed()
        except FAULTS as fault:
            log.warning("The %s is not claimed yet: %s", self.thing, fault)

    async def _renew(self) -> None:
        """Make it last from now. Raises ServerTaken when another works there."""
        try:
            if not await self._kept():
                await self._until_claimed()
        except FAULTS as fault:
            log.warning("The claim to the %s is not renewed: %s", self.thing, fault)

    async def _until_claimed(self) -> None:
        waited, over = self._held, ""
        while True:
            match await self._laid(over):
                case Claimed():
                    self._held, self._take_over = True, False
                    return
                case Replaced() as found:
                    self._adopt(found)
                case AnotherShop() as found if not self._take_over or (waited and found.ms):
                    self._refuse_another(found)
                case AnotherShop() as found if not found.ms:
                    log.warning(
                        "Taking the %s over from the shop at %s.", self.thing, found.address
                    )
                    over = found.shop
                case found if waited:
                    raise ServerTaken(
                        f"This shop sells from the {self.thing} already, at {found.address or '?'},"
                        f" with another data directory than {self._settings.data_dir}: stop it "
                        f"first. Hosts of one shop are each given its id (DROPENGINE_SHOP_ID)."
                    )
                case found:
                    log.warning(
                        "The %s is claimed by the shop at %s, maybe gone.",
                        self.thing,
                        found.address,
                    )
                    await asyncio.sleep((found.ms + LATE_MS) / 1000)
                    waited = True

    def _adopt(self, found: Replaced) -> None:
        """A new host of a shop that was restored is told so here. Raises ServerTaken for whoever
        was there before the restore."""
        if self._settings.shop_id is not None and not self._note.before and not self._life:
            data_directory.begin_life(self._settings, found.life)
            self._life = data_directory.life(self._settings)
            return
        where = self._settings.data_dir
        raise ServerTaken(
            f"This shop was restored from a backup, last at {found.address or '?'}, and {where} is "
            f"not what it was restored to: it sells no more. A host of the restored shop takes a "
            f"new data_dir."
        )

    def _refuse_another(self, found: AnotherShop) -> NoReturn:
        where = found.address or "?"
        if found.ms:
            raise ServerTaken(
                f"Another shop sells from this {self.thing}, at {where}: give this one {self.own}. "
                f"--take-over is for a shop that is gone."
            )
        raise ServerTaken(
            f"This {self.thing} holds the sales of another shop, last at {where}: give this one "
            f"{self.own}. If that shop is gone for good, say --take-over once."
        )
