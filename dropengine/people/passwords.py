"""Passwords: Argon2id, computed beside the loop, a few at a time however many are asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

P = ParamSpec("P")
T = TypeVar("T")

CHARS_MIN = 10
CHARS_MAX = 256
AT_ONCE = 2
"""Hashes that one process computes at the same time; each takes `MEMORY_KIB`."""
WAITING_MAX = 64
"""Who comes while so many wait is told to come back: no flood of sign-ins takes more."""
MEMORY_KIB = 19 * 1024
"""With two passes and one lane: the first choice of OWASP's Password Storage Cheat Sheet."""


class Passwords:
    """Hashes and checks of one process. `close` ends its threads."""

    def __init__(self, at_once: int = AT_ONCE, waiting_max: int = WAITING_MAX) -> None:
        self._hasher = PasswordHasher(
            time_cost=2, memory_cost=MEMORY_KIB, parallelism=1, type=Type.ID
        )
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="password")
        self._most = at_once + waiting_max
        self._asked = 0
        self._nobodys = ""

    def full(self) -> bool:
        """Do as many wait as may? Then nothing more is asked."""
        return self._asked >= self._most

    async def hash(self, password: str) -> str:
        """What is kept of a password. Not to be asked when `full()`."""
        return await self._beside(self._hasher.hash, password)

    async def fits(self, password: str, kept: str) -> bool:
        """Is this the password that `kept` was made of? kept '': of nobody, in the same time.
        Not to be asked when `full()`."""
        return await self._beside(self._fits, password, kept)

    def _fits(self, password: str, kept: str) -> bool:
        # Made once, whoever comes first, and checked as any other: no time tells which names have
        # an account.
        self._nobodys = self._nobodys or self._hasher.hash("nobody's password")
        try:
            self._hasher.verify(kept or self._nobodys, password)
        except (VerificationError, InvalidHashError):
            return False
        return bool(kept)

    async def _beside(self, work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        assert not self.full(), "whoever asks looks before"
        self._asked += 1
        try:
            done = self._threads.submit(work, *given, **named)
            return await asyncio.wrap_future(done)
        finally:
            self._asked -= 1

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
