"""Every id that somebody can name, in an address or in a body, is none unless it is his own."""

from __future__ import annotations

import re

import pytest

from dropengine.doors.access import CREATORS, PANEL, STUDIO, Row
from dropengine.mail import makers_letters, outbox
from dropengine.people.links import Kind
from dropengine.people.roles import Role, Scope
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.studio import Hand, Studio, new_draft
from tests.kit.web_process import key

server = web_process.server
studio = studio_kit.studio

TRIED = {
    *("maker", "drop", "account", "invitation", "api_key", "session", "passkey"),
    *("draft", "order", "rehearsal", "letter", "cohort", "mission"),
}


def test_every_id_of_an_address_is_tried_here() -> None:
    named = {part for row in (*CREATORS, *PANEL) for part in re.findall(r"{(\w+)}", row.path)}
    assert named == TRIED


async def mine_and_theirs(studio: Studio, ada: Hand) -> dict[str, str]:
    """What is ada's or her maker's, by the names of addresses."""
    path = f"/makers/{studio.lamps.id}"
    keys = (await ada.get(f"{path}/keys")).json()
    if not keys:
        # One for all rows: a maker has so many and no more.
        made = await ada.post(f"{path}/keys", {"label": "till", "scope": "read"})
        keys = [made.json()["key"]]
    invited = (await ada.post(f"{path}/invitations", {"role": "viewer"})).json()
    here = next(one for one in (await ada.get("/account/sessions")).json() if one["mine"])
    return {
        "maker": studio.lamps.id,
        "drop": await studio.publish(ada),
        "account": "id-ben",
        "invitation": invited["invitation"]["id"],
        "api_key": keys[0]["id"],
        "session": here["id"],
        "passkey": "no-passkey-here",
        "cohort": "club",
        "mission": "word",
    }


@pytest.mark.parametrize(
    "row",
    [row for row in CREATORS if "{" in row.path],
    ids=lambda row: f"{row.method} {row.path.removeprefix('/api/studio')}",
)
async def test_an_id_of_others_is_answered_as_one_that_is_none(studio: Studio, row: Row) -> None:
    """Once in its own address, and, where a maker stands before it, once at one's own maker."""
    async with studio.person("ada") as ada, studio.person("dan") as dan:
        theirs = await mine_and_theirs(studio, ada)
        nothing = dict.fromkeys(theirs, "0" * 18) | {"drop": "no-such-drop"}
        homes = [theirs]
        if "{maker}" in row.path and row.path.count("{") > 1:
            homes.append(theirs | {"maker": studio.pots.id})
        for parts in homes:
            answers = []
            for named in (parts, nothing | {"maker": parts["maker"]}):
                path = row.path.removeprefix(STUDIO).format(**named)
                body = {"role": "viewer"} if row.method in ("PATCH", "POST") else None
                answer = await (
                    dan.get(path) if row.method == "GET" else dan.send(row.method, path, body)
                )
                answers.append((answer.status_code, answer.content))
            assert answers[0] == answers[1]
            assert answers[0][0] == 404, answers
        # And it is there still.
        assert (await ada.get("/account")).status_code == 200
        assert (await ada.get(f"/drops/{theirs['drop']}")).json()["state"] == "scheduled"
        listed = (await ada.get(f"/makers/{studio.lamps.id}/keys")).json()
        assert theirs["api_key"] in {one["id"] for one in listed}


async def letter_to(studio: Studio, account: str) -> str:
    """A letter to somebody; its id."""
    one = makers_letters.confirm(
        account, "ada", "ada@example.org", "s", "https://pins.example", studio.now_ms
    )
    await studio.web.runtime.database.write(lambda sql: outbox.put(sql, one))
    return one.id


@pytest.mark.parametrize(
    "row", [row for row in PANEL if "{" in row.path], ids=lambda row: f"{row.method} {row.path}"
)
async def test_a_page_of_others_is_one_that_is_none(studio: Studio, row: Row) -> None:
    async with studio.person("ada") as ada, studio.person("dan") as dan:
        theirs = {
            "maker": studio.lamps.id,
            "drop": await studio.publish(ada),
            "draft": await new_draft(ada, studio.lamps),
            "order": "h1",
            "rehearsal": "no-rehearsal-here",
            "letter": await letter_to(studio, "id-ada"),
            "cohort": "club",
            "mission": "word",
        }
        if not set(re.findall(r"{(\w+)}", row.path)) <= theirs.keys():
            theirs = await mine_and_theirs(studio, ada) | theirs
        nothing = dict.fromkeys(theirs, "0" * 18) | {"drop": "no-such-drop"}
        form = {"key": key()} if row.method == "POST" else None
        heard = []
        for parts in (theirs, nothing):
            path = row.path.format(**parts)
            answer = await dan.http.request(row.method, path, data=form)
            heard.append((answer.status_code, answer.content))
        assert heard[0] == heard[1]
        assert heard[0][0] == 404
        assert (await ada.get(f"/drops/{theirs['drop']}")).json()["state"] == "scheduled"
        assert (await ada.http.get(f"/studio/drafts/{theirs['draft']}")).status_code == 200
        assert (await ada.http.get(f"/studio/letters/{theirs['letter']}")).status_code == 200


async def test_ids_in_a_body_reach_no_further(studio: Studio) -> None:
    """Orders and duties are of the drop of the address; the same ids there are other things."""
    async with studio.person("ada") as ada, studio.person("dan") as dan:
        theirs, his = await studio.publish(ada), await studio.publish(dan, maker=studio.pots)
        store = studio.web.runtime.store
        await ada.post(f"/drops/{theirs}/open", {"revision": 1})
        _, ticket = studio.web.ticket()
        async with studio.web.http(ticket) as http:
            held = await http.post(f"/api/drops/{theirs}/hold", json={"pool": "pin", "key": key()})
            hold = held.json()["hold"]["id"]
        await store.succeeded(theirs, hold, f"paid-{theirs}", 1200, "EUR", True)  # type: ignore[arg-type]
        (order,) = (await ada.get(f"/drops/{theirs}/orders")).json()["rows"]
        for drop in (theirs, his):
            for body in ({"order": order["number"]}, {"order": order["id"]}):
                answer = await dan.post(f"/drops/{drop}/refund", body)
                assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
            duty = {"id": f"refund:paid-{theirs}", "as": "given_up"}
            assert (await dan.post(f"/drops/{drop}/duty", duty)).status_code == 404
        (order,) = (await ada.get(f"/drops/{theirs}/orders")).json()["rows"]
        assert order["state"] in ("paid", "done")


async def test_cursors_of_others_show_nothing(studio: Studio) -> None:
    async with studio.person("ada") as ada, studio.person("dan") as dan:
        theirs = await studio.publish(ada)
        his = await studio.publish(dan, maker=studio.pots)
        rows = (await ada.get(f"/makers/{studio.lamps.id}/audit")).json()["rows"]
        before = await dan.get(f"/makers/{studio.pots.id}/audit?before={rows[0]['id']}f")
        assert {row["maker"] for row in before.json()["rows"]} <= {studio.pots.id}
        assert (await dan.get(f"/drops?maker={studio.lamps.id}")).json()["drops"] == []
        for after in (theirs, his, "no-such-drop"):
            found = (await dan.get(f"/drops?after={after}")).json()["drops"]
            assert {one["maker"] for one in found} <= {studio.pots.id}


async def test_a_key_of_one_maker_is_none_at_another_whatever_its_scope(studio: Studio) -> None:
    async with studio.person("ada") as ada:
        theirs = await mine_and_theirs(studio, ada)
        for scope in Scope:
            async with studio.program(await studio.api_key(scope, studio.pots)) as program:
                for path in (
                    f"/drops/{theirs['drop']}",
                    f"/drops/{theirs['drop']}/report",
                    f"/makers/{theirs['maker']}",
                    f"/makers/{theirs['maker']}/audit",
                ):
                    assert (await program.get(path)).status_code == 404
                assert [one["short"] for one in (await program.get("/makers")).json()] == ["pots"]


async def test_an_invitation_of_one_maker_opens_no_other(studio: Studio) -> None:
    """What a link gives stands in the link, not in what is sent with it."""
    token = await studio.link(Kind.INVITE, maker=studio.lamps.id, role=Role.VIEWER)
    async with studio.stranger() as eve:
        body = {"token": token, "name": "eve", "password": "long enough a word"}
        more = {"maker": "Mine", "short": "pots"}
        assert (await eve.post("/links/spend", {**body, **more})).status_code == 200
        makers = (await eve.get("/makers")).json()
        assert [(one["id"], one["may"]) for one in makers] == [(studio.lamps.id, "read")]
        assert (await eve.get(f"/makers/{studio.pots.id}")).status_code == 404
