"""The panel's frame: who is let in, what a form must prove, and what is said after it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import Connection

from dropengine.doors.access import PANEL, Row, Who
from dropengine.doors.studio.panel_door import HOME, back
from dropengine.people import interests, persons
from dropengine.people.interests import What
from dropengine.people.roles import Scope
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.studio import PASSWORD, Hand, Studio
from tests.kit.web_process import key

server = web_process.server
studio = studio_kit.studio

LETS_IN = {
    Who.PERSON: {"ada", "ben", "cyd", "dan"},
    Who.READ: {"ada", "ben", "cyd"},
    Who.RUN: {"ada", "ben"},
    Who.MANAGE: {"ada"},
    Who.OWNER: {"ada"},
}
NOT_A_FORM = {"content-type": "application/json"}


async def address(row: Row, studio: Studio, ada: Hand) -> str:
    """The row's address, with things of the lamps in it."""
    parts = {"maker": studio.lamps.id}
    if "{drop}" in row.path:
        parts["drop"] = await studio.publish(ada)
    if "{draft}" in row.path:
        path = f"/studio/makers/{studio.lamps.id}/drafts"
        answer = await ada.http.post(path, data={"key": key()})
        parts["draft"] = answer.headers["location"].rpartition("/")[2]
    return re.sub(r"{(\w+)}", lambda part: parts.get(part[1], "0" * 18), row.path)


async def tried(hand: Hand, method: str, path: str) -> int:
    """A form that is none: whoever may enter is told so, and nothing is changed."""
    more: dict[str, Any] = {"headers": NOT_A_FORM, "content": b"{}"} if method == "POST" else {}
    return (await hand.http.request(method, path, **more)).status_code


@pytest.mark.parametrize("row", PANEL, ids=lambda row: f"{row.method} {row.path}")
async def test_every_page_lets_in_whom_its_row_says(studio: Studio, row: Row) -> None:
    async with studio.person("ada") as ada, studio.stranger() as nobody:
        path = await address(row, studio, ada)
        asked = await nobody.http.request(row.method, path, content=b"")
        if row.method == "GET":
            assert (asked.status_code, asked.headers["location"]) == (
                303,
                f"/studio/sign-in?to={path}",
            )
        else:
            assert asked.status_code == 401
        for name in ("ada", "ben", "cyd", "dan"):
            async with studio.person(name) as hand:
                heard = await tried(hand, row.method, path)
            if name in LETS_IN[row.who]:
                # A draft that lacks everything is not shown to be published.
                early = row.path.endswith("/publish") and row.method == "GET"
                # Nor is an order, a rehearsal, a letter or a cohort that nobody made, or a mission.
                made = not re.search(r"{(order|rehearsal|letter|cohort|mission)}", row.path)
                shown = 404 if not made else 303 if early else 200
                assert heard == (400 if row.method == "POST" else shown), name
            else:
                assert heard == (404 if name == "dan" else 403), (name, heard)


async def test_a_key_of_a_program_opens_no_page(studio: Studio) -> None:
    async with studio.program(await studio.api_key(Scope.MANAGE)) as program:
        assert (await program.http.get(HOME)).status_code == 303


CROSS = [
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"content-type": "text/plain"},
    {"content-type": "application/json"},
]


@pytest.mark.parametrize("headers", CROSS, ids=str)
async def test_a_form_of_another_page_changes_nothing(
    studio: Studio, headers: dict[str, str]
) -> None:
    async with studio.person("ada") as other, studio.person("ada") as ada:
        form = f"key={key()}".encode()
        kind = {"content-type": "application/x-www-form-urlencoded"}
        path = "/studio/account/end-others"
        answer = await ada.http.post(path, content=form, headers=kind | headers)
        assert answer.status_code in (400, 403)
        assert (await other.get("/account")).status_code == 200
        # Without them it would have.
        assert (await ada.http.post(path, content=form, headers=kind)).status_code == 303
        assert (await other.get("/account")).status_code == 401


async def test_what_a_form_came_to_is_said_once_on_its_page_and_to_nobody_else(
    studio: Studio,
) -> None:
    async with studio.person("ada") as ada, studio.person("ben") as ben:
        answer = await ada.http.post("/studio/account/end-others", data={"key": "said-1"})
        assert answer.headers["location"] == "/studio/account"
        cookie = answer.headers["set-cookie"].partition(";")[0]
        name, _, value = cookie.partition("=")
        sentence = "You are signed out everywhere else."
        assert sentence not in (await ada.http.get(HOME)).text
        assert sentence in (await ada.http.get("/studio/account")).text
        assert sentence not in (await ada.http.get("/studio/account")).text
        # Neither another's nor a changed one is believed.
        for laid in (value, f"x{value}", "bm9uc2Vuc2U.0", ".", "ä"):
            laid_there = f"{name}={laid}; maker-{name[5:]}={ben.cookie('maker')}".encode("latin-1")
            page = await ben.http.get("/studio/account", headers=[(b"cookie", laid_there)])
            assert page.status_code == 200
            assert 'class="said"' not in page.text


async def test_who_signs_in_comes_to_the_page_he_wanted(studio: Studio) -> None:
    async with studio.stranger() as hand:
        page = await hand.http.get("/studio/account")
        assert page.headers["location"] == "/studio/sign-in?to=/studio/account"
        form = {"name": "ada", "password": PASSWORD, "to": "/studio/account"}
        answer = await hand.http.post("/studio/sign-in", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/studio/account")


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example",
        "https://evil.example",
        "/studio//evil.example",
        "/studio@evil.example",
        "/studio.evil.example",
        "/studio/../drops",
        "/studio/%2e%2e/",
        "/studio\\evil",
        "/studio/account\r\nset-cookie: a=b",
        "javascript:alert(1)",
        "/studio/sign-in",
        "",
    ],
)
async def test_signing_in_leads_nowhere_but_into_the_studio(studio: Studio, wanted: str) -> None:
    assert back(wanted) == HOME
    async with studio.stranger() as hand:
        form = {"name": "ada", "password": PASSWORD, "to": wanted}
        answer = await hand.http.post("/studio/sign-in", data=form)
        assert answer.status_code == 303
        assert answer.headers["location"] == HOME
        shown = await hand.http.get("/studio/sign-in", params={"to": wanted})
        assert f'id="to" value="{HOME}"' in shown.text


async def test_the_home_shows_ones_own_drops_and_no_others(studio: Studio) -> None:
    async with studio.person("ada") as ada, studio.person("dan") as dan:
        drop = await studio.publish(ada)
        assert f'href="/studio/drops/{drop}"' in (await ada.http.get(HOME)).text
        theirs = (await dan.http.get(HOME)).text
        assert drop not in theirs
        assert "Potters" in theirs


async def test_a_drop_says_how_many_want_to_be_told_and_not_who(studio: Studio) -> None:
    def wanted(sql: Connection) -> None:
        for name in ("told-one", "told-two"):
            one = persons.make(sql, name, f"{name}@example.org", 1)
            interests.begin(sql, one.id, What.DROP, drop, 1)
        interests.begin(sql, one.id, What.MAKER, studio.lamps.id, 1)

    async with studio.person("ada") as ada:
        drop = await studio.publish(ada)
        await studio.web.runtime.database.write(wanted)
        page = (await ada.http.get(f"/studio/drops/{drop}")).text
        assert "2 by mail, 0 on a browser" in page
        assert "1 by mail, 0 on a browser" in page
        assert "example.org" not in page


async def test_no_page_of_the_panel_can_be_framed(studio: Studio) -> None:
    async with studio.person("ada") as ada:
        for path in (HOME, "/studio/account", "/studio/nowhere"):
            page = await ada.http.get(path)
            if page.status_code == 200:
                assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
                assert page.headers["x-frame-options"] == "DENY"
