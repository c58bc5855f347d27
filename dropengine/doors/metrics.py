"""The numbers of a shop on this machine, for whoever watches it: Prometheus text."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Final, Protocol
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dropengine import __version__, refusals
from dropengine.config import Settings, is_loopback, public_url
from dropengine.doors.http_answers import problem
from dropengine.doors.identity import Identity, by_name
from dropengine.doors.metric_families import FAMILIES
from dropengine.doors.process_table import ProcessTable, samples_of, siblings_of
from dropengine.doors.prometheus import Sample, added, text
from dropengine.jobs.clock_watch import ClockWatch
from dropengine.jobs.duties import Duties
from dropengine.jobs.job_runner import JobRunner
from dropengine.jobs.reconciling import Reconciling
from dropengine.jobs.server_watch import ServerWatch
from dropengine.jobs.settle import Settling
from dropengine.jobs.trial import Trial
from dropengine.live.hub import Hub
from dropengine.live.measured import Histogram, Measured
from dropengine.live.views import shown_state
from dropengine.model import DropState

DOOR: Final = "/metrics"
KIND: Final = "text/plain; version=0.0.4"
UNITS = ("free", "held", "sold", "withheld", "leased")
SHOWN = tuple(state for state in DropState if state is not DropState.DRAFT)
STATES = ("up", "starting", "silent", "ended")


class Deps(Protocol):
    """What this door needs of the web process."""

    @property
    def settings(self) -> Settings: ...
    @property
    def identity(self) -> Identity: ...
    @property
    def hub(self) -> Hub: ...
    @property
    def jobs(self) -> JobRunner: ...
    @property
    def trial(self) -> Trial: ...
    @property
    def clock_watch(self) -> ClockWatch: ...
    @property
    def settling(self) -> Settling: ...
    @property
    def server_watch(self) -> ServerWatch: ...
    @property
    def duties(self) -> Duties: ...
    @property
    def reconciling(self) -> Reconciling: ...


def routes(deps: Deps) -> list[Route]:
    """The one address of numbers."""
    may_read = reader(deps.settings, deps.identity)

    async def metrics(request: Request) -> Response:
        if not may_read(request):
            return problem(None, refusals.NotEligible())
        siblings = siblings_of(request.scope)
        me = 1 if siblings is None else siblings.number
        table = None if siblings is None else siblings.table()
        shop = added({me: own(deps), **samples_of(siblings)}, FAMILIES)
        return PlainTextResponse(
            text([*shop, *of_processes(table)], FAMILIES),
            headers={"Cache-Control": "no-store"},
            media_type=KIND,
        )

    return [Route(DOOR, metrics, methods=["GET"])]


def reader(settings: Settings, identity: Identity) -> Callable[[Request], bool]:
    """Who may read: whoever shows the token; and on a machine whose shop is for itself alone,
    whoever is on it and did not come through a proxy."""
    token = settings.metrics_token
    here = is_loopback(urlsplit(public_url(settings)).hostname or "")

    def may_read(request: Request) -> bool:
        headers = by_name(request.headers.raw)
        if token is not None and identity.shows_ticket(headers):
            return identity.shows(headers, token)
        forwarded = any(
            name == "forwarded" or name.startswith("x-forwarded-") for name in request.headers
        )
        peer = request.client
        return here and peer is not None and is_loopback(peer.host) and not forwarded

    return may_read


def own(deps: Deps) -> list[Sample]:
    """The numbers of this process."""
    return [
        Sample("dropengine_build_info", 1, (("version", __version__),)),
        *of_verdict(deps.trial),
        Sample("dropengine_clock_leapt", int(deps.clock_watch.leapt)),
        *of_drops(deps.hub),
        *of_settling(deps.jobs),
        *of_freezes(deps.settling),
        *of_memory(deps.server_watch),
        *of_duties(deps.duties),
        *of_owed(deps.duties),
        *of_money(deps.reconciling),
        *of_selling(deps.hub),
    ]


def of_verdict(trial: Trial) -> Iterator[Sample]:
    """Whether a sale can be made through this process, and what keeps it from that."""
    word = trial.verdict().server
    yield Sample("dropengine_server_verdicts", int(word == "ok"), (("server", "ok"),))
    if word != "ok":
        yield Sample("dropengine_server_verdicts", 1, (("server", word),))


def of_drops(hub: Hub) -> Iterator[Sample]:
    """Sockets, fans, state, units and lines of each drop that is watched here."""
    for drop, room in hub.rooms.items():
        label = ("drop", drop)
        yield Sample("dropengine_seats", len(room.seats), (label,))
        yield Sample("dropengine_fans", len(room.fans), (label,))
        yield Sample("dropengine_slow_seats", room.fan_out.slow, (label,))
        if room.view is None:
            continue
        seq = room.view.seq
        yield Sample("dropengine_log_events_total", seq, (label,), seq)
        shown = shown_state(room.view)
        for one in SHOWN:
            yield Sample("dropengine_drop_state", int(one == shown), (label, ("state", one)), seq)
        for row in room.view.pools:
            for state in UNITS:
                labels = (label, ("pool", row.id), ("state", state))
                yield Sample("dropengine_units", getattr(row, state), labels, seq)
            yield Sample("dropengine_offered_units", row.offered, (label, ("pool", row.id)), seq)
            yield Sample("dropengine_waiting", row.waiting, (label, ("pool", row.id)), seq)


def of_selling(hub: Hub) -> Iterator[Sample]:
    """How fast commands are decided here, and what the others were refused with."""
    measured = Measured()
    for one in hub.measured.values():
        measured.take(one)
    yield from of_histogram("dropengine_press_seconds", measured.press_s)
    yield from of_histogram("dropengine_batch_commands", measured.batch)
    yield from of_histogram("dropengine_server_seconds", measured.server_s)
    yield from of_histogram("dropengine_loop_lag_seconds", hub.loop_lag_s)
    for drop, codes in hub.refused.items():
        for code, count in codes.items():
            labels = (("drop", drop), ("code", code))
            yield Sample("dropengine_refused_total", count, labels)
    yield Sample("dropengine_durable", int(hub.durable))


def of_histogram(name: str, histogram: Histogram) -> Iterator[Sample]:
    """Its buckets, their sum and their count."""
    count = 0
    for bound, count in zip((*histogram.bounds, math.inf), histogram.rising(), strict=True):
        label = ("le", "+Inf" if math.isinf(bound) else f"{bound:g}")
        yield Sample(f"{name}_bucket", count, (label,))
    yield Sample(f"{name}_sum", histogram.sum)
    yield Sample(f"{name}_count", count)


def of_settling(jobs: JobRunner) -> Iterator[Sample]:
    """How long ago this process last settled what was due."""
    yield Sample("dropengine_settler_age_seconds", round(jobs.age_s(Settling.name), 3))


def of_freezes(settling: Settling) -> Iterator[Sample]:
    """Drops that stand still until a person has looked: an alarm each."""
    for drop, why in settling.frozen.items():
        yield Sample("dropengine_drop_frozen", 1, (("drop", drop), ("why", why)))


def of_memory(watch: ServerWatch) -> Iterator[Sample]:
    """How full the server of the truth is."""
    yield Sample("dropengine_memory_used_bytes", watch.used_bytes)
    yield Sample("dropengine_memory_max_bytes", watch.max_bytes)
    yield Sample("dropengine_memory_alarm_percent", watch.alarm_percent)


def of_duties(duties: Duties) -> Iterator[Sample]:
    """What a person has to see to: known where the duties are done."""
    for drop, ids in duties.set_aside.items():
        yield Sample("dropengine_duties_set_aside", len(ids), (("drop", drop),))


def of_money(reconciling: Reconciling) -> Iterator[Sample]:
    """What two rounds of comparing found alike: known where it is compared."""
    for drop, count in reconciling.differences.items():
        yield Sample("dropengine_money_differences", count, (("drop", drop),))


def of_owed(duties: Duties) -> Iterator[Sample]:
    """What is owed outside, by drop."""
    for drop, count in duties.owing.items():
        yield Sample("dropengine_duties", count, (("drop", drop),))


def of_processes(table: ProcessTable | None) -> Iterator[Sample]:
    """The shop's processes on this machine, where there is a supervisor that looks after them."""
    if table is None:
        return
    for state in STATES:
        count = sum(row.state == state for row in table.processes)
        yield Sample("dropengine_processes", count, (("state", state),))
    for row in table.processes:
        label = ("process", str(row.process))
        yield Sample("dropengine_process_starts_total", row.starts, (label,))
    yield Sample("dropengine_supervisor_age_seconds", round(table.looked_s, 3))
