"""The pages of a rehearsal: who may ask for one, what is asked back, and what is read of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from functools import partial

import pytest

from dropengine.people import audit_trail, rehearsals
from dropengine.people.rehearsals import State
from dropengine.rehearsal_report import Asked
from tests.doors.studio.test_night import told
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.studio import Studio
from tests.kit.web_process import key
from tests.people.test_rehearsals_in_sql import PROGRESS, report

server = web_process.server
studio = studio_kit.studio

WANTED = {"fans": "50", "minutes": "2", "shape": "storm", "beside_live": "yes"}
CENTURY_MS = 100 * 366 * 86_400_000


@pytest.fixture(autouse=True)
async def over(studio: Studio) -> AsyncIterator[None]:
    """What one test began goes on in no other."""
    yield
    await studio.web.runtime.database.write(
        partial(rehearsals.let_go, now_ms=studio.now_ms + CENTURY_MS)
    )


def where(drop: str) -> str:
    return f"/studio/drops/{drop}/rehearsal"


async def test_an_operator_begins_one_once_for_his_form(studio: Studio) -> None:
    async with studio.person("ben") as ben:
        drop = await studio.publish(ben)
        form = WANTED | {"key": key()}
        for _ in range(2):
            answer = await ben.http.post(where(drop), data=form)
            assert (answer.status_code, answer.headers["location"]) == (303, where(drop))
        database = studio.web.runtime.database
        (one,) = await database.read(partial(rehearsals.of_drop, drop=drop))
        assert (one.state, one.by, one.asked) == (
            State.WANTED,
            "ben",
            Asked(fans=50, minutes=2, shape="storm", beside_live=True),
        )
        rows = await database.read(partial(audit_trail.page, maker=studio.lamps.id))
        assert [row.of for row in rows if row.what == "rehearse"] == [drop]
        page = told(await ben.http.get(where(drop)))
        assert "The rehearsal goes on" in page
        assert "asked for by ben" in page


async def test_what_a_viewer_reads_he_can_neither_begin_nor_stop(studio: Studio) -> None:
    async with studio.person("ben") as ben, studio.person("cyd") as cyd:
        drop = await studio.publish(ben)
        page = await cyd.http.get(where(drop))
        assert page.status_code == 200
        assert "Operators and owners can begin one" in told(page)
        assert "<form" not in page.text.partition("<main")[2]
        for path in (where(drop), f"{where(drop)}/stop"):
            assert (await cyd.http.post(path, data=WANTED | {"key": key()})).status_code == 403
    async with studio.person("dan") as dan:
        for path in (where(drop), f"{where(drop)}/now"):
            assert (await dan.http.get(path)).status_code == 404


async def test_beside_a_sale_one_begins_only_when_it_is_wanted_all_the_same(
    studio: Studio,
) -> None:
    sale = await studio.web.sale()
    async with studio.person("ben") as ben:
        assert "sells now" in told(await ben.http.get(where(sale.drop)))
        form = WANTED | {"key": key(), "beside_live": ""}
        answer = await ben.http.post(where(sale.drop), data=form)
        assert answer.status_code == 409
        assert "A drop of this machine sells now" in told(answer)
        form["beside_live"] = "yes"
        assert (await ben.http.post(where(sale.drop), data=form)).status_code == 303


async def test_a_form_that_cannot_be_read_says_what_it_may_say(studio: Studio) -> None:
    async with studio.person("ben") as ben:
        drop = await studio.publish(ben)
        for wrong in ({"fans": "9"}, {"fans": "all"}, {"minutes": "31"}, {"shape": "flood"}):
            answer = await ben.http.post(where(drop), data=WANTED | wrong | {"key": key()})
            assert answer.status_code == 400
            assert "Say how many fans, 10 to 20,000" in told(answer)


async def test_while_one_goes_on_another_drop_points_to_it(studio: Studio) -> None:
    async with studio.person("ben") as ben:
        drop, other = await studio.publish(ben), await studio.publish(ben)
        await ben.http.post(where(drop), data=WANTED | {"key": key()})
        assert where(drop) in (await ben.http.get(where(other))).text
        answer = await ben.http.post(where(other), data=WANTED | {"key": key()})
        assert answer.status_code == 409


async def test_how_far_it_is_is_read_by_page_and_script_alike(studio: Studio) -> None:
    async with studio.person("ben") as ben:
        drop = await studio.publish(ben)
        await ben.http.post(where(drop), data=WANTED | {"key": key()})
        database = studio.web.runtime.database
        one = await database.write(partial(rehearsals.take, now_ms=studio.now_ms))
        assert one is not None
        await database.write(
            partial(rehearsals.beat, rehearsal=one.id, progress=PROGRESS, now_ms=studio.now_ms)
        )
        now = (await ben.http.get(f"{where(drop)}/now")).json()
        assert (now["goes_on"], now["stage"]) == (True, "The sale")
        assert now["progress"]["watchers"] == PROGRESS.watchers
        page = await ben.http.get(where(drop))
        assert f'data-of="watchers">{PROGRESS.watchers}<' in page.text
        await ben.http.post(f"{where(drop)}/stop", data={"key": key()})
        assert "It is being stopped" in told(await ben.http.get(where(drop)))
        assert not await database.write(
            partial(rehearsals.beat, rehearsal=one.id, progress=None, now_ms=studio.now_ms)
        )


async def test_a_report_is_read_on_the_page_and_taken_along_as_files(studio: Studio) -> None:
    async with studio.person("ben") as ben:
        drop = await studio.publish(ben)
        database = studio.web.runtime.database
        for at_ms in (studio.now_ms - 5_000, studio.now_ms):
            made = report(drop, at_ms)
            await database.write(partial(rehearsals.keep, report=made, by="ada", now_ms=at_ms))
        newest, older = await database.read(partial(rehearsals.of_drop, drop=drop))
        page = await ben.http.get(where(drop))
        assert "Passed" in told(page)
        assert f"?report={older.id}" in page.text
        assert (await ben.http.get(f"{where(drop)}?report={older.id}")).status_code == 200
        kept = await ben.http.get(f"{where(drop)}/{newest.id}.json")
        assert json.loads(kept.content)["at_ms"] == made.at_ms
        whole = await ben.http.get(f"{where(drop)}/{newest.id}.html")
        assert "attachment" in whole.headers["content-disposition"]
        assert "<script" not in whole.text
        assert "http" not in whole.text.partition("<body")[2].partition("xmlns")[0]
        assert (await ben.http.get(f"{where(drop)}/none.json")).status_code == 404
