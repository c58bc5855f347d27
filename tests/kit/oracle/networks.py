"""How much each network has: counted anew from the holds and entries that were begun there."""

from __future__ import annotations

from collections import Counter

from dropengine import refusals
from tests.kit.oracle.early import Early
from tests.kit.oracle.records import Entry, Hold

AROUND = 4

Names = tuple[str, ...]
"""What a network is called, the wider one around it, and the mail domain of a person, or ''."""


class Networks(Early):
    """What was begun where, and is open."""

    def counted(self) -> dict[str, int]:
        """Network -> its unpaid holds and open entries (N1)."""
        return dict(Counter(name for names in self.counting().values() for name in names))

    def counting(self) -> dict[str, tuple[str, ...]]:
        """Hold or entry -> where it counts. Nothing of a drop that is over (N5)."""
        if self.state in ("settled", "cancelled"):
            return {}
        things: list[Hold | Entry] = [*self.holds.values(), *self.entries.values()]
        return {one.id: one.networks for one in things if one.networks and one.open}

    def network_full(self) -> refusals.NetworkFull | None:
        """N2, N4."""
        if self.coming is None or not self.rules.network_most:
            return None
        near, wide = self.coming[:2]
        most, counted = self.rules.network_most, self.counted()
        if near in self.exempt:
            return None
        if counted.get(near, 0) >= most:
            return self.turned_away(near, most)
        if counted.get(wide, 0) >= AROUND * most and wide not in self.exempt:
            return self.turned_away(wide, AROUND * most)
        return None

    def turned_away(self, name: str, most: int) -> refusals.NetworkFull:
        self.crowded[name] += 1
        return refusals.NetworkFull(name, most)

    def counts_at(self) -> tuple[str, ...]:
        """Where something counts that begins now."""
        if self.coming is None or not self.rules.network_most:
            return ()
        return () if self.coming[0] in self.exempt else self.coming[:2]

    @property
    def domain(self) -> str:
        """Of who comes, where it counts (N6)."""
        named = self.coming[2] if self.coming is not None and len(self.coming) > 2 else ""
        return named if self.rules.domain_most and named not in self.exempt else ""

    def domain_full(self, fan: str) -> refusals.DomainFull | None:
        """N6."""
        domain, most = self.domain, self.rules.domain_most
        if not domain or fan in self.at_domain:
            return None
        if sum(one == domain for one in self.at_domain.values()) < most:
            return None
        self.crowded[domain] += 1
        return refusals.DomainFull(domain, most)

    def takes_part(self, fan: str) -> None:
        """N6: he counts from now on, once."""
        if self.domain:
            self.at_domain.setdefault(fan, self.domain)

    def hand_on(self, entry: Entry) -> None:
        """N3: what stays of an entry that is over counts in its place."""
        hold = self.holds.get(entry.hold)
        if hold is not None and hold.open:
            hold.networks = entry.networks
