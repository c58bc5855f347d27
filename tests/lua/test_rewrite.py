"""Rows of `rewrite`: only a frozen drop's records are put in order."""

from __future__ import annotations

import msgspec
import pytest

from dropengine.errors import Broken
from dropengine.model import DropId
from dropengine.truth import keys
from tests.kit.freezing import freeze
from tests.kit.sale import Sale


async def test_rows_are_put_and_taken_away(sale: Sale) -> None:
    """REWRITTEN: hashes and sorted sets, each as one piece."""
    await sale.held("ana")
    await freeze(sale)
    due = (await sale.truth()).due
    await sale.store.rewrite(sale.drop, "due", "zset", [str(2**43), "h:h9"], list(due))
    await sale.store.rewrite(sale.drop, "charges", "hash", ["c1", "sold|h9"], ["c2"])
    truth = await sale.truth()
    assert (truth.due, truth.charges) == ({"h:h9": 2**43}, {"c1": "sold|h9"})


async def test_a_drop_that_goes_on_is_left_alone(sale: Sale) -> None:
    """NOT_FROZEN."""
    before = await sale.truth()
    with pytest.raises(Broken, match="is not frozen"):
        await sale.store.rewrite(sale.drop, "charges", "hash", ["c1", "sold|h9"], [])
    assert await sale.truth() == before


async def test_a_drop_that_is_not_there_stays_so(sale: Sale) -> None:
    """NOT_FOUND."""
    names = keys.one("nowhere", "drop"), keys.one("nowhere", "due")
    none = msgspec.msgpack.encode([])
    reply = await sale.store._once("rewrite", names, ("zset", none, none))
    assert msgspec.msgpack.decode(reply) == ["NOT_FOUND"]
    assert await sale.store.show(DropId("nowhere")) is None
