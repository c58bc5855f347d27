"""The real application with a provider that takes its time over a payment page."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.applications import Starlette

from dropengine import app
from dropengine.config import Settings
from dropengine.payments.port import Intent

SLOW = "tests.kit.slow_provider:slow"
SILENT = "tests.kit.slow_provider:silent"
ANSWER_S = 2.0


def slow(settings: Settings) -> Starlette:
    """One web process of a shop."""
    return _build(settings, ANSWER_S)


def silent(settings: Settings) -> Starlette:
    """The same with a provider that does not answer."""
    return _build(settings, 3_600)


def _build(settings: Settings, answer_s: float) -> Starlette:
    made = app.build(settings)
    payments: Any = made.state.runtime.payments.of("")
    begin = payments.begin

    async def slowly(intent: Intent) -> str:
        await asyncio.sleep(answer_s)
        page: str = await begin(intent)
        return page

    payments.begin = slowly
    return made
