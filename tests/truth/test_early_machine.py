"""The state machine of early access: the real scripts against the oracle.

All that the machines of `test_store_machine` and `test_launch_machine` do, in drops with cohorts:
fans come into one or two of them before they press, or after; ceilings are reached and released;
the drop is opened to all by its clock or by hand, while a crowd presses.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test

from dropengine import outcomes, refusals, wire
from dropengine.creator_commands import Widen
from dropengine.manifest import Manifest
from dropengine.model import FanId
from dropengine.randomness import Source
from dropengine.truth import scripts
from tests.kit.manifests import START_MS, early
from tests.kit.oracle import Hold
from tests.kit.private_server import Server
from tests.truth.test_launch_machine import Launch
from tests.truth.test_store_machine import FANS, PERSONS, Hands, hands, nth, pick, pools, quantities

__all__ = ["hands"]

COHORTS = ("club", "press", "friends")
WIDENS = (0, 0, 4_000, 60_000, 500)
"""How long after the start it is open to all; 0: by hand. The last of them is over by the time at
which some drops open."""
PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
CROWD = (*FANS, "eve", "flo")
everybody = st.sampled_from((*CROWD, *PERSONS))


class EarlyAccess(Launch):
    """One drop with cohorts, driven twice."""

    def __init__(self) -> None:
        super().__init__()
        self.at_ceiling: set[str] = set()
        """Entries that waited there."""

    def shaped(self, text: Manifest) -> tuple[Manifest, Source | None]:
        chance = None
        if text.k == 3:
            text, chance = super().shaped(text)
        caps = [pool.cap for item in text.items for pool in item.pools]
        # How much each may have: none of some pool, half of it, all of what is left.
        shares = [(text.limit + place) % 3 for place in range(len(COHORTS))]
        left, cohorts = list(caps), dict[str, list[int]]()
        for name, share in zip(COHORTS[: 1 + text.limit % 3], shares, strict=False):
            most = [min(left[i], -(-cap * share // 2)) for i, cap in enumerate(caps)]
            left = [have - had for have, had in zip(left, most, strict=True)]
            cohorts[name] = most
        widens = WIDENS[(text.limit + text.items[0].limit) % len(WIDENS)]
        return early(text, START_MS + widens if widens else 0, **cohorts), chance

    @rule(fan=everybody, which=st.lists(st.integers(0, 2), min_size=1, max_size=2), sure=nth)
    def somebody_is_enrolled(self, fan: str, which: list[int], sure: int) -> None:
        """Also again, also in a cohort that the drop does not have."""
        if self.oracle.early or sure < 4:
            self.enroll(fan, [COHORTS[one] for one in which])

    def enroll(self, fan: str, names: list[str]) -> None:
        answer = self.run(self.store.enroll(self.drop, FanId(fan), names, clock_ms=self.now))
        expected = self.oracle.enroll(fan, names, self.now)
        if isinstance(expected, refusals.BadMessage):
            assert isinstance(answer, refusals.BadMessage)
            return
        assert answer == expected
        if isinstance(answer, outcomes.Enrolled):
            if len(answer.cohorts) > 1:
                self.meets("early access: a fan in two cohorts")
            if self.oracle.open_entries(self.oracle.person_of.get(fan, fan)):
                self.meets("early access: enrolled while he waits")

    @precondition(lambda self: self.oracle.early)
    @rule(sure=st.integers(0, 6), behind=st.sampled_from((0, 0, 0, 1)))
    def open_it_to_all(self, sure: int, behind: int) -> None:
        if sure == 0:
            self.command(Widen(), self.oracle.revision - behind, "o2", self.key())

    @rule(sure=st.integers(0, 9))
    def open_it_to_all_at_any_time(self, sure: int) -> None:
        if sure == 0:
            self.command(Widen(), self.oracle.revision, "o1", self.key())

    @precondition(lambda self: "widen" in self.oracle.hours)
    @rule(off=st.integers(-1, 1), sure=st.integers(0, 3))
    def move_to_the_opening_to_all(self, off: int, sure: int) -> None:
        if sure == 0:
            self.move(max(self.now, self.own(self.oracle.hours["widen"]) + off))

    @precondition(lambda self: self.oracle.early and self.oracle.state in ("lobby", "live"))
    @rule(
        wanted=st.lists(pools, min_size=1, max_size=2, unique=True),
        qty=quantities,
        classes=st.lists(st.integers(0, 7), min_size=len(CROWD), max_size=len(CROWD)),
        joining=st.sampled_from(("first", "then", "no")),
        widen=st.integers(0, 2),
    )
    def everybody_comes(
        self, wanted: list[str], qty: int, classes: list[int], joining: str, widen: int
    ) -> None:
        """Each from his cohorts, in one batch; and now and then it is opened to all meanwhile."""
        for fan, of in zip(CROWD, classes, strict=True):
            if names := [name for i, name in enumerate(self.oracle.cohorts) if of >> i & 1]:
                self.enroll(fan, names)
        presses = [
            (fan, wire.Hold(id=0, key=self.key(), pool=wanted[0], qty=qty, fewer=True))
            for fan in CROWD
        ]
        joins = [(fan, wire.Join(id=0, key=self.key(), pools=wanted, qty=qty)) for fan in CROWD]
        batch: list[tuple[str, wire.FanCommand]] = [*presses]
        if joining != "no":
            batch = [*joins, *presses] if joining == "first" else [*presses, *joins]
        answers = self.press(*batch)
        for kind in (refusals.NotEligible, refusals.CohortFull):
            if any(isinstance(answer, kind) for answer in answers):
                self.meets(f"early access: {kind.__name__}")
        if widen == 0 and self.oracle.state == "live":
            self.command(Widen(), self.oracle.revision, "o2", self.key())
            self.press(*batch)
            self.meets("early access: opened to all under load")

    @precondition(lambda self: self.oracle.early and self.of_cohorts())
    @rule(which=nth, how=st.sampled_from(("release", "expire", "sell", "refund", "too late")))
    def a_cohort_has_room_again(self, which: int, how: str) -> None:
        """Or has not, where the unit is sold; and a payment that comes too late takes it back."""
        hold = pick(self.of_cohorts(), which)
        if how == "release":
            self.press((hold.fan, wire.Release(id=0, key=self.key(), hold=hold.id)))
            return
        if how in ("expire", "too late"):
            if how == "too late":
                self.press((hold.fan, wire.Pay(id=0, key=self.key(), holds=[hold.id])))
            self.move(max(self.now, self.own(hold.until)))
            self.settle()
            if hold.looked and hold.open:
                self.move(max(self.now, self.own(hold.until)))
                self.settle()
        if how != "expire":
            amount = hold.price * hold.qty
            self.succeeded(hold.id, f"early-{hold.id}-{how[:3]}", amount, "EUR", captured=True)
        if how == "refund" and hold.id in self.oracle.orders:
            key = self.key()
            answer = self.run(
                self.store.refund(self.drop, hold.id, by="o1", key=key, clock_ms=self.now)
            )
            assert answer == self.oracle.refund(hold.id, "o1", key, self.now)

    def of_cohorts(self) -> list[Hold]:
        """What counts against one, and is not sold."""
        return [hold for hold in self.oracle.holds.values() if hold.open and hold.cohort]

    @invariant()
    def ceilings_are_kept(self) -> None:
        """E3, E4: said here once more, of what the oracle itself keeps."""
        oracle = getattr(self, "oracle", None)
        if oracle is None or not oracle.cohorts:
            return
        for pool in oracle.pools:
            for name in oracle.cohorts:
                counted, ceiling = oracle.taken_of(pool, name), oracle.ceiling(pool, name)
                assert counted <= ceiling
                if oracle.early and counted == ceiling > 0:
                    self.meets("early access: a ceiling reached")
        for entry in oracle.entries.values():
            ready = [oracle.is_ready(entry, pool) for pool in entry.pools if oracle.early]
            if not any(ready) and any(oracle.waits(entry, pool) for pool in entry.pools):
                self.meets("early access: waits at a ceiling")
                self.at_ceiling.add(entry.id)
            elif entry.id in self.at_ceiling and entry.state == "offered" and oracle.early:
                self.meets("early access: becomes ready when his cohort has room again")


MET = {
    f"early access: {what}"
    for what in ("a fan in two cohorts", "opened to all under load", "waits at a ceiling")
}
"""What no hundred runs do without; they also count who is enrolled while he waits, and who is
called at a ceiling when his cohort has room again."""
RUNS = int(os.environ.get("MACHINE_RUNS") or 120)
"""As of the machine in trouble: more runs meet more."""
FURTHER = 4
"""So often they are played again where chance has kept something of `MET` away."""


def play(hands: Hands, runs: int, phases: tuple[Phase, ...] = PHASES) -> Counter[str]:
    EarlyAccess.hands = hands
    met: Counter[str] = Counter()

    class Counted(EarlyAccess):
        def teardown(self) -> None:
            met.update(one for one in self.met if one.startswith("early"))
            super().teardown()

    run_state_machine_as_test(
        Counted,
        settings=settings(
            max_examples=runs,
            stateful_step_count=50,
            deadline=None,
            phases=phases,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return met


def test_the_scripts_keep_early_access_as_the_oracle_says(hands: Hands) -> None:
    met = play(hands, RUNS)
    for _ in range(FURTHER):
        if not met.keys() >= MET:
            met += play(hands, RUNS)
    print(met)
    assert met.keys() >= MET


GUARDS: dict[str, tuple[str, str, str]] = {
    "a ceiling": (
        "early/cohort_for.lua",
        "math.min(qty, ceilings[i] - counted[i])",
        "qty",
    ),
    "a release": (
        "fan/end_hold.lua",
        "count_cohort(t, pool, hold[H_COHORT], -qty)",
        "count_cohort(t, pool, '', -qty)",
    ),
    "who may press": ("fan/hold.lua", "if barred then return barred end", ""),
}


@pytest.mark.parametrize("guard", GUARDS)
def test_the_machine_finds_a_guard_that_is_gone(server: Server, guard: str) -> None:
    """The positive control: it would see what it looks for."""
    path, text, instead = GUARDS[guard]
    source = scripts.sources()[path]
    assert source.count(text) == 1
    loaded: dict[str, Any] = scripts.load({path: source.replace(text, instead)})
    pair = Hands(server, loaded)
    try:
        with pytest.raises((AssertionError, BaseExceptionGroup)):
            play(pair, 200, (Phase.generate,))
    finally:
        pair.close()
