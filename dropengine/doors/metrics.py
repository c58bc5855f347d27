"""The numbers of one web process, for whoever watches it: Prometheus text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dropengine.jobs.duties import Duties
from dropengine.jobs.job_runner import JobRunner
from dropengine.jobs.server_watch import ServerWatch
from dropengine.jobs.settle import Settling
from dropengine.live.hub import Hub

KINDS = {
    "dropengine_seats": "gauge",
    "dropengine_fans": "gauge",
    "dropengine_units": "gauge",
    "dropengine_log_length": "counter",
}
"""What is counted for each drop."""
UNITS = ("free", "held", "sold", "withheld", "leased")


class Deps(Protocol):
    """What this door needs of the web process."""

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

    async def metrics(_: Request) -> Response:
        lines = [
            *of_drops(deps.hub),
            *of_settling(deps.jobs),
            *of_freezes(deps.settling),
            *of_memory(deps.server_watch),
            *of_duties(deps.duties),
        ]
        text = "\n".join(lines) + "\n"
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    return [Route("/metrics", metrics, methods=["GET"])]


def of_drops(hub: Hub) -> Iterator[str]:
    """Sockets, fans, units and the log of each drop that is watched here."""
    yield from (f"# TYPE {name} {kind}" for name, kind in KINDS.items())
    for drop, room in hub.rooms.items():
        yield f'dropengine_seats{{drop="{drop}"}} {len(room.seats)}'
        yield f'dropengine_fans{{drop="{drop}"}} {len(room.fans)}'
        if room.view is None:
            continue
        yield f'dropengine_log_length{{drop="{drop}"}} {room.view.seq}'
        for row in room.view.pools:
            for state in UNITS:
                label = f'drop="{drop}",pool="{row.id}",state="{state}"'
                yield f"dropengine_units{{{label}}} {getattr(row, state)}"


def of_settling(jobs: JobRunner) -> Iterator[str]:
    """How long ago this process last settled what was due."""
    late = jobs.age_s(Settling.name)
    yield "# TYPE dropengine_settler_age_seconds gauge"
    yield f"dropengine_settler_age_seconds {late:.3f}"


def of_freezes(settling: Settling) -> Iterator[str]:
    """Drops that stand still until a person has looked: an alarm each."""
    yield "# TYPE dropengine_drop_frozen gauge"
    for drop, why in settling.frozen.items():
        yield f'dropengine_drop_frozen{{drop="{drop}",why="{why}"}} 1'


def of_memory(watch: ServerWatch) -> Iterator[str]:
    """How full the server of the truth is, in bytes, and the highest alarm that is reached, in
    percent of its limit."""
    for name, value in (
        ("dropengine_memory_used_bytes", watch.used_bytes),
        ("dropengine_memory_max_bytes", watch.max_bytes),
        ("dropengine_memory_alarm_percent", watch.alarm_percent),
    ):
        yield f"# TYPE {name} gauge"
        yield f"{name} {value}"


def of_duties(duties: Duties) -> Iterator[str]:
    """What a person has to see to: known where the duties are done."""
    yield "# TYPE dropengine_duties_set_aside gauge"
    for drop, ids in duties.set_aside.items():
        yield f'dropengine_duties_set_aside{{drop="{drop}"}} {len(ids)}'
