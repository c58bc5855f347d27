"""The list of an earlier drop's places, read from its log, as somebody wants to carry it over."""

from __future__ import annotations

import asyncio

from dropengine.errors import CarriedFault
from dropengine.log.carried import Carriable, carriable
from dropengine.manifest import Manifest
from dropengine.manifest.defaults import IDENTITIES
from dropengine.model import DropId, DropState
from dropengine.truth.store import Store

VERIFIED = IDENTITIES[1]


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
    drop = DropId(manifest.carried_from)
    found = await list_of(store, drop)
    before = await store.show(drop)
    if before is not None and before.manifest.practice != manifest.practice:
        raise CarriedFault(f"of {drop} and {manifest.id} one is for practice, the other is not")
    if found.hash != manifest.carried_hash:
        raise CarriedFault(
            f"the log of {drop} makes the list {found.hash}, and {manifest.id} names "
            f"{manifest.carried_hash}: one of the two was changed"
        )
    return found
