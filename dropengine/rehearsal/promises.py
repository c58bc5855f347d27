"""The promises of the README, and what a rehearsal has to say about each: kept, broken, or not
tried. The words are those of the README; a test holds them together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from dropengine.log import referee
from dropengine.rehearsal.verdicts import Judgement
from dropengine.rehearsal_report import Promise

BY_TESTS: Final = "Nothing of the kind was done here; the tests of every version do it."
BY_DEMO: Final = (
    "Nothing was killed here; dropengine demo --headless --kill server (or worker) does it."
)

BY_MODE: Final = "This drop has no list: arrivals are given out in the order of the joins."
BY_GAME: Final = "Nothing gives points in this drop: its line calls in the order of arrival alone."
BY_HOURS: Final = (
    "A rehearsal has no quiet hours, for its night is over in minutes; the tests of every version "
    "have them."
)


class Rule(NamedTuple):
    """broken_by: invariants of which one violation breaks the promise. tried: what was done that
    could have broken it, in words, or '' where nothing was. untried: what is said then."""

    says: str
    broken_by: frozenset[str]
    tried: Callable[[Judgement], str]
    untried: str = BY_TESTS


def _never(_: Judgement) -> str:
    return ""


def _count(count: int, one: str, many: str) -> str:
    return "" if not count else f"{count:,} {one if count == 1 else many}"


def _sold(j: Judgement) -> str:
    r = j.report
    return _count(r.distinct_serials, "number sold", "numbers sold, each once") or _pressed(j)


def _pressed(j: Judgement) -> str:
    return _count(j.report.operations, "command", "commands of all kinds")


def _passed(j: Judgement) -> str:
    r = j.report
    return _count(r.offers, "offer of the line", f"offers of the line, {r.overtaken} overtaken")


def _lapsed(j: Judgement) -> str:
    lapsed = sum(one.offers_lapsed + one.expired for one in j.report.verdicts)
    return _count(lapsed, "hold or offer ran out", "holds and offers ran out")


def _limit(j: Judgement) -> str:
    r = j.report
    return _count(r.holds, "hold", f"holds, {r.over_limit} over the limit")


def _carts(j: Judgement) -> str:
    places = j.crowd.places_checked
    return f"{j.crowd.fans:,} screens were held against the log, and {places:,} places on them"


def _ordered(j: Judgement) -> str:
    return j.launched[0].rstrip(".") if j.launched else ""


def _played(j: Judgement) -> str:
    return j.played[0].rstrip(".") if j.played else ""


def _twice(j: Judgement) -> str:
    return _count(j.report.operations, "command", "commands, many of them sent twice")


def _orders(j: Judgement) -> str:
    orders = sum(one.orders for one in j.report.verdicts)
    return _count(orders, "order", "orders; providers said some of it twice")


def _money(j: Judgement) -> str:
    r = j.report
    owed = f"{r.outbox} payments are left undone" if r.outbox else "nothing is left undone"
    return f"What was captured is what the orders are worth; {owed}" if r.captured else ""


def _refunds(j: Judgement) -> str:
    return _count(sum(one.refunds for one in j.report.verdicts), "refund", "refunds")


def _rebuilt(j: Judgement) -> str:
    return _count(j.report.events, "event", "events were folded and compared with the truth")


def _doctored(j: Judgement) -> str:
    for log in j.logs.values():
        if len(log) > 2:
            middle = len(log) // 2
            honest = referee.judge([*log[:middle], *log[middle + 1 :]]).honest
            return "" if honest else "One event was taken out, and the referee refused the log"
    return ""


RULES: Final = (
    Rule(
        "No unit is sold twice, whatever is pressed, paid, repeated and late, in whatever order",
        frozenset({"INV-1", "INV-2", "INV-4"}),
        _sold,
    ),
    Rule("A newcomer never passes somebody who is ready", frozenset({"INV-11"}), _passed),
    Rule(
        "What lapses goes to the next in line at once, not to the fastest",
        frozenset({"INV-11", "INV-12"}),
        _lapsed,
    ),
    Rule(
        "At night the line calls nobody, and what comes back waits for it",
        frozenset({"INV-11"}),
        _never,
        BY_HOURS,
    ),
    Rule(
        "Chance alone orders a list, and anyone can compute it",
        frozenset({"INV-11"}),
        _ordered,
        BY_MODE,
    ),
    Rule(
        "A list is put in the same order whatever dies over it, and nobody is served before it "
        "stands",
        frozenset({"INV-11"}),
        _never,
        BY_DEMO,
    ),
    Rule(
        "Points move a fan up, and nobody is called later than his page promises",
        frozenset({"INV-11"}),
        _played,
        BY_GAME,
    ),
    Rule("Many cookies at one address have no more than one network may", frozenset(), _never),
    Rule("Nobody gets more than the limit", frozenset({"INV-6"}), _limit),
    Rule('"All in carts" is never shown as "sold out"', frozenset({"INV-14"}), _carts),
    Rule("A command that arrives twice happens once", frozenset({"INV-7", "INV-16"}), _twice),
    Rule("A webhook that arrives fifty times is one order", frozenset({"INV-10"}), _orders),
    Rule("Money that buys nothing goes back, and the books agree", frozenset({"INV-10"}), _money),
    Rule("A refunded unit comes back with its number", frozenset({"INV-4"}), _refunds),
    Rule(
        "Nothing that was acknowledged is lost when the server is killed",
        frozenset({"INV-8"}),
        _never,
        BY_DEMO,
    ),
    Rule(
        "A shop that was lost goes on from its backup, and what was paid after it goes back",
        frozenset(),
        _never,
    ),
    Rule("A press outlives the worker that was to carry it", frozenset(), _never, BY_DEMO),
    Rule("The log alone rebuilds the state", frozenset({"INV-3"}), _rebuilt),
    Rule("A doctored log is refused", frozenset(), _doctored),
    Rule(
        "What a drop asks who buys is asked between hold and payment, and no log or script hears "
        "of it",
        frozenset(),
        _never,
    ),
    Rule("A unit that somebody else receives, by a link, is received once", frozenset(), _never),
    Rule("Books that do not add up stop the sale instead of going on wrong", frozenset(), _never),
    Rule("What a maker wrote is only ever text", frozenset(), _never),
    Rule("A manifest's mistakes are all shown at once", frozenset(), _never),
)
"""In the order of the README."""


def promises(judgement: Judgement) -> list[Promise]:
    """Each of them."""
    return [_told(rule, judgement) for rule in RULES]


def _told(rule: Rule, judgement: Judgement) -> Promise:
    found = [one for one in judgement.report.violations if one.inv in rule.broken_by]
    if found:
        return Promise(rule.says, "broken", _sentences([str(one) for one in found]))
    tried = rule.tried(judgement)
    if not tried:
        return Promise(rule.says, "not tried", rule.untried)
    return Promise(rule.says, "kept", f"{tried}.")


def _sentences(found: Sequence[str]) -> str:
    more = f" And {len(found) - 1} more." if len(found) > 1 else ""
    return f"{found[0]}.{more}"
