"""`/asyncapi.json`: what the sockets of fans and of operators read and write, for machines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from dropengine import __version__, studio_wire, wire
from dropengine.doors.fan_api import COMMANDS
from dropengine.doors.openapi import REFS, Node

Kinds = Iterable[type[msgspec.Struct]]

FROM_FAN: Kinds = (wire.Hello, *COMMANDS.values(), wire.Ping)
TO_FAN: Kinds = (
    wire.Snapshot,
    wire.Tick,
    wire.Beat,
    wire.You,
    wire.Done,
    wire.Refused,
    wire.Pong,
    wire.News,
)
FROM_OPERATOR: Kinds = (wire.Hello, wire.Ping)
TO_OPERATOR: Kinds = (
    wire.Snapshot,
    wire.Tick,
    wire.Beat,
    wire.Refused,
    wire.Pong,
    wire.News,
    studio_wire.Desk,
)


def asyncapi() -> Node:
    """AsyncAPI 3.0 of the live channels; the events door carries fans' messages one way."""
    messages, schemas = _messages([*FROM_FAN, *TO_FAN, studio_wire.Desk])
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Drop Engine, live", "version": __version__},
        "channels": {
            "live": _channel("/drops/{drop}/live", "drop.v1", [*FROM_FAN, *TO_FAN]),
            "studio": _channel(
                "/studio/drops/{drop}/live", "studio.v1", [*FROM_OPERATOR, *TO_OPERATOR]
            ),
        },
        "operations": {
            "fromFan": _operation("receive", "live", FROM_FAN),
            "toFan": _operation("send", "live", TO_FAN),
            "fromOperator": _operation("receive", "studio", FROM_OPERATOR),
            "toOperator": _operation("send", "studio", TO_OPERATOR),
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


def _channel(address: str, subprotocol: str, kinds: Kinds) -> Node:
    names = [kind.__name__ for kind in kinds]
    return {
        "address": address,
        "description": f"WebSocket, subprotocol {subprotocol}, JSON text frames tagged by `t`.",
        "parameters": {"drop": {"description": "the drop's id"}},
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
    }


def _operation(action: str, channel: str, kinds: Kinds) -> Node:
    here = f"#/channels/{channel}"
    listed: list[Any] = [{"$ref": f"{here}/messages/{kind.__name__}"} for kind in kinds]
    return {"action": action, "channel": {"$ref": here}, "messages": listed}
