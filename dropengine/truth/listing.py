"""The drops of a shop for a list: one whose record cannot be shown takes no list down."""

from __future__ import annotations

import logging

import msgspec

from dropengine.errors import ManifestError, NewerSchema
from dropengine.manifest import showable
from dropengine.model import DropId
from dropengine.truth.replies import Shown
from dropengine.truth.store import Store

log = logging.getLogger(__name__)


class Listing(msgspec.Struct, frozen=True):
    """Without drops to practise with. `left_out`: there are these too, but a newer version keeps
    their records, or they have a time that no calendar has."""

    shown: list[Shown]
    left_out: list[DropId]


async def listing(store: Store, most: int) -> Listing:
    """Where the newest drops stand. Raises Unavailable when the server does not answer."""
    found = Listing([], [])
    for drop in (await store.every_drop())[:most]:
        try:
            shown = await store.show(drop)
        except (NewerSchema, ManifestError) as fault:
            log.warning("%s is left out of a list: %s", drop, fault)
            found.left_out.append(drop)
            continue
        if shown is None or shown.manifest.practice:
            continue
        if showable(shown.manifest):
            found.shown.append(shown)
        else:
            found.left_out.append(drop)
    return found
