"""What the user of the server must be allowed: every command of the scripts, tried at the start.

A script may do no more than its user, and one that is refused in its middle keeps what it wrote
before: so a right that is missing is found out before anything is sold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from redis.exceptions import NoPermissionError

from dropengine.errors import ServerWeaker
from dropengine.truth import house_keys

HASH: Final = house_keys.TRIED
OTHER: Final = "{tried}:tried"
"""As a key of a drop, but none that a drop has: what would change it does nothing."""

TRIES: Final[dict[str, tuple[str | int, ...]]] = {
    "EVAL": ("return 1", 0),
    "EVALSHA": ("0" * 40, 0),
    "GET": (OTHER,),
    "SET": (OTHER, "", "XX"),
    "TIME": (),
    "TYPE": (OTHER,),
    "HGET": (HASH, "tried"),
    "HSET": (HASH, "tried", 1),
    "HDEL": (HASH, "tried"),
    "HMGET": (HASH, "tried"),
    "HGETALL": (HASH,),
    "HLEN": (HASH,),
    "HSCAN": (HASH, 0),
    "ZADD": (OTHER, "XX", 1, "tried"),
    "ZREM": (OTHER, "tried"),
    "ZCARD": (OTHER,),
    "ZCOUNT": (OTHER, 0, 1),
    "ZSCORE": (OTHER, "tried"),
    "ZRANGE": (OTHER, 0, 0),
    "ZREVRANGE": (OTHER, 0, 0),
    "ZRANGEBYSCORE": (OTHER, 0, 1),
    "ZRANGEBYLEX": (OTHER, "-", "+"),
    "ZSCAN": (OTHER, 0),
    "XADD": (OTHER, "NOMKSTREAM", "*", "e", "tried"),
    "XRANGE": (OTHER, "-", "+"),
    "XREVRANGE": (OTHER, "+", "-"),
    "PUBLISH": (house_keys.NUDGE, "tried"),
}
"""Command -> words with which it is tried and changes nothing that stays."""


def trial(pipeline: Any) -> Any:
    """The same pipeline with every try in it: its replies are for `judge`."""
    for command, words in TRIES.items():
        pipeline.execute_command(command, *words)
    return pipeline


def judge(replies: Sequence[object]) -> None:
    """Raises ServerWeaker when the server's user lacks a right. replies: those of `trial`, faults
    too."""
    refused = {
        command: str(reply)
        for command, reply in zip(TRIES, replies, strict=True)
        if isinstance(reply, NoPermissionError)
    }
    if refused:
        raise ServerWeaker(" ".join(_sentences(refused)))


def _sentences(refused: dict[str, str]) -> Iterator[str]:
    commands = [name for name, why in refused.items() if "run the" in why]
    places = sorted(refused.keys() - set(commands))
    if commands:
        yield (
            f"The user of the server must not run {', '.join(commands)}, and a sale would be "
            f"written only by half: allow what docs/settings.md lists."
        )
    if places:
        yield (
            f"The user of the server must not reach keys and channels that begin with {{ "
            f"({', '.join(places)}): allow what docs/settings.md lists."
        )
