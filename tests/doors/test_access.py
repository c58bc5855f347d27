"""Who may enter which door, said twice: by the table that decides, and here by hand.

Every door and every message of a socket is tried by everybody. Whoever may not enter hears 401 when
he proves nothing, 404 of what is another maker's, 403 where his role ends; and 404 alike for what
does not exist.
"""

from __future__ import annotations

import re
from typing import get_args

import httpx2
import pytest
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from dropengine import app, wire
from dropengine.creator_commands import COMMANDS
from dropengine.doors import access
from dropengine.doors.access import CREATORS, MESSAGES, STUDIO, TABLE, Row, Who
from dropengine.doors.studio import studio as put_together
from tests.kit import callers, web_process
from tests.kit import studio as studio_kit
from tests.kit.callers import CALLERS, PERSONS, World, law
from tests.kit.studio import API, Hand, Studio

server = web_process.server
studio = studio_kit.studio
world = callers.world

EXPECTED: dict[str, str] = {
    **{f"/{part}": "POST anybody" for part in ("sign-in", "sign-in/challenge", "sign-in/passkey")},
    **{f"/links/{part}": "POST anybody" for part in ("challenge", "spend")},
    "/sign-out": "POST person",
    "/account": "GET person",
    "/account/password": "POST person",
    "/account/passkeys/challenge": "POST person",
    "/account/passkeys": "POST person",
    "/account/passkeys/{passkey}": "DELETE person",
    "/account/mail": "POST person, DELETE person",
    "/account/mail/alarms": "POST person",
    "/account/sessions": "GET person",
    "/account/sessions/{session}": "DELETE person",
    "/account/sessions/end-others": "POST person",
    "/invitations/accept": "POST person",
    "/makers": "GET creator, POST person",
    "/drops": "GET creator",
    "/makers/{maker}": "GET read, PATCH manage",
    "/makers/{maker}/members": "GET read",
    "/makers/{maker}/members/{account}": "PATCH manage, DELETE manage",
    "/makers/{maker}/invitations": "GET manage, POST owner",
    "/makers/{maker}/invitations/{invitation}": "DELETE manage",
    "/makers/{maker}/keys": "GET manage, POST owner",
    "/makers/{maker}/keys/{api_key}": "DELETE manage",
    "/makers/{maker}/audit": "GET manage",
    "/makers/{maker}/drops": "POST run",
    "/makers/{maker}/drops/check": "POST read",
    **{f"/drops/{{drop}}{part}": "GET read" for part in ("", "/log", "/holds", "/orders")},
    "/drops/{drop}/answers": "GET run",
    "/drops/{drop}/entries": "GET read",
    "/drops/{drop}/cohorts": "GET read",
    "/drops/{drop}/cohorts/{cohort}": "GET run",
    "/drops/{drop}/cohorts/{cohort}/addresses": "POST run, DELETE run",
    "/drops/{drop}/cohorts/{cohort}/codes": "POST run",
    "/drops/{drop}/cohorts/{cohort}/codes/strike": "POST run",
    "/drops/{drop}/game": "GET read",
    "/drops/{drop}/game/refused": "GET run",
    **{
        f"/drops/{{drop}}/game/{part}": "POST run"
        for part in ("cure", *(f"missions/{{mission}}/{verb}" for verb in ("start", "end", "tap")))
    },
    "/drops/{drop}/report": "GET read",
    **{f"/drops/{{drop}}/{verb}": "POST run" for verb in COMMANDS},
    "/drops/{drop}/refund": "POST run",
    "/drops/{drop}/came-back": "POST run",
    "/drops/{drop}/charged-back": "POST run",
    "/drops/{drop}/more-time": "POST run",
    "/drops/{drop}/duty": "POST run",
}
"""Every door of the creators' API, by hand as well."""

GUARDED = [row for row in CREATORS if row.who is not Who.ANYBODY]
each_door = pytest.mark.parametrize("row", GUARDED, ids=lambda row: f"{row.method} {row.path}")


def address(row: Row, parts: dict[str, str]) -> str:
    path = row.path.removeprefix(STUDIO)
    return re.sub(r"{(\w+)}", lambda part: parts.get(part[1], "0" * 18), path)


async def tried(hand: Hand, row: Row, parts: dict[str, str]) -> httpx2.Response:
    """An empty body is no command: whoever may enter is told so, and nothing is changed."""
    if row.method == "GET":
        return await hand.get(address(row, parts))
    if row.path.endswith("/end-others"):
        # It reads no body: without a key it does nothing.
        return await hand.http.post(API + address(row, parts), json={})
    body = {"nothing": "of the kind"} if row.method in ("POST", "PATCH") else None
    return await hand.send(row.method, address(row, parts), body)


@each_door
async def test_everybody_enters_where_he_may_and_nowhere_else(
    studio: Studio, world: World, row: Row
) -> None:
    for caller in CALLERS:
        if row.path.endswith("/sign-out") and caller in PERSONS:
            # It ends the session of whoever enters.
            async with studio.person(PERSONS[caller]) as hand:
                answer = await tried(hand, row, world.theirs)
        else:
            answer = await tried(world.hands[caller], row, world.theirs)
        wanted = law(row.who, caller)
        if wanted:
            assert answer.status_code == wanted, (caller, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
        else:
            assert answer.status_code not in (401, 403), (caller, answer.text)


@each_door
async def test_what_is_anothers_looks_like_what_is_none(world: World, row: Row) -> None:
    if "{maker}" not in row.path and "{drop}" not in row.path:
        return
    for caller in ("owner of another maker", "key manage of another maker"):
        theirs = await tried(world.hands[caller], row, world.theirs)
        none = await tried(world.hands[caller], row, world.none)
        assert theirs.status_code == none.status_code == 404
        assert theirs.content == none.content
        left = {"date", "content-length"}
        assert {k: v for k, v in theirs.headers.items() if k not in left} == {
            k: v for k, v in none.headers.items() if k not in left
        }


def test_the_table_says_what_was_decided() -> None:
    told: dict[str, list[str]] = {}
    for row in CREATORS:
        told.setdefault(row.path.removeprefix(STUDIO), []).append(f"{row.method} {row.who}")
    assert {path: ", ".join(each) for path, each in told.items()} == EXPECTED


def test_every_door_that_changes_something_wants_a_key() -> None:
    without = {row.path.removeprefix(STUDIO) for row in CREATORS if not row.keyed}
    changing = {
        row.path.removeprefix(STUDIO) for row in CREATORS if row.method != "GET" and not row.keyed
    }
    assert changing == {
        "/sign-in",
        "/sign-in/challenge",
        "/sign-in/passkey",
        "/links/challenge",
        "/links/spend",
        "/sign-out",
        "/account/passkeys/challenge",
        "/makers/{maker}/drops/check",
    }
    assert all(
        row.method == "GET" or row.path.removeprefix(STUDIO) in changing
        for row in CREATORS
        if row.path.removeprefix(STUDIO) in without and not row.keyed
    )


def test_every_door_has_a_row_and_every_row_a_door(studio: Studio) -> None:
    there = {
        (method, route.path_format)
        for route in studio.web.app.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert there | {("GET", access.SOCKET), ("GET", access.STUDIO_SOCKET)} == TABLE.keys()


async def open_to_all() -> Response:
    return Response("everything")


@pytest.mark.parametrize(
    "door",
    [
        Route("/studio/secrets", open_to_all),
        Route("/api/studio/drops/{drop}/steal", open_to_all, methods=["POST"]),
        Route("/studio", open_to_all, methods=["DELETE"]),
        Route("/api/drops", open_to_all, methods=["PUT"]),
        WebSocketRoute("/drops/{drop}/listen", open_to_all),
        Mount("/files", routes=[]),
    ],
    ids=lambda door: door.path,
)
def test_no_shop_starts_with_a_door_that_has_no_row(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, door: BaseRoute
) -> None:
    """One that somebody adds on purpose, among those that are there."""
    access.check(studio.web.app.routes)
    with pytest.raises(AssertionError, match=r"has no row|no kind of door"):
        access.check([*studio.web.app.routes, door])
    # Making the application asks the same.
    there = put_together.routes
    monkeypatch.setattr(put_together, "routes", lambda *given: [*there(*given), door])
    with pytest.raises(AssertionError, match=r"has no row|no kind of door"):
        app.build(studio.web.runtime.settings)


def test_every_message_of_a_socket_has_a_row() -> None:
    assert MESSAGES.keys() == {
        str(kind.__struct_config__.tag) for kind in get_args(wire.FromFanMessage)
    }
