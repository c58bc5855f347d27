"""Is this process alive, and is it ready to sell."""

from __future__ import annotations

import os
from typing import Final, Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dropengine import __version__
from dropengine.doors.process_table import ProcessTable, siblings_of
from dropengine.jobs.job_runner import JobRunner
from dropengine.jobs.server_watch import ServerWatch
from dropengine.jobs.settle import Settling
from dropengine.jobs.trial import Trial
from dropengine.live.hub import Hub
from dropengine.model import DropId

DOORS: Final = frozenset({"/healthz", "/readyz"})
"""Whoever keeps it running asks these by an address, or by no name at all."""
SETTLER_LATE_S = 10.0


class Deps(Protocol):
    """What these doors need of the web process."""

    @property
    def trial(self) -> Trial: ...
    @property
    def server_watch(self) -> ServerWatch: ...
    @property
    def hub(self) -> Hub: ...
    @property
    def jobs(self) -> JobRunner: ...
    @property
    def settling(self) -> Settling: ...


class Alive(msgspec.Struct, frozen=True):
    """`pid`: who answers. `shop`: what the supervisor sees of all, None where there is none."""

    ok: bool
    pid: int
    shop: ProcessTable | None


class Health(msgspec.Struct, frozen=True):
    """`server`: ok, away, or one word for what else keeps it from selling; `why`: that as a
    sentence, '' while it can. `tried_s`: age of that result. `durability`: what an acknowledged
    sale is worth now. `frozen`: drops that stand still until a person has looked; the shop can sell
    all others."""

    ready: bool
    server: str
    why: str
    tried_s: float
    durability: str
    settler: str
    seats: int
    version: str
    frozen: list[DropId]


def routes(deps: Deps) -> list[Route]:
    """The two doors of whoever keeps it running."""
    health = Doors(deps)
    return [
        Route("/healthz", health.alive, methods=["GET"]),
        Route("/readyz", health.ready, methods=["GET"]),
    ]


class Doors:
    """One method a door."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    async def alive(self, request: Request) -> Response:
        """GET /healthz: 200 while this process answers, with what its supervisor sees of all."""
        siblings = siblings_of(request.scope)
        table = None if siblings is None else siblings.table()
        return Response(
            msgspec.json.encode(Alive(True, os.getpid(), table)),
            headers={"Cache-Control": "no-store"},
            media_type="application/json",
        )

    async def ready(self, _: Request) -> Response:
        """GET /readyz: 200 when it can sell, 503 and why when it cannot. Nothing is waited for."""
        verdict = self._deps.trial.verdict()
        late = self._deps.jobs.age_s(Settling.name)
        settler = "ok" if late < SETTLER_LATE_S else f"late by {late:.0f} s"
        if Settling.name not in self._deps.jobs.round_at:
            settler = "not begun yet"
        facts = self._deps.server_watch.facts
        durability = facts.promise if facts is not None else "not known yet"
        ready = verdict.server == "ok" and settler == "ok"
        health = Health(
            ready,
            verdict.server,
            verdict.why or ("" if ready else f"settling what is due is {settler}"),
            verdict.age_s,
            durability,
            settler,
            self._deps.hub.seats,
            __version__,
            sorted(self._deps.settling.frozen),
        )
        return Response(
            msgspec.json.encode(health),
            200 if ready else 503,
            {"Cache-Control": "no-store"},
            media_type="application/json",
        )
