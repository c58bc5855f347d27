"""The demo: a shop, a drop that opens in 20 seconds, a simulated crowd, and a link for you.

It goes on until Ctrl-C. Whatever of it is killed, starting it again works, and its supervisor is
started again by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

import msgspec

from dropengine import manifest
from dropengine.config import Settings
from dropengine.errors import DropEngineError, Unavailable
from dropengine.manifest import Manifest
from dropengine.model import DropId
from dropengine.rehearsal import game
from dropengine.rehearsal.fans import Crowd, plans
from dropengine.rehearsal.passes import Passes
from dropengine.rehearsal.practice_drops import fresh_id, hurried, in_mode, shipped
from dropengine.rehearsal.practice_shop import Interrupted, PracticeShop, for_crowd, play
from dropengine.terminal import summary
from dropengine.terminal.progress import Progress
from dropengine.truth.replies import BEYOND, ViewReply
from dropengine.truth.store import Store

OPENS_IN_S = 20
LISTED_S = 40
"""How long the list is open that chance orders: time for you to find your page and enter."""
WATCH_S = 0.5
EXAMPLE = "eclipse-pin.toml"
BY = "o1"
"""Of simulated operators there is one."""
LIVES_MAX = 20
"""A supervisor that ends so often is not being killed for fun."""


def run(settings: Settings, *, file: str | None, mode: str | None, fans: int, seed: int) -> int:
    """Play until Ctrl-C. mode: None as the drop says. Raises DropEngineError when the shop cannot
    be opened."""
    shop = PracticeShop(for_crowd(settings, fans))
    drop = shipped(file or EXAMPLE)
    if mode is not None:
        drop = in_mode(drop, mode)
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
            drop = await _publish(shop, store, wanted)
            _invite(progress, shop.url, drop)
            await _crowd(shop, store, crowd, drop, fans, seed, progress)
            await _watch(shop, store, crowd, drop, progress)
        finally:
            await crowd.close()
            await store.close()
    finally:
        progress.close()
        await shop.stop()


async def _publish(shop: PracticeShop, store: Store, wanted: Manifest) -> Manifest:
    """A list is open for seconds, which only a practice drop may say, from now on in a lobby; and
    friends count in as many."""
    if wanted.window_ms:
        window_ms = (OPENS_IN_S if wanted.mode == "lobby" else LISTED_S) * 1000
        wanted = msgspec.structs.replace(
            wanted, practice=True, window_ms=window_ms, calls_from_ms=0, calls_to_ms=0
        )
    if wanted.game is not None:
        wanted = msgspec.structs.replace(wanted, game=hurried(wanted.game))
    opens_ms = int((time.time() + OPENS_IN_S) * 1000)
    drop = manifest.with_opening(wanted, fresh_id(wanted.id), opens_ms)
    await shop.publish(store, drop, BY)
    return drop


def _invite(progress: Progress, url: str, drop: Manifest) -> None:
    when = f"it opens in {OPENS_IN_S} seconds"
    hint = "Open your page and be quick: the others are."
    if drop.window_ms:
        hint = (
            "Open your page and enter the list: chance puts it in its order, being quick does not."
        )
        if drop.mode != "lobby":
            when = f"its list opens in {OPENS_IN_S} seconds, for {drop.window_ms // 1000}"
    progress.plain(
        f"""
{drop.title}: {summary.units(drop)}, and {when}.

  your page    {url}/drops/{drop.id}
  the wall     {url}/drops/{drop.id}/wall

{hint} Ctrl-C ends it.
"""
    )


async def _crowd(
    shop: PracticeShop,
    store: Store,
    crowd: Crowd,
    drop: Manifest,
    fans: int,
    seed: int,
    progress: Progress,
) -> None:
    pools = sum(len(item.pools) for item in drop.items)
    for number in range(fans):
        person = plans.plan(seed, number, "plain", pools=pools)
        crowd.enter(drop.id, person, opens_ms=drop.opens_ms)

    async def announce() -> None:
        opens_ms = drop.opens_ms - (drop.window_ms if drop.mode == "lobby" else 0)
        await asyncio.sleep(max(0.0, opens_ms / 1000 - time.time()))
        crowd.opened.set()
        await game.hosted(shop.settings, store, [drop], crowd, progress.say)

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
