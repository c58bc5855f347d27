"""Opposite commands at once, by sessions, keys and the command line: one wins, the other hears of
it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from itertools import product
from typing import Any, NamedTuple

import pytest

from dropengine.cli import drop_arguments, drop_commands
from dropengine.people.roles import Scope
from tests.kit import studio as studio_kit
from tests.kit import web_process
from tests.kit.studio import Hand, Studio

server = web_process.server
studio = studio_kit.studio

STOCK = {"pool": "pin", "qty": 1}
OPPOSITES = (
    ("open", "cancel"),
    ("pause", "close"),
    ("pause", "cancel"),
    ("resume", "close"),
    ("add", "withdraw"),
    ("close", "cancel"),
)
WAYS = (
    ("session", "session"),
    ("session", "key"),
    ("key", "command line"),
    ("command line", "session"),
    ("command line", "command line"),
)
PAIRS = tuple(product(OPPOSITES, WAYS))
BEFORE: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "open": (),
    "resume": (("open", {}), ("pause", {})),
    "add": (("open", {}), ("withdraw", {"pool": "pin", "qty": 3})),
}
"""What comes before the first of a pair; before any other the drop is opened."""
DONE = {
    "seal": "sealed",
    "open": "opened",
    "pause": "paused",
    "resume": "resumed",
    "add": "added",
    "withdraw": "withdrawn",
    "close": "closed",
    "cancel": "cancelled",
    "exempt": "exempted",
    "restrict": "restricted",
}


class Heard(NamedTuple):
    """How a command ended: what does not change when it is repeated."""

    won: bool
    code: str
    by: str
    what: str


class Giver:
    """Somebody who commands. `by`: what he signs with."""

    def __init__(self, studio: Studio, hand: Hand | None, by: str) -> None:
        self._studio = studio
        self._hand = hand
        self.by = by

    async def give(self, drop: str, verb: str, seen: int, key: str) -> Heard:
        stock = STOCK if verb in ("add", "withdraw") else {}
        if self._hand is None:
            return await self._type(drop, verb, seen, key)
        body = {**stock, "revision": seen}
        answer = await self._hand.post(f"/drops/{drop}/{verb}", body, again=key)
        told = answer.json()
        if answer.status_code == 200:
            return Heard(won=True, code="", by="", what="")
        assert answer.status_code == 409, answer.text
        return Heard(won=False, code=told["code"], by=told["by"], what=told["what"])

    async def _type(self, drop: str, verb: str, seen: int, key: str) -> Heard:
        words: list[str] = [drop]
        words += ["pin", "1"] if verb in ("add", "withdraw") else []
        words += ["--confirm", drop] if verb == "cancel" else []
        parser = argparse.ArgumentParser()
        {name: add for name, _, add in drop_arguments.VERBS}[verb](parser)
        signed = ["--by", self.by, "--key", key, "--revision", str(seen)]
        arguments = parser.parse_args([*words, *signed])
        code = await drop_commands._run(verb, arguments, self._studio.web.runtime.settings)
        return Heard(won=code == 0, code="", by="", what="")


@contextlib.asynccontextmanager
async def giver(studio: Studio, way: str, name: str) -> AsyncIterator[Giver]:
    """name: of an account, and of whoever types."""
    if way == "session":
        async with studio.person(name) as hand:
            yield Giver(studio, hand, name)
    elif way == "key":
        secret = await studio.api_key(Scope.RUN)
        async with studio.program(secret) as hand:
            yield Giver(studio, hand, "key the run ")
    else:
        yield Giver(studio, None, f"{name}-typed")


async def revision(hand: Hand, drop: str) -> int:
    return int((await hand.get(f"/drops/{drop}")).json()["revision"])


def told(heard: Heard, said: str) -> Heard:
    """What the command line said to whoever lost, as the API says it."""
    if heard.won or heard.code:
        return heard
    found = re.search(r"Refused \((\w+)\): .*\(.*last command: (\w+), by: ([^,)]+)", said)
    assert found is not None, said
    return Heard(won=False, code=found[1], by=found[3], what=found[2])


@pytest.mark.parametrize(
    ("pair", "ways"), PAIRS, ids=[f"{'/'.join(pair)}-{'/'.join(ways)}" for pair, ways in PAIRS]
)
async def test_of_two_opposite_commands_at_once_one_wins_and_the_other_hears_who_and_what(
    studio: Studio,
    capsys: pytest.CaptureFixture[str],
    pair: tuple[str, str],
    ways: tuple[str, str],
) -> None:
    """Each repeated with its key changes nothing and is answered as the first time."""
    async with (
        studio.person("ada") as ada,
        giver(studio, ways[0], "ada") as one,
        giver(studio, ways[1], "ben") as other,
    ):
        drop = await studio.publish(ada)
        for verb, body in BEFORE.get(pair[0], (("open", {}),)):
            await ada.post(f"/drops/{drop}/{verb}", {**body, "revision": await revision(ada, drop)})
        seen = await revision(ada, drop)

        async def both() -> list[Heard]:
            capsys.readouterr()
            heard = await asyncio.gather(
                one.give(drop, pair[0], seen, f"one-{drop}"),
                other.give(drop, pair[1], seen, f"two-{drop}"),
            )
            said = capsys.readouterr().err
            return [told(answer, said) for answer in heard]

        first = await both()
        assert sorted(answer.won for answer in first) == [False, True]
        winner = 0 if first[0].won else 1
        lost = first[1 - winner]
        assert lost.code in ("stale_revision", "already")
        assert lost.by.startswith((one, other)[winner].by)
        assert lost.what == DONE[pair[winner]]
        after = await revision(ada, drop)
        assert after == seen + 1
        assert await both() == first
        assert await revision(ada, drop) == after
        log = (await ada.get(f"/drops/{drop}/log")).json()["events"]
        made = [event["e"] for event in log if event.get("revision", 0) > seen]
        assert made == [DONE[pair[winner]]]


@pytest.mark.parametrize("ways", WAYS, ids="/".join)
async def test_what_is_so_already_is_told_with_who_made_it_so(
    studio: Studio, capsys: pytest.CaptureFixture[str], ways: tuple[str, str]
) -> None:
    """Whoever looks anew after he lost, and still wants what the other did."""
    async with (
        studio.person("ada") as ada,
        giver(studio, ways[0], "ada") as one,
        giver(studio, ways[1], "ben") as other,
    ):
        drop = await studio.publish(ada)
        await ada.post(f"/drops/{drop}/open", {"revision": 1})
        for verb in ("pause", "resume"):
            seen = await revision(ada, drop)
            assert (await one.give(drop, verb, seen, f"{verb}-{drop}")).won
            capsys.readouterr()
            for _ in range(2):
                heard = await other.give(drop, verb, seen + 1, f"again-{verb}-{drop}")
                heard = told(heard, capsys.readouterr().err)
                assert (heard.won, heard.code) == (False, "already")
                assert heard.by.startswith(one.by)
                assert heard.what == DONE[verb]
            assert await revision(ada, drop) == seen + 1


async def test_of_a_crowd_of_operators_one_wins_each_time(studio: Studio) -> None:
    """Eight at once, each with another command: one revision goes to one of them."""
    async with contextlib.AsyncExitStack() as stack:
        ada = await stack.enter_async_context(studio.person("ada"))
        drop = await studio.publish(ada)
        await ada.post(f"/drops/{drop}/open", {"revision": 1})
        givers = [
            await stack.enter_async_context(giver(studio, way, name))
            for way in ("session", "key")
            for name in ("ada", "ben")
        ]
        seen = await revision(ada, drop)
        verbs = ("pause", "close", "withdraw", "cancel") * 2
        heard = await asyncio.gather(
            *(
                givers[at % 4].give(drop, verb, seen, f"{at}-{drop}")
                for at, verb in enumerate(verbs)
            )
        )
        assert sum(answer.won for answer in heard) == 1
        assert {answer.code for answer in heard if not answer.won} == {"stale_revision"}
