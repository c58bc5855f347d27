"""The fold of a log is the truth at its end, from the beginning or from a snapshot."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropengine import events
from dropengine.log import replay
from dropengine.log.replay import Truth
from dropengine.model import (
    DropState,
    EntryState,
    FanRecord,
    HoldState,
    OrderState,
    PoolRecord,
)
from dropengine.truth import keys
from tests.kit import handwritten_logs, paid_together

STORIES = sorted(handwritten_logs.HONEST)


def folded(name: str) -> Truth:
    return replay.fold(handwritten_logs.HONEST[name]().log)


def test_the_truth_has_a_field_for_every_key_of_the_truth() -> None:
    assert set(keys.TRUTH) <= set(Truth.__struct_fields__)


def test_every_kind_of_event_can_be_folded() -> None:
    told = {type(event) for name in STORIES for event in handwritten_logs.HONEST[name]().log}
    together = paid_together.story()
    assert replay.fold(together).payments.keys() == {"p1", "p2", "p3", "p4"}
    told |= {type(event) for event in together}
    assert set(events.AnyEvent.__args__) - told == {events.Frozen}


def test_what_an_older_engine_did_not_count_is_counted_from_its_first_event() -> None:
    before, after = (replay.fold(handwritten_logs.taken_over().log[:end]) for end in (-5, -4))
    assert (before.drop["schema"], after.drop["schema"]) == ("1", str(handwritten_logs.ALONE))
    assert before.pools["pin"].offered == after.pools["pin"].offered == 2
    assert folded("taken_over").pools["pin"].offered == 0


def test_a_rush_ends_with_every_unit_sold() -> None:
    truth = folded("a_rush")
    assert truth.state == DropState.SETTLED
    assert truth.pools["pin"] == PoolRecord(0, "pin", 3, 0, 0, 3, 0, 0, 0, (0, 0))
    assert truth.items["pin"].serial == 3
    assert truth.orders["h1"].serials == [1, 2]
    assert truth.orders["h1"].state == OrderState.DONE
    assert truth.sales == {"h1": 6, "h4": 14}
    assert truth.charges == {"c1": "sold|h1", "c2": "sold|h4"}
    assert truth.fans["ben"] == FanRecord(9, 0, 0, [], [], [], "h2")
    assert truth.holds["h3"].state == HoldState.RELEASED
    assert [text for _, _, text in truth.news] == ["Thank you."]
    assert not truth.due
    assert not truth.outbox


def test_a_line_ends_with_every_fate_final() -> None:
    truth = folded("a_line")
    fates = {name: entry.state for name, entry in truth.entries.items()}
    assert fates == {
        "e1": EntryState.DORMANT,
        "e2": EntryState.SERVED,
        "e3": EntryState.LEFT,
    }
    assert truth.pools["pin"].removed == (3, 0)
    assert truth.places == truth.ready == truth.buying == {}


def test_a_late_payment_leaves_its_traces() -> None:
    truth = folded("a_late_payment")
    assert truth.charges["c2"] == "voided|h2|late|e1"
    assert truth.fans["ben"].makegood == 1
    assert truth.entries["e1"].made_good == 1
    assert truth.orders["h1"].state == truth.orders["h4"].state == OrderState.REFUNDED
    assert truth.holds["h1"].state == HoldState.EXPIRED
    assert truth.returned == {"pin/00000001": 0}
    assert truth.holds["h3"].state == HoldState.CANCELLED


def test_who_waits_is_ready_where_his_fan_has_room() -> None:
    pen = handwritten_logs.HONEST["two_pools"]()
    joined = handwritten_logs.seq_of(pen.log, events.Joined, 3)
    truth = replay.fold(pen.log[:joined])
    assert truth.entries["e1"].ready == [0], "ada's hold fills her limit"
    assert truth.entries["e2"].ready == [1, 1]
    line = 2**42
    assert truth.ready["e2@1"] == 2 * line + 1023 * 2**32 + 2
    assert set(truth.places) == {"e1@0", "e2@0", "e2@1", "e3@0"}


def test_cooling_is_over_by_time_alone() -> None:
    pen = handwritten_logs.HONEST["a_line"]()
    cooled = handwritten_logs.seq_of(pen.log, events.Lapsed)
    truth = replay.fold(pen.log[:cooled])
    over = truth.entries["e1"].cool_ms
    assert truth.at(over - 1) == truth
    later = truth.at(over)
    assert later.entries["e1"].ready == [1]
    assert "e1@0" in later.ready
    assert "e:e1" not in later.due
    assert truth.entries["e1"].ready == [0], "the truth itself stays as it was"


@given(st.sampled_from(STORIES), st.floats(0, 1))
def test_a_snapshot_and_the_rest_of_the_log_make_the_same_truth(name: str, part: float) -> None:
    log = handwritten_logs.HONEST[name]().log
    cut = int(part * len(log))
    before = replay.fold(log[:cut])
    stored = msgspec.msgpack.encode(before)
    assert replay.fold(log[cut:], msgspec.msgpack.decode(stored, type=Truth)) == replay.fold(log)
    assert msgspec.msgpack.encode(before) == stored, "a snapshot is left as it was"


@given(st.sampled_from(STORIES), st.floats(0, 1))
def test_units_are_conserved_at_every_event(name: str, part: float) -> None:
    log = handwritten_logs.HONEST[name]().log
    truth = replay.fold(log[: int(part * len(log))])
    for pool in truth.pools.values():
        parts = (pool.free, pool.held, pool.sold, pool.withheld, pool.leased)
        assert sum(parts) == pool.cap
        assert min(parts) >= 0


def test_an_exported_log_is_read_line_by_line() -> None:
    log = handwritten_logs.HONEST["a_rush"]().log
    assert replay.fold_lines(handwritten_logs.text(log)) == replay.fold(log)


@pytest.mark.parametrize("name", STORIES)
def test_equal_truths_have_no_difference(name: str) -> None:
    assert replay.difference(folded(name), folded(name)) == []


def test_a_server_that_has_thawed_an_entry_is_not_different() -> None:
    pen = handwritten_logs.HONEST["a_line"]()
    truth = replay.fold(pen.log[: handwritten_logs.seq_of(pen.log, events.Lapsed)])
    thawed = truth.at(truth.entries["e1"].cool_ms)
    assert replay.difference(truth, thawed) == []
    thawed.entries["e1"].ready = [0]
    assert replay.difference(truth, thawed) != []


def three_who_cool() -> Truth:
    """One after the other, and a hold that is due between the second and the third."""
    pen = handwritten_logs.Pen(handwritten_logs.rules({"pin": (4, 0)})).opened()
    holds = [pen.held(f"fan{n}") for n in range(3)]
    entries = [pen.joined(f"waits{n}", "pin") for n in range(3)]
    for hold, entry in zip(holds[:2], entries[:2], strict=True):
        pen.wait(1)
        pen.released(hold)
        pen.declined(pen.offered(entry), entry)
    pen.until(pen.ends[holds[2]] - handwritten_logs.COOL_MS + 1)
    pen.declined(pen.offered(entries[2]), entries[2])
    return replay.fold(pen.log)


@pytest.mark.parametrize("count", [1, 2])
def test_coolings_end_in_their_order(count: int) -> None:
    truth = three_who_cool()
    ends = sorted(entry.cool_ms for entry in truth.entries.values())
    assert replay.difference(truth, truth.at(ends[count - 1])) == []


def test_a_cooling_that_was_passed_over_is_a_sentence() -> None:
    truth = three_who_cool()
    wrong = truth.copy()
    wrong.pass_by("e:e2")
    found = replay.difference(truth, wrong)
    assert any(sentence.startswith("due e:e2 is in the log but not stored") for sentence in found)


def test_a_hold_that_was_passed_over_is_a_sentence() -> None:
    truth = three_who_cool()
    wrong = truth.copy()
    for member in ("e:e1", "e:e2", "e:e3"):
        wrong.pass_by(member)
    found = replay.difference(truth, wrong)
    assert any(sentence.startswith("due e:e3 is in the log but not stored") for sentence in found)
    assert not any("e:e2" in sentence for sentence in found)


def somewhere_with(key: str) -> Truth:
    """The truth at the first moment of any story at which a key has rows."""
    logs = [handwritten_logs.HONEST[name]().log for name in STORIES]
    for log in (*logs, paid_together.story()):
        truth = Truth()
        for event in log:
            replay.step(truth, event)
            if getattr(truth, key):
                return truth
    raise AssertionError(f"no story fills {key}")


@pytest.mark.parametrize("key", replay.compare.KEYS)
def test_a_row_that_is_missing_anywhere_is_a_sentence(key: str) -> None:
    truth = somewhere_with(key)
    poorer = truth.copy()
    row, _ = getattr(poorer, key).popitem()
    assert replay.difference(truth, poorer)[0].startswith(f"{key} {row} is in the log")
    assert replay.difference(poorer, truth)[0].startswith(f"{key} {row} is stored but not")


def test_a_row_that_differs_is_a_sentence() -> None:
    truth = folded("a_rush")
    other = truth.copy()
    other.pools["pin"].free += 1
    (sentence,) = replay.difference(truth, other)
    assert sentence == "pools pin: free is 1, the log makes it 0"


def test_news_are_compared() -> None:
    assert replay.difference(Truth(news=[(1, 1, "a")]), Truth()) != []


def test_a_truth_that_is_all_wrong_says_twenty_sentences() -> None:
    wrong = Truth(charges={f"c{i}": "sold|h1" for i in range(50)})
    assert len(replay.difference(Truth(), wrong)) == 20
