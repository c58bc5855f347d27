"""Signing in and out, one-time links, sessions, keys, roles: each does what it says."""

from __future__ import annotations

import asyncio
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection

from dropengine.people import accounts, links, sessions
from dropengine.people.links import Kind
from dropengine.people.roles import Role, Scope
from dropengine.sql.schema.people import LINKS, SESSIONS
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.laid_tables import lay
from tests.kit.private_server import Server
from tests.kit.studio import PASSWORD, Hand, Studio, opened
from tests.kit.web_process import settings

server = web_process.server
studio = studio_kit.studio

HOUR_MS = 3_600_000


async def tries(hand: Hand, name: str, word: str = "guessed") -> tuple[int, str]:
    answer = await hand.post("/sign-in", {"name": name, "password": word})
    return answer.status_code, answer.json().get("code", "")


async def test_who_signed_in_is_who_he_is_until_he_signs_out(studio: Studio) -> None:
    async with studio.person("Ada") as ada:
        me = (await ada.get("/account")).json()
        assert (me["name"], me["password"], me["passkeys"]) == ("ada", True, [])
        assert [(one["short"], one["may"]) for one in me["makers"]] == [("lamps", "manage")]
        kept = ada.cookie("maker")
        assert (await ada.post("/sign-out")).status_code == 200
        assert ada.cookie("maker") == ""
        assert (await ada.get("/account")).status_code == 401
        ada.http.headers["cookie"] = f"maker-{studio.web.runtime.shop[:8]}={kept}"
        assert (await ada.get("/account")).status_code == 401


async def test_a_cookie_is_out_of_reach_of_scripts_and_other_sites(
    server: Server, tmp_path: Path
) -> None:
    conf = settings(server.url, tmp_path, public_url="https://lamps.example")
    async with opened(conf) as secure, secure.stranger() as hand:
        hand.http.headers.update({"origin": "https://lamps.example", "host": "lamps.example"})
        answer = await hand.post("/sign-in", {"name": "ada", "password": PASSWORD})
        cookies = answer.headers.get_list("set-cookie")
        assert len(cookies) == 2
        for cookie in cookies:
            name, _, rest = cookie.partition("=")
            assert name.startswith("__Host-")
            for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
                assert word in rest
            assert "Domain" not in rest


async def test_a_set_up_link_is_looked_at_often_and_spent_once(
    server: Server, tmp_path: Path
) -> None:
    async with opened(settings(server.url, tmp_path)) as one, one.stranger() as hand:
        secret = await one.link()
        page = f"/studio/links/{secret}"
        for _ in range(3):
            assert (await hand.http.get(page)).status_code == 200
        form = {"name": "eve", "password": "long enough a word"}
        answers = await asyncio.gather(
            *(hand.http.post(page, data=form | {"name": f"eve{i}"}) for i in range(4))
        )
        assert sorted(answer.status_code for answer in answers) == [303, 404, 404, 404]
        assert (await hand.http.get(page)).status_code == 404
        again = await hand.post("/links/spend", {"token": secret, **form})
        assert (again.status_code, again.json()["code"]) == (404, "not_found")
        counted = await one.web.runtime.database.read(accounts.count)
        assert counted == 5


async def test_a_link_is_good_for_an_hour(studio: Studio) -> None:
    secret = await studio.link()

    def older(sql: Connection) -> None:
        sql.execute(sa.update(LINKS).values(ends_ms=studio.now_ms))

    await studio.web.runtime.database.write(older)
    assert links.LIFE_MS[Kind.FIRST] == HOUR_MS
    async with studio.stranger() as hand:
        assert (await hand.http.get(f"/studio/links/{secret}")).status_code == 404


async def test_the_first_link_makes_the_first_maker_and_its_owner(
    server: Server, tmp_path: Path
) -> None:

    conf = settings(server.url, tmp_path)
    lay(conf)
    async with web_process.front(conf) as web:
        one = Studio(web, None, None)  # type: ignore[arg-type]
        async with one.stranger() as hand:
            page = f"/studio/links/{await one.link()}"
            wrong = await hand.http.post(page, data={"name": "mia", "password": "short"})
            assert wrong.status_code == 400
            assert "10 to 256 characters" in wrong.text
            form = {"name": "Mia", "password": "long enough a word", "maker": "Möbel & Co"}
            made = await hand.http.post(page, data=form)
            assert (made.status_code, made.headers["location"]) == (303, "/studio")
            home = await hand.http.get("/studio")
            assert "M\u00f6bel &amp; Co" in home.text
            me = (await hand.get("/account")).json()
            assert me["name"] == "mia"
            (maker,) = me["makers"]
            assert (maker["short"], maker["may"]) == ("mbelco", "manage")


async def test_an_invitation_gives_its_role_and_nothing_more(studio: Studio) -> None:
    async with studio.person("ada") as ada, studio.stranger() as hand:
        path = f"/makers/{studio.lamps.id}/invitations"
        made = await ada.post(path, {"role": "viewer"}, again="invite-once")
        address = made.json()["address"]
        assert f"localhost:{studio.web.port}/studio/links/" in address
        repeat = await ada.post(path, {"role": "viewer"}, again="invite-once")
        assert repeat.json() == {"invitation": made.json()["invitation"]}
        token = address.rpartition("/")[2]
        body = {"token": token, "name": "flo", "password": "long enough a word"}
        assert (await hand.post("/links/spend", body)).status_code == 200
        (maker,) = (await hand.get("/account")).json()["makers"]
        assert (maker["short"], maker["may"]) == ("lamps", "read")
        members = (await ada.get(f"/makers/{studio.lamps.id}/members")).json()
        assert {"flo": "viewer"}.items() <= {one["name"]: one["role"] for one in members}.items()


async def test_an_invitation_takes_nothing_from_who_is_more(studio: Studio) -> None:
    async with studio.person("ada") as ada, studio.person("ben") as ben:
        path = f"/makers/{studio.lamps.id}/invitations"
        made = await ada.post(path, {"role": "viewer"})
        token = made.json()["address"].rpartition("/")[2]
        joined = await ben.post("/invitations/accept", {"token": token})
        assert joined.json()["may"] == "run"
        again = await ben.post("/invitations/accept", {"token": token})
        assert again.status_code == 404


async def test_an_invitation_that_was_withdrawn_lets_nobody_in(studio: Studio) -> None:
    async with studio.person("ada") as ada, studio.person("dan") as dan:
        path = f"/makers/{studio.lamps.id}/invitations"
        made = (await ada.post(path, {"role": "owner"})).json()
        gone = f"{path}/{made['invitation']['id']}"
        assert (await ada.send("DELETE", gone)).status_code == 200
        token = made["address"].rpartition("/")[2]
        answer = await dan.post("/invitations/accept", {"token": token})
        assert answer.status_code == 404
        page = await dan.http.get(f"/studio/links/{token}")
        assert page.status_code == 404


async def test_a_link_back_in_ends_every_session_and_sets_new_proof(
    server: Server, tmp_path: Path
) -> None:
    async with opened(settings(server.url, tmp_path)) as one, one.person("ada") as ada:
        secret = await one.link(Kind.BACK, account="id-ada")
        async with one.stranger() as hand:
            form = {"password": "another good sentence"}
            done = await hand.http.post(f"/studio/links/{secret}", data=form)
            assert done.status_code == 303
            assert (await hand.get("/account")).json()["name"] == "ada"
            assert (await ada.get("/account")).status_code == 401
            assert await tries(ada, "ada", PASSWORD) == (401, "sign_in")
            assert await tries(ada, "ada", "another good sentence") == (200, "")


async def test_a_name_that_is_taken_spends_no_link(studio: Studio) -> None:
    secret = await studio.link(Kind.INVITE, maker=studio.lamps.id, role=Role.VIEWER)
    async with studio.stranger() as hand:
        for name in ("ADA", "clock"):
            body = {"token": secret, "name": name, "password": "long enough a word"}
            answer = await hand.post("/links/spend", body)
            assert (answer.status_code, answer.json()["code"]) == (409, "exists")
        assert (await hand.http.get(f"/studio/links/{secret}")).status_code == 200


async def test_a_session_is_seen_and_ended_by_its_person_alone(studio: Studio) -> None:
    async with studio.person("ada") as here, studio.person("ada") as there:
        async with studio.person("dan") as dan:
            listed = (await here.get("/account/sessions")).json()
            mine = next(one for one in listed if one["mine"])
            other = next(one for one in listed if not one["mine"])
            for session in (mine["id"], other["id"]):
                answer = await dan.send("DELETE", f"/account/sessions/{session}")
                assert answer.status_code == 404
        assert (await here.post("/account/sessions/end-others")).status_code == 200
        assert (await there.get("/account")).status_code == 401
        left = (await here.get("/account/sessions")).json()
        assert [one["id"] for one in left] == [mine["id"]]
        assert (await here.send("DELETE", f"/account/sessions/{mine['id']}")).status_code == 200
        assert (await here.get("/account")).status_code == 401


async def test_a_session_that_nobody_uses_ends(studio: Studio) -> None:
    async with studio.person("ben") as ben:

        def older(sql: Connection) -> None:
            long_ago = studio.now_ms - sessions.LIFE_MS - 1
            sql.execute(sa.update(SESSIONS).values(seen_ms=long_ago))

        await studio.web.runtime.database.write(older)
        assert (await ben.get("/account")).status_code == 401


async def test_a_key_that_was_revoked_proves_nothing(studio: Studio) -> None:
    async with studio.person("ada") as ada:
        path = f"/makers/{studio.lamps.id}/keys"
        made = (await ada.post(path, {"label": "till", "scope": "run"})).json()
        async with studio.program(made["secret"]) as till:
            assert (await till.get("/makers")).json()[0]["may"] == "run"
            await ada.send("DELETE", f"{path}/{made['key']['id']}")
            assert (await till.get("/makers")).status_code == 401


async def test_a_role_that_was_taken_away_is_gone_at_once(studio: Studio) -> None:
    async with studio.person("ada") as ada:
        token = await studio.link(Kind.INVITE, maker=studio.lamps.id, role=Role.OPERATOR)
        async with studio.stranger() as gus:
            body = {"token": token, "name": "gus", "password": "long enough a word"}
            account = (await gus.post("/links/spend", body)).json()["account"]
            drop = await studio.publish(gus)
            member = f"/makers/{studio.lamps.id}/members/{account}"
            await ada.send("PATCH", member, {"role": "viewer"})
            answer = await gus.post(f"/drops/{drop}/open", {"revision": 1})
            assert answer.status_code == 403
            await ada.send("DELETE", member)
            assert (await gus.get(f"/drops/{drop}")).status_code == 404


async def test_the_last_owner_stays(studio: Studio) -> None:
    async with studio.person("dan") as dan:
        member = f"/makers/{studio.pots.id}/members/id-dan"
        for method, body in (("PATCH", {"role": "viewer"}), ("DELETE", None)):
            answer = await dan.send(method, member, body)
            assert (answer.status_code, answer.json()["code"]) == (409, "exists")


async def test_a_change_under_one_key_happens_once_and_its_secret_is_told_once(
    studio: Studio,
) -> None:
    async with studio.person("ada") as ada:
        path = f"/makers/{studio.lamps.id}/keys"
        body = {"label": "twice", "scope": "read"}
        first = await ada.post(path, body, again="a-key-once")
        again = await ada.post(path, body, again="a-key-once")
        assert first.json()["secret"].startswith("dropkey_read_")
        assert again.json() == {"key": first.json()["key"]}
        other = await ada.post(path, {**body, "scope": "run"}, again="a-key-once")
        assert (other.status_code, other.json()["code"]) == (409, "key_reused")
        listed = (await ada.get(path)).json()
        assert [one["label"] for one in listed].count("twice") == 1
        # The same key of somebody else is another key.
        async with studio.person("dan") as dan:
            at_home = f"/makers/{studio.pots.id}/keys"
            assert (await dan.post(at_home, body, again="a-key-once")).status_code == 200


async def test_where_sql_is_away_the_doors_say_so_and_fans_go_on_buying(
    server: Server, tmp_path: Path
) -> None:
    """Its tables are of another version: nothing can be asked of it."""
    async with opened(settings(server.url, tmp_path)) as one:
        sale = await one.web.sale()
        secret = await one.api_key(Scope.RUN)

        def spoil(sql: Connection) -> None:
            sql.execute(sa.text("DROP TABLE sessions"))
            sql.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

        await one.web.runtime.database.write(spoil)
        one.web.runtime.database._fits = False
        async with one.program(secret) as till, one.stranger() as hand:
            for answer in (
                await till.get("/drops"),
                await hand.post("/sign-in", {"name": "ada", "password": PASSWORD}),
            ):
                assert (answer.status_code, answer.json()["code"]) == (503, "away")
                assert "Sales go on" in answer.json()["title"]
                assert int(answer.headers["retry-after"]) >= 1
            page = await hand.http.get("/studio")
            assert page.status_code == 503
            assert "Sales go on" in page.text
        _, ticket = one.web.ticket()
        async with one.web.http(ticket) as fan:
            held = await fan.post(f"/api/drops/{sale.drop}/hold", json={"pool": "pin"})
            assert held.status_code == 200
