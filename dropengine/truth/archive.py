"""Where drops are that left the server, as `Store` asks it: see `dropengine.sql.archive`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from dropengine.model import DropId, FanId
from dropengine.truth.copies import Copies
from dropengine.truth.house import House
from dropengine.truth.replies import Shown, ViewReply, YouReply


class Archive(Protocol):
    """Asked only of drops that left. Every method raises `Unavailable` while SQL, which has them,
    is away."""

    async def shown(self, drop: DropId) -> Shown: ...

    async def view(self, drop: DropId) -> ViewReply: ...

    async def you(self, drop: DropId, fans: Sequence[FanId]) -> YouReply: ...

    async def standing(self, drop: DropId) -> int: ...

    def texts(self, drop: DropId, after: int) -> AsyncIterator[bytes]: ...

    async def bring_back(self, house: House, copies: Copies, drop: DropId) -> None: ...
