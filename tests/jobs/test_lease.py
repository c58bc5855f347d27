"""One worker does a job for all, another one when the first is gone, and nobody by mistake."""

from __future__ import annotations

import pytest

from dropengine.errors import Unavailable
from dropengine.jobs.lease import Lease
from dropengine.truth.house import House
from dropengine.truth.store import Store

MS = 60_000


async def test_one_of_many_holds_it_and_goes_on_holding_it(store: Store) -> None:
    leases = [Lease(store, "job", MS) for _ in range(3)]
    assert not any(lease.held for lease in leases)
    for _ in range(2):
        for lease in leases:
            await lease.renew()
        assert [lease.held for lease in leases] == [True, False, False]


async def test_leases_of_different_jobs_do_not_know_each_other(store: Store) -> None:
    one, other = Lease(store, "one", MS), Lease(store, "other", MS)
    await one.renew()
    await other.renew()
    assert (one.held, other.held) == (True, True)


async def test_it_runs_out_by_itself_and_then_another_has_it(store: Store) -> None:
    first, second = Lease(store, "job", MS), Lease(store, "job", MS)
    await first.renew()
    name = store.house.keys.lease("job")
    assert MS - 20_000 < await store.client.pttl(name) <= MS
    # Renewing begins the time anew.
    await store.client.pexpire(name, 20_000)
    await first.renew()
    assert await store.client.pttl(name) > 20_000
    await store.client.delete(name)
    await second.renew()
    await first.renew()
    assert (first.held, second.held) == (False, True)


async def test_no_answer_changes_nothing(store: Store) -> None:
    class Silent(House):
        """The real one, which gives no answer when told so."""

        silent = False

        async def lease(self, what: str, who: str, ms: int) -> bool:
            if self.silent:
                raise Unavailable("no reply")
            return await super().lease(what, who, ms)

    silent = store.house = Silent(store._once, store._ask, None)
    lease = Lease(store, "job", MS)
    await lease.renew()
    silent.silent = True
    with pytest.raises(Unavailable):
        await lease.renew()
    assert lease.held
