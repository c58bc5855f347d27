"""The figures that stand on the log, each with its definition beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from statistics import median_low

from dropengine import events
from dropengine.log.figures.boost import later
from dropengine.log.figures.figure import (
    LOG,
    Figure,
    Number,
    by_time,
    histogram,
    ratio,
    with_total,
)
from dropengine.log.figures.tally import Order, Tally, tally
from dropengine.log.shares import BOOST, CARRIED, LINE, LIST, MAKE_GOOD, PRESS

WIDTHS_S = (1, 10, 60, 600, 3_600, 86_400)
STRETCHES_MAX = 200
"""Sales over time are told in the shortest of these widths that gives no more stretches."""


def figures(log: Iterable[events.AnyEvent]) -> list[Figure]:
    """Every figure of a drop's log, from its first event to the one it ends with."""
    found = tally(log)
    parts = (_stock, _ways, _times, _rates, _unmet, _boost)
    return [*(one for part in parts for one in part(found)), _over_time(found)]


def _figure(name: str, unit: str, says: str, values: dict[str, Number] | Number) -> Figure:
    return Figure(name, unit, LOG, says, values if isinstance(values, dict) else {"": values})


def _kept(t: Tally) -> Iterator[Order]:
    return (order for order in t.orders.values() if not order.refunded)


def _stock(t: Tally) -> Iterator[Figure]:
    sold = Counter(dict.fromkeys(t.offered, 0))
    for order in _kept(t):
        sold[order.pool] += order.qty
    all_sold, all_offered = sum(sold.values()), sum(t.offered.values())
    yield _figure(
        "units_offered", "units", "Units that are not withheld, by pool.", with_total(t.offered)
    )
    yield _figure(
        "units_sold", "units", "Units of orders that were not refunded, by pool.", with_total(sold)
    )
    yield _figure(
        "sell_through",
        "ratio",
        "Of the units offered: those sold.",
        {"": ratio(all_sold, all_offered)}
        | {pool: ratio(sold[pool], offered) for pool, offered in t.offered.items()},
    )
    yield _figure(
        "revenue",
        f"minor units of {t.currency}",
        "What the orders that were not refunded are worth.",
        sum(order.amount for order in _kept(t)),
    )
    yield _figure(
        "refunded",
        f"minor units of {t.currency}",
        "What the orders that were refunded were worth.",
        sum(order.amount for order in t.orders.values() if order.refunded),
    )


def _ways(t: Tally) -> Iterator[Figure]:
    units: Counter[str] = Counter()
    for name, order in t.orders.items():
        if not order.refunded:
            units[_way(t, name)] += order.qty
    yield _figure(
        "units_by_way",
        "units",
        "Units of orders that were not refunded, by how they were come by: a press, an offer to "
        "the list that chance ordered, one to the line that joined later, to entries carried over "
        "from an earlier drop, by points, or to a make-good.",
        with_total(units),
    )

    early: Counter[str] = Counter()
    for name, order in t.orders.items():
        if not order.refunded and t.holds[name].cohort:
            early[t.holds[name].cohort] += order.qty
    if early:
        yield _figure(
            "units_by_cohort",
            "units",
            "Of them those that count against a cohort: they were held or offered before the drop "
            "was open to all.",
            with_total(early),
        )


def _way(t: Tally, order: str) -> str:
    place = t.places.get(t.holds[order].entry)
    if place is None:
        return PRESS
    if t.holds[order].lane:
        return MAKE_GOOD if place.madegood else BOOST
    if place.why == CARRIED:
        return CARRIED
    return LIST if place.listed else LINE


def _times(t: Tally) -> Iterator[Figure]:
    yield _figure(
        "time_to_sell_out",
        "ms",
        "From the opening to the first moment at which no pool had a free or a held unit.",
        t.sold_out_ms - t.opened_ms if t.sold_out_ms else None,
    )
    took: dict[bool, list[int]] = {False: [], True: []}
    first: dict[str, int] = {}
    for name, order in t.orders.items():
        hold = t.holds[name]
        took[hold.offer].append(order.at_ms - hold.at_ms)
        first[order.fan] = min(order.at_ms, first.get(order.fan, order.at_ms))
    yield _figure(
        "press_to_paid",
        "orders",
        "From the press that was granted to its payment, by order, refunded ones too.",
        histogram(took[False]),
    )
    yield _figure(
        "offer_to_paid",
        "orders",
        "From the line's offer to its payment, by order, refunded ones too.",
        histogram(took[True]),
    )
    yield _figure(
        "arrival_to_paid",
        "fans",
        "From a fan's first hold or place in the line to his first payment.",
        histogram([at_ms - t.seen_ms[fan] for fan, at_ms in first.items()]),
    )


def _rates(t: Tally) -> Iterator[Figure]:
    pressed = [hold for hold in t.holds.values() if not hold.offer]
    bought = sum(hold.bought for hold in pressed)
    ended = Counter(hold.ended for hold in pressed if not hold.bought)
    gone = ended["released"] + ended["expired"]
    yield _figure(
        "hold_abandon_rate",
        "ratio",
        "Of the presses that were granted and have ended: those given back or run out, not bought. "
        "Those that ended with the drop do not count.",
        {
            "": ratio(gone, gone + bought),
            "given back": ended["released"],
            "run out": ended["expired"],
            "bought": bought,
        },
    )
    offers = [hold for hold in t.holds.values() if hold.offer]
    taken = sum(hold.claimed or hold.bought for hold in offers)
    missed = Counter(hold.ended for hold in offers if not (hold.claimed or hold.bought))
    refused = missed["declined"] + missed["lapsed"]
    yield _figure(
        "offer_claim_rate",
        "ratio",
        "Of the line's offers that were answered or ran out: those claimed, or paid at once.",
        {
            "": ratio(taken, taken + refused),
            "claimed": taken,
            "declined": missed["declined"],
            "run out": missed["lapsed"],
        },
    )


def _unmet(t: Tally) -> Iterator[Figure]:
    bought = {order.fan for order in t.orders.values()}
    # A fan wants what his last place is for; he may have joined again and again.
    wanted = {
        place.fan: place
        for place in t.places.values()
        if place.fan not in bought and not place.left and not place.served
    }
    yield _figure(
        "unmet_fans",
        "fans",
        "Fans who joined the line, did not leave it, and never bought.",
        len(wanted),
    )
    yield _figure(
        "unmet_money",
        f"minor units of {t.currency}",
        "What these fans' last places are for: units wanted x price of the first pool listed.",
        sum(place.qty * t.prices[place.pools[0]] for place in wanted.values()),
    )


def _boost(t: Tally) -> Iterator[Figure]:
    offers = [hold for hold in t.holds.values() if hold.offer]
    if not t.game and not any(hold.lane for hold in offers):
        return
    paid = Counter("boost" if hold.lane else "base" for hold in offers if hold.bought)
    yield _figure(
        "served_by_lane",
        "offers",
        "Offers of the line that were paid, refunded ones too, by the lane that made them: the "
        "base lane in the order of arrival, the boost lane by points.",
        with_total({lane: paid[lane] for lane in ("base", "boost")}),
    )
    found = [*later(offers)]
    yield _figure(
        "offers_later",
        "offers",
        "By how many offers of its pool the base lane called an entry later than without the boost "
        f"lane. {_AGAIN} On average; half of them by so many at most, and the most.",
        _spread([one.offers for one in found]),
    )
    yield _figure(
        "time_later",
        "ms",
        "The same in time: from the offer that the entry would have got to the one that it got. "
        "On average; half of them by so much at most, and the most.",
        _spread([one.ms for one in found]),
    )


_AGAIN = (
    "The calls are made again without it: each pool's first offers to entries stay at their "
    "moments, and go to the smallest arrival that stood there and could be called. So an entry is "
    "later by the first offers that the boost lane made to later arrivals before it, since the "
    "base lane last passed it over."
)


def _spread(values: Sequence[int]) -> dict[str, Number]:
    return {
        "": round(sum(values) / len(values), 2) if values else None,
        "half": median_low(values) if values else None,
        "most": max(values, default=None),
        "entries": len(values),
    }


def _over_time(t: Tally) -> Figure:
    moments = [(order.pool, order.at_ms - t.opened_ms, order.qty) for order in t.orders.values()]
    last_s = max((at_ms for _, at_ms, _ in moments), default=0) // 1000
    fitting = (width for width in WIDTHS_S if last_s // width < STRETCHES_MAX)
    width_s = next(fitting, WIDTHS_S[-1])
    return _figure(
        "sales_over_time",
        "units",
        f"Units sold by pool in each {width_s} s since the opening, named by its beginning; those "
        "refunded later too.",
        by_time(moments, width_s * 1000),
    )
