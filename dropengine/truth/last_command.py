"""Who changed a drop last, and when: a fact that only its log keeps. Reading it decides nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from dropengine import events

PAGE = 200
"""Entries of the log that are read at once."""
PAGES_MAX = 50
"""How far back is looked. Only somebody who asks for what is so already waits for it."""


async def last_command(
    ask: Callable[..., Awaitable[Any]], log: str, revision: int
) -> events.ByCreator | None:
    """The event that gave the drop this revision, or None where too much came after it.

    ask: how a request is sent to the server, with a word for what is asked. log: its key.
    """
    mark, before = b'"revision":%d' % revision, "+"
    for _ in range(PAGES_MAX):
        rows = await ask("the log", "XREVRANGE", log, before, "-", "COUNT", PAGE)
        for text in (text for _, fields in rows for text in fields[1::2] if mark in text):
            try:
                event = events.parse(text)
            except ValueError:
                # What cannot be read is for the referee; here it only is not the one.
                continue
            if isinstance(event, events.ByCreator) and event.revision == revision:
                return event
        if len(rows) < PAGE:
            break
        before = "(" + rows[-1][0].decode()
    return None
