"""Who asked for it is told that a drop opens soon, that it is open, that a maker has a new one."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import Connection

from dropengine.config import Settings
from dropengine.errors import DatabaseAway
from dropengine.jobs.ledger import calling_listed
from dropengine.jobs.ledger.calling_listed import EVERY_S, PAUSE_S, REMIND_MS, CallingListed
from dropengine.jobs.ledger.projector import Projector
from dropengine.mail import outbox
from dropengine.mail.carriers import Taken
from dropengine.mail.letter import Letter
from dropengine.people import interests, makers, persons, wishes
from dropengine.people.interests import What
from dropengine.people.makers import Maker
from dropengine.people.persons import Person
from dropengine.people.wishes import Way, Wish
from dropengine.push import followers
from dropengine.push import outbox as pushes
from dropengine.push.followers import Follower
from dropengine.sql.database import Database
from dropengine.truth.store import Store
from tests.conftest import MakeSale
from tests.kit.letters import owed, states
from tests.kit.manifests import START_MS, item, manifest
from tests.kit.push_service import Browser
from tests.kit.sale import Sale
from tests.kit.web_process import SECRET

OPENS_MS = START_MS + 3_600_000
HOUR_MS = 3_600_000
PHONE = Browser("https://push.example/phone")


@pytest.fixture
def settings(sql_settings: Settings) -> Settings:
    return msgspec.structs.replace(
        sql_settings, secret_key=SECRET, public_url="https://pins.example"
    )


class Lists:
    """The books, and who tells those on the lists."""

    def __init__(self, store: Store, database: Database, settings: Settings) -> None:
        self.store = store
        self.database = database
        self.settings = settings
        self.now_ms = START_MS
        self.projector = Projector(store, database)
        self.calling = self.anew()

    def anew(self) -> CallingListed:
        """Whoever tells from now on."""
        found = CallingListed(self.store, self.database, self.settings, now_ms=lambda: self.now_ms)
        self.calling = found
        return found

    async def died(self) -> None:
        """Another process comes after this one, whose lease is over."""
        await self.store.client.delete(self.store.house.keys.lease(CallingListed.name))
        self.anew()

    async def round(self) -> list[Letter]:
        """What was done is in the books, and told; the letters that wait."""
        await self.projector.round()
        await self.calling.round()
        return await owed(self.database)

    async def person(self, name: str, language: str = "") -> Person:
        def work(sql: Connection) -> Person:
            made = persons.make(sql, name, f"{name}@example.org", 1)
            persons.speaks(sql, made.id, language)
            return made

        return await self.database.write(work)

    async def listed(self, who: Person, what: What, thing: str, at_ms: int = 2) -> None:
        await self.database.write(lambda sql: interests.begin(sql, who.id, what, thing, at_ms))

    async def maker(self, short: str = "pins", since_ms: int = 1) -> Maker:
        """The first of them has what nobody gave a maker."""
        one = makers.new(short, short.title(), "blue", since_ms)
        await self.database.write(lambda sql: makers.make(sql, one))
        return one

    async def sent(self, letter: Letter) -> None:
        await self.database.write(lambda sql: outbox.note(sql, letter.id, Taken(), self.now_ms))


@pytest.fixture
async def lists(store: Store, database: Database, settings: Settings) -> Lists:
    await store.client.flushall()
    return Lists(store, database, settings)


def told(letters: list[Letter]) -> set[tuple[str, str]]:
    return {(one.to.partition("@")[0], one.kind) for one in letters}


async def reminded(lists: Lists, make_sale: MakeSale, *names: str) -> tuple[Sale, list[Person]]:
    """A drop that opens in an hour, and who wants to be reminded of it."""
    sale = await make_sale(opens_ms=OPENS_MS, opened=False)
    people = [await lists.person(name) for name in names]
    for one in people:
        await lists.listed(one, What.DROP, sale.drop)
    assert await lists.round() == []
    return sale, people


async def test_a_letter_comes_a_quarter_of_an_hour_before_and_says_when(
    lists: Lists, make_sale: MakeSale
) -> None:
    sale, _ = await reminded(lists, make_sale, "ana")
    bo = await lists.person("bo", "de")
    await lists.listed(bo, What.DROP, sale.drop)
    await lists.person("nobody")
    lists.now_ms = OPENS_MS - REMIND_MS - 1
    assert await lists.round() == []
    lists.now_ms += 1
    letters = await lists.round()
    assert told(letters) == {("ana", "reminder"), ("bo", "reminder")}
    assert {one.subject for one in letters} == {
        "Opens soon: Test drop",
        "Gleich geht es los: Test drop",
    }
    one = next(one for one in letters if one.to == "ana@example.org")
    assert f"https://pins.example/drops/{sale.drop}" in one.words
    assert "it opens Fri 15 Jan 2027, 09:00 UTC." in one.words
    assert one.until_ms == OPENS_MS
    assert one.unsubscribe in one.words
    assert await lists.round() == letters


async def test_who_comes_late_is_reminded_at_once(lists: Lists, make_sale: MakeSale) -> None:
    sale, _ = await reminded(lists, make_sale, "ana")
    lists.now_ms = OPENS_MS - REMIND_MS
    await lists.round()
    bo = await lists.person("bo")
    lists.now_ms = OPENS_MS - 60_000
    await lists.listed(bo, What.DROP, sale.drop, lists.now_ms)
    assert told(await lists.round()) == {("ana", "reminder"), ("bo", "reminder")}


async def test_a_time_that_moves_moves_the_letter_there_and_back(
    lists: Lists, make_sale: MakeSale
) -> None:
    sale, _ = await reminded(lists, make_sale, "ana", "bo")
    lists.now_ms = OPENS_MS - REMIND_MS
    went, waits = sorted(await lists.round(), key=lambda one: one.to)
    await lists.sent(went)
    later_ms = OPENS_MS + HOUR_MS
    await sale.creator("reschedule", opens_ms=later_ms, closes_ms=0)
    assert await lists.round() == []
    # Back to the time that it had: who read of it knows it, who did not is told.
    await sale.creator("reschedule", opens_ms=OPENS_MS, closes_ms=0)
    assert await lists.round() == [waits]
    await sale.creator("reschedule", opens_ms=later_ms, closes_ms=0)
    await lists.round()
    lists.now_ms = later_ms - REMIND_MS
    both = await lists.round()
    assert told(both) == {("ana", "reminder"), ("bo", "reminder")}
    assert {one.until_ms for one in both} == {later_ms}


async def test_what_a_hand_opens_is_told_at_once(lists: Lists, make_sale: MakeSale) -> None:
    sale, _ = await reminded(lists, make_sale, "ana")
    await sale.creator("open")
    (letter,) = await lists.round()
    assert (letter.kind, letter.subject) == ("opened", "It is open: Test drop")
    assert await lists.round() == [letter]
    lists.now_ms = letter.until_ms
    bo = await lists.person("bo")
    await lists.listed(bo, What.DROP, sale.drop)
    assert await lists.round() == [letter]


async def test_what_opens_by_itself_is_told_only_to_whom_no_reminder_went(
    lists: Lists, make_sale: MakeSale
) -> None:
    sale, _ = await reminded(lists, make_sale, "ana", "bo")
    lists.now_ms = OPENS_MS - REMIND_MS
    went, _ = sorted(await lists.round(), key=lambda one: one.to)
    await lists.sent(went)
    sale.now = lists.now_ms = OPENS_MS + 1
    await sale.held("somebody")
    assert told(await lists.round()) == {("bo", "opened")}


async def test_a_drop_that_is_cancelled_calls_nobody_to_it(
    lists: Lists, make_sale: MakeSale
) -> None:
    sale, (ana,) = await reminded(lists, make_sale, "ana")
    lists.now_ms = OPENS_MS - REMIND_MS
    assert len(await lists.round()) == 1
    await sale.creator("cancel")
    assert await lists.round() == []
    lists.anew()
    await lists.died()
    await lists.round()
    # The list is gone with what it was for.
    assert await lists.database.read(lambda sql: interests.of_person(sql, ana.id)) == []


@pytest.mark.parametrize("when", ["before", "after"])
async def test_who_dies_in_the_middle_of_a_long_list_leaves_none_out_and_tells_none_twice(
    lists: Lists, make_sale: MakeSale, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    monkeypatch.setattr(calling_listed, "PAGE", 2)
    names = [f"p{n}" for n in range(7)]
    await reminded(lists, make_sale, *names)
    lists.now_ms = OPENS_MS - REMIND_MS
    assert len(await lists.round()) == 2
    assert lists.calling.every_s == PAUSE_S
    write = lists.database.write

    async def dies(work: object) -> object:
        if when == "after":
            await write(work)  # type: ignore[arg-type]
        raise DatabaseAway("away")

    monkeypatch.setattr(lists.database, "write", dies)
    with pytest.raises(DatabaseAway):
        await lists.calling.round()
    monkeypatch.setattr(lists.database, "write", write)
    await lists.died()
    while lists.calling.every_s != PAUSE_S:
        await lists.round()
    while lists.calling.every_s == PAUSE_S:
        await lists.round()
    assert lists.calling.every_s == EVERY_S
    assert sorted(await states(lists.database)) == [
        (f"{name}@example.org", "queued") for name in names
    ]


async def test_two_who_think_that_they_have_the_lease_tell_nobody_twice(
    lists: Lists, make_sale: MakeSale
) -> None:
    await reminded(lists, make_sale, "ana", "bo")
    lists.now_ms = OPENS_MS - REMIND_MS
    first = lists.calling
    await first.round()
    await lists.died()
    await lists.calling.round()
    await first.round()
    assert len(await owed(lists.database)) == 2


async def test_a_new_drop_is_told_to_those_who_followed_before(
    lists: Lists, make_sale: MakeSale
) -> None:
    maker, other = await lists.maker(), await lists.maker("mugs", 2)
    ana, bo, cy, dora = [await lists.person(name) for name in ("ana", "bo", "cy", "dora")]
    await lists.listed(ana, What.MAKER, maker.id)
    await lists.listed(bo, What.MAKER, other.id)
    await lists.listed(cy, What.MAKER, maker.id, START_MS + 1)
    await lists.listed(dora, What.MAKER, maker.id)
    off = [(Wish.NEWS, Way.MAIL)]
    await lists.database.write(lambda sql: wishes.choose(sql, dora.id, off))
    assert await lists.round() == []
    sale = await make_sale(opens_ms=OPENS_MS, opened=False)
    (letter,) = await lists.round()
    assert (letter.to, letter.kind) == ("ana@example.org", "new_drop")
    assert letter.subject == "New from Tests: Test drop"
    assert f"/drops/{sale.drop}" in letter.words
    await lists.died()
    assert await lists.round() == [letter]


async def test_a_shock_drop_is_told_as_open_and_before_other_letters(
    lists: Lists, make_sale: MakeSale
) -> None:
    maker, ana = await lists.maker(), await lists.person("ana")
    await lists.listed(ana, What.MAKER, maker.id)
    await make_sale()
    (letter,) = await lists.round()
    assert (letter.kind, letter.urgent) == ("new_drop", True)
    assert "this one is open now" in letter.words


async def test_each_of_several_new_drops_is_told_once(lists: Lists) -> None:
    maker = await lists.maker()
    ana = await lists.person("ana")
    await lists.listed(ana, What.MAKER, maker.id)
    drops = ["first", "second", "third"]
    for drop in drops:
        await Sale(lists.store, drop).publish(manifest(drop, item("pin", {"pin": 1})))
    for _ in range(5):
        letters = await lists.round()
    assert {one.drop for one in letters} == set(drops)
    assert len(letters) == 3


async def test_old_drops_are_no_news(lists: Lists, make_sale: MakeSale) -> None:
    maker = await lists.maker()
    ana = await lists.person("ana")
    await lists.listed(ana, What.MAKER, maker.id)
    await make_sale(opens_ms=OPENS_MS + 3 * calling_listed.NEWS_MS, opened=False)
    lists.now_ms = START_MS + calling_listed.NEWS_MS
    assert await lists.round() == []


async def test_a_browser_is_called_of_a_new_drop_until_its_owner_wishes_none(
    lists: Lists, make_sale: MakeSale
) -> None:
    maker, ana = await lists.maker(), await lists.person("ana")

    def follow(sql: Connection) -> None:
        for who, endpoint in (("", PHONE.endpoint), (ana.id, "https://push.example/desk")):
            one = Follower(maker.id, who, endpoint, PHONE.p256dh, PHONE.auth, "de", 2)
            followers.keep(sql, one)
        wishes.choose(sql, ana.id, [(Wish.NEWS, Way.PUSH)])

    await lists.database.write(follow)
    sale = await make_sale(opens_ms=OPENS_MS, opened=False)
    await lists.round()
    await lists.died()
    await lists.round()
    (push,) = await lists.database.read(lambda sql: pushes.due(sql, lists.now_ms))
    assert (push.drop, push.kind, push.title) == (sale.drop, "new_drop", "Test drop")
    assert push.body == "Neu von Tests. Los geht es um {time}."
    assert push.browser == PHONE.subscribed(sale.drop, "").browser


async def test_who_is_erased_is_on_no_list(lists: Lists, make_sale: MakeSale) -> None:
    sale, (ana,) = await reminded(lists, make_sale, "ana")
    await lists.database.write(lambda sql: persons.erase(sql, ana, [], 3))
    assert await lists.database.read(lambda sql: interests.count(sql, What.DROP, sale.drop)) == 0
    lists.now_ms = OPENS_MS - REMIND_MS
    assert await lists.round() == []
