"""The game of a line in the panel without scripts: its rules, its missions, and what is cured."""

from __future__ import annotations

import re

from sqlalchemy import Connection

from dropengine.doors.studio.game_doors import CURABLE
from dropengine.doors.studio.game_pages import REASONS
from dropengine.manifest import GameRules, Mission
from dropengine.model import DropId, FanId
from dropengine.people import points_book
from dropengine.people.referrals import Referral
from tests.doors.studio.test_drafts import WHOLE, begun, published, saved, version_of
from tests.doors.studio.test_night import Night, told
from tests.doors.studio.test_orders import booked
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.sale import Sale
from tests.kit.studio import Hand, Studio
from tests.kit.web_process import key

server = web_process.server
studio = studio_kit.studio


def test_each_reason_for_no_points_is_told_to_makers() -> None:
    refused = {name for name, state in points_book.REASONS.items() if state == points_book.REFUSED}
    assert REASONS.keys() == refused
    assert refused > CURABLE


GAME = {
    "identity": "verified",
    "k": "4",
    "friends.worth": "2",
    "collectors.missed": "1",
    "missions[0].title": "The word in tonight's stream",
    "missions[0].kind": "code",
    "missions[1].title": "Our first street?",
    "missions[1].kind": "answer",
    "missions[1].worth": "5",
    "missions[2].title": "Come to the stall",
    "missions[2].kind": "tap",
}
PIN = {"items[0].id": "pin"}


async def test_what_gives_points_is_written_by_forms_and_told_before_it_is_published(
    studio: Studio,
) -> None:
    async with studio.person("ben") as ben:
        draft = await begun(ben, studio)
        await saved(ben, draft, 1, "mission", **WHOLE | PIN)
        page = await ben.http.get(draft)
        assert page.text.count('name="missions[0].kind"') == 1
        # Both sentences are of a mission that is not written yet: nothing is said of it so early.
        assert "Is missing" not in told(page)
        wrong = GAME | {"points_until": "seal", "friends.most": "1"}
        await saved(ben, draft, version_of(page), **WHOLE | PIN | wrong)
        page = await ben.http.get(f"{draft}?check=1")
        for sentence in ("until when points count", "points for friends at most"):
            assert sentence in told(page)
        await saved(ben, draft, version_of(page), "remove missions[1]", **WHOLE | PIN | GAME)
        page = await ben.http.get(draft)
        assert "Our first street?" not in page.text
        # Where a friend is worth nothing, no rule of friends is kept.
        kept = {path: text for path, text in GAME.items() if path != "friends.worth"}
        await saved(ben, draft, version_of(page), **WHOLE | PIN | kept | {"friends.most": "9"})
        assert "friends" not in (await ben.http.get(f"{draft}/manifest.toml")).text
        page = await ben.http.get(draft)
        await saved(ben, draft, version_of(page), **WHOLE | PIN | GAME)
        said = told(await ben.http.get(f"{draft}/publish"))
        assert (
            "Fans earn points until they are called: 2 for a friend who takes part, 10 at most; 1 "
            "for each earlier drop of yours in which somebody bought and 1 for each earlier drop "
            "of yours in which somebody waited in vain, 3 at most; 3 for “The word in tonight's "
            "stream”; 5 for “Our first street?”; 3 for “Come to the stall”."
        ) in said
        assert "Every 4th call of the line goes to whoever has most points." in said
        where = await published(ben, draft)
        copied = await ben.http.post(f"{where}/copy", data={"key": key()})
        exported = (await ben.http.get(f"{copied.headers['location']}/manifest.toml")).text
        assert exported.count("[[missions]]") == 3
        assert "[collectors]" in exported


async def a_game(studio: Studio, ben: Hand) -> tuple[Sale, str]:
    """Published and open; the address of its game."""
    draft = await begun(ben, studio)
    await saved(ben, draft, 1, **WHOLE | PIN | GAME | {"items[0].cap": "1"})
    where = await published(ben, draft)
    await ben.http.get(where)
    sale = Sale(studio.web.runtime.store, DropId(where.rpartition("/")[2]), now=0)
    await Night(ben, sale).do("open")
    return sale, f"{where}/game"


async def test_missions_are_started_said_ticked_off_and_ended_by_forms_alone(
    studio: Studio,
) -> None:
    async with studio.person("ben") as ben:
        sale, page = await a_game(studio, ben)
        word, answer, stall = (f"{page}/missions/{one.id}" for one in await missions_of(sale))

        async def sent(where: str, **fields: str) -> str:
            """What the page says after it; twice under one key it happens once."""
            form = {"key": key(), **fields}
            answers = [await ben.http.post(where, data=form) for _ in range(2)]
            if answers[0].status_code == 400:
                return told(answers[0])
            assert {one.headers["location"] for one in answers} == {page}
            return told(await ben.http.get(page))

        assert told(await ben.http.get(page)).count("Not started") == 3
        assert "Say it now: it is shown below." in await sent(f"{word}/start")
        shown = (await ben.http.get(page)).text
        made = re.search(r'class="aloud"[^>]*><bdi>([A-Z]{6})</bdi>', shown)
        assert made is not None
        # Who presses once more, later, does not make another word.
        assert made[1] in await sent(f"{word}/start", said="other")
        assert "Say the answer that counts" in await sent(f"{answer}/start", said=" ")
        said = await sent(f"{answer}/start", said="Elm Street")
        assert "whoever says the answer has the points" in said
        assert "Elm Street" not in said
        assert "tick off who did it" in await sent(f"{stall}/start")

        await sale.held("ana")
        for fan in ("bo", "cy", "di"):
            await sale.join(fan, "pin")
        await booked(studio, sale)
        assert "Say whom" in await sent(f"{stall}/tap", numbers="one")
        said = await sent(f"{stall}/tap", numbers="1, 2; 77")
        assert "2 fans ticked off. Nobody in line joined as: 77." in said
        assert "2 fans have done it" in said
        assert "1 fan ticked off." in await sent(f"{stall}/tap", who="everybody")
        assert "Counted 3 · 9 points" in told(await ben.http.get(page))
        assert "It is over" in await sent(f"{stall}/end")
        assert "It is over: nobody can do it any more." in await sent(f"{stall}/start")
        async with studio.person("ada") as ada:
            trail = told(await ada.http.get(f"/studio/makers/{studio.lamps.id}/audit"))
        for verb in ("start_mission", "tap_mission", "end_mission"):
            assert f"ben {verb} {sale.drop} {stall.rpartition('/')[2]}" in trail
        night = told(await Night(ben, sale).look())
        assert "Called by points in the last hour 0" in night
        assert "Missions, and what was refused" in night


async def test_what_was_refused_is_shown_with_its_reason_and_cured(studio: Studio) -> None:
    async with studio.person("ben") as ben, studio.person("cyd") as cyd:
        sale, page = await a_game(studio, ben)
        await sale.held("ana")
        await sale.join("bo", "pin")
        await booked(studio, sale)
        rules = (await shown(sale)).friends
        assert rules is not None

        def brought(sql: Connection) -> None:
            for friend, wrong in (("guest-a", "cycle"), ("guest-b", "self")):
                one = Referral(FanId(friend), FanId("bo"), 1, wrong, "", "", "", 2, 0)
                points_book.friend(sql, sale.drop, rules, one, 2)

        await studio.web.runtime.database.write(brought)
        said = told(await cyd.http.get(page))
        assert "No. 1 a friend, 2 points" in said
        assert "came by his link, straight or through others" in said
        # Who only looks cures nothing, and what cannot be cured has no button.
        assert "Let it count" not in said
        assert (await ben.http.get(page)).text.count(">Let it count<") == 1
        row = re.search(r'name="row" value="(\d+)"', (await ben.http.get(page)).text)
        assert row is not None
        form = {"key": key(), "row": row[1]}
        for _ in range(2):
            answer = await ben.http.post(f"{page}/cure", data=form)
            assert answer.headers["location"] == page
        said = told(await ben.http.get(page))
        assert "Cured by you 1 · 2 points" in said
        assert "Refused 1 · 2 points" in said
        other = {"key": key(), "row": str(3 - int(row[1]))}
        assert (await ben.http.post(f"{page}/cure", data=other)).status_code == 404
        listed = (await ben.get(f"/drops/{sale.drop}/game/refused")).json()
        assert [one["reason"] for one in listed["refused"]] == ["self"]
        assert (await cyd.get(f"/drops/{sale.drop}/game/refused")).status_code == 403
        game = (await cyd.get(f"/drops/{sale.drop}/game")).json()
        assert [one["state"] for one in game["missions"]] == ["waiting"] * 3


async def shown(sale: Sale) -> GameRules:
    found = await sale.store.show(sale.drop)
    assert found is not None
    assert found.manifest.game is not None
    return found.manifest.game


async def missions_of(sale: Sale) -> tuple[Mission, ...]:
    return (await shown(sale)).missions
