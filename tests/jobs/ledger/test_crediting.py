"""What gives points is read in the books and told to the truth, once, whoever dies over it."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, TypeVar

import msgspec
import pytest

from dropengine import events, outcomes
from dropengine.errors import DatabaseAway
from dropengine.jobs.ledger.crediting import Crediting
from dropengine.jobs.ledger.projector import Projector
from dropengine.manifest import Friends
from dropengine.model import DropId, FanId
from dropengine.people import badges, game_fans, missions, points_book, referrals
from dropengine.people.one_after_another import change
from dropengine.people.referrals import Came
from dropengine.sql.database import Database, Work
from dropengine.truth.store import Store
from tests.kit.freezing import restore
from tests.kit.manifests import START_MS, WORD, in_mode, item, manifest, playing
from tests.kit.sale import Sale

T = TypeVar("T")

FRIENDS = Friends(worth=2, most=10, delay_ms=600_000, network_most=3, domain_most=5)


class Mortal:
    """SQL, whose user dies at its n-th work: before it, or when it is done. 0: never."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.dies_at = 0
        self.late = False

    async def read(self, work: Work[T]) -> T:
        return await self._done(self._database.read, work)

    async def write(self, work: Work[T]) -> T:
        return await self._done(self._database.write, work)

    async def _done(self, how: Any, work: Work[T]) -> T:
        self.dies_at -= 1
        if self.dies_at == 0 and not self.late:
            raise DatabaseAway("he died before it")
        found: T = await how(work)
        if self.dies_at == 0:
            raise DatabaseAway("he died behind it")
        return found


class Night:
    """A drop in which people play, its books, and who counts their points."""

    def __init__(
        self, store: Store, database: Database, name: str, projector: Projector | None = None
    ) -> None:
        self.sale = Sale(store, name)
        self.database = database
        self.projector = projector or Projector(store, database)
        self.mortal = Mortal(database)
        self.now_ms = START_MS + 1_000
        self.crediting = Crediting(store, self.mortal, now_ms=lambda: self.now_ms)  # type: ignore[arg-type]

    @property
    def drop(self) -> DropId:
        return self.sale.drop

    async def begin(self, identity: str = "verified", *, cap: int = 1, **rules: Any) -> None:
        """One of its units is bought by somebody else."""
        text = playing(manifest(self.drop, item("pin", {"pin": cap}), k=2), identity)
        assert text.game is not None
        text = msgspec.structs.replace(text, game=msgspec.structs.replace(text.game, **rules))
        assert isinstance(await self.sale.publish(text), outcomes.Changed)
        await self.sale.creator("open")
        await self.sale.bought("first")

    async def comes(self, friend: str, by: str, network: str = "") -> None:
        def came(sql: Any) -> bool:
            code = game_fans.enter(sql, self.drop, FanId(by), START_MS).code
            whence = Came(network, "")
            return referrals.came(sql, self.drop, FanId(friend), code, whence, START_MS)

        assert await change(self.database, came)

    async def says(self, fan: str) -> None:
        def said(sql: Any) -> None:
            missions.start(sql, self.drop, WORD, "moon", 0, START_MS)
            missions.say(sql, self.drop, WORD, FanId(fan), "moon", START_MS)

        await change(self.database, said)

    async def count(self) -> None:
        await self.projector.round()
        await self.crediting.credit(self.drop)

    async def points(self) -> dict[str, int]:
        """Fan -> points of his open entry, as the truth has them."""
        truth = await self.sale.truth()
        open_ones = [one for one in truth.entries.values() if one.state in ("waiting", "offered")]
        return {one.fan: one.points for one in open_ones if one.points}

    async def pointed(self) -> list[events.Pointed]:
        return [one for one in await self.sale.log() if isinstance(one, events.Pointed)]

    async def states(self, fan: str) -> Counter[tuple[str, str]]:
        rows = await self.database.read(lambda sql: points_book.of_fan(sql, self.drop, FanId(fan)))
        return Counter((row.state, row.reason) for row in rows)


@pytest.fixture
async def night(store: Store, database: Database, drop: str) -> Night:
    return Night(store, database, drop)


async def test_friends_and_missions_move_a_fan_up(night: Night) -> None:
    await night.begin(friends=FRIENDS)
    await night.comes("ben", by="ana")
    await night.comes("cy", by="ana")
    await night.sale.joined("ana")
    await night.sale.joined("ben")
    await night.says("ben")
    await night.count()
    assert await night.points() == {"ben": 3}
    assert await night.states("ana") == {("waiting", "delay"): 1}
    night.now_ms += FRIENDS.delay_ms
    await night.count()
    assert await night.points() == {"ana": 2, "ben": 3}
    await night.sale.joined("cy")
    await night.comes("di", by="ana")
    await night.sale.leave("di", await night.sale.joined("di"))
    night.now_ms += FRIENDS.delay_ms
    await night.count()
    assert await night.points() == {"ana": 4, "ben": 3}
    assert await night.states("ana") == {("counted", ""): 2, ("refused", "gone"): 1}
    assert [(one.fan, one.points, one.why) for one in await night.pointed()] == [
        ("ben", 3, "mission"),
        ("ana", 2, "friend"),
        ("ana", 4, "friend"),
    ]
    # Nothing more happens, and nothing more is said.
    await night.count()
    assert len(await night.pointed()) == 3


async def test_a_guests_friend_counts_when_he_has_paid_until_his_money_goes_back(
    night: Night,
) -> None:
    await night.begin("guest", cap=3)
    await night.comes("ben", by="ana")
    await night.comes("cy", by="ana")
    holds = [await night.sale.held(fan) for fan in ("ben", "cy")]
    await night.sale.joined("ana")
    await night.count()
    assert await night.points() == {}
    for hold in holds:
        await night.sale.succeeded(hold)
    await night.count()
    assert await night.points() == {"ana": 4}
    # What goes back is offered to her, who is in line; and he is nobody's friend any more.
    await night.sale.refund(holds[0])
    await night.count()
    assert await night.points() == {"ana": 2}
    assert await night.states("ana") == {("counted", ""): 1, ("taken_back", "refunded"): 1}
    assert (await night.pointed())[-1].why == "taken_back"
    # She buys: served by the lane that called her, and when all is over nothing counts any more.
    (offer,) = [one for one in await night.sale.log() if isinstance(one, events.Offered)]
    await night.sale.succeeded(offer.hold)
    await night.sale.joined("di")
    await night.says("di")
    await night.sale.creator("close")
    await night.sale.settle()
    await night.count()

    def of(fan: str) -> Any:
        return lambda sql: [one.kind for one in badges.of_fan(sql, night.drop, FanId(fan))]

    won = [badges.SERVED_BY_BOOST] if offer.call == 1 else []
    assert sorted(await night.database.read(of("ana"))) == sorted([badges.FIRST_FRIEND, *won])
    assert sorted(await night.database.read(of("di"))) == [badges.MISSION, badges.WAITED]


async def test_a_guest_with_points_becomes_a_person_with_points(night: Night) -> None:
    await night.begin("guest")
    await night.says("guest")
    await night.sale.joined("guest")
    await night.count()
    assert await night.points() == {"guest": 3}
    await night.sale.adopt("guest", "ana")
    await night.count()
    assert await night.points() == {"ana": 3}
    await night.says("guest")
    await night.count()
    assert await night.points() == {"ana": 3}, "he had that"


async def test_what_is_not_due_when_the_list_is_sealed_never_counts(night: Night) -> None:
    text = in_mode(manifest(night.drop, item("pin", {"pin": 1})), "draw")
    text = playing(text, until="seal")
    assert text.game is not None
    friends = msgspec.structs.replace(FRIENDS, delay_ms=100_000)
    game = msgspec.structs.replace(text.game, friends=friends)
    text = msgspec.structs.replace(text, guests_may_enter=False, game=game)
    assert isinstance(await night.sale.publish(text), outcomes.Changed)
    await night.sale.creator("open")
    await night.comes("ben", by="ana")
    await night.comes("cy", by="ana")
    await night.sale.entered("ana", "ben")
    night.sale.now += 150_000
    await night.sale.entered("cy")
    night.now_ms = START_MS + friends.delay_ms
    await night.count()
    assert await night.points() == {"ana": 2}
    night.sale.now = START_MS + 200_000
    await night.sale.creator("seal")
    night.now_ms += friends.delay_ms
    await night.count()
    assert await night.states("ana") == {("counted", ""): 1, ("refused", "late"): 1}
    await night.says("ben")
    await night.count()
    assert await night.points() == {"ana": 2}


async def test_who_joins_anew_has_his_points_there_too(night: Night) -> None:
    await night.begin()
    await night.says("ana")
    await night.count()
    assert await night.points() == {}, "no place, and nobody is told"
    entry = await night.sale.joined("ana")
    await night.count()
    assert await night.points() == {"ana": 3}
    await night.sale.leave("ana", entry)
    await night.sale.joined("ana")
    assert await night.points() == {}
    await night.count()
    assert await night.points() == {"ana": 3}


async def test_a_truth_that_was_restored_is_told_all_sums_again(night: Night) -> None:
    await night.begin()
    await night.says("ana")
    await night.sale.joined("ana")
    await night.sale.joined("ben")
    await night.count()
    (known,) = await night.pointed()
    await restore(night.sale)
    await night.sale.creator("thaw", found=0)
    await night.count()
    assert [(one.fan, one.points, one.book) for one in await night.pointed()] == [
        ("ana", 3, known.book),
        ("ana", 3, known.book + 1),
    ]


async def test_two_who_count_at_once_count_once(night: Night, store: Store) -> None:
    """A lease only saves the second one the work."""
    await night.begin()
    await night.comes("ben", by="ana")
    for fan in ("ana", "ben"):
        await night.sale.joined(fan)
    await night.says("ana")
    await night.projector.round()
    others = [Crediting(store, night.database, now_ms=lambda: night.now_ms) for _ in range(3)]
    ended = await asyncio.gather(
        *(one.credit(night.drop) for one in others), return_exceptions=True
    )
    assert all(one is None or isinstance(one, DatabaseAway) for one in ended)
    await night.count()
    assert await night.points() == {"ana": 5}
    assert await night.states("ana") == {("counted", ""): 2}
    assert [one.points for one in await night.pointed()] in ([5], [3, 5])


async def test_whoever_dies_over_it_the_sums_are_the_same(
    store: Store, database: Database, drop: str
) -> None:
    """At every work in SQL, before it and behind it, on SQLite and on PostgreSQL."""
    died, projector = 0, Projector(store, database)
    for late in (False, True):
        for at in range(1, 40):
            night = Night(store, database, f"{drop}-{int(late)}-{at}", projector)
            await night.begin()
            await night.comes("ben", by="ana", network="n1")
            await night.comes("cy", by="ana", network="n1")
            for fan in ("ana", "ben", "cy"):
                await night.sale.joined(fan)
            await night.says("ana")
            await night.projector.round()
            night.mortal.dies_at, night.mortal.late = at, late
            try:
                await night.crediting.credit(night.drop)
            except DatabaseAway:
                died += 1
                await night.count()
            else:
                assert at > 8, "it is killed at every step of a round"
                break
            await night.count()
            assert await night.points() == {"ana": 7}
            assert await night.states("ana") == {("counted", ""): 3}
            assert [one.points for one in await night.pointed()] == [7]
    assert died > 16
