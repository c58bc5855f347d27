"""What every screen must have shown of stock and line at any length of the log, counted from it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from dropengine import events, wire


class Counts:
    """The public counts of every pool as the log goes by; `at` keeps those at the seqs `wanted`."""

    def __init__(self, wanted: Collection[int]) -> None:
        self.wanted = wanted
        self.pools: dict[str, wire.PoolView] = {}
        self.at: dict[int, dict[str, wire.PoolView]] = {}
        self.entries: dict[str, list[str]] = {}
        self.qty: dict[str, tuple[str, int]] = {}
        self.buying: dict[str, str] = {}
        self.unclaimed: set[str] = set()
        self.listed: set[str] = set()
        """Entries that wait for their arrivals, and stand in no line."""

    def add(self, pool: str, **by: int) -> None:
        view = self.pools[pool]
        changed = {name: getattr(view, name) + more for name, more in by.items()}
        self.pools[pool] = msgspec.structs.replace(view, **changed)

    def stand(self, entries: Iterable[str], by: int) -> None:
        """They stand in their lines from now on; by -1: no more."""
        for entry in entries:
            for pool in self.entries[entry]:
                self.add(pool, waiting=by)

    def stop_buying(self, entry: str) -> None:
        if self.buying.pop(entry, None) is not None:
            for pool in self.entries[entry]:
                self.add(pool, buying=-1)

    def no_offer(self, hold: str) -> None:
        """Claimed or ended: what was offered is not any more."""
        if hold in self.unclaimed:
            self.unclaimed.remove(hold)
            pool, qty = self.qty[hold]
            self.add(pool, offered=-qty)

    def back(self, hold: str) -> None:
        self.no_offer(hold)
        pool, qty = self.qty[hold]
        self.add(pool, held=-qty, free=qty)

    def take(self, event: events.AnyEvent) -> None:
        """One event more."""
        match event:
            case events.Published():
                for one in event.rules.pools:
                    self.pools[one.id] = wire.PoolView(
                        one.item, one.cap, one.cap - one.withheld, 0, 0, one.withheld, 0, 0, 0, 0
                    )
            case events.Added():
                self.add(event.pool, withheld=-event.qty, free=event.qty)
            case events.Withdrawn():
                self.add(event.pool, withheld=event.qty, free=-event.qty)
            case events.Held() | events.Offered():
                self.qty[event.hold] = (event.pool, event.qty)
                self.add(event.pool, free=-event.qty, held=event.qty)
                if isinstance(event, events.Offered):
                    self.unclaimed.add(event.hold)
                    self.add(event.pool, offered=event.qty)
                    self.buying[event.entry] = event.hold
                    for pool in self.entries[event.entry]:
                        self.add(pool, buying=1)
            case events.Released() | events.Expired():
                self.back(event.hold)
            case events.Declined() | events.Lapsed():
                self.back(event.hold)
                if event.cool:
                    self.stop_buying(event.entry)
            case events.Claimed():
                self.no_offer(event.hold)
            case events.Cooled():
                self.stop_buying(event.entry)
            case events.Sold():
                self.no_offer(event.hold)
                self.add(event.pool, held=-event.qty, sold=event.qty)
            case events.Rescued():
                self.add(event.pool, free=-event.qty, sold=event.qty)
            case events.Refunded(back="withheld"):
                self.add(event.pool, sold=-event.qty, withheld=event.qty)
            case events.Refunded():
                self.add(event.pool, sold=-event.qty, free=event.qty)
            case events.CameBack():
                self.add(event.pool, withheld=-event.qty, free=event.qty)
            case events.Swapped():
                self.back(event.hold)
                self.qty[event.hold] = (event.to, event.qty)
                self.add(event.to, free=-event.qty, held=event.qty)
            case events.Joined():
                self.entries[event.entry] = event.pools
                if event.n:
                    self.stand([event.entry], 1)
                else:
                    self.listed.add(event.entry)
            case events.Ordered():
                # Who left after the seal has an arrival, and stands nowhere.
                self.stand(self.listed.intersection(event.ids), 1)
                self.listed.difference_update(event.ids)
            case events.Served() | events.Dormant() | events.Left() | events.Removed():
                self.stop_buying(event.entry)
                if event.entry in self.listed:
                    self.listed.remove(event.entry)
                else:
                    self.stand([event.entry], -1)
            case _:
                pass
        if event.seq in self.wanted:
            self.at[event.seq] = dict(self.pools)
