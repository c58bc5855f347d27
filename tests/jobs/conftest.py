"""A server of each module's own: a job works on every drop that it finds."""

from __future__ import annotations

import pytest
import redis.asyncio as redis

from tests.kit import web_process
from tests.kit.private_server import Server

server = web_process.server


@pytest.fixture(autouse=True)
async def alone(server: Server, client: redis.Redis) -> None:
    """Each test begins with no drop."""
    await client.flushall()
