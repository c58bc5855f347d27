"""Launches that chance orders, in the panel without scripts: written, opened, sealed, watched; and
networks that are limited."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx2
import pytest

from dropengine.cli import main
from dropengine.model import FanId
from dropengine.truth.carried_list import list_of
from dropengine.truth.replies import BEYOND, ViewReply
from tests.doors.studio.test_drafts import WHOLE, begun, published, saved, version_of
from tests.doors.studio.test_night import Night, told
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.manifests import in_mode, item, manifest
from tests.kit.sale import Sale
from tests.kit.studio import Hand, Studio
from tests.kit.web_process import LONG_S, key

server = web_process.server
studio = studio_kit.studio

HALL = ("127.0.1.1", "127.0.1.0/24")
LAMP = "1 \N{MULTIPLICATION SIGN} Lamp"
LOBBY = {"mode": "lobby", "window_seconds": "30 min", "first_offer_seconds": "10 min"}


async def lists_of(hand: Hand, path: str) -> httpx2.Response:
    return await hand.http.get(path)


async def lives(sale: Sale) -> None:
    """Until the list is in its order and the drop has opened by it."""
    async with asyncio.timeout(LONG_S):
        while True:
            view = await sale.store.view(sale.drop, BEYOND, BEYOND)
            assert isinstance(view, ViewReply)
            if view.state == "live":
                return


async def test_a_lobby_is_written_opened_sealed_and_watched_by_forms_alone(
    studio: Studio,
) -> None:
    async with studio.person("ben") as ben:
        draft = await begun(ben, studio)
        few = WHOLE | LOBBY | {"items[0].cap": "2", "limit": "1", "tickets_most": "7"}
        few["items[0].id"] = "pin"
        await saved(ben, draft, 1, **few)
        page = await ben.http.get(draft)
        said = told(page)
        for sentence in ("Suits a crowd that comes for the hour", "It does not prove that"):
            assert sentence in said
        # What the mode leaves unsaid is not kept, and persons enter unless guests may.
        found = told(await ben.http.get(f"{draft}/publish"))
        assert "The list is open for 30 minutes before the opening." in found
        assert "Chance comes from a secret of the shop" in found
        exported = (await ben.http.get(f"{draft}/manifest.toml")).text
        assert 'identity = "verified"' in exported
        assert "tickets_most" not in exported
        where = await published(ben, draft)
        assert "Open the list now" in told(await ben.http.get(where))
        sale = Sale(studio.web.runtime.store, where.rpartition("/")[2], now=0)
        night = Night(ben, sale)
        assert "Opens when you press" in told(await night.look())
        assert "fans may enter it, and nobody can buy yet" in told(await night.look("open"))
        await night.do("open")
        entries = await sale.entered(*"abcde")
        look = {"seals": "2087-07-16T18:00", "closes": ""}
        page = await night.look("reschedule", **look)
        assert re.search(r"is sealed .* Wed 16 Jul 2087, 18:00 UTC", told(page))
        assert "ben set new times" in await night.do("reschedule", look)
        assert "Wed 16 Jul 2087, 18:00 UTC" in told(await night.look("seal"))
        said = told(await night.look())
        assert "The list is open" in said
        assert "5 entries" in said
        assert "5 entered the list" in said
        assert told(await ben.http.get("/studio")).count("The list is open") == 1
        assert "5 entries so far" in told(await night.look("seal"))
        assert "The list is sealed" in await night.do("seal")
        await lives(sale)
        said = told(await night.look())
        for number in ("Offers made 2", "Taken 0", "Not answered yet 2", "Called up to place 2"):
            assert number in said
        assert re.search(rf"No\. 1 {LAMP} has an offer .*No\. 3 {LAMP} waits", said)
        sheet = await sale.sealed()
        assert sheet.root.hex() in said
        called = [
            one.record for one in await sale.store.glances.places(sale.drop, entries) if one.hold
        ]
        await sale.succeeded(called[0].hold)
        await sale.claim(called[1].fan, called[1].hold)
        said = told(await night.look())
        for number in ("Taken 2", "Not answered yet 0", "The order of the list 1 100 %"):
            assert number in said
        sheet_of_all = re.search(
            r'href="(\S+/order\.json)">The whole order', (await night.look()).text
        )
        assert sheet_of_all is not None
        assert len((await ben.http.get(sheet_of_all[1])).json()["order"]) == 5
        assert {"bought", "took the offer"} <= set(re.findall(r"bought|took the offer", said))
        assert "Not now" in told(await night.look("seal"))


async def test_a_round_of_the_beacon_follows_the_plan_until_it_is_published(
    studio: Studio,
) -> None:
    planned = WHOLE | {"mode": "draw", "window_seconds": "2 h", "beacon_round": "planned"}
    async with studio.person("ben") as ben:
        draft = await begun(ben, studio)
        await saved(ben, draft, 1, **planned)
        assert "needs a time to open at" in told(await ben.http.get(f"{draft}?check=1"))
        rounds = []
        for opens_at in ("2087-07-16T18:00", "2087-07-16T18:03"):
            version = version_of(await ben.http.get(draft))
            await saved(ben, draft, version, **planned | {"opens_at": opens_at})
            page = told(await ben.http.get(draft))
            found = re.search(r"For the seal as planned now: round ([\d,]+), on (.*?) UTC", page)
            assert found is not None, page
            rounds.append(int(found[1].replace(",", "")))
            assert (
                f"beacon_round = {rounds[-1]}"
                in (await ben.http.get(f"{draft}/manifest.toml")).text
            )
        assert rounds[1] == rounds[0] + 60
        page = told(await ben.http.get(f"{draft}/publish"))
        assert f"round {rounds[1]:,} of the drand beacon" in page
        early = planned | {"opens_at": "2087-07-16T18:00", "beacon_round": "5"}
        await saved(ben, draft, version_of(await ben.http.get(draft)), **early)
        page = told(await ben.http.get(f"{draft}?check=1"))
        assert f"ust be {rounds[0]} or later: it is to come after" in page


async def test_a_network_is_let_in_by_one_press_and_taken_back_by_one(studio: Studio) -> None:
    sale = await studio.web.sale(item("pin", {"pin": 9}), network_most=1)
    sale.whence = dict.fromkeys("abc", HALL)
    assert await sale.hold("a") is not None
    assert (await sale.hold("b")).__class__.__name__ == "NetworkFull"
    name = sale.names.of(HALL)[0]
    async with studio.person("ben") as ben, studio.person("ada") as ada:
        night, other = Night(ben, sale), Night(ada, sale)
        page = await night.look()
        assert f"{name} 1 of 1 unpaid carts and places. Sent away once: it was full." in told(page)
        assert "1 sent away" in told(await night.look("exempt", network=name))
        # One tap, and another operator's in the same moment.
        answers = await asyncio.gather(
            night.give("exempt", page), other.give("exempt", await other.look())
        )
        assert sorted(answer.status_code for answer in answers) in ([303, 303], [303, 409])
        said = told(await night.look())
        assert f"{name} no limit You lifted its limit" in said
        assert await sale.held("b")
        opposite = await other.look("restrict", network=name)
        page = await night.look()
        assert (await night.give("restrict", page)).status_code == 303
        again = await other.give("restrict", opposite)
        assert again.status_code in (303, 409)
        assert "ben set the limit of a network again" in told(
            again if again.status_code == 409 else await other.look()
        )
        assert "Choose one on the night" in told(await night.look("exempt"))
        assert (await sale.hold("c")).__class__.__name__ == "NetworkFull"


@pytest.mark.parametrize("turn", range(4))
async def test_of_two_who_seal_at_once_both_read_that_it_is_sealed_once(
    studio: Studio, turn: int
) -> None:
    sale = Sale(studio.web.runtime.store, f"sealed-{turn}", now=0)
    await sale.publish(in_mode(manifest(sale.drop), "lobby"))
    await sale.creator("open")
    await sale.entered("a")
    async with studio.person("ada") as ada, studio.person("ben") as ben:
        hands = Night(ada, sale), Night(ben, sale)
        pages = [await hand.look("seal") for hand in hands]
        answers = await asyncio.gather(
            *(hand.give("seal", page) for hand, page in zip(hands, pages, strict=True))
        )
        assert {answer.status_code for answer in answers} <= {303, 409}
        assert 303 in {answer.status_code for answer in answers}
        assert (await sale.words()).count("sealed") == 1
        said = [told(await hand.look()) + told(a) for hand, a in zip(hands, answers, strict=True)]
        assert sum("sealed the list" in one for one in said) == 2


async def test_a_cohort_comes_first_until_the_drop_is_opened_to_all_by_a_press(
    studio: Studio,
) -> None:
    async with studio.person("ben") as ben:
        draft = await begun(ben, studio)
        await saved(ben, draft, 1, "cohort", **WHOLE | {"items[0].id": "pin"})
        version = version_of(await ben.http.get(draft))
        club = {
            "title": "The club",
            "units": "4",
            "listed": "yes",
            "codes": "yes",
            "missed": "lunar, solar",
        }
        first = {f"cohorts[0].{name}": text for name, text in club.items()}
        await saved(ben, draft, version, **WHOLE | first | {"items[0].id": "pin"})
        said = told(await ben.http.get(f"{draft}/publish"))
        assert "Early access, until you open it to all, for The club (4 units)." in said
        assert "There is no drop lunar yet" in said
        where = await published(ben, draft)
        sale = Sale(studio.web.runtime.store, where.rpartition("/")[2], now=0)
        night = Night(ben, sale)
        assert "Open to all" not in told(await night.look()).partition("Early access")[0]
        lists = f"{where}/cohorts"
        assert "Lists and codes of early access" in told(await ben.http.get(where))
        said = told(await lists_of(ben, lists))
        assert "4 units before the drop is open to all" in said
        sent = {"key": key(), "text": "ada@example.org, ADA@example.org\nnobody"}
        file = {"file": ("club.csv", b"\xef\xbb\xbfbo@example.org\ncy@example.org\n")}
        for _ in range(2):
            answer = await ben.http.post(f"{lists}/the-club/addresses", data=sent, files=file)
            assert answer.headers["location"] == lists
            said = told(await lists_of(ben, lists))
            assert "3 addresses are new on the list. Not taken, 1 line: nobody." in said
            assert "3 on the list, 0 of them came." in said
        listed = (await ben.http.get(f"{lists}/the-club/addresses.csv")).text
        assert listed.split() == [
            *("address,came_at", "ada@example.org,", "bo@example.org,", "cy@example.org,")
        ]
        await ben.http.post(f"{lists}/the-club/strike", data={"key": key()})
        assert "3 addresses struck." in told(await lists_of(ben, lists))
        sent = {"key": key(), "count": "3"}
        for _ in range(2):
            await ben.http.post(f"{lists}/the-club/codes", data=sent)
        assert "3 made, 0 of them used" in told(await lists_of(ben, lists))
        assert len((await ben.http.get(f"{lists}/the-club/codes.csv")).text.split()) == 4
        ends = f"{lists}/the-club/codes/strike"
        leaked = (await ben.http.get(f"{lists}/the-club/codes.csv")).text.split()[1].strip(",")
        for _ in range(2):
            await ben.http.post(ends, data={"key": key(), "code": leaked})
        assert "There is no such code in this cohort." in told(await lists_of(ben, lists))
        assert "Say which code." in told(await ben.http.post(ends, data={"key": key()}))
        await ben.http.post(ends, data={"key": key(), "all": "yes"})
        assert "2 codes were struck." in told(await lists_of(ben, lists))
        await night.do("open")
        await sale.store.enroll(sale.drop, FanId("ada"), ["the-club"])
        await sale.bought("ada")
        assert (await sale.hold("guest")).__class__.__name__ == "NotEligible"
        said = told(await night.look())
        assert "Open to all when you press The club 1 of 4, 1 sold" in said
        assert "A press 1 100 %" in said
        assert "Nothing moves" in (await night.look("widen")).text.replace("nothing", "Nothing")
        assert "ben opened the drop to all" in await night.do("widen")
        said = told(await lists_of(ben, lists))
        assert "This drop is open to all" in said
        assert "4 units before the drop was open to all" in said
        assert "Add them to the list" not in said
        assert await sale.held("guest")
        assert "Not now" not in told(await night.look("pause"))
        copied = await ben.http.post(f"{where}/copy", data={"key": key()})
        exported = (await ben.http.get(f"{copied.headers['location']}/manifest.toml")).text
        assert "missed = [" in exported
        assert 'title = "The club"' in exported


async def test_who_waited_in_vain_is_carried_over_and_a_drop_is_published_and_open_in_one_breath(
    studio: Studio, tmp_path: Path
) -> None:
    async with studio.person("ben") as ben:
        once = await begun(ben, studio)
        known = WHOLE | {"items[0].id": "pin", "items[0].cap": "1", "identity": "verified"}
        await saved(ben, once, 1, **known)
        page = await ben.http.get(f"{once}/publish")
        assert "A shock drop is published and open in one breath" in told(page)
        form = {"key": key(), "version": str(version_of(page)), "open": "yes"}
        # Pressed twice it is one drop, which is open.
        answers = [await ben.http.post(f"{once}/publish", data=form) for _ in range(2)]
        where = answers[0].headers["location"]
        assert {answer.status_code for answer in answers} == {303}
        assert "Published, and open." in told(await ben.http.get(where))
        sale = Sale(studio.web.runtime.store, where.split("/")[3], now=0)
        assert (await sale.store.stands(sale.drop))[1] == "live"
        await sale.bought("ada")
        for fan in "bcd":
            await sale.joined(fan)
        await Night(ben, sale).do("close", title="Night lamp")
        draft = await begun(ben, studio)
        assert "Night lamp" in told(await ben.http.get(draft))
        answer = await saved(ben, draft, 1, **known | {"carried_from": sale.drop})
        assert answer.status_code == 303
        said = told(await ben.http.get(f"{draft}/publish"))
        assert f"Whoever waited in vain in {sale.drop} stands first" in said
        exported = (await ben.http.get(f"{draft}/manifest.toml")).text
        assert f'carried_hash = "{(await list_of(sale.store, sale.drop)).hash}"' in exported
        where = await published(ben, draft)
        assert f"in {sale.drop} stands first" in told(await ben.http.get(where))
        # Nor, and said before the press makes it stand, into a drop that has nothing they wanted.
        cup = await begun(ben, studio)
        wanted = known | {"items[0].id": "cup", "carried_from": sale.drop}
        await saved(ben, cup, 1, **wanted)
        page = await ben.http.get(f"{cup}/publish")
        form = {"key": key(), "version": str(version_of(page))}
        page = await ben.http.post(f"{cup}/publish", data=form)
        assert f"who waited in {sale.drop} wanted pin, and here is cup" in told(page)
        # A shock drop opens behind those places: the press waits for them.
        shock = await begun(ben, studio)
        await saved(ben, shock, 1, **known | {"title": "Shock lamp", "carried_from": sale.drop})
        version = str(version_of(await ben.http.get(f"{shock}/publish")))
        form = {"key": key(), "version": version, "open": "yes"}
        where = (await ben.http.post(f"{shock}/publish", data=form)).headers["location"]
        assert "Published, and open." in told(await ben.http.get(where))
        behind = Sale(studio.web.runtime.store, where.split("/")[3], now=0)
        assert await behind.words() == ["published", "carried", "opened"]
        # On the shop's machine too.
        again = tmp_path / "shock.toml"
        again.write_text(exported)
        settings = studio.web.runtime.settings
        here = ["--data-dir", str(settings.data_dir), "--redis-url", str(settings.redis_url)]
        asked = ["drop", "publish", str(again), "--maker", "lamps", "--open"]
        assert await asyncio.to_thread(main.main, [*asked, "--id", "lamps-again", *here]) == 0
        # Of another maker's drop, or one that goes on, nobody is.
        other = await begun(ben, studio)
        await saved(ben, other, 1, **known | {"carried_from": where.rpartition("/")[2]})
        assert "Nobody can be carried over" in told(await ben.http.get(other))
