"""`dropengine reconcile`: what was paid beside what the log says, and the drop goes on."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from dropengine import data_directory, refusals
from dropengine.config import Settings
from dropengine.jobs.duties import Duties
from dropengine.model import OPERATOR, DropId, DutyRecord
from dropengine.payments.duties import perform, report
from dropengine.processes.embedded_server import EmbeddedServer
from dropengine.truth.house import Claim
from dropengine.truth.replies import Claimed
from dropengine.truth.store import Store
from tests.cli.test_backup_commands import NAME
from tests.cli.test_main import Run, data_dir, run, shop
from tests.kit.copied_shop import DROP, first_run, with_store
from tests.kit.manifests import item, manifest
from tests.kit.shops_till import Till

__all__ = ["data_dir", "run", "shop"]

BOOK = "localpay.sqlite"
T = TypeVar("T")


def with_till(settings: Settings, work: Callable[[Till], Awaitable[T]], drop: str = DROP) -> T:
    async def done(store: Store) -> T:
        till = Till(store, settings, drop)
        try:
            return await work(till)
        finally:
            await till.close()

    return with_store(settings, done)


async def begin(till: Till) -> None:
    await till.sale.publish(manifest(till.sale.drop, item("pin", {"pin": 5})))
    await till.sale.creator("open")
    await till.paid("ana", told=True)
    await till.sale.held("ben")


async def go_on(till: Till) -> None:
    """After the copy: ben pays his hold, cleo holds and pays, ana's money goes back."""
    await till.pays("ben", "h2", told=True)
    await till.paid("cleo", told=True)
    (ana, *_) = await till.provider.kept(0)  # type: ignore[misc]
    await till.provider.capture(ana.paid.charge, 2400, "capture")
    await till.provider.refund(ana.paid.charge, 2400, "refund")


@pytest.fixture
def restored(run: Run, shop: Path, tmp_path: Path) -> Iterator[Settings]:
    """Copied, then sold more, then lost; the provider lives on."""
    old, new = Settings(data_dir=shop), Settings(data_dir=tmp_path / "new")
    first_run(old)
    with_till(old, begin)
    assert run("backup", tmp_path / "copy").code == 0
    with_till(old, go_on)
    words = ("restore", tmp_path / "copy", "--data-dir", new.data_dir, "--shop", NAME)
    assert run(*words).code == 0
    shutil.copy(shop / BOOK, new.data_dir / BOOK)
    for part in ("-wal", "-shm"):
        if (shop / f"{BOOK}{part}").exists():
            shutil.copy(shop / f"{BOOK}{part}", new.data_dir / f"{BOOK}{part}")
    with EmbeddedServer(new):
        yield new


async def duties_of(till: Till) -> dict[str, str]:
    """What a worker does in one round at the provider."""
    done: dict[str, str] = {}
    store = till.sale.store

    async def one(drop: DropId, duty_id: str, duty: DutyRecord) -> str:
        done[duty_id] = await perform(store, till.providers, till.intents, drop, duty_id, duty)
        return ""

    # As the supervisor of the restored shop does.
    store.house.claim = Claim(data_directory.shop_id(till.settings), "a1")
    laid = await store.house.lay_claim(1, "", 1, "", 60_000, "", data_directory.life(till.settings))
    assert laid == Claimed()
    # Whoever did it in an earlier round is gone.
    await store.client.delete(store.house.keys.lease(Duties.name))
    duties = Duties(store, one)
    await duties.round()
    duties.begin(DropId(DROP))
    await asyncio.gather(*duties._working.values())
    await duties.close()
    return done


def test_it_compares_asks_and_lets_the_drop_go_on(run: Run, restored: Settings) -> None:
    given = ("--data-dir", restored.data_dir)
    assert with_till(restored, duties_of) == {}
    looked = run("reconcile", *given)
    assert looked.code == 1
    lines = [" ".join(line.split()) for line in looked.out.splitlines()]
    assert lines[0].startswith(f"{DROP} is frozen; its log ends with event ")
    assert lines[1] == "Of its payments 0 are kept as the log says, and these are not:"
    assert lines[2] == "payment the log the provider then"
    (told,) = [line for line in lines if line.startswith("h2 ")]
    assert told.startswith("h2 is active, not paid local: 24.00 EUR authorised, ")
    assert told.endswith("the drop is told, and judges it as any payment")
    (back,) = [line for line in lines if line.startswith("h3 ")]
    assert "knows no such payment" in back
    assert back.endswith("it goes back")
    (person,) = [line for line in lines if line.startswith("h1 ")]
    assert person == "h1 is an order, capture_pending keeps nothing of it see to it yourself"
    assert lines[-1] == "Nothing was done. With --yes it is."
    assert with_till(restored, duties_of) == {}

    done = run("reconcile", *given, "--yes", "--by", "mia")
    assert (done.code, done.err) == (0, "")
    assert f"{DROP} goes on: it is paused" in done.out
    assert f"`dropengine drop resume {DROP}` sells again." in done.out
    assert "1 of its payments are left to you." in done.out
    events = [json.loads(row) for row in run("drop", "log", DROP, *given).out.splitlines()]
    assert [one["e"] for one in events][-2:] == ["thawed", "sold"]
    assert OPERATOR.fullmatch(events[-2]["by"])
    assert (events[-2]["why"], events[-1]["hold"]) == ("restore", "h2")

    async def kept(till: Till) -> list[str]:
        answer = await till.provider.kept(0)
        return [one.payment for one in answer]  # type: ignore[union-attr]

    assert with_till(restored, kept) == ["h2"]
    assert run("reconcile", *given).out == "No drop waits because of a restore.\n"
    assert "capture:" in "".join(with_till(restored, duties_of))
    assert run("drop", "resume", DROP, *given).code == 0


def test_it_may_be_asked_again_and_changes_nothing(run: Run, restored: Settings) -> None:
    given = ("--data-dir", restored.data_dir)
    assert run("reconcile", *given, "--yes").code == 0
    before = run("drop", "log", DROP, *given).out
    again = run("reconcile", DROP, *given, "--yes")
    assert again.code == 0
    assert "Of its payments 1 are kept as the log says" in again.out
    assert run("drop", "log", DROP, *given).out == before


def test_no_other_way_lets_a_restored_drop_go_on(run: Run, restored: Settings) -> None:
    given = ("--data-dir", restored.data_dir)
    ran = run("audit", DROP, "--thaw", *given)
    assert (ran.code, "`dropengine reconcile` lets it go on" in ran.out) == (1, True)
    assert run("drop", "resume", DROP, *given).code == 1


def test_money_for_nobody_waits_until_it_was_compared(restored: Settings) -> None:
    """A webhook that comes again is no reason to move money before somebody has looked."""

    async def tell(till: Till) -> object:
        answer = await till.provider.kept(0)
        (cleo,) = [one for one in answer if one.payment == "p3"]  # type: ignore[union-attr]
        return await report(
            till.sale.store,
            till.providers,
            till.provider,
            till.intents,
            DropId(DROP),
            cleo.payment,
            cleo.paid,
        )

    assert with_till(restored, tell) == refusals.Frozen()


async def over(till: Till) -> None:
    """Sold, and closed before its money was taken."""
    await till.sale.publish(manifest(DROP, item("pin", {"pin": 5})))
    await till.sale.creator("open")
    await till.paid("ana", told=True)
    await till.sale.creator("close")
    await till.sale.settle()


def test_one_that_is_over_waits_as_well_and_stays_over(
    run: Run, shop: Path, tmp_path: Path
) -> None:
    old, new = Settings(data_dir=shop), Settings(data_dir=tmp_path / "new")
    first_run(old)
    with_till(old, over)
    assert run("backup", tmp_path / "copy").code == 0
    given = ("--data-dir", new.data_dir)
    assert run("restore", tmp_path / "copy", *given, "--shop", NAME).code == 0
    with EmbeddedServer(new):
        assert with_till(new, duties_of) == {}
        ran = run("reconcile", *given, "--yes")
        assert (ran.code, f"{DROP} goes on: it is settled" in ran.out) == (0, True)
        assert "Of its payments 1 are kept as the log says, and no other." in ran.out
        assert "Its duties go on then: 1 cancel, 1 capture." in ran.out
        assert len(with_till(new, duties_of)) == 2


def test_what_one_drop_lacks_holds_no_other_up(run: Run, shop: Path, tmp_path: Path) -> None:
    """Records that differ are put right first; money for a drop that is lost is told of."""
    old, new = Settings(data_dir=shop), Settings(data_dir=tmp_path / "new")
    first_run(old)
    with_till(old, begin)
    with_till(old, begin, "two")
    assert run("backup", tmp_path / "copy").code == 0
    with_till(old, begin, "lost")
    given = ("--data-dir", new.data_dir)
    assert run("restore", tmp_path / "copy", *given, "--shop", NAME).code == 0
    shutil.copy(shop / BOOK, new.data_dir / BOOK)
    with EmbeddedServer(new):

        async def spoil(till: Till) -> None:
            store = till.sale.store
            await store.client.hset(store.keys_of("two")[13], "c1", "sold|h9")

        with_till(new, spoil)
        ran = run("reconcile", *given, "--yes")
        assert ran.code == 1
        assert "two: its records are not as its log says: see `dropengine audit two`" in ran.err
        assert f"{DROP} goes on: it is paused" in ran.out
        assert "does not have are left to you: 1 for lost." in ran.out
        assert run("audit", "two", "--repair", *given).code == 0
        assert run("reconcile", "two", *given, "--yes").code == 0


def test_a_drop_that_is_not_there_is_said(run: Run, restored: Settings) -> None:
    ran = run("reconcile", "other", "--data-dir", restored.data_dir)
    assert (ran.code, "There is no drop other" in ran.err) == (1, True)
