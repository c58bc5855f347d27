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
STOCK: Final = Cut("fan/units_of_press", "if pool[P_FREE] < qty then", "if false then")

FITS_ALWAYS: Final = """local function fits_together(t, guest, person)
  if true then return true end
"""
FIRST_TWICE: Final = "counted[wide], members[wide] = 2, 2"
FIRST_ALONE: Final = "local holds, orders = {guest[F_HOLDS][1]}, guest[F_ORDERS]"

CUTS: Final[dict[str, tuple[Cut, ...]]] = {
    "limit": (Cut("fan/units_allowed", "return left > 0 and left or 0", "return 1000"),),
    "stock": (STOCK, CONSERVATION),
    "newcomer": (Cut("fan/may_press", "ready_in(t, pool_id) > 0", "false"),),
    "settle first": (Cut("time/advance", "local more = settle_due(t)", "local more = false"),),
    "keys": (Cut("lib/answered", "if not stored then return false end", "do return false end"),),
    "quiet hours": (Cut("line/serve", "if is_quiet(t) then return false, false end", ""),),
    "who stands ahead": (Cut("money/buy_late", " or stands_ahead(t, hold)", ""),),
    "pace": (Cut("fan/too_soon", "return wait > 0 and wait or nil", "return nil"),),
    "both keep every limit": (
        Cut("fan/fits_together", "local function fits_together(t, guest, person)\n", FITS_ALWAYS),
    ),
    "an item's limit of both": (
        Cut("fan/fits_together", "if limit > 0 and qty > limit then return false end", ""),
    ),
    "one place in line": (Cut("line/merge_entries", "if not id then return end", "do return end"),),
    "the earlier place stays": (Cut("line/merge_entries", "and first or id", "and id or first"),),
    "all that he has": (
        Cut("fan/take_over", "local holds, orders = guest[F_HOLDS], guest[F_ORDERS]", FIRST_ALONE),
    ),
    "adopted once": (Cut("fan/adopt", "if adopted_by ~= '' then return", "if false then return"),),
    "no chains": (Cut("fan/adopt", "if (person and person[F_PERSON] or '') ~= ''", "if false"),),
    "three guests": (Cut("fan/adopt", ">= GUESTS_MAX", ">= GUESTS_MAX + 1"),),
    "the guest answers as the person": (
        Cut("fan/prefetch", "if fan and fan[F_PERSON] then kin = true end", ""),
    ),
    "a payment of the guest": (
        Cut("lib/owner_of", "return person and person ~= '' and person or fan_id", "return fan_id"),
    ),
    "the guest's keys": (Cut("fan/as_persons", "if known then return fields[i] end", ""),),
    "the whole list": (Cut("launch/start", "ordering.placed < ordering.entries", "false"),),
    "an arrival once": (Cut("launch/order", "if wrong then return", "if false then return"),),
    "a part once": (Cut("launch/order", "if first ~= placed + 1 then return", "if false then"),),
    "nothing before the opening": (Cut("lib/word_of_state", " lobby = 'NOT_OPEN',", ""),),
    "a network is full": (
        Cut("fan/network_full", "if (counted[near] or 0) >= most then", "if false then"),
    ),
    "counted once": (Cut("fan/count_network", "counted[wide], members[wide] = 1, 1", FIRST_TWICE),),
    "counted no more": (
        Cut("fan/uncount_network", "if not counted then return end", "do return end"),
    ),
    "moves": (Cut("lib/commit", "if #t.moves > 0 then", "if false then"),),
    "one call in k": (
        Cut(
            "line/first_in_line",
            "if not id or boost_is_next(t, pool_id) then",
            "if true then",
        ),
    ),
    "a book of points goes on": (
        Cut("game/point", "if book <= (entry[E_BOOK] or 0) then return 'same' end", ""),
    ),
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
