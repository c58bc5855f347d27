"""Bugs for nights to find: a guard of the scripts is missing, or decides a hair beside the rule."""

from __future__ import annotations

from typing import Final

from tests.kit.cuts import CUTS, Cut

HOLDS_ALONE: Final = """all = 0
    for _, id in ipairs(fan[F_HOLDS]) do all = all + get(t, 'holds', id)[H_QTY] end"""

PLANTED: Final[dict[str, tuple[Cut, ...]]] = {
    "more is held than there is": CUTS["stock"],
    "a newcomer overtakes the line": CUTS["newcomer"],
    "the line calls at night": CUTS["quiet hours"],
    "a repeated press counts twice": CUTS["keys"],
    "a press comes before what is due": (
        Cut("fan/press", "local wait = catch_up(t)", "local wait = nil"),
    ),
    "a serial that came back is given to two": (
        Cut("money/serials_of", "    t.zset.returned[member] = false\n", ""),
    ),
    "a deadline is over a thousandth late": (
        Cut("time/settle_due", "'-inf', t.now, 'LIMIT'", "'-inf', t.now - 1, 'LIMIT'"),
    ),
    "the last in line is called first": (
        Cut("line/serve", "better = entry[E_N] < best[E_N]", "better = entry[E_N] > best[E_N]"),
    ),
    "an item's limit is forgotten when a guest signs in": CUTS["an item's limit of both"],
    "of what a guest had only the first is his afterwards": CUTS["all that he has"],
    "a guest goes on as another after he signed in": CUTS["the guest answers as the person"],
    "a drop opens while its list is ordered": CUTS["the whole list"],
    "an arrival is given twice": CUTS["an arrival once"],
    "a part of the order counts as often as it is told": CUTS["a part once"],
    "whoever presses before the opening gets a unit": CUTS["nothing before the opening"],
    "a network has as much as it likes": CUTS["a network is full"],
    "a network counts twice what begins there": CUTS["counted once"],
    "a network counts on what is over": CUTS["counted no more"],
    "who has points is called before everybody": CUTS["one call in k"],
    "points that were told before are told again": CUTS["a book of points goes on"],
    "a second place stays when its points are gone": (
        Cut("game/rerank", "mark_boosted(t, 'ready', id, entry, i, to > 0)", ""),
    ),
    "a place is called that was carried over and not confirmed": (
        Cut("line/refresh_readiness", "local asked = entry[E_CARRIED] == 1", "local asked = false"),
    ),
    "carried places are offered more than their share": (
        Cut("launch/share_full", "share[1] >= share[2]", "share[1] >= share[2] + 1"),
        Cut("line/units_for", "if share[1] and (entry[E_CARRIED] or 0) > 0", "if false"),
    ),
    "what is bought does not count for the limit": (
        Cut("fan/units_allowed", "all = fan[F_USED]", HOLDS_ALONE),
    ),
}
"""Name -> how it is planted."""
