"""`/asyncapi.json`: what a drop's socket reads and writes, for machines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from dropengine import __version__, wire
from dropengine.doors.fan_api import COMMANDS
from dropengine.doors.openapi import REFS, Node

Kinds = Iterable[type[msgspec.Struct]]

FROM_FAN: Kinds = (wire.Hello, *COMMANDS.values(), wire.Ping)
TO_FAN: Kinds = (
    wire.Snapshot,
    wire.Tick,
    wire.You,
    wire.Done,
    wire.Refused,
    wire.Pong,
    wire.News,
)


def asyncapi() -> Node:
    """AsyncAPI 3.0 of the live channel; the events door carries the same messages one way."""
    messages, schemas = _messages([*FROM_FAN, *TO_FAN])
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Drop Engine, live", "version": __version__},
        "channels": {"live": _channel(messages)},
        "operations": {
            "fromFan": _operation("receive", FROM_FAN),
            "toFan": _operation("send", TO_FAN),
        },
        "components": {"messages": messages, "schemas": schemas},
    }


def _messages(kinds: list[type[msgspec.Struct]]) -> tuple[Node, Node]:
    """(messages by name, schemas of all that they are made of)."""
    refs, schemas = msgspec.json.schema_components(kinds, ref_template=REFS)
    messages: Node = {
        kind.__name__: {
            "name": kind.__name__.lower(),
            "contentType": "application/json",
            "payload": ref,
        }
        for kind, ref in zip(kinds, refs, strict=True)
    }
    return messages, schemas


def _channel(messages: Iterable[str]) -> Node:
    return {
        "address": "/drops/{drop}/live",
        "description": "WebSocket, subprotocol drop.v1, JSON text frames tagged by `t`.",
        "parameters": {"drop": {"description": "the drop's id"}},
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
    }


def _operation(action: str, kinds: Kinds) -> Node:
    listed: list[Any] = [{"$ref": f"#/channels/live/messages/{kind.__name__}"} for kind in kinds]
    return {"action": action, "channel": {"$ref": "#/channels/live"}, "messages": listed}
