"""The process of a rehearsal that was asked for in the panel: one line says what, lines say how it
goes, and it ends when its pipe does."""

from __future__ import annotations

import asyncio
import contextlib

import msgspec
import uvloop

from dropengine import config
from dropengine.processes import parent_death, parent_pipe
from dropengine.processes.parent_pipe import ParentPipe
from dropengine.processes.rehearsal_pipe import RehearsalNews, RehearsalTask
from dropengine.rehearsal.own_drop import OwnDrop
from dropengine.rehearsal_report import Progress, RehearsalReport


def main() -> None:
    """Rehearse until it is done, or until whoever asked has gone."""
    task = msgspec.json.decode(parent_death.read_line(), type=RehearsalTask)
    settings = config.from_json(bytes(task.settings))
    pipe = ParentPipe()
    parent_pipe.log_to_stderr(settings, "rehearsal")

    def tell(now: Progress) -> None:
        pipe.say(RehearsalNews(progress=now))

    async def rehearsed() -> RehearsalReport | None:
        one = OwnDrop(settings, task.drop, task.asked, last=task.last, tell=tell)
        work = asyncio.create_task(one.rehearse())
        loop = asyncio.get_running_loop()

        def gone() -> None:
            # The loop may be over already, and with it what there was to stop.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(work.cancel)

        parent_death.when_pipe_ends(gone)
        try:
            return await work
        except asyncio.CancelledError:
            return None

    def play() -> None:
        report = uvloop.run(rehearsed())
        if report is not None:
            pipe.say(RehearsalNews(report=report))

    parent_pipe.or_report(pipe, play)
