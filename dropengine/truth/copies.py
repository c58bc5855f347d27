"""What a backup needs of a drop beside its log, and how a drop is written that is not there yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from dropengine import events
from dropengine.log.replay import Truth
from dropengine.manifest import what_scripts_read
from dropengine.model import DropId, DropState, FanId
from dropengine.truth import charge_ids, keys, replies
from dropengine.truth.audit import RECORDS, ZSETS, Once
from dropengine.truth.charge_ids import Ids
from dropengine.truth.command_rows import packed_texts
from dropengine.truth.outbox import Ask
from dropengine.truth.record_layouts import stored

NOT_TOLD = ("manifest", "versions", "was")
"""Fields of a drop that its log does not tell: it names the first two by their hash alone, and
what a drop was whose books broke is what its next event goes back to."""
OVER = (DropState.SETTLED, DropState.CANCELLED)
EVENTS_AT_ONCE = 200
ROWS_AT_ONCE = 500
SCAN = 500

R = TypeVar("R")
Answers = dict[bytes, bytes]

_BRING_BACK: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(
    replies.BroughtBack | replies.IsThere
)
_pack = msgspec.msgpack.Encoder().encode


class Copies:
    """Every method raises `Unavailable` when no reply comes.

    once, ask: how a script and how a request are sent. prefix: before all names of the shop.
    """

    def __init__(self, once: Once, ask: Ask, prefix: str | None) -> None:
        self._once = once
        self._ask = ask
        self._prefix = prefix

    async def fields(self, drop: DropId) -> tuple[int, int, dict[str, bytes]]:
        """At one moment: the drop's last event, its layout, and what its log does not tell."""
        flat = await self._ask("the drop", "HGETALL", self._key(drop, "drop"))
        found = {k.decode(): v for k, v in zip(flat[::2], flat[1::2], strict=True)}
        told = {name: found[name] for name in NOT_TOLD if name in found}
        return int(found.get("seq", 0)), int(found.get("schema", 0)), told

    async def answers(self, drop: DropId) -> Answers:
        """The answers that were there when this began, and some that came meanwhile."""
        return await self._whole(drop, "answers")

    async def fans(self, drop: DropId) -> list[FanId]:
        """Everybody who has a record."""
        return [FanId(name.decode()) for name in await self._whole(drop, "fans")]

    async def _whole(self, drop: DropId, name: str) -> dict[bytes, bytes]:
        rows: dict[bytes, bytes] = {}
        cursor: bytes | int = 0
        while True:
            cursor, flat = await self._ask(
                f"its {name}", "HSCAN", self._key(drop, name), cursor, "COUNT", SCAN
            )
            rows |= zip(flat[::2], flat[1::2], strict=True)
            if cursor == b"0":
                return rows

    async def answers_of(self, drop: DropId, lines: Iterable[bytes]) -> Answers:
        """The answers of the commands that these events tell of."""
        names = [name for line in lines for name in _asked_by(events.parse(line))]
        answers: Answers = {}
        for some in _pieces(names, ROWS_AT_ONCE):
            found = await self._ask("its answers", "HMGET", self._key(drop, "answers"), *some)
            answers |= {
                name.encode(): text
                for name, text in zip(some, found, strict=True)
                if text is not None
            }
        return answers

    async def bring_back(
        self,
        drop: DropId,
        log: Sequence[bytes],
        truth: Truth,
        not_told: Mapping[str, bytes],
        answers: Answers,
        ids: Ids,
        *,
        frozen: bool = True,
    ) -> bool:
        """Write a drop that is not there, frozen because it was restored; False: it is there.

        truth: what the log makes. ids: of its charges, as far as they are known. frozen: False
        where it only comes out of the archive. It is there when all of it is; what was left by
        somebody who ended in the middle is gone on with.
        """
        at = 0
        for some in _pieces(log, EVENTS_AT_ONCE):
            at += len(some)
            texts = [word for line in some for word in ("e", line)]
            await self._put(drop, "log", "stream", [str(at), *texts])
        for name in (*RECORDS, "outbox"):
            records = getattr(truth, name)
            await self._put_rows(drop, name, "hash", [(k, stored(v)) for k, v in records.items()])
        for name in ZSETS:
            scores = getattr(truth, name)
            await self._put_rows(drop, name, "zset", [(str(v), k) for k, v in scores.items()])
        await self._put_rows(drop, "charges", "hash", list(truth.charges.items()))
        known = {charge: of for charge, of in ids.items() if charge in truth.charges}
        await self._put_rows(drop, "charge_ids", "hash", list(charge_ids.rows(known).items()))
        await self._put_rows(drop, "answers", "hash", list(answers.items()))
        fields = _restored(truth, not_told) if frozen else _fields(truth, not_told)
        words = [word for row in fields.items() for word in row]
        return await self._put(drop, "drop", "hash", words)

    async def remember_left(self, drop: DropId, seq: int) -> None:
        """A restore: this drop stands in SQL alone, and its id is taken."""
        await self._put(drop, "drop", "hash", ["archived", str(seq)])

    async def _put_rows(
        self, drop: DropId, part: str, kind: str, rows: Sequence[tuple[bytes | str, bytes | str]]
    ) -> None:
        for some in _pieces(rows, ROWS_AT_ONCE):
            await self._put(drop, part, kind, [word for row in some for word in row])

    async def _put(self, drop: DropId, part: str, kind: str, words: Sequence[bytes | str]) -> bool:
        names = (self._key(drop, "drop"), self._key(drop, part))
        reply = await self._once("bring_back", names, (kind, packed_texts(words)))
        return isinstance(_BRING_BACK.decode(reply), replies.BroughtBack)

    def _key(self, drop: DropId, name: str) -> str:
        return keys.one(drop, name, self._prefix)


def _pieces(rows: Sequence[R], size: int) -> Iterator[Sequence[R]]:
    for at in range(0, len(rows), size):
        yield rows[at : at + size]


def _asked_by(event: events.AnyEvent) -> Iterable[str]:
    """Under which names the answers to an event's command may stand."""
    key = getattr(event, "key", "")
    if not key:
        return
    for field, letter in (("fan", ":"), ("by", "|")):
        if who := getattr(event, field, ""):
            yield f"{'@' if field == 'by' else ''}{who}{letter}{key}"


def _fields(truth: Truth, not_told: Mapping[str, bytes]) -> dict[str, bytes | str]:
    """The hash of a drop as it stood."""
    rows: dict[str, bytes | str] = {**truth.drop, **not_told, "state": truth.state, "mark": "0"}
    assert truth.rules is not None
    if hours := truth.rules.calls:
        rows["calls"] = _pack((hours.from_ms, hours.to_ms, hours.offsets))
    if chance := truth.rules.randomness:
        rows["randomness"] = _pack(chance)
    kept = msgspec.structs.replace(truth.rules, calls=None, randomness=None)
    read = what_scripts_read(kept)
    if kept.cohorts:
        # As `publish` leaves it: their ceilings stand at the pools.
        read["cohorts"] = [cohort.id for cohort in kept.cohorts]
    return rows | {
        # As the scripts keep them: apart.
        "rules": _pack(read),
        "news": _pack(truth.news),
        "leads": _pack(truth.leads),
    }


def _restored(truth: Truth, not_told: Mapping[str, bytes]) -> dict[str, bytes | str]:
    """The same of a drop that was restored: whoever sells, opens or closes stands still; what is
    over stays so. Its records are no more in doubt, so a commit by half is none any more."""
    rows = _fields(truth, not_told) | {"was": truth.state, "froze": "restore"}
    if truth.state not in OVER:
        rows["state"] = DropState.FROZEN
    if truth.state == DropState.FROZEN:
        # Its log tells why.
        rows |= {"was": not_told.get("was", ""), "froze": "books"}
    return rows
