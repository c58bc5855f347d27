"""The night without scripts: what a command will do is said first, and who comes second reads what
changed."""

from __future__ import annotations

import asyncio
import html
import re
from typing import Any

import httpx2
import pytest

from dropengine.creator_commands import COMMANDS
from dropengine.doors.access import NIGHT_COMMANDS
from dropengine.doors.studio.following import SHOWN
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.manifests import item
from tests.kit.oracle.creators import ALLOWED
from tests.kit.sale import Sale
from tests.kit.studio import Hand, Studio
from tests.kit.web_process import key

server = web_process.server
studio = studio_kit.studio


def told(page: httpx2.Response) -> str:
    """What a page says, without its marks."""
    text = re.sub(r"<(style|script).*?</\1>", "", page.text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def typed(page: httpx2.Response) -> dict[str, str]:
    """The hidden fields of the form that gives the command."""
    form = page.text.rpartition('<form method="post" action="/studio/drops')[2]
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)
    return {name: html.unescape(value) for name, value in found}


class Night:
    """Somebody's hands on the pages of a drop."""

    def __init__(self, hand: Hand, sale: Sale) -> None:
        self.hand = hand
        self.sale = sale
        self.path = f"/studio/drops/{sale.drop}/night"

    async def look(self, verb: str = "", **query: Any) -> httpx2.Response:
        path = f"{self.path}/{verb}" if verb else self.path
        return await self.hand.http.get(path, params={k: str(v) for k, v in query.items()})

    async def give(self, verb: str, page: httpx2.Response, **more: str) -> httpx2.Response:
        return await self.hand.http.post(f"{self.path}/{verb}", data=typed(page) | more)

    async def do(self, verb: str, look: dict[str, Any] | None = None, **more: str) -> str:
        """Look, then press; what the night says after it."""
        answer = await self.give(verb, await self.look(verb, **(look or {})), **more)
        assert answer.status_code == 303, told(answer)
        assert answer.headers["location"] == self.path
        return told(await self.look())


def test_every_command_that_is_shown_has_doors_and_the_states_that_the_rules_allow() -> None:
    assert SHOWN.keys() == set(NIGHT_COMMANDS)
    for verb, one in SHOWN.items():
        assert verb in COMMANDS
        stored = {"live" if state == "sold_out" else state for state in one.states}
        assert stored == set(ALLOWED[verb]), verb


async def test_a_drop_is_run_by_forms_alone(studio: Studio) -> None:
    units = item("pin", {"pin": 10}, withheld={"pin": 4})
    sale = await studio.web.sale(units, opened=False, title="Lamp")
    async with studio.person("ben") as ben:
        night = Night(ben, sale)
        assert "6 units go on sale at once" in told(await night.look("open"))
        assert "The drop is open." in await night.do("open")
        assert "The units are for sale." in await night.do("add", {"pool": "pin", "qty": 4})
        assert "10 left" in told(await night.look()).replace("left 10", "10 left")
        await night.do("withdraw", {"qty": 2})
        assert "We go on soon" in await night.do("message", {"text": "We go on soon"})
        said = await night.do("pause", why="the till is stuck")
        assert "The drop is paused." in said
        assert "the till is stuck" in said
        await night.do("resume")
        page = await night.do("reschedule", {"later": "30"})
        assert "ben set new times" in page
        await night.do("close", title="  lamp ")
        page = told(await night.look())
        assert "ben closed the drop" in page
        for verb in ("pause", "resume", "add", "open"):
            assert "Not now" in told(await night.look(verb)), verb


async def test_numbers_before_and_after_are_shown_before_units_move(studio: Studio) -> None:
    units = item("pin", {"pin": 9}, withheld={"pin": 5})
    sale = await studio.web.sale(units)
    async with studio.person("ben") as ben:
        night = Night(ben, sale)
        page = told(await night.look("add", qty=3))
        assert "left 4 7" in page
        assert "withheld 5 2" in page
        assert "left 4 2" in told(await night.look("withdraw", pool="pin", qty=2))
        for qty in ("0", "6", "-1", "many", "", "1.5", "9999999999"):
            said = told(await night.look("add", qty=qty, pool="pin"))
            assert "A whole number from 1 to 5." in said, qty
    two = await studio.web.sale(item("pin", {"pin": 1}), item("mug", {"mug": 1}))
    async with studio.person("ben") as ben:
        for pool in ("", "nothing"):
            ended = await Night(ben, two).look("withdraw", qty=1, pool=pool)
            assert "Choose which one." in told(ended)


async def test_adding_says_who_waits_for_just_these_units(studio: Studio) -> None:
    sale = await studio.web.sale(
        item("pin", {"pin": 3}, withheld={"pin": 2}), item("mug", {"mug": 1}), limit=9
    )
    await sale.held("a", "mug")
    for fan in "bc":
        await sale.joined(fan, "mug")
    async with studio.person("ben") as ben:
        night = Night(ben, sale)
        page = told(await night.look("add", pool="pin", qty=1))
        assert "Nobody waits for it: whoever presses first has the units." in page
        await sale.creator("pause")
        page = told(await night.look("add"))
        assert "2 places in line for it" in page
        assert "once the drop is open" in page


async def test_cancelling_says_how_much_goes_back_and_asks_for_the_title(studio: Studio) -> None:
    sale = await studio.web.sale(item("pin", {"pin": 5}), title="Night lamp")
    for fan in "ab":
        hold = await sale.held(fan)
        await sale.pay(fan, hold)
        await sale.succeeded(hold, captured=True)
    await sale.held("c", qty=3)
    await sale.joined("d")
    async with studio.person("ben") as ben:
        night = Night(ben, sale)
        page = await night.look("cancel")
        said = told(page)
        assert "2 orders, €48.00: all of it goes back." in said
        assert "3 units in carts or offered" in said
        assert "1 place in line" in said
        for wrong in ("", "Night", "Night lamp x"):
            answer = await night.give("cancel", page, title=wrong)
            assert answer.status_code == 400
            assert "not the title" in told(answer)
        assert (await sale.store.stands(sale.drop))[1] == "live"
        assert "Cancelled" in await night.do("cancel", title="NIGHT  LAMP", why="flood")
        assert (await sale.store.stands(sale.drop))[1] == "cancelled"


async def test_who_comes_second_reads_what_changed_by_whom_and_may_press_again(
    studio: Studio,
) -> None:
    sale = await studio.web.sale(item("pin", {"pin": 9}, withheld={"pin": 5}))
    async with studio.person("ada") as ada, studio.person("ben") as ben:
        first, second = Night(ada, sale), Night(ben, sale)
        page = await second.look("add", qty=2)
        await first.do("pause")
        answer = await second.give("add", page)
        assert answer.status_code == 409
        said = told(answer)
        assert re.search(r"ada paused the drop", said)
        assert "you may press again" in said
        again = await second.give("add", answer)
        assert again.status_code == 303
        # One who wants what is so already is told who did it.
        page = await second.look("resume")
        await first.do("resume")
        answer = await second.give("resume", page)
        assert answer.status_code in (303, 409)


async def test_pressed_twice_it_happens_once(studio: Studio) -> None:
    sale = await studio.web.sale(item("pin", {"pin": 9}, withheld={"pin": 5}))
    async with studio.person("ben") as ben:
        night = Night(ben, sale)
        page = await night.look("add", qty=2)
        answers = [await night.give("add", page) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [303] * 3
        assert "left 6" in told(await night.look())


async def test_who_only_looks_is_offered_nothing_to_press(studio: Studio) -> None:
    sale = await studio.web.sale()
    async with studio.person("cyd") as cyd:
        night = Night(cyd, sale)
        page = await night.look()
        assert page.status_code == 200
        assert "What you can do" not in page.text
        assert (await night.look("pause")).status_code == 403


TIMES = [
    ("2001-01-01T10:00", "That is over already."),
    ("2100-13-01T10:00", "A date and a time"),
    ("soon", "A date and a time"),
    ("2099-03-29T02:30", "this time does not come"),
    ("2099-10-25T02:30", "comes twice"),
]


@pytest.mark.parametrize(("text", "sentence"), TIMES)
async def test_a_time_that_no_clock_will_show_is_no_time(
    studio: Studio, text: str, sentence: str
) -> None:
    sale = await studio.web.sale(zone="Europe/Madrid")
    async with studio.person("ben") as ben:
        assert sentence in told(await Night(ben, sale).look("reschedule", closes=text))


async def test_what_was_opened_before_its_time_gets_an_end(studio: Studio) -> None:
    """The opening that was planned for later is of no account any more."""
    next_year_ms = studio.now_ms + 365 * 86_400_000
    sale = await studio.web.sale(opened=False, opens_ms=next_year_ms)
    async with studio.person("ben") as ben:
        night = Night(ben, sale)
        await night.do("open")
        assert "ben set new times" in await night.do("reschedule", {"later": "30"})


NASTY = '<img src=x onerror="alert(1)">\'"&</script>'


async def test_what_people_typed_is_only_ever_text(studio: Studio) -> None:
    sale = await studio.web.sale(title=NASTY, maker=NASTY)
    async with studio.person("ben") as ben:
        night = Night(ben, sale)
        await night.do("message", {"text": NASTY})
        await night.do("pause", why=NASTY)
        for page in (
            await night.look(),
            await night.look("message", text=NASTY),
            await night.look("cancel", why=NASTY),
            await night.give("cancel", await night.look("cancel"), title=NASTY + "x", why=NASTY),
        ):
            assert "<img src=x" not in page.text
            assert html.escape("<img src=x") in page.text.replace("&#34;", "&quot;")


async def test_a_form_without_a_key_changes_nothing(studio: Studio) -> None:
    sale = await studio.web.sale()
    async with studio.person("ben") as ben:
        path = f"/studio/drops/{sale.drop}/night/pause"
        for data in ({}, {"revision": "1"}, {"key": key(), "revision": "x"}, {"key": key()}):
            answer = await ben.http.post(path, data=data)
            assert answer.status_code in (400, 409), data
        assert (await sale.store.stands(sale.drop))[1] == "live"


OPPOSITES = (("open", "cancel"), ("pause", "close"), ("pause", "cancel"), ("close", "cancel"))
DONE = {
    "open": "opened the drop",
    "pause": "paused the drop",
    "close": "closed the drop",
    "cancel": "cancelled the drop",
}


@pytest.mark.parametrize("pair", range(20))
async def test_of_two_opposite_presses_at_once_one_is_done_and_the_other_reads_whose(
    studio: Studio, pair: int
) -> None:
    one, other = OPPOSITES[pair % len(OPPOSITES)]
    sale = await studio.web.sale(opened=one != "open", title="Lamp")
    async with studio.person("ada") as ada, studio.person("ben") as ben:
        first, second = Night(ada, sale), Night(ben, sale)
        pages = await first.look(one), await second.look(other)
        answers = await asyncio.gather(
            first.give(one, pages[0], title="Lamp"), second.give(other, pages[1], title="Lamp")
        )
        assert sorted(answer.status_code for answer in answers) == [303, 409]
        won = answers[0].status_code == 303
        winner = f"ada {DONE[one]}" if won else f"ben {DONE[other]}"
        assert winner in told(answers[1 if won else 0])
