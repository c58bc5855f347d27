"""Rows of `take_rows`: what the books have leaves the log, and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence

import pytest

from dropengine import events, refusals
from dropengine.errors import DatabaseAway
from dropengine.model import DropId
from dropengine.truth import keys
from dropengine.truth.replies import Different, RowsOut
from tests.kit.freezing import freeze
from tests.kit.sale import Sale


def sha(texts: Sequence[bytes]) -> str:
    return hashlib.sha1(b"".join(texts), usedforsecurity=False).hexdigest()


async def lines(sale: Sale) -> list[bytes]:
    return [text async for text in sale.store.log(sale.drop)]


async def take(sale: Sale, *numbers: int, say: Sequence[bytes] = ()) -> object:
    """Rows of one event each."""
    texts = say or [(await lines(sale))[number - 1] for number in numbers]
    return await sale.store.past.take_rows(sale.drop, numbers, sha(texts))


@pytest.fixture
async def busy(sale: Sale) -> Sale:
    """published, opened, then held and released by turns up to event 8."""
    for _ in range(3):
        await sale.release("ana", await sale.held("ana"))
    return sale


async def test_rows_that_the_books_have_leave_the_log(busy: Sale) -> None:
    """TAKEN_OUT; a reader without the books says so, as long as there is a gap before him."""
    before = await lines(busy)
    assert await take(busy, 3, 4, 6) == RowsOut(3)
    left = await busy.store.past.rows(busy.drop, 0, 100)
    texts = [text for row in left for text in row.texts]
    assert texts == [*before[:2], before[4], *before[6:]]
    with pytest.raises(DatabaseAway):
        await lines(busy)
    assert [text async for text in busy.store.log(busy.drop, 6)] == before[6:]


async def test_behind_what_was_taken_out_a_gap_is_a_hole(busy: Sale) -> None:
    """Nobody looks into the books for it."""
    before = await lines(busy)
    await busy.store.client.xdel(keys.one(busy.drop, "log"), "7-0")
    assert await lines(busy) == [*before[:6], before[7]]
    assert await take(busy, 3, say=before[2:3]) == RowsOut(1)
    assert [text async for text in busy.store.log(busy.drop, 3)] == [*before[3:6], before[7]]


async def test_a_reader_with_the_books_sees_every_row(busy: Sale) -> None:
    before = await lines(busy)

    async def in_the_books(_: DropId, after: int, until: int) -> AsyncIterator[bytes]:
        for text in before[after:until]:
            yield text

    await take(busy, 3, 4, 6)
    busy.store.in_the_books = in_the_books
    assert await lines(busy) == before
    for after in range(len(before) + 1):
        assert [text async for text in busy.store.log(busy.drop, after)] == before[after:]


async def test_what_the_books_say_otherwise_stays(busy: Sale) -> None:
    """DIFFERENT, for one letter."""
    before = await lines(busy)
    wrong = [before[2], before[3].replace(b"ana", b"anb")]
    assert await take(busy, 3, 4, say=wrong) == Different()
    assert await take(busy, 3, 4, say=before[2:3]) == Different()
    assert await lines(busy) == before


async def test_a_row_is_taken_out_once(busy: Sale) -> None:
    before = await lines(busy)
    assert await take(busy, 3) == RowsOut(1)
    assert await take(busy, 3, say=before[2:3]) == Different()


@pytest.mark.parametrize("number", [1, 2, 8, 99])
async def test_the_last_row_and_those_of_creators_stay(busy: Sale, number: int) -> None:
    """DIFFERENT: also one that is not there."""
    before = await lines(busy)
    assert await take(busy, 3, number, say=[before[2], *before[number - 1 : number]]) == Different()
    assert await lines(busy) == before


async def test_what_is_asked_of_the_log_without_the_books_is_answered_as_before(
    busy: Sale,
) -> None:
    """The layout it was published in, and who commanded last and when."""
    busy.now += 5_000
    asked = await busy.creator("open"), await busy.store.published_layout(busy.drop)
    assert isinstance(asked[0], refusals.Already)
    assert await take(busy, 3, 4, 5, 6, 7) == RowsOut(5)
    assert (await busy.creator("open"), await busy.store.published_layout(busy.drop)) == asked


async def test_a_commit_that_ended_half_way_finds_the_last_row(busy: Sale) -> None:
    await take(busy, 3, 4, 5, 6, 7)
    await busy.store.client.hset(keys.one(busy.drop, "drop"), "mark", busy.now)
    await busy.settle()
    shown = await busy.store.show(busy.drop)
    assert shown is not None
    assert (shown.seq, shown.froze) == (8, "half")


@pytest.mark.parametrize("how", ["frozen", "state", "mark", "froze"])
async def test_nothing_leaves_a_drop_that_somebody_has_to_look_at(busy: Sale, how: str) -> None:
    """FROZEN."""
    if how == "frozen":
        await freeze(busy)
    else:
        word = "frozen" if how == "state" else "half"
        await busy.store.client.hset(keys.one(busy.drop, "drop"), how, word)
    before = await lines(busy)
    assert await take(busy, 3) == refusals.Frozen()
    assert await lines(busy) == before


async def test_a_drop_that_is_not_there_stays_so(sale: Sale) -> None:
    """NOT_FOUND."""
    assert await sale.store.past.take_rows(DropId("nowhere"), [3], sha([])) == refusals.NotFound()


async def test_the_drop_goes_on_behind_what_was_taken_out(busy: Sale) -> None:
    await take(busy, 3, 4, 5, 6, 7)
    await busy.held("bo")
    last = [events.parse(text) async for text in busy.store.log(busy.drop, 7)]
    assert [type(event) for event in last] == [events.Released, events.Held]
