"""The state machine of drops into which places of an earlier one are carried: the real scripts
against the oracle.

All that the machines of `test_store_machine` and `test_launch_machine` do, in every mode, after
workers that repeat themselves, come late and tell lies have carried a list over.
"""

from __future__ import annotations

import msgspec
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test

from dropengine import wire
from dropengine.creator_commands import CreatorCommand, Open
from dropengine.manifest import Manifest
from dropengine.model import FanId
from dropengine.randomness import Source
from dropengine.truth.replies import Carried
from dropengine.truth.store import CarriedRow
from tests.kit.manifests import early
from tests.truth.test_launch_machine import Launch
from tests.truth.test_store_machine import FANS, POOLS, Hands, hands, nth

__all__ = ["hands"]

HASH = "ab" * 32
SHARES = (1, 50, 100)
ROWS = [
    CarriedRow("e3", "ana", 2, ["pin"]),
    CarriedRow("e4", "bo", 3, ["cup-port", "gone", "pin"]),
    CarriedRow("e9", "", 1, ["pin"]),
    CarriedRow("e10", "eve", 1, ["gone"]),
    CarriedRow("e11", "flo", 1, [*POOLS]),
    CarriedRow("e12", "ana", 1, ["cup-hill"]),
    CarriedRow("e20", "gus", 3, ["cup-hill", "pin"]),
]
"""Who is nobody here, wants what is not here, or stands here already has no place."""


class CarriedOver(Launch):
    """One drop that begins with a list of another, driven twice."""

    def shaped(self, text: Manifest) -> tuple[Manifest, Source | None]:
        chance: Source | None = None
        if text.limit % 2:
            text, chance = super().shaped(text)
        if text.limit == 4:
            # Both at once: a share, and ceilings of cohorts.
            text = early(text, club=(1, 0, 1), friends=(0, 1, 0))
        share = SHARES[text.k % 3]
        over = {"carried_from": "before", "carried_hash": HASH, "carried_share": share}
        return msgspec.structs.replace(text, **over), chance

    def command(self, command: CreatorCommand, revision: int, by: str, key: str) -> None:
        if isinstance(command, Open):
            self.mostly_all_is_carried_at_once()
        super().command(command, revision, by, key)

    @invariant()
    def mostly_all_is_carried_at_once(self) -> None:
        """By the time at which it opens; and often they have all confirmed by then."""
        oracle = self.oracle
        if self.text.k == 1 or oracle.state != "scheduled" or not oracle.to_carry():
            return
        for fan in ("ana", "flo", "gus", "bo") if oracle.early else ():
            names = ["club", "friends"] if fan == "ana" else ["friends" if fan == "bo" else "club"]
            told = self.run(self.store.enroll(self.drop, FanId(fan), names, clock_ms=self.now))
            assert told == oracle.enroll(fan, names, self.now)
        looked = oracle.carry_looked
        self.carry(HASH, looked + 1, len(ROWS), ROWS[looked:])
        for entry in list(oracle.entries.values()) if self.text.k == 2 else ():
            self.press((entry.fan, wire.Confirm(id=0, key=self.key(), entry=entry.id)))

    def carry(self, digest: str, first: int, of: int, rows: list[CarriedRow]) -> object:
        answer = self.run(self.store.carry(self.drop, digest, first, of, rows, clock_ms=self.now))
        assert answer == self.oracle.carry(digest, first, of, rows, self.now)
        return answer

    @rule(first=st.integers(1, len(ROWS)), size=st.integers(1, 3), which=nth)
    def a_worker_carries_something(self, first: int, size: int, which: int) -> None:
        """At whatever time; what comes too late or too early changes nothing."""
        part = ROWS[first - 1 : first - 1 + size]
        match which % 4:
            case 0:
                self.carry("cd" * 32, 1, len(ROWS), ROWS[:1])
            case 1 if self.oracle.carry_of is not None:
                self.carry(HASH, 1, len(ROWS) + 1, ROWS[:1])
            case _:
                self.carry(HASH, first, len(ROWS), part)

    @precondition(lambda self: self.oracle.state == "scheduled" and self.oracle.to_carry())
    @rule(size=st.integers(1, 7), parts=st.sampled_from((1, 2, 100, 100, 100)), opens=st.booleans())
    def a_worker_carries_the_list(self, size: int, parts: int, *, opens: bool) -> None:
        """As far as it comes; whoever comes after it goes on."""
        first = 1
        for _ in range(parts):
            if first > len(ROWS):
                break
            answer = self.carry(HASH, first, len(ROWS), ROWS[first - 1 : first - 1 + size])
            if not isinstance(answer, Carried):
                return
            first = answer.next
        if not self.oracle.to_carry():
            self.meets("carried over")
            if opens:
                self.command(Open(), self.oracle.revision, "o1", self.key())

    @precondition(lambda self: self.oracle.carried)
    @rule(which=nth, fan=st.sampled_from(FANS), others=st.integers(0, 5))
    def somebody_confirms(self, which: int, fan: str, others: int) -> None:
        carried = [entry for entry in self.oracle.entries.values() if entry.carried]
        entry = carried[which % len(carried)]
        who = fan if others == 0 else entry.fan
        was = entry.carried
        self.press((who, wire.Confirm(id=0, key=self.key(), entry=entry.id)))
        if entry.carried != was:
            self.meets(f"confirmed while {self.oracle.state}")


def test_the_scripts_carry_places_over_as_the_oracle_says(hands: Hands) -> None:
    CarriedOver.hands = hands
    run_state_machine_as_test(
        CarriedOver,
        settings=settings(
            max_examples=80,
            stateful_step_count=50,
            deadline=None,
            phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
