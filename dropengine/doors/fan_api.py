"""The JSON doors of a drop: a fan's commands and what he reads, for those without a socket."""

from __future__ import annotations

import secrets
from typing import Any, Protocol, cast, get_args

import msgspec
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from dropengine import errors, outcomes, refusals, wire
from dropengine.doors.http_answers import Written, problem
from dropengine.doors.identity import Identity, by_name
from dropengine.doors.rate_limit import whence_of
from dropengine.live import paying
from dropengine.live.answers import as_it_stands, done_in, refused_in
from dropengine.live.batcher import Answer
from dropengine.live.hub import Hub
from dropengine.live.room import Room
from dropengine.model import FanId
from dropengine.people.tickets import Ticket
from dropengine.truth.command_rows import command_row
from dropengine.truth.listing import listing
from dropengine.truth.networks import Whence
from dropengine.truth.store import Store

COMMANDS: dict[str, type[wire.Command]] = {kind.verb: kind for kind in get_args(wire.FanCommand)}
COMMAND_BYTES_MAX = 4096
DROPS_LISTED_MAX = 100


class Verb(Convertor[str]):
    """The last part of a command's address: nothing else has that door, whatever the method."""

    regex = "|".join(COMMANDS)

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("command", Verb())


class Deps(Protocol):
    """What these doors need of the web process."""

    @property
    def store(self) -> Store: ...
    @property
    def hub(self) -> Hub: ...
    @property
    def identity(self) -> Identity: ...


class DropLine(msgspec.Struct, frozen=True):
    """One drop in the list. `opens_ms` 0: opened by hand."""

    id: str
    title: str
    state: str
    opens_ms: int


def routes(deps: Deps) -> list[Route]:
    """The hot ones first: routing is a linear scan."""
    api = Api(deps)
    return [
        Route(
            "/api/drops/{drop}/{verb:command}",
            api.command,
            methods=["POST"],
            max_body_size=COMMAND_BYTES_MAX,
        ),
        Route("/api/drops/{drop}/you", api.you, methods=["GET"]),
        Route("/api/drops/{drop}", api.drop, methods=["GET"]),
        Route("/api/drops", api.drops, methods=["GET"]),
    ]


def _json(message: msgspec.Struct, headers: dict[str, str] | None = None) -> Response:
    return Response(
        msgspec.json.encode(message),
        headers={"Cache-Control": "no-store", **(headers or {})},
        media_type="application/json",
    )


class Api:
    """One method a door."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    def _ticket(self, request: Request) -> Ticket | None:
        return self._deps.identity.who(by_name(request.scope["headers"]))

    async def _room(self, request: Request) -> Room | None:
        return await self._deps.hub.room(request.path_params["drop"])

    async def command(self, request: Request) -> Response:
        """POST /api/drops/{drop}/{verb}: one command; the body is the message without `t` and
        `id`."""
        kind = COMMANDS[request.path_params["verb"]]
        ticket = self._ticket(request)
        if ticket is None:
            return problem(None, refusals.SignIn())
        try:
            command = _command(kind, await request.body(), request.headers.get("idempotency-key"))
        except ClientDisconnect:
            return problem(None, refusals.BadMessage("the body did not come whole"))
        except ValueError as error:
            return problem(None, refusals.BadMessage(str(error)))
        try:
            room = await self._room(request)
        except errors.Unavailable as error:
            return problem(None, refusals.Away(why=error.why))
        if room is None:
            return problem(None, refusals.NotFound())
        fan = room.fan(ticket)
        if fan is None:
            return problem(None, refusals.SignIn())
        whence = whence_of(request.scope.get("client"), ticket)
        if isinstance(command, wire.Join) and room.weighing is not None:
            row = await room.weighing.row(fan, command, ticket.name)
            if isinstance(row, refusals.Away):
                return problem(None, row)
            return told(room, fan, await room.batcher.ask(row, whence))
        return await carried_out(room, fan, command, whence)

    async def you(self, request: Request) -> Response:
        """GET /api/drops/{drop}/you: the fan's whole state, read now."""
        ticket = self._ticket(request)
        if ticket is None:
            return problem(None, refusals.SignIn())
        try:
            room = await self._room(request)
            if room is None:
                return problem(None, refusals.NotFound())
            fan = room.fan(ticket)
            if fan is None:
                return problem(None, refusals.SignIn())
            return _json(await self._deps.hub.you(room, fan))
        except errors.Unavailable as error:
            return problem(None, refusals.Away(why=error.why))

    async def drop(self, request: Request) -> Response:
        """GET /api/drops/{drop}: everything public, as a `snapshot` without `you`."""
        try:
            snapshot = await self._deps.hub.snapshot(request.path_params["drop"], None)
        except errors.Unavailable as error:
            return problem(None, refusals.Away(why=error.why))
        if snapshot is None:
            return problem(None, refusals.NotFound())
        # The clock is part of the answer, so a kept one would be wrong: the tag is the state's.
        kept = "" if snapshot.drop.durable else "-weaker"
        tag = f'"{snapshot.drop.epoch[:8]}-{snapshot.seq}{kept}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if _known(request.headers.get("if-none-match", ""), tag):
            return Response(status_code=304, headers=headers)
        return _json(snapshot, headers)

    async def drops(self, _: Request) -> Response:
        """GET /api/drops: every drop, the newest first."""
        try:
            lines = []
            listed = await listing(self._deps.store, DROPS_LISTED_MAX)
            for shown in listed.shown:
                m = shown.manifest
                lines.append(DropLine(m.id, m.title, shown.state, shown.opens_ms))
        except errors.Unavailable as error:
            return problem(None, refusals.Away(why=error.why))
        return Response(
            msgspec.json.encode(lines),
            headers={"Cache-Control": "no-cache"},
            media_type="application/json",
        )


async def carried_out(room: Room, fan: FanId, command: wire.FanCommand, whence: Whence) -> Response:
    """Give a fan's command to his drop; the answer to it, done or refused. whence: where he is."""
    if isinstance(command, wire.Pay):
        answer = await paying.begin(room, fan, 0, command)
        if isinstance(answer, refusals.Refusal):
            return _refusal(room, answer)
        return Written(wire.encode(answer))
    return told(room, fan, await room.batcher.ask(command_row(fan, command), whence))


def told(room: Room, fan: FanId, outcome: Answer) -> Response:
    """What became of a fan's command: told to him here, and shown on his screens."""
    if isinstance(outcome, refusals.Refusal):
        return _refusal(room, outcome)
    if isinstance(outcome, outcomes.HoldGranted):
        hold = room.pages.text(outcome.id, outcome.hold)
        room.fan_states.note(fan, outcome, text=hold)
        return Written(wire.done(0, outcome.seq, hold))
    assert not isinstance(outcome, outcomes.Paying), "it is answered with its page"
    room.fan_states.note(fan, outcome)
    return Written(wire.encode(done_in(room, 0, outcome)))


def _known(header: str, tag: str) -> bool:
    """Does `If-None-Match` name this tag? Compared weakly (RFC 9110, 13.1.2): a proxy that packs an
    answer weakens its tag."""
    named = [one.strip().removeprefix("W/") for one in header.split(",")]
    return tag in named or named == ["*"]


def _command(kind: type[wire.Command], body: bytes, key: str | None) -> wire.FanCommand:
    """The command of a request body; the `Idempotency-Key` header is its key. Raises ValueError."""
    try:
        fields = msgspec.json.decode(body or b"{}", type=dict[str, Any])
        if key is not None and fields.get("key", key) != key:
            raise ValueError("the header Idempotency-Key is another key than - at `$.key`")
        fields.setdefault("key", secrets.token_urlsafe(12) if key is None else key)
        command = msgspec.convert({**fields, "id": 0, "t": kind.verb}, kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from None
    except RecursionError:
        raise ValueError("nested too deep") from None
    if fault := command.fault():
        raise ValueError(fault)
    return cast("wire.FanCommand", command)


def _refusal(room: Room, outcome: refusals.Refusal) -> Response:
    room.refused[outcome.code] += 1
    told = refused_in(room, 0, outcome)
    return problem(
        None,
        as_it_stands(room, outcome),
        seq=told.seq,
        free=told.free,
        held=told.held,
        room=told.room,
        state=told.state,
        network=told.network,
        most=told.most,
        when_ms=told.when_ms,
        payment=told.payment,
        page=told.page,
    )
