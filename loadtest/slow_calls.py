"""The server's own list of slow calls, read before it forgets."""

from __future__ import annotations

from typing import Any

from dropengine.terminal.progress import Progress
from dropengine.truth import scripts

CALL_MS_MAX = 15.0
"""No call may hold the server up for longer: everybody else waits meanwhile."""


class SlowCalls:
    """`calls`: entry -> ms and what ran. The server tells of those above 5 ms."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._verbs = {script.sha: verb for verb, script in scripts.load().items()}
        self.calls: dict[int, tuple[float, str]] = {}

    async def reset(self) -> None:
        await self._client.slowlog_reset()

    async def read(self) -> None:
        for row in await self._client.slowlog_get(128):
            words = row["command"].split()
            sha = words[1].decode() if len(words) > 1 else ""
            what = self._verbs.get(sha, words[0].decode())
            self.calls[row["id"]] = (row["duration"] / 1000, what)

    def report(self, say: Progress, most_ms: float = CALL_MS_MAX) -> list[str]:
        """Say what was slow; a sentence where a call was too slow."""
        longest_ms, verb = max(self.calls.values(), default=(0.0, ""))
        for name in sorted({what for _, what in self.calls.values()}):
            times = sorted(ms for ms, what in self.calls.values() if what == name)
            say.say(f"{name}: {len(times)} above 5 ms, the longest {times[-1]:.1f} ms")
        say.say(f"longest call {longest_ms:.1f} ms ({verb})" if verb else "no call above 5 ms")
        if longest_ms > most_ms:
            return [f"{verb} ran {longest_ms:.1f} ms, more than {most_ms:.0f}"]
        return []
