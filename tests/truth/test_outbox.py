"""An outbox is read entry by entry: one that cannot be read keeps no other from being done."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropengine.model import DutyRecord
from dropengine.truth import outbox

pack = msgspec.msgpack.encode
GOOD = {
    b"capture:c1": pack(["capture", "h1", "c1", 2400, 5]),
    b"void:c2": pack(["void", "h2", "c2", 0, 5]),
    b"refund:c3": pack(["refund", "h3", "c3", 10**12, 5]),
    b"lookup:h4": pack(["lookup", "h4", "", 2400, 5]),
}


def flat(entries: dict[bytes, bytes]) -> list[bytes]:
    return [part for entry in entries.items() for part in entry]


def test_every_kind_of_duty_is_read() -> None:
    read = outbox.read(flat(GOOD))
    assert read.set_aside == []
    assert read.duties["refund:c3"] == DutyRecord("refund", "h3", "c3", 10**12, 5)
    assert sorted(read.duties) == sorted(name.decode() for name in GOOD)


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        (b"void:c9", pack(["void", "h9", "c9", 9.3e18, 5])),
        (b"void:c9", pack(["void", "h9", "c9", "2400", 5])),
        (b"void:c9", pack(["void", "h9", "c9"])),
        (b"void:c9", b""),
        (b"void:c9", b"\xc1"),
        (b"void:c9", pack(["void", "h9", "c9", 1, 5])[:-1]),
        (b"pay out:c9", pack(["pay out", "h9", "c9", 1, 5])),
        (b"void:c9", pack(["refund", "h9", "c9", 1, 5])),
        (b"void:c9", pack(["void", "h9", "c8", 1, 5])),
        (b"lookup:h9", pack(["lookup", "h8", "", 1, 5])),
        (b"\xff\xfe", pack(["void", "h9", "c9", 1, 5])),
    ],
)
def test_what_is_no_duty_is_set_aside_and_the_others_are_read(name: bytes, raw: bytes) -> None:
    read = outbox.read(flat({**GOOD, name: raw}))
    assert read.set_aside == [name.decode(errors="backslashreplace")]
    assert len(read.duties) == len(GOOD)


@given(st.dictionaries(st.binary(max_size=20), st.binary(max_size=40), max_size=5))
def test_whatever_stands_there_nothing_is_lost_and_nothing_stops(
    foreign: dict[bytes, bytes],
) -> None:
    read = outbox.read(flat({**foreign, **GOOD}))
    assert set(read.duties) >= {name.decode() for name in GOOD}
    assert len(read.duties) + len(read.set_aside) == len({**foreign, **GOOD})
