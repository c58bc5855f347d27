"""Could a hold be granted now: the last trial, its age, and what else keeps a shop from selling."""

from __future__ import annotations

import msgspec
import pytest

from dropengine.config import Settings
from dropengine.jobs.disk_watch import DiskWatch
from dropengine.jobs.server_watch import ServerWatch
from dropengine.jobs.trial import OLD_S, Trial
from dropengine.truth import connections
from dropengine.truth.server_check import read_facts
from dropengine.truth.store import Store
from tests.kit.jobs_at_work import conf


class Tried:
    """A trial in the test's own time; the disk has as much room as the test says."""

    def __init__(self, store: Store, settings: Settings | None = None) -> None:
        settings = settings or conf(accept_weaker=True)
        self.now = 1_000.0
        self.free_mib = 1 << 20
        self.watch = ServerWatch(store, lambda _: None)
        self.disk = DiskWatch(store, settings, lambda: self.free_mib)
        self.trial = Trial(store, settings, self.watch, self.disk, lambda: self.now)

    @property
    def word(self) -> str:
        return self.trial.verdict().server


async def test_nothing_is_known_before_the_first_trial_and_long_after_the_last(
    store: Store,
) -> None:
    one = Tried(store)
    assert (one.word, one.trial.verdict().why) == ("away", "the server was not tried yet")
    await one.trial.round()
    assert one.word == "ok"
    one.now += OLD_S
    assert (one.word, one.trial.verdict().age_s) == ("ok", OLD_S)
    one.now += 2
    assert one.word == "away"
    assert one.trial.verdict().why == "the server was last tried 7 s ago"
    await one.trial.round()
    assert one.word == "ok"


async def test_a_server_that_is_not_there_is_away() -> None:
    async with connections.client("unix:///nowhere/at/all.sock") as nowhere:
        one = Tried(Store(nowhere))
        await one.trial.round()
        assert one.word == "away"
        assert "nowhere" not in one.trial.verdict().why


@pytest.mark.parametrize(
    ("change", "accepted", "word"),
    [
        ({}, False, "ok"),
        ({"appendfsync": "everysec"}, False, "weaker"),
        ({"appendfsync": "everysec"}, True, "ok"),
        ({"appendfsync": None}, False, "weaker"),
        ({"appendonly": False}, False, "weaker"),
        ({"maxmemory_policy": "allkeys-lru"}, False, "weaker"),
        ({"maxmemory_policy": "allkeys-lru"}, True, "weaker"),
        ({"maxmemory_policy": "volatile-lru"}, False, "ok"),
        ({"used_memory_bytes": 95, "maxmemory_bytes": 100}, True, "memory"),
    ],
)
async def test_a_server_that_would_write_may_still_not_be_sold_from(
    store: Store, change: dict[str, object], accepted: bool, word: str
) -> None:
    one = Tried(store, conf(accept_weaker=accepted))
    durable = msgspec.structs.replace(
        await read_facts(store.client), appendonly=True, appendfsync="always"
    )
    one.watch.hear(msgspec.structs.replace(durable, **change))
    await one.trial.round()
    assert one.word == word


async def test_a_disk_that_is_nearly_full_sells_nothing_until_there_is_room(store: Store) -> None:
    one = Tried(store)
    await one.trial.round()
    least = conf().disk_free_mib_min
    for free_mib, word in (
        (least, "ok"),
        (least - 1, "disk"),
        (2 * least - 1, "disk"),
        (2 * least, "ok"),
    ):
        one.free_mib = free_mib
        await one.disk.round()
        assert one.word == word
