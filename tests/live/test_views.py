"""Records as screens read them."""

from __future__ import annotations

import msgspec
import pytest

from dropengine.live import views
from dropengine.truth.replies import PoolRow, ViewReply


def test_a_state_is_called_as_people_call_it() -> None:
    pool = PoolRow(
        "pin",
        free=0,
        held=0,
        sold=3,
        withheld=0,
        leased=0,
        waiting=0,
        buying=0,
        removed_base=0,
        removed_boost=0,
        offered=0,
    )
    gone = ViewReply(0, 1, "live", 1, 0, 0, [pool], 0, [], 0, [], [], "", [], "0" * 64)
    assert views.shown_state(gone) == "sold_out"
    for back in (msgspec.structs.replace(pool, held=1), msgspec.structs.replace(pool, free=1)):
        assert views.shown_state(msgspec.structs.replace(gone, pools=[pool, back])) == "live"
    assert views.shown_state(msgspec.structs.replace(gone, state="paused")) == "paused"


@pytest.mark.parametrize(
    ("place", "k", "latest"), [(1, 5, 2), (4, 5, 5), (5, 5, 7), (1, 2, 2), (10, 2, 20), (7, 1, 7)]
)
def test_the_latest_turn_is_rounded_up(place: int, k: int, latest: int) -> None:
    assert views.latest_turn(place, k) == latest


@pytest.mark.parametrize("why", ["books", "half", "restore"])
def test_every_reason_of_a_freeze_has_a_sentence_for_fans(why: str) -> None:
    frozen = ViewReply(0, 1, "frozen", 1, 0, 0, [], 0, [], 0, [], [], why, [], "0" * 64)
    assert views.why_stopped(frozen).endswith(".")
    paused = msgspec.structs.replace(frozen, state="paused", why="Lunch")
    assert views.why_stopped(paused) == "Lunch"
