"""The numbers of a shop on this machine, for whoever watches it: Prometheus text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Protocol
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dropengine import refusals
from dropengine.config import Settings, is_loopback, public_url
from dropengine.doors.http_answers import problem
from dropengine.doors.identity import Identity, by_name
from dropengine.doors.process_table import ProcessTable, siblings_of
from dropengine.doors.prometheus import Adds, Family, Sample, added, text
from dropengine.jobs.duties import Duties
from dropengine.jobs.job_runner import JobRunner
from dropengine.jobs.server_watch import ServerWatch
from dropengine.jobs.settle import Settling
from dropengine.live.hub import Hub

DOOR: Final = "/metrics"
KIND: Final = "text/plain; version=0.0.4"
FAMILIES: Final = {
    "dropengine_seats": Family("gauge", "Open sockets and streams of a drop.", Adds.SUM),
    "dropengine_fans": Family("gauge", "Fans seated at a drop, once a process.", Adds.SUM),
    "dropengine_units": Family("gauge", "Units of a pool by state.", Adds.NEWEST),
    "dropengine_log_events_total": Family("counter", "Events in a drop's log.", Adds.NEWEST),
    "dropengine_settler_age_seconds": Family(
        "gauge",
        "Time since due things were last settled, in the process where it is longest.",
        Adds.MOST,
    ),
    "dropengine_drop_frozen": Family(
        "gauge", "A drop that stands still until a person has looked, and why.", Adds.MOST
    ),
    "dropengine_memory_used_bytes": Family("gauge", "Memory that the server uses.", Adds.MOST),
    "dropengine_memory_max_bytes": Family(
        "gauge", "Memory that the server may use; 0: no limit of its own.", Adds.MOST
    ),
    "dropengine_memory_alarm_percent": Family(
        "gauge", "The highest memory alarm that is reached, in percent of the limit.", Adds.MOST
    ),
    "dropengine_duties_set_aside": Family(
        "gauge",
        "Duties of a drop that cannot be read or that the provider does not do: a person has to "
        "see to that money.",
        Adds.MOST,
    ),
    "dropengine_processes": Family("gauge", "Web processes by state.", Adds.SUM),
    "dropengine_process_starts_total": Family(
        "counter", "How often a web process was started.", Adds.SUM
    ),
    "dropengine_supervisor_age_seconds": Family(
        "gauge", "Time since the supervisor last looked at its processes.", Adds.SUM
    ),
}
"""Every number by name: its kind, what it says, and how those of several processes become one."""
UNITS = ("free", "held", "sold", "withheld", "leased")
STATES = ("up", "starting", "silent", "ended")

_samples = msgspec.json.Decoder(list[Sample])


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
    def settling(self) -> Settling: ...
    @property
    def server_watch(self) -> ServerWatch: ...
    @property
    def duties(self) -> Duties: ...


def routes(deps: Deps) -> list[Route]:
    """The one address of numbers."""
    may_read = reader(deps.settings, deps.identity)

    async def metrics(request: Request) -> Response:
        if not may_read(request):
            return problem(None, refusals.NotEligible())
        siblings = siblings_of(request.scope)
        others = [] if siblings is None else siblings.numbers()
        table = None if siblings is None else siblings.table()
        shop = added([own(deps), *map(_samples.decode, others)], FAMILIES)
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
        *of_drops(deps.hub),
        *of_settling(deps.jobs),
        *of_freezes(deps.settling),
        *of_memory(deps.server_watch),
        *of_duties(deps.duties),
    ]


def of_drops(hub: Hub) -> Iterator[Sample]:
    """Sockets, fans, units and the log of each drop that is watched here."""
    for drop, room in hub.rooms.items():
        label = ("drop", drop)
        yield Sample("dropengine_seats", len(room.seats), (label,))
        yield Sample("dropengine_fans", len(room.fans), (label,))
        if room.view is None:
            continue
        seq = room.view.seq
        yield Sample("dropengine_log_events_total", seq, (label,), seq)
        for row in room.view.pools:
            for state in UNITS:
                labels = (label, ("pool", row.id), ("state", state))
                yield Sample("dropengine_units", getattr(row, state), labels, seq)


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
