"""Asks the servers of a public beacon for a round. None of them is trusted: what they say is a
signature, and a wrong one is as good as no answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import httpx2
import msgspec
from msgspec import Struct

from dropengine.log.draw import drand
from dropengine.randomness import Chain

log = logging.getLogger(__name__)

ASK_S_MAX = 5.0
"""For the whole answer of one server."""
ANSWER_BYTES_MAX = 4_096


class _Told(Struct):
    round: int
    signature: str


class BeaconRounds:
    """urls: servers that speak drand's HTTP interface, asked in this order."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = urls
        self._client: httpx2.AsyncClient | None = None

    async def signature(self, chain: Chain, number: int) -> bytes | None:
        """The signature of this round, checked; None while no server has it. Raises DrawFault where
        the library that checks is missing."""
        for url in self._urls:
            try:
                told = await self._asked(f"{url}/{chain.hash}/public/{number}")
                if told is not None and _is_right(chain, number, told):
                    return bytes.fromhex(told.signature)
            except (httpx2.HTTPError, TimeoutError, ValueError, msgspec.MsgspecError) as fault:
                log.info("%s has no round %d for us: %r", url, number, fault)
        return None

    async def close(self) -> None:
        """Let go of all connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _asked(self, url: str) -> _Told | None:
        """What a server says of a round; None where it has none."""
        if self._client is None:
            # The servers are where we were told they are: no proxy, no redirect, no .netrc.
            self._client = httpx2.AsyncClient(
                timeout=ASK_S_MAX, trust_env=False, follow_redirects=False
            )
        said = b""
        async with asyncio.timeout(ASK_S_MAX), self._client.stream("GET", url) as answer:
            if not answer.is_success:
                log.info("%s answered with %d", url, answer.status_code)
                return None
            async for part in answer.aiter_bytes():
                said += part
                if len(said) > ANSWER_BYTES_MAX:
                    raise ValueError(f"more than {ANSWER_BYTES_MAX} bytes")
        return msgspec.json.decode(said, type=_Told)


def _is_right(chain: Chain, number: int, told: _Told) -> bool:
    if told.round == number and drand.is_signed(chain, number, bytes.fromhex(told.signature)):
        return True
    log.warning("a server of %s tells a wrong signature of round %d", chain.beacon_id, number)
    return False
