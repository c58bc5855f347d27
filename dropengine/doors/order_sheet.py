"""The whole list of a drop that chance ordered, in one file: whoever likes computes its order anew.

It tells what the log tells of the list (`docs/fairness.md`), and never changes again: it is read
once a process and kept for a while.
"""

from __future__ import annotations

import asyncio
import gzip
from collections import OrderedDict
from typing import Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dropengine.doors.page_writer import PACK_LEVEL, PageWriter, names_drop
from dropengine.errors import Unavailable
from dropengine.log.draw.sheet import Sheet, SheetEntry
from dropengine.model import DropId, DropState
from dropengine.truth.replies import Sealed
from dropengine.truth.store import Store

KEPT_MAX = 4
"""Lists: of 100,000 entries one has some 4 MB, packed."""
NOT_YET = (DropState.SCHEDULED, DropState.LOBBY, DropState.ORDERING)


class Deps(Protocol):
    """What this door needs of the web process."""

    @property
    def store(self) -> Store: ...


def routes(deps: Deps, writer: PageWriter) -> list[Route]:
    """The sheet of a drop's draw."""
    return [Route("/drops/{drop}/order.json", OrderSheet(deps, writer).show, methods=["GET"])]


class OrderSheet:
    """One for a process."""

    def __init__(self, deps: Deps, writer: PageWriter) -> None:
        self._deps = deps
        self._writer = writer
        self._kept: OrderedDict[DropId, bytes] = OrderedDict()
        self._reading: dict[DropId, asyncio.Task[bytes | None]] = {}

    async def show(self, request: Request) -> Response:
        """GET /drops/{drop}/order.json: once the list stands in its order."""
        drop = DropId(request.path_params["drop"])
        try:
            packed = await self._of(drop) if names_drop(drop) else None
        except Unavailable as error:
            return self._writer.away(request, error)
        if packed is None:
            return self._writer.missing(request, "no_list")
        headers = {
            "Cache-Control": "public, max-age=3600",
            "Content-Disposition": f'inline; filename="{drop}-order.json"',
            "Vary": "Accept-Encoding",
        }
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
        else:
            packed = await asyncio.to_thread(gzip.decompress, packed)
        return Response(packed, headers=headers, media_type="application/json")

    async def _of(self, drop: DropId) -> bytes | None:
        """Packed; None: there is none, or not yet. However many ask, it is read once."""
        kept = self._kept.get(drop)
        if kept is not None:
            self._kept.move_to_end(drop)
            return kept
        task = self._reading.get(drop)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._read(drop))
            self._reading[drop] = task
            task.add_done_callback(lambda _: self._reading.pop(drop, None))
        return await asyncio.shield(task)

    async def _read(self, drop: DropId) -> bytes | None:
        parts: list[Sealed] = []
        number = 1
        while number:
            part = await self._deps.store.sealed(drop, number)
            if not isinstance(part, Sealed) or part.state in NOT_YET or not part.revealed:
                return None
            parts.append(part)
            number = part.next
        packed = await asyncio.to_thread(_packed, parts)
        self._kept[drop] = packed
        while len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)
        return packed


def _packed(parts: list[Sealed]) -> bytes:
    head, rows = parts[0], [row for part in parts for row in part.rows]
    sheet = Sheet(
        randomness=head.randomness,
        entries=[SheetEntry(name, entry.tickets, entry.nonce) for name, entry in rows],
        sealed_ms=head.sealed_ms,
        root=head.root,
        revealed=head.revealed,
        order=[name for name, _ in sorted(rows, key=lambda row: row[1].n)],
    )
    return gzip.compress(msgspec.json.encode(sheet), PACK_LEVEL, mtime=0)
