"""A list that chance orders: what is told of it, and how the drop opens with it."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from dropengine import events, refusals
from dropengine.truth import replies
from dropengine.truth.store import OrderReply, RevealReply, RootReply, StartReply
from tests.kit.oracle.clock import Clock
from tests.kit.oracle.records import Entry


class Drawing(Clock):
    """What a worker says of a sealed list."""

    def not_ordering(self, clock: int) -> replies.NotSealed | refusals.Frozen | None:
        self.catch_up(clock)
        if self.state == "frozen":
            return refusals.Frozen()
        return None if self.state == "ordering" else replies.NotSealed(self.state)

    def tell_root(self, root: str, clock: int) -> RootReply:
        """D4."""
        if refusal := self.not_ordering(clock):
            return refusal
        if not self.root:
            self.root = root
            self.say(events.Rooted, root=root)
        return replies.Rooted(self.seq) if self.root == root else replies.OtherRoot(self.root)

    def reveal(self, value: str, clock: int) -> RevealReply:
        """D5."""
        if refusal := self.not_ordering(clock):
            return refusal
        if not self.root:
            return replies.NotRooted()
        if not self.value:
            self.value = value
            self.say(events.Revealed, value=value)
        same = self.value == value
        return replies.Revealed(self.seq) if same else replies.OtherValue(self.value)

    def give_arrivals(self, root: str, first: int, ids: Sequence[str], clock: int) -> OrderReply:
        """D6."""
        if refusal := self.not_ordering(clock):
            return refusal
        if root != self.root:
            return replies.OtherRoot(self.root)
        if not self.value:
            return replies.NotRevealed()
        if first <= self.placed + 1:
            for place, name in enumerate(ids):
                has = first + place if first + place <= self.placed else 0
                entry = self.entries.get(name)
                if entry is None or not entry.tickets or entry.n != has or name in ids[:place]:
                    return replies.OtherOrder(name)
        if first == self.placed + 1:
            self.say(events.Ordered, n=first, ids=list(ids))
            for n, name in enumerate(ids, first):
                self.place_entry(self.entries[name], n)
            self.placed += len(ids)
        return replies.Placed(self.placed + 1, self.carried + len(self.listed()))

    def place_entry(self, entry: Entry, n: int) -> None:
        """D6, G6."""
        entry.n = n
        entry.ready = [int(self.waits(entry, pool)) for pool in entry.pools]
        for pool in entry.pools if entry.open and entry.rank else ():
            self.pools[pool].removed[1] += 1
        self.seen[entry.fan] = self.seq

    def start(self, clock: int) -> StartReply | refusals.Frozen:
        """D7, D8."""
        self.catch_up(clock)
        if self.state == "live" and self.rules.mode != "rush":
            return replies.Started(self.seq)
        if self.state == "frozen":
            return refusals.Frozen()
        if self.state != "ordering":
            return replies.NotSealed(self.state)
        if self.placed < self.carried + len(self.listed()):
            return replies.NotPlaced(self.placed + 1)
        self.first = 0
        self.by_clock(events.Opened, "live")
        self.serve()
        return replies.Started(self.seq)


def by_chance(randomness: bytes, root: bytes, entries: Sequence[Entry]) -> list[str]:
    """The ids of a list, the first of them first: the smallest of all hashes, then the smallest of
    those that are left."""
    drawn = [
        (sha256(randomness + root + entry.id.encode() + i.to_bytes(4, "big")).digest(), entry.id)
        for entry in entries
        for i in range(1, entry.tickets + 1)
    ]
    return list(dict.fromkeys(name for _, name in sorted(drawn)))
