"""The providers of a shop: which one a payment is at, and which ones take a drop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from dropengine.errors import ConfigError
from dropengine.payments.configured import Configured
from tests.kit.local_provider import local_pay


class Real:
    """Moves money; nothing of it is asked here."""

    for_practice = False

    def __init__(self, name: str) -> None:
        self.name = name


@pytest.fixture
async def built(tmp_path: Path) -> AsyncIterator[dict[str, Any]]:
    async with local_pay(tmp_path / "book") as local:
        yield {"local": local, "bank": Real("bank"), "by_hand": Real("by_hand")}


async def test_a_payment_is_at_the_provider_that_it_names_and_an_older_one_at_the_default(
    built: dict[str, Any],
) -> None:
    shop = Configured(built, "bank")
    assert shop.of("local") is built["local"]
    assert shop.of("") is built["bank"]
    assert shop.of("cash") is shop.of("by_hand") is built["by_hand"]
    assert shop.of("gone") is None


async def test_what_moves_no_money_takes_practice_drops_alone(built: dict[str, Any]) -> None:
    shop = Configured(built, "bank")
    assert shop.words(practice=True) == ["bank", "local"]
    assert shop.words(practice=False) == ["bank"]
    assert not shop.takes("local", practice=False)
    assert shop.takes("cash", practice=False)


async def test_a_shop_may_say_that_play_money_is_taken_everywhere(built: dict[str, Any]) -> None:
    shop = Configured(built, "local", local_anywhere=True)
    assert shop.words(practice=False) == ["local", "bank"]


async def test_the_default_is_one_of_them(built: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="pay_provider: 'gone' is not set up here"):
        Configured(built, "gone")
