"""What the people of one drop tell each other of its game."""

from __future__ import annotations

import asyncio
from collections import Counter

import msgspec


class Links(msgspec.Struct):
    """What the people of one drop know of each other's game. codes: of the links that were shared.
    brought: code -> how many came by it. words: mission -> what is said for it, once its maker said
    so. heard: something of it is new."""

    codes: list[str] = []
    brought: Counter[str] = msgspec.field(default_factory=Counter)
    words: dict[str, str] = {}
    done: Counter[str] = msgspec.field(default_factory=Counter)
    heard: asyncio.Event = msgspec.field(default_factory=asyncio.Event)

    def news(self) -> None:
        """Wake who waits for some."""
        self.heard.set()
        self.heard = asyncio.Event()
