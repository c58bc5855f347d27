"""`/openapi.json` and `/asyncapi.json`, made from the types that the doors read and write."""

from __future__ import annotations

from typing import Any

import msgspec

from dropengine import __version__, wire
from dropengine.doors.fan_api import COMMANDS, DropLine
from dropengine.doors.problem import Problem

_REFS = "#/components/schemas/{name}"


def _body(kind: type[wire.Command]) -> dict[str, Any]:
    """The schema of a command's HTTP body: the message without `t` and `id`; `key` may be a
    header."""
    _, components = msgspec.json.schema_components([kind], ref_template=_REFS)
    schema: dict[str, Any] = dict(components[kind.__name__])
    schema["properties"] = {
        name: value for name, value in schema["properties"].items() if name not in ("t", "id")
    }
    schema["required"] = [n for n in schema.get("required", []) if n not in ("t", "id", "key")]
    return schema


def openapi() -> dict[str, Any]:
    """OpenAPI 3.1 of the JSON doors."""
    types = [wire.Snapshot, wire.You, wire.Done, Problem, DropLine]
    refs, components = msgspec.json.schema_components(types, ref_template=_REFS)
    snapshot, you, done, problem, line = refs
    drop = {"name": "drop", "in": "path", "required": True, "schema": {"type": "string"}}
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "schema": {"type": "string", "maxLength": 64},
        "description": "The same key with the same body is answered as the first time.",
    }

    def answers(schema: dict[str, Any], *, mine: bool) -> dict[str, Any]:
        refusal = {
            "description": "Refused; `code` is one of the closed list.",
            "content": {"application/problem+json": {"schema": problem}},
        }
        good = {"description": "ok", "content": {"application/json": {"schema": schema}}}
        codes = ("400", "401", "403", "404", "409", "429", "503") if mine else ("404", "429", "503")
        return {"200": good, **dict.fromkeys(codes, refusal)}

    paths: dict[str, Any] = {
        "/api/drops": {
            "get": {
                "summary": "Every drop, the newest first",
                "responses": answers({"type": "array", "items": line}, mine=False),
            }
        },
        "/api/drops/{drop}": {
            "get": {
                "summary": "Everything public about a drop",
                "parameters": [drop],
                "responses": answers(snapshot, mine=False),
            }
        },
        "/api/drops/{drop}/you": {
            "get": {
                "summary": "The fan's whole state",
                "parameters": [drop],
                "security": [{"ticket": []}, {"cookie": []}],
                "responses": answers(you, mine=True),
            }
        },
    }
    for verb, kind in COMMANDS.items():
        paths[f"/api/drops/{{drop}}/{verb}"] = {
            "post": {
                "summary": (kind.__doc__ or verb).split("\n")[0],
                "parameters": [drop, key],
                "security": [{"ticket": []}, {"cookie": []}],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": _body(kind)}},
                },
                "responses": answers(done, mine=True),
            }
        }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Drop Engine", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "ticket": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "fan"},
            },
        },
    }
