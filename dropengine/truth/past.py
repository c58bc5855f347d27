"""What nobody can ask for any more leaves the server of the truth, a little at a time.

Rows of the log, when the books have them; holds that came to nothing and what is remembered of
their keys, a day after they ended. What is kept is decided by the scripts of `lua/past`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from dropengine import refusals
from dropengine.model import DropId
from dropengine.truth import keys, replies, stored_log
from dropengine.truth.replies import _Again
from dropengine.truth.stored_log import Row

Once = Callable[[str, Sequence[str], Sequence[bytes | str | int]], Awaitable[Any]]
Run = Callable[
    [str, str, Sequence[bytes | str | int], msgspec.msgpack.Decoder[Any]], Awaitable[Any]
]
"""(script, drop, arguments, how its reply is read) -> its reply, when nothing is due any more."""
Ask = Callable[..., Awaitable[Any]]

Stays = refusals.Frozen | refusals.NotFound

_ROWS: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(
    replies.RowsOut | replies.Different | Stays
)
_HOLDS: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(
    replies.PartOut | replies.OtherCharges | _Again | Stays
)
_ANSWERS: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(replies.PartOut | _Again | Stays)
_ARCHIVE: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(
    replies.Archived | replies.NotNow | refusals.NotFound
)
SCANNED = 500
"""Charges that are read at once."""
_pack = msgspec.msgpack.Encoder().encode


class ForNothing(NamedTuple):
    """`charges`: every one that bought nothing; `others`: how many bought something."""

    charges: list[str]
    others: int


class Past:
    """Of one server. Every method raises `Unavailable` when no reply comes.

    once, run, ask: how a script, a script that settles first, and a request are sent. prefix:
    before all names of the shop.
    """

    def __init__(self, once: Once, run: Run, ask: Ask, prefix: str | None) -> None:
        self._once = once
        self._run = run
        self._ask = ask
        self._prefix = prefix

    def _key(self, drop: DropId, name: str) -> str:
        return keys.one(drop, name, self._prefix)

    async def rows(self, drop: DropId, after: int, most: int) -> list[Row]:
        """The next `most` rows of the log that the server has still, from the event after
        `after`."""
        return await stored_log.rows(self._ask, self._key(drop, "log"), after, most)

    async def take_rows(
        self, drop: DropId, rows: Sequence[int], sha: str
    ) -> replies.RowsOut | replies.Different | Stays:
        """rows: the numbers of their last events. sha: SHA-1 of what they say by the books."""
        names = (self._key(drop, "drop"), self._key(drop, "log"))
        reply = await self._once("take_rows", names, (_pack(list(rows)), sha))
        return _ROWS.decode(reply)  # type: ignore[no-any-return]

    async def take_holds(
        self, drop: DropId, charges: ForNothing, cursor: str, *, clock_ms: int = 0
    ) -> replies.PartOut | replies.OtherCharges | Stays:
        """The next part of the holds. charges: as `charges_for_nothing` told them."""
        args = (clock_ms, _pack(charges.charges), charges.others, cursor)
        return await self._run("take_holds", drop, args, _HOLDS)  # type: ignore[no-any-return]

    async def take_answers(
        self, drop: DropId, cursor: str, *, clock_ms: int = 0
    ) -> replies.PartOut | Stays:
        """The next part of what is remembered of keys."""
        return await self._run("take_answers", drop, (clock_ms, cursor), _ANSWERS)  # type: ignore[no-any-return]

    async def archive(self, drop: DropId, seq: int) -> bool:
        """The whole drop leaves, which the books have up to `seq`. False: not now."""
        reply = await self._once("archive", keys.of(drop, self._prefix), (seq,))
        return isinstance(_ARCHIVE.decode(reply), replies.Archived)

    async def charges_for_nothing(self, drop: DropId) -> ForNothing:
        """Every charge that bought nothing."""
        found: set[str] = set()
        others: set[str] = set()
        cursor = b"0"
        while True:
            cursor, flat = await self._ask(
                "the charges", "HSCAN", self._key(drop, "charges"), cursor, "COUNT", SCANNED
            )
            for name, ending in zip(flat[::2], flat[1::2], strict=True):
                (found if ending.startswith(b"voided") else others).add(name.decode())
            if cursor == b"0":
                return ForNothing(sorted(found), len(others))
