"""The log of a drop as it is stored: a stream whose rows hold the texts of many events each.

Rows that the books have may have been taken out of the server: whoever reads a log reads them there
in their place. A row has the number of its last event, so a gap shows; the drop says up to which
event rows were taken out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

from dropengine import events
from dropengine.errors import DatabaseAway
from dropengine.model import DropId

PAGE = 200
"""Rows that are read at once."""
ASKED = 500
"""Events that are asked for at once while people press: a row may hold one or a thousand, and the
server does nothing else while it tells them."""
SMALL_PAGE = 16
"""Rows that are asked for where it is not known how many events they hold."""

Ask = Callable[..., Awaitable[Any]]
"""How a request is sent to the server, with a word for what is asked."""
InTheBooks = Callable[[DropId, int, int], AsyncIterator[bytes]]
"""(drop, after, until) -> the texts of the events with after < seq <= until, as far as the books
have them. Raises DatabaseAway."""


class Row(NamedTuple):
    """One row. first: the number of its first event here."""

    first: int
    texts: list[bytes]

    @property
    def last(self) -> int:
        return self.first + len(self.texts) - 1


async def texts(
    ask: Ask, drop: DropId, log: str, head: str, after: int, in_the_books: InTheBooks | None
) -> AsyncIterator[bytes]:
    """The texts of the events with seq > after, in order. log, head: the keys of the log and of the
    drop itself.

    in_the_books: where rows are read that were taken out. Raises DatabaseAway when that is not
    known or cannot be read now.
    """
    more = True
    while more:
        page = await rows(ask, log, after, PAGE)
        for row in page:
            if row.first > after + 1:
                until = min(row.first - 1, await _taken(ask, head))
                async for text in _missing(drop, after, until, in_the_books):
                    yield text
            for text in row.texts:
                yield text
            after = row.last
        more = len(page) == PAGE


async def _taken(ask: Ask, head: str) -> int:
    """Rows up to this event may have been taken out; behind it a gap is a hole."""
    return int(await ask("the drop", "HGET", head, "taken") or 0)


async def _missing(
    drop: DropId, after: int, until: int, in_the_books: InTheBooks | None
) -> AsyncIterator[bytes]:
    if until <= after:
        return
    if in_the_books is None:
        raise DatabaseAway(f"SQL is away: a part of the log of {drop} stands in it.")
    async for text in in_the_books(drop, after, until):
        yield text


async def rows(ask: Ask, log: str, after: int, most: int) -> list[Row]:
    """The next `most` rows that the server has, from the event after `after`."""
    since = f"{after + 1}-0"
    found: list[Row] = []
    for row_id, fields in await ask("the log", "XRANGE", log, since, "+", "COUNT", most):
        last, told = int(row_id.split(b"-")[0]), fields[1::2]
        first = last - len(told) + 1
        found.append(Row(max(first, after + 1), told[max(0, after + 1 - first) :]))
        after = last
    return found


async def stretch(
    ask: Ask,
    drop: DropId,
    log: str,
    head: str,
    after: int,
    in_the_books: InTheBooks | None,
    least: int,
) -> list[bytes]:
    """The next `least` texts and a few more, or those that there are; the rest as for `texts`."""
    found: list[bytes] = []
    size = SMALL_PAGE
    while len(found) < least:
        page = await rows(ask, log, after, size)
        before = len(found)
        for row in page:
            if row.first > after + 1:
                until = min(row.first - 1, await _taken(ask, head))
                async for text in _missing(drop, after, until, in_the_books):
                    found.append(text)
                    if len(found) == least:
                        return found
            found += row.texts
            after = row.last
        if len(page) < size:
            break
        size = max(1, ASKED * len(page) // max(1, len(found) - before))
    return found


async def newest(ask: Ask, log: str, most: int) -> list[bytes]:
    """The last `most` texts at most, in order."""
    found: list[bytes] = []
    before = "+"
    while len(found) < most:
        page = await ask("the log", "XREVRANGE", log, before, "-", "COUNT", SMALL_PAGE)
        for row_id, fields in page:
            found = [*fields[1::2], *found]
            before = f"({row_id.decode()}"
        if len(page) < SMALL_PAGE:
            break
    return found[-most:]


async def published_layout(ask: Ask, log: str) -> int:
    """The layout that the drop was published in; 0 where its log does not tell."""
    found = await rows(ask, log, 0, 1)
    first = events.parse(found[0].texts[0]) if found else None
    return first.schema if isinstance(first, events.Published) else 0
