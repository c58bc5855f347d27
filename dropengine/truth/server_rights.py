"""What the user of the server must be allowed: every command of the scripts, tried at the start.

A script may do no more than its user, and one that is refused in its middle keeps what it wrote
before: so a right that is missing is found out before anything is sold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from redis.exceptions import NoPermissionError

from dropengine.errors import ServerWeaker
from dropengine.truth import keys
from dropengine.truth.house_keys import HouseKeys


def tries(prefix: str | None = None) -> dict[str, tuple[str | int, ...]]:
    """Command -> words with which it is tried and changes nothing that stays.

    prefix: before all names of the shop: its user may be kept from any other.
    """
    house = HouseKeys(prefix)
    tried = house.tried
    # As a key of a drop, but none that a drop has: what would change it does nothing.
    other = keys.before(prefix) + "{tried}:tried"
    return {
        "EVAL": ("return 1", 0),
        "EVALSHA": ("0" * 40, 0),
        "GET": (other,),
        "SET": (other, "", "XX"),
        "TIME": (),
        "TYPE": (other,),
        "HGET": (tried, "tried"),
        "HSET": (tried, "tried", 1),
        "HDEL": (tried, "tried"),
        "HMGET": (tried, "tried"),
        "HGETALL": (tried,),
        "HLEN": (tried,),
        "HSCAN": (tried, 0),
        "ZADD": (other, "XX", 1, "tried"),
        "ZREM": (other, "tried"),
        "ZCARD": (other,),
        "ZCOUNT": (other, 0, 1),
        "ZSCORE": (other, "tried"),
        "ZRANGE": (other, 0, 0),
        "ZREVRANGE": (other, 0, 0),
        "ZRANGEBYSCORE": (other, 0, 1),
        "ZRANGEBYLEX": (other, "-", "+"),
        "ZSCAN": (other, 0),
        "XADD": (other, "NOMKSTREAM", "*", "e", "tried"),
        "XDEL": (other, "0-1"),
        "UNLINK": (other,),
        "XRANGE": (other, "-", "+"),
        "XREVRANGE": (other, "+", "-"),
        "PUBLISH": (house.nudge, "tried"),
    }


TRIES: Final = tries()


def trial(pipeline: Any, prefix: str | None = None) -> Any:
    """The same pipeline with every try in it: its replies are for `judge`."""
    for command, words in tries(prefix).items():
        pipeline.execute_command(command, *words)
    return pipeline


def judge(replies: Sequence[object], prefix: str | None = None) -> None:
    """Raises ServerWeaker when the server's user lacks a right. replies: those of `trial`, faults
    too."""
    refused = {
        command: str(reply)
        for command, reply in zip(TRIES, replies, strict=True)
        if isinstance(reply, NoPermissionError)
    }
    if refused:
        raise ServerWeaker(" ".join(_sentences(refused, prefix)))


def _sentences(refused: dict[str, str], prefix: str | None) -> Iterator[str]:
    commands = [name for name, why in refused.items() if "run the" in why]
    places = sorted(refused.keys() - set(commands))
    if commands:
        yield (
            f"The user of the server must not run {', '.join(commands)}, and a sale would be "
            f"written only by half: allow what docs/settings.md lists."
        )
    if places:
        yield (
            f"The user of the server must not reach keys and channels that begin with "
            f"{keys.before(prefix)}{{ "
            f"({', '.join(places)}): allow what docs/settings.md lists."
        )
