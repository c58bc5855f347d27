"""An event stream as a reader hears it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from tests.kit.web_process import LONG_S, WebProcess


class Stream:
    """An open event stream."""

    def __init__(self, answer: httpx2.Response) -> None:
        self._lines = answer.aiter_lines()

    async def hear(self) -> dict[str, Any] | None:
        """The next message; None at the end."""
        async with asyncio.timeout(LONG_S):
            async for line in self._lines:
                if line.startswith("data: "):
                    message: dict[str, Any] = json.loads(line.removeprefix("data: "))
                    return message
        return None

    async def until(
        self, t: str, when: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> dict[str, Any]:
        while (message := await self.hear()) is not None:
            if message["t"] == t and when(message):
                return message
        raise AssertionError(f"the stream ended before {t}")


@asynccontextmanager
async def stream(web: WebProcess, drop: str, ticket: str | None = None) -> AsyncIterator[Stream]:
    async with (
        web.http(ticket) as http,
        http.stream("GET", f"/drops/{drop}/events") as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Stream(answer)
