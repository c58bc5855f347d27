"""The AsyncAPI document: what a drop's socket reads and writes."""

from __future__ import annotations

from typing import Any

import msgspec

from dropengine import __version__, wire
from dropengine.doors.fan_api import COMMANDS
from dropengine.doors.openapi import _REFS


def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3.0 of the live channel; the events door carries the same messages one way."""
    to_server: list[type[msgspec.Struct]] = [
        wire.Hello,
        *(kind for kind in COMMANDS.values()),
        wire.Ping,
    ]
    to_fan: list[type[msgspec.Struct]] = [
        wire.Snapshot,
        wire.Tick,
        wire.You,
        wire.Done,
        wire.Refused,
        wire.Pong,
        wire.News,
    ]
    refs, components = msgspec.json.schema_components([*to_server, *to_fan], ref_template=_REFS)
    names = [kind.__name__ for kind in (*to_server, *to_fan)]
    messages = {
        name: {"name": name.lower(), "contentType": "application/json", "payload": ref}
        for name, ref in zip(names, refs, strict=True)
    }

    def listed(kinds: list[Any]) -> list[dict[str, str]]:
        return [{"$ref": f"#/channels/live/messages/{kind.__name__}"} for kind in kinds]

    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Drop Engine, live", "version": __version__},
        "channels": {
            "live": {
                "address": "/drops/{drop}/live",
                "description": "WebSocket, subprotocol drop.v1, JSON text frames tagged by `t`.",
                "parameters": {"drop": {"description": "the drop's id"}},
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            }
        },
        "operations": {
            "fromFan": {
                "action": "receive",
                "channel": {"$ref": "#/channels/live"},
                "messages": listed(to_server),
            },
            "toFan": {
                "action": "send",
                "channel": {"$ref": "#/channels/live"},
                "messages": listed(to_fan),
            },
        },
        "components": {"messages": messages, "schemas": components},
    }
