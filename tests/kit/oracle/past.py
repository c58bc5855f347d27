"""What nobody can ask for any more is taken out: holds that came to nothing, a day after their end,
and what is remembered of their keys."""

from __future__ import annotations

from dropengine.model import KEPT_MS
from tests.kit.oracle.clock import Clock
from tests.kit.oracle.records import Hold

HOUR_MS = 3_600_000


class Past(Clock):
    """C8, H11."""

    def take_answers(self, clock: int) -> int:
        """How many keys are forgotten."""
        self.catch_up(clock)
        if self.state == "frozen" or self.froze:
            return 0
        till = self.settled_a_day_ago()
        gone = [field for field, (_, made) in self.answers.items() if self.forgets(made, till)]
        for field in gone:
            del self.answers[field]
        return len(gone)

    def forgets(self, made: object, till: int) -> bool:
        if isinstance(made, tuple):
            had = [one for one in made if isinstance(one, str)]
            return all(self.forgets(one, till) for one in had)
        assert isinstance(made, str)
        hold = self.holds.get(made)
        assert hold is None or self.a_day_ago(hold) or not self.long_ended(hold, till)
        return made not in self.entries and (hold is None or self.long_ended(hold, till))

    def take_holds(self, clock: int) -> int:
        """How many are taken out."""
        self.catch_up(clock)
        if self.state == "frozen" or self.froze:
            return 0
        till = self.settled_a_day_ago()
        gone = [name for name, hold in self.holds.items() if self.came_to_nothing(hold, till)]
        for name in gone:
            assert self.a_day_ago(self.holds[name])
            del self.holds[name]
            self.changed_at = self.at
        return len(gone)

    def came_to_nothing(self, hold: Hold, till: int) -> bool:
        spoken_of = set(self.orders)
        spoken_of |= {duty.hold for duty in self.outbox.values()} | set(self.ended.values())
        return self.long_ended(hold, till) and not hold.began and hold.id not in spoken_of

    def settled_a_day_ago(self) -> int:
        """The last moment a day ago or more by which everything due was settled, of those that
        were written down, one an hour; 0: none was."""
        past = [at for at in self.settled_at if at <= self.at - KEPT_MS]
        self.settled_at = past[-1:] + [at for at in self.settled_at if at > self.at - KEPT_MS]
        if not self.settled_at or self.at - self.settled_at[-1] >= HOUR_MS:
            self.settled_at.append(self.at)
            self.changed_at = self.at
        return past[-1] if past else 0

    def a_day_ago(self, hold: Hold) -> bool:
        """Did it end then, whatever is written down?"""
        return not hold.open and hold.ended_at + KEPT_MS <= self.at

    def long_ended(self, hold: Hold, till: int) -> bool:
        return not hold.open and max(hold.deadline, hold.looked) <= till
