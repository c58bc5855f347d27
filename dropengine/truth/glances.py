"""What a panel shows of a drop beside its view, read as it is kept and settled by nobody."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dropengine.model import DropId, EntryRecord, HoldRecord
from dropengine.truth import keys, replies
from dropengine.truth.audit import Once
from dropengine.truth.networks import AROUND, DOMAIN, around, counts_in
from dropengine.truth.outbox import Ask
from dropengine.truth.record_layouts import pool_record

_AHEAD = msgspec.msgpack.Decoder(replies.Ahead)
_ENTRY = msgspec.msgpack.Decoder(EntryRecord)
_HOLD = msgspec.msgpack.Decoder(HoldRecord)


class Crowd(msgspec.Struct, frozen=True):
    """A network whose fans were refused because it was full. open: the unpaid holds and open
    entries that count there now. refused: how often somebody was. around: it is the wider one
    around some. domain: it is a mail domain, and open are the persons of it who take part."""

    network: str
    open: int
    refused: int
    around: bool
    exempt: bool
    domain: bool = False


class Standing(msgspec.Struct, frozen=True):
    """A place in the line, and the hold or offer that it is buying with now."""

    entry: str
    record: EntryRecord
    hold: HoldRecord | None


class Glances:
    """Every method raises `Unavailable` when no reply comes.

    once, ask: how a script and how a request are sent. prefix: before all names of the shop.
    """

    def __init__(self, once: Once, ask: Ask, prefix: str | None) -> None:
        self._once = once
        self._ask = ask
        self._prefix = prefix

    async def ahead(self, drop: DropId, most: int) -> replies.Ahead:
        """Whom the lines call next and what ends soon, as it is kept: by the drop's own time."""
        names = [
            self._key(drop, one) for one in ("drop", "pools", "due", "ready", "holds", "entries")
        ]
        return _AHEAD.decode(await self._once("ahead", names, (most,)))

    async def crowds(self, drop: DropId) -> list[Crowd]:
        """The networks from which somebody was refused because they were full, and those that are
        exempt; the most often refused first. Nothing of a drop that is over."""
        rows = await self._ask("its crowds", "HGETALL", self._key(drop, "crowded"))
        refused = {name.decode(): int(times) for name, times in zip(*[iter(rows)] * 2, strict=True)}
        (packed,) = await self._ask("its networks", "HMGET", self._key(drop, "networks"), "exempt")
        exempt = msgspec.msgpack.decode(packed, type=list[str]) if packed else []
        names = list(dict.fromkeys([*refused, *exempt]))
        if not names:
            return []
        wide = [name if name[0] in (AROUND, DOMAIN) else around(name) for name in names]
        rows = await self._ask("its networks", "HMGET", self._key(drop, "networks"), *wide)
        crowds = []
        for name, row in zip(names, rows, strict=True):
            if name[0] == DOMAIN:
                told = (name, int(row or 0), refused.get(name, 0), False, name in exempt, True)
                crowds.append(Crowd(*told))
                continue
            counts = counts_in(row.decode()) if row else {}
            count = sum(counts.values()) if name[0] == AROUND else counts.get(name, 0)
            free = name in exempt
            crowds.append(Crowd(name, count, refused.get(name, 0), name[0] == AROUND, free))
        return sorted(crowds, key=lambda one: -one.refused)

    async def places(self, drop: DropId, names: Sequence[str]) -> list[Standing]:
        """These places as they are kept, ended ones too; without those that are none."""
        if not names:
            return []
        rows = await self._ask("its entries", "HMGET", self._key(drop, "entries"), *names)
        found = [
            (name, _ENTRY.decode(row))
            for name, row in zip(names, rows, strict=True)
            if row is not None
        ]
        buying = [entry.hold for _, entry in found if entry.hold]
        holds = {}
        if buying:
            rows = await self._ask("its holds", "HMGET", self._key(drop, "holds"), *buying)
            holds = {
                name: _HOLD.decode(row)
                for name, row in zip(buying, rows, strict=True)
                if row is not None
            }
        return [Standing(name, entry, holds.get(entry.hold)) for name, entry in found]

    async def counted(self, drop: DropId) -> list[int]:
        """Units that count against each cohort, in all pools."""
        flat = await self._ask("its pools", "HGETALL", self._key(drop, "pools"))
        rows = [pool_record(row).counted for row in flat[1::2]]
        return [sum(each) for each in zip(*rows, strict=True)]

    def _key(self, drop: DropId, name: str) -> str:
        return keys.one(drop, name, self._prefix)
