"""The line: who stands in it, who may be called, and whom it calls next."""

from __future__ import annotations

from dropengine import events
from dropengine.truth.replies import PointResult
from dropengine.truth.store import Pointing
from tests.kit.oracle.networks import Networks
from tests.kit.oracle.records import Entry, Hold, Pool

OFFERED_AT_ONCE = 64
LAPSES_MAX = 2
ADDED = 2


class Line(Networks):
    """Entries from joining to their fate."""

    def refresh(self, fan: str, *, freed: bool) -> None:
        """The fan's room changed. `freed`: it grew, which is said when it makes an entry ready
        (L13)."""
        for entry in self.open_entries(fan):
            before = entry.ready
            entry.ready = [int(self.waits(entry, pool)) for pool in entry.pools]
            if freed and any(entry.ready) and not any(before):
                self.say(events.LimitFreed, fan=fan, entry=entry.id)

    def join_line(
        self,
        fan: str,
        key: str,
        qty: int,
        pools: list[str],
        why: str,
        tickets: int = 1,
        nonce: str = "",
        of: str = "",
    ) -> Entry:
        """L2; in a lobby D2."""
        self.arrivals += 1
        in_lobby = self.state == "lobby"
        n = 0 if in_lobby else self.arrivals
        entry = Entry(f"e{len(self.entries) + 1}", fan, n, qty, list(pools), key)
        if in_lobby:
            entry.tickets, entry.nonce = min(tickets, self.rules.tickets_most), nonce
        entry.carried = int(why == "carried")
        self.rerank(entry, made_good=why == "makegood")
        self.entries[entry.id] = entry
        if why == "fan":
            self.ended_entry.pop(fan, None)
        entry.ready = [int(self.waits(entry, pool)) for pool in pools]
        self.say(
            events.Joined,
            fan=fan,
            key=key,
            entry=entry.id,
            n=entry.n,
            qty=qty,
            pools=list(pools),
            lane=0,
            points=0,
            why=why,
            tickets=entry.tickets,
            nonce=entry.nonce,
            of=of,
        )
        return entry

    def open_entry(self, fan: str) -> Entry | None:
        return next(iter(self.open_entries(fan)), None)

    def rerank(
        self, entry: Entry, *, points: int = 0, book: int = 0, made_good: bool = False
    ) -> None:
        """It has these points at the least, or is made good: whatever moves, moves in the boost
        lane of each of its pools (G2)."""
        was = entry.rank
        entry.points, entry.book = points, book
        entry.made_good = made_good
        if entry.n and entry.rank != was:
            for pool in entry.pools:
                self.pools[pool].removed[1] += 1

    def point_one(self, row: Pointing) -> PointResult:
        """G1, G4."""
        fan = self.person_of.get(row.fan, row.fan)
        if self.state in ("closing", "settled", "cancelled"):
            return "over"
        until = self.rules.points_until
        fixed = until == "" or (until == "seal" and self.state not in ("scheduled", "lobby"))
        entry = self.open_entry(fan)
        if entry is None:
            return "fixed" if fixed else "no_entry"
        if row.at <= entry.book:
            return "same"
        if fixed and row.points > entry.points:
            return "fixed"
        self.rerank(entry, points=row.points, book=row.at, made_good=entry.made_good)
        told = {"points": row.points, "book": row.at, "why": row.why}
        self.say(events.Pointed, fan=fan, entry=entry.id, **told)
        return "pointed"

    def finish(self, entry: Entry, state: str, *, told: bool = True) -> None:
        """L14."""
        entry.state = state
        self.hand_on(entry)
        if state != "served" and told:
            self.ended_entry[entry.fan] = entry.id
        entry.cool = 0
        entry.ready = [0] * len(entry.pools)
        if self.state == "lobby":
            # D3
            entry.tickets = 0
        for pool in entry.pools if entry.n else ():
            self.pools[pool].removed[0] += 1
            self.pools[pool].removed[1] += entry.rank > 0

    def lapse(self, hold: Hold, entry: Entry, *, leaving: bool = False) -> int:
        """The entry's offer came back unsold: until when it cools, 0 when it is not called
        again (L9, L10).

        What its call added is taken back.
        """
        self.pools[hold.pool].calls -= entry.call == ADDED
        entry.call = 0
        entry.hold = ""
        entry.lapses += 1
        if leaving:
            return 0
        if entry.lapses < LAPSES_MAX:
            entry.state = "waiting"
            entry.cool = self.at + max(self.rules.cool_ms, 1)
            return entry.cool
        self.finish(entry, "dormant")
        return 0

    def head(self, pool: str, lane: int) -> Entry | None:
        return next((e for e in self.line(pool, lane) if self.is_ready(e, pool)), None)

    def named(self, pool: Pool) -> tuple[Entry, int] | None:
        """Whom this pool would call next, and in which lane (L6, G3)."""
        first, best = self.head(pool.id, 0), self.head(pool.id, 1)
        if best is not None and (first is None or self.boost_is_next(pool)):
            return best, 1
        return None if first is None else (first, 0)

    def boost_is_next(self, pool: Pool) -> bool:
        """L6; in the first round D8."""
        return pool.calls == self.rules.k - 1 and self.first is None

    def called(self) -> tuple[Entry, str, int] | None:
        """Whom the line calls next, for which pool, in which lane (L6)."""
        lanes: tuple[dict[str, Entry], dict[str, Entry]] = ({}, {})
        for pool in self.pools.values():
            if self.free(pool.id) > 0 and (named := self.named(pool)):
                lanes[named[1]][pool.id] = named[0]
        for lane, heads in enumerate(lanes):
            if heads:
                entry = min(heads.values(), key=lambda e: (-e.rank * lane, e.n))
                pool_id = next(p for p in entry.pools if heads.get(p) is entry)
                return entry, pool_id, lane
        return None

    def serve(self) -> bool:
        """The line gets what is free, in its hours (L16). False when the offers of one script did
        not suffice (L5, T4)."""
        while self.state == "live" and self.calls():
            call = self.called()
            if call is None:
                break
            if self.offers == OFFERED_AT_ONCE:
                return False
            self.offer(*call)
            self.offers += 1
        if self.state == "live" and self.first is not None and self.all_called():
            self.first, offers = None, self.first
            self.first_was = True
            self.won = offers
            self.say(events.Allotted, offers=offers)
        return True

    def all_called(self) -> bool:
        """D8."""
        free = any(self.free(pool) > 0 for pool in self.pools)
        ready = any(self.waits(e, p) for e in self.entries.values() if e.open for p in e.pools)
        return not (free and ready) or self.calls()

    def offer(self, entry: Entry, pool_id: str, lane: int, key: str = "") -> Hold:
        """L7. key: of the press by which its fan called himself (L17)."""
        pool = self.pools[pool_id]
        item = self.items[pool.item]
        window = self.rules.offer_ms
        if self.first is not None:
            self.first += 1
            window = self.rules.first_offer_ms
        wanted = min(entry.qty, self.free(pool_id), self.room(entry.fan, item.id))
        wanted = min(wanted, self.share_left(entry, pool_id))
        cohort, qty = self.counts_against(entry.fan, pool_id, wanted)
        adds = lane == 0 and pool.calls < self.rules.k - 1
        pool.calls = 0 if lane == 1 else pool.calls + adds
        if lane == 0:
            # D10
            self.called_up = max(self.called_up, entry.n)
        hold = Hold(
            id=self.next_hold(),
            fan=entry.fan,
            pool=pool_id,
            qty=qty,
            price=item.price,
            origin="line",
            start=self.at,
            deadline=self.at + window,
            key=key,
            entry=entry.id,
            call=lane,
            cohort=cohort,
        )
        self.holds[hold.id] = hold
        entry.state = "offered"
        entry.hold = hold.id
        entry.call = ADDED if adds else lane
        self.say(
            events.Offered,
            fan=entry.fan,
            entry=entry.id,
            n=entry.n,
            call=lane,
            hold=hold.id,
            pool=pool_id,
            qty=hold.qty,
            price=hold.price,
            deadline=hold.deadline,
            key=key,
            cohort=cohort,
        )
        self.refresh(entry.fan, freed=False)
        return hold
