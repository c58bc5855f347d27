"""A drop that has long been over leaves the server of the truth; whoever asks notices nothing."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from dropengine import outcomes, refusals
from dropengine.config import Settings
from dropengine.errors import Unavailable
from dropengine.jobs.ledger.archiving import STAYS_MS, Archiving
from dropengine.jobs.ledger.projector import Projector
from dropengine.log.referee import judge
from dropengine.model import DropId, FanId
from dropengine.sql.archive import Archive, OpenedForEach
from dropengine.sql.database import Database
from dropengine.truth import connections, keys, repair
from dropengine.truth.replies import Shown, ViewReply, YouReply
from dropengine.truth.store import Store
from tests.conftest import MakeSale
from tests.kit.freezing import freeze
from tests.kit.manifests import item, manifest
from tests.kit.private_server import Server
from tests.kit.sale import Sale

pytestmark = pytest.mark.usefixtures("synced")

HALF_A_YEAR_MS = 180 * 86_400_000
BEYOND = 10**12
FANS = [FanId(fan) for fan in ("ana", "bo", "cy", "di", "nobody")]


@dataclasses.dataclass
class Told:
    """What the truth tells of a drop, but for the clock, and where rows for workers end."""

    shown: Shown | None
    view: ViewReply
    you: YouReply
    log: list[bytes]
    newest: list[bytes]
    standing: int


async def told(sale: Sale) -> Told:
    store, drop = sale.store, sale.drop
    view = await store.view(drop, BEYOND, BEYOND, clock_ms=sale.now)
    you = await store.you(drop, FANS, clock_ms=sale.now)
    assert isinstance(view, ViewReply)
    assert isinstance(you, YouReply)
    return Told(
        await store.show(drop),
        msgspec.structs.replace(view, now_ms=0, moves_end=0, mail_end=0),
        msgspec.structs.replace(you, now_ms=0),
        [line async for line in store.log(drop)],
        await store.newest(drop, 3),
        await store.standing_orders(drop),
    )


async def at_the_server(sale: Sale) -> list[str]:
    """Its keys there."""
    names = keys.of(sale.drop)[:-1]
    return [name for name in names if await sale.store.client.exists(name)]


@pytest.fixture
async def over(store: Store, make_sale: MakeSale, database: Database) -> Sale:
    """A night that is over: bought, refunded, lapsed, in line for nothing; all in the books."""
    await store.client.flushall()
    store.archive = Archive(database)
    sale = await make_sale(item("pin", {"pin": 2}, most=2), limit=2)
    await sale.bought("ana")
    await sale.held("bo")
    await sale.joined("cy")
    gone = await sale.bought("di") if (await sale.counts())[0] else await sale.hold("di")
    assert gone
    sale.now += 10_000_000
    await sale.settle()
    await sale.creator("close")
    for _ in range(2):
        sale.now += 10_000_000
        await sale.settle()
    for duty in await store.duties(sale.drop):
        await sale.discharge(duty)
    await Projector(store, database).round()
    return sale


Archived = Callable[..., Awaitable[None]]


@pytest.fixture
def archived(store: Store, database: Database, sql_settings: Settings) -> Archived:
    now_ms = [0]
    one = Archiving(store, database, sql_settings, now_ms=lambda: now_ms[0])

    async def archive(sale: Sale, *, later_ms: int = HALF_A_YEAR_MS + 1) -> None:
        now_ms[0] = sale.now + later_ms
        await one.round()

    return archive


async def test_whoever_asks_hears_the_same_before_and_after(over: Sale, archived: Archived) -> None:
    before = await told(over)
    assert before.shown is not None
    assert before.shown.state == "settled"
    await archived(over)
    assert await at_the_server(over) == [keys.one(over.drop, "drop")]
    assert await over.store.drops() == []
    assert await over.store.every_drop() == [over.drop]
    assert await told(over) == before
    assert judge(before.log).violations == []


async def test_nobody_presses_for_it_and_nothing_comes_back_for_that(
    over: Sale, archived: Archived
) -> None:
    await archived(over)
    assert isinstance(await over.hold("eva"), refusals.Closed)
    assert len(await at_the_server(over)) == 1


async def test_its_id_stays_taken(over: Sale, archived: Archived) -> None:
    await archived(over)
    again = await over.store.publish(
        manifest(over.drop, item("pin", {"pin": 1})), by="o1", key="again"
    )
    assert isinstance(again, refusals.Exists)
    assert len(await at_the_server(over)) == 1


async def test_a_refund_brings_it_back_and_is_an_ordinary_one(
    over: Sale, archived: Archived, database: Database
) -> None:
    before = await told(over)
    (order,) = [hold for hold, _ in (await over.you("ana")).orders]
    await archived(over)
    done = await over.refund(order, key="once", why="lost in the post")
    assert isinstance(done, outcomes.Refunded)
    assert await over.refund(order, key="once", why="lost in the post") == done
    assert await over.words() == [*map(word_of, before.log), "refunded"]
    found = await repair.audit(over.store, over.drop)
    assert found is not None
    assert found.agrees
    await Projector(over.store, database).round()
    assert judge([line async for line in over.store.log(over.drop)]).violations == []
    assert await over.store.drops() == [over.drop]


def word_of(line: bytes) -> str:
    return str(msgspec.json.decode(line)["e"])


async def test_money_that_comes_half_a_year_late_goes_back(over: Sale, archived: Archived) -> None:
    (lapsed,) = [hold for hold, _ in (await over.you("bo")).holds]
    await archived(over)
    late = await over.succeeded(lapsed, amount=2400, captured=True)
    assert isinstance(late, outcomes.Voided), late
    assert await over.store.duties(over.drop)


async def test_all_who_bring_it_back_at_once_do_one_thing(
    over: Sale, archived: Archived, server: Server, database: Database
) -> None:
    (order,) = [hold for hold, _ in (await over.you("ana")).orders]
    await archived(over)
    workers = [Store(connections.client(server.url)) for _ in range(4)]
    for worker in workers:
        worker.archive = Archive(database)
    sales = [Sale(worker, over.drop, over.now) for worker in workers]
    done = await asyncio.gather(*(sale.refund(order, key="once") for sale in sales))
    assert {type(one) for one in done} == {outcomes.Refunded}
    assert (await over.words()).count("refunded") == 1
    found = await repair.audit(over.store, over.drop)
    assert found is not None
    assert found.agrees
    for worker in workers:
        await worker.close()


async def test_who_dies_while_he_brings_it_back_leaves_nothing_that_is_in_the_way(
    over: Sale, archived: Archived
) -> None:
    (order,) = [hold for hold, _ in (await over.you("ana")).orders]
    before = await told(over)
    await archived(over)
    for turns in range(0, 200, 7):
        dying = asyncio.create_task(over.refund("h999", key=f"dies-{turns}"))
        for _ in range(turns):
            await asyncio.sleep(0)
        dying.cancel()
        await asyncio.wait({dying})
        # Half of it there or all of it: whoever asks hears the same.
        assert await told(over) == before
    assert isinstance(await over.refund(order), outcomes.Refunded)
    found = await repair.audit(over.store, over.drop)
    assert found is not None
    assert found.agrees


async def test_what_was_brought_back_stays_for_an_hour_and_leaves_again(
    over: Sale, archived: Archived, database: Database
) -> None:
    await archived(over)
    assert isinstance(await over.refund("h999"), refusals.Refusal)
    now_ms = await over.store.time_ms()
    await archived(over, later_ms=now_ms - over.now + STAYS_MS // 2)
    assert len(await at_the_server(over)) > 1
    before = await told(over)
    await archived(over, later_ms=max(HALF_A_YEAR_MS, now_ms - over.now) + 2 * STAYS_MS)
    assert len(await at_the_server(over)) == 1
    assert await told(over) == before


async def young(_: Sale) -> int:
    return HALF_A_YEAR_MS - 20_000_000


async def owed(sale: Sale) -> int:
    (order,) = [hold for hold, _ in (await sale.you("ana")).orders]
    assert isinstance(await sale.refund(order), outcomes.Refunded)
    return 2 * HALF_A_YEAR_MS


async def backed_up(sale: Sale) -> int:
    await sale.store.client.set(sale.store.house.keys.backup, "1")
    return 2 * HALF_A_YEAR_MS


async def frozen(sale: Sale) -> int:
    await freeze(sale)
    return 2 * HALF_A_YEAR_MS


async def differing(sale: Sale) -> int:
    (order,) = [hold for hold, _ in (await sale.you("ana")).orders]
    await sale.store.client.zrem(keys.one(sale.drop, "sales"), order)
    return 2 * HALF_A_YEAR_MS


async def behind(sale: Sale) -> int:
    """The books do not have its last event."""
    (order,) = [hold for hold, _ in (await sale.you("ana")).orders]
    await sale.refund(order)
    for duty in await sale.store.duties(sale.drop):
        await sale.discharge(duty)
    return 2 * HALF_A_YEAR_MS


@pytest.mark.parametrize("why", [young, owed, backed_up, frozen, differing, behind])
async def test_what_is_not_over_in_every_way_stays(
    over: Sale, archived: Archived, why: Callable[[Sale], Awaitable[int]]
) -> None:
    later_ms = await why(over)
    await archived(over, later_ms=later_ms)
    assert len(await at_the_server(over)) > 1
    assert await over.store.drops() == [over.drop]


async def test_who_dies_right_after_it_left_is_cleaned_up_after(
    over: Sale, archived: Archived
) -> None:
    await archived(over)
    await over.store.house.enlist(over.drop, 1)
    await archived(over)
    assert await over.store.drops() == []
    assert await over.store.every_drop() == [over.drop]


async def test_while_sql_is_away_an_archived_drop_is_and_no_other_one(
    over: Sale, archived: Archived, tmp_path: Path
) -> None:
    await archived(over)
    over.store.archive = Archive(OpenedForEach(Settings(data_dir=tmp_path / "none")))
    with pytest.raises(Unavailable):
        await over.store.show(over.drop)
    with pytest.raises(Unavailable):
        await over.refund("h1")
    assert await over.store.show(DropId("none")) is None
