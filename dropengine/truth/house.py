"""What belongs to no drop, as it stands at the server: the index, leases, newcomers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from dropengine.model import DropId
from dropengine.truth import replies
from dropengine.truth.audit import Once
from dropengine.truth.house_keys import HouseKeys

Ask = Callable[..., Awaitable[Any]]
"""(a word for what is asked, the words of the request) -> its reply."""


Laid = replies.Claimed | replies.AnotherShop | replies.Occupied | replies.Replaced
"""How somebody who lays a claim is answered."""


def _decoder(union: Any) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(union)


_LAID = _decoder(Laid)
_KEPT = _decoder(replies.Kept | replies.Lost)
_LEASE = _decoder(replies.Leased | replies.Taken | replies.Anothers | replies.NotOurs)
_PROVE = _decoder(replies.Proved)
_ADMIT = _decoder(replies.Admitted)
_EXCHANGE = _decoder(replies.Exchanged)
_REVOKE = _decoder(replies.Revoked)
_pack = msgspec.msgpack.Encoder().encode


class Claim(NamedTuple):
    """Who claims the server: a shop, and the nonce of one of its runs. Without a supervisor nobody
    does."""

    shop: str = ""
    nonce: str = ""


class Claimant(NamedTuple):
    """A shop that claims something, where it is, and how long its runs live yet; 0: none does."""

    shop: str
    address: str
    left_ms: int


class House:
    """Every method raises `Unavailable` when no reply comes.

    once, ask: how a script and how a request are sent. prefix: before all names of this shop.
    """

    def __init__(self, once: Once, ask: Ask, prefix: str | None) -> None:
        self._once = once
        self._ask = ask
        self.keys = HouseKeys(prefix)
        self.claim = Claim()
        """Under which this process asks for leases."""
        self.anothers = False
        """The server is another shop's, as was said when a lease was asked for last."""

    async def drops(self) -> list[DropId]:
        """Every drop of this shop, the newest first."""
        rows = await self._ask("the index", "ZREVRANGE", self.keys.drops, 0, -1)
        return [DropId(row.decode()) for row in rows]

    async def enlist(self, drop: DropId, at_ms: int) -> None:
        """Put a drop into the index. Harmless to repeat."""
        await self._ask("the index", "ZADD", self.keys.drops, "NX", at_ms, drop)

    async def archived(self) -> list[DropId]:
        """Every drop that left the server, the newest first."""
        rows = await self._ask("the index", "ZREVRANGE", self.keys.archived, 0, -1)
        return [DropId(row.decode()) for row in rows]

    async def list_archived(self, drop: DropId, at_ms: int) -> None:
        """From the one index into the other: a drop has left. Harmless to repeat."""
        await self._ask("the index", "ZADD", self.keys.archived, at_ms, drop)
        await self._ask("the index", "ZREM", self.keys.drops, drop)

    async def list_back(self, drop: DropId, at_ms: int) -> None:
        """And back. Harmless to repeat."""
        await self.enlist(drop, at_ms)
        await self._ask("the index", "ZREM", self.keys.archived, drop)

    async def listed_ms(self, drop: DropId) -> int:
        """When a drop was put into the index; 0: it is not there."""
        return int(float(await self._ask("the index", "ZSCORE", self.keys.drops, drop) or 0))

    async def lease(self, what: str, who: str, ms: int) -> bool:
        """Is `who` the one to do `what` for the next `ms`? Among the workers of one shop it only
        saves work; no other shop gets it where the server is claimed."""
        names = (self.keys.lease(what), self.keys.claim)
        reply = await self._once("lease", names, (who, ms, *self.claim))
        found = _LEASE.decode(reply)
        self.anothers = isinstance(found, replies.Anothers)
        return isinstance(found, replies.Leased)

    async def lay_claim(
        self, count: int, before: str, runs: int, over: str, ms: int, address: str, life: str = ""
    ) -> Laid:
        """Claim the server for this run; the arguments are those of the script."""
        args = (*self.claim, count, before, runs, over, ms, address, life)
        return _LAID.decode(await self._once("lay_claim", [self.keys.claim], args))  # type: ignore[no-any-return]

    async def keep_claim(self, count: int, ms: int, address: str) -> replies.Kept | replies.Lost:
        """Renew it, so that it lasts from now."""
        args = (*self.claim, count, ms, address)
        return _KEPT.decode(await self._once("keep_claim", [self.keys.claim], args))  # type: ignore[no-any-return]

    async def end_claim(self) -> None:
        """This run is over. The server stays its shop's."""
        await self._ask("the claim", "HDEL", self.keys.claim, f"run:{self.claim.nonce}")

    async def forget_claim(self) -> None:
        """Whoever claimed the server: it is known by other means whose it is."""
        await self._ask("the claim", "DEL", self.keys.claim)

    async def address(self) -> str:
        """Where people reach the shop that sells from this server; '' when it is not known."""
        found = await self._ask("the address", "HGET", self.keys.claim, "address")
        return (found or b"").decode()

    async def claimed_by(self) -> str:
        """The shop that claims the server; '' where nobody does."""
        found = await self._ask("the claim", "HGET", self.keys.claim, "shop")
        return (found or b"").decode()

    async def back_up(self, who: str, ms: int) -> None:
        """A backup is being made for so long from now, unless this is said again."""
        await self._ask("the backup", "SET", self.keys.backup, who, "PX", ms)

    async def backed_up(self) -> bool:
        """Is a backup being made?"""
        return await self._ask("the backup", "GET", self.keys.backup) is not None

    async def restoring(self) -> str:
        """The digest of the backup whose restore has begun here and not ended; '' for none."""
        found = await self._ask("the restore", "HGET", self.keys.restore, "of")
        return (found or b"").decode()

    async def restore(self, digest: str) -> None:
        """The restore of a backup has begun; '' : it has ended."""
        await self._ask("the restore", "HSET", self.keys.restore, "of", digest)

    async def claimant(self) -> Claimant | None:
        """Who claims the server, living or not; None: nobody ever did."""
        flat = await self._ask("the claim", "HGETALL", self.keys.claim)
        rows = {k.decode(): v.decode() for k, v in zip(flat[::2], flat[1::2], strict=True)}
        if "shop" not in rows:
            return None
        seconds, micros = await self._ask("the clock", "TIME")
        now_ms = int(seconds) * 1000 + int(micros) // 1000
        ends = [int(v.rpartition(":")[2]) for k, v in rows.items() if k.startswith("run:")]
        left_ms = max([0, *(end - now_ms for end in ends)])
        return Claimant(rows["shop"], rows.get("address", ""), left_ms)

    async def life(self) -> str | None:
        """Which restore of its shop the server is of, '' before the first; None: nobody claims
        it."""
        names = ("shop", "life")
        shop, life = await self._ask("the claim", "HMGET", self.keys.claim, *names)
        return None if shop is None else (life or b"").decode()

    async def begin_life(self, shop: str, life: str) -> None:
        """From now on the server is this life's of a shop, whoever claimed it; a run that hung,
        and wakes, finds that it lost its claim."""
        await self._ask("the claim", "HSET", self.keys.claim, "shop", shop, "life", life)
        flat = await self._ask("the claim", "HGETALL", self.keys.claim)
        if runs := [field for field in flat[::2] if field.startswith(b"run:")]:
            await self._ask("the claim", "HDEL", self.keys.claim, *runs)

    async def prove(self, who: str) -> None:
        """Write something as a press would. Raises Unavailable or Broken, by the server's refusal,
        when nothing can be begun now."""
        _PROVE.decode(await self._once("prove", [self.keys.proof], (who,)))

    async def show(self, what: str, drop: DropId, row: bytes) -> None:
        """Let every worker read what this one found of a drop; b"": nothing any more."""
        key = self.keys.shown(what)
        if row:
            await self._ask("what is shown", "HSET", key, drop, row)
        else:
            await self._ask("what is shown", "HDEL", key, drop)

    async def shown(self, what: str, drop: DropId) -> bytes:
        """What some worker found of a drop, or b""."""
        found: bytes | None = await self._ask("what is shown", "HGET", self.keys.shown(what), drop)
        return found or b""

    async def exchange(
        self, who: str, ms: int, looks: Sequence[str], row: bytes
    ) -> replies.Exchanged:
        """Tell the other workers who looks at what through this one, and its row (b"" for none),
        for so long; and hear theirs."""
        names = (self.keys.looked, self.keys.desks)
        reply = await self._once("exchange", names, (who, ms, _pack([*looks]), row))
        return _EXCHANGE.decode(reply)  # type: ignore[no-any-return]

    async def revoke(self, names: Sequence[str], keep_ms: int) -> None:
        """These tickets are not good any more; every worker hears of it. keep_ms: how long one may
        last. Harmless to repeat."""
        args = (self.keys.nudge, keep_ms, _pack([*names]))
        _REVOKE.decode(await self._once("revoke", [self.keys.revoked], args))

    async def revoked(self, since_ms: int) -> dict[str, int]:
        """What was taken back since a time of the server's clock -> when, ms."""
        flat = await self._ask(
            "sign-outs", "ZRANGEBYSCORE", self.keys.revoked, since_ms, "+inf", "WITHSCORES"
        )
        return {name.decode(): at_ms for name, at_ms in _scored(flat)}

    async def admit(
        self, networks: Sequence[tuple[str, str]], at_once: int, each_us: int
    ) -> list[int]:
        """May one newcomer more come from each network and from the one around it? In their order:
        0, or in how many ms one may."""
        names = [self.keys.tickets(name) for pair in networks for name in pair]
        found: replies.Admitted = _ADMIT.decode(
            await self._once("admit", names, (at_once, each_us))
        )
        return found.waits_ms


def _scored(reply: list[Any]) -> list[tuple[bytes, int]]:
    """Members and their scores, whole numbers; a client of the newer protocol gives pairs."""
    if reply and isinstance(reply[0], list | tuple):
        return [(name, int(float(score))) for name, score in reply]
    return [(name, int(float(score))) for name, score in zip(reply[::2], reply[1::2], strict=True)]
