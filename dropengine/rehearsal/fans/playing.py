"""What one simulated person does for points, at the doors that his page uses: he comes by a
friend's link, shares his own, says the word of a mission, lets his name stand on the board.

What he is told is kept: a rehearsal holds it against the links that friends really came by.
"""

from __future__ import annotations

import asyncio
import random

from dropengine.rehearsal.fans.browser import Browser
from dropengine.rehearsal.fans.links import Links
from dropengine.rehearsal.fans.plans import Part
from dropengine.wire_game import Game

ASKS_AGAIN_S = 1.0
TRIES_MAX = 5


class Playing:
    """One of them. game: what he was told last."""

    def __init__(
        self,
        browser: Browser,
        part: Part,
        links: Links,
        opened: asyncio.Event,
        draw: random.Random,
    ) -> None:
        self.game: Game | None = None
        self.part = part
        self._browser = browser
        self._links = links
        self._opened = opened
        self._draw = draw

    async def come(self) -> None:
        """By the link of somebody, if anybody shares one before the opening; then share his own.
        Whoever does so before he takes part is told of nobody, and counts for him."""
        if self.part.came:
            await self._some_link()
            if self._links.codes:
                await self._by(self._draw.choice(self._links.codes))
        await self.look()
        if self.game is None:
            return
        if self.part.own and not self.game.came:
            await self._by(self.game.code)
        if self.part.shares:
            self._links.codes.append(self.game.code)
            self._links.news()
        if self.part.shown:
            await self.say("board", {"name": f"Fan {self._browser.number}"})

    async def look(self) -> None:
        """Ask how it stands for him."""
        self.game = await self._browser.game() or self.game

    async def say(self, where: str, body: dict[str, object]) -> Game | None:
        """Something that his page sends; what he is told of it, None where that is no."""
        found = await self._browser.game(where, body)
        self.game = found or self.game
        return found

    async def do_missions(self) -> None:
        """Whatever is said, he says it, some of them wrong at first."""
        done: set[str] = set()
        while True:
            heard = self._links.heard
            for mission, word in [*self._links.words.items()]:
                if mission not in done:
                    done.add(mission)
                    await self._do(mission, word)
            await heard.wait()

    async def _do(self, mission: str, word: str) -> None:
        if self.part.wrong:
            await self.say("mission", {"mission": mission, "said": "not this"})
        for _ in range(TRIES_MAX):
            said: dict[str, object] = {"mission": mission, "said": f"  {word.lower()} "}
            if await self.say("mission", said) is not None:
                self._links.done[mission] += 1
                return
            # Paced, or the shop is away.
            await asyncio.sleep(self._draw.uniform(1, 2) * ASKS_AGAIN_S)

    async def _by(self, code: str) -> None:
        told = await self.say("came", {"ref": code})
        if told is not None and told.came and told.code != code:
            self._links.brought[code] += 1

    async def _some_link(self) -> None:
        while not self._links.codes and not self._opened.is_set():
            waits = [asyncio.ensure_future(one.wait()) for one in (self._links.heard, self._opened)]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for one in waits:
                    one.cancel()
