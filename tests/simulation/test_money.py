"""Money histories: whatever is lost, late, repeated or killed, the money is where it belongs.

`MONEY_SEEDS` plays more of them; `make soak ARGS="--histories N"` does so with a seed of its own.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.kit.money.playing import played
from tests.kit.money.tills import TILLS
from tests.kit.private_server import Server

SEEDS = int(os.environ.get("MONEY_SEEDS", "300"))
WANTED = (
    "several holds in one payment",
    "an overlap is refused",
    "paid after its end",
    "paid for a payment that is not known",
    "the reconciler found something",
    "a word comes again",
    "a word never comes",
    "a worker stopped half-way",
    "killed before a step",
    "killed after a step",
    "unpay at the deadline",
    "given back",
    "cancelled",
)
"""What the histories are about: each happens in them."""


MANY = 100
"""So many of them meet all of that."""


@pytest.mark.parametrize("till", TILLS)
async def test_the_money_is_where_it_belongs(till: str, server: Server, tmp_path: Path) -> None:
    met = await played(server, tmp_path, till, range(SEEDS // len(TILLS)))
    if SEEDS // len(TILLS) >= MANY:
        assert [what for what in WANTED if not met[what]] == []
