"""Creators command their drops over HTTP: by the revision they saw, once under a key, and noted."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dropengine.config import Settings
from dropengine.errors import Unavailable
from dropengine.manifest import DROP_ID_CHARS_MAX
from dropengine.people.roles import Scope
from dropengine.truth.store import Store
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.private_postgres import Postgres
from tests.kit.private_server import Server
from tests.kit.studio import MANIFEST, NOBODY_WAITS, Hand, Studio, new_drop, opened
from tests.kit.web_process import front, settings

server = web_process.server
studio = studio_kit.studio

AT_ONCE = 8


def sibling(studio: Studio) -> Settings:
    """Of another web process of the same shop."""
    return msgspec.structs.replace(studio.web.runtime.settings, port=0)


async def revision(hand: Hand, drop: str) -> int:
    answer = await hand.get(f"/drops/{drop}")
    assert answer.headers["etag"] == f'"{answer.json()["revision"]}"'
    return int(answer.json()["revision"])


async def test_a_drop_is_published_opened_paused_and_ended(studio: Studio) -> None:
    async with studio.person("ben") as ben:
        drop = await studio.publish(ben)
        assert drop.startswith("lamps-")
        states = []
        for verb, body in (
            ("open", {}),
            ("message", {"text": "Hello"}),
            ("withdraw", {"pool": "pin", "qty": 4}),
            ("add", {"pool": "pin", "qty": 1}),
            ("pause", {"why": "lunch"}),
            ("resume", {}),
            ("close", {}),
        ):
            seen = await revision(ben, drop)
            answer = await ben.post(f"/drops/{drop}/{verb}", {**body, "revision": seen})
            assert answer.status_code == 200, (verb, answer.text)
            states.append(answer.json()["state"])
            assert answer.json()["revision"] == seen + 1
        assert states == ["live"] * 4 + ["paused", "live", "closing"]


@pytest.mark.parametrize("said", ['"{}"', "{}", 'W/"{}"'])
async def test_the_revision_may_be_said_as_the_tag_of_the_drop(studio: Studio, said: str) -> None:
    async with studio.person("ben") as ben:
        drop = await studio.publish(ben)
        tag = said.format(await revision(ben, drop))
        answer = await ben.post(f"/drops/{drop}/open", headers={"if-match": tag})
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({}, {}),
        ({"revision": -1}, {}),
        ({"revision": "1"}, {}),
        ({"revision": 1}, {"if-match": '"2"'}),
        ({"revision": 1}, {"if-match": "*"}),
        ({"revision": 1, "more": 1}, {}),
        ({"revision": 1, "why": "a\nline"}, {}),
        ({"revision": 1}, {"idempotency-key": "not a key!"}),
        ({"revision": 1}, {"idempotency-key": ""}),
    ],
)
async def test_what_cannot_be_read_changes_nothing(
    studio: Studio, body: dict[str, Any], headers: dict[str, str]
) -> None:
    async with studio.person("ben") as ben:
        drop = await studio.publish(ben)
        answer = await ben.post(f"/drops/{drop}/open", body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_message")
        assert await revision(ben, drop) == 1


async def test_a_change_without_a_key_is_refused(studio: Studio) -> None:
    async with studio.person("ben") as ben:
        drop = await studio.publish(ben)
        answer = await ben.http.post(
            f"/api/studio/drops/{drop}/open", json={"revision": 1}, headers={}
        )
        assert answer.status_code == 400
        assert "Idempotency-Key" in answer.json()["detail"]


async def test_an_order_is_refunded_by_its_number_and_the_rows_tell_it(studio: Studio) -> None:
    async with studio.person("ben") as ben:
        drop = await studio.publish(ben)
        await ben.post(f"/drops/{drop}/open", {"revision": 1})
        store = studio.web.runtime.store
        fan, ticket = studio.web.ticket(drop)
        async with studio.web.http(ticket) as http:
            held = await http.post(f"/api/drops/{drop}/hold", json={"pool": "pin", "qty": 2})
            hold = held.json()["hold"]["id"]
            await http.post(f"/api/drops/{drop}/pay", json={"holds": [hold]})
        await store.succeeded(drop, hold, "paid-1", 2400, "EUR", True)  # type: ignore[arg-type]
        (order,) = (await ben.get(f"/drops/{drop}/orders")).json()["rows"]
        assert (order["fan"], order["qty"], order["serials"]) == (fan, 2, [1, 2])
        answer = await ben.post(f"/drops/{drop}/refund", {"order": order["number"], "why": "torn"})
        assert answer.json()["of"] == hold
        (order,) = (await ben.get(f"/drops/{drop}/orders")).json()["rows"]
        assert order["state"] in ("refund_pending", "refunded")
        (row,) = (await ben.get(f"/drops/{drop}/holds")).json()["rows"]
        assert (row["id"], row["state"]) == (hold, "sold")
        log = (await ben.get(f"/drops/{drop}/log")).json()
        (told,) = [event for event in log["events"] if event["e"] == "refunded"]
        assert (await store.operators.name(told["by"]), told["why"]) == ("ben", "torn")
        assert [event["e"] for event in log["events"]][:2] == ["published", "opened"]
        assert [event["seq"] for event in log["events"]] == [*range(1, len(log["events"]) + 1)]
        rest = (await ben.get(f"/drops/{drop}/log?after=2")).json()["events"]
        # What is owed goes on being done meanwhile.
        assert rest[: len(log["events"]) - 2] == log["events"][2:]


async def test_every_command_leaves_a_row_of_who_when_where_and_why(studio: Studio) -> None:
    secret = await studio.api_key(Scope.RUN)
    async with studio.person("ada") as ada, studio.program(secret) as till:
        drop = await studio.publish(ada)
        await till.post(f"/drops/{drop}/open", {"revision": 1, "why": "it is noon"})
        await ada.post(f"/drops/{drop}/pause", {"revision": 1, "why": "too late"})
        rows = (await ada.get(f"/makers/{studio.lamps.id}/audit")).json()["rows"]
        told = [
            (row["by"].split(" ")[0], row["what"], row["of"], row["why"], row["outcome"])
            for row in rows
            if row["of"] == drop
        ]
        assert told == [
            ("ada", "pause", drop, "too late", "stale_revision"),
            ("key", "open", drop, "it is noon", "done"),
            ("ada", "publish", drop, "", "done"),
        ]
        assert {row["network"] for row in rows} == {"127.0.0.1"}
        assert all(abs(row["at_ms"] - studio.now_ms) < 60_000 for row in rows)
        log = (await ada.get(f"/drops/{drop}/log")).json()["events"]
        called = studio.web.runtime.store.operators.name
        assert (await called(log[1]["by"])).startswith("key the run ")


async def test_a_command_that_arrives_twice_is_two_rows_and_only_one_says_done(
    studio: Studio,
) -> None:
    async with studio.person("ada") as ada:
        one, two = await studio.publish(ada), await studio.publish(ada)
        for drop in (one, one, two):
            await ada.post(f"/drops/{drop}/open", {"revision": 1}, again="the-same-key")
        rows = (await ada.get(f"/makers/{studio.lamps.id}/audit")).json()["rows"]
        opened = [row for row in rows if row["what"] == "open" and row["of"] in (one, two)]
        told = [(row["of"], row["outcome"]) for row in opened]
        assert told == [(two, "done"), (one, "repeated"), (one, "done")]


async def test_words_are_put_right_by_a_manifest_and_rules_are_not(studio: Studio) -> None:
    async with studio.person("ben") as ben:
        drop = await studio.publish(ben)
        text = MANIFEST.format(drop=drop)
        story = text.replace('currency = "EUR"', 'story = "As it was."\ncurrency = "EUR"')
        body = {"manifest": story, "revision": 1, "why": "a word was missing"}
        for _ in range(2):
            done = await ben.post(f"/drops/{drop}/correct", body, again=f"right-{drop}")
            assert (done.status_code, done.json()["revision"]) == (200, 2), done.text
        shown = (await ben.get(f"/drops/{drop}")).json()
        assert shown["manifest"]["story"] == "As it was."
        dearer = {"manifest": story.replace("1200", "1300"), "revision": 2}
        refused = await ben.post(f"/drops/{drop}/correct", dearer)
        assert (refused.status_code, refused.json()["code"]) == (400, "bad_message")
        assert refused.json()["mistakes"]
        assert await revision(ben, drop) == 2


async def test_a_drop_is_moved_to_another_time(studio: Studio) -> None:
    async with studio.person("ben") as ben:
        drop = await studio.publish(ben)
        opens_ms = studio.now_ms + 3_600_000
        body = {"opens_ms": opens_ms, "closes_ms": 0, "revision": 1}
        moved = await ben.post(f"/drops/{drop}/reschedule", body)
        assert moved.status_code == 200, moved.text
        assert (await ben.get(f"/drops/{drop}")).json()["opens_ms"] == opens_ms
        listed = (await ben.get("/drops")).json()["drops"][0]
        assert (listed["id"], listed["opens_ms"]) == (drop, opens_ms)


async def test_all_mistakes_of_a_manifest_are_told_at_once_and_nothing_is_published(
    studio: Studio,
) -> None:
    wrong = MANIFEST.format(drop=new_drop()) + "cap2 = 1\n"
    wrong = wrong.replace("limit = 3", "limit = 0").replace("EUR", "EURO")
    async with studio.person("ben") as ben:
        for path in ("/drops/check", "/drops"):
            answer = await ben.post(f"/makers/{studio.lamps.id}{path}", {"manifest": wrong})
            assert (answer.status_code, answer.json()["code"]) == (400, "bad_message")
            assert len(answer.json()["mistakes"]) >= 3
        right = {"manifest": MANIFEST.format(drop="fine")}
        checked = await ben.post(f"/makers/{studio.lamps.id}/drops/check", right)
        assert checked.json()["id"] == "lamps-fine"
        assert (await ben.get("/drops/lamps-fine")).status_code == 404


async def test_a_time_that_has_passed_is_a_mistake_of_the_manifest(studio: Studio) -> None:
    late = "opens_at = 2020-01-01T00:00:00Z\n" + MANIFEST.format(drop=new_drop())
    async with studio.person("ben") as ben:
        path = f"/makers/{studio.lamps.id}/drops"
        answer = await ben.post(path, {"manifest": late})
        assert "has passed" in answer.json()["mistakes"][0]
        answer = await ben.post(path, {"manifest": late, "opens_ms": 0})
        assert answer.status_code == 200, answer.text


async def test_publishing_under_one_key_happens_once_also_where_the_next_number_is_free(
    studio: Studio,
) -> None:
    async with studio.person("ben") as ben:
        path, drop = f"/makers/{studio.lamps.id}/drops", new_drop()
        body = {"manifest": MANIFEST.format(drop=drop), "next_free": True}
        ids = []
        for again in ("a", "a", "b", "b", "c"):
            answer = await ben.post(path, body, again=f"{drop}-{again}")
            ids.append(answer.json()["id"].removeprefix(f"lamps-{drop}"))
        assert ids == ["", "", "-2", "-2", "-3"]
        changed = {**body, "opens_ms": 0}
        reused = await ben.post(path, changed, again=f"{drop}-a")
        assert reused.json()["code"] == "key_reused"


async def test_a_shock_drop_is_published_and_open_in_one_breath_or_by_its_repeat(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with studio.person("ben") as ben:
        path, drop = f"/makers/{studio.lamps.id}/drops", new_drop()
        body = {"manifest": MANIFEST.format(drop=drop), "open": True}

        async def cut_off(*_: object, **__: object) -> object:
            raise Unavailable("killed in between")

        with monkeypatch.context() as patch:
            patch.setattr(Store, "command", cut_off)
            assert (await ben.post(path, body, again=drop)).status_code == 503
        left = await ben.get(f"/drops/lamps-{drop}")
        assert left.json()["state"] == "scheduled"
        for _ in range(2):
            answer = await ben.post(path, body, again=drop)
            assert (answer.status_code, answer.json()["state"]) == (200, "live"), answer.text
        assert answer.json()["revision"] == 2
        # The same key without it is another command; and a time says something else than now.
        reused = await ben.post(path, {**body, "open": False}, again=drop)
        assert reused.json()["code"] == "key_reused"
        timed = "opens_at = 2199-01-01T00:00:00Z\n" + MANIFEST.format(drop=new_drop())
        refused = await ben.post(path, {"manifest": timed, "open": True})
        assert "opens_at: says another time than now" in refused.json()["mistakes"][0]


async def test_an_id_that_fills_its_bound_has_a_next_number_too(studio: Studio) -> None:
    async with studio.person("ben") as ben:
        path, most = f"/makers/{studio.lamps.id}/drops", DROP_ID_CHARS_MAX - len("lamps-")
        drop = new_drop().ljust(most, "z")
        body = {"manifest": MANIFEST.format(drop=drop), "next_free": True}
        ids = [(await ben.post(path, body)).json()["id"] for _ in range(2)]
        assert ids == [f"lamps-{drop}", f"lamps-{drop[:-4]}-2"]
        longer = {"manifest": MANIFEST.format(drop=f"{drop}z")}
        answer = await ben.post(path, longer)
        assert answer.status_code == 400
        assert f"at most {most} characters behind lamps-" in answer.json()["detail"]


async def test_a_cancelled_id_stays_burnt_and_a_clone_gets_the_next(studio: Studio) -> None:
    async with studio.person("ben") as ben:
        path, drop = f"/makers/{studio.lamps.id}/drops", new_drop()
        body = {"manifest": MANIFEST.format(drop=drop)}
        await ben.post(path, body)
        await ben.post(f"/drops/lamps-{drop}/cancel", {"revision": 1})
        again = await ben.post(path, body)
        assert (again.status_code, again.json()["code"]) == (409, "exists")
        assert again.json()["state"] == "cancelled"
        clone = await ben.post(path, {**body, "next_free": True})
        assert clone.json()["id"] == f"lamps-{drop}-2"


async def test_an_id_of_another_maker_is_not_to_be_had(studio: Studio) -> None:
    async with studio.person("dan") as dan, studio.person("ada") as ada:
        drop = await studio.publish(ada)
        taken = {"manifest": MANIFEST.format(drop=drop)}
        answer = await dan.post(f"/makers/{studio.pots.id}/drops", taken)
        assert answer.json()["id"] == f"pots-{drop}"
        assert (await ada.get(f"/drops/pots-{drop}")).status_code == 404


async def test_the_list_shows_the_drops_of_ones_makers_with_their_counts(studio: Studio) -> None:
    async with (
        studio.person("dan") as dan,
        studio.person("cyd") as cyd,
        studio.person("ada") as ada,
    ):
        theirs = await studio.publish(ada)
        his = await studio.publish(dan, maker=studio.pots)
        listed = (await dan.get("/drops")).json()
        assert [one["id"] for one in listed["drops"]] == [his] + [
            one["id"] for one in listed["drops"][1:]
        ]
        assert all(one["maker"] == studio.pots.id for one in listed["drops"])
        first = (await cyd.get("/drops")).json()["drops"][0]
        assert (first["id"], first["state"]) == (theirs, "scheduled")
        assert first["counts"][0]["free"] == 10


async def test_a_frozen_drop_goes_on_only_when_its_records_agree(studio: Studio) -> None:
    async with studio.person("ben") as ben:
        drop = await studio.publish(ben)
        store = studio.web.runtime.store
        await ben.post(f"/drops/{drop}/open", {"revision": 1})
        answer = await ben.post(f"/drops/{drop}/thaw", {"revision": 2})
        assert answer.status_code == 409
        await store.client.hset(store.keys_of(drop)[0], "mark", "1")
        await store.settle(drop)  # type: ignore[arg-type]
        shown = (await ben.get(f"/drops/{drop}")).json()
        assert (shown["state"], shown["why_frozen"]) == ("frozen", "half")
        answer = await ben.post(f"/drops/{drop}/thaw", {"revision": shown["revision"]})
        assert answer.json()["state"] == "paused", answer.text


async def test_a_restored_drop_is_compared_with_what_was_paid_before_it_goes_on(
    studio: Studio,
) -> None:
    async with studio.person("ben") as ben:
        drop = await studio.publish(ben)
        store = studio.web.runtime.store
        was = {"state": "frozen", "was": "scheduled", "froze": "restore"}
        await store.client.hset(store.keys_of(drop)[0], mapping=was)
        answer = await ben.post(f"/drops/{drop}/thaw", {"revision": 1})
        assert (answer.status_code, answer.json()["code"]) == (503, "frozen")
        assert "`dropengine reconcile` compares it" in answer.json()["detail"]
        assert (await ben.get(f"/drops/{drop}")).json()["state"] == "frozen"


async def test_on_postgresql_two_web_processes_are_one_shop(
    server: Server, postgres: Postgres, tmp_path: Path
) -> None:
    """Who signed in at one is known at the other; a change that arrives at both at once happens
    once."""
    conf = settings(server.url, tmp_path, database_url=postgres.database(), **NOBODY_WAITS)
    async with (
        opened(conf) as studio,
        front(sibling(studio)) as other,
        studio.person("ada") as ada,
        other.http() as http,
    ):
        http.cookies.update(ada.http.cookies)
        there = Hand(http, other.url)
        assert (await there.get("/account")).json()["name"] == "ada"
        path, body = f"/makers/{studio.lamps.id}/keys", {"label": "till", "scope": "run"}
        answers = await asyncio.gather(
            *(hand.post(path, body, again="one-key") for hand in (ada, there) * AT_ONCE)
        )
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["key"]["id"] for answer in answers}) == 1
        assert sum("secret" in answer.json() for answer in answers) == 1
        drop = await studio.publish(there)
        opened_ = await asyncio.gather(
            *(
                hand.post(f"/drops/{drop}/open", {"revision": 1}, again="open-once")
                for hand in (ada, there) * AT_ONCE
            )
        )
        assert {answer.status_code for answer in opened_} == {200}
        assert await revision(ada, drop) == 2
        ended = await there.post("/sign-out")
        assert ended.status_code == 200
        assert (await ada.get("/account")).status_code == 401
