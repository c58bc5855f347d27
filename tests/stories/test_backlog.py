"""A worker that looked away reads what it missed in portions, and misses nothing of it."""

from __future__ import annotations

from dropengine import outcomes, wire
from dropengine.model import FanId
from dropengine.truth.replies import ViewReply
from tests.conftest import MakeSale
from tests.kit.sale import Sale

FANS, BATCH = 6_000, 250
LETTERS_MAX = 4_000


async def looked(sale: Sale, moves_at: int, mail_at: int) -> ViewReply:
    view = await sale.store.view(sale.drop, moves_at, mail_at, clock_ms=sale.now)
    assert isinstance(view, ViewReply)
    return view


async def test_mail_and_moves_of_thousands_come_in_portions_without_a_hole(
    make_sale: MakeSale,
) -> None:
    sale = await make_sale()
    fans = [f"fan-{i}" for i in range(FANS)]
    await sale.bought("a", qty=3)
    for make in (
        lambda i: wire.Join(0, "join", ["pin"]),
        lambda i: wire.Leave(0, "leave", f"e{i + 1}"),
    ):
        for start in range(0, FANS, BATCH):
            batch = [(fans[i], make(i)) for i in range(start, start + BATCH)]
            answers = await sale.batch(*batch)
            assert all(isinstance(o, outcomes.Joined | outcomes.Left) for o in answers)

    moves_at = mail_at = 0
    moved: list[int] = []
    letters: set[FanId] = set()
    looks = 0
    while True:
        view = await looked(sale, moves_at, mail_at)
        assert sum(len(row) for _, row in view.mail) <= LETTERS_MAX + BATCH
        assert sum(len(row) for _, row in view.moves) <= LETTERS_MAX + BATCH
        for number, row in view.moves:
            assert number == moves_at + 1
            moves_at = number
            moved += [arrival for _, _, arrival in row]
        for number, letter in view.mail:
            assert number == mail_at + 1
            mail_at = number
            letters |= {FanId(fan) for fan, _ in letter}
        looks += 1
        if (moves_at, mail_at) == (view.moves_end, view.mail_end):
            break
    assert looks > 2
    assert moved == list(range(1, FANS + 1))
    assert letters >= {FanId(fan) for fan in fans}
