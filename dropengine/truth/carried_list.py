"""The list of an earlier drop's places, read from its log, as somebody wants to carry it over."""

from __future__ import annotations

import asyncio
from typing import Final

from dropengine.errors import CarriedFault
from dropengine.log.carried import Carriable, carriable
from dropengine.manifest import Manifest
from dropengine.manifest.defaults import IDENTITIES
from dropengine.model import DropId, DropState
from dropengine.truth.store import Store

VERIFIED = IDENTITIES[1]
NAMED_MOST: Final = 3
"""So many pools are named in a mistake."""


async def list_of(store: Store, drop: DropId) -> Carriable:
    """Whoever waited in vain in this drop. Raises CarriedFault where that can not be known, or
    nobody could be found again, and Unavailable."""
    shown = await store.show(drop)
    if shown is None:
        raise CarriedFault(f"there is no drop {drop}")
    if shown.manifest.identity != VERIFIED:
        raise CarriedFault(
            f"whoever has a browser may stand in the line of {drop}: a guest is another one in "
            "each drop, so nobody can be found again"
        )
    if shown.state != DropState.SETTLED:
        raise CarriedFault(f"{drop} is {shown.state}: who waited in vain is known when it settled")
    lines = [line async for line in store.log(drop)]
    try:
        return await asyncio.to_thread(carriable, lines)
    except CarriedFault as fault:
        raise CarriedFault(f"{drop}: {fault}") from None


async def list_for(store: Store, manifest: Manifest) -> Carriable:
    """The list that this manifest names. Raises CarriedFault, also where that drop's log makes
    another one, and Unavailable."""
    found = await list_of(store, DropId(manifest.carried_from))
    await _held_against(store, manifest, found)
    return found


async def mistake_in(store: Store, manifest: Manifest) -> str:
    """What is wrong with the list that this manifest names, by the path of its key, before it is
    published; '' for nothing. Raises Unavailable."""
    try:
        found = await list_of(store, DropId(manifest.carried_from))
    except CarriedFault as fault:
        return f"carried_from: {fault}"
    try:
        await _held_against(store, manifest, found)
    except CarriedFault as fault:
        return f"carried_hash: {fault}"
    there = {pool for one in found.entries for pool in one.pools}
    here = {pool.id for item in manifest.items for pool in item.pools}
    if not there or there & here:
        return ""
    # The rules carry nobody then (K3), and nobody would be told.
    return (
        f"carried_from: who waited in {found.drop} wanted {_named(there)}, and here is "
        f"{_named(here)}: places go over to items with the same id only"
    )


async def _held_against(store: Store, manifest: Manifest, found: Carriable) -> None:
    drop = DropId(manifest.carried_from)
    before = await store.show(drop)
    if before is not None and before.manifest.practice != manifest.practice:
        raise CarriedFault(f"of {drop} and {manifest.id} one is for practice, the other is not")
    if found.hash != manifest.carried_hash:
        raise CarriedFault(
            f"the log of {drop} makes the list {found.hash}, and {manifest.id} names "
            f"{manifest.carried_hash}: one of the two was changed"
        )


def _named(pools: set[str]) -> str:
    first = sorted(pools)[:NAMED_MOST]
    return ", ".join(first) + (" and others" if len(pools) > len(first) else "")
