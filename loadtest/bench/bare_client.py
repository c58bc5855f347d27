"""The floor of the hot path: the same `press` script on the same kind of server, driven by a client
that does nothing but send full batches, two on their way.

    python -m loadtest.bench.bare_client SOCKET DROP COMMANDS FANS

Prints commands, seconds, and its own CPU seconds.
"""

from __future__ import annotations

import secrets
import socket
import sys
import time
from collections.abc import Iterator
from itertools import islice

import hiredis
import msgspec

from dropengine.truth import keys, scripts
from loadtest.bench.measured_shop import POOL

BATCH = 256
ON_THEIR_WAY = 2

_pack = msgspec.msgpack.Encoder().encode


def _resp(*parts: str | bytes) -> bytes:
    raw = [part.encode() if isinstance(part, str) else part for part in parts]
    return b"*%d\r\n" % len(raw) + b"".join(b"$%d\r\n%b\r\n" % (len(p), p) for p in raw)


def drive(path: str, drop: str, commands: int, fans: int) -> tuple[int, float, float]:
    """Holds and releases in turn, fresh keys, all granted. Returns commands, wall s, own CPU s."""
    press, names = scripts.load()["press"], keys.of(drop)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.connect(path)
    server.sendall(_resp("SCRIPT", "LOAD", press.text))
    reader = hiredis.Reader()
    holds: dict[str, str] = {}
    decode = msgspec.msgpack.Decoder().decode
    number, run = 0, secrets.token_hex(4)

    def answer() -> bytes:
        while (reply := reader.gets()) is False:
            reader.feed(server.recv(1 << 18))
        if isinstance(reply, Exception):
            raise reply
        assert isinstance(reply, bytes)
        return reply

    def batches() -> Iterator[list[tuple[object, ...]]]:
        nonlocal number
        groups = [
            [f"floor-{drop}-{i}" for i in range(start, min(start + BATCH, fans))]
            for start in range(0, fans, BATCH)
        ]
        while True:
            for group in groups:
                batch: list[tuple[object, ...]] = []
                for fan in group:
                    number += 1
                    hold = holds.pop(fan, None)
                    if hold is None:
                        batch.append(("hold", fan, f"{run}-{number}", POOL, 1, 0))
                    else:
                        batch.append(("release", fan, f"{run}-{number}", hold))
                yield batch

    def hear(batch: list[tuple[object, ...]]) -> int:
        word, *_, outcomes = decode(answer())
        assert word == "PRESSED", word
        for row, outcome in zip(batch, outcomes, strict=True):
            if outcome[0] == "HELD":
                holds[str(row[1])] = outcome[1]
            else:
                assert outcome[0] == "RELEASED", outcome
        return len(batch)

    answer()
    begun, cpu = time.monotonic(), time.process_time()
    waiting: list[list[tuple[object, ...]]] = []
    done = 0
    for batch in islice(batches(), max(1, commands // BATCH)):
        server.sendall(_resp("EVALSHA", press.sha, str(len(names)), *names, "0", _pack(batch)))
        waiting.append(batch)
        if len(waiting) == ON_THEIR_WAY:
            done += hear(waiting.pop(0))
    for batch in waiting:
        done += hear(batch)
    return done, time.monotonic() - begun, time.process_time() - cpu


if __name__ == "__main__":
    where, which, wanted, crowd = sys.argv[1:]
    print(*drive(where, which, int(wanted), int(crowd)))
