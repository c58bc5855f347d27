"""The referee holds a refund to its key, as it holds every command of a creator to its own."""

from __future__ import annotations

import msgspec
import pytest

from dropengine import events
from dropengine.log.layouts import KEEPS_REFUND_KEYS
from dropengine.log.referee import judge
from tests.kit.handwritten_logs import ALONE, Pen


def two_refunds(schema: int = ALONE) -> list[events.AnyEvent]:
    """Two orders, each given back by its maker."""
    pen = Pen().opened(schema)
    for fan in ("ada", "ben"):
        hold = pen.held(fan)
        pen.sold(hold)
        pen.refunded(hold)
    return list(pen.log)


def forged(log: list[events.AnyEvent], nth: int, **fields: object) -> list[bytes]:
    """The nth refund says something else."""
    places = [i for i, event in enumerate(log) if isinstance(event, events.Refunded)]
    changed = list(log)
    changed[places[nth]] = msgspec.structs.replace(log[places[nth]], **fields)
    return [msgspec.json.encode(event) for event in changed]


def key_of(log: list[events.AnyEvent], kind: type[events.AnyEvent]) -> str:
    return next(str(getattr(event, "key", "")) for event in log if isinstance(event, kind))


def blamed(lines: list[bytes]) -> list[str]:
    return [violation.inv for violation in judge(lines).violations]


def test_each_refund_has_a_key_of_its_own() -> None:
    assert blamed(forged(two_refunds(), 0)) == []


@pytest.mark.parametrize("kind", [events.Published, events.Opened, events.Refunded])
def test_a_key_refunds_nothing_that_did_something_before(kind: type[events.AnyEvent]) -> None:
    log = two_refunds()
    assert blamed(forged(log, 1, key=key_of(log, kind))) == ["INV-7"]


def test_another_creator_may_use_the_same_key() -> None:
    log = two_refunds()
    assert blamed(forged(log, 1, key=key_of(log, events.Refunded), by="o2")) == []


@pytest.mark.parametrize(
    ("fields", "inv"),
    [
        ({"key": ""}, "INV-7"),
        ({"key": "", "by": "creator"}, "INV-7"),
        ({"by": "clock"}, "INV-15"),
        ({"by": ""}, "INV-15"),
    ],
)
def test_nobody_refunds_in_a_live_drop_but_a_creator_by_a_key(
    fields: dict[str, str], inv: str
) -> None:
    assert inv in blamed(forged(two_refunds(), 0, **fields))


@pytest.mark.parametrize("schema", range(1, KEEPS_REFUND_KEYS))
def test_older_engines_kept_no_keys_of_refunds(schema: int) -> None:
    log = two_refunds(schema)
    key = key_of(log, events.Refunded)
    assert blamed(forged(log, 1, key=key)) == []
