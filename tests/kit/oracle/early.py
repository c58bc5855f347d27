"""Early access: who is in which cohort, and what each still lets him take, counted anew each
time."""

from __future__ import annotations

from collections.abc import Sequence

from dropengine import events, outcomes, refusals
from dropengine.model import CAP_MAX
from tests.kit.oracle.books import Books
from tests.kit.oracle.records import Hold


class Early(Books):
    """Cohorts and their ceilings."""

    def __init__(self, rules: events.Rules, digest: str, by: str, key: str, clock: int) -> None:
        self.cohorts = [cohort.id for cohort in rules.cohorts]
        self.early = bool(rules.cohorts)
        self.widened_ms = 0
        """When it was opened to all, by the true clock."""
        self.cohorts_of: dict[str, set[str]] = {}
        super().__init__(rules, digest, by, key, clock)

    def taken_of(self, pool: str, cohort: str) -> int:
        """Units that count against a cohort (E4)."""
        held = sum(h.qty for h in self.open_of(pool, cohort))
        sold = [o for o in self.orders.values() if o.pool == pool and o.kept]
        return held + sum(o.qty for o in sold if self.holds[o.id].cohort == cohort)

    def open_of(self, pool: str, cohort: str) -> list[Hold]:
        return [h for h in self.holds.values() if (h.pool, h.cohort) == (pool, cohort) and h.open]

    def ceiling(self, pool: str, cohort: str) -> int:
        place = list(self.pools).index(pool)
        return next(c.most[place] for c in self.rules.cohorts if c.id == cohort)

    def own(self, fan: str) -> list[str]:
        """His cohorts, in the order of the manifest."""
        mine = self.cohorts_of.get(fan, set())
        return [cohort for cohort in self.cohorts if cohort in mine]

    def counts_against(self, fan: str, pool: str, qty: int) -> tuple[str, int]:
        """Which of his cohorts so many units count against, and how many of them he may take
        (E3)."""
        if not self.early:
            return "", qty
        best, most = "", 0
        for cohort in self.own(fan):
            units = min(qty, self.ceiling(pool, cohort) - self.taken_of(pool, cohort))
            if units > most:
                best, most = cohort, units
        return best, most

    def lets_take(self, fan: str, pool: str) -> int:
        return self.counts_against(fan, pool, CAP_MAX)[1]

    def not_eligible(self, fan: str) -> refusals.NotEligible | None:
        """E2."""
        if self.early and not self.own(fan):
            return refusals.NotEligible(self.rules.public_ms)
        return None

    def widen(self) -> None:
        """E5."""
        self.early = False
        self.widened_ms = self.at - self.lead
        self.hours.pop("widen", None)

    def plan_widening(self) -> None:
        if self.early and self.rules.public_ms:
            self.hours["widen"] = max(self.rules.public_ms + self.lead, self.at + 1)

    def enrolled(self, fan: str, cohorts: Sequence[str]) -> outcomes.EnrollOutcome:
        """E1. What is due is settled; the line is served after it."""
        if self.state == "frozen":
            return refusals.Frozen()
        if any(cohort not in self.cohorts for cohort in cohorts):
            return refusals.BadMessage("cohorts")
        fan = self.person_of.get(fan, fan)
        new = [c for c in self.cohorts if c in cohorts and c not in self.own(fan)]
        if not new or not self.early:
            return outcomes.Enrolled(self.seq, self.own(fan))
        match self.state:
            case "closing" | "settled":
                return refusals.Closed()
            case "cancelled":
                return refusals.Cancelled()
        self.cohorts_of.setdefault(fan, set()).update(new)
        self.say(events.Enrolled, fan=fan, cohorts=new)
        return outcomes.Enrolled(self.seq, self.own(fan))
