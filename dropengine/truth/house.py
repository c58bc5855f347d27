"""What belongs to no drop, as it stands at the server: the index, leases, newcomers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

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


_LEASE = _decoder(replies.Leased | replies.Taken)
_PROVE = _decoder(replies.Proved)
_ADMIT = _decoder(replies.Admitted | refusals.TooManyRequests)


class House:
    """Every method raises `Unavailable` when no reply comes.

    once, ask: how a script and how a request are sent. prefix: before all names of this shop.
    """

    def __init__(self, once: Once, ask: Ask, prefix: str | None) -> None:
        self._once = once
        self._ask = ask
        self.keys = HouseKeys(prefix)

    async def drops(self) -> list[DropId]:
        """Every drop of this shop, the newest first."""
        rows = await self._ask("the index", "ZREVRANGE", self.keys.drops, 0, -1)
        return [DropId(row.decode()) for row in rows]

    async def enlist(self, drop: DropId, at_ms: int) -> None:
        """Put a drop into the index. Harmless to repeat."""
        await self._ask("the index", "ZADD", self.keys.drops, "NX", at_ms, drop)

    async def lease(self, what: str, who: str, ms: int) -> bool:
        """Is `who` the one to do `what` for the next `ms`? It only saves work; nothing rests on
        it."""
        reply = await self._once("lease", [self.keys.lease(what)], (who, ms))
        return isinstance(_LEASE.decode(reply), replies.Leased)

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
