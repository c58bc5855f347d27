"""Two panels and a command line press against each other, on one revision of one drop: one of them
wins, the others read what changed and by whom, and may press again."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from itertools import count, product
from typing import Any, NamedTuple

import httpx2
import msgspec
import pytest

from dropengine import outcomes
from dropengine.cli import drop_arguments, drop_commands
from dropengine.doors.studio.night_pages import WHAT
from dropengine.manifest import Item
from tests.doors.studio.test_night import Night, told
from tests.doors.studio.test_opposite_commands import BEFORE, DONE
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.manifests import in_mode, item, manifest
from tests.kit.sale import Sale
from tests.kit.studio import Studio

server = web_process.server
studio = studio_kit.studio

_numbers = count(1)
TITLE = "Lamp"
OPPOSITES = (
    ("seal", "cancel"),
    ("open", "cancel"),
    ("open", "reschedule"),
    ("pause", "close"),
    ("pause", "cancel"),
    ("pause", "reschedule"),
    ("resume", "close"),
    ("resume", "cancel"),
    ("add", "withdraw"),
    ("close", "reschedule"),
    ("close", "cancel"),
    ("exempt", "restrict"),
)
PAIRS = tuple(product(OPPOSITES, (0, 1)))
"""The command line stands on either side of each."""
LOOKS: dict[str, dict[str, Any]] = {
    "add": {"pool": "pin", "qty": 1},
    "withdraw": {"pool": "pin", "qty": 1},
    "reschedule": {"later": "30"},
}
"""What is typed before a command is looked at once more."""
TYPED = {
    "add": ["pin", "1"],
    "withdraw": ["pin", "1"],
    "reschedule": ["--closes", "2087-07-16T18:00:00Z"],
}
HALL, YARD = ("127.0.1.1", "127.0.1.0/24"), ("127.0.2.1", "127.0.2.0/24")
NETWORKS = {"exempt": HALL, "restrict": YARD}
"""The yard has no limit before, the hall has one."""
OVER_BY = {
    "cancel": ("open", "seal", "pause", "resume", "close"),
    "close": ("pause", "resume", "reschedule"),
}
"""What is no use any more after another's press; all else may be pressed again."""
OVER = re.compile(r"Not now: the drop is (closing|cancelled)")
SAYS = re.compile(r"Refused \((\w+)\): .*\(.*last command: (\w+), by: ([^,)]+)")


class Ended(NamedTuple):
    """How a press ended. `what`, `by`: of the press that came first, for one that lost."""

    won: bool
    what: str = ""
    by: str = ""


class ByPanel:
    """Somebody who looks at a page of a command, and then presses its button."""

    def __init__(self, night: Night, name: str, verb: str) -> None:
        self.by = name
        self.verb = verb
        self._night = night
        self._page: httpx2.Response | None = None

    async def look(self) -> None:
        more = LOOKS.get(self.verb, {})
        if place := NETWORKS.get(self.verb):
            more = {"network": self._night.sale.names.of(place)[0]}
        self._page = await self._night.look(self.verb, **more)
        assert self._page.status_code == 200

    async def press(self) -> Ended:
        assert self._page is not None
        answer = await self._night.give(self.verb, self._page, title=TITLE)
        if answer.status_code == 303:
            said = told(await self._night.look())
            return self._read(said) if "It was so already:" in said else Ended(won=True)
        assert answer.status_code == 409, told(answer)
        said = told(answer)
        assert "That was after you looked, so nothing of yours was done." in said
        self._page = answer
        return self._read(said)

    def _read(self, said: str) -> Ended:
        for event, words in WHAT.items():
            found = re.search(rf"(ada|ben|typist) {words}( on |\.)", said)
            if found is not None:
                return Ended(won=False, what=event, by=found[1])
        raise AssertionError(said)

    async def again(self) -> bool:
        """With the page that said why; False where that says it is no use any more."""
        assert self._page is not None
        said = told(self._page)
        if OVER.search(said):
            assert "you may press again" not in said
            return False
        assert "you may press again" in said
        answer = await self._night.give(self.verb, self._page, title=TITLE)
        assert answer.status_code == 303, told(answer)
        return True


class ByCommandLine:
    """Somebody at a terminal, who names the revision that he saw."""

    by = "typist"

    def __init__(
        self, studio: Studio, sale: Sale, verb: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.verb = verb
        self._studio = studio
        self._sale = sale
        self._capsys = capsys

    async def look(self) -> None:
        shown = await self._sale.store.show(self._sale.drop)
        assert shown is not None
        self._seen = shown.revision
        self._capsys.readouterr()

    async def press(self) -> Ended:
        if await self._typed("--revision", str(self._seen)):
            return Ended(won=True)
        said = self._capsys.readouterr().err
        found = SAYS.search(said)
        assert found is not None, said
        assert found[1] in ("stale_revision", "already")
        return Ended(won=False, what=found[2], by=found[3])

    async def again(self) -> bool:
        """As whoever reads the answer does; False where it is no use any more."""
        return await self._typed()

    async def _typed(self, *more: str) -> bool:
        words = [self._sale.drop, *TYPED.get(self.verb, [])]
        if place := NETWORKS.get(self.verb):
            words.append(self._sale.names.of(place)[0])
        words += ["--confirm", self._sale.drop] if self.verb == "cancel" else []
        parser = argparse.ArgumentParser()
        {name: add for name, _, add in drop_arguments.VERBS}[self.verb](parser)
        arguments = parser.parse_args([*words, "--by", self.by, *more])
        settings = self._studio.web.runtime.settings
        return await drop_commands._run(self.verb, arguments, settings) == 0


@contextlib.asynccontextmanager
async def night_of(studio: Studio, name: str, sale: Sale) -> AsyncIterator[Night]:
    async with studio.person(name) as hand:
        yield Night(hand, sale)


async def timed(studio: Studio, units: Item) -> Sale:
    """A drop that gives out its arrivals by time."""
    return await studio.web.sale(units, opened=False, title=TITLE)


async def crowded(studio: Studio, units: Item) -> Sale:
    """One that counts networks; hall and yard were full, and a maker has let the yard in."""
    sale = await studio.web.sale(units, network_most=1, title=TITLE)
    sale.whence = {"a": HALL, "b": HALL, "c": YARD, "d": YARD}
    for fan in sale.whence:
        await sale.hold(fan)
    let_in = await sale.creator("exempt", network=sale.names.of(YARD)[0])
    assert isinstance(let_in, outcomes.Changed), let_in
    return sale


async def listed(studio: Studio, units: Item) -> Sale:
    """One with a list; the shop does not have the secret by which it would be ordered."""
    sale = Sale(studio.web.runtime.store, f"listed-{next(_numbers)}", now=0)
    text = msgspec.structs.replace(manifest(sale.drop, units), title=TITLE)
    await sale.publish(in_mode(text, "lobby"))
    return sale


@pytest.mark.parametrize(
    ("pair", "side"), PAIRS, ids=[f"{'/'.join(pair)}-typed-{pair[side]}" for pair, side in PAIRS]
)
async def test_of_two_panels_and_a_command_line_one_wins_and_the_others_read_who_and_what(
    studio: Studio, capsys: pytest.CaptureFixture[str], pair: tuple[str, str], side: int
) -> None:
    units = item("pin", {"pin": 9}, withheld={"pin": 4})
    made_by = listed if "seal" in pair else crowded if "exempt" in pair else timed
    sale = await made_by(studio, units)
    for verb, more in () if "exempt" in pair else BEFORE.get(pair[0], (("open", {}),)):
        await sale.creator(verb, **more)
        if verb == "open":
            # Something is in a cart, or in the list, so that a drop that closes is not over at
            # once, and one that is sealed does not open.
            await (sale.entered("fan") if "seal" in pair else sale.held("fan"))
    async with night_of(studio, "ada", sale) as one, night_of(studio, "ben", sale) as other:
        hands: tuple[ByPanel | ByCommandLine, ...] = (
            ByPanel(one, "ada", pair[0]),
            ByPanel(other, "ben", pair[1]),
            ByCommandLine(studio, sale, pair[side], capsys),
        )
        for hand in hands:
            await hand.look()
        ended = await asyncio.gather(*(hand.press() for hand in hands))
        assert [one.won for one in ended].count(True) == 1
        first = next(hand for hand, one in zip(hands, ended, strict=True) if one.won)
        made = DONE.get(first.verb, "rescheduled")
        shown = await sale.store.show(sale.drop)
        assert shown is not None
        assert shown.revision == sale.revision + 1
        for hand, how in zip(hands, ended, strict=True):
            if hand is not first:
                assert (how.by, how.what) == (first.by, made), hand.verb
        # Whoever still wants it has it at the second press, where there is something left to want.
        second = next(hand for hand in hands if hand is not first and hand.verb != first.verb)
        pressed = await second.again()
        after = await sale.store.show(sale.drop)
        assert after is not None
        assert after.revision == shown.revision + pressed
        assert pressed == (second.verb not in OVER_BY.get(first.verb, ()))


def test_there_are_twenty_pairs_and_four() -> None:
    assert len(PAIRS) == 24
