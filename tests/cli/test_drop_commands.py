"""Every creator's command can be typed, and says what it came to."""

from __future__ import annotations

import argparse
import time

import msgspec
import pytest

from dropengine.cli import drop_arguments, drop_commands
from dropengine.creator_commands import COMMANDS
from dropengine.truth import keys
from tests.kit.sale import Sale

TYPED = set(COMMANDS) - {"thaw"}
ARGUMENTS = {verb: add for verb, _, add in drop_arguments.VERBS}


def test_every_command_of_the_union_can_be_typed() -> None:
    """But for `thaw`, which `dropengine audit` gives after it has looked."""
    assert set(ARGUMENTS) >= TYPED
    assert {kind.verb for kind in drop_commands.SAID} == TYPED


@pytest.mark.parametrize("verb", sorted(TYPED))
def test_a_command_takes_its_fields_from_arguments_of_the_same_names(verb: str) -> None:
    parser = argparse.ArgumentParser()
    ARGUMENTS[verb](parser)
    dests = {action.dest for action in parser._actions}
    assert set(COMMANDS[verb].__struct_fields__) <= dests


async def test_what_was_set_aside_of_an_outbox_is_shown(
    sale: Sale, capsys: pytest.CaptureFixture[str]
) -> None:
    await sale.bought("ana")
    await sale.store.client.hset(keys.one(sale.drop, "outbox"), "void:c9", b"foreign bytes")
    shown = argparse.Namespace(drop=sale.drop, json=False)
    assert await drop_commands._DO["show"](sale.store, shown) == 0
    said = capsys.readouterr().out
    assert "The duty void:c9 cannot be read and is set aside: see to its money." in said
    assert "capture:" not in said


async def test_what_is_undone_is_shown_and_ended_by_hand(
    sale: Sale, capsys: pytest.CaptureFixture[str]
) -> None:
    order = await sale.bought("ana")
    shown = argparse.Namespace(drop=sale.drop, json=False)
    duty = f"capture:c-{order}"
    # So long a healthy provider needs for nothing; what it refuses for good is shown by then.
    record = await sale.store.client.hget(keys.one(sale.drop, "outbox"), duty)
    old = msgspec.msgpack.decode(record)
    old[4] = time.time_ns() // 1_000_000 - 10_000
    await sale.store.client.hset(keys.one(sale.drop, "outbox"), duty, msgspec.msgpack.encode(old))
    assert await drop_commands._DO["show"](sale.store, shown) == 0
    assert f"{duty}, 24.00 EUR. `dropengine drop duty` ends" in capsys.readouterr().out
    ending = argparse.Namespace(
        drop=sale.drop, duty=duty, why="seen to", by="mia", key=None, **{"as": "given_up"}
    )
    assert await drop_commands._DO["duty"](sale.store, ending) == 0
    assert f"The duty {duty} of {sale.drop} is given up" in capsys.readouterr().out
    assert await drop_commands._DO["duty"](sale.store, ending) == drop_commands.REFUSED
    assert "not_found" in capsys.readouterr().err
    assert await drop_commands._DO["show"](sale.store, shown) == 0
    assert "Undone" not in capsys.readouterr().out
