"""`/openapi.json`: the JSON doors for machines, made from the types that they read and write."""

from __future__ import annotations

from typing import Any

import msgspec

from dropengine import __version__, wire, wire_game
from dropengine.doors import early_doors
from dropengine.doors.fan_api import COMMANDS, DropLine
from dropengine.doors.http_answers import Problem
from dropengine.doors.push_doors import CALLS, Asked, Calls, Ending
from dropengine.doors.reasons import Answer
from dropengine.doors.studio import studio_openapi
from dropengine.model import ID_CHARS_MAX

REFS = "#/components/schemas/{name}"
"""Where both documents keep the schema of a type."""

Node = dict[str, Any]

DROP: Node = {"name": "drop", "in": "path", "required": True, "schema": {"type": "string"}}
KEY: Node = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "maxLength": ID_CHARS_MAX},
    "description": "The same key with the same body is answered as the first time.",
}
SIGNED_IN: list[Node] = [{"ticket": []}, {"cookie": []}]
SECURITY: Node = {
    "ticket": {"type": "http", "scheme": "bearer"},
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "fan",
        "description": "The shop's own pages keep it under `fan-` and eight digits of its id.",
    },
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key of a maker, `dropkey_<scope>_...`.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "maker",
        "description": "Kept under `maker-` and eight digits of the shop's id, over https with "
        "`__Host-` before it. Requests that change something come from a page of ours.",
    },
}
OF_GAME = (wire_game.Came, wire_game.Said, wire_game.OnBoard, wire_game.Game)
OF_EARLY = (early_doors.Code, early_doors.Cohorts)
REFUSED = ("404", "429", "503")
REFUSED_TO_A_FAN = ("400", "401", "403", "404", "409", "429", "503")


def openapi() -> Node:
    """OpenAPI 3.1 of the JSON doors."""
    types = [wire.Snapshot, wire.You, wire.Done, Problem, DropLine, Calls, Asked, Ending, Answer]
    # What a basket holds is named by its body, and so is here too.
    wanted = [*types, *OF_EARLY, *OF_GAME, wire.Want]
    refs, components = msgspec.json.schema_components(wanted, ref_template=REFS)
    snapshot, you, done, problem, line, calls, asked, ending, reason, code, enrolled = refs[:11]
    came, said, name, game = refs[11:15]
    paths = {
        "/api/drops": _get(
            "Every drop, the newest first",
            responses=_answers({"type": "array", "items": line}, problem, REFUSED),
        ),
        "/api/drops/{drop}": _get(
            "Everything public about a drop",
            parameters=[DROP],
            responses=_answers(snapshot, problem, REFUSED),
        ),
        "/api/drops/{drop}/you": _get(
            "The fan's whole state",
            parameters=[DROP],
            security=SIGNED_IN,
            responses=_answers(you, problem, REFUSED_TO_A_FAN),
        ),
        "/api/drops/{drop}/early": {
            "post": {
                "summary": "Which cohorts the person is in, now also by a code",
                "parameters": [DROP],
                "security": SIGNED_IN,
                "requestBody": _json_body(code),
                "responses": _answers(enrolled, problem, REFUSED_TO_A_FAN),
            }
        },
        **_of_game(came, said, name, game, problem),
        "/api/drops/{drop}/why": _get(
            "Why the fan got none, from the log",
            parameters=[DROP],
            security=SIGNED_IN,
            responses=_answers(reason, problem, REFUSED_TO_A_FAN),
        ),
    }
    answers = _answers(calls, problem, REFUSED_TO_A_FAN)
    common: Node = {"parameters": [DROP], "security": SIGNED_IN, "responses": answers}
    paths[CALLS] = {
        "get": {"summary": "How the fan is called when his page is closed", **common},
        "post": {
            "summary": "Call the fan on this browser",
            "requestBody": _json_body(asked),
            **common,
        },
    }
    paths[f"{CALLS}/end"] = {
        "post": {
            "summary": "Do not call the fan on this browser any more",
            "requestBody": _json_body(ending),
            **common,
        }
    }
    for verb, kind in COMMANDS.items():
        answers = _answers(done, problem, REFUSED_TO_A_FAN)
        paths[f"/api/drops/{{drop}}/{verb}"] = _command(verb, kind, answers)
    creators, creators_schemas = studio_openapi.paths(REFS)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Drop Engine", "version": __version__},
        "paths": paths | creators,
        "components": {
            "schemas": components | creators_schemas,
            "securitySchemes": SECURITY,
        },
    }


def _of_game(came: Node, said: Node, name: Node, game: Node, problem: Node) -> Node:
    """The doors of the game, which all answer with it."""
    answers = _answers(game, problem, REFUSED_TO_A_FAN)
    common: Node = {"parameters": [DROP], "security": SIGNED_IN, "responses": answers}
    paths: Node = {
        "/api/drops/{drop}/game": {
            "get": {"summary": "What gives points, and what is the fan's", **common}
        }
    }
    for door, summary, body in (
        ("came", "By whose link the fan came", came),
        ("mission", "What the fan says for a mission", said),
        ("board", "The fan's name on the board, or no more", name),
    ):
        asked = {"summary": summary, "requestBody": _json_body(body), **common}
        paths[f"/api/drops/{{drop}}/{door}"] = {"post": asked}
    return paths


def _get(summary: str, **more: Any) -> Node:
    return {"get": {"summary": summary, **more}}


def _command(verb: str, kind: type[wire.Command], answers: Node) -> Node:
    return {
        "post": {
            "summary": (kind.__doc__ or verb).split("\n")[0],
            "parameters": [DROP, KEY],
            "security": SIGNED_IN,
            "requestBody": _json_body(_body(kind)),
            "responses": answers,
        }
    }


def _json_body(schema: Node) -> Node:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _body(kind: type[wire.Command]) -> Node:
    """The schema of a command's HTTP body: the message without `t` and `id`; `key` may be a
    header."""
    _, components = msgspec.json.schema_components([kind], ref_template=REFS)
    schema: Node = dict(components[kind.__name__])
    schema["properties"] = {
        name: value for name, value in schema["properties"].items() if name not in ("t", "id")
    }
    schema["required"] = [n for n in schema.get("required", []) if n not in ("t", "id", "key")]
    return schema


def _answers(schema: Node, problem: Node, refused: tuple[str, ...]) -> Node:
    """200 with this schema, and a problem document under each status of a refusal."""
    good = {"description": "ok", "content": {"application/json": {"schema": schema}}}
    refusal = {
        "description": "Refused; `code` is one of the closed list.",
        "content": {"application/problem+json": {"schema": problem}},
    }
    return {"200": good, **dict.fromkeys(refused, refusal)}
