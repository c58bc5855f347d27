"""The log of a drop as it is stored: a stream whose entries hold the texts of many events each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from dropengine import events

PAGE = 200
"""Entries that are read at once."""


async def texts(ask: Callable[..., Awaitable[Any]], log: str, after: int) -> AsyncIterator[bytes]:
    """The texts of the events with seq > after, in order.

    ask: how a request is sent to the server, with a word for what is asked. log: its key.
    """
    while True:
        since = f"{after + 1}-0"
        rows = await ask("the log", "XRANGE", log, since, "+", "COUNT", PAGE)
        for row_id, fields in rows:
            # An entry has the number of its last event.
            last, found = int(row_id.split(b"-")[0]), fields[1::2]
            for seq, text in enumerate(found, last - len(found) + 1):
                if seq > after:
                    yield text
            after = last
        if len(rows) < PAGE:
            return


async def published_layout(ask: Callable[..., Awaitable[Any]], log: str) -> int:
    """The layout that the drop was published in; 0 where its log does not tell."""
    rows = await ask("the log", "XRANGE", log, "-", "+", "COUNT", 1)
    first = events.parse(rows[0][1][1]) if rows else None
    return first.schema if isinstance(first, events.Published) else 0
