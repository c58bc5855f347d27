"""Guards of the scripts, and how each is taken out: for the tests that must fail without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dropengine.truth import scripts

FILES: Final = scripts.sources()


@dataclass(frozen=True)
class Cut:
    """`was` stands in `file` exactly once and becomes `now`."""

    file: str
    was: str
    now: str


CONSERVATION: Final = Cut("lib/adds_up", "and math.min(", "and 0 * math.min(")
"""The second guard of the stock: what does not add up is never written."""
STOCK: Final = Cut("fan/hold", "if pool[P_FREE] < qty then", "if false then")

CUTS: Final[dict[str, tuple[Cut, ...]]] = {
    "limit": (Cut("fan/units_allowed", "return left > 0 and left or 0", "return 1000"),),
    "stock": (STOCK, CONSERVATION),
    "newcomer": (Cut("fan/may_press", "ready_in(t, pool_id) > 0", "false"),),
    "settle first": (Cut("time/advance", "local more = settle_due(t)", "local more = false"),),
    "keys": (Cut("lib/answered", "if not stored then return false end", "do return false end"),),
    "who stands ahead": (Cut("money/buy_late", " or stands_ahead(t, hold)", ""),),
    "pace": (Cut("fan/too_soon", "return wait > 0 and wait or nil", "return nil"),),
    "moves": (Cut("lib/commit", "if #t.moves > 0 then", "if false then"),),
}


def mutilated(cuts: Sequence[Cut]) -> dict[str, scripts.Script]:
    """Every script, without these guards."""
    change: dict[str, str] = {}
    for cut in cuts:
        name = f"{cut.file}.lua"
        text = change.get(name) or FILES[name]
        assert text.count(cut.was) == 1, f"{name} no longer has: {cut.was}"
        change[name] = text.replace(cut.was, cut.now)
    return scripts.load(change)
