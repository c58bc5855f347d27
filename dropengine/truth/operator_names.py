"""What the operators are called whose words stand in logs, as far as SQL can be asked."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping

from dropengine.errors import DatabaseAway
from dropengine.model import OPERATOR

AGAIN_S = 60.0
"""A word that nobody knew is asked about once more after this."""
AWAY_S = 1.0
"""And after this where SQL did not say."""
_BY = re.compile(rb'"by":"(%b)"' % OPERATOR.pattern.encode())


class OperatorNames:
    """`in_sql`: where all names are, if that can be asked. `known`: word -> name; it grows."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.in_sql: Callable[[], Awaitable[Mapping[str, str]]] | None = None
        self.known: dict[str, str] = {}
        self._clock = clock
        self._asked: dict[str, float] = {}

    async def learn(self, words: Iterable[str]) -> Mapping[str, str]:
        """Find out about these, where they are words of operators; what is known. Where SQL is away
        nothing new is."""
        now = self._clock()
        unknown = {word for word in words if OPERATOR.fullmatch(word)} - self.known.keys()
        due = [word for word in unknown if self._asked.get(word, now) <= now]
        if due and self.in_sql is not None:
            again_s = AWAY_S
            with contextlib.suppress(DatabaseAway):
                self.known.update(await self.in_sql())
                again_s = AGAIN_S
            self._asked |= dict.fromkeys(due, now + again_s)
        return self.known

    async def told_in(self, texts: Iterable[bytes]) -> Mapping[str, str]:
        """Those who are named in these events."""
        return await self.learn(
            [found[1].decode() for text in texts for found in _BY.finditer(text)]
        )

    async def name(self, by: str) -> str:
        """What somebody is called; the word itself where nobody knows."""
        return (await self.learn([by])).get(by, by)
