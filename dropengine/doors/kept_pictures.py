"""The door at which everybody sees pictures that are kept in SQL, each under the hash of what is
there: no address ever shows another picture.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dropengine.doors.static_files import IMMUTABLE
from dropengine.errors import DatabaseAway
from dropengine.sql.database import Database

NAMES_MAX = 4_096
"""Names that are kept as none: strangers who ask fill no line at SQL."""
BYTES_MAX = 32 << 20
"""Of pictures that a process keeps."""
_NAME = re.compile(r"[0-9a-f]{64}")

Find = Callable[[Connection, str], bytes | None]


class KeptPictures:
    """Pictures from memory, else from SQL. place: where they stand; kind: of the files."""

    def __init__(self, database: Database, place: str, kind: str, find: Find) -> None:
        self._database = database
        self._place = place
        self._kind = kind
        self._look = find
        self._kept: OrderedDict[str, bytes | None] = OrderedDict()
        self._bytes = 0

    def routes(self) -> list[Route]:
        """One door, for everybody."""
        return [Route(self._place + "{name}", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """The name is the hash of what is there."""
        try:
            found = await self.find(request.path_params["name"])
        except DatabaseAway:
            return PlainTextResponse("away for a moment", 503, {"Retry-After": "5"})
        if found is None:
            return PlainTextResponse("no such picture", 404)
        headers = {
            "Cache-Control": IMMUTABLE,
            # Opened by itself it loads nothing and runs nothing.
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        return Response(found, media_type=self._kind, headers=headers)

    async def find(self, name: str) -> bytes | None:
        """The picture of a name. Raises DatabaseAway."""
        if _NAME.fullmatch(name) is None:
            return None
        if name in self._kept:
            self._kept.move_to_end(name)
            return self._kept[name]
        found = await self._database.read(lambda sql: self._look(sql, name))
        self._keep(name, found)
        return found

    def made(self, name: str) -> None:
        """There may be one now under a name that was none."""
        self._bytes -= len(self._kept.pop(name, None) or b"")

    def _keep(self, name: str, found: bytes | None) -> None:
        self.made(name)
        self._kept[name] = found
        self._bytes += len(found or b"")
        while self._bytes > BYTES_MAX or len(self._kept) > NAMES_MAX:
            self.made(next(iter(self._kept)))
