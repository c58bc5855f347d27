"""The documents for machines say what the doors really read and write."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import httpx2
import pytest
from starlette.routing import Route

from dropengine import __version__, refusals, studio_wire, wire
from dropengine.doors import asyncapi, openapi
from dropengine.doors.access import STUDIO
from dropengine.doors.fan_api import COMMANDS
from dropengine.doors.http_answers import STATUS, problem
from tests.kit import web_process
from tests.kit.manifests import item
from tests.kit.web_process import WebProcess, key

server = web_process.server
web = web_process.web

OPENAPI = openapi.openapi()
ASYNCAPI = asyncapi.asyncapi()
Node = dict[str, Any]


def walk(node: Any, path: str = "#") -> Iterator[tuple[str, Node]]:
    """Every object of a document and where it stands."""
    if isinstance(node, dict):
        yield path, node
        for name, child in node.items():
            yield from walk(child, f"{path}/{name}")
    elif isinstance(node, list):
        for i, child in enumerate(node):
            yield from walk(child, f"{path}/{i}")


def found(document: Node, ref: str) -> Any:
    """What a local reference points at (RFC 6901)."""
    assert ref.startswith("#/"), ref
    node: Any = document
    for part in ref[2:].split("/"):
        node = node[part.replace("~1", "/").replace("~0", "~")]
    return node


KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
KNOWN = {
    "$ref", "additionalProperties", "anyOf", "const", "default", "description", "discriminator",
    "enum", "exclusiveMinimum", "items", "maxItems", "maxLength", "maximum", "minItems",
    "minLength", "minimum", "pattern", "properties", "required", "title", "type",
}  # fmt: skip


def mistakes(document: Node, rule: Node, value: Any, at: str = "$") -> Iterator[str]:
    """Where a value breaks a schema: as much of JSON Schema 2020-12 as our documents use."""
    assert rule.keys() <= KNOWN, rule.keys() - KNOWN
    if "$ref" in rule:
        yield from mistakes(document, found(document, rule["$ref"]), value, at)
        return
    if "anyOf" in rule:
        options = [list(mistakes(document, one, value, at)) for one in rule["anyOf"]]
        if all(options):
            yield min(options, key=len)[0]
        return
    if "const" in rule and value != rule["const"]:
        yield f"{at}: not {rule['const']!r}"
    if "enum" in rule and value not in rule["enum"]:
        yield f"{at}: not one of {rule['enum']}"
    if "type" in rule:
        kind = KINDS[rule["type"]]
        if not isinstance(value, kind) or (isinstance(value, bool) and bool not in kind):
            yield f"{at}: not of type {rule['type']}"
            return
    if isinstance(value, str):
        if not rule.get("minLength", 0) <= len(value) <= rule.get("maxLength", len(value)):
            yield f"{at}: its length"
        if "pattern" in rule and not re.search(rule["pattern"], value):
            yield f"{at}: its pattern"
    if isinstance(value, int | float) and not (
        rule.get("minimum", value) <= value <= rule.get("maximum", value)
    ):
        yield f"{at}: its size"
    if isinstance(value, list):
        if not rule.get("minItems", 0) <= len(value) <= rule.get("maxItems", len(value)):
            yield f"{at}: how many"
        for i, one in enumerate(value):
            yield from mistakes(document, rule.get("items", {}), one, f"{at}[{i}]")
    if isinstance(value, dict):
        named = rule.get("properties", {})
        for name in rule.get("required", []):
            if name not in value:
                yield f"{at}: {name} is missing"
        for name, one in value.items():
            inner = named.get(name, rule.get("additionalProperties", {}))
            if inner is False:
                yield f"{at}: {name} is not known"
            elif isinstance(inner, dict):
                yield from mistakes(document, inner, one, f"{at}.{name}")


def fits(document: Node, rule: Node, value: Any) -> None:
    assert list(mistakes(document, rule, value)) == []


@pytest.mark.parametrize("document", [OPENAPI, ASYNCAPI], ids=["openapi", "asyncapi"])
def test_every_reference_leads_somewhere(document: Node) -> None:
    refs = [node["$ref"] for _, node in walk(document) if "$ref" in node]
    assert len(refs) > 10
    for ref in refs:
        found(document, ref)
    for where, node in walk(document):
        for ref in node.get("discriminator", {}).get("mapping", {}).values():
            assert found(document, ref), where


@pytest.mark.parametrize("document", [OPENAPI, ASYNCAPI], ids=["openapi", "asyncapi"])
def test_every_schema_is_used(document: Node) -> None:
    text = json.dumps(document)
    for name in document["components"]["schemas"]:
        assert text.count(f'"#/components/schemas/{name}"') >= 1, name


def test_openapi_has_the_shape_of_openapi() -> None:
    assert re.fullmatch(r"3\.1\.\d+", OPENAPI["openapi"])
    assert OPENAPI["info"] == {"title": "Drop Engine", "version": __version__}
    methods = {"get", "post", "patch", "delete"}
    schemes = OPENAPI["components"]["securitySchemes"]
    for path, item_ in OPENAPI["paths"].items():
        assert path.startswith("/")
        assert item_.keys() <= methods
        for operation in item_.values():
            assert operation["summary"]
            named = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))
            for parameter in operation.get("parameters", []):
                assert parameter["in"] in ("path", "header", "query")
                needed = parameter["in"] == "path" or (
                    parameter["name"] == "Idempotency-Key" and path.startswith(STUDIO)
                )
                assert parameter.get("required", False) is needed
                assert "schema" in parameter
            for code, answer in operation["responses"].items():
                assert re.fullmatch(r"[2-5]\d\d", code)
                assert answer["description"]
                for kind in answer.get("content", {}):
                    assert kind in (
                        "application/json",
                        "application/problem+json",
                        "text/event-stream",
                        "text/csv",
                    )
            for scheme in operation.get("security", []):
                assert scheme.keys() <= schemes.keys()


def test_asyncapi_has_the_shape_of_asyncapi() -> None:
    assert re.fullmatch(r"3\.\d+\.\d+", ASYNCAPI["asyncapi"])
    for channel in ASYNCAPI["channels"].values():
        assert set(re.findall(r"{(\w+)}", channel["address"])) == channel["parameters"].keys()
    assert {one["action"] for one in ASYNCAPI["operations"].values()} == {"send", "receive"}
    told = []
    for operation in ASYNCAPI["operations"].values():
        channel = operation["channel"]["$ref"]
        assert found(ASYNCAPI, channel) in ASYNCAPI["channels"].values()
        for message in operation["messages"]:
            # Messages of an operation are those of its channel.
            assert message["$ref"].startswith(f"{channel}/messages/")
            component = found(ASYNCAPI, found(ASYNCAPI, message["$ref"])["$ref"])
            assert component["payload"]
            told.append(component["name"])
    assert set(told) == {one["name"] for one in ASYNCAPI["components"]["messages"].values()}


def test_every_message_of_the_channel_is_described() -> None:
    both = (*get_args(wire.FromFanMessage), *get_args(wire.ToFanMessage))
    named = {kind.__name__ for kind in (*both, studio_wire.Desk)}
    assert ASYNCAPI["components"]["messages"].keys() == named


def test_every_json_door_is_described_and_every_description_has_a_door(web: WebProcess) -> None:
    doors = {
        (route.path_format, method.lower())
        for route in web.app.routes
        if isinstance(route, Route) and route.methods
        for method in route.methods - {"HEAD"}
    }
    # Providers have their own papers; the one route of all commands is described verb by verb.
    described_here = ("/api/drops", STUDIO)
    doors = {(path, method) for path, method in doors if path.startswith(described_here)}
    doors.remove(("/api/drops/{drop}/{verb}", "post"))
    doors |= {(f"/api/drops/{{drop}}/{verb}", "post") for verb in COMMANDS}
    described = {(path, method) for path, one in OPENAPI["paths"].items() for method in one}
    assert {door for door in described if door[0].startswith("/api")} == doors


def test_every_studio_door_that_wants_json_says_so() -> None:
    """One that reads nothing wants it too, and answers 415 to who sends no JSON."""
    wanted = {
        f"{method} {path}": operation
        for path, operations in OPENAPI["paths"].items()
        for method, operation in operations.items()
        if path.startswith(STUDIO) and method in ("post", "patch")
    }
    assert f"post {STUDIO}/account/sessions/end-others" in wanted
    for door, operation in wanted.items():
        assert operation["requestBody"]["required"], door
        assert "application/json" in operation["requestBody"]["content"], door


def test_every_refusal_has_a_status_that_is_described() -> None:
    described = OPENAPI["paths"]["/api/drops/{drop}/hold"]["post"]["responses"]
    for kind in refusals.Refusal.__subclasses__():
        answer = problem(None, kind())
        assert str(answer.status_code) in described, kind
        fits(
            OPENAPI,
            described[str(answer.status_code)]["content"]["application/problem+json"]["schema"],
            json.loads(bytes(answer.body)),
        )
    assert set(STATUS.values()) <= {int(code) for code in described}


async def test_both_documents_are_served(web: WebProcess) -> None:
    async with web.http() as http:
        assert (await http.get("/openapi.json")).json() == OPENAPI
        assert (await http.get("/asyncapi.json")).json() == ASYNCAPI


def answered(path: str, method: str, answer: httpx2.Response) -> Any:
    """An answer as its description has it."""
    content = OPENAPI["paths"][path][method]["responses"][str(answer.status_code)]["content"]
    kind = answer.headers["content-type"].partition(";")[0]
    fits(OPENAPI, content[kind]["schema"], answer.json())
    return answer.json()


async def test_what_the_json_doors_say_fits_their_description(web: WebProcess) -> None:
    sale = await web.sale(item("pin", {"pin": 2}), item("mug", {"mug": 1}))
    _, ticket = web.ticket()
    where = f"/api/drops/{sale.drop}"
    await sale.held("blocker", "mug")
    await sale.creator("message", text="hello")
    async with web.http(ticket) as http:

        async def ask(verb: str, **body: Any) -> Any:
            path = f"/api/drops/{{drop}}/{verb}"
            described = OPENAPI["paths"][path]["post"]["requestBody"]["content"]
            fits(OPENAPI, described["application/json"]["schema"], body)
            return answered(path, "post", await http.post(f"{where}/{verb}", json=body))

        hold = (await ask("hold", pool="pin", qty=1, fewer=True))["hold"]["id"]
        await ask("hold", pool="pin", key=key())
        assert (await ask("hold", pool="pin", qty=2))["code"] == "all_held"
        assert (await ask("hold", pool="pin", qty=100))["code"] == "limit_reached"
        await ask("extend", hold=hold)
        await ask("pay", holds=[hold])
        await ask("claim", hold="h99")
        entry = (await ask("join", pools=["mug"]))["entry"]
        path = "/api/drops/{drop}"
        you = answered(f"{path}/you", "get", await http.get(f"{where}/you"))
        assert you["holds"]
        assert you["entries"]
        await ask("leave", entry=entry)
        await ask("release", hold=hold)
        assert (await ask("extend", hold=hold))["code"] == "hold_expired"
        answered(path, "get", await http.get(where))
        answered(path, "get", await http.get("/api/drops/nowhere"))
        answered("/api/drops", "get", await http.get("/api/drops"))
    async with web.http() as http:
        answered(f"{path}/you", "get", await http.get(f"{where}/you"))


async def test_what_a_socket_says_fits_its_description(web: WebProcess) -> None:
    sale = await web.sale(item("pin", {"pin": 1}))
    payload = {one["name"]: one["payload"] for one in ASYNCAPI["components"]["messages"].values()}
    async with web.fan(sale.drop) as ada, web.fan(sale.drop) as ben:
        for t, body in (
            ("hold", {"pool": "pin", "qty": 1}),
            ("pay", {"holds": ["h1"]}),
            ("extend", {"hold": "h1"}),
            ("claim", {"hold": "h7"}),
        ):
            fits(ASYNCAPI, payload[t], {"t": t, "id": 1, "key": "k", **body})
            await ada.ask(t, **body)
        await ben.ask("hold", pool="pin")
        await ben.ask("join", pools=["pin"])
        await ben.shows("you", lambda m: m["entries"])
        await ben.raw('{"t":"ping","id":1,"c":2}')
        await ben.until("pong")
        await sale.creator("message", text="hello")
        await ben.until("news")
        await ben.until("beat")
        await ada.ask("release", hold="h1")
        await ben.shows("you", lambda m: m["holds"])
        heard = ada.heard + ben.heard
        for message in heard:
            fits(ASYNCAPI, payload[message["t"]], message)
        assert {m["t"] for m in heard} == {
            kind.__name__.lower() for kind in get_args(wire.ToFanMessage)
        }


def test_the_check_itself_sees_mistakes() -> None:
    """The control: a document that is obeyed by everything proves nothing."""
    hold = ASYNCAPI["components"]["messages"]["Hold"]["payload"]
    good = {"t": "hold", "id": 1, "key": "k", "pool": "pin"}
    fits(ASYNCAPI, hold, good)
    for change in (
        {"t": "join"},
        {"id": -1},
        {"id": "1"},
        {"id": True},
        {"key": ""},
        {"key": "k\n"},
        {"key": "k" * 65},
        {"qty": 0},
        {"more": 1},
    ):
        assert list(mistakes(ASYNCAPI, hold, good | change)), change
    for name in ("t", "id", "key", "pool"):
        assert list(mistakes(ASYNCAPI, hold, {k: v for k, v in good.items() if k != name})), name
