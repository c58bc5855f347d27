"""What a rehearsal of a drop is asked, what it tells while it goes on, and what it comes to.

These are words alone: whoever rehearses, keeps or shows one speaks with them. Times end in their
unit, shares lie between 0 and 1.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

Shape = Literal["burst", "build", "wave", "storm"]
"""How the crowd comes. burst: all at the opening; build: one after another; wave: half of them, and
the others later; storm: a burst in which everybody loses the connection once."""
SHAPES: Final[tuple[Shape, ...]] = ("burst", "build", "wave", "storm")

FANS_MIN: Final = 10
FANS_MAX: Final = 20_000
FANS: Final = 2_000
MINUTES_MIN: Final = 1
MINUTES_MAX: Final = 30
MINUTES: Final = 3
P99_MS_MAX: Final = 500.0
"""Answers and screens that are later than this, one in a hundred, are what people call broken."""


class Asked(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is to be rehearsed. beside_live: although a drop of the same machine sells."""

    fans: Annotated[int, Meta(ge=FANS_MIN, le=FANS_MAX)] = FANS
    shape: Shape = "burst"
    minutes: Annotated[int, Meta(ge=MINUTES_MIN, le=MINUTES_MAX)] = MINUTES
    beside_live: bool = False


class ProcessLoad(Struct, frozen=True):
    """One process over the last second or step. cpu: of one core; several threads may have more."""

    name: str
    cpu: float
    rss_mib: int


class Progress(Struct, frozen=True, kw_only=True):
    """How it goes now. done: the share of its time that has passed. watchers: open screens, of
    `wanted`. waiting: places in the line. errors: lost answers and screens, so far."""

    stage: str
    says: str
    elapsed_s: float
    done: float
    watchers: int = 0
    wanted: int = 0
    commands_per_s: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    free: int = 0
    held: int = 0
    sold: int = 0
    waiting: int = 0
    errors: int = 0
    processes: list[ProcessLoad] = []


class Promise(Struct, frozen=True):
    """One promise of the README, and what the rehearsal has to say about it."""

    says: str
    state: Literal["kept", "broken", "not tried"]
    why: str


class Step(Struct, frozen=True, kw_only=True):
    """One height of a ramp: presses a second, or watchers. late_ms: half of what was told was at
    most so late; late_p99_ms: all but one in a hundred. broke: why it did not hold, or ''."""

    asked: float
    did: float
    late_ms: float
    late_p99_ms: float
    errors: int
    processes: list[ProcessLoad]
    broke: str


class Ramp(Struct, frozen=True, kw_only=True):
    """The heights in the order they were tried. held: the greatest that held. bound: why it went no
    higher where nothing broke, or ''."""

    held: float
    steps: list[Step]
    bound: str

    @property
    def broken(self) -> Step | None:
        """The lowest height that did not hold."""
        return min(
            (one for one in self.steps if one.broke), key=lambda one: one.asked, default=None
        )


class Capacity(Struct, frozen=True, kw_only=True):
    """What the machine carried before `P99_MS_MAX`. presses: commands a second, holds and their
    releases in turn, each on disk before its answer, while `seats` watched. watchers: open screens
    while there were `presses_beside` a second."""

    seats: int
    presses: Ramp
    presses_beside: float
    watchers: Ramp
    socket_kib: float
    """Memory of the web processes for one more open screen."""
    screen_bytes_per_s: float
    """What one screen was sent while stock changed all the time."""


class Seen(Struct, frozen=True, kw_only=True):
    """What fans would have seen. Times are those of the rehearsal, not stretched."""

    fans: int
    units: int
    sold: int
    got_one: int
    sold_out_s: float | None
    waited_median_s: float | None
    waited_longest_s: float | None
    still_waiting: int
    answer_p50_ms: float
    answer_p99_ms: float
    holds_per_s: float
    refused: dict[str, int]
    reconnects: int

    @property
    def share(self) -> float:
        return self.got_one / self.fans if self.fans else 0.0


class Time(Struct, frozen=True):
    """A time of the drop, and what it was pressed together to."""

    name: str
    own_s: float
    rehearsed_s: float


class Change(Struct, frozen=True):
    """One number of the rehearsal before this one, and of this."""

    name: str
    before: str
    now: str


class RehearsalReport(Struct, frozen=True, kw_only=True, tag_field="rehearsal", tag=1):
    """factor: times were pressed together by so much. lifted: what the rehearsal's own shop does
    not limit. cut_short: what is missing and why, or ''. launched: what became of a list that
    chance ordered. The tag is the number of this form."""

    drop: str
    title: str
    maker: str
    hash: str
    at_ms: int
    took_s: float
    asked: Asked
    seed: int
    factor: float
    times: list[Time]
    machine: str
    versions: str
    web_processes: int
    lifted: list[str]
    passed: bool
    promises: list[Promise]
    violations: list[str]
    violations_total: int
    seen: Seen
    capacity: Capacity | None
    breaks_first: str
    advice: list[str]
    changes: list[Change]
    changed_since_ms: int
    cut_short: str
    launched: list[str] = []
