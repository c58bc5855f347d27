"""Every creator's command in every state of a drop: what is done, and what its creator reads.

The table is written out by hand, so that a word which changes is a row which changes.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dropengine import outcomes, refusals
from dropengine.creator_commands import COMMANDS
from dropengine.manifest import correction
from dropengine.truth import keys
from tests.conftest import MakeSale
from tests.kit.manifests import START_MS, item
from tests.kit.sale import Sale
from tests.lua.test_common_rows import NETWORK, know_network, tamper
from tests.lua.test_headers import returns

STATES = ("scheduled", "live", "paused", "closing", "settled", "cancelled", "frozen")

TABLE: dict[str, str] = {
    #           scheduled live     paused   closing  settled  cancelled frozen
    "open":     "CHANGED  ALREADY  PAUSED   CLOSED   CLOSED   CANCELLED FROZEN",
    "seal":     "NOT_OPEN ALREADY  PAUSED   CLOSED   CLOSED   CANCELLED FROZEN",
    "widen":    "NOT_OPEN ALREADY  ALREADY  CLOSED   CLOSED   CANCELLED FROZEN",
    "pause":    "NOT_OPEN CHANGED  ALREADY  CLOSED   CLOSED   CANCELLED FROZEN",
    "resume":   "NOT_OPEN ALREADY  CHANGED  CLOSED   CLOSED   CANCELLED FROZEN",
    "close":    "NOT_OPEN CHANGED  CHANGED  ALREADY  ALREADY  CANCELLED FROZEN",
    "cancel":   "CHANGED  CHANGED  CHANGED  CHANGED  CLOSED   ALREADY   CHANGED",
    "add":      "CHANGED  CHANGED  CHANGED  CLOSED   CLOSED   CANCELLED FROZEN",
    "withdraw": "CHANGED  CHANGED  CHANGED  CLOSED   CLOSED   CANCELLED FROZEN",
    "reschedule": "CHANGED BAD_MESSAGE ALREADY CLOSED   CLOSED   CANCELLED FROZEN",
    "correct":  "ALREADY  CHANGED  CHANGED  CHANGED  CHANGED  CANCELLED FROZEN",
    "exempt":   "CHANGED  CHANGED  ALREADY  CHANGED  CLOSED   CANCELLED FROZEN",
    "restrict": "CHANGED  CHANGED  ALREADY  CHANGED  CLOSED   CANCELLED FROZEN",
    "message":  "CHANGED  CHANGED  CHANGED  CHANGED  CLOSED   CANCELLED FROZEN",
    "realign":  "ALREADY  ALREADY  ALREADY  ALREADY  CLOSED   CANCELLED FROZEN",
    "thaw":     "ALREADY  ALREADY  ALREADY  ALREADY  ALREADY  ALREADY   FROZEN",
}  # fmt: skip

FIELDS: dict[str, dict[str, Any]] = {
    "add": {"pool": "pin", "qty": 1},
    "withdraw": {"pool": "pin", "qty": 1},
    "message": {"text": "soon"},
    "exempt": {"network": NETWORK},
    "restrict": {"network": NETWORK},
    "reschedule": {"opens_ms": START_MS + 3_600_000, "closes_ms": 0},
    "thaw": {"found": 0},
}

PUBLISHED = ("published", "o1", 0)
"""Publishing is no command: when it was is not looked up."""

LAST_WORDS = {
    "live": "opened",
    "paused": "paused",
    "closing": "closed",
    "settled": "closed",
    "cancelled": "cancelled",
}


async def fields(sale: Sale, verb: str) -> dict[str, Any]:
    if verb not in ("correct", "reschedule", "exempt", "restrict"):
        return FIELDS.get(verb, {})
    shown = await sale.store.show(sale.drop)
    assert shown is not None
    if verb in ("exempt", "restrict"):
        # One that is paused has it so already.
        before = {"exempt": "restrict", "restrict": "exempt"}
        await know_network(sale, verb if shown.state != "paused" else before[verb])
        return FIELDS[verb]
    if verb == "reschedule":
        # One that is paused has these times already.
        return FIELDS[verb] if shown.state != "paused" else {"opens_ms": 0, "closes_ms": 0}
    # A drop that waits reads so already.
    story = "" if shown.state == "scheduled" else "corrected"
    reads = msgspec.structs.replace(shown.manifest, story=story)
    return msgspec.structs.asdict(correction(reads))


async def in_state(make_sale: MakeSale, state: str) -> Sale:
    """A drop with a free, a held and a withheld unit, brought there by o2 a second after o1."""
    pins = item("pin", {"pin": 3}, withheld={"pin": 1})
    sale = await make_sale(pins, opened=False, network_most=20)
    sale.now += 1000
    if state == "scheduled":
        return sale
    await sale.creator("open", by="o2")
    if state != "settled":
        await sale.held("ana")
    verb = {"paused": "pause", "closing": "close", "settled": "close", "cancelled": "cancel"}
    if state in verb:
        await sale.creator(verb[state], by="o2")
    if state == "frozen":
        await tamper(sale)
        await sale.hold("bo")
    await sale.store.settle(sale.drop, clock_ms=sale.now)
    truth = await sale.truth()
    assert truth.drop["state"] == state
    return sale


PAIRS = [
    pytest.param(verb, state, word, id=f"{verb} {state}")
    for verb, words in TABLE.items()
    for state, word in zip(STATES, words.split(), strict=True)
]


@pytest.mark.parametrize(("verb", "state", "word"), PAIRS)
async def test_a_command_in_each_state_reads_the_word_of_the_table(
    make_sale: MakeSale, verb: str, state: str, word: str
) -> None:
    sale = await in_state(make_sale, state)
    before = await sale.log()
    later = sale.now
    sale.now += 60_000
    outcome = await sale.creator(verb, **await fields(sale, verb))
    assert str(outcome.__struct_config__.tag) == word
    if word == "ALREADY":
        last = PUBLISHED if state == "scheduled" else (LAST_WORDS[state], "o2", later)
        assert outcome == refusals.Already(state, *last)
    if word != "CHANGED":
        assert await sale.log() == before


@pytest.mark.parametrize("state", [state for state in STATES if state != "frozen"])
@pytest.mark.parametrize("verb", list(TABLE))
async def test_another_revision_is_told_before_anything_else(
    make_sale: MakeSale, verb: str, state: str
) -> None:
    """Who decided on what he saw must not be told about what he did not see."""
    sale = await in_state(make_sale, state)
    outcome = await sale.creator(verb, revision=sale.revision - 1, **await fields(sale, verb))
    assert isinstance(outcome, refusals.StaleRevision)
    assert outcome.revision == sale.revision
    assert outcome.state == state


def test_every_command_and_every_state_stands_in_the_table() -> None:
    assert set(TABLE) == set(COMMANDS)
    assert all(len(words.split()) == len(STATES) for words in TABLE.values())


@pytest.mark.parametrize("verb", list(TABLE))
def test_a_header_names_the_words_that_its_states_are_refused_with(verb: str) -> None:
    """No word too many: what a header lists, some state is answered with."""
    of_states = {"NOT_OPEN", "PAUSED", "CLOSED", "CANCELLED", "ALREADY"}
    assert returns(verb) & of_states == set(TABLE[verb].split()) & of_states


async def test_already_is_asked_of_the_truth_and_writes_nothing(sale: Sale) -> None:
    before = await sale.store.client.hgetall(keys.one(sale.drop, "drop"))
    for _ in range(2):
        assert isinstance(await sale.creator("open", key="same"), refusals.Already)
    assert await sale.store.client.hgetall(keys.one(sale.drop, "drop")) == before
    # The refusal was not kept: the same key may still do what is possible now.
    assert isinstance(await sale.creator("pause", key="same"), outcomes.Changed)
