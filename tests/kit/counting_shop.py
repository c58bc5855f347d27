"""The real application, which also says what its process has open."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from dropengine import app
from dropengine.config import Settings
from dropengine.doors.connection_limits import CONNECTION

KIB = 1024
PAGE = os.sysconf("SC_PAGE_SIZE")


def _of_a_connection(number: str) -> bool:
    """Not one of SQL, which is opened when the first minute is written down."""
    try:
        return "sqlite" not in str(Path(f"/proc/self/fd/{number}").readlink())
    except OSError:
        # That of the look itself.
        return True


def _memory_kib() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE // KIB


def build(settings: Settings) -> app.Application:
    """`GET /counts`: descriptors, tasks and seats, connections of the busiest network, memory."""
    application = app.build(settings)
    hub = application.state.runtime.hub

    async def counts(request: Request) -> JSONResponse:
        connection = request.scope["extensions"][CONNECTION]
        networks = Counter(
            one.client[0]
            for one in connection.connections
            # One that is closed and has nothing to send is gone in a moment.
            if one.client
            and (not one.transport.is_closing() or one.transport.get_write_buffer_size())
        )
        return JSONResponse(
            {
                "files": sum(map(_of_a_connection, os.listdir("/proc/self/fd"))),  # noqa: PTH208
                "tasks": len(asyncio.all_tasks()),
                "seats": hub.seats,
                "connections": len(connection.connections),
                "of_one": max(networks.values()),
                "kib": _memory_kib(),
            }
        )

    application.router.routes.append(Route("/counts", counts))
    return application
