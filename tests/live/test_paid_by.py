"""What a fan may pay by, as words."""

from __future__ import annotations

import msgspec

from dropengine.live.paid_by import BY_HAND, CASH, TRANSFER, by_words
from tests.kit.manifests import manifest


def test_a_transfer_is_offered_last_and_only_where_the_drop_takes_it() -> None:
    cards = manifest("d")
    assert by_words(["local", "stripe"], cards) == ["local", "stripe"]
    by_hand = msgspec.structs.replace(cards, hand_ms=72 * 3_600_000)
    assert by_words(["local"], by_hand) == ["local", TRANSFER]
    assert by_words([], by_hand) == [TRANSFER]


def test_cash_is_by_hand_too_and_is_had_by_its_way_alone() -> None:
    by_hand = msgspec.structs.replace(manifest("d"), hand_ms=72 * 3_600_000)
    assert CASH in BY_HAND
    assert CASH not in by_words([], by_hand)
