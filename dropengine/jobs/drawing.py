"""Puts the sealed lists in their order: tells the root, reveals, gives out the arrivals part by
part, opens the drop.

One worker does it for all, while it has the lease; two may do the same list, and a third may go on
where one was killed: every step is one that may be repeated (`lua/launch/`), and the order follows
from the list and from what was revealed, whoever computes it.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, Protocol

from dropengine.errors import Unavailable
from dropengine.jobs.leased_drops import LeasedSteps
from dropengine.log import draw
from dropengine.model import DropId, DropState
from dropengine.randomness import Source
from dropengine.truth.replies import Placed, Revealed, Rooted, Sealed, Started
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

IDS_AT_ONCE: Final = 100
PLACES_AT_ONCE: Final = 200
"""Of the entries of one part, in all the lines that they stand in: what a script writes. It takes
some 3 ms, and whoever presses or looks meanwhile waits for no more than that: a part of 500 held a
busy server up for 30 ms."""
PARTS_AT_ONCE: Final = 2
"""Parts that are on their way: the next is there when the server has done one, and what both wrote
may go to disk together."""


class Reveals(Protocol):
    """See `Revealing`."""

    async def revealed(self, drop: DropId, source: Source, sealed_ms: int) -> bytes | None: ...


class _List(NamedTuple):
    """A list that is sealed. pools: of each entry, how many it names."""

    sealed: draw.Sealed
    pools: dict[str, int]


class Drawing(LeasedSteps):
    """Begun for each drop whose list is sealed."""

    name = "drawing"
    does = "order its list"

    def __init__(
        self, store: Store, reveals: Reveals, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(store, clock=clock)
        self._reveals = reveals
        self._lists: dict[DropId, _List] = {}
        """Those that wait for what they are ordered by."""

    async def do(self, drop: DropId) -> bool:
        """As far as it comes now. Is nothing left to do? Raises Unavailable, DatabaseAway, and
        DrawFault where the list can never be ordered."""
        head = await self._store.sealed(drop)
        if not isinstance(head, Sealed) or head.state != DropState.ORDERING:
            self._lists.pop(drop, None)
            return True
        if head.entries:
            listed = self._lists.get(drop) or await self._read(drop, head)
            self._lists[drop] = listed
            if not await self._placed(drop, head, listed):
                return False
        self._lists.pop(drop, None)
        return isinstance(await self._store.start(drop), Started)

    async def _read(self, drop: DropId, head: Sealed) -> _List:
        """The whole list. Nobody changes it any more."""
        entries: list[draw.Entry] = []
        pools: dict[str, int] = {}
        part: Sealed = head
        while True:
            for name, entry in part.rows:
                entries.append(draw.Entry(name, entry.tickets, bytes.fromhex(entry.nonce)))
                pools[name] = len(entry.pools)
            if not part.next:
                break
            found = await self._store.sealed(drop, part.next)
            if not isinstance(found, Sealed):
                raise Unavailable(f"{drop} is not there any more")
            part = found
        return _List(await asyncio.to_thread(draw.Sealed, entries), pools)

    async def _placed(self, drop: DropId, head: Sealed, listed: _List) -> bool:
        """Give out the arrivals. Have all of the list theirs?"""
        root = listed.sealed.root
        told = await self._store.root(drop, root.hex())
        if not isinstance(told, Rooted):
            return self._refused(drop, told)
        revealed = await self._revealed(drop, head)
        if revealed is None:
            return False
        chance = draw.chance_of(head.randomness, root, revealed, sealed_ms=head.sealed_ms)
        said = await self._store.reveal(drop, revealed.hex())
        if not isinstance(said, Revealed):
            return self._refused(drop, said)
        right = await asyncio.to_thread(draw.order, listed.sealed, chance)
        return await self._give_out(drop, root.hex(), right, listed.pools, head)

    async def _revealed(self, drop: DropId, head: Sealed) -> bytes | None:
        """What is told already counts; None: it cannot be known yet."""
        if head.revealed:
            return bytes.fromhex(head.revealed)
        return await self._reveals.revealed(drop, head.randomness, head.sealed_ms)

    async def _give_out(
        self, drop: DropId, root: str, right: Sequence[str], pools: dict[str, int], head: Sealed
    ) -> bool:
        # The first arrivals are those that were carried over.
        before, placed = head.carried, head.placed - head.carried
        while placed < len(right):
            for some in _together(_parts(right, placed, pools)):
                answers = await asyncio.gather(
                    *(self._store.order(drop, root, before + first, part) for first, part in some)
                )
                done = [answer for answer in answers if isinstance(answer, Placed)]
                if len(done) < len(answers):
                    return self._refused(drop, next(one for one in answers if one not in done))
                # The second may be there before the first, and changes nothing then.
                placed = max(answer.next for answer in done) - 1 - before
                first, part = some[-1]
                if placed != first + len(part) - 1:
                    # Somebody else was faster, or a part came too early: from where it stands.
                    break
        return True

    def _refused(self, drop: DropId, answer: object) -> bool:
        """Somebody else has opened it meanwhile, or it was called off; or what is told is not what
        follows from the list, and a person has to look."""
        word = type(answer).__name__
        if word in ("OtherRoot", "OtherValue", "OtherOrder"):
            self._tell(drop, f"the server says {answer}")
        else:
            log.info("%s: its list is not ordered now: %s", drop, answer)
        self._lists.pop(drop, None)
        return False


def _parts(
    ids: Sequence[str], placed: int, pools: dict[str, int]
) -> Iterator[tuple[int, list[str]]]:
    """As many as one script gives out, and the arrival of the first of them: by themselves, and
    with all the lines they stand in."""
    part: list[str] = []
    places = 0
    for at in range(placed, len(ids)):
        name = ids[at]
        if part and (len(part) == IDS_AT_ONCE or places + pools[name] > PLACES_AT_ONCE):
            yield at - len(part) + 1, part
            part, places = [], 0
        part.append(name)
        places += pools[name]
    if part:
        yield len(ids) - len(part) + 1, part


def _together(parts: Iterator[tuple[int, list[str]]]) -> Iterator[list[tuple[int, list[str]]]]:
    while some := [*itertools.islice(parts, PARTS_AT_ONCE)]:
        yield some
