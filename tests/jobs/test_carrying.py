"""Whoever waited in vain has his place in the next drop, by his person, whoever carries it over and
is killed over it; and nobody has it by a log that was changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection

from dropengine import events, outcomes, refusals, wire
from dropengine.config import Settings
from dropengine.errors import CarriedFault, Unavailable
from dropengine.jobs import carrying as jobs_carrying
from dropengine.jobs.carrying import Carrying
from dropengine.jobs.drawing import Drawing
from dropengine.log import replay
from dropengine.log.carried import Carriable, fault_in_carried
from dropengine.log.draw.sheet import findings
from dropengine.log.draw.told import sheet_of
from dropengine.log.referee import judge
from dropengine.manifest import Manifest
from dropengine.model import DropId, FanId
from dropengine.people import persons
from dropengine.people.persons import Person
from dropengine.push import subscriptions
from dropengine.push.subscriptions import Subscription
from dropengine.randomness import Source
from dropengine.sql.database import Database
from dropengine.truth import keys
from dropengine.truth.carried_list import list_of
from dropengine.truth.store import Store
from tests.kit.laid_tables import lay
from tests.kit.manifests import in_mode, item, manifest
from tests.kit.sale import SECRET, Sale

MANY = 620
"""More than one script carries."""
WAITED = [n for n in range(MANY) if n != 7]
PINS = item("pin", {"pin": 4}, most=2)


def verified(text: Manifest, **more: Any) -> Manifest:
    return msgspec.structs.replace(text, identity="verified", guests_may_enter=False, **more)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    settings = Settings(data_dir=tmp_path)
    lay(settings)
    one = Database(settings)
    yield one
    await one.close()


@pytest.fixture
async def people(database: Database) -> list[Person]:
    def make(sql: Connection) -> list[Person]:
        return [persons.make(sql, f"n{n}", f"a{n}@x.org", 1) for n in range(MANY)]

    return await database.write(make)


@pytest.fixture
async def old(store: Store, drop: str, people: list[Person]) -> Sale:
    """Of so many one bought, one left, one let two offers go; the others waited in vain."""
    sale = Sale(store, f"{drop}-1")
    await sale.publish(verified(manifest(sale.drop, item("pin", {"pin": 1}), limit=2)))
    await sale.creator("open")
    fans = [person.fan(sale.drop, {}) for person in people]
    hold = await sale.held(fans[0])
    for first in range(0, MANY, 100):
        some = fans[first : first + 100]
        joins = [
            (fan, wire.Join(id=0, key="join", pools=["pin"], qty=1 + n % 2))
            for n, fan in enumerate(some)
        ]
        await sale.batch(*joins)
    await sale.leave(fans[7], "e8")
    await sale.succeeded(hold)
    await sale.creator("close")
    assert (await sale.settle()).state == "settled"
    return sale


async def next_drop(old: Sale, name: str, mode: str = "rush", **said: Any) -> Sale:
    """The same maker's, which names that list."""
    sale = Sale(old.store, f"{old.drop[:20]}-{name}")
    over = {"carried_from": old.drop, "carried_hash": (await list_of(old.store, old.drop)).hash}
    text = in_mode(manifest(sale.drop, PINS, limit=2), mode)
    assert isinstance(
        await sale.publish(verified(text, **over, carried_share=50, **said)), outcomes.Changed
    )
    return sale


async def order_in(sale: Sale, people: list[Person]) -> list[tuple[int, int, str]]:
    """Which person has which arrival, as the log tells it, after everybody has looked at it."""
    lines = [line async for line in sale.store.log(sale.drop)]
    assert judge(lines).violations == []
    assert replay.difference(replay.fold_lines(lines), await sale.truth()) == []
    who = {person.fan(sale.drop, {}): n for n, person in enumerate(people)}
    joined = [one for one in map(events.parse, lines) if isinstance(one, events.Joined)]
    return [(one.n, who[FanId(one.fan)], one.of) for one in joined]


class Dying(Store):
    """A worker that is killed at its nth step: before it, or after its answer was lost."""

    steps: count[int]
    dies_at: int
    lost = False

    async def _once(self, verb: str, names: object, args: object) -> object:
        step = next(self.steps)
        if step == self.dies_at and not self.lost:
            raise Unavailable("killed before")
        reply = await super()._once(verb, names, args)  # type: ignore[arg-type]
        if step == self.dies_at:
            raise Unavailable("killed after")
        return reply


async def doctor(sale: Sale, change: Callable[[dict[str, Any]], None]) -> None:
    """Whoever has the server writes the log of a drop anew."""
    log = keys.one(sale.drop, "log")
    rows = await sale.store._ask("its log", "XRANGE", log, "-", "+")
    await sale.store._ask("its log", "DEL", log)
    for row, fields in rows:
        told = [msgspec.json.decode(text) for text in fields[1::2]]
        for event in told:
            change(event)
        texts = [part for event in told for part in ("e", msgspec.json.encode(event))]
        await sale.store._ask("its log", "XADD", log, row, *texts)


async def test_whoever_waited_stands_first_and_is_called_when_he_has_confirmed(
    old: Sale, people: list[Person], database: Database
) -> None:
    new = await next_drop(old, "2")
    assert await new.creator("open") == refusals.NotCarried(0, 0)
    assert await Carrying(new.store, database).do(new.drop)
    told = await order_in(new, people)
    assert [(n, who) for n, who, _ in told] == [*enumerate(WAITED, 1)]
    lines = [line async for line in new.store.log(new.drop)]
    assert fault_in_carried(await list_of(old.store, old.drop), lines) == ""

    me = people[2].fan(new.drop, {})
    mine = (await new.you(me)).entries[0]
    assert (mine[1].n, mine[1].carried, mine[1].ready) == (3, 1, [0])
    await new.creator("open")
    # Who has not said that he is still there is called for nothing, and nobody waits for him.
    assert isinstance(await new.hold(people[0].fan(new.drop, {})), outcomes.Held)
    confirm = wire.Confirm(id=0, key="c", entry=mine[0])
    assert await new.press("somebody", confirm) == refusals.NotFound()
    assert isinstance(await new.press(me, confirm), outcomes.Confirmed)
    assert (await new.words())[-2:] == ["confirmed", "offered"]
    assert isinstance(await new.press(me, confirm), outcomes.Confirmed)
    assert (await new.words())[-1] == "offered"
    await order_in(new, people)


async def test_a_worker_may_be_killed_at_any_step_and_another_one_goes_on(
    old: Sale, people: list[Person], database: Database
) -> None:
    """Each of them is killed one step later than the one before it: once before the step, once
    after it, when nobody knows. The list is that of a worker whom nothing happened to."""
    calm = await next_drop(old, "calm")
    await Carrying(calm.store, database).do(calm.drop)
    wanted = await order_in(calm, people)
    assert len(wanted) > jobs_carrying.ROWS_AT_ONCE
    for lost in (False, True):
        new = await next_drop(old, f"lost-{lost}".lower(), "lobby")
        deaths = 0
        for dies_at in count(1):
            store = Dying(new.store.client)
            store.steps, store.dies_at, store.lost = count(1), dies_at, lost
            try:
                assert await Carrying(store, database).do(new.drop)
            except Unavailable:
                deaths += 1
            else:
                break
        # One step in which the last part is told again, and one more that is not needed.
        assert deaths >= 2
        # It was done long ago: once more changes nothing.
        told = (await new.words()).count("carried")
        assert await Carrying(new.store, database).do(new.drop)
        assert (told, (await new.words()).count("carried")) == (2, 2)
        assert await order_in(new, people) == wanted


def of_another(event: dict[str, Any]) -> None:
    """Somebody puts a friend where the first one waited."""
    if event["e"] == "joined" and event["entry"] == "e3":
        event["fan"] = "friend"


def first_of_all(event: dict[str, Any]) -> None:
    """The last one was there before the others."""
    if event["e"] == "joined" and event["n"] in (1, MANY):
        event["n"] = MANY + 1 - event["n"]


def never_there(event: dict[str, Any]) -> None:
    """Who left had stayed."""
    if event["e"] == "left":
        event |= {"e": "message", "by": "o1", "revision": 9, "text": "x"}
        del event["fan"], event["entry"], event["n"]


@pytest.mark.parametrize(
    "change", [of_another, first_of_all, never_there], ids=lambda f: f.__name__
)
async def test_by_a_log_that_was_changed_nothing_is_carried(
    old: Sale, people: list[Person], database: Database, change: Callable[[dict[str, Any]], None]
) -> None:
    new = await next_drop(old, "2", opens_ms=old.now + 1_000)
    true = await list_of(old.store, old.drop)
    await doctor(old, change)
    worker = Carrying(new.store, database)
    for _ in range(2):
        with pytest.raises(CarriedFault, match="one of the two was changed"):
            await worker.do(new.drop)
    # It does not open by the clock either: whoever was promised a place would find it gone.
    new.now += 5_000
    await new.settle()
    assert await new.words() == ["published"]

    # Without that guard others would have the places.
    async def unguarded(store: Store, manifest: Manifest) -> Carriable:
        found = await list_of(store, DropId(manifest.carried_from))
        assert found.hash != manifest.carried_hash
        return Forged(found.drop, found.entries)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs_carrying, "list_for", unguarded)
        patch.setattr(Forged, "hash", true.hash)
        assert await worker.do(new.drop)
    assert [who for _, who, _ in await order_in(new, people)] != WAITED
    lines = [line async for line in new.store.log(new.drop)]
    # Whose place it is only the fan himself can see, whose turn it is everybody.
    assert (fault_in_carried(true, lines) != "") == (change is not of_another)


class Forged(Carriable, frozen=True):
    hash = ""


async def test_a_change_that_moves_nobody_changes_nothing(
    old: Sale, people: list[Person], database: Database
) -> None:
    calm, new = await next_drop(old, "calm"), await next_drop(old, "2")
    await Carrying(calm.store, database).do(calm.drop)
    await doctor(old, lambda event: event.update(at=event["at"] + 1))
    await Carrying(new.store, database).do(new.drop)
    assert await order_in(new, people) == await order_in(calm, people)


async def test_the_list_of_a_lobby_begins_behind_those_who_were_carried(
    old: Sale, people: list[Person], database: Database
) -> None:
    """And who erased himself has no place, but nobody else moves for it."""
    await database.write(lambda sql: persons.erase(sql, people[3], [], 1))
    browser = Subscription(
        old.drop, people[4].fan(old.drop, {}), "https://push.example/1", "p", "a", "en", False, 1
    )
    await database.write(lambda sql: subscriptions.keep(sql, browser))
    new = await next_drop(old, "2", "lobby")
    await Carrying(new.store, database).do(new.drop)
    assert [who for _, who, _ in await order_in(new, people)][:4] == [0, 1, 2, 4]
    called = await database.read(lambda sql: subscriptions.of_drop(sql, new.drop))
    assert list(called) == [people[4].fan(new.drop, {})]

    await new.creator("open")
    await new.entered("ada", "ben", people[5].fan(new.drop, {}))
    await new.creator("seal")
    listed = await new.sealed()
    before = (await new.truth()).drop["carried"]
    assert (len(listed.entries), before) == (2, str(MANY - 2))
    await Drawing(new.store, Told()).do(new.drop)
    await new.settle()
    assert [n for n, _, _ in await order_in_places(new)][-2:] == [MANY - 1, MANY]


async def order_in_places(sale: Sale) -> list[tuple[int, str, str]]:
    lines = [line async for line in sale.store.log(sale.drop)]
    assert judge(lines).violations == []
    truth = await sale.truth()
    assert replay.difference(replay.fold_lines(lines), truth) == []
    assert [one.kept for one in findings(sheet_of(lines))] == [True, True, True]
    return sorted((one.n, one.fan, name) for name, one in truth.entries.items())


class Told:
    async def revealed(self, drop: DropId, source: Source, sealed_ms: int) -> bytes | None:
        return SECRET
