"""What the provider calls the charges of a drop.

Their numbers stand in the log, which anybody may read; the provider's ids stand in a key beside it
that no log makes anew. SQL has a copy: of what was lost there, the rest is looked up at the
provider (`payments/lost_ids`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from dropengine import events, refusals
from dropengine.log.layouts import NUMBERS_CHARGES
from dropengine.model import BY_ID, DropId
from dropengine.truth import keys, replies
from dropengine.truth.audit import Once
from dropengine.truth.command_rows import packed_texts
from dropengine.truth.outbox import Ask

AT_ONCE = 500

Ids = dict[str, str]
"""What the drop calls a charge -> what the provider calls it."""
InSql = Callable[[DropId], Awaitable[Ids]]
"""All that SQL has of a drop. Raises DatabaseAway."""

_NAMED: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(replies.Named | refusals.NotFound)


class ChargeIds:
    """Of one server. Every method raises `Unavailable` when no reply comes.

    once, ask: how a script and a request are sent. prefix: before all names of the shop. in_sql:
    where a copy is, if it can be asked.
    """

    def __init__(self, once: Once, ask: Ask, prefix: str | None) -> None:
        self._once = once
        self._ask = ask
        self._prefix = prefix
        self.in_sql: InSql | None = None

    def _key(self, drop: DropId, name: str) -> str:
        return keys.one(drop, name, self._prefix)

    async def of(self, drop: DropId, charges: Sequence[str]) -> Ids:
        """Those of these charges that are known; while nobody has lifted the drop they bear the
        ids."""
        found: Ids = {}
        for at in range(0, len(charges), AT_ONCE):
            some = charges[at : at + AT_ONCE]
            ids = await self._ask("its charges", "HMGET", self._key(drop, "charge_ids"), *some)
            known = zip(some, ids, strict=True)
            found |= {charge: text.decode() for charge, text in known if text is not None}
        if charges and not found and await self._bears_ids(drop):
            return {charge: charge for charge in charges}
        return found

    async def all(self, drop: DropId) -> Ids:
        """Every one that is known."""
        rows = await self._rows(drop, "charge_ids")
        if not rows and await self._bears_ids(drop):
            return {charge: charge for charge in await self._rows(drop, "charges")}
        # One way alone says the same as both.
        told = {charge: name[len(BY_ID) :] for name, charge in rows.items() if name[0] == BY_ID}
        return told | {name: of for name, of in rows.items() if name[0] != BY_ID}

    async def missing(self, drop: DropId) -> Ids:
        """The charges that the provider cannot be asked about, or whose id would not be known
        again: charge -> how it ended."""
        endings, rows = await self._rows(drop, "charges"), await self._rows(drop, "charge_ids")
        if not rows and await self._bears_ids(drop):
            return {}
        return {
            charge: ending
            for charge, ending in endings.items()
            if charge not in rows or rows.get(BY_ID + rows[charge]) != charge
        }

    async def name(self, drop: DropId, ids: Mapping[str, str]) -> int:
        """Write down what was found again; how many are as told. What is known stays."""
        named = 0
        pairs = list(ids.items())
        names = [self._key(drop, part) for part in ("drop", "charges", "charge_ids")]
        for at in range(0, len(pairs), AT_ONCE):
            words = [word for pair in pairs[at : at + AT_ONCE] for word in pair]
            reply = _NAMED.decode(await self._once("name_charges", names, (packed_texts(words),)))
            named += reply.count if isinstance(reply, replies.Named) else 0
        return named

    async def _bears_ids(self, drop: DropId) -> bool:
        """Does an older layout call its charges by the provider's ids?"""
        found = await self._ask("the drop", "HGET", self._key(drop, "drop"), "schema")
        return found is not None and int(found) < NUMBERS_CHARGES

    async def _rows(self, drop: DropId, name: str) -> Ids:
        rows: Ids = {}
        cursor: bytes | int = 0
        while True:
            cursor, flat = await self._ask(
                f"its {name}", "HSCAN", self._key(drop, name), cursor, "COUNT", AT_ONCE
            )
            texts = [text.decode() for text in flat]
            rows |= zip(texts[::2], texts[1::2], strict=True)
            if cursor == b"0":
                return rows


def rows(ids: Mapping[str, str]) -> dict[str, str]:
    """What stands in the key when these are known."""
    return {**ids, **{BY_ID + of: charge for charge, of in ids.items()}}


TOLD = (events.Sold, events.Rescued, events.Voided)
"""Events that tell of a charge for the first time."""


def told_by_ids(log: Iterable[events.AnyEvent]) -> Ids:
    """Charges that an older layout told of: they keep the provider's ids for their names."""
    found: Ids = {}
    for event in log:
        if isinstance(event, events.Published | events.Lifted) and event.schema >= NUMBERS_CHARGES:
            break
        if isinstance(event, TOLD):
            found[event.charge] = event.charge
    return found
