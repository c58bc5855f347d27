"""The short way of a fan's command: past the framework, straight to the batch of its drop.

`FastPath` reads a request for whoever has one: the application, in front of the framework, or the
connection itself (`http_connection`), where there is no task and no queue either. It takes only
what is plain and knows no refusal of its own: whatever is missing, strange or not allowed goes the
long way, through the gate and the routes, which says why. All ways answer byte for byte the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import NamedTuple, cast

import msgspec
from starlette.types import Message, Receive, Scope, Send

from dropengine import wire
from dropengine.doors.fan_api import COMMAND_BYTES_MAX, COMMANDS, carried_out
from dropengine.doors.identity import Identity, by_name
from dropengine.doors.rate_limit import COUNTED, RequestRate, whence_of
from dropengine.live.hub import Hub
from dropengine.live.room import Room
from dropengine.model import DropId, FanId
from dropengine.truth.networks import Whence

BEFORE = "/api/drops/"
LENGTH_DIGITS_MAX = len(str(COMMAND_BYTES_MAX))
SHORT_WAY = "dropengine.doors.fast_path"
"""Where the lifespan's state holds the door for the connections."""
NO_KEY = ""
"""No key at all is the empty one: as a key it would be too short."""

Body = msgspec.json.Decoder[wire.FanCommand]


def _body(kind: type[wire.Command]) -> Body:
    """Reads a command of which the door knows the rest: who answers whom, and maybe the key."""
    known = [("id", wire.Correlation, 0), ("key", wire.Id, NO_KEY)]
    named = msgspec.defstruct(kind.__name__, known, bases=(kind,), frozen=True, kw_only=True)
    return cast("Body", msgspec.json.Decoder(named))


class Asked(NamedTuple):
    """A request of which only the body is not known yet."""

    room: Room
    fan: FanId
    body: Body
    key: bytes | None
    whence: Whence

    def command(self, body: bytes) -> wire.FanCommand | None:
        """The command of a whole body; None for anything that has to be explained."""
        if len(body) > COMMAND_BYTES_MAX:
            return None
        try:
            command = self.body.decode(body)
            if self.key is not None and command.key == NO_KEY:
                key = msgspec.convert(self.key.decode("latin-1"), wire.Id)
                command = msgspec.structs.replace(command, key=key)
            elif self.key is not None or command.key == NO_KEY:
                return None
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        return None if command.fault() else command


class FastPath:
    """`POST /api/drops/{drop}/{verb}` in the plain case."""

    def __init__(self, hub: Hub, identity: Identity, rate: RequestRate) -> None:
        self._hub = hub
        self._identity = identity
        self._rate = rate
        self._bodies = {verb: _body(kind) for verb, kind in COMMANDS.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> Receive | None:
        """Answer, or say how the long way receives what was received here already."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope.get("root_path"):
            return receive
        counted = COUNTED in scope
        asked = self.asked(scope["path"], scope["headers"], scope.get("client"), counted=counted)
        if asked is None:
            return receive
        scope[COUNTED] = True
        event = await receive()
        command = None if event.get("more_body") else asked.command(event.get("body", b""))
        if command is None:
            return _again(event, receive)
        answer = await carried_out(asked.room, asked.fan, command, asked.whence)
        start = {"type": "http.response.start", "status": answer.status_code}
        await send({**start, "headers": answer.raw_headers})
        await send({"type": "http.response.body", "body": answer.body})
        return None

    def asked(
        self,
        path: str,
        named: Iterable[tuple[bytes, bytes]],
        client: tuple[str, int] | None,
        *,
        counted: bool = False,
    ) -> Asked | None:
        """Who asks what of which room by this POST, when nothing about it needs a second look.

        named: the headers, names in lower case. counted: it has been taken from its network's rate
        already; else it is now, unless the answer is None.
        """
        if not path.startswith(BEFORE):
            return None
        drop, _, verb = path[len(BEFORE) :].partition("/")
        body = self._bodies.get(verb)
        room = self._hub.rooms.get(DropId(drop))
        if body is None or room is None or room.ended:
            return None
        if verb == wire.Join.verb and room.weighing is not None:
            return None
        headers = by_name(named)
        length = headers.get(b"content-length", b"")
        if (
            len(length) > LENGTH_DIGITS_MAX
            or not length.isdigit()
            or int(length) > COMMAND_BYTES_MAX
            or b"transfer-encoding" in headers
        ):
            return None
        identity = self._identity
        if not identity.names_us(headers) or identity.may_act(headers) is not None:
            return None
        ticket = identity.who(headers)
        fan = room.fan(ticket)
        if fan is None or (not counted and self._rate.too_many(client)):
            return None
        room.used_at = asyncio.get_running_loop().time()
        return Asked(room, fan, body, headers.get(b"idempotency-key"), whence_of(client, ticket))


def _again(event: Message, receive: Receive) -> Receive:
    """Give the first event once more, then what comes."""
    first = [event]

    async def again() -> Message:
        return first.pop() if first else await receive()

    return again
