"""Verdicts, reports and drops in words and columns, for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from dropengine.log.referee import Report, Verdict, Violation
from dropengine.manifest import Manifest
from dropengine.manifest.currencies import MINOR_DIGITS
from dropengine.manifest.zones import in_zone

if TYPE_CHECKING:
    from dropengine.truth.replies import ViewReply

VIOLATIONS_SHOWN = 20


def moment(at_ms: int, zone: str) -> str:
    """A time in the drop's zone, to the second."""
    at = in_zone(at_ms, zone)
    return f"{at:%Y-%m-%d %H:%M:%S} ({zone})" if at else f"{at_ms} ms after 1970"


def money(amount: int, currency: str) -> str:
    """amount: minor units. `24.00 EUR`, `2400 JPY`."""
    digits = MINOR_DIGITS.get(currency, 0)
    whole, rest = divmod(abs(amount), 10**digits)
    decimals = f".{rest:0{digits}d}" if digits else ""
    return f"{'-' if amount < 0 else ''}{whole}{decimals} {currency}"


def units(manifest: Manifest) -> str:
    """`200 units`, without those that are withheld."""
    pools = [pool for item in manifest.items for pool in item.pools]
    count = sum(pool.cap - pool.withheld for pool in pools)
    return f"{count} unit{'s' if count != 1 else ''}"


def of_drop(manifest: Manifest, view: ViewReply) -> str:
    """Where a drop stands: its state and a row per pool."""
    name = f"{manifest.title} ({manifest.id})"
    lines = [f"{name} is {view.state}, revision {view.revision}, seq {view.seq}."]
    if view.opens_ms and view.state == "scheduled":
        lines.append(f"It opens at {moment(view.opens_ms, manifest.zone)}.")
    head = [
        "pool",
        "free",
        "held",
        "of them offered",
        "sold",
        "withheld",
        "in line",
        "of them buying",
    ]
    rows = [
        [
            pool.id,
            pool.free,
            pool.held,
            pool.offered,
            pool.sold,
            pool.withheld,
            pool.waiting,
            pool.buying,
        ]
        for pool in view.pools
    ]
    return "\n".join([*lines, "", *table([head, *rows])])


def in_one_line(views: Sequence[ViewReply], connected: int) -> str:
    """All drops of a run in one line that changes."""
    rows = [row for view in views for row in view.pools]
    free, offered = sum(row.free for row in rows), sum(row.offered for row in rows)
    carts = sum(row.held for row in rows) - offered
    sold, waiting = sum(row.sold for row in rows), sum(row.waiting for row in rows)
    return (
        f"{'/'.join(view.state for view in views)}: {free} free, {carts} in carts, "
        f"{offered} offered, {sold} sold, {waiting} in line, {connected} fans connected"
    )


def of_verdict(verdict: Verdict) -> str:
    """What the referee found in one log."""
    rows: list[Sequence[object]] = [
        ["events", verdict.events],
        ["sold of cap", f"{verdict.sold} of {verdict.cap}"],
        ["oversold", verdict.oversold],
        ["distinct serials", verdict.distinct_serials],
        ["holds, expired, released", f"{verdict.holds}, {verdict.expired}, {verdict.released}"],
        [
            "offers, claimed, lapsed",
            f"{verdict.offers}, {verdict.offers_claimed}, {verdict.offers_lapsed}",
        ],
        ["over the limit", verdict.over_limit],
        ["overtaken", verdict.overtaken],
        ["gaps in the log", verdict.log_gaps],
        ["captured - refunded", money(verdict.captured_minus_refunded, verdict.currency)],
        ["given back by hand", money(verdict.by_hand, verdict.currency)],
        ["given up", money(verdict.given_up, verdict.currency)],
        ["orders", money(verdict.orders_total, verdict.currency)],
    ]
    head = f"{verdict.drop or 'The log'}: {verdict.state}"
    end = _violations(verdict.violations, verdict.violations_total)
    return "\n".join([head, *table(rows), *end])


def of_report(report: Report) -> str:
    """What a run came to."""
    equal = {True: "yes", False: "NO", None: "not compared"}[report.replay_equal]
    rows: list[Sequence[object]] = [
        ["drops", ", ".join(report.drops)],
        ["fans", report.fans],
        ["sold of cap", f"{report.sold} of {report.cap}"],
        ["oversold", report.oversold],
        ["distinct serials", report.distinct_serials],
        ["holds, expired", f"{report.holds}, {report.expired}"],
        ["offers, claimed", f"{report.offers}, {report.offers_claimed}"],
        ["over the limit", report.over_limit],
        ["overtaken", report.overtaken],
        ["gaps in the log", report.log_gaps],
        ["replay equal", equal],
        ["captured - refunded", report.captured_minus_refunded],
        ["by hand, given up", f"{report.by_hand}, {report.given_up}"],
        ["orders", report.orders_total],
        ["answer p50, p99", f"{report.p50_ms:.1f} ms, {report.p99_ms:.1f} ms"],
        ["holds in the busiest second", f"{report.holds_per_s:.0f}"],
    ]
    return "\n".join(table(rows) + _violations(report.violations, report.violations_total))


def table(rows: Iterable[Sequence[object]]) -> list[str]:
    """Rows with aligned columns, the first to the left."""
    text = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*text, strict=True)]
    return [
        "  "
        + "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in text
    ]


def _violations(found: Sequence[Violation], count: int) -> list[str]:
    if not count:
        return ["No violation."]
    lines = [f"{count} VIOLATION{'S' if count != 1 else ''}:"]
    lines += [f"  {violation}" for violation in found[:VIOLATIONS_SHOWN]]
    if count > VIOLATIONS_SHOWN:
        lines.append(f"  and {count - VIOLATIONS_SHOWN} more")
    return lines
