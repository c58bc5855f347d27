"""The rows that many scripts share: AGAIN, FROZEN, NOT_FOUND, and those of creators' commands."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dropengine import outcomes
from dropengine.log.replay import Truth
from dropengine.truth import keys
from tests.conftest import MakeSale
from tests.kit.freezing import freeze
from tests.kit.manifests import HOLD_MS, START_MS, item
from tests.kit.raw_replies import raw
from tests.kit.sale import Sale

pack = msgspec.msgpack.encode

NETWORK = "n0000000w0000000"

CREATORS: dict[str, tuple[object, ...]] = {
    "open": (),
    "seal": (),
    "widen": (),
    "pause": ("why",),
    "resume": (),
    "close": (),
    "cancel": ("why",),
    "message": ("text",),
    "add": ("pin", 1),
    "withdraw": ("pin", 1),
    "realign": (),
    "reschedule": (0, START_MS + 86_400_000),
    "correct": ("0" * 64, "{}"),
    "exempt": (NETWORK,),
    "restrict": (NETWORK,),
    "thaw": (0,),
}
"""What each command of a creator needs after revision, name and key."""

OTHERS: dict[str, tuple[object, ...]] = {
    "press": (pack([["hold", "ana", "k", "pin", 1, 0]]),),
    "go_on": (pack([["pay", "ana", "k", ["h1"], "", ["", 0]]]),),
    "settle": (),
    "view": (0, 0),
    "you": (pack(["ana"]),),
    "succeeded": ("h1", "c1", 2400, "EUR", 0, "", "a-key"),
    "unpaid": ("h1",),
    "adopt": ("di", "pia"),
    "enroll": ("di", pack([])),
    "point": (pack([["di", 1, 1, "friend"]]),),
    "refund": ("h1", "o1", "k", "", "line", "", pack([])),
    "came_back": ("h1", "o1", "k", pack([])),
    "charged_back": ("p1", 1, "o1", "k"),
    "more_time": ("p1", "o1", "k"),
    "discharge": ("capture:c1", "done"),
    "root": ("0" * 64,),
    "reveal": ("0" * 64,),
    "order": ("0" * 64, 1, pack(["e1"])),
    "carry": ("0" * 64, 1, 1, pack([["e1", "ana", 1, ["pin"]]])),
    "start": (),
    "duty": ("o1", "k", "capture:c1", "by_hand", ""),
}

ALL = {verb: (2, "o1", "k", *more) for verb, more in CREATORS.items()} | OTHERS


def rows(table: dict[str, tuple[object, ...]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("verb", "args"), list(table.items()), ids=list(table))


@rows(ALL)
async def test_an_unpublished_drop_is_not_found(
    sale: Sale, verb: str, args: tuple[object, ...]
) -> None:
    assert await raw(Sale(sale.store, "nowhere"), verb, *args) == ["NOT_FOUND"]
    assert await sale.store.client.keys("{nowhere}*") == []


@rows({verb: args for verb, args in ALL.items() if verb != "view"})
async def test_nothing_is_decided_while_more_is_due(
    make_sale: MakeSale, verb: str, args: tuple[object, ...]
) -> None:
    """64 things are settled, the command is not looked at, and sending it again goes on."""
    sale = await make_sale(item("pin", {"pin": 70}, withheld={"pin": 5}))
    for i in range(65):
        await sale.held(f"fan-{i}")
    sale.now += HOLD_MS
    before = len(await sale.log())
    if verb == "succeeded":
        # A payment that was judged before is answered at once; this one was not.
        assert (await sale.truth()).charges == {}
    assert await raw(sale, verb, *args) == ["AGAIN"]
    assert [word for word in (await sale.words())[before:] if word != "expired"] == []
    assert len(await sale.log()) == before + 64
    assert await raw(sale, verb, *args) != ["AGAIN"]


async def tamper(sale: Sale) -> None:
    """A unit too many appears in the pool's counts."""
    record = (await sale.truth()).pools["pin"]
    record.free += 1
    await sale.store.client.hset(keys.one(sale.drop, "pools"), "pin", pack(record))


async def without_head(sale: Sale) -> Truth:
    """The truth but for the counters of the drop itself."""
    truth = await sale.truth()
    truth.drop = {}
    return truth


@rows(ALL)
async def test_books_that_do_not_add_up_freeze_the_drop(
    sale: Sale, verb: str, args: tuple[object, ...]
) -> None:
    await sale.held("di")
    await tamper(sale)
    sale.now += HOLD_MS
    before = await without_head(sale)
    assert await raw(sale, verb, *args) == ["FROZEN"]
    assert (await sale.words())[-1] == "frozen"
    assert (await sale.truth()).drop["state"] == "frozen"
    assert await without_head(sale) == before


FROZEN_ANSWERS: dict[str, tuple[object, ...]] = {
    verb: args for verb, args in ALL.items() if verb not in ("settle", "view", "you", "cancel")
}


@rows(FROZEN_ANSWERS)
async def test_a_frozen_drop_goes_on_with_nothing(
    sale: Sale, verb: str, args: tuple[object, ...]
) -> None:
    await sale.bought("ana")
    await sale.held("di")
    await tamper(sale)
    sale.now += HOLD_MS
    await raw(sale, "settle")
    seq = len(await sale.log())
    reply: list[Any] = await raw(sale, verb, *args)
    assert reply == ["FROZEN"] if verb not in ("press", "go_on") else reply[3] == [["FROZEN"]]
    assert len(await sale.log()) == seq


async def test_screens_still_see_a_frozen_drop(sale: Sale) -> None:
    await sale.held("di")
    await tamper(sale)
    sale.now += HOLD_MS
    await raw(sale, "settle")
    assert (await sale.settle()).state == "frozen"
    assert (await raw(sale, "view", 0, 0))[3] == "frozen"
    assert len((await sale.you("di")).holds) == 1


async def test_a_frozen_drop_can_be_called_off(sale: Sale) -> None:
    hold = await sale.held("di")
    await tamper(sale)
    await sale.release("di", hold)
    outcome = await sale.creator("cancel")
    assert isinstance(outcome, outcomes.Changed)
    assert outcome.state == "cancelled"


OUT_OF_BOUNDS: dict[str, tuple[str, tuple[object, ...]]] = {
    "a number below": ("qty", ("add", 2, "o1", "k", "pin", 0)),
    "a negative number": ("qty", ("withdraw", 2, "o1", "k", "pin", -5)),
    "a number above": ("qty", ("withdraw", 2, "o1", "k", "pin", 100_001)),
    "a broken number": ("qty", ("add", 2, "o1", "k", "pin", "1.5")),
    "no number": ("qty", ("add", 2, "o1", "k", "pin", "nan")),
    "a revision": ("revision", ("open", -1, "o1", "k")),
    "a pool": ("pool", ("add", 2, "o1", "k", 'pin","qty":9,"x":"', 1)),
    "a key that forges a line": ("key", ("close", 2, "o1", 'k"}\n{"e":"settled"')),
    "a key of another script": ("key", ("refund", "h1", "o1", "k k")),
    "no key": ("key", ("resume", 2, "o1", "")),
    "an endless key": ("key", ("resume", 2, "o1", "k" * 65)),
    "nobody": ("by", ("pause", 2, "", "k", "why")),
    "a name": ("by", ("pause", 2, "mia", "k", "why")),
    "an address": ("by", ("refund", "h1", "mia@example.org", "k")),
    "an endless word": ("by", ("pause", 2, "o" + "1" * 33, "k", "why")),
    "a word of two lines": ("by", ("pause", 2, "o1\no2", "k", "why")),
    "the clock": ("by", ("resume", 2, "clock", "k")),
    "a name that is not there": ("by", ("cancel", 2, "\u200b", "k", "")),
    "an endless reason": ("why", ("cancel", 2, "o1", "k", "w" * 501)),
    "a reason that turns": ("why", ("pause", 2, "o1", "k", "back \u202e soon")),
    "no words": ("text", ("message", 2, "o1", "k", "")),
    "too many words": ("text", ("message", 2, "o1", "k", "é" * 501)),
    "words that show nothing": ("text", ("message", 2, "o1", "k", "\u3164\ufe0f ")),
    "words that are no UTF-8": ("text", ("message", 2, "o1", "k", b"soon\xff")),
    "a duty": ("id", ("duty", "o1", "k", "void:c 1", "by_hand", "")),
    "an endless duty": ("id", ("duty", "o1", "k", "c" * 137, "by_hand", "")),
    "no way to end it": ("as", ("duty", "o1", "k", "void:c1", "done", "")),
    "two ways at once": ("as", ("duty", "o1", "k", "void:c1", "by_hand|given_up", "")),
    "a reason of two lines": ("why", ("duty", "o1", "k", "void:c1", "given_up", "a\nb")),
    "a guest": ("guest", ("adopt", 'ana"', "pia")),
    "no guest": ("guest", ("adopt", "", "pia")),
    "an endless person": ("person", ("adopt", "ana", "p" * 65)),
    "one who is both": ("guest", ("adopt", "ana", "ana")),
    "an order": ("order", ("refund", "h1\n", "o1", "k")),
}


@pytest.mark.parametrize(("field", "words"), list(OUT_OF_BOUNDS.values()), ids=list(OUT_OF_BOUNDS))
async def test_what_is_not_within_its_bounds_is_named_and_changes_nothing(
    make_sale: MakeSale, field: str, words: tuple[str, object]
) -> None:
    """Whoever calls: a script looks before it decides."""
    sale = await make_sale(item("pin", {"pin": 3}, withheld={"pin": 1}))
    await sale.bought("ana")
    before = await sale.truth()
    verb, *args = words
    word, why = await raw(sale, verb, *args)
    assert (word, why.split()[0]) == ("BAD_MESSAGE", field)
    assert await sale.truth() == before


@rows(CREATORS)
async def test_two_operators_do_not_undo_each_other(
    sale: Sale, verb: str, args: tuple[object, ...]
) -> None:
    await sale.creator("message", by="o2", text="first")
    assert await raw(sale, verb, 2, "o1", "k", *args) == [
        "STALE_REVISION",
        3,
        "live",
        "message",
        "o2",
    ]
    assert len(await sale.log()) == 3


READY: dict[str, tuple[str, ...]] = {"open": (), "resume": ("open", "pause")}
"""What must happen after publishing before a command is for the drop's state; else `open`."""


async def know_network(sale: Sale, verb: str) -> None:
    """Somebody was refused there; where it is to be restricted again it is exempt."""
    await sale.store.client.hset(keys.one(sale.drop, "crowded"), NETWORK, 1)
    if verb == "restrict":
        await sale.store.client.hset(keys.one(sale.drop, "networks"), "exempt", pack([NETWORK]))


async def made_ready(make_sale: MakeSale, verb: str) -> Sale:
    of_list = {"mode": "lobby"} if verb == "seal" else {}
    pins = item("pin", {"pin": 3}, withheld={"pin": 1})
    cohorts = {"club": 1} if verb == "widen" else {}
    sale = await make_sale(pins, opened=False, network_most=20, cohorts=cohorts, **of_list)
    if verb in ("exempt", "restrict"):
        await know_network(sale, verb)
    for step in READY.get(verb, ("open",)):
        await sale.creator(step)
    if verb == "realign":
        # The clock was set back.
        sale.now -= 3_600_000
    if verb == "thaw":
        await freeze(sale)
    return sale


@rows(CREATORS)
async def test_a_creators_repeat_does_nothing_more(
    make_sale: MakeSale, verb: str, args: tuple[object, ...]
) -> None:
    sale = await made_ready(make_sale, verb)
    revision = sale.revision
    first = await raw(sale, verb, revision, "o1", "again", *args)
    assert first[0] == "CHANGED"
    assert first[2] == revision + 1
    log = await sale.log()
    again = await raw(sale, verb, revision, "o1", "again", *args)
    assert again[0] == "CHANGED"
    assert again[2] == first[2]
    events_of_verb = [e for e in await sale.log() if getattr(e, "key", "") == "again"]
    assert len(events_of_verb) == 1
    assert (await sale.log())[: len(log)] == log


@rows({verb: args for verb, args in CREATORS.items() if verb != "thaw"})
async def test_a_creators_key_belongs_to_one_command(
    make_sale: MakeSale, verb: str, args: tuple[object, ...]
) -> None:
    sale = await made_ready(make_sale, verb)
    await sale.creator("message", key="mine", text="another command")
    seq = len(await sale.log())
    assert await raw(sale, verb, sale.revision, "o1", "mine", *args) == ["KEY_REUSED"]
    assert len(await sale.log()) == seq


@rows(CREATORS)
async def test_a_creators_command_names_who_and_which_revision(
    make_sale: MakeSale, verb: str, args: tuple[object, ...]
) -> None:
    sale = await made_ready(make_sale, verb)
    await raw(sale, verb, sale.revision, "o2", "mine", *args)
    (event,) = [e for e in await sale.log() if getattr(e, "key", "") == "mine"]
    assert event.by == "o2"  # type: ignore[union-attr]
    assert event.revision == sale.revision + 1  # type: ignore[union-attr]
