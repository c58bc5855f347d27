"""A fan of a whole shop in processes of its own: no screen, a browser's requests and cookies."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx2

from tests.kit.persons import Letter

LONG_S = 60


class ShopFan:
    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http

    async def send(self, path: str, **fields: str) -> httpx2.Response:
        """A form of a page of the shop."""
        answer = await self.http.post(path, data=fields)
        assert answer.status_code in (200, 303), answer.text
        return answer

    async def asks(self, address: str) -> None:
        """For the letter that signs him in."""
        await self.send("/you/sign-in", address=address)

    async def signs_in(self, letter: Letter) -> None:
        await self.send("/you/code", code=letter.code)

    async def press(self, drop: str, verb: str, **body: Any) -> dict[str, Any]:
        """A command that is done; what it answers."""
        answer = await self.http.post(f"/api/drops/{drop}/{verb}", json=body)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def you(self, drop: str) -> dict[str, Any]:
        """What is his there."""
        answer = await self.http.get(f"/api/drops/{drop}/you")
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def place(self, drop: str) -> int:
        """Where he stands in the only line that he joined."""
        (entry,) = (await self.you(drop))["entries"]
        (line,) = entry["lines"]
        return int(line["place"])

    async def pays(self, drop: str, hold: str) -> None:
        """On the provider's page, until the shop says that it is his."""
        page = (await self.press(drop, "pay", holds=[hold]))["pay"][hold]
        await self.pays_at(page)
        await self.has_order(drop, hold)

    async def pays_at(self, page: str) -> None:
        paid = await self.http.post(page, json={"do": "pay"})
        assert paid.status_code == 200, paid.text

    async def has_order(self, drop: str, hold: str) -> None:
        async with asyncio.timeout(LONG_S):
            while not await self._has(drop, hold):  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.05)

    async def _has(self, drop: str, hold: str) -> bool:
        return any(one["id"] == hold for one in (await self.you(drop))["orders"])


@contextlib.asynccontextmanager
async def shop_fan(url: str) -> AsyncIterator[ShopFan]:
    """Somebody who was never here."""
    async with httpx2.AsyncClient(
        base_url=url, headers={"origin": url}, trust_env=False, timeout=LONG_S
    ) as http:
        yield ShopFan(http)
