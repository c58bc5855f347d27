"""How the shop is, in sentences; its settings; and what was done at a maker."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Protocol

from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from dropengine import __version__, config
from dropengine.config import Settings
from dropengine.data_directory import noted_origins
from dropengine.doors.process_table import Siblings, samples_of, siblings_of
from dropengine.doors.studio.panel_door import Panel, PanelCall
from dropengine.jobs.disk_watch import disk_free_mib
from dropengine.jobs.findings import Finding, Level, durability, memory
from dropengine.jobs.job_runner import JobRunner
from dropengine.jobs.server_watch import ServerWatch
from dropengine.jobs.settle import Settling
from dropengine.jobs.trial import Trial
from dropengine.log.in_words import BY
from dropengine.people import audit_trail, makers
from dropengine.people.audit_trail import PAGE_MAX
from dropengine.people.roles import May
from dropengine.sql.database import Database

SHOP = "/studio/shop"
AUDIT = "/studio/makers/{maker}/audit"
LATE_S = 10.0
BEHIND_S = 30.0
LAG = "dropengine_ledger_lag_seconds"


class Deps(Protocol):
    """What these pages need of the web process."""

    @property
    def settings(self) -> Settings: ...
    @property
    def trial(self) -> Trial: ...
    @property
    def server_watch(self) -> ServerWatch: ...
    @property
    def jobs(self) -> JobRunner: ...


class ShopPages:
    """One method a page."""

    def __init__(self, deps: Deps, database: Database) -> None:
        self._deps = deps
        self._database = database

    def routes(self, panel: Panel) -> list[Route]:
        """Both."""
        self._panel = panel
        return [panel.route("GET", SHOP, self.shop), panel.route("GET", AUDIT, self.audit)]

    async def shop(self, call: PanelCall) -> Response:
        """GET /studio/shop: a sentence for each thing that could stop a sale."""

        def asked(sql: Connection) -> tuple[str, str]:
            first = makers.first(sql)
            kind = "PostgreSQL" if sql.dialect.name == "postgresql" else "SQLite"
            return first.id if first else "", kind

        first, kind = await self._database.read(asked)
        settings = self._deps.settings
        owns = call.caller.makers.get(first, (None, May.READ))[1] >= May.MANAGE
        found = [
            *self._server(),
            *_books(kind, siblings_of(call.request.scope)),
            *_processes(siblings_of(call.request.scope)),
        ]
        return self._panel.page(
            call,
            "studio-shop.html",
            found=found,
            stops=any(one.level is Level.STOP for one in found),
            settings=[*config.in_force(settings, noted_origins(settings))] if owns else [],
            version=__version__,
        )

    def _server(self) -> Iterator[Finding]:
        verdict, facts = self._deps.trial.verdict(), self._deps.server_watch.facts
        if verdict.server == "ok":
            yield Finding(Level.OK, "selling", "A hold can be granted and written down now.")
        else:
            yield Finding(Level.STOP, "selling", f"Nothing can be sold now: {verdict.why}.")
        if facts is not None:
            yield Finding(Level.OK, "server", f"{facts.name.capitalize()} {facts.version}.")
            yield durability(facts)
            yield memory(facts)
        late_s = self._deps.jobs.age_s(Settling.name)
        if late_s >= LATE_S:
            yield Finding(Level.STOP, "time", "What is due was not settled for a while.")
        else:
            yield Finding(Level.OK, "time", f"What is due was settled {late_s:.1f} s ago.")
        yield self._disk()

    def _disk(self) -> Finding:
        settings = self._deps.settings
        free_mib, least_mib = disk_free_mib(settings.data_dir), settings.disk_free_mib_min
        told = f"{free_mib:,} MiB are free; below {least_mib:,} sales pause."
        return Finding(Level.STOP if free_mib < least_mib else Level.OK, "disk", told)

    async def audit(self, call: PanelCall) -> Response:
        """GET /studio/makers/{maker}/audit: `?before=` the last row of the page before."""
        maker, before = call.maker, call.request.query_params.get("before", "")[:64]
        rows = await self._database.read(lambda sql: audit_trail.page(sql, maker.id, before))
        return self._panel.page(
            call,
            "studio-audit.html",
            maker=maker,
            rows=rows,
            names=BY,
            before=rows[-1].id if len(rows) == PAGE_MAX else "",
        )


def _books(kind: str, siblings: Siblings | None) -> Iterator[Finding]:
    yield Finding(Level.OK, "people", f"People and books are kept in {kind}.")
    for sample in chain.from_iterable(samples_of(siblings).values()):
        if sample.name == LAG:
            if sample.value >= BEHIND_S:
                told = f"The books are {sample.value:.0f} s behind; no sale waits for them."
                yield Finding(Level.WARN, "books", told)
            else:
                yield Finding(Level.OK, "books", "The books are up to date.")


def _processes(siblings: Siblings | None) -> Iterator[Finding]:
    table = None if siblings is None else siblings.table()
    for row in [] if table is None else table.processes:
        starts = "" if row.starts == 1 else f", started {row.starts} times"
        told = f"Web process {row.process} is {row.state}{starts}."
        yield Finding(Level.OK if row.state == "up" else Level.WARN, "web", told)
