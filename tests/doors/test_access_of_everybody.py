"""Doors that are no creators' API, and sockets: each is tried by everybody too.

Whoever somebody is changes nothing at an open door; a fan's pass is no maker's, nor the reverse.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import websockets.asyncio.client as sockets
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from dropengine import wire
from dropengine.doors.access import LIVE, MESSAGES, PANEL, SOCKET, STUDIO_SOCKET, TABLE, Row, Who
from dropengine.doors.live_socket import SUBPROTOCOL
from dropengine.payments.providers import BUILDERS
from dropengine.people.roles import Scope
from dropengine.push.subscriptions import browser_of
from tests.kit import callers, web_process
from tests.kit import studio as studio_kit
from tests.kit.callers import CALLERS, GUESTS, KNOWN, PERSONS, World, law
from tests.kit.push_service import Browser
from tests.kit.studio import Studio
from tests.kit.web_process import Fan, key

server = web_process.server
studio = studio_kit.studio
world = callers.world

OPEN = {
    "GET /api/drops",
    "GET /api/drops/{drop}",
    "GET /api/drops/{drop}/game",
    "GET /drops/{drop}",
    *(
        f"GET /drops/{{drop}}/{part}"
        for part in (
            *("live", "events", "wall", "opens.ics", "closes.ics", "face.svg", "share.png"),
            *("order.json", "card/{code}.png", "badges/{kind}.svg"),
        )
    ),
    "GET /makers/pictures/{name}",
    "GET /pictures/{name}",
    "GET /",
    "POST /language",
    "GET /receive/{token}",
    "POST /receive/{token}",
    "GET /static/{name}",
    "GET /calls.js",
    "GET /shop.webmanifest",
    "GET /icons/{size}.png",
    "GET /pay/local/{intent}",
    "GET /pay/by_hand/{intent}",
    "POST /pay/local/{intent}",
    *(f"GET /{part}" for part in ("healthz", "readyz", "openapi.json", "asyncapi.json")),
    "GET /studio/sign-in",
    "POST /studio/sign-in",
    "POST /studio/sign-out",
    "GET /studio/links/{token}",
    "POST /studio/links/{token}",
    "GET /studio/mail/{token}",
    "POST /studio/mail/{token}",
    "GET /studio/way-back",
    "POST /studio/way-back",
    "GET /drops/{drop}/remind",
    "POST /drops/{drop}/remind",
    "GET /drops/{drop}/plain",
    "POST /drops/{drop}/plain",
    "GET /drops/{drop}/maker",
    "GET /drops/{drop}/why",
    "GET /makers/{maker}",
    "POST /makers/{maker}/follow",
    "GET /api/makers/{maker}/calls",
    "POST /api/makers/{maker}/calls",
    "POST /api/makers/{maker}/calls/end",
    "GET /you",
    "GET /you/links/{token}",
    "GET /mail/off/{token}",
    "POST /mail/off/{token}",
    "POST /you/links/{token}",
    *(
        f"POST /you/{part}"
        for part in ("sign-in", "code", "sign-out", "sign-in/challenge", "sign-in/passkey")
    ),
    *(
        f"POST /api/studio/{part}"
        for part in (
            *("sign-in", "sign-in/challenge", "sign-in/passkey"),
            *("links/challenge", "links/spend"),
        )
    ),
}
"""What is open to everybody, by hand."""
OF_FANS = {
    "POST /api/drops/{drop}/{verb}",
    "GET /api/drops/{drop}/you",
    "GET /api/drops/{drop}/why",
    "POST /api/drops/{drop}/early",
    *(f"POST /api/drops/{{drop}}/{part}" for part in ("came", "mission", "board")),
    "GET /api/drops/{drop}/calls",
    "POST /api/drops/{drop}/calls",
    "POST /api/drops/{drop}/calls/end",
    "POST /api/calls/renew",
    "GET /drops/{drop}/orders/{order}",
    "GET /drops/{drop}/holds/{hold}/asked",
    "POST /drops/{drop}/holds/{hold}/asked",
    "POST /drops/{drop}/orders/{order}/receivers",
    "POST /drops/{drop}/orders/{order}/receivers/{receiver}/revoke",
}
OF_KNOWN = {
    "GET /you/data.json",
    "POST /you/renew",
    "POST /you/together",
    "GET /you/reached",
    "POST /you/reached",
    "POST /you/sign-out-everywhere",
    "POST /you/devices/{device}/end",
    "POST /you/calls",
    "POST /you/calls/end",
    "POST /you/passkeys/challenge",
    "POST /you/passkeys",
    "POST /you/passkeys/{passkey}/remove",
    "POST /you/erase",
}


def named(row: Row) -> str:
    return f"{row.method} {row.path}"


def rows(*whose: Who) -> list[Row]:
    return [row for row in TABLE.values() if row.who in whose]


def test_every_row_is_tried_by_everybody_somewhere() -> None:
    """Whatever somebody may be in the table has a test, here or at the creators' API."""
    assert {named(row) for row in rows(Who.ANYBODY)} == OPEN
    assert {named(row) for row in rows(Who.FAN)} == OF_FANS
    assert {named(row) for row in rows(Who.KNOWN)} == OF_KNOWN
    assert {named(row) for row in rows(Who.PROVIDER)} == {
        f"POST /api/pay/webhooks/{name}" for name in BUILDERS
    }
    assert {named(row) for row in rows(Who.MACHINE)} == {"GET /metrics"}
    rest = (Who.PERSON, Who.CREATOR, Who.READ, Who.RUN, Who.MANAGE, Who.OWNER)
    for row in rows(*rest):
        assert row.path.startswith("/api/studio/") or row in PANEL or row in LIVE, row
    assert {*rest, Who.ANYBODY, Who.FAN, Who.KNOWN, Who.PROVIDER, Who.MACHINE} == {*Who}


async def status(studio: Studio, brought: dict[str, str], row: Row, parts: dict[str, str]) -> int:
    """What somebody hears who brings this along; a body is none that anything can be done with. He
    keeps nothing: who has opened a page of a drop is a guest from then on."""
    path = re.sub(r"{(\w+)}", lambda part: parts.get(part[1], "0" * 18), row.path)
    given: dict[str, Any] = {"content": b"{"} if row.method != "GET" else {}
    kind: dict[str, str] = {"content-type": "application/json"} if given else {}
    async with (
        studio.web.http() as http,
        http.stream(row.method, path, headers=kind | brought, **given) as answer,
    ):
        return answer.status_code


AT_OPEN_DOORS = [row for row in rows(Who.ANYBODY, Who.PROVIDER) if row.path != SOCKET]


@pytest.mark.parametrize("row", AT_OPEN_DOORS, ids=named)
async def test_at_an_open_door_everybody_is_the_same(
    studio: Studio, world: World, row: Row
) -> None:
    sale = await studio.web.sale()
    parts = {"drop": str(sale.drop)}
    heard = {caller: await status(studio, world.headers(caller), row, parts) for caller in CALLERS}
    wanted = heard["nobody"]
    assert set(heard.values()) == {wanted}, heard
    # Only a signature opens the provider's.
    assert wanted >= 400 if row.who is Who.PROVIDER else wanted not in (401, 403)


async def test_numbers_are_for_the_machine_whoever_asks(studio: Studio, world: World) -> None:
    (row,) = rows(Who.MACHINE)
    for caller in CALLERS:
        brought = world.headers(caller)
        assert await status(studio, brought, row, {}) == 200
        # Through a proxy he is somewhere else.
        far = brought | {"x-forwarded-for": "203.0.113.9"}
        assert await status(studio, far, row, {}) == 403


@pytest.mark.parametrize("row", rows(Who.KNOWN), ids=named)
async def test_a_door_for_the_known_is_for_them_alone_and_for_their_own_things(
    studio: Studio, world: World, row: Row
) -> None:
    for caller in CALLERS:
        heard = await status(studio, world.headers(caller), row, {})
        if caller in KNOWN:
            # The body is none; of a device or passkey that is not his there is none.
            assert heard in (200, 204, 400, 404), (caller, heard)
        else:
            assert heard == (400 if needs_a_form(row) else 401), (caller, heard)


def needs_a_form(row: Row) -> bool:
    """Does it look at the form, or at the JSON, before it looks who sent it?"""
    return named(row) in {
        "POST /you/together",
        "POST /you/reached",
        "POST /you/sign-out-everywhere",
        "POST /you/devices/{device}/end",
        "POST /you/calls",
        "POST /you/calls/end",
        "POST /you/passkeys/challenge",
        "POST /you/passkeys/{passkey}/remove",
    }


@pytest.mark.parametrize("row", PANEL, ids=named)
async def test_a_page_of_the_panel_is_for_persons_who_may(
    studio: Studio, world: World, row: Row
) -> None:
    for caller in CALLERS:
        wanted = law(row.who, caller)
        if caller not in PERSONS:
            # Programs have an API; whoever is not signed in is shown the way.
            wanted = 303 if row.method == "GET" else 401
        heard = await status(studio, world.headers(caller), row, world.theirs)
        if wanted:
            assert heard == wanted, (caller, heard)
        else:
            # Who may read letters sees only those that are his to see.
            if row.path.endswith("{letter}"):
                assert heard == 404, (caller, heard)
                continue
            # An empty draft leads back to where it is written.
            early = row.method == "GET" and row.path.endswith("{draft}/publish")
            assert heard == 303 if early else heard not in (303, 401, 403), (caller, heard)


@contextlib.asynccontextmanager
async def seated(
    studio: Studio, world: World, caller: str, path: str, drop: str
) -> AsyncIterator[Fan]:
    """Somebody's socket, until its first snapshot."""
    of_studio = path == STUDIO_SOCKET
    brought = world.headers(caller)
    async with sockets.connect(
        f"ws://127.0.0.1:{studio.web.port}{path.format(drop=drop)}",
        origin=None if "authorization" in brought else Origin(studio.web.url),
        additional_headers=brought,
        subprotocols=[Subprotocol("studio.v1" if of_studio else SUBPROTOCOL)],
        compression=None,
        proxy=None,
        ping_interval=None,
        close_timeout=1,
    ) as one:
        person = Fan(one, None)
        await person.until("snapshot")
        yield person


BODIES: dict[str, dict[str, Any]] = {
    "hold": {"pool": "pin"},
    "claim": {"hold": "h1"},
    "release": {"hold": "h1"},
    "extend": {"hold": "h1"},
    "pay": {"holds": ["h1"]},
    "join": {"pools": ["pin"]},
    "leave": {"entry": "e1"},
    "confirm": {"entry": "e1"},
}
OF_NONE: dict[str, dict[str, Any]] = {
    t: {
        name: ["h99"] if isinstance(value, list) else f"{value[0]}99"
        for name, value in body.items()
    }
    for t, body in BODIES.items()
    if t not in ("hold", "join")
}


async def greeted(person: Fan) -> None:
    """Everybody is answered what shows nothing of anybody."""
    await person.raw(json.dumps({"t": "ping", "id": 9, "c": 1}))
    assert (await person.until("pong"))["c"] == 1
    await person.raw(json.dumps({"t": "hello"}))
    await person.until("snapshot")


def test_every_message_is_tried() -> None:
    assert {*BODIES, "hello", "ping"} == MESSAGES.keys()
    assert {t for t, who in MESSAGES.items() if who is Who.FAN} == BODIES.keys()
    assert set(MESSAGES.values()) == {Who.FAN, Who.ANYBODY}


@pytest.mark.parametrize("caller", CALLERS)
async def test_on_a_fans_socket_only_fans_command_and_only_what_is_theirs(
    studio: Studio, world: World, caller: str
) -> None:
    """Creators' sessions and keys prove no fan; B hears of A's things what he hears of none."""
    sale = await studio.web.sale()
    async with studio.web.fan(sale.drop) as owner:
        await owner.ask("hold", pool="pin")
        async with seated(studio, world, caller, SOCKET, sale.drop) as person:
            await greeted(person)
            for t, body in BODIES.items():
                answer = await person.ask(t, **body)
                if caller not in GUESTS:
                    assert (answer["t"], answer["code"]) == ("refused", "sign_in"), t
                elif t in OF_NONE:
                    none = await person.ask(t, **OF_NONE[t])
                    assert answer["code"] == none["code"] == "not_found", t
                else:
                    assert answer["t"] == "done", answer


@pytest.mark.parametrize("caller", CALLERS)
async def test_the_operators_socket_lets_in_who_may_look_and_takes_no_command(
    studio: Studio, world: World, caller: str
) -> None:
    drop = world.theirs["drop"]
    (row,) = LIVE
    if wanted := law(row.who, caller):
        for where in (drop, "no-such-drop") if wanted == 404 else (drop,):
            with pytest.raises(InvalidStatus) as turned:
                async with seated(studio, world, caller, STUDIO_SOCKET, where):
                    pass
            assert turned.value.response.status_code == wanted
        return
    async with seated(studio, world, caller, STUDIO_SOCKET, drop) as person:
        await greeted(person)
        for t, body in BODIES.items():
            assert (await person.ask(t, **body))["code"] == "sign_in", t
        # A fan's pass makes no fan of an operator here.
        _, ticket = studio.web.ticket()
        await person.raw(json.dumps({"t": "hello", "ticket": ticket}))
        assert await person.closed() == wire.CloseCode.BAD_TICKET


async def test_a_makers_key_is_no_fans_pass(studio: Studio) -> None:
    sale, secret = await studio.web.sale(), await studio.api_key(Scope.MANAGE)
    async with studio.web.watcher(sale.drop, origin=None) as program:
        await program.raw(json.dumps({"t": "hello", "ticket": secret}))
        assert await program.closed() == wire.CloseCode.BAD_TICKET


FAN_DOORS = rows(Who.FAN)
ENDS_CALLS = "/api/drops/{drop}/calls/end"
RENEWS = "/api/calls/renew"


@pytest.mark.parametrize("row", FAN_DOORS, ids=lambda row: f"{row.method} {row.path}")
async def test_a_fans_door_knows_no_creator_and_no_other_fan(
    studio: Studio, world: World, row: Row
) -> None:
    sale = await studio.web.sale()
    _, ticket = studio.web.ticket()
    async with studio.web.http(ticket) as fan:
        held = await fan.post(f"/api/drops/{sale.drop}/hold", json={"pool": "pin", "key": key()})
        assert held.status_code == 200
        phone = Browser("https://push.example/phone")
        calls = f"/api/drops/{sale.drop}/calls"
        assert (await fan.post(calls, json=phone.asks())).status_code == 200
    parts = {"drop": str(sale.drop), "verb": "release", "order": "h1", "hold": "h1"}
    path = re.sub(r"{(\w+)}", lambda part: parts.get(part[1], "0" * 18), row.path)
    for caller, hand in world.hands.items():
        body = {"hold": "h1", "key": key()} if row.method == "POST" else None
        if row.path == ENDS_CALLS:
            body = {"endpoint": phone.endpoint}
        elif "calls" in row.path and body:
            body = Browser(f"https://push.example/{len(caller)}").asks()
            body |= {"id": browser_of(phone.endpoint)} if row.path == RENEWS else {}
        answer = await hand.http.request(row.method, path, json=body)
        if row.path.startswith("/drops"):
            assert answer.status_code == 404, caller
        elif caller in GUESTS and (caller in KNOWN or not row.path.endswith("/early")):
            # B is told of A's hold what he is told of none; of himself, what he has.
            mine = row.method == "GET" or ("calls" in row.path and row.path != RENEWS)
            # Nobody keeps books here.
            seen = 503 if row.path.endswith("/why") else 200
            assert answer.status_code == (seen if mine else 404), (caller, answer.text)
            assert browser_of(phone.endpoint) not in answer.text
        else:
            # Only a person comes into a cohort.
            assert answer.status_code == 401, (caller, answer.text)
    # Whoever tried, A's browser is still called.
    async with studio.web.http(ticket) as fan:
        assert browser_of(phone.endpoint) in (await fan.get(calls)).text
