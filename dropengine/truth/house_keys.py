"""The keys and channels that belong to no drop: what all workers of one shop share.

Every such name is made here. They share the hash tag `{house}`, so no script ever mixes them with
the keys of a drop, and no drop is called so.
"""

from __future__ import annotations

from dropengine.truth.keys import before


class HouseKeys:
    """prefix: of the shop, None for none."""

    def __init__(self, prefix: str | None = None) -> None:
        self._house = house = before(prefix) + "{house}"
        self.drops = f"{house}:drops"
        """zset of drop ids -> when published, ms. An index for pages, never a source of truth."""
        self.archived = f"{house}:archived"
        """The same of drops that left the server, for lists."""
        self.nudge = f"{house}:nudge"
        """Where workers hear that something of the shop's has changed. It keeps a subscription
        open that has no drop's channel yet."""
        self.tried = f"{house}:tried"
        """A hash in which the rights of the server's user are tried; empty again at once."""
        self.proof = f"{house}:proof"
        """Written to see whether anything can be: a string that runs out by itself."""
        self.claim = f"{house}:claim"
        """Whose server this is: see `lua/house/lay_claim.lua`."""

        self.revoked = f"{house}:revoked"
        """zset of names of tickets that are not good any more -> since when, ms."""
        self.looked = f"{house}:looked"
        """A hash of the drops that operators look at: until when."""
        self.desks = f"{house}:desks"
        """A hash of what workers tell each other while somebody looks: a row each."""
        self.backup = f"{house}:backup"
        """A backup is being made: a string that runs out by itself. What its truth still needs
        stays there meanwhile."""
        self.restore = f"{house}:restore"
        """A restore that has begun and not ended: a hash, `of` is the backup's digest."""

    def tickets(self, network: str) -> str:
        """Until when the new tickets of a network are used up: a string that runs out by itself.

        network: a name from which nobody can read the address.
        """
        return f"{self._house}:tickets:{network}"

    def shown(self, what: str) -> str:
        """What one worker found and all show: a hash, a row for each drop that has any."""
        return f"{self._house}:shown:{what}"

    def lease(self, job: str) -> str:
        """Who does a job for all workers: a string that runs out by itself."""
        return f"{self._house}:lease:{job}"
