"""The demo: a shop, a drop that opens in 20 seconds, a simulated crowd, and a link for you.

It goes on until Ctrl-C. Whatever of it is killed, starting it again works, and its supervisor is
started again by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time

from dropengine import manifest, outcomes
from dropengine.config import Settings
from dropengine.errors import DropEngineError, Unavailable
from dropengine.manifest import Manifest
from dropengine.model import DropId
from dropengine.rehearsal.fans import Crowd, plans
from dropengine.rehearsal.passes import Passes
from dropengine.rehearsal.practice_drops import fresh_id, shipped
from dropengine.rehearsal.practice_shop import Interrupted, PracticeShop, for_crowd, play
from dropengine.terminal import summary
from dropengine.terminal.progress import Progress
from dropengine.truth.replies import BEYOND, ViewReply
from dropengine.truth.store import Store

OPENS_IN_S = 20
WATCH_S = 0.5
EXAMPLE = "eclipse-pin.toml"
BY = "o1"
"""Of simulated operators there is one."""
LIVES_MAX = 20
"""A supervisor that ends so often is not being killed for fun."""


def run(settings: Settings, *, file: str | None, fans: int, seed: int) -> int:
    """Play until Ctrl-C. Raises DropEngineError when the shop cannot be opened."""
    shop = PracticeShop(for_crowd(settings, fans))
    drop = shipped(file or EXAMPLE)
    with Progress() as progress, contextlib.suppress(Interrupted):
        play(_play(shop, drop, fans, seed, progress))
    return 0


async def _play(
    shop: PracticeShop, wanted: Manifest, fans: int, seed: int, progress: Progress
) -> None:
    try:
        await shop.start()
        store = shop.store()
        signing_in = Passes(shop.settings).signing_in([wanted])
        crowd = Crowd(shop.url, seed=seed, sign_in=signing_in)
        try:
            drop = await _publish(store, wanted)
            _invite(progress, shop.url, drop)
            await _crowd(crowd, drop, fans, seed)
            await _watch(shop, store, crowd, drop, progress)
        finally:
            await crowd.close()
            await store.close()
    finally:
        progress.close()
        await shop.stop()


async def _publish(store: Store, wanted: Manifest) -> Manifest:
    opens_ms = int((time.time() + OPENS_IN_S) * 1000)
    drop = manifest.with_opening(wanted, fresh_id(wanted.id), opens_ms)
    outcome = await store.publish(drop, by=BY, key=secrets.token_hex(8))
    if not isinstance(outcome, outcomes.Changed):
        raise DropEngineError(f"{drop.id} cannot be published: {outcome}")
    return drop


def _invite(progress: Progress, url: str, drop: Manifest) -> None:
    progress.plain(
        f"""
{drop.title}: {summary.units(drop)}, and it opens in {OPENS_IN_S} seconds.

  your page    {url}/drops/{drop.id}
  the wall     {url}/drops/{drop.id}/wall

Open your page and be quick: the others are. Ctrl-C ends it.
"""
    )


async def _crowd(crowd: Crowd, drop: Manifest, fans: int, seed: int) -> None:
    pools = sum(len(item.pools) for item in drop.items)
    for number in range(fans):
        person = plans.plan(seed, number, "plain", pools=pools)
        crowd.enter(drop.id, person, opens_ms=drop.opens_ms)

    async def announce() -> None:
        await asyncio.sleep(max(0.0, drop.opens_ms / 1000 - time.time()))
        crowd.opened.set()

    crowd.start(announce())


async def _watch(
    shop: PracticeShop, store: Store, crowd: Crowd, drop: Manifest, progress: Progress
) -> None:
    """Tell how it goes, and keep the shop alive, until somebody ends us."""
    state, lives = "", 1
    while True:
        await asyncio.sleep(WATCH_S)
        if shop.ended():
            lives += 1
            if lives > LIVES_MAX:
                raise DropEngineError("The supervisor ends again and again; its words are above.")
            progress.say("the supervisor has ended; it is started again")
            await shop.again()
        try:
            view = await store.view(DropId(drop.id), BEYOND, BEYOND)
        except Unavailable:
            progress.now("the server of the truth is away for a moment; nothing is lost")
            continue
        if not isinstance(view, ViewReply):
            raise DropEngineError(f"{drop.id} cannot be watched: {view}")
        if view.state != state:
            state = view.state
            progress.say(f"{drop.id} is {state}")
        progress.now(summary.in_one_line([view], crowd.connected))
