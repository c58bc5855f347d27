"""Rows of `keep_claim`: a run renews its own claim, and is told when it has none."""

from __future__ import annotations

import re

from dropengine.truth.house import Claim
from dropengine.truth.replies import Kept, Lost
from dropengine.truth.store import Store
from tests.lua import test_lay_claim
from tests.lua.test_lay_claim import MS, ONE, OURS, THEIRS, THREE, TWO, lapse, lay

unclaimed = test_lay_claim.unclaimed


async def test_a_renewed_claim_lasts_anew_and_tells_the_newest_address(store: Store) -> None:
    await lay(store, OURS, ONE)
    await lapse(store, ONE)
    assert await store.house.keep_claim(5, MS, "https://shop.example") == Kept()
    assert await store.house.address() == "https://shop.example"
    row = await store.client.hget(store.house.keys.claim, f"run:{ONE}")
    assert re.fullmatch(rb"5:\d{13}", row)


async def test_who_has_no_claim_is_told_and_writes_nothing(store: Store) -> None:
    house, key = store.house, store.house.keys.claim
    house.claim = Claim(OURS, ONE)
    assert await house.keep_claim(1, MS, "") == Lost()
    assert not await store.client.exists(key)
    await lay(store, OURS, ONE)
    before = await store.client.hgetall(key)
    for other in (Claim(OURS, TWO), Claim(THEIRS, ONE), Claim(THEIRS, THREE), Claim()):
        house.claim = other
        assert await house.keep_claim(9, MS, "http://elsewhere") == Lost()
    assert await store.client.hgetall(key) == before
    await lapse(store, ONE)
    await lay(store, THEIRS, TWO, over=OURS)
    house.claim = Claim(OURS, ONE)
    assert await house.keep_claim(2, MS, "") == Lost()


async def test_a_full_server_is_kept_and_claimed_all_the_same(store: Store) -> None:
    """Whoever pays meanwhile must find his shop."""
    before = str((await store.client.config_get("maxmemory"))["maxmemory"])
    await store.client.config_set("maxmemory", 1)
    try:
        await lay(store, OURS, ONE)
        assert await store.house.keep_claim(2, MS, "http://1") == Kept()
    finally:
        await store.client.config_set("maxmemory", before)
