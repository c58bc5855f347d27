"""By what a fan may pay in a drop, as words, and who keeps the one place of a payment by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from dropengine import refusals
from dropengine.manifest import Manifest
from dropengine.model import DropId, FanId

TRANSFER: Final = "by_hand"
CASH: Final = "cash"
BY_HAND: Final = (TRANSFER, CASH)
"""What a maker enters as received."""


class Hands(Protocol):
    """Who keeps that a person has one payment by hand open at a maker. Each raises Unavailable."""

    async def take(self, drop: DropId, fan: FanId, key: str) -> refusals.Refusal | None:
        """Take his one place, for the command with this key, before the script is asked; why he
        may not. The same command may take it again."""

    async def began(self, drop: DropId, fan: FanId, key: str, payment: str) -> None:
        """His place is that payment's."""

    async def free(self, drop: DropId, fan: FanId, key: str) -> None:
        """The script refused: his place is free again."""


def by_words(cards: Sequence[str], manifest: Manifest) -> list[str]:
    """What a fan may pay by in this drop, the usual first."""
    return [*cards, *([TRANSFER] if manifest.hand_ms else [])]
