"""A fault proxy whose server has another time of day: it leaps, and leaps back, while all run.

No server's clock can be moved without moving that of the whole machine, so the proxy tells another
one: in the reply to TIME, and to the scripts of drops that were published for tests, which take
their time from an argument where it is not 0.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from tests.kit.fault_proxy import FaultProxy

SCRIPTS: Final = (b"EVALSHA", b"EVAL")
KEYS_MIN: Final = 15
"""A script of a drop has all of the drop's keys, and the clock is its first argument."""


class LeapingProxy(FaultProxy):
    """leap_ms: how far the server's clock is from the true one."""

    def __init__(self, upstream: Path, socket: Path) -> None:
        super().__init__(upstream, socket)
        self.leap_ms = 0

    def sent(self, command: bytes, request: bytes) -> bytes:
        if not self.leap_ms or command not in SCRIPTS:
            return request
        words = words_of(request)
        names = int(words[2])
        if names < KEYS_MIN or words[3 + names] != b"0":
            return request
        words[3 + names] = b"%d" % (time.time_ns() // 1_000_000 + self.leap_ms)
        return request_of(words)

    def heard(self, command: bytes, reply: bytes) -> bytes:
        if not self.leap_ms or command != b"TIME" or not reply.startswith(b"*"):
            return reply
        seconds, micros = words_of(reply)
        moved = int(seconds) * 1_000_000 + int(micros) + self.leap_ms * 1000
        return request_of([b"%d" % (moved // 1_000_000), b"%d" % (moved % 1_000_000)])


def words_of(value: bytes) -> list[bytes]:
    """The bulk strings of an array."""
    words, at = [], value.index(b"\r\n") + 2
    while at < len(value):
        end = value.index(b"\r\n", at)
        size = int(value[at + 1 : end])
        words.append(value[end + 2 : end + 2 + size])
        at = end + 2 + size + 2
    return words


def request_of(words: list[bytes]) -> bytes:
    return b"".join([b"*%d\r\n" % len(words), *(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)])
