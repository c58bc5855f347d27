"""Everybody who may come to a door: each kind of person and program, and what they try it on.

Test modules take the fixture by name, beside those of `tests/kit/studio.py`: `world =
callers.world`.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest

from dropengine.doors.access import Who
from dropengine.people.roles import Scope
from tests.kit.studio import Hand, Studio, new_draft

CALLERS = (
    *("nobody", "guest A", "guest B", "known A", "known B", "a wrong cookie", "a wrong key"),
    *("viewer", "operator", "owner", "owner of another maker"),
    *("key read", "key run", "key manage", "key manage of another maker"),
)
NOBODIES = CALLERS[:7]
GUESTS = CALLERS[1:5]
"""Fans with a ticket: guests, and persons who are signed in."""
KNOWN = CALLERS[3:5]
PERSONS = {"viewer": "cyd", "operator": "ben", "owner": "ada", "owner of another maker": "dan"}
KEYS = {"key read": Scope.READ, "key run": Scope.RUN, "key manage": Scope.MANAGE}

LETS_IN: dict[Who, frozenset[str]] = {
    Who.PERSON: frozenset(PERSONS),
    Who.CREATOR: frozenset(CALLERS[7:]),
    Who.READ: frozenset({"viewer", "operator", "owner", "key read", "key run", "key manage"}),
    Who.RUN: frozenset({"operator", "owner", "key run", "key manage"}),
    Who.MANAGE: frozenset({"owner", "key manage"}),
    Who.OWNER: frozenset({"owner"}),
}
"""By hand: the law that the table must keep."""


def law(who: Who, caller: str) -> int:
    """What somebody must hear at a creators' door that he may not enter; 0: he may."""
    if caller in LETS_IN[who]:
        return 0
    if caller in NOBODIES:
        return 401
    return 404 if who is not Who.PERSON and "another maker" in caller else 403


class World(NamedTuple):
    """Everybody, and what they try it on. theirs, none: the parts of addresses of a thing of the
    lamps, and of none at all."""

    hands: dict[str, Hand]
    theirs: dict[str, str]
    none: dict[str, str]

    def headers(self, caller: str) -> dict[str, str]:
        """What somebody brings along when he opens a socket."""
        brought = self.hands[caller].http.build_request("GET", "/").headers
        return {name: brought[name] for name in ("cookie", "authorization") if name in brought}


@pytest.fixture(scope="module")
async def world(studio: Studio) -> AsyncIterator[World]:
    async with contextlib.AsyncExitStack() as stack:
        hands: dict[str, Hand] = {}
        for caller, name in PERSONS.items():
            hands[caller] = await stack.enter_async_context(studio.person(name))
        for caller, scope in KEYS.items():
            secret = await studio.api_key(scope)
            hands[caller] = await stack.enter_async_context(studio.program(secret))
        other = await studio.api_key(Scope.MANAGE, studio.pots)
        hands["key manage of another maker"] = await stack.enter_async_context(
            studio.program(other)
        )
        hands["a wrong key"] = await stack.enter_async_context(
            studio.program(f"dropkey_manage_{'x' * 43}")
        )
        hands["nobody"] = await stack.enter_async_context(studio.stranger())
        for caller in GUESTS:
            if caller in KNOWN:
                brought = {"cookie": await studio.known(caller.replace(" ", "."))}
                hands[caller] = await stack.enter_async_context(studio.stranger(**brought))
                continue
            _, ticket = studio.web.ticket()
            http = await stack.enter_async_context(studio.web.http(ticket))
            hands[caller] = Hand(http, studio.web.url)
        hands["a wrong cookie"] = await stack.enter_async_context(
            studio.stranger(cookie=f"maker-{studio.web.runtime.shop[:8]}={'x' * 43}")
        )
        drop = await studio.publish(hands["owner"])
        draft = await new_draft(hands["owner"], studio.lamps)
        theirs = {"maker": studio.lamps.id, "drop": drop, "draft": draft}
        yield World(hands, theirs, {"maker": "0" * 18, "drop": "no-such-drop"})
