"""Whoever puts the list of a night in its order: workers that come by, repeat themselves, come too
early, or say what is not so."""

from __future__ import annotations

from dropengine import refusals
from dropengine.log import draw
from dropengine.model import DropState
from dropengine.truth.networks import NEAR
from dropengine.truth.replies import Placed, Sealed
from tests.kit.counted_networks import beside, counted, recounted
from tests.kit.night import told
from tests.kit.night.fans import Fans
from tests.kit.night.plan import Step
from tests.kit.sale import SECRET

ALL = 100


class ListWorkers(Fans):
    """And who looks after the networks, since no log tells of them."""

    async def do_draw(self, step: Step) -> None:
        """A worker goes on with the list, as far as it comes; now and then it is no good one."""
        head = await self._head()
        if head is None or head.state != DropState.ORDERING:
            await self._settles()
        elif step.odd:
            await self._spoils(step, head)
        else:
            await self._goes_on(head, step.qty)

    async def _head(self) -> Sealed | None:
        """Where the list stands; None where the drop has none."""
        if self.rules.mode == "rush":
            return None
        head = await self._read(self.store.sealed, self.sale.drop)
        return head if isinstance(head, Sealed) else None

    async def _settles(self) -> None:
        outcome = await self.ask(lambda: self.store.settle(self.sale.drop, clock_ms=self.sale.now))
        self._tell("a worker", "settles", told.in_words(outcome))

    async def _order_of(self, head: Sealed) -> tuple[str, list[str]]:
        """The root of the list, and the order that it has to get."""
        listed = await self._read(self.sale.sealed)
        chance = draw.chance_of(head.randomness, listed.root, SECRET, sealed_ms=head.sealed_ms)
        return listed.root.hex(), draw.order(listed, chance)

    async def _goes_on(self, head: Sealed, most: int) -> None:
        """So many entries get their arrivals; with the last the drop is opened."""
        store, drop, now = self.store, self.sale.drop, self.sale.now
        root, right = await self._order_of(head)
        if right:
            await self.ask(lambda: store.root(drop, root, clock_ms=now))
            await self.ask(lambda: store.reveal(drop, SECRET.hex(), clock_ms=now))
        # The first arrivals are those of places that were carried over.
        done = head.placed - head.carried
        part = right[done : done + most]
        if part:
            await self._orders(root, head.placed + 1, part)
        if done + len(part) == len(right):
            started = await self.ask(lambda: store.start(drop, clock_ms=now))
            self.played.met["a list ordered"] += 1
            self._tell("a worker", "opens the drop", told.in_words(started))

    async def _orders(self, root: str, first: int, ids: list[str]) -> object:
        answer = await self.ask(
            lambda: self.store.order(self.sale.drop, root, first, ids, clock_ms=self.sale.now)
        )
        said = f"gives {', '.join(ids)} the arrivals from {first} on"
        self._tell("a worker", said, told.in_words(answer))
        return answer

    async def _spoils(self, step: Step, head: Sealed) -> None:
        """It opens too early; tells the whole list from its beginning, whoever is placed; or one
        entry twice."""
        root, right = await self._order_of(head)
        done = head.placed - head.carried
        if not right or not head.revealed or step.qty == 1:
            outcome = await self.ask(
                lambda: self.store.start(self.sale.drop, clock_ms=self.sale.now)
            )
            self._tell("a worker", "opens the drop at once", told.in_words(outcome))
        elif step.qty == 2:
            answer = await self._orders(root, head.carried + 1, right[: max(1, done)])
            assert isinstance(answer, Placed | refusals.Frozen), answer
        else:
            twice = right[max(0, done - 1)]
            await self._orders(root, head.placed + 1, [twice, twice])

    async def do_seal(self, _: Step) -> None:
        await self.creator("seal")

    async def _open_at_last(self) -> None:
        """A night that ends with a list that still waits has to see its drop open."""
        head = await self._head()
        if head is not None and head.state == DropState.LOBBY:
            await self.creator("seal")
            head = await self._head()
        if head is not None and head.state == DropState.ORDERING:
            await self._goes_on(head, ALL)

    async def _look_at_networks(self) -> None:
        """What is counted is what stands beside the holds and entries that are open."""
        if not self.rules.network_most:
            return
        count, at = await self._read(counted, self.sale), await self._read(beside, self.sale)
        most = self.rules.network_most
        if full := [name for name, n in count.items() if name[0] == NEAR and n > most]:
            self.played.violations.append(f"NETWORKS {full} have more than {most}")
        if count != recounted(at):
            self.played.violations.append(
                f"NETWORKS count {count}, and {recounted(at)} stand there"
            )
        truth = await self.sale.truth()
        standing = {one for one, hold in truth.holds.items() if hold.state in ("active", "paying")}
        standing |= {one for one, e in truth.entries.items() if e.state in ("waiting", "offered")}
        if over := at.keys() - standing:
            self.played.violations.append(f"NETWORKS count {sorted(over)}, which are over")
