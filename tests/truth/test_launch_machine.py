"""The state machine of drops whose arrivals chance gives out: the real scripts against the oracle.

All that the machine of `test_store_machine` does, and a list that opens, is sealed, is ordered by
workers that repeat themselves, come late and tell lies, and opens the drop.
"""

from __future__ import annotations

import msgspec
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from dropengine import wire
from dropengine.creator_commands import Seal
from dropengine.log import draw
from dropengine.manifest import Manifest
from dropengine.model import FanId
from dropengine.randomness import CommitReveal, Source
from dropengine.truth.command_rows import command_row, join_row
from dropengine.truth.replies import Placed
from tests.kit.oracle.drawing import by_chance
from tests.truth.test_store_machine import FANS, Hands, Machine, hands, nth, pools, quantities

__all__ = ["hands"]

SECRET = bytes(range(32))
MODES = ("lobby", "collect", "draw")
TICKETS_MOST = 3
NONCES = ("", "", "ab" * 16, "cd" * 16)
MANY = 70
"""More than one script offers units to."""


class Launch(Machine):
    """One drop with a list, driven twice."""

    def shaped(self, text: Manifest) -> tuple[Manifest, Source | None]:
        mode = MODES[(text.limit + text.k) % 3]
        shaped = msgspec.structs.replace(
            text,
            mode=mode,
            window_ms=1_000 if mode == "lobby" else 5_000,
            first_offer_ms=min(2 * text.offer_ms, 172_800_000),
            tickets_most=TICKETS_MOST if mode == "draw" else 1,
            guests_may_enter=True,
        )
        return shaped, CommitReveal(draw.commitment_of(SECRET))

    @precondition(lambda self: self.oracle.state == "lobby")
    @rule(
        entries=st.lists(
            st.tuples(
                st.sampled_from((*FANS, "eve", "flo", "gus")),
                st.lists(pools, min_size=1, max_size=3, unique=True),
                quantities,
                st.integers(1, TICKETS_MOST + 1),
                st.sampled_from(NONCES),
            ),
            min_size=1,
            max_size=6,
        )
    )
    def some_enter(self, entries: list[tuple[str, list[str], int, int, str]]) -> None:
        for fan, wanted, qty, tickets, nonce in entries:
            join = wire.Join(id=0, key=self.key(), pools=wanted, qty=qty, nonce=nonce)
            self.enter(fan, join, tickets)
        self.meets("a list: entered")

    def enter(self, fan: str, join: wire.Join, tickets: int) -> None:
        row = join_row(FanId(fan), join, tickets)
        (answer,) = self.run(self.store.press_rows(self.drop, [row], clock_ms=self.now))
        self.oracle.tickets_of[self.oracle.person_of.get(fan, fan)] = tickets
        assert [answer] == self.oracle.press([(fan, join)], self.now)
        self.oracle.tickets_of.clear()

    @precondition(lambda self: self.oracle.state == "lobby" and self.crowd)
    @rule(sure=st.integers(0, 2))
    def a_crowd_enters(self, sure: int) -> None:
        if sure:
            return
        batch = [
            (f"c{n}", wire.Join(id=0, key=self.key(), pools=["pin"], qty=1)) for n in range(MANY)
        ]
        rows = [command_row(FanId(fan), join) for fan, join in batch]
        answers = list(self.run(self.store.press_rows(self.drop, rows, clock_ms=self.now)))
        assert answers == self.oracle.press(batch, self.now)
        self.meets("a list: a crowd")

    @precondition(lambda self: self.oracle.state == "lobby")
    @rule(sure=st.booleans(), behind=st.sampled_from((0, 0, 0, 1)))
    def seal_it(self, sure: bool, behind: int) -> None:
        if sure:
            self.command(Seal(), self.oracle.revision - behind, "o2", self.key())

    @rule(sure=st.integers(0, 3))
    def seal_at_any_time(self, sure: int) -> None:
        if sure == 0:
            self.command(Seal(), self.oracle.revision, "o1", self.key())

    def root(self) -> bytes:
        return draw.Sealed(
            draw.Entry(entry.id, entry.tickets, bytes.fromhex(entry.nonce))
            for entry in self.oracle.listed()
        ).root

    def right(self) -> list[str]:
        root = self.root()
        source = CommitReveal(draw.commitment_of(SECRET))
        chance = draw.chance_of(source, root, SECRET, sealed_ms=self.oracle.sealed_ms)
        return by_chance(chance, root, self.oracle.listed())

    def tell_root(self, root: str) -> None:
        answer = self.run(self.store.root(self.drop, root, clock_ms=self.now))
        assert answer == self.oracle.tell_root(root, self.now)

    def reveal(self, value: str) -> None:
        answer = self.run(self.store.reveal(self.drop, value, clock_ms=self.now))
        assert answer == self.oracle.reveal(value, self.now)

    def order(self, root: str, first: int, ids: list[str]) -> object:
        answer = self.run(self.store.order(self.drop, root, first, ids, clock_ms=self.now))
        assert answer == self.oracle.give_arrivals(root, first, ids, self.now)
        return answer

    def start(self) -> None:
        answer = self.run(self.store.start(self.drop, clock_ms=self.now))
        assert answer == self.oracle.start(self.now)

    @rule(first=st.integers(1, 4), size=st.integers(1, 3), which=nth)
    def a_worker_says_something(self, first: int, size: int, which: int) -> None:
        """At whatever time; what comes too late or too early changes nothing."""
        if self.oracle.state != "ordering" and which % 4:
            return
        root, right = self.root().hex(), self.right()
        match which % 6:
            case 0:
                self.tell_root(root)
            case 1:
                self.reveal(SECRET.hex())
            case 2:
                self.order("00" * 32, 1, right[:1] or ["e1"])
            case 3:
                self.start()
            case 4:
                # Not the first of them, and one of them twice.
                if self.oracle.placed < len(right):
                    wrong = [right[self.oracle.placed]] * 2
                    self.order(root, self.oracle.placed + 1, wrong)
            case _:
                self.order(root, first, right[first - 1 : first - 1 + size] or ["e999"])

    @precondition(lambda self: self.oracle.state == "ordering")
    @rule(size=st.integers(1, 40), parts=st.sampled_from((1, 2, 100, 100, 100)))
    def a_worker_orders_the_list(self, size: int, parts: int) -> None:
        """As far as it comes; whoever comes after it goes on."""
        root, right = self.root().hex(), self.right()
        for other, tell in ((self.oracle.root, self.tell_root), (self.oracle.value, self.reveal)):
            if not other:
                tell(root if tell == self.tell_root else SECRET.hex())
        if self.oracle.root != root or self.oracle.value != SECRET.hex():
            return
        first = 1
        for _ in range(parts):
            if first > len(right):
                break
            answer = self.order(root, first, right[first - 1 : first - 1 + size])
            if not isinstance(answer, Placed):
                return
            first = answer.next
        if parts == 100:
            self.start()
            self.meets("a list: opened the drop")
            if self.oracle.first_was and self.oracle.seq > 80:
                self.meets("a list: a first round of many scripts")


def test_the_scripts_order_a_list_as_the_oracle_says(hands: Hands) -> None:
    Launch.hands = hands
    run_state_machine_as_test(
        Launch,
        settings=settings(
            max_examples=120,
            stateful_step_count=60,
            deadline=None,
            phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
