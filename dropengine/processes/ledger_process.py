"""The process that keeps the books: a loop of its own, so that no press waits while it reads,
derives and writes."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal

import msgspec
import uvloop

from dropengine import config
from dropengine.config import Settings
from dropengine.data_directory import shop_id
from dropengine.doors.prometheus import Sample
from dropengine.jobs.job_runner import JobRunner
from dropengine.jobs.ledger.archiving import Archiving
from dropengine.jobs.ledger.calling import Calling
from dropengine.jobs.ledger.calling_by_mail import CallingByMail
from dropengine.jobs.ledger.calling_listed import CallingListed
from dropengine.jobs.ledger.crediting import Crediting
from dropengine.jobs.ledger.forgetting import Forgetting
from dropengine.jobs.ledger.post import Post
from dropengine.jobs.ledger.projector import Projector
from dropengine.jobs.ledger.pushing import Pushing
from dropengine.jobs.ledger.thinning import Thinning
from dropengine.processes import parent_death, parent_pipe
from dropengine.processes.claim_note import noted_nonce
from dropengine.processes.kept_rehearsals import KeptRehearsals
from dropengine.processes.parent_pipe import Assignment, ParentPipe, Status
from dropengine.processes.shared_page import SharedPage
from dropengine.push import shop_key
from dropengine.sql.database import Database
from dropengine.truth.connections import client
from dropengine.truth.house import Claim
from dropengine.truth.store import Store

NICER_BY = 15
GC_THRESHOLDS = (100_000, 50, 100)
"""A stretch of a log is many small things that refer to nothing in a circle: looking through them
again and again took a sixth of the time."""
TELL_S = 1.0
"""Its numbers are told so often."""
ORPHANED = 70


def main() -> None:
    """Keep the books until told to stop, or until the parent is gone."""
    assignment = msgspec.json.decode(parent_death.read_line(), type=Assignment)
    settings = config.from_json(bytes(assignment.settings))
    parent_death.signal_at_parents_end(assignment.parent, signal.SIGKILL)
    parent_death.when_pipe_ends(lambda: os._exit(ORPHANED))
    # In a rush the books wait for what sells, and catch up after it.
    os.nice(NICER_BY)
    gc.set_threshold(*GC_THRESHOLDS)
    pipe = ParentPipe()
    parent_pipe.log_to_stderr(settings, "ledger")
    page = SharedPage(assignment.page_fds[0])
    parent_pipe.or_report(pipe, lambda: uvloop.run(_run(settings, pipe, page)))


async def _run(settings: Settings, pipe: ParentPipe, page: SharedPage) -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    assert settings.redis_url is not None
    timeout_s = settings.redis_timeout_ms / 1000
    store = Store(
        client(settings.redis_url, timeout_s=timeout_s, connections=1), prefix=settings.redis_prefix
    )
    store.house.claim = Claim(shop_id(settings), noted_nonce(settings.data_dir))
    database = Database(settings)
    projector = Projector(store, database)
    post = Post(store, database, settings)
    pushing = Pushing(store, database, settings, shop_key.of_shop(settings))
    jobs = JobRunner()
    jobs.repeat(projector)
    jobs.repeat(post)
    jobs.repeat(CallingByMail(store, database, settings))
    jobs.repeat(CallingListed(store, database, settings))
    jobs.repeat(Forgetting(database))
    jobs.repeat(Calling(store, database))
    jobs.repeat(Crediting(store, database))
    jobs.repeat(pushing)
    jobs.repeat(Thinning(store, database, settings))
    jobs.repeat(Archiving(store, database, settings))
    jobs.repeat(KeptRehearsals(store, database, settings))
    pipe.say(Status(ready=True))
    try:
        while not told.is_set():
            page.write(msgspec.json.encode(numbers(projector, post, pushing)))
            pipe.say_alive()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), TELL_S)
    finally:
        await jobs.close()
        await pushing.close()
        await database.close()
        await store.close()


def numbers(projector: Projector, post: Post, pushing: Pushing) -> list[Sample]:
    """How far the books are behind and which letters and calls wait: known where that is done."""
    found = []
    if projector.held:
        found += [
            Sample("dropengine_ledger_lag_seconds", round(projector.lag_s, 3)),
            Sample("dropengine_ledger_behind_events", sum(projector.behind.values())),
        ]
    if post.held:
        found += [
            Sample("dropengine_mail_waiting", post.standing.waiting),
            Sample("dropengine_mail_oldest_seconds", round(post.oldest_s, 3)),
            Sample("dropengine_mail_away", int(post.away != "")),
        ]
    if pushing.held:
        found.append(Sample("dropengine_push_waiting", pushing.waiting))
    return found
