"""Is this process alive, and is it ready to sell."""

from __future__ import annotations

import logging
from typing import Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dropengine import __version__
from dropengine.errors import Unavailable
from dropengine.jobs.job_runner import JobRunner
from dropengine.jobs.settle import Settling
from dropengine.live.hub import Hub
from dropengine.model import DropId
from dropengine.truth.store import Store

log = logging.getLogger(__name__)

SETTLER_LATE_S = 10.0


class Deps(Protocol):
    """What these doors need of the web process."""

    @property
    def store(self) -> Store: ...
    @property
    def hub(self) -> Hub: ...
    @property
    def jobs(self) -> JobRunner: ...
    @property
    def settling(self) -> Settling: ...


class Health(msgspec.Struct, frozen=True):
    """`durability`: `every sale is on disk`, or what may be lost. `server`: ok or away. `frozen`:
    drops that stand still until a person has looked; the shop can sell all others."""

    ready: bool
    server: str
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

    async def alive(self, _: Request) -> Response:
        """GET /healthz: 200 while this process answers."""
        return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})

    async def ready(self, _: Request) -> Response:
        """GET /readyz: 200 when it can sell, 503 and why when it cannot."""
        try:
            await self._deps.store.time_ms()
            server = "ok"
        except Unavailable as error:
            # Where it is and how it failed is for the log alone.
            log.info("not ready: %s", error)
            server = "away"
        late = self._deps.jobs.age_s(Settling.name)
        settler = "ok" if late < SETTLER_LATE_S else f"late by {late:.0f} s"
        durability = (
            "every acknowledged sale is on disk"
            if self._deps.hub.durable
            else "a power cut may lose about a second of sales"
        )
        ready = server == "ok" and settler == "ok"
        frozen = sorted(self._deps.settling.frozen)
        seats = self._deps.hub.seats
        health = Health(ready, server, durability, settler, seats, __version__, frozen)
        return Response(
            msgspec.json.encode(health),
            200 if ready else 503,
            {"Cache-Control": "no-store"},
            media_type="application/json",
        )
