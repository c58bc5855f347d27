"""After a drop: how it went, beside the maker's last one. Figures are those of the books, each with
its definition; charts have their numbers behind them, and it prints.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from dropengine.doors.access import REPORT
from dropengine.doors.studio.charts import bars
from dropengine.doors.studio.night_pages import WAYS, words
from dropengine.doors.studio.panel_door import Panel, PanelCall
from dropengine.doors.studio.standing import Standing, standing
from dropengine.jobs.ledger.report import Report, report
from dropengine.log.figures import Figure
from dropengine.log.figures.figure import BOUNDS_S, Number
from dropengine.log.in_words import Terms, terms
from dropengine.model import DropId
from dropengine.people import makers
from dropengine.sql.database import Database
from dropengine.truth.store import Store

OTHERS_MAX = 20
NAMES = {
    "units_offered": "Units offered",
    "units_sold": "Units sold",
    "sell_through": "Sell-through",
    "revenue": "Revenue",
    "refunded": "Refunded",
    "time_to_sell_out": "Time to sell out",
    "hold_abandon_rate": "Carts given up",
    "offer_claim_rate": "Offers taken",
    "unmet_fans": "Fans who got none",
    "unmet_money": "What they wanted",
    "served_by_lane": "Offers of the line that were paid",
    "offers_later": "Later by the boost lane, in offers",
    "time_later": "Later by the boost lane, in time",
    "watchers_most": "Most screens at once",
    "arrivals": "Fans who came",
    "conversion": "Of them bought",
}
"""Figures of one number, in the order of the page."""
BY_THE_MINUTE = ("watchers_most", "arrivals")
"""Figures that are written down once a minute: those of a fresh sale are still to come."""
NONE_YET = "none counted yet"
TIMES = {
    "press_to_paid": "From a press to its payment",
    "offer_to_paid": "From an offer to its payment",
    "arrival_to_paid": "From a fan's first sign to the first payment",
}
"""Figures of how long something took."""
SPLIT = {
    "units_sold": "Sold, by kind",
    "units_by_way": "Sold, by the way to it",
    "units_by_cohort": "Sold, by cohort",
    "units_by_standing": "Sold, to persons and guests",
    "served_by_lane": "Offers that were paid, by lane",
    "refused": "Sent away, by reason",
    "arrivals": "Fans who came, by channel",
}
"""Figures that are told by what they are made of, too."""
LANES = {"base": "By arrival", "boost": "By the boost lane"}


class Key(NamedTuple):
    """One number of this drop and of the other. says: its definition."""

    name: str
    value: str
    other: str
    says: str


class Chart(NamedTuple):
    """A picture, and the numbers behind it."""

    title: str
    says: str
    picture: Markup
    rows: list[tuple[str, int]]


class ReportPages:
    """One page. origin: the address people type."""

    def __init__(self, store: Store, database: Database, origin: str) -> None:
        self._store = store
        self._database = database
        self._origin = origin

    def routes(self, panel: Panel) -> list[Route]:
        """One."""
        self._panel = panel
        return [panel.route("GET", REPORT, self.report)]

    async def report(self, call: PanelCall) -> Response:
        """GET /studio/drops/{drop}/report: `?with=` another drop of the same maker."""
        s = await standing(self._store, DropId(call.named("drop")))
        if s is None:
            return self._panel.missing(call)
        others = await self._others(call, s.manifest.id)
        chosen = call.request.query_params.get("with", others[0] if others else "")
        other = await standing(self._store, DropId(chosen)) if chosen in others else None
        drops = [one.manifest.id for one in (s, other) if one is not None]

        def asked(sql: Connection) -> list[Report | None]:
            return [report(sql, drop) for drop in drops]

        found, *beside = await self._database.read(asked)
        figures = {one.name: one for one in found.figures} if found else {}
        theirs = {one.name: one for one in beside[0].figures} if beside and beside[0] else {}
        return self._panel.page(
            call,
            "studio-report.html",
            **words(s, self._origin),
            known=found is not None,
            keys=[*_keys(figures, s.terms, theirs, other)],
            charts=[*_charts(figures, s)],
            others=others,
            other=other.manifest if other is not None and theirs else None,
            api=f"/api/studio/drops/{s.manifest.id}/report",
        )

    async def _others(self, call: PanelCall, drop: str) -> list[str]:
        """Other drops of this maker, those before it first, the newest first."""
        every: Sequence[str] = await self._store.every_drop()
        whose = await self._database.read(lambda sql: makers.owners_of(sql, [*every]))
        mine = [one for one in every if whose.get(one) == call.maker.id]
        at = mine.index(drop) if drop in mine else 0
        return [one for one in (*mine[at + 1 :], *mine[:at]) if one != drop][:OTHERS_MAX]


def _keys(
    figures: Mapping[str, Figure], t: Terms, theirs: Mapping[str, Figure], other: Standing | None
) -> Iterator[Key]:
    # Nobody bought without having come.
    sold = "units_sold" in figures and figures["units_sold"].values.get("")
    for name, title in NAMES.items():
        if name not in figures:
            continue
        one, beside = figures[name], ""
        if other is not None and name in theirs:
            beside = _told(theirs[name], terms(other.manifest))
        late = name in BY_THE_MINUTE and sold and not one.values.get("")
        yield Key(title, NONE_YET if late else _told(one, t), beside, one.says)
    for name, title in TIMES.items():
        if name in figures and figures[name].values.get("count"):
            half = figures[name].values.get("median_ms")
            they = theirs[name].values.get("median_ms") if name in theirs else None
            yield Key(
                f"{title}, half within",
                _length(half),
                _length(they) if theirs else "",
                figures[name].says,
            )


def _told(one: Figure, t: Terms) -> str:
    """The number of a figure, as people read it."""
    value = one.values.get("")
    if value is None:
        return "\N{EM DASH}"
    if one.unit == "ratio":
        return f"{100 * value:.1f} %"
    if one.unit.startswith("minor units"):
        return t.money(int(value))
    return _length(value) if one.unit == "ms" else f"{value:,}"


def _length(ms: Number) -> str:
    if ms is None:
        return "\N{EM DASH}"
    seconds = round(ms / 1000)
    if seconds < 1:
        return "under 1 s"
    if seconds < 120:
        return f"{seconds} s"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min {rest} s" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def _charts(figures: Mapping[str, Figure], s: Standing) -> Iterator[Chart]:
    sales = _over_time(figures["sales_over_time"]) if "sales_over_time" in figures else []
    if sales:
        yield _chart("Sold over time", figures["sales_over_time"].says, sales)
    for name, title in TIMES.items():
        took = [*_took(figures[name])] if name in figures else []
        if any(count for _, count in took):
            yield _chart(title, figures[name].says, took)
    for name, title in SPLIT.items():
        one = figures.get(name)
        parts = [(of, int(n or 0)) for of, n in one.values.items() if of] if one else []
        alone = 2 if name == "units_sold" or not (s.manifest.window_ms or s.manifest.cohorts) else 1
        if one is not None and len(parts) >= alone:
            titles = {cohort.id: cohort.title for cohort in s.manifest.cohorts}
            named = {
                "units_sold": s.terms.pools,
                "units_by_cohort": titles,
                "served_by_lane": LANES,
            }.get(name, WAYS)
            yield _chart(title, one.says, [(named.get(of, of), n) for of, n in parts])


def _chart(title: str, says: str, rows: list[tuple[str, int]]) -> Chart:
    return Chart(title, says, bars(rows, f"{title}: the table below has the numbers."), rows)


def _over_time(one: Figure) -> list[tuple[str, int]]:
    """All pools together, by the beginning of each stretch; empty ones between them too."""
    sums: Counter[int] = Counter()
    for name, units in one.values.items():
        sums[int(name.split(" ")[-2])] += int(units or 0)
    if not sums:
        return []
    width = max(1, math.gcd(*sums))
    return [(_clock(second), sums[second]) for second in range(0, max(sums) + 1, width)]


def _clock(second: int) -> str:
    minutes, seconds = divmod(second, 60)
    return f"{minutes}:{seconds:02}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:00"


def _short(second: int) -> str:
    """`30 s`, `2 min`, `6 h`: as it stands below a bar."""
    if second < 60:
        return f"{second} s"
    return f"{second // 60} min" if second < 3600 else f"{second // 3600} h"


def _took(one: Figure) -> Iterator[tuple[str, int]]:
    for bound in BOUNDS_S:
        yield _short(bound), int(one.values.get(f"up to {bound} s") or 0)
    yield "longer", int(one.values.get("longer") or 0)
