"""What can be used against somebody is changed only by who proved lately that it is he."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from dropengine.doors.access import CREATORS, PANEL, STUDIO, TABLE, Row, Who
from dropengine.doors.studio.studio_answers import PROVE_AGAIN
from dropengine.people.roles import Scope
from dropengine.sql.schema.people import SESSIONS
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.studio import PASSWORD, Hand, Studio

server = web_process.server
studio = studio_kit.studio

FRESH = [row for row in CREATORS if row.fresh]
each_door = pytest.mark.parametrize("row", FRESH, ids=lambda row: f"{row.method} {row.path}")


def test_these_doors_want_a_fresh_proof() -> None:
    assert {f"{row.method} {row.path.removeprefix(STUDIO)}" for row in FRESH} == {
        "POST /account/password",
        "POST /account/passkeys/challenge",
        "POST /account/passkeys",
        "DELETE /account/passkeys/{passkey}",
        "POST /account/mail",
        "DELETE /account/mail",
        "DELETE /account/sessions/{session}",
        "POST /account/sessions/end-others",
        "PATCH /makers/{maker}/members/{account}",
        "DELETE /makers/{maker}/members/{account}",
        "POST /makers/{maker}/invitations",
        "POST /makers/{maker}/keys",
    }


PROVING = re.compile(
    r"/(keys|members|invitations|passkeys?|password|sessions|end-others)\b|/account/mail(/remove)?$"
)
TAKES_BACK = {
    "POST /api/studio/invitations/accept",
    "DELETE /api/studio/makers/{maker}/invitations/{invitation}",
    "DELETE /api/studio/makers/{maker}/keys/{api_key}",
    "POST /studio/makers/{maker}/invitations/{invitation}/withdraw",
    "POST /studio/makers/{maker}/keys/{api_key}/revoke",
}
"""What lets nobody further in needs none."""


def test_whatever_changes_a_proof_or_a_role_wants_one_by_api_and_panel() -> None:
    """A page of the panel that is made later, too."""
    for row in TABLE.values():
        named = f"{row.method} {row.path}"
        if row.method != "GET" and row.who is not Who.ANYBODY and PROVING.search(row.path):
            assert row.fresh != (named in TAKES_BACK), named


async def age(studio: Studio, account: str, *, by_s: int) -> None:
    """All sessions of somebody began that much earlier."""
    here = SESSIONS.c.account == f"id-{account}"

    def older(sql: Connection) -> None:
        earlier = SESSIONS.c.since_ms - by_s * 1000
        sql.execute(sa.update(SESSIONS).where(here).values(since_ms=earlier))

    await studio.web.runtime.database.write(older)


async def asked(studio: Studio, hand: Hand, row: Row, again: str) -> tuple[int, dict[str, object]]:
    parts = {"maker": studio.lamps.id, "account": "id-nobody"}
    path = re.sub(r"{(\w+)}", lambda part: parts.get(part[1], "0" * 18), row.path)
    body = {"nothing": "of the kind"} if row.method in ("POST", "PATCH") else None
    answer = await hand.send(row.method, path.removeprefix(STUDIO), body, again=again)
    return answer.status_code, answer.json()


@each_door
async def test_an_old_proof_is_asked_for_again_and_a_new_one_goes_on(
    studio: Studio, row: Row
) -> None:
    if row.path.endswith("/end-others"):
        # It would end the sessions of the module's other tests; it has one below.
        return
    most = studio.web.runtime.settings.proof_s_max
    again = f"fresh {row.path}".translate(str.maketrans("/ {}", "----"))
    async with studio.person("ada") as ada:
        await age(studio, "ada", by_s=most - 30)
        code, told = await asked(studio, ada, row, again)
        assert code != 401, told
        await age(studio, "ada", by_s=31)
        code, told = await asked(studio, ada, row, again)
        assert (code, told["code"]) == (401, "sign_in")
        assert (told["title"], told["proof_s_max"]) == (PROVE_AGAIN, most)
        # He is signed in still, for all else.
        assert (await ada.get("/account")).status_code == 200
        before = ada.cookie("maker")
        await ada.post("/sign-in", {"name": "ada", "password": PASSWORD})
        assert ada.cookie("maker") != before
        code, told = await asked(studio, ada, row, again)
        assert code != 401, told


async def test_what_was_refused_for_an_old_proof_is_done_under_the_same_key(
    studio: Studio,
) -> None:
    async with studio.person("ada") as ada:
        await age(studio, "ada", by_s=86_400)
        path, body = f"/makers/{studio.lamps.id}/keys", {"label": "old", "scope": "read"}
        assert (await ada.post(path, body, again="stale-key")).status_code == 401
        labels = [one["label"] for one in (await ada.get(path)).json()]
        assert "old" not in labels
        await ada.post("/sign-in", {"name": "ada", "password": PASSWORD})
        made = await ada.post(path, body, again="stale-key")
        assert (made.status_code, made.json()["key"]["label"]) == (200, "old")


async def test_a_browser_that_was_left_open_ends_no_other_session(studio: Studio) -> None:
    async with studio.person("ben") as ben, studio.person("ben") as elsewhere:
        await age(studio, "ben", by_s=86_400)
        assert (await ben.post("/account/sessions/end-others")).status_code == 401
        assert (await elsewhere.get("/account")).status_code == 200
        # Its own it may end at any time.
        assert (await ben.post("/sign-out")).status_code == 200


async def test_a_form_of_the_panel_asks_alike(studio: Studio) -> None:
    assert {row.path for row in PANEL if row.fresh} == {
        "/studio/account/end-others",
        "/studio/account/password",
        "/studio/account/passkeys",
        "/studio/account/passkeys/{passkey}/remove",
        "/studio/account/mail",
        "/studio/account/mail/remove",
        "/studio/makers/{maker}/members/{account}",
        "/studio/makers/{maker}/invitations",
        "/studio/makers/{maker}/keys",
    }
    async with studio.person("ben") as ben, studio.person("ben") as elsewhere:
        await age(studio, "ben", by_s=86_400)
        form = {"key": "end-others-by-form"}
        asked_again = await ben.http.post("/studio/account/end-others", data=form)
        assert asked_again.status_code == 401
        assert "Is it still you?" in asked_again.text
        assert (await elsewhere.get("/account")).status_code == 200
        await ben.post("/sign-in", {"name": "ben", "password": PASSWORD})
        done = await ben.http.post("/studio/account/end-others", data=form)
        assert done.status_code == 303
        assert (await elsewhere.get("/account")).status_code == 401


async def test_a_role_is_asked_for_before_a_proof(studio: Studio) -> None:
    """Who may not anyway is not sent to sign in again."""
    async with studio.person("cyd") as cyd, studio.person("dan") as dan:
        for name in ("cyd", "dan"):
            await age(studio, name, by_s=86_400)
        path, body = f"/makers/{studio.lamps.id}/keys", {"label": "x", "scope": "read"}
        assert (await cyd.post(path, body)).status_code == 403
        assert (await dan.post(path, body)).status_code == 404


async def test_a_key_proves_itself_each_time_and_makes_nobody_an_owner(studio: Studio) -> None:
    assert {row.who for row in FRESH} == {Who.PERSON, Who.MANAGE, Who.OWNER}
    secret = await studio.api_key(Scope.MANAGE)
    async with studio.program(secret) as program:
        member = f"/makers/{studio.lamps.id}/members/id-cyd"
        assert (await program.send("PATCH", member, {"role": "viewer"})).status_code == 200
        made = await program.send("PATCH", member, {"role": "owner"})
        assert (made.status_code, made.json()["code"]) == (403, "not_eligible")
        assert "No key makes somebody an owner" in made.json()["title"]
        for path in ("keys", "invitations"):
            body = {"label": "x", "scope": "read"} if path == "keys" else {"role": "viewer"}
            answer = await program.post(f"/makers/{studio.lamps.id}/{path}", body)
            assert answer.status_code == 403
