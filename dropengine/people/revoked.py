"""Tickets that are not good any more, though their time is not over: of who signed out, and of
guests who became persons. Held in memory, for every press asks."""

from __future__ import annotations

from collections.abc import Mapping


class Revoked:
    """Names of tickets. `in` is all that a press needs."""

    def __init__(self) -> None:
        self._till_ms: dict[str, int] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._till_ms

    def __len__(self) -> int:
        return len(self._till_ms)

    def learn(self, found: Mapping[str, int], now_ms: int) -> set[str]:
        """Names, and until when a ticket that bears one could last; those that are new here."""
        fresh = {name for name, till_ms in found.items() if till_ms > now_ms} - self._till_ms.keys()
        self._till_ms |= {name: found[name] for name in fresh}
        return fresh

    def forget(self, now_ms: int) -> None:
        """Those whose tickets are over by themselves."""
        over = [name for name, till_ms in self._till_ms.items() if till_ms <= now_ms]
        for name in over:
            del self._till_ms[name]
