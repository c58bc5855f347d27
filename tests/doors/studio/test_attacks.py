"""Attacks: guesses, sessions laid ready, forms of other sites, floods, secrets, ids of others."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from dropengine import refusals
from dropengine.doors.gate import NOT_OURS
from dropengine.sql.schema import METADATA
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.private_server import Server
from tests.kit.studio import PASSWORD, Hand, Studio, opened
from tests.kit.web_process import settings

server = web_process.server
studio = studio_kit.studio

TRIES = 3
HOUR_MS = 3_600_000


async def tries(hand: Hand, name: str, word: str = "guessed") -> tuple[int, str]:
    answer = await hand.post("/sign-in", {"name": name, "password": word})
    return answer.status_code, answer.json().get("code", "")


@pytest.fixture
async def strict(server: Server, tmp_path: Path) -> AsyncIterator[Studio]:
    """Where three tries are all there are for an hour; twelve from one network. Callers behind the
    proxy of this machine say where they come from."""
    few = {"sign_ins_at_once_max": TRIES, "sign_in_each_ms": HOUR_MS}
    conf = settings(server.url, tmp_path, forwarded_allow_ips=("127.0.0.1",), **few)
    async with opened(conf) as one:
        yield one


def near(i: int) -> dict[str, str]:
    """A network of its own."""
    return {"x-forwarded-for": f"10.{i}.0.1"}


async def test_a_wrong_password_and_a_name_that_is_none_are_answered_alike(
    studio: Studio,
) -> None:
    async with studio.stranger() as hand:
        known = await hand.post("/sign-in", {"name": "ada", "password": "wrong"})
        unknown = await hand.post("/sign-in", {"name": "nobody", "password": "wrong"})
        assert known.status_code == unknown.status_code == 401
        assert known.content == unknown.content
        assert not hand.http.cookies


async def test_a_brute_force_is_stopped_alike_at_an_account_and_at_none(strict: Studio) -> None:
    """Each guess comes from a network of its own, and the wide network around them differs too."""
    heard: dict[str, list[tuple[int, str]]] = {}
    for name in ("ada", "nobody"):
        heard[name] = []
        for i in range(TRIES * 4 + 3):
            async with strict.stranger(**near(i)) as guesser:
                heard[name].append(await tries(guesser, name))
    assert heard["ada"] == heard["nobody"]
    assert heard["ada"][: TRIES * 4] == [(401, "sign_in")] * TRIES * 4
    assert heard["ada"][TRIES * 4 :] == [(429, "too_many_requests")] * 3
    # Not even the right password, from where ada never was.
    async with strict.stranger(**near(99)) as guesser:
        assert await tries(guesser, "ada", PASSWORD) == (429, "too_many_requests")


async def test_who_guesses_does_not_lock_the_owners_own_browser_out(strict: Studio) -> None:
    async with strict.person("ada", **near(50)) as ada:
        await ada.post("/sign-out")
        for i in range(TRIES * 4 + 1):
            async with strict.stranger(**near(i)) as guesser:
                await tries(guesser, "ada")
        # From a network where she never was, with the browser that she had before.
        ada.http.headers.update(near(51))
        assert await tries(ada, "ada", PASSWORD) == (200, "")
    # And from the network that she came from before, with a browser that nobody knows.
    async with strict.stranger(**near(50)) as other:
        assert await tries(other, "ada", PASSWORD) == (200, "")


async def test_beside_the_owner_a_name_that_is_none_is_answered_alike(strict: Studio) -> None:
    """Whoever sits in the same network learns of no account by how often he may try at it."""
    async with strict.person("ada", **near(50)) as ada:
        await ada.post("/sign-out")
        # She came there by one try; somebody who has no account tried once as well.
        await tries(ada, "nobody")
    for at in (50, 51):
        heard = {}
        for name in ("ada", "nobody"):
            async with strict.stranger(**near(at)) as guesser:
                heard[name] = [await tries(guesser, name) for _ in range(TRIES + 1)]
        assert heard["ada"] == heard["nobody"]
        assert heard["ada"][-1] == (429, "too_many_requests")


async def test_a_known_browser_has_so_many_tries_and_no_more(strict: Studio) -> None:
    """Whoever steals a device cookie gets no more guesses by it."""
    async with strict.person("ada", **near(50)) as ada:
        await ada.post("/sign-out")
        heard = [await tries(ada, "ada") for _ in range(TRIES + 1)]
        assert heard == [(401, "sign_in")] * TRIES + [(429, "too_many_requests")]


async def test_a_device_cookie_of_another_account_helps_nobody(strict: Studio) -> None:
    async with strict.person("dan", **near(60)) as dan:
        await dan.post("/sign-out")
        for i in range(TRIES * 4):
            async with strict.stranger(**near(i)) as guesser:
                await tries(guesser, "ada")
        assert await tries(dan, "ada", PASSWORD) == (429, "too_many_requests")


async def test_one_network_may_try_so_often_whatever_the_names(strict: Studio) -> None:
    async with strict.stranger(**near(7)) as guesser:
        heard = [await tries(guesser, f"name{i}") for i in range(TRIES * 4 + 2)]
    assert [code for _, code in heard] == ["sign_in"] * TRIES * 4 + ["too_many_requests"] * 2


async def test_nothing_laid_ready_before_becomes_a_session(studio: Studio) -> None:
    """Session fixation: whatever cookie a browser brings, signing in makes a new one, and the
    session that it brought is over."""
    shop = studio.web.runtime.shop[:8]
    async with studio.person("dan") as dan:
        planted = dan.cookie("maker")
        for laid in (planted, "chosen-by-somebody-else"):
            cookie = f"maker-{shop}={laid}"
            async with studio.stranger(cookie=cookie) as victim:
                answer = await victim.post("/sign-in", {"name": "ada", "password": PASSWORD})
                fresh = re.search(rf"maker-{shop}=([^;]+)", answer.headers["set-cookie"])
                assert fresh is not None
                assert fresh[1] not in (planted, laid)
            async with studio.stranger(cookie=cookie) as attacker:
                assert (await attacker.get("/account")).status_code == 401


CROSS = [
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
]
NOT_JSON = [
    "text/plain",
    "text/plain; charset=utf-8",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "",
]


@pytest.mark.parametrize("headers", CROSS, ids=str)
async def test_a_page_of_others_can_make_no_browser_do_anything(
    studio: Studio, headers: dict[str, str]
) -> None:
    async with studio.person("ben") as ben:
        drop = await studio.publish(ben)
        for path, body in (
            (f"/drops/{drop}/open", {"revision": 1}),
            ("/account/sessions/end-others", {}),
            ("/sign-in", {"name": "ben", "password": PASSWORD}),
        ):
            answer = await ben.post(path, body, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "not_eligible")
        assert (await ben.get(f"/drops/{drop}")).json()["state"] == "scheduled"


async def test_a_browser_that_names_no_origin_is_not_believed(studio: Studio) -> None:
    async with studio.person("ben") as ben:
        drop = await studio.publish(ben)
        del ben.http.headers["origin"]
        for path, body in (
            (f"/drops/{drop}/open", {"revision": 1}),
            ("/sign-in", {"name": "ben", "password": PASSWORD}),
        ):
            answer = await ben.post(path, body)
            assert answer.status_code == 403
            # Whoever runs drops hears an operator's sentence, no fan's.
            assert answer.json()["title"] == NOT_OURS
        form = await ben.http.post("/studio/sign-in", data={"name": "ben", "password": PASSWORD})
        assert (form.status_code, form.json()["title"]) == (403, NOT_OURS)
        fan = await ben.http.post(f"/api/drops/{drop}/hold", json={"pool": "pin"})
        assert (fan.status_code, fan.json()["title"]) == (403, refusals.SignIn.sentence)


@pytest.mark.parametrize("kind", NOT_JSON)
async def test_json_in_other_clothes_is_not_read(studio: Studio, kind: str) -> None:
    """A form of another site can send text/plain without being asked; never application/json."""
    async with studio.person("ben") as ben:
        drop = await studio.publish(ben)
        answer = await ben.post(
            f"/drops/{drop}/open", {"revision": 1}, headers={"content-type": kind}
        )
        assert (answer.status_code, answer.json()["code"]) == (415, "bad_message")
        assert (await ben.get(f"/drops/{drop}")).json()["state"] == "scheduled"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_form_of_others_signs_nobody_in_or_out(studio: Studio, site: str) -> None:
    async with studio.person("ben") as ben:
        kept = ben.cookie("maker")
        for path in ("/studio/sign-out", "/studio/sign-in"):
            form = {"name": "ada", "password": PASSWORD}
            answer = await ben.http.post(path, data=form, headers={"sec-fetch-site": site})
            assert answer.status_code == 400
        assert ben.cookie("maker") == kept
        assert (await ben.get("/account")).json()["name"] == "ben"


async def test_a_flood_of_sign_ins_waits_in_a_short_line_and_takes_no_memory_more(
    studio: Studio,
) -> None:
    """Whoever finds the line full is told to come back; no thread and no hash more is begun."""
    passwords = studio.web.runtime.passwords
    seen: list[int] = []

    async def look() -> None:
        while not done.is_set():
            seen.append(passwords._asked)
            await asyncio.sleep(0)

    done = asyncio.Event()
    async with studio.stranger() as hand:
        looking = asyncio.create_task(look())
        answers = await asyncio.gather(*(tries(hand, f"flood{i}") for i in range(90)))
        done.set()
        await looking
    assert {code for _, code in answers} <= {"sign_in", "too_many_requests"}
    assert max(seen) <= passwords._most
    assert len(passwords._threads._threads) <= 2
    async with studio.stranger() as hand:
        assert await tries(hand, "ada", PASSWORD) == (200, "")


async def test_no_secret_is_told_twice_or_stands_in_a_log_an_answer_or_the_database(
    studio: Studio, caplog: pytest.LogCaptureFixture
) -> None:
    """Canaries: every kind of secret is used, at the noisiest level, and looked for afterwards."""
    caplog.set_level(logging.DEBUG)
    canaries = {"a canary that sings for ada"}
    heard: list[str] = []
    async with studio.person("ada") as ada:
        changed = {"password": "a canary that sings for ada", "old": PASSWORD}
        answer = await ada.post("/account/password", changed)
        assert answer.status_code == 200, answer.text
        back = {"password": PASSWORD, "old": "a canary that sings for ada"}
        heard.append((await ada.post("/account/password", back)).text)
        canaries |= {ada.cookie("maker"), ada.cookie("device")}
        path = f"/makers/{studio.lamps.id}"
        made = (await ada.post(f"{path}/keys", {"label": "till", "scope": "run"})).json()
        invited = (await ada.post(f"{path}/invitations", {"role": "viewer"})).json()
        canaries |= {made["secret"], invited["address"].rpartition("/")[2]}
        async with studio.program(made["secret"]) as till:
            heard.append((await till.get("/drops")).text)
            heard.append((await till.get("/account")).text)
        async with studio.program(made["secret"] + "x") as wrong:
            heard.append((await wrong.get("/drops")).text)
        lists = [f"{path}/{shown}" for shown in ("keys", "invitations", "audit")]
        heard += [(await ada.get(one)).text for one in (*lists, "/account", "/account/sessions")]
        await ada.post("/links/spend", {"token": next(iter(canaries)), "name": "x1"})
        # The address of a link is itself a secret, and is opened and spent.
        opened_ = await ada.http.get(f"/studio/links/{invited['address'].rpartition('/')[2]}")
        assert opened_.status_code == 200
        async with studio.stranger() as zoe:
            spent = {"token": invited["address"].rpartition("/")[2], "name": "zoe"}
            heard.append((await zoe.post("/links/spend", spent)).text)
            spent["password"] = "a canary of zoe's own"
            canaries.add(spent["password"])
            heard.append((await zoe.post("/links/spend", spent)).text)
    kept = await studio.web.runtime.database.read(
        lambda sql: repr([sql.execute(sa.select(table)).all() for table in METADATA.sorted_tables])
    )
    ours = [
        one for one in caplog.records if not one.name.startswith(("httpx", "httpcore", "hpack"))
    ]
    logged = "\n".join(one.getMessage() for one in ours)
    numbers = await numbers_of(studio)
    for canary in canaries:
        assert len(canary) > 20
        for where in (*heard, kept, logged, numbers):
            assert canary not in where


async def numbers_of(studio: Studio) -> str:
    async with studio.web.http() as http:
        return (await http.get("/metrics")).text
