"""Drops as the engines of older layouts left them: one that each made, and any other brought back.

`left/by_layout_N.json` holds the raw keys of a drop that the scripts of layout N wrote: a live sale
with holds, offers that nobody claimed, one that was claimed, an entry that cools, orders and
duties. All texts are bytes as Latin-1.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import redis.asyncio as redis

from dropengine.log.layouts import NUMBERS_CHARGES
from dropengine.model import SCHEMA, DropId
from dropengine.truth import keys

ALL = range(1, SCHEMA)
LEFT = Path(__file__).parent / "left"
NOW_MS = 1_800_000_065_000
"""The time of the last event in each of the files."""

_LOWER = """
redis.call('HSET', KEYS[1], 'schema', ARGV[1])
local rows = redis.call('HGETALL', KEYS[2])
for i = 1, #rows, 2 do
  local pool = cmsgpack.unpack(rows[i + 1])
  -- What is by hand and what is away, behind what was offered.
  table.remove(pool, 12)
  table.remove(pool, 12)
  if ARGV[1] == '1' then table.remove(pool, 11) end
  redis.call('HSET', KEYS[2], rows[i], cmsgpack.pack(pool))
end
if ARGV[1] == '1' then redis.call('HDEL', KEYS[1], 'lead', 'leads', 'why') end
if tonumber(ARGV[1]) < tonumber(ARGV[2]) then redis.call('DEL', KEYS[23]) end
local log = redis.call('XRANGE', KEYS[17], '-', '+')
redis.call('DEL', KEYS[17])
for _, entry in ipairs(log) do
  local texts = entry[2]
  texts[2] = string.gsub(texts[2], '^({"e":"published".-"schema":)%d+', '%1' .. ARGV[1])
  redis.call('XADD', KEYS[17], entry[1], unpack(texts))
end
"""


async def restored(client: redis.Redis, layout: int) -> DropId:
    """The drop of the file on this server, as if the engine of that layout had just stopped."""
    drop = DropId(f"left-by-layout-{layout}")
    file = LEFT / f"by_layout_{layout}.json"
    left: dict[str, list[Any]] = json.loads(file.read_text(encoding="ascii"))
    server: Any = client
    for name, rows in left.items():
        key = keys.one(drop, name)
        await server.delete(key)
        for command, *rest in rows:
            words = (word.encode("latin-1") for word in rest)
            await server.execute_command(command, key, *words)
    return drop


async def lowered(client: redis.Redis, drop: DropId, layout: int) -> None:
    """Bring a drop that was never lifted to that layout, as if an older engine had kept it."""
    server: Any = client
    names = keys.of(drop)
    await server.eval(_LOWER, len(names), *names, layout, NUMBERS_CHARGES)


_RENAME = """
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'stream' then
  local log = redis.call('XRANGE', KEYS[1], '-', '+')
  redis.call('DEL', KEYS[1])
  for _, entry in ipairs(log) do
    local texts = entry[2]
    for i = 2, #texts, 2 do
      texts[i] = string.gsub(texts[i], '"charge":"' .. ARGV[1], '"charge":"' .. ARGV[2])
    end
    redis.call('XADD', KEYS[1], entry[1], unpack(texts))
  end
  return
end
local rows = redis.call('HGETALL', KEYS[1])
for i = 1, #rows, 2 do
  local name, text = rows[i], rows[i + 1]
  redis.call('HDEL', KEYS[1], name)
  local read, record = pcall(cmsgpack.unpack, text)
  if read and type(record) == 'table' then
    for place, value in ipairs(record) do
      if value == ARGV[1] then record[place] = ARGV[2] end
    end
    text = cmsgpack.pack(record)
  end
  name = string.gsub(name, '^(%l*:?)' .. ARGV[1] .. '$', '%1' .. ARGV[2])
  redis.call('HSET', KEYS[1], name, text)
end
"""


async def renamed(client: redis.Redis, drop: DropId, part: str, charge: str, to: str) -> None:
    """One key of a drop with another name for a charge: as a provider calls it."""
    server: Any = client
    await server.eval(_RENAME, 1, keys.one(drop, part), charge, to)
