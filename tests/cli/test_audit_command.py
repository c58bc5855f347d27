"""`dropengine audit`: what is found is said in sentences, and what was asked for is done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from dropengine.config import Settings
from dropengine.processes.embedded_server import EmbeddedServer
from dropengine.truth import keys
from tests.cli.test_main import PIN, Run, data_dir, run, shop

__all__ = ["data_dir", "run", "shop"]

DROP = "eclipse-pin"


@pytest.fixture
def server(shop: Path) -> Iterator[Any]:
    one: Any = redis.Redis.from_url(EmbeddedServer(Settings(data_dir=shop)).url)
    yield one
    one.close()


def freeze(server: Any) -> None:
    """A commit left its mark, and whoever came next has seen it."""
    name = keys.one(DROP, "drop")
    server.hset(name, "mark", server.hget(name, "at"))


def events(run: Run) -> list[str]:
    return [json.loads(line)["e"] for line in run("drop", "log", DROP).out.splitlines()]


def test_a_whole_drop_is_said_to_be_whole(run: Run, shop: Path) -> None:
    run("drop", "publish", PIN, "--now")
    ran = run("audit", PIN)
    assert ran.code == 0
    assert "Its log has " in ran.out
    assert "every record is as it says." in ran.out
    assert "It is not frozen." in ran.out
    assert run("audit", PIN, "--repair", "--thaw").out == ran.out
    assert "thawed" not in events(run)


def test_a_frozen_drop_is_repaired_and_goes_on(run: Run, server: Any) -> None:
    run("drop", "publish", PIN, "--now")
    run("drop", "show", DROP)
    freeze(server)
    run("drop", "show", DROP)
    server.hset(keys.one(DROP, "charges"), "c1", "sold|h1")
    looked = run("audit", DROP)
    assert looked.code == 1
    assert f"{DROP} is frozen, revision " in looked.out
    assert "It stands to be looked at: a change was written only by half." in looked.out
    assert "  charges c1 is stored but not in the log: 'sold|h1'" in looked.out
    assert "with --repair" in looked.out
    still = run("audit", DROP, "--thaw")
    assert (still.code, still.out) == (1, looked.out)
    repaired = run("audit", DROP, "--repair")
    assert repaired.code == 0
    assert "Of its records one is rewritten from the log." in repaired.out
    assert "With --thaw it goes on." in repaired.out
    thawed = run("audit", DROP, "--thaw", "--by", "mia", "--key", "k")
    assert thawed.code == 0
    assert f"{DROP} goes on: it is paused" in thawed.out
    assert f"`dropengine drop resume {DROP}`" in thawed.out
    assert run("drop", "resume", DROP).code == 0
    assert events(run)[-2:] == ["thawed", "resumed"]


def test_repair_and_thaw_in_one_go(run: Run, server: Any) -> None:
    run("drop", "publish", PIN, "--now")
    freeze(server)
    run("drop", "show", DROP)
    server.hset(keys.one(DROP, "charges"), "c1", "sold|h1")
    assert run("audit", DROP, "--repair", "--thaw").code == 0
    last = json.loads(run("drop", "log", DROP).out.splitlines()[-1])
    assert (last["e"], last["found"], last["why"]) == ("thawed", 1, "half")


def test_a_mark_that_nobody_has_met_yet_is_found(run: Run, server: Any) -> None:
    run("drop", "publish", PIN, "--now")
    freeze(server)
    assert "It stands to be looked at" in run("audit", DROP).out


def test_where_the_log_has_a_hole_only_calling_it_off_is_left(run: Run, server: Any) -> None:
    run("drop", "publish", PIN, "--now")
    for text in ("Hello.", "Soon."):
        run("drop", "message", DROP, text)
    freeze(server)
    run("drop", "show", DROP)
    server.xdel(keys.one(DROP, "log"), "2-0")
    ran = run("audit", DROP, "--repair", "--thaw")
    assert ran.code == 1
    assert "Its log is no measure: event 2 is missing from its log." in ran.out
    assert f"`dropengine drop cancel {DROP}`" in ran.out
    assert run("drop", "cancel", DROP, "--confirm", DROP).code == 0


def test_a_drop_that_goes_on_is_not_rewritten(run: Run, server: Any) -> None:
    run("drop", "publish", PIN, "--now")
    server.hset(keys.one(DROP, "charges"), "c1", "sold|h1")
    ran = run("audit", DROP, "--repair")
    assert ran.code == 1
    assert "Pause it, and tell whoever maintains the shop." in ran.out
    assert server.hget(keys.one(DROP, "charges"), "c1") == b"sold|h1"


def test_a_drop_that_is_not_there_is_named(run: Run, shop: Path) -> None:
    ran = run("audit", "nowhere")
    assert ran.code == 1
    assert "There is no drop nowhere" in ran.err
