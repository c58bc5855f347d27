"""An offer that came back goes to the next: its entry cools, however short the rules say it does.

Drops that were published before a second was the least may say 0.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dropengine import events, outcomes, refusals, wire
from dropengine.log.referee import Verdict, judge
from dropengine.log.replay import difference, fold_lines
from dropengine.manifest import Manifest
from dropengine.model import SCHEMA
from dropengine.truth import keys
from tests.conftest import MakeSale
from tests.kit.manifests import COOL_MS, OFFER_MS, item, manifest
from tests.kit.sale import Sale

NEVER_COOLS = b'"cool_ms":0'


@pytest.fixture
async def older(make_sale: MakeSale) -> Sale:
    """A drop of one pin whose rules let nobody cool, as an older version published it."""
    sale = await make_sale(item("pin", {"pin": 1}))
    await rule(sale, "cool_ms", 0)
    return sale


async def rule(sale: Sale, name: str, value: int) -> None:
    client: Any = sale.store.client
    drop = keys.one(sale.drop, "drop")
    rules = msgspec.msgpack.decode(await client.hget(drop, "rules"))
    await client.hset(drop, "rules", msgspec.msgpack.encode(rules | {name: value}))


async def lines(sale: Sale) -> list[bytes]:
    was = b'"cool_ms":%d' % COOL_MS
    return [line.replace(was, NEVER_COOLS) async for line in sale.store.log(sale.drop)]


async def verdict(sale: Sale) -> Verdict:
    told = await lines(sale)
    assert difference(fold_lines(told), await sale.truth()) == []
    return judge(told)


async def fate(sale: Sale, entry: str) -> tuple[str, int, int]:
    """Its state, how often an offer of it came back, and until when it cools."""
    record = (await sale.truth()).entries[entry]
    return record.state, record.lapses, record.cool_ms


async def test_an_offer_that_lapsed_goes_to_the_next(older: Sale) -> None:
    first, second = await older.called("ana"), await older.joined("bo")
    # Somebody held it meanwhile: ana's offer is what lapses first.
    older.now += OFFER_MS
    await older.settle()
    assert await fate(older, first) == ("waiting", 1, older.now + 1)
    assert (await fate(older, second))[0] == "offered"
    assert (await verdict(older)).violations == []


async def test_an_offer_that_is_passed_on_goes_to_a_press_of_the_same_batch(older: Sale) -> None:
    """Whoever passed on it is not ready before the next moment."""
    entry = await older.called("ana")
    offer = (await older.truth()).entries[entry].hold
    release = wire.Release(id=0, key="back", hold=offer)
    hold = wire.Hold(id=0, key="mine", pool="pin", qty=1)
    _, held = await older.batch(("ana", release), ("bo", hold))
    assert isinstance(held, outcomes.Held)
    assert (await older.settle()).next_ms == older.now + 1
    assert await fate(older, entry) == ("waiting", 1, older.now + 1)
    older.now += 1
    await older.settle()
    assert await fate(older, entry) == ("waiting", 1, 0)
    assert (await verdict(older)).violations == []


async def test_a_claimed_offer_that_ends_cools_too_and_the_second_is_the_last(older: Sale) -> None:
    entry = await older.called("ana")
    for lapses in (1, 2):
        hold = (await older.truth()).entries[entry].hold
        await older.claim("ana", hold)
        await older.release("ana", hold)
        state = ("waiting", 1, older.now + 1) if lapses == 1 else ("dormant", 2, 0)
        assert await fate(older, entry) == state
        older.now += 1
        await older.settle()
    assert (await verdict(older)).violations == []


async def test_what_an_older_engine_let_cool_for_no_time_is_judged_by_its_rule(
    older: Sale,
) -> None:
    """Its `cool` is the moment itself; this one's would be wrong there, and the other way round."""
    await older.called("ana")
    older.now += OFFER_MS
    await older.settle()
    told = await lines(older)
    assert judge(told).violations == []
    by_older = [told[0].replace(b'"schema":%d' % SCHEMA, b'"schema":2'), *told[1:]]
    assert {v.inv for v in judge(by_older).violations} == {"INV-11"}
    at_once = [
        line.replace(b'"cool":%d' % (older.now + 1), b'"cool":%d' % older.now) for line in told
    ]
    assert {v.inv for v in judge(at_once).violations} == {"INV-11"}
    # There it is ready at once; what its next script does is not told any more.
    older_log = judge([by_older[0], *at_once[1:]]).violations
    assert not any("cools" in violation.sentence for violation in older_log)


@pytest.mark.parametrize("name", ["hold", "offer", "pay", "cool", "lookup"])
@pytest.mark.parametrize("ms", [0, 1, 999, -1])
async def test_no_drop_is_published_whose_times_are_no_time(sale: Sale, name: str, ms: int) -> None:
    text = msgspec.structs.replace(manifest(f"{sale.drop}-{name}-{ms}"), **{f"{name}_ms": ms})
    outcome = await Sale(sale.store, text.id).publish(text)
    assert isinstance(outcome, refusals.BadMessage)
    assert outcome.why.startswith(f"{name}_ms must be a whole number from 1000 to ")


def bounds() -> list[tuple[str, int]]:
    return [
        *[(f"{name}_ms", 1000) for name in ("hold", "offer", "pay", "cool", "lookup")],
        ("extend_ms", 0),
        ("extend_ms", 1000),
        *[(f"{name}_ms", 1_800_000) for name in ("hold", "extend", "pay", "lookup")],
        ("offer_ms", 172_800_000),
        ("cool_ms", 3_600_000),
    ]


@pytest.mark.parametrize("least", [1000, 1_800_000])
@pytest.mark.parametrize(("name", "ms"), bounds())
async def test_a_sale_goes_right_by_every_bound_of_a_time(
    sale: Sale, name: str, ms: int, least: int
) -> None:
    """Also where one time is far shorter or longer than all the others."""
    others = {f"{one}_ms": least for one in ("hold", "offer", "extend", "pay", "cool", "lookup")}
    text = msgspec.structs.replace(
        manifest(f"{sale.drop}-b", item("pin", {"pin": 2}), limit=2),
        **{**others, name: ms},
    )
    small = Sale(sale.store, text.id)
    await small.publish(text)
    await small.creator("open")
    await play(small, text)
    told = [line async for line in small.store.log(small.drop)]
    assert judge(told, closed=True).violations == []
    assert difference(fold_lines(told), await small.truth()) == []


async def play(sale: Sale, text: Manifest) -> None:
    """Everything that a time ends or lengthens, a moment before it, at it and after it."""
    taken, other = await sale.held("ana"), await sale.held("bo")
    entry = await sale.joined("cy")
    await sale.extend("ana", taken)
    sale.now += text.hold_ms - 1
    await sale.pay("bo", other)
    for ms in (1, text.extend_ms, text.pay_ms, text.lookup_ms, text.offer_ms, text.cool_ms, 1):
        sale.now += ms
        await sale.settle()
        for hold in [h for h, r in (await sale.truth()).holds.items() if r.fan == "cy"]:
            await sale.claim("cy", hold)
    sale.now += text.hold_ms
    await sale.settle()
    assert (await sale.truth()).entries[entry].lapses >= 1
    await sale.succeeded(other)
    await sale.creator("close")
    sale.now += 10 * max(text.hold_ms, text.offer_ms)
    await sale.settle()
    sale.now += text.lookup_ms + 1
    await sale.settle()
    for duty in (await sale.truth()).outbox:
        await sale.discharge(duty)
    assert (await sale.truth()).state == "settled"


@pytest.mark.parametrize("opens", [0, 1000])
@pytest.mark.parametrize("closes", [-1, 0, 1])
async def test_a_drop_whose_times_stand_in_any_order_opens_and_is_judged(
    sale: Sale, opens: int, closes: int
) -> None:
    """One that closes before it opens, or with it, is closed by hand."""
    opens_ms = sale.now + opens
    text = manifest(f"{sale.drop}-{opens}-{closes}", opens_ms=opens_ms, closes_ms=opens_ms + closes)
    odd = Sale(sale.store, text.id)
    await odd.publish(text)
    odd.now = opens_ms
    await odd.settle()
    odd.now += 1
    await odd.settle()
    told = [line async for line in odd.store.log(odd.drop)]
    assert judge(told).violations == []
    words = [msgspec.json.decode(line)["e"] for line in told]
    assert words == ["published", "opened", *(["closed", "settled"] if closes == 1 else [])]
    assert difference(fold_lines(told), await odd.truth()) == []
    assert isinstance(events.parse(told[0]), events.Published)
