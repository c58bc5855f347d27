"""What a server must prove before it may hold the truth.

Durable means `appendfsync always`, read from the server itself at every connect: only then is what
was acknowledged on disk.
"""

import contextlib
import re
from collections.abc import Mapping

import redis
import redis.asyncio
from msgspec import Struct
from redis.backoff import NoBackoff
from redis.retry import Retry

from dropengine.errors import ServerTooOld, ServerWeaker, Unavailable
from dropengine.truth import server_rights

# Valkey calls itself Redis 7.2.4 for old clients, so its own name is looked at first.
OLDEST = {"valkey": (8, 0), "redis": (7, 2)}


class ServerFacts(Struct, frozen=True, kw_only=True):
    """What a server says of itself. `run_id` is new with every start: the epoch of the screens."""

    name: str
    version: str
    run_id: str
    process_id: int
    role: str
    appendonly: bool
    appendfsync: str | None
    """None when the server does not let us read it."""
    used_memory_bytes: int
    maxmemory_bytes: int
    """0: no limit of its own."""
    maxmemory_policy: str
    writes: bool
    """Whether its last write to disk succeeded."""
    cluster: bool
    """Whether it is one node of a cluster, and answers for its own part of the keys alone."""

    @property
    def evicts(self) -> bool:
        """Whether it throws records away when its memory is full: units could be sold twice."""
        return self.maxmemory_policy.startswith("allkeys")

    @property
    def durable(self) -> bool:
        """Whether what it acknowledged is on its disk, and stays known."""
        return self.appendonly and self.appendfsync == "always" and not self.evicts

    @property
    def promise(self) -> str:
        """What it is worth that it acknowledged something, as a sentence."""
        if self.evicts:
            return f"records are thrown away when memory is full ({self.maxmemory_policy})"
        if self.durable:
            return "every acknowledged sale is on disk"
        if not self.appendonly:
            return "what was sold is forgotten when the server stops (appendonly no)"
        return "a power cut may lose about a second of sales"


def facts(answer: Mapping[str, object], appendfsync: str | None) -> ServerFacts:
    """Read the fields of the answer to INFO, and the setting `appendfsync`.

    Raises Unavailable while it still reads its log: until then it says that it keeps none.
    """
    # The client library turns what looks like a number into one.
    info = {field: str(value) for field, value in answer.items()}
    if info.get("loading", "0") != "0":
        raise Unavailable("The server of the truth is still reading its log: come back when it is.")
    name = info.get("server_name", "redis")
    own = info.get(f"{name}_version")
    return ServerFacts(
        name=name,
        version=own or info.get("redis_version", "0"),
        run_id=info.get("run_id", ""),
        process_id=int(info.get("process_id", "0")),
        role=info.get("role", "master"),
        appendonly=info.get("aof_enabled") == "1",
        appendfsync=appendfsync,
        used_memory_bytes=int(info.get("used_memory", "0")),
        maxmemory_bytes=int(info.get("maxmemory", "0")),
        maxmemory_policy=info.get("maxmemory_policy", "noeviction"),
        writes=info.get("aof_last_write_status", "ok") == "ok",
        cluster="cluster" in (info.get("redis_mode"), info.get("server_mode"))
        or info.get("cluster_enabled") == "1",
    )


def judge(found: ServerFacts, accept_weaker: bool) -> None:
    """Refuse a server that cannot hold the truth. Raises ServerTooOld, ServerWeaker."""
    oldest = OLDEST.get(found.name.lower(), OLDEST["redis"])
    # A pre-release like 8.0.0-rc1 counts as what it is going to be.
    numbers = tuple(int(part) for part in re.findall(r"\d+", found.version)[:2])
    if numbers < oldest:
        raise ServerTooOld(found.name.capitalize(), found.version)
    if found.cluster:
        raise ServerWeaker(
            "The server is a node of a cluster, which answers for its own part of the keys alone: "
            "name a server that stands by itself in REDIS_URL."
        )
    if found.role != "master":
        raise ServerWeaker(
            f"The server is a {found.role}, which cannot be written: name its primary in REDIS_URL."
        )
    if found.evicts:
        raise ServerWeaker(
            f"The server throws records away when its memory is full (maxmemory-policy "
            f"{found.maxmemory_policy}): set it to noeviction, or units could be sold twice."
        )
    if found.durable or accept_weaker:
        return
    if found.appendfsync is None:
        how = "does not say whether it writes to disk before it answers"
    elif not found.appendonly:
        how = "keeps no log on disk (appendonly no) and forgets sales when it stops"
    else:
        how = f"may lose about a second of sales when power fails (appendfsync {found.appendfsync})"
    raise ServerWeaker(
        f"The server {how}: set `appendonly yes` and `appendfsync always` on it, "
        f"or say --accept-weaker."
    )


def client(url: str, timeout_ms: int) -> redis.Redis:
    """A client that asks once: a retry could repeat what the server already did."""
    return redis.Redis.from_url(
        url,
        # The old protocol: with the new one, a server too old is not even asked its version.
        protocol=2,
        socket_timeout=timeout_ms / 1000,
        socket_connect_timeout=timeout_ms / 1000,
        retry=Retry(NoBackoff(), 0),
    )


def check_server(
    one: redis.Redis, accept_weaker: bool = False, prefix: str | None = None
) -> ServerFacts:
    """Ask a server what it is and what we may do there, and judge it.

    accept_weaker: take a server that may lose about a second of sales. prefix: before all names of
    the shop. Raises Unavailable, ServerTooOld, ServerWeaker.
    """
    try:
        info, policy = one.info(), {}
        with contextlib.suppress(redis.ResponseError):
            policy = one.config_get("appendfsync")
        found = _read(info, policy)
        judge(found, accept_weaker)
        replies = server_rights.trial(one.pipeline(False), prefix).execute(False)
        server_rights.judge(replies, prefix)
    except redis.RedisError as fault:
        raise _away(fault) from fault
    return found


async def check_server_async(
    one: redis.asyncio.Redis, accept_weaker: bool = False, prefix: str | None = None
) -> ServerFacts:
    """`check_server` for the client of an event loop."""
    found = await read_facts(one)
    judge(found, accept_weaker)
    await check_rights(one, prefix)
    return found


async def check_rights(one: redis.asyncio.Redis, prefix: str | None = None) -> None:
    """Whether the server's user may do what a sale needs. Raises Unavailable, ServerWeaker."""
    try:
        replies = await server_rights.trial(one.pipeline(False), prefix).execute(False)
    except (redis.RedisError, OSError) as fault:
        raise _away(fault) from fault
    server_rights.judge(replies, prefix)


async def read_facts(one: redis.asyncio.Redis) -> ServerFacts:
    """What a server says of itself now, whatever that is worth. Raises Unavailable."""
    try:
        info = await one.info()
        with contextlib.suppress(redis.ResponseError):
            return _read(info, await one.config_get("appendfsync"))
    except (redis.RedisError, OSError) as fault:
        raise _away(fault) from fault
    return _read(info, {})


def _read(info: object, policy: object) -> ServerFacts:
    assert isinstance(info, dict)
    assert isinstance(policy, dict)
    # Names and values are bytes or text, as the client was told.
    values = [one.decode() if isinstance(one, bytes) else str(one) for one in policy.values()]
    return facts(info, values[0] if values else None)


def _away(fault: Exception) -> Unavailable:
    if isinstance(fault, redis.AuthenticationError):
        return Unavailable(
            f"The server refuses the user or password of REDIS_URL: {str(fault).rstrip('.')}."
        )
    return Unavailable(f"The server of the truth does not answer: {str(fault).rstrip('.')}.")
