"""What a run came to: the violations that were found, the counts of one log, the report of a run.

A verdict speaks of one log alone. A report adds the clients' own histories and may cover several
drops.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

VIOLATIONS_KEPT = 200
"""A broken log breaks in a thousand places; the first ones say why. All of them are counted."""


class Violation(msgspec.Struct, frozen=True):
    """One sentence about one invariant. `seq`: the event it was seen at (0: the end or no event);
    `line`: its line in the log, from 1 (0: the end, or a history)."""

    inv: str
    seq: int
    sentence: str
    line: int = 0
    drop: str = ""

    def __str__(self) -> str:
        where = f"{self.drop or 'log'} line {self.line}" if self.line else self.drop or "end"
        return f"{self.inv} at seq {self.seq} ({where}): {self.sentence}"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What one log says. Units unless named otherwise; money in minor units of `currency`.

    cap, sold: all pools together, sold counts unrefunded units. oversold: units ever given beyond
    the cap. fans: who held, joined or bought. holds: presses granted. late_ms_max: the longest that
    a hold outlived its deadline. outbox: duties that were never ticked off. by_hand: what people
    gave back past the provider. given_up: what should have gone back and stays. orders_total:
    amounts of the orders whose money is kept. violations: the first ones; violations_total
    counts all.
    """

    drop: str
    state: str
    currency: str
    events: int
    last_seq: int
    first_ms: int
    last_ms: int
    cap: int
    sold: int
    held: int
    free: int
    oversold: int
    distinct_serials: int
    fans: int
    holds: int
    expired: int
    released: int
    offers: int
    offers_claimed: int
    offers_lapsed: int
    joined: int
    orders: int
    rescued: int
    voided: int
    refunds: int
    over_limit: int
    overtaken: int
    log_gaps: int
    late_ms_max: int
    outbox: int
    captured: int
    refunded: int
    captured_minus_refunded: int
    by_hand: int
    given_up: int
    orders_total: int
    violations_total: int
    violations: list[Violation]

    @property
    def honest(self) -> bool:
        return self.violations_total == 0


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A run as JSON: sums over its drops, and what the clients measured.

    replay_equal: the fold of every log equals the stored truth (null: nobody compared them).
    p50_ms, p99_ms: from a command's sending to its answer. holds_per_s: presses granted in the
    busiest second.
    """

    drops: list[str]
    cap: int
    sold: int
    oversold: int
    distinct_serials: int
    fans: int
    holds: int
    expired: int
    offers: int
    offers_claimed: int
    over_limit: int
    overtaken: int
    log_gaps: int
    replay_equal: bool | None
    captured: int
    refunded: int
    captured_minus_refunded: int
    by_hand: int
    given_up: int
    orders_total: int
    p50_ms: float
    p99_ms: float
    holds_per_s: float
    events: int
    operations: int
    unknown: int
    refused: int
    outbox: int
    late_ms_max: int
    seed: int | None
    violations_total: int
    violations: list[Violation]
    verdicts: list[Verdict]

    @property
    def honest(self) -> bool:
        return self.violations_total == 0 and self.replay_equal is not False

    def encode(self) -> bytes:
        """The report as indented JSON, UTF-8, ending with a newline."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """What the clients measured, over all drops of a run."""

    p50_ms: float = 0.0
    p99_ms: float = 0.0
    holds_per_s: float = 0.0
    operations: int = 0
    unknown: int = 0
    refused: int = 0


SUMMED = (
    *("cap", "sold", "oversold", "distinct_serials", "fans", "holds", "expired"),
    *("offers", "offers_claimed", "over_limit", "overtaken", "log_gaps"),
    *("captured", "refunded", "captured_minus_refunded", "by_hand", "given_up"),
    *("orders_total", "events", "outbox"),
)
"""Counts of the verdicts that add up over the drops of a run."""


def report(
    verdicts: Sequence[Verdict],
    measures: Measures,
    *,
    replay: Iterable[str] | None,
    others: Iterable[Violation] = (),
    seed: int | None = None,
) -> Report:
    """Sum the verdicts of a run up.

    replay: the sentences of `replay.difference` over all drops (none: equal), or None when the
    truth was not read. others: violations that the histories found.
    """
    found = [violation for verdict in verdicts for violation in verdict.violations]
    more = list(others)
    apart = None if replay is None else list(replay)
    if apart:
        more += [Violation(inv="INV-3", seq=0, sentence=sentence) for sentence in apart]

    def total(name: str) -> int:
        return sum(getattr(verdict, name) for verdict in verdicts)

    return Report(
        drops=[verdict.drop for verdict in verdicts],
        **{name: total(name) for name in SUMMED},
        **msgspec.structs.asdict(measures),
        replay_equal=None if apart is None else not apart,
        late_ms_max=max((verdict.late_ms_max for verdict in verdicts), default=0),
        seed=seed,
        violations_total=total("violations_total") + len(more),
        violations=(found + more)[:VIOLATIONS_KEPT],
        verdicts=list(verdicts),
    )
