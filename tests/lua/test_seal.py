"""Rows of `seal`: the list of a lobby is closed."""

from __future__ import annotations

import pytest

from dropengine import events, outcomes, refusals
from tests.conftest import MakeSale
from tests.kit.manifests import START_MS, WINDOW_MS

OPENS_MS = START_MS + 3_600_000


async def test_the_list_is_fixed_with_all_who_entered_and_stayed(make_sale: MakeSale) -> None:
    sale = await make_sale(mode="lobby")
    (ada, _, _) = await sale.entered("ada", "ben", "cy")
    await sale.leave("ada", ada)
    assert await sale.creator("seal") == outcomes.Changed(7, 3, "ordering")
    sealed = (await sale.log())[-1]
    assert isinstance(sealed, events.Sealed)
    assert (sealed.by, sealed.entries) == ("o1", 2)
    assert await sale.join("di") == refusals.NotOpen()


async def test_a_lobby_opens_before_the_drop_and_is_sealed_when_it_opens(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(mode="lobby", opened=False, opens_ms=OPENS_MS)
    for now, state in (
        (OPENS_MS - WINDOW_MS - 1, "scheduled"),
        (OPENS_MS - WINDOW_MS, "lobby"),
        (OPENS_MS - 1, "lobby"),
        (OPENS_MS, "ordering"),
    ):
        sale.now = now
        assert (await sale.settle()).state == state
    opened, sealed = (await sale.log())[-2:]
    assert isinstance(opened, events.LobbyOpened)
    assert isinstance(sealed, events.Sealed)
    assert (opened.by, opened.seals, sealed.by, sealed.at) == (
        *("clock", OPENS_MS, "clock"),
        OPENS_MS,
    )


@pytest.mark.parametrize("mode", ["collect", "draw"])
async def test_other_lists_open_with_the_drop(make_sale: MakeSale, mode: str) -> None:
    sale = await make_sale(mode=mode, opened=False, opens_ms=OPENS_MS)
    for now, state in (
        (OPENS_MS - 1, "scheduled"),
        (OPENS_MS, "lobby"),
        (OPENS_MS + WINDOW_MS - 1, "lobby"),
        (OPENS_MS + WINDOW_MS, "ordering"),
    ):
        sale.now = now
        assert (await sale.settle()).state == state


async def test_a_list_that_opens_too_late_is_open_as_long_all_the_same(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale(mode="lobby", opened=False, opens_ms=OPENS_MS)
    sale.now = OPENS_MS + 10_000
    assert (await sale.settle()).state == "lobby"
    sale.now += WINDOW_MS
    assert (await sale.settle()).state == "ordering"


async def test_while_the_clock_is_in_doubt_nothing_is_sealed_by_it(make_sale: MakeSale) -> None:
    sale = await make_sale(mode="lobby")
    await sale.store.doubt_clock(sale.drop, clock_ms=sale.now)
    sale.now += WINDOW_MS
    assert (await sale.settle()).state == "lobby"
    assert isinstance(await sale.creator("seal"), outcomes.Changed)


@pytest.mark.parametrize(
    ("verbs", "refusal"),
    [
        ((), refusals.NotOpen()),
        (("open", "seal"), refusals.Already("ordering", "sealed", "o1", START_MS)),
        (("open", "cancel"), refusals.Cancelled()),
    ],
)
async def test_a_list_is_sealed_once(
    make_sale: MakeSale, verbs: tuple[str, ...], refusal: refusals.Refusal
) -> None:
    sale = await make_sale(mode="lobby", opened=False)
    for verb in verbs:
        await sale.creator(verb)
    assert await sale.creator("seal") == refusal


@pytest.mark.parametrize(
    ("verbs", "refusal"), [(("pause",), refusals.Paused()), (("close",), refusals.Closed())]
)
async def test_a_drop_that_sells_has_no_list_to_seal(
    make_sale: MakeSale, verbs: tuple[str, ...], refusal: refusals.Refusal
) -> None:
    sale = await make_sale()
    for verb in verbs:
        await sale.creator(verb)
    assert await sale.creator("seal") == refusal
