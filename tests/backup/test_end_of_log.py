"""What a backup copies of a log whose rows stand partly in SQL alone."""

from __future__ import annotations

import hashlib

from dropengine.backup import copying
from tests.kit.sale import Sale


async def taken_out(sale: Sale, log: list[bytes], *numbers: int) -> None:
    said = b"".join(log[number - 1] for number in numbers)
    sha = hashlib.sha1(said, usedforsecurity=False).hexdigest()
    await sale.store.past.take_rows(sale.drop, numbers, sha)


async def test_it_is_the_end_without_a_gap(sale: Sale) -> None:
    """Rows with commands stay before it, and stand in SQL as well."""
    for word in ("one", "two"):
        await sale.release("ana", await sale.held("ana"))
        await sale.creator("message", text=word)
        await sale.release("ana", await sale.held("ana"))
    log = await copying._log(sale.store, sale.drop, 12)
    assert log == [text async for text in sale.store.log(sale.drop)]
    await taken_out(sale, log, 3, 4, 6, 8)
    assert await copying._log(sale.store, sale.drop, 12) == log[8:]
    assert await copying._log(sale.store, sale.drop, 10) == log[8:10]
    await taken_out(sale, log, 9, 11)
    assert await copying._log(sale.store, sale.drop, 12) == log[11:]
