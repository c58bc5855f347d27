"""What belongs to no drop, as it stands at the server: the index, leases, newcomers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec

from dropengine import refusals
from dropengine.model import DropId
from dropengine.truth import replies
from dropengine.truth.audit import Once
from dropengine.truth.house_keys import HouseKeys

Ask = Callable[..., Awaitable[Any]]
"""(a word for what is asked, the words of the request) -> its reply."""


def _decoder(union: Any) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(union)


_LAID = _decoder(replies.Claimed | replies.AnotherShop | replies.Occupied)
_KEPT = _decoder(replies.Kept | replies.Lost)
_LEASE = _decoder(replies.Leased | replies.Taken | replies.NotOurs)
_PROVE = _decoder(replies.Proved)
_ADMIT = _decoder(replies.Admitted | refusals.TooManyRequests)


class Claim(NamedTuple):
    """Who claims the server: a shop, and the nonce of one of its runs. Without a supervisor nobody
    does."""

    shop: str = ""
    nonce: str = ""


class House:
    """Every method raises `Unavailable` when no reply comes.

    once, ask: how a script and how a request are sent. prefix: before all names of this shop.
    """

    def __init__(self, once: Once, ask: Ask, prefix: str | None) -> None:
        self._once = once
        self._ask = ask
        self.keys = HouseKeys(prefix)
        self.claim = Claim()
        """Under which this process asks for leases."""

    async def drops(self) -> list[DropId]:
        """Every drop of this shop, the newest first."""
        rows = await self._ask("the index", "ZREVRANGE", self.keys.drops, 0, -1)
        return [DropId(row.decode()) for row in rows]

    async def enlist(self, drop: DropId, at_ms: int) -> None:
        """Put a drop into the index. Harmless to repeat."""
        await self._ask("the index", "ZADD", self.keys.drops, "NX", at_ms, drop)

    async def lease(self, what: str, who: str, ms: int) -> bool:
        """Is `who` the one to do `what` for the next `ms`? Among the workers of one shop it only
        saves work; no other shop gets it where the server is claimed."""
        names = (self.keys.lease(what), self.keys.claim)
        reply = await self._once("lease", names, (who, ms, *self.claim))
        return isinstance(_LEASE.decode(reply), replies.Leased)

    async def lay_claim(
        self, count: int, before: str, runs: int, over: str, ms: int, address: str
    ) -> replies.Claimed | replies.AnotherShop | replies.Occupied:
        """Claim the server for this run; the arguments are those of the script."""
        args = (*self.claim, count, before, runs, over, ms, address)
        return _LAID.decode(await self._once("lay_claim", [self.keys.claim], args))  # type: ignore[no-any-return]

    async def keep_claim(self, count: int, ms: int, address: str) -> replies.Kept | replies.Lost:
        """Renew it, so that it lasts from now."""
        args = (*self.claim, count, ms, address)
        return _KEPT.decode(await self._once("keep_claim", [self.keys.claim], args))  # type: ignore[no-any-return]

    async def end_claim(self) -> None:
        """This run is over. The server stays its shop's."""
        await self._ask("the claim", "HDEL", self.keys.claim, f"run:{self.claim.nonce}")

    async def forget_claim(self) -> None:
        """Whoever claimed the server: it is known by other means whose it is."""
        await self._ask("the claim", "DEL", self.keys.claim)

    async def address(self) -> str:
        """Where people reach the shop that sells from this server; '' when it is not known."""
        found = await self._ask("the address", "HGET", self.keys.claim, "address")
        return (found or b"").decode()

    async def prove(self, who: str) -> None:
        """Write something as a press would. Raises Unavailable or Broken, by the server's refusal,
        when nothing can be begun now."""
        _PROVE.decode(await self._once("prove", [self.keys.proof], (who,)))

    async def admit(
        self, near: str, wide: str, at_once: int, each_us: int
    ) -> replies.Admitted | refusals.TooManyRequests:
        """May one newcomer more come from a network and from the one around it?"""
        names = list(map(self.keys.tickets, (near, wide)))
        return _ADMIT.decode(await self._once("admit", names, (at_once, each_us)))  # type: ignore[no-any-return]
