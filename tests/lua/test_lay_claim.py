"""Rows of `lay_claim`: a server is one shop's, and of its runs the newest goes on at once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from dropengine.truth.house import Claim
from dropengine.truth.replies import AnotherShop, Claimed, Occupied, Replaced
from dropengine.truth.store import Store

OURS, THEIRS = "5e" * 16, "07" * 16
ONE, TWO, THREE = "1" * 32, "2" * 32, "3" * 32
MS = 60_000

Laid = Claimed | AnotherShop | Occupied | Replaced


@pytest.fixture(autouse=True)
async def unclaimed(store: Store) -> AsyncIterator[None]:
    yield
    await store.house.forget_claim()


async def lay(
    store: Store,
    shop: str,
    nonce: str,
    *,
    count: int = 1,
    before: str = "",
    runs: int = 1,
    over: str = "",
    life: str = "",
) -> Laid:
    store.house.claim = Claim(shop, nonce)
    where = f"http://{nonce[:1]}"
    return await store.house.lay_claim(count, before, runs, over, MS, where, life)


async def lapse(store: Store, nonce: str, count: int = 1) -> None:
    """Nobody has renewed this run for as long as it lasts."""
    await store.client.hset(store.house.keys.claim, f"run:{nonce}", f"{count}:1")


async def runs_of(store: Store) -> set[str]:
    fields = await store.client.hkeys(store.house.keys.claim)
    return {field.decode()[4:] for field in fields if field.startswith(b"run:")}


async def test_a_server_that_nobody_claimed_is_claimed(store: Store) -> None:
    assert await lay(store, OURS, ONE) == Claimed()
    assert await store.house.address() == "http://1"
    # No answer came: asked again it is the same claim.
    assert await lay(store, OURS, ONE, count=2) == Claimed()
    assert await runs_of(store) == {ONE}


async def test_a_living_shop_is_never_taken_over(store: Store) -> None:
    await lay(store, THEIRS, ONE)
    for over in ("", THEIRS, OURS):
        for runs in (1, 64):
            found = await lay(store, OURS, TWO, over=over, runs=runs)
            assert isinstance(found, AnotherShop)
            assert (found.shop, found.address) == (THEIRS, "http://1")
    found = await lay(store, OURS, TWO, over=THEIRS)
    assert isinstance(found, AnotherShop)
    assert MS - 20_000 < found.ms <= MS


async def test_one_that_is_gone_is_taken_over_by_its_name_alone(store: Store) -> None:
    await lay(store, THEIRS, ONE)
    await lapse(store, ONE)
    for over in ("", OURS, "another"):
        assert await lay(store, OURS, TWO, over=over) == AnotherShop(THEIRS, "http://1", 0)
    assert await lay(store, OURS, TWO, over=THEIRS) == Claimed()
    assert await runs_of(store) == {TWO}
    found = await lay(store, THEIRS, ONE)
    assert isinstance(found, AnotherShop)
    assert found.shop == OURS


async def test_one_that_ended_is_still_another_shops(store: Store) -> None:
    await lay(store, THEIRS, ONE)
    await store.house.end_claim()
    assert await lay(store, OURS, TWO) == AnotherShop(THEIRS, "http://1", 0)
    assert await lay(store, THEIRS, THREE) == Claimed()


@pytest.mark.parametrize(
    ("before", "goes_on"),
    [
        (f"{ONE}:7", True),
        # It ended between telling its file and telling the server.
        (f"{ONE}:8", True),
        (f"{TWO}:1 {ONE}:7", True),
        (f"{ONE}:000000000000007 {TWO}:000000000000001", True),
        (f"{ONE}:6", False),
        (f"{ONE}:000000000000006", False),
        (f"{TWO}:7", False),
        ("", False),
        (ONE, False),
        ("....", False),
    ],
)
async def test_the_directory_that_knows_the_newest_renewal_goes_on_at_once(
    store: Store, before: str, goes_on: bool
) -> None:
    await lay(store, OURS, ONE)
    await store.house.keep_claim(7, MS, "http://1")
    found = await lay(store, OURS, THREE, before=before)
    assert isinstance(found, Claimed if goes_on else Occupied)
    assert await runs_of(store) == ({THREE} if goes_on else {ONE})


async def test_a_copy_is_let_in_when_the_original_has_lapsed(store: Store) -> None:
    await lay(store, OURS, ONE)
    assert isinstance(await lay(store, OURS, TWO), Occupied)
    await lapse(store, ONE)
    assert await lay(store, OURS, TWO) == Claimed()
    found = await lay(store, OURS, ONE, before=f"{ONE}:1")
    assert isinstance(found, Occupied)
    assert found.ms > 0


async def test_the_hosts_of_one_shop_stand_side_by_side(store: Store) -> None:
    for nonce in (ONE, TWO, THREE):
        assert await lay(store, OURS, nonce, runs=3) == Claimed()
    assert await runs_of(store) == {ONE, TWO, THREE}
    assert isinstance(await lay(store, OURS, "4" * 32, runs=3), Occupied)
    await lapse(store, TWO)
    assert await lay(store, OURS, "4" * 32, runs=3) == Claimed()
    assert await runs_of(store) == {ONE, THREE, "4" * 32}
    assert isinstance(await lay(store, THEIRS, TWO, runs=3, over=OURS), AnotherShop)


async def test_whoever_was_there_before_a_restore_is_refused_for_good(store: Store) -> None:
    """REPLACED: also while nobody of the restored shop runs, and whatever it goes on from."""
    await lay(store, OURS, ONE)
    await store.house.begin_life(OURS, "b2")
    assert await lay(store, OURS, ONE, count=2) == Replaced("b2", "http://1")
    await lapse(store, ONE)
    assert await lay(store, OURS, TWO, before=f"{ONE}:{9:015}") == Replaced("b2", "http://1")
    assert await lay(store, OURS, TWO, life="a1") == Replaced("b2", "http://1")
    assert await lay(store, OURS, THREE, life="b2") == Claimed()
    assert await runs_of(store) == {THREE}


async def test_a_restored_shop_does_not_sell_what_is_of_before(store: Store) -> None:
    """REPLACED: the server that it was copied from is not what it was restored to."""
    await lay(store, OURS, ONE)
    await lapse(store, ONE)
    assert await lay(store, OURS, TWO, life="b2") == Replaced("", "http://1")


async def test_another_shop_that_takes_over_begins_a_life_of_its_own(store: Store) -> None:
    await lay(store, OURS, ONE, life="b2")
    await lapse(store, ONE)
    assert await lay(store, THEIRS, TWO, over=OURS) == Claimed()
    assert await lay(store, THEIRS, TWO, count=2) == Claimed()
