"""Rows of `point`: a fan's points give his entry a second place, in the boost lane."""

from __future__ import annotations

import pytest

from dropengine import events, model, refusals
from dropengine.log.replay import difference, fold
from dropengine.model import FanId
from dropengine.truth.replies import Pointed
from dropengine.truth.store import Pointing
from tests.conftest import MakeSale
from tests.kit.manifests import START_MS
from tests.kit.sale import Sale


async def in_line(make_sale: MakeSale, *fans: str, until: str = "close", also: str = "") -> Sale:
    """All pins are held by `hal`, and these stand in line."""
    sale = await make_sale(points_until=until, also=also)
    await sale.held("hal", qty=3)
    for fan in fans:
        await sale.joined(fan)
    return sale


async def second_places(sale: Sale, *fans: str) -> list[int]:
    """Of each fan the place in the boost lane; 0: he has none."""
    rows = [await sale.you(fan) for fan in fans]
    return [row.boosts[0][1][0].place if row.boosts else 0 for row in rows]


async def test_points_give_a_second_place_and_nobody_loses_his_first(make_sale: MakeSale) -> None:
    sale = await in_line(make_sale, "ada", "ben", "cy")
    assert [await sale.point("cy", 1, 2), await sale.point("ben", 1, 3)] == ["pointed", "pointed"]
    assert (await sale.log())[-1] == events.Pointed(
        seq=8,
        at=START_MS,
        fan="ben",
        entry="e2",
        points=3,
        book=1,
        why="friend",
    )
    assert await second_places(sale, "ada", "ben", "cy") == [0, 1, 2]
    first = [(await sale.you(fan)).entries[0][2][0].place for fan in ("ada", "ben", "cy")]
    assert first == [1, 2, 3]
    assert (await sale.truth()).ready == {
        **{f"e{n}@0": 1023 * 2**32 + n for n in (1, 2, 3)},
        "e2@0+": 2**42 + 1020 * 2**32 + 2,
        "e3@0+": 2**42 + 1021 * 2**32 + 3,
    }
    # A claw-back of all of them ends the second place, and it alone.
    assert await sale.point("ben", 2, 0, "taken_back") == "pointed"
    assert await second_places(sale, "ben", "cy") == [0, 1]
    assert difference(fold(await sale.log()), await sale.truth()) == []


async def test_what_is_known_already_changes_nothing_in_whatever_order_it_comes(
    make_sale: MakeSale,
) -> None:
    sale = await in_line(make_sale, "ada")
    await sale.point("ada", 5, 2)
    before = await sale.truth()
    assert [await sale.point("ada", 5, 2), await sale.point("ada", 4, 9)] == ["same", "same"]
    assert await sale.truth() == before
    # As many points, and more of the book is known: what comes late is recognised by it.
    assert await sale.point("ada", 7, 2) == "pointed"
    assert await sale.point("ada", 6, 0) == "same"


async def test_who_stands_in_no_line_is_told_again_when_he_does(make_sale: MakeSale) -> None:
    sale = await in_line(make_sale, "ada")
    assert [await sale.point("eve", 1, 2), await sale.point("hal", 1, 2)] == ["no_entry"] * 2
    await sale.leave("ada", "e1")
    assert await sale.point("ada", 1, 2) == "no_entry"
    await sale.joined("ada")
    assert await sale.point("ada", 1, 2) == "pointed"


async def test_after_the_seal_nobody_gets_more_and_points_are_still_taken_back(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(mode="lobby", opened=False, points_until="seal")
    await sale.creator("open")
    await sale.entered("ada", "ben")
    assert await sale.point("ada", 1, 4) == "pointed"
    # Chance has given nobody an arrival: the entry remembers its points.
    assert await second_places(sale, "ada") == [0]
    await sale.creator("seal")
    assert [await sale.point("ada", 2, 5), await sale.point("ada", 2, 3)] == ["fixed", "pointed"]
    await sale.in_order()
    assert await second_places(sale, "ada", "ben") == [1, 0]
    assert await sale.point("ben", 1, 1) == "fixed"
    assert difference(fold(await sale.log()), await sale.truth()) == []


async def test_a_drop_without_points_gives_none_and_one_that_is_over_neither(
    make_sale: MakeSale,
) -> None:
    sale = await in_line(make_sale, "ada", until="")
    assert await sale.point("ada", 1, 2) == "fixed"
    other = await in_line(make_sale, "ada", also="-2")
    await other.creator("close")
    assert await other.point("ada", 1, 2) == "over"


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "rows must be 1 to 100"),
        ([("ada", 1, 1, "friend")] * 101, "rows must be 1 to 100"),
        ([("ada", 0, 1, "friend")], "number must be a whole number from 1"),
        ([("ada", 1, model.POINTS + 1, "friend")], "points must be 0 to 1000"),
        ([("ada", 1, 1, "luck")], "why is no reason for points"),
    ],
)
async def test_a_row_out_of_bounds_is_refused_with_all_others(
    sale: Sale, rows: list[tuple[str, int, int, str]], why: str
) -> None:
    before = await sale.truth()
    told = [Pointing(FanId(fan), at, points, word) for fan, at, points, word in rows]
    assert await sale.store.point(sale.drop, told) == refusals.BadMessage(why)
    assert await sale.truth() == before


async def test_every_row_is_decided_by_itself(make_sale: MakeSale) -> None:
    sale = await in_line(make_sale, "ada", "ben")
    rows = [("ada", 1, 2), ("eve", 1, 2), ("ada", 1, 2), ("ben", 3, 1), ("ada", 2, 0)]
    reply = await sale.store.point(
        sale.drop, [Pointing(FanId(fan), at, points, "mission") for fan, at, points in rows]
    )
    assert reply == Pointed(8, ["pointed", "no_entry", "same", "pointed", "pointed"])
    assert await second_places(sale, "ada", "ben") == [0, 1]
