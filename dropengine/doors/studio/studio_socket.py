"""`GET /studio/drops/{drop}/live`: the public messages of a drop, and the operators' numbers, for a
session or an API key.

The socket is seated, limited and ended as every other. Who sits here watches: commands go by HTTP.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import cast

from sqlalchemy import Connection
from starlette.types import Receive, Scope, Send

from dropengine import refusals
from dropengine.doors.access import STUDIO_SOCKET, TABLE
from dropengine.doors.http_answers import STATUS, deny_socket
from dropengine.doors.identity import Identity, by_name
from dropengine.doors.live_socket import LiveDoor
from dropengine.doors.rate_limit import SocketLimit
from dropengine.doors.studio.desks import Desks
from dropengine.doors.studio.entering import Entered, enter, identify
from dropengine.doors.studio.studio_cookies import StudioCookies
from dropengine.errors import DatabaseAway
from dropengine.live.desk import Looker
from dropengine.live.hub import Hub
from dropengine.live.room import Room
from dropengine.live.seat import Conn
from dropengine.live.socket_protocol import LiveProtocol
from dropengine.live.talk import Talker
from dropengine.sql.database import Database

SUBPROTOCOL = "studio.v1"
ROW = TABLE["GET", STUDIO_SOCKET]
ENTERED = "dropengine.entered"
"""Where the door keeps who was let in, beside the parts of the address."""

Enters = Callable[[], Awaitable[Entered | refusals.Refusal]]


class StudioSocket(LiveDoor):
    """Checks who comes by the row of the table, seats him as a watcher, and lets him look."""

    subprotocol = SUBPROTOCOL

    def __init__(
        self,
        hub: Hub,
        identity: Identity,
        limit: SocketLimit,
        database: Database,
        cookies: StudioCookies,
        desks: Desks,
    ) -> None:
        super().__init__(hub, identity, limit)
        self._database = database
        self._cookies = cookies
        self._desks = desks

    async def _seat(
        self, scope: Scope, receive: Receive, send: Send, conn: LiveProtocol | None
    ) -> None:
        enters = self._asks(scope)
        try:
            found = await enters()
        except DatabaseAway:
            await deny_socket(send, STATUS[refusals.Away], "accounts cannot be read now", 2)
            return
        if isinstance(found, refusals.Refusal):
            await deny_socket(send, STATUS[type(found)], found.sentence)
            return
        scope[ENTERED] = (found.caller.by, enters)
        await super()._seat(scope, receive, send, conn)

    def _talker(self, room: Room, conn: Conn, scope: Scope) -> Talker:
        by, enters = scope[ENTERED]

        async def still() -> bool:
            return isinstance(await enters(), Entered)

        talker = Talker(room, conn, lambda _: None, None)
        self._desks.look(room, Looker(talker.seat, by, still))
        return talker

    def _asks(self, scope: Scope) -> Enters:
        """Asks, now and later, whether whoever sent this may look."""
        headers = by_name(scope["headers"])
        bearer = self._identity.bearer(headers)
        brought = self._cookies.read(self._identity.cookies(headers), self._cookies.session)
        named = cast("dict[str, str]", scope["path_params"])

        def asked(sql: Connection) -> Entered | refusals.Refusal:
            return enter(sql, ROW, named, identify(sql, bearer, brought, int(time.time() * 1000)))

        return lambda: self._database.read(asked)
