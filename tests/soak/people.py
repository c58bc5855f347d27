"""Fans of a soaked night, who do what they like for as long as it lasts, and the maker."""

from __future__ import annotations

import asyncio
import contextlib
from itertools import count
from random import Random
from typing import Final

import httpx2

from dropengine import wire
from dropengine.creator_commands import Add, Message, Pause, Resume, Withdraw
from dropengine.errors import Unavailable
from dropengine.model import DropId, DropState
from dropengine.truth.store import Store
from tests.kit.two_workers import Patron

POOLS: Final = ("pin@north", "pin@south", "lamp")
LISTENS_S: Final = 0.5
THINKS_S: Final = 0.4
REFUNDS: Final = 0.5

_keys = count(1)


async def enjoys(patron: Patron, dice: Random, over: asyncio.Event) -> None:
    """One fan's night: each command is sent until it is answered."""
    while not over.is_set():
        await _acts(patron, dice)
        await asyncio.sleep(dice.uniform(0, THINKS_S))


async def _acts(patron: Patron, dice: Random) -> None:
    number = next(_keys)
    key = f"soak-{number}"
    you = patron.you
    wish = dice.random()
    if you is not None and you.holds and wish < 0.7:
        hold = dice.choice(you.holds)
        if hold.origin == "line" and not hold.claimed and wish < 0.4:
            await patron.done(wire.Claim(number, key, hold.id))
        elif wish < 0.5:
            await _pays(patron, wire.Pay(number, key, [hold.id]))
        elif wish < 0.6:
            await patron.done(wire.Release(number, key, hold.id))
        else:
            await patron.done(wire.Extend(number, key, hold.id))
    elif you is not None and you.entries and wish < 0.1:
        await patron.done(wire.Leave(number, key, dice.choice(you.entries).id))
    elif wish < 0.4:
        await patron.done(wire.Hold(number, key, dice.choice(POOLS), dice.choice((1, 1, 2))))
    elif wish < 0.8:
        wanted = dice.sample(POOLS, dice.randint(1, 3))
        await patron.done(wire.Join(number, key, wanted, dice.choice((1, 1, 2))))
    await _listens(patron)


async def _pays(patron: Patron, command: wire.Pay) -> None:
    """On the provider's page, once: some payments never come, some come late."""
    answer = await patron.done(command)
    for page in answer.pay.values() if isinstance(answer, wire.Done) else ():
        given = {"origin": patron.origin, "cookie": patron.cookie}
        there = httpx2.URL(patron.origin).join(page)
        with contextlib.suppress(httpx2.HTTPError):
            await patron.browser.post(there, json={"do": "pay"}, headers=given)


async def _listens(patron: Patron) -> None:
    """What he has now, as the next message of it tells."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LISTENS_S):
            await patron.hears()


async def makes(store: Store, drop: DropId, dice: Random, over: asyncio.Event) -> None:
    """The maker pauses, moves units, and lets a drop go on that a watch has paused."""
    while not over.is_set():
        await asyncio.sleep(dice.uniform(0.2, 1))
        with contextlib.suppress(Unavailable):
            await _decides(store, drop, dice)


async def _decides(store: Store, drop: DropId, dice: Random) -> None:
    shown = await store.show(drop)
    if shown is None:
        return
    key = f"maker-{next(_keys)}"
    if dice.random() < REFUNDS:
        await _refunds(store, drop, dice, key)
        return
    pool = dice.choice(POOLS)
    if shown.state == DropState.PAUSED:
        command: Pause | Resume | Add | Withdraw | Message = Resume()
    else:
        command = dice.choice((Pause(), Add(pool, 1), Withdraw(pool, 1), Message("Patience.")))
    await store.command(drop, command, revision=shown.revision, by="o1", key=key)


async def _refunds(store: Store, drop: DropId, dice: Random, key: str) -> None:
    """So that there is something to get until the end."""
    truth = await store.truth(drop)
    orders = sorted(truth.orders) if truth is not None else []
    if orders:
        await store.refund(drop, dice.choice(orders), by="o1", key=key)
