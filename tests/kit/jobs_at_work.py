"""Jobs of a worker at work in the test's own loop, and sales in real time for them to work on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from dropengine import outcomes
from dropengine.config import Settings
from dropengine.jobs.duties import Duties, Perform
from dropengine.jobs.job_runner import Job, JobRunner
from dropengine.jobs.settle import Settling
from dropengine.model import DropId, DutyRecord
from dropengine.truth.store import Store
from tests.kit.manifests import item, manifest
from tests.kit.sale import Sale
from tests.kit.web_process import LONG_S, SECRET, until


def conf(**more: int) -> Settings:
    """Settings of a job that has no time."""
    return Settings(data_dir=Path(), secret_key=SECRET, **({"settle_ms": 10} | more))  # type: ignore[arg-type]


async def nothing(_drop: DropId, _duty_id: str, _duty: DutyRecord) -> None:
    """No duty is done."""


@asynccontextmanager
async def at_work(*jobs: Job) -> AsyncIterator[JobRunner]:
    """Jobs that come round until the end of the block."""
    runner = JobRunner()
    for job in jobs:
        runner.repeat(job)
    try:
        yield runner
    finally:
        await runner.close()


@asynccontextmanager
async def settling(store: Store, perform: Perform = nothing) -> AsyncIterator[JobRunner]:
    """One worker's settling and its duties."""
    duties = Duties(store, perform)
    async with at_work(duties, Settling(store, conf(), duties.begin)) as runner:
        try:
            yield runner
        finally:
            await runner.close()
            await duties.close()


async def rounds(runner: JobRunner, job: str = Settling.name, count: int = 3) -> None:
    """So many whole rounds begin and end from here."""
    for _ in range(count):
        last = runner.round_at.get(job, 0.0)
        await until(lambda last=last: runner.round_at.get(job, 0.0) > last)  # type: ignore[misc]


async def real(store: Store, name: str = "sale", *, cap: int = 3, **rules: int) -> Sale:
    """A live drop of so many pins in real time."""
    sale = Sale(store, name, now=0)
    await sale.publish(manifest(name, item("pin", {"pin": cap}), **rules))
    await sale.creator("open")
    return sale


async def paid(sale: Sale, fan: str) -> str:
    """An order whose charge is still to be captured; its duty."""
    hold = await sale.held(fan)
    assert isinstance(await sale.succeeded(hold), outcomes.Paid)
    payment = (await sale.truth()).orders[hold].payment
    # Nobody pays it once more: its intent is shut.
    await sale.discharge(f"cancel:{payment}")
    return f"capture:{payment}"


async def comes(sale: Sale, state: str) -> None:
    """Until the drop is in this state, by itself."""
    async with asyncio.timeout(LONG_S):
        while (await sale.truth()).drop["state"] != state:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
