"""A script's own reply, once: `AGAIN` and all."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.kit.sale import Sale


async def raw(sale: Sale, verb: str, *args: Any) -> list[Any]:
    """Run one script of the sale's drop at its clock; its reply as a list, the word first."""
    store = sale.store
    reply = await store._once(verb, store.keys_of(sale.drop), (sale.now, *args))
    decoded: list[Any] = msgspec.msgpack.decode(reply)
    return decoded
