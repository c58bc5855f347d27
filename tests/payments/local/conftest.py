"""Fixtures: a local provider in time that tests move, and a shop that listens to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dropengine.payments.local import LocalPay
from tests.kit.local_provider import local_pay
from tests.kit.webhook_receiver import Clock, WebhookReceiver, serving


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "localpay.sqlite"


@pytest.fixture
def shop() -> WebhookReceiver:
    return WebhookReceiver()


@pytest.fixture
async def shop_url(shop: WebhookReceiver) -> AsyncIterator[str]:
    async with serving(shop.app) as url:
        yield url


@pytest.fixture
async def pay(path: Path, shop_url: str, clock: Clock) -> AsyncIterator[LocalPay]:
    async with local_pay(path, shop_url, clock) as provider:
        yield provider
