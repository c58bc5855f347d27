"""The report of one rehearsal, put together from all that was found."""

from __future__ import annotations

import time
from typing import Final

import msgspec

from dropengine import manifest
from dropengine.config import Settings
from dropengine.manifest import Manifest
from dropengine.processes.open_file_limit import raise_file_limit
from dropengine.rehearsal import findings, machine, place, promises
from dropengine.rehearsal.clone import Clone
from dropengine.rehearsal.verdicts import Judgement
from dropengine.rehearsal_report import Asked, Capacity, RehearsalReport, Seen

SENTENCES_MAX: Final = 20


def report_of(
    settings: Settings,
    drop: Manifest,
    asked: Asked,
    played: Clone,
    judgement: Judgement,
    capacity: Capacity | None,
    *,
    seed: int,
    took_s: float,
    server: str,
    cut_short: str,
    last: RehearsalReport | None,
) -> RehearsalReport:
    """server: its name and version. last: the rehearsal before, to compare with."""
    made, report = played.manifest, judgement.report
    units = sum(pool.cap - pool.withheld for item in made.items for pool in item.pools)
    night = findings.seen(judgement, asked.fans, units)
    where, python = machine.about()
    found = RehearsalReport(
        drop=drop.id,
        title=drop.title,
        maker=drop.maker,
        hash=manifest.digest(drop),
        at_ms=int(time.time() * 1000),
        took_s=round(took_s, 1),
        asked=asked,
        seed=seed,
        factor=played.factor,
        times=played.times,
        machine=where,
        versions=f"{python}, {server}",
        web_processes=settings.web_concurrency,
        lifted=[*place.LIFTED],
        passed=report.honest,
        promises=promises.promises(judgement),
        violations=[str(one) for one in report.violations[:SENTENCES_MAX]],
        violations_total=report.violations_total,
        seen=night,
        capacity=capacity,
        breaks_first=findings.breaks_first(capacity, machine.cores()) if capacity else "",
        advice=_advice(settings, capacity, night),
        changes=[],
        changed_since_ms=last.at_ms if last else 0,
        cut_short=cut_short,
        launched=judgement.launched,
    )
    return msgspec.structs.replace(found, changes=findings.changes(found, last))


def _advice(settings: Settings, capacity: Capacity | None, night: Seen) -> list[str]:
    steps = [*capacity.presses.steps, *capacity.watchers.steps] if capacity else []
    return findings.advice(
        capacity,
        night,
        web_processes=settings.web_concurrency,
        cores=machine.cores(),
        file_limit=raise_file_limit(),
        server_mib=findings.most_mib(steps, findings.SERVER),
        fans=night.fans,
    )
