"""Every creator's command can be typed, and says what it came to."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import msgspec
import pytest

from dropengine import refusals
from dropengine.cli import drop_arguments, drop_commands, operators_terms
from dropengine.config import Settings
from dropengine.creator_commands import COMMANDS
from dropengine.errors import CarriedFault, ServerTaken, Unavailable
from dropengine.model import DropId
from dropengine.truth import keys
from dropengine.truth.carried_list import list_of
from dropengine.truth.store import Store
from tests.conftest import MakeSale
from tests.kit.manifests import item, manifest
from tests.kit.sale import Sale
from tests.kit.studio import MANIFEST

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
    # What `correct` says is made of a file.
    made = {"hash", "manifest"} if verb == "correct" else set()
    assert set(COMMANDS[verb].__struct_fields__) - made <= dests


def test_who_only_reads_is_asked_for_no_name() -> None:
    """Whatever changes something is signed; nothing else could be."""
    unsigned = set()
    for verb, add in ARGUMENTS.items():
        parser = argparse.ArgumentParser()
        add(parser)
        if "by" not in {action.dest for action in parser._actions}:
            unsigned.add(verb)
    assert unsigned == drop_commands.READING | {"list"}


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


async def grow_old(sale: Sale, duty: str) -> None:
    """So long a healthy provider needs for nothing; what it refuses for good is shown by then."""
    record = await sale.store.client.hget(keys.one(sale.drop, "outbox"), duty)
    old = msgspec.msgpack.decode(record)
    old[4] = time.time_ns() // 1_000_000 - 10_000
    await sale.store.client.hset(keys.one(sale.drop, "outbox"), duty, msgspec.msgpack.encode(old))


async def test_what_is_undone_is_shown_and_ended_by_hand(
    sale: Sale, capsys: pytest.CaptureFixture[str]
) -> None:
    await sale.bought("ana")
    shown = argparse.Namespace(drop=sale.drop, json=False)
    duty = "capture:p1"
    await grow_old(sale, duty)
    assert await drop_commands._DO["show"](sale.store, shown) == 0
    assert f"{duty}, 24.00 EUR. `dropengine drop duty` ends" in capsys.readouterr().out
    ending = argparse.Namespace(
        drop=sale.drop,
        duty=duty,
        why="seen to",
        by="mia",
        word="o1",
        key=None,
        **{"as": "given_up"},
    )
    assert await drop_commands._DO["duty"](sale.store, ending) == 0
    assert f"The duty {duty} of {sale.drop} is given up" in capsys.readouterr().out
    assert await drop_commands._DO["duty"](sale.store, ending) == operators_terms.REFUSED
    assert "not_found" in capsys.readouterr().err
    assert await drop_commands._DO["show"](sale.store, shown) == 0
    assert "Undone" not in capsys.readouterr().out


async def test_what_is_undone_in_other_money_is_told_in_that_money(
    sale: Sale, capsys: pytest.CaptureFixture[str]
) -> None:
    hold = await sale.held("ana")
    await sale.succeeded(hold, "c1", amount=2400, currency="JPY", captured=True)
    await grow_old(sale, "refund:c1")
    shown = argparse.Namespace(drop=sale.drop, json=False)
    assert await drop_commands._DO["show"](sale.store, shown) == 0
    assert "refund:c1, 2400 JPY. `dropengine drop duty` ends" in capsys.readouterr().out


@pytest.mark.parametrize("captured", [False, True])
@pytest.mark.parametrize("again", ["the same key", "another"])
async def test_an_order_whose_refund_was_given_up_is_not_told_as_refunded(
    sale: Sale, capsys: pytest.CaptureFixture[str], again: str, *, captured: bool
) -> None:
    order = await sale.held("ana")
    await sale.succeeded(order, "c1", captured=captured)
    if not captured:
        await sale.discharge("capture:p1")
    words = argparse.Namespace(drop=sale.drop, order=order, by="mia", word="o1", key="back", why="")
    assert await drop_commands._DO["refund"](sale.store, words) == 0
    assert "is refunded" in capsys.readouterr().out
    await sale.end_duty("refund:p1:1", "given_up")
    if again == "another":
        words.key = "once-more"
    assert await drop_commands._DO["refund"](sale.store, words) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "did not go back" in said.err
    assert "refund_failed" in said.err


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ("torn", "torn", ""),
        ("torn", "never mind", "its fan reads: torn. What you said now is not told."),
        ("torn", "", "its fan reads: torn."),
        ("", "torn", "its fan reads no reason. What you said now is not told."),
        ("", "", ""),
    ],
)
async def test_who_refunds_an_order_again_is_told_which_reason_stands(
    sale: Sale, capsys: pytest.CaptureFixture[str], first: str, second: str, told: str
) -> None:
    order = await sale.bought("ana")
    await sale.refund(order, why=first)
    words = argparse.Namespace(
        drop=sale.drop, order=order, by="noa", word="o2", key=None, why=second
    )
    assert await drop_commands._DO["refund"](sale.store, words) == 0
    said = capsys.readouterr().err
    assert told in said
    assert bool(told) == bool(said)


@pytest.mark.parametrize("how", ["done", "by_hand"])
async def test_an_order_whose_money_went_back_is_told_as_refunded_again(
    sale: Sale, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    order = await sale.bought("ana")
    await sale.discharge("capture:p1")
    await sale.refund(order)
    if how == "done":
        await sale.discharge("refund:p1:1")
    else:
        await sale.end_duty("refund:p1:1", "by_hand")
    words = argparse.Namespace(drop=sale.drop, order=order, by="mia", word="o1", key=None, why="")
    assert await drop_commands._DO["refund"](sale.store, words) == 0
    assert "is refunded" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["\uff11", "1_0", " 7", "+7", "\u0663", "1e1", "0x1", ""])
def test_a_number_is_typed_in_digits_alone(text: str) -> None:
    """Python reads more than a person would write."""
    for read in (drop_arguments.integer, drop_arguments.whole(0, 100)):
        with pytest.raises(argparse.ArgumentTypeError, match="expected a whole number"):
            read(text)
    parser = argparse.ArgumentParser(exit_on_error=False)
    ARGUMENTS["publish"](parser)
    ARGUMENTS["add"](adding := argparse.ArgumentParser(exit_on_error=False))
    with pytest.raises(argparse.ArgumentError):
        adding.parse_args(["drop", "pin", text])
    if text != "":
        with pytest.raises(argparse.ArgumentError):
            adding.parse_args(["drop", "pin", "1", "--revision", text])
        with pytest.raises(argparse.ArgumentError):
            parser.parse_args(["file", "--opens-in", text])


@pytest.mark.parametrize("text", ["0", "12", "007"])
def test_digits_are_a_number(text: str) -> None:
    assert drop_arguments.integer(text) == drop_arguments.whole(0, 100)(text) == int(text)


async def test_commands_of_one_shop_do_not_reach_the_drops_of_another(
    sale: Sale, tmp_path: Path
) -> None:
    claim = sale.store.house.keys.claim
    theirs = {"shop": "07" * 16, "address": "http://theirs"}
    await sale.store.client.hset(claim, mapping=theirs)
    try:
        here = Settings(data_dir=tmp_path)
        # A machine that keeps no shop may command any.
        await operators_terms.own(sale.store, here)
        (tmp_path / "shop_id").write_text("5e" * 16)
        for ours in (here, msgspec.structs.replace(here, shop_id="5e" * 16)):
            with pytest.raises(ServerTaken, match="another shop's, at http://theirs"):
                await operators_terms.own(sale.store, ours)
        await operators_terms.own(sale.store, msgspec.structs.replace(here, shop_id="07" * 16))
    finally:
        await sale.store.house.forget_claim()
    await operators_terms.own(sale.store, here)


async def test_a_shock_drop_that_was_cut_off_is_opened_by_its_repeat(
    sale: Sale, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file, drop = tmp_path / "shock.toml", f"{sale.drop}-shock"
    file.write_text(MANIFEST.format(drop=drop))
    said = argparse.Namespace(
        file=str(file),
        id=None,
        now=False,
        opens_in=None,
        open=True,
        key="k",
        word="o1",
        chance=None,
    )

    async def cut_off(*_: object, **__: object) -> object:
        raise Unavailable("killed in between")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "command", cut_off)
        with pytest.raises(Unavailable):
            await drop_commands._DO["publish"](sale.store, said)
    shown = await sale.store.show(DropId(drop))
    assert shown is not None
    assert shown.state == "scheduled"
    for _ in range(2):
        assert await drop_commands._DO["publish"](sale.store, said) == 0
        assert "on sale now." in capsys.readouterr().out
    assert await Sale(sale.store, drop).words() == ["published", "opened"]


async def test_who_waited_in_vain_is_shown_as_the_next_manifest_says_it(
    sale: Sale, capsys: pytest.CaptureFixture[str]
) -> None:
    old = Sale(sale.store, f"{sale.drop}-1")
    text = manifest(old.drop, item("pin", {"pin": 1}))
    await old.publish(msgspec.structs.replace(text, identity="verified"))
    await old.creator("open")
    hold = await old.held("ana")
    await old.joined("bo")
    await old.release("ana", hold)
    await old.creator("close")
    shown = argparse.Namespace(drop=old.drop, json=False)
    with pytest.raises(CarriedFault, match="is closing: who waited in vain is known"):
        await drop_commands._DO["waiting"](sale.store, shown)
    await old.release("bo", (await old.truth()).entries["e1"].hold)
    await old.settle()
    assert await drop_commands._DO["waiting"](sale.store, shown) == 0
    told = capsys.readouterr().out
    assert told.startswith("1 waited in vain.")
    listed = await list_of(sale.store, old.drop)
    assert f'carried_hash = "{listed.hash}"' in told


async def test_whose_fans_were_refused_is_shown_and_let_in_by_name(
    make_sale: MakeSale, capsys: pytest.CaptureFixture[str]
) -> None:
    sale = await make_sale(network_most=1)
    sale.whence = dict.fromkeys(("ana", "bo"), ("127.1.1.1", "127.1.1.0/24"))
    shown = argparse.Namespace(drop=sale.drop, json=False)
    assert await drop_commands._DO["networks"](sale.store, shown) == 0
    assert capsys.readouterr().out == "Nobody was refused because of his network.\n"
    await sale.held("ana")
    refused = await sale.hold("bo")
    assert isinstance(refused, refusals.NetworkFull)
    name = refused.network
    assert await drop_commands._DO["networks"](sale.store, shown) == 0
    assert capsys.readouterr().out == f"{name}\t1 open\t1 refused\n"
    given = {"by": "mia", "word": "o1", "key": None, "revision": None, "network": name}
    said = argparse.Namespace(drop=sale.drop, **given)
    assert await drop_commands._DO["exempt"](sale.store, said) == 0
    assert "as much" in capsys.readouterr().out
    await sale.held("bo")
    shown.json = True
    assert await drop_commands._DO["networks"](sale.store, shown) == 0
    (row,) = msgspec.json.decode(capsys.readouterr().out)
    assert row["exempt"]
    said = argparse.Namespace(drop=sale.drop, **given)
    assert await drop_commands._DO["restrict"](sale.store, said) == 0
