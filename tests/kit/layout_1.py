"""Drops as the engine of layout 1 left them: one that it made, and any other brought back to it.

`layout_1.json` holds the raw keys of a drop that the scripts of layout 1 wrote: a live sale with
holds, offers that nobody claimed, one that was claimed, an entry that cools, orders and duties. All
texts are bytes as Latin-1.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import redis.asyncio as redis

from dropengine.model import DropId
from dropengine.truth import keys

LEFT = Path(__file__).with_suffix(".json")
DROP = DropId("left-by-layout-1")
NOW_MS = 1_800_000_065_000
"""The time of its last event."""

_LOWER = """
local rows = redis.call('HGETALL', KEYS[2])
for i = 1, #rows, 2 do
  local pool = cmsgpack.unpack(rows[i + 1])
  table.remove(pool)
  redis.call('HSET', KEYS[2], rows[i], cmsgpack.pack(pool))
end
redis.call('HSET', KEYS[1], 'schema', 1)
redis.call('HDEL', KEYS[1], 'lead', 'leads', 'why')
local log = redis.call('XRANGE', KEYS[16], '-', '+')
redis.call('DEL', KEYS[16])
for _, entry in ipairs(log) do
  local texts = entry[2]
  texts[2] = string.gsub(texts[2], '^({"e":"published".-"schema":)%d+', '%11')
  redis.call('XADD', KEYS[16], entry[1], unpack(texts))
end
"""


async def restored(client: redis.Redis) -> DropId:
    """The drop of the file on this server, as if the engine of layout 1 had just been stopped."""
    left: dict[str, list[Any]] = json.loads(LEFT.read_text(encoding="ascii"))
    server: Any = client
    for name, rows in left.items():
        key = keys.one(DROP, name)
        await server.delete(key)
        for command, *rest in rows:
            words = (word.encode("latin-1") for word in rest)
            await server.execute_command(command, key, *words)
    return DROP


async def lowered(client: redis.Redis, drop: DropId) -> None:
    """Bring a drop that was never lifted to layout 1, as if an older engine had kept it so far."""
    server: Any = client
    names = keys.of(drop)
    await server.eval(_LOWER, len(names), *names)
