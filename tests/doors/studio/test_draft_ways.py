"""Ways to people and payment by transfer, written in a draft's form."""

from __future__ import annotations

import re

from dropengine.doors.studio.draft_fields import field_name
from tests.doors.studio.test_drafts import EVIL, WHOLE, begun, published, saved
from tests.doors.studio.test_night import told
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.studio import Studio, new_drop

server = web_process.server
studio = studio_kit.studio

POST = {"ways[0].title": "Post, insured", "ways[0].kind": "ship", "ways[0].amount": "6.90"}
STALL = {"ways[1].title": "At our stall", "ways[1].kind": "pickup", "ways[1].off": "2.00"}
BY_HAND = {"pay_by_hand": "yes", "hand_hours": "48", "identity": "verified"}


def value_of(page: str, path: str) -> str:
    """What stands in a field of the form."""
    (field,) = re.findall(rf'<input[^>]* name="{re.escape(path)}"[^>]*>', page)
    return str(re.findall(r'value="([^"]*)"', field)[0])


async def test_ways_and_payment_by_transfer_are_written_in_the_form(studio: Studio) -> None:
    async with studio.person("ben") as ben:
        draft, drop = await begun(ben, studio), new_drop()
        assert "Let them choose a way" in (await ben.http.get(draft)).text
        assert (await saved(ben, draft, 1, "way", **WHOLE)).status_code == 303
        page = await ben.http.get(draft)
        assert 'name="ways[0].title"' in page.text
        assert "Add a way" in page.text
        form = {**WHOLE, **POST, **STALL, **BY_HAND, "id": drop}
        answer = await saved(ben, draft, 2, "check", **form)
        assert answer.headers["location"] == f"{draft}/publish"
        page = await ben.http.get(draft)
        for path in ("ways[1].off", "hand_hours", "ways[0].amount"):
            assert value_of(page.text, path) == form[path]
        await published(ben, draft)
        text = (await ben.http.get(f"/studio/drops/lamps-{drop}/manifest.toml")).text
        for line in ('title = "At our stall"', "pay_by_hand = true", "hand_hours = 48"):
            assert line in text


async def test_a_way_is_removed_and_its_mistakes_stand_beside_it(studio: Studio) -> None:
    async with studio.person("ben") as ben:
        draft = await begun(ben, studio)
        form = {**WHOLE, **POST, **STALL, "ways[0].amount": "much", "ways[1].title": EVIL}
        answer = await saved(ben, draft, 1, "check", **form)
        assert answer.headers["location"] == f"{draft}?check=1"
        page = await ben.http.get(f"{draft}?check=1")
        assert "what is paid for way 1" in told(page)
        assert "<img src=x" not in page.text
        assert (await saved(ben, draft, 2, "remove ways[0]", **form)).status_code == 303
        page = await ben.http.get(draft)
        assert 'name="ways[1].title"' not in page.text
        assert value_of(page.text, "ways[0].off") == "2.00"


def test_fields_of_ways_are_called_as_people_call_them() -> None:
    assert field_name("ways[1].cash") == "whether cash is taken by way 2"
    assert field_name("hand_hours") == "hours to pay by transfer"
