"""The checks of the scripts say, word for word, what the types say before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from dropengine.creator_commands import CLOCK, OWN_NAMES, Seen, bounds, fault_in
from dropengine.truth import command_checks, record_layouts, scripts
from tests.kit import wild_values
from tests.kit.private_server import Server

PIECES = scripts.made_pieces() | {
    scripts.name_of(path): record_layouts.expand(text, path)
    for path, text in scripts.sources().items()
}

WILD = {
    "whole": wild_values.numbers,
    "id": wild_values.texts,
    "line": wild_values.texts,
    "text": wild_values.texts,
    "operator": wild_values.texts
    | st.sampled_from(("mia", "o", "O1", "o1x", "o" + "1" * 33, "disk")),
    "word": wild_values.texts | st.sampled_from(("by_hand|given_up", "given", "|")),
}
TAME = {
    "whole": st.integers(1, 9),
    "id": wild_values.ids,
    "line": wild_values.lines,
    "text": wild_values.lines,
    "operator": st.sampled_from(("o1", "o81c3a0f2d4b5e697", "disk", "durability")),
    "word": st.sampled_from(("by_hand", "given_up")),
}


@pytest.fixture(scope="module")
def ask(server: Server) -> Iterator[Any]:
    """Run the check of one script, and nothing of it but that."""
    client = redis.Redis.from_url(server.url)

    def one(verb: str, given: list[bytes]) -> str:
        places = ", ".join(f"ARGV[{i}]" for i in range(1, len(given) + 1))
        source = f"#!lua\n--#use fault_in_{verb}\nreturn fault_in_{verb}({places}) or ''\n"
        said: Any = client.eval(scripts.splice("check", PIECES, source), 0, *given)
        return str(said.decode())

    yield one
    client.close()


@pytest.mark.parametrize("verb", list(command_checks.SIGNED))
@given(data=st.data())
@settings(deadline=None)
def test_the_scripts_say_what_the_types_say(verb: str, data: st.DataObject, ask: Any) -> None:
    each = [
        kind(
            **{
                field: data.draw(st.one_of(TAME[bound.kind], WILD[bound.kind]), name)
                for field, (name, bound) in zip(kind.__struct_fields__, bounds(kind), strict=True)
            }
        )
        for kind in command_checks.SIGNED[verb]
    ]
    told = fault_in(*each)  # type: ignore[arg-type]
    given = [str(value) for one in each for value in msgspec.structs.astuple(one)]
    # Bytes that are no UTF-8 come from a command line as they are.
    said = ask(verb, [text.encode("utf-8", "surrogateescape") for text in given])
    if any("\udcff" in text for text in given):
        # Of two faults in one text either may be told.
        assert bool(said) == bool(told)
    else:
        assert said == told


@pytest.mark.parametrize("text", ["", " 7", "+7", "0x10", "1e3", "1.5", "nan", "inf", "-0", "٣"])
def test_only_digits_are_a_number_to_a_script(ask: Any, text: str) -> None:
    said = ask("open", [b"o1", b"k", text.encode()])
    assert said == f"revision must be a whole number from 0 to {2**53 - 1}"


def test_a_field_that_did_not_come_is_a_fault(ask: Any) -> None:
    assert ask("add", [b"o1", b"k", b"1", b"pin"]).startswith("qty must be a whole number")
    assert ask("open", [b"o1"]).startswith("key must be")


@pytest.mark.parametrize(
    "text", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"a\x80"]
)
def test_what_is_no_utf8_never_reaches_an_event(ask: Any, text: bytes) -> None:
    assert ask("message", [b"o1", b"k", b"1", text]) == "text must be UTF-8 text"


@pytest.mark.parametrize("verb", list(command_checks.SIGNED))
@pytest.mark.parametrize("by", OWN_NAMES)
def test_nobody_signs_as_the_log_signs_but_the_clock_what_it_asks_for(
    ask: Any, verb: str, by: str
) -> None:
    given = {"by": by, "key": "k", "revision": "1", "pool": "pin", "qty": "1", "order": "h1"}
    given |= {
        "hash": "0" * 64,
        "found": "1",
        "network": "n" * 16,
        "id": "void:c1",
        "as": "by_hand",
        "opens_ms": "0",
        "closes_ms": "0",
        "back": "line",
        "amount": "1",
    }
    named = [name for kind in command_checks.SIGNED[verb] for name, _ in bounds(kind)]
    said = ask(verb, [given.get(name, "words").encode() for name in named])
    allowed = by == CLOCK and verb in ("pause", "realign")
    assert said == ("" if allowed else OWN_NAMES[by])
    assert fault_in(Seen(by, "k", 1)) == OWN_NAMES[by]
