"""The scripts' own check of what a creator says: pieces of Lua made from the bounds in the types.

`fault_in_add(by, key, revision, pool, qty)` answers a sentence that names the field and its bound,
or nil. The texts that it is given are a script's arguments as they came: whoever calls, a script
looks before it decides.
"""

from __future__ import annotations

import msgspec

from dropengine import plain_text
from dropengine.creator_commands import (
    BY_CLOCK,
    CLOCK,
    COMMANDS,
    OWN_NAMES,
    CameBack,
    ChargedBack,
    EndDuty,
    MoreTime,
    Refund,
    Seen,
    Signature,
    bounds,
)
from dropengine.manifest.defaults import FIRST_OFFER, SECONDS, TICKETS, WINDOWS, K
from dropengine.manifest.zones import DAY_MS
from dropengine.model import CAP_MAX, COHORTS_MAX, MOMENT_MS_MAX, MOMENT_MS_MIN, PRICE_MAX, QTY_MAX
from dropengine.plain_text import Ranges

SIGNED: dict[str, tuple[type[msgspec.Struct], ...]] = {
    **{verb: (Seen, kind) for verb, kind in COMMANDS.items()},
    "publish": (Signature,),
    "refund": (Signature, Refund),
    "came_back": (Signature, CameBack),
    "charged_back": (Signature, ChargedBack),
    "more_time": (Signature, MoreTime),
    "duty": (Signature, EndDuty),
}
"""Script -> the structs whose fields it reads, in their order."""


Bounds = dict[str, tuple[int, ...]]
"""Field -> least, most, and True where 0 means by hand."""


def pieces() -> dict[str, str]:
    """Name -> text."""
    made = {f"fault_in_{verb}": _fault_in(verb) for verb in SIGNED}
    return {**made, "text_ranges": _text_ranges(), "rule_bounds": _rule_bounds()}


def _fault_in(verb: str) -> str:
    found = [field for kind in SIGNED[verb] for field in bounds(kind)]
    names = ", ".join(name for name, _ in found)
    used = sorted({f"unfit_{bound.kind}" for _, bound in found})
    lines = [f"--#use {' '.join(used)}", f"local function fault_in_{verb}({names})"]
    for i, (name, bound) in enumerate(found):
        limits = f"{bound.least}, {bound.most}"
        if bound.words:
            limits = f"'|{'|'.join(bound.words)}|'"
        call = f"unfit_{bound.kind}({name}, {limits}, '{bound.rule}')"
        lines += [
            f"  {'local ' if i == 0 else ''}fault = {call}",
            f"  if fault then return '{name} ' .. fault end",
        ]
    by_clock = verb in {kind.verb for kind in BY_CLOCK}
    for name, sentence in OWN_NAMES.items():
        if not (by_clock and name == CLOCK):
            # A sentence may have an apostrophe; in both languages it stands in double quotes then.
            lines.append(f"  if by == {name!r} then return {sentence!r} end")
    return "\n".join([*lines, "end"]) + "\n"


def _text_ranges() -> str:
    """What `plain_text` says, as constants."""
    ranges = {name: getattr(plain_text, name) for name in ("CONTROLS", "TURNING", "BLANK")}
    words = ("NOT_UTF8", "NOTHING", "NEW_LINE", "TURNS", "CONTROL")
    lines = [f"local {name} = {_in_lua(value)}" for name, value in ranges.items()]
    lines += [f"local {name} = {getattr(plain_text, name)!r}" for name in words]
    return "\n".join(lines) + "\n"


def _rule_bounds() -> str:
    """What the rules of a drop may say: name, least, most, and whether 0 means by hand."""
    moment = (MOMENT_MS_MIN, MOMENT_MS_MAX, True)
    drop: Bounds = {
        "opens_ms": moment,
        "closes_ms": moment,
        "limit": (1, CAP_MAX),
        "k": (1, K.most),
        # A practice drop may go below what a sale needs: no drop may leave its times to chance.
        **{
            f"{name}_ms": (min(bound.least, 1) * 1000, bound.most * 1000)
            for name, bound in SECONDS.items()
        },
        "network_most": (0, CAP_MAX),
        "cards": (0, 1),
        "domain_most": (0, CAP_MAX),
        # Nobody waits where there is no pace.
        "pace_ms": (0, SECONDS["pace"].most * 1000),
    }
    item: Bounds = {
        "cap": (1, CAP_MAX),
        "price": (0, PRICE_MAX),
        "limit": (0, CAP_MAX),
        "most": (1, QTY_MAX),
    }
    pool: Bounds = {"cap": (1, CAP_MAX), "withheld": (0, CAP_MAX)}
    windows = WINDOWS.values()
    of_list: Bounds = {
        "window_ms": (1000, max(bound.most for bound in windows) * 1000),
        "first_offer_ms": (1000, FIRST_OFFER.most * 1000),
        "tickets_most": (1, TICKETS.most),
    }
    calls: Bounds = {"from_ms": (0, DAY_MS - 1), "to_ms": (0, DAY_MS - 1)}
    early: Bounds = {"cohorts": (1, COHORTS_MAX), "public_ms": moment}
    named = {
        "DROP_BOUNDS": drop,
        "EARLY_BOUNDS": early,
        "CALLS_BOUNDS": calls,
        "LIST_BOUNDS": of_list,
        "ITEM_BOUNDS": item,
        "POOL_BOUNDS": pool,
    }
    lines = []
    for name, rows in named.items():
        texts = (
            "{" + ", ".join([f"'{field}'", *map(str, row)]).lower() + "}"
            for field, row in rows.items()
        )
        lines.append(f"local {name} = {{{', '.join(texts)}}}")
    return "\n".join(lines) + "\n"


def _in_lua(ranges: Ranges) -> str:
    return "{" + ", ".join(f"{{{first}, {last}}}" for first, last in ranges) + "}"
