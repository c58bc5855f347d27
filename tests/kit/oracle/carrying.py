"""Places of an earlier drop that are carried over."""

from __future__ import annotations

from collections.abc import Sequence

from dropengine import events, refusals
from dropengine.truth import replies
from dropengine.truth.store import CarriedRow, CarryReply
from tests.kit.oracle.clock import Clock


class Carrying(Clock):
    """What a worker says of an earlier drop's list."""

    def carry(
        self, digest: str, first: int, of: int, rows: Sequence[CarriedRow], clock: int
    ) -> CarryReply:
        """K3. Who stands in the list (K1) the log of another drop tells."""
        self.catch_up(clock)
        if self.state == "frozen":
            return refusals.Frozen()
        named = self.rules.carried
        if named is None or named.hash != digest:
            return replies.OtherList(named.hash if named else "")
        if not self.to_carry():
            assert self.carry_of is not None
            return replies.Carried(self.carry_of + 1, self.carry_of, self.carried)
        if self.carry_of not in (None, of):
            return replies.OtherList(digest)
        if self.state != "scheduled":
            return replies.NotCarrying(self.state)
        if first == self.carry_looked + 1:
            for row in rows:
                self.carry_one(row)
            self.carry_looked, self.carry_of = self.carry_looked + len(rows), of
            self.carried = len(self.entries)
            self.say(events.Carried, first=first, last=self.carry_looked, of=of, n=self.carried)
        return replies.Carried(self.carry_looked + 1, of, self.carried)

    def carry_one(self, row: CarriedRow) -> None:
        pools = [pool for pool in row.pools if pool in self.pools]
        known = any(entry.fan == row.fan for entry in self.entries.values())
        if not row.fan or not pools or known:
            return
        qty = min(row.qty, *(self.items[self.pools[pool].item].most for pool in pools))
        self.join_line(row.fan, "", qty, pools, "carried", 0, of=row.entry)
