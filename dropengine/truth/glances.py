"""What a panel shows of a drop beside its view, read as it is kept and settled by nobody."""

from __future__ import annotations

import msgspec

from dropengine.model import DropId
from dropengine.truth import keys, replies
from dropengine.truth.audit import Once
from dropengine.truth.outbox import Ask

_AHEAD = msgspec.msgpack.Decoder(replies.Ahead)


class Glances:
    """Every method raises `Unavailable` when no reply comes.

    once, ask: how a script and how a request are sent. prefix: before all names of the shop.
    """

    def __init__(self, once: Once, ask: Ask, prefix: str | None) -> None:
        self._once = once
        self._ask = ask
        self._prefix = prefix

    async def ahead(self, drop: DropId, most: int) -> replies.Ahead:
        """Whom the lines call next and what ends soon, as it is kept: by the drop's own time."""
        names = [
            self._key(drop, one) for one in ("drop", "pools", "due", "ready", "holds", "entries")
        ]
        return _AHEAD.decode(await self._once("ahead", names, (most,)))

    def _key(self, drop: DropId, name: str) -> str:
        return keys.one(drop, name, self._prefix)
