"""The messages of browsers: two ways to read a frame, one for plain ones, that must agree."""

import json
import string
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dropengine import wire

LETTERS = string.ascii_letters + string.digits + "_.:@-"
COMMANDS = get_args(wire.FanCommand)


def strictly(frame: bytes) -> wire.FromFanMessage | None:
    """The message by its types alone; None for a frame that is to be refused."""
    try:
        message: wire.FromFanMessage = msgspec.json.decode(frame, type=wire.FromFanMessage)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return message


def told(message: wire.FromFanMessage) -> object:
    return msgspec.json.decode(msgspec.json.encode(message))


def told_of(wants: list[wire.Want]) -> object:
    return msgspec.json.decode(msgspec.json.encode(wants))


def agree(frame: bytes) -> None:
    expected = strictly(frame)
    try:
        message = wire.parse(frame)
    except ValueError:
        assert expected is None, frame
    else:
        assert expected is not None, frame
        assert told(message) == told(expected)
        assert isinstance(message, type(expected))


ids = st.text(LETTERS, min_size=1, max_size=64)
anything = st.text(max_size=70) | st.text(LETTERS + '{}[], "\\\n', max_size=8) | ids


def wants(of: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    """What a basket asks for, right but for its ids."""
    return st.fixed_dictionaries(
        {"pools": st.lists(of, min_size=1, max_size=3, unique=True)},
        optional={"qty": st.integers(1, 100), "fewer": st.booleans()},
    )


def fields(of: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    """The members of a message, right or wrong, in any order."""
    several = st.lists(of, max_size=3)
    values = {
        "t": st.sampled_from([kind.verb for kind in COMMANDS] + ["hello", "ping", "you"]),
        "id": st.integers(-1, 2**31),
        "key": of,
        "pool": of,
        "hold": of,
        "entry": of,
        "holds": several,
        "pools": several,
        "qty": st.integers(0, 101),
        "fewer": st.booleans(),
        "all": st.booleans(),
        "payment": of,
        "way": of | st.just(""),
        "provider": of | st.just(""),
        "wants": st.lists(wants(of), max_size=3),
        "ticket": of,
        "c": st.floats(allow_nan=False, allow_infinity=False),
    }
    wanted = st.lists(st.sampled_from(sorted(values)), unique=True, max_size=6)
    return wanted.flatmap(lambda names: st.fixed_dictionaries({n: values[n] for n in names}))


@st.composite
def commands(draw: st.DrawFn, of: st.SearchStrategy[str] = ids) -> dict[str, Any]:
    """A command that is right but for its ids, its members in any order."""
    kind = draw(st.sampled_from(COMMANDS))
    several = st.lists(of, min_size=1, max_size=3, unique=True)
    values: dict[str, Any] = {"t": kind.verb, "id": draw(st.integers(0, 2**31 - 1))}
    for field in msgspec.structs.fields(kind)[1:]:
        match field.name:
            case "qty":
                values["qty"] = draw(st.integers(1, 100))
            case "fewer" | "all":
                values[field.name] = draw(st.booleans())
            case "way" | "provider":
                values[field.name] = draw(of | st.just(""))
            case "wants":
                values["wants"] = draw(st.lists(wants(of), min_size=1, max_size=3))
            case "nonce":
                values["nonce"] = draw(st.sampled_from(("", "0123456789abcdef" * 2)))
            case "pools" | "holds":
                values[field.name] = draw(several)
            case name:
                values[name] = draw(of)
    names = draw(st.permutations(sorted(values)))
    return {name: values[name] for name in names}


@given(commands(), st.booleans())
def test_a_command_is_read_as_its_type_says(values: dict[str, Any], wide: bool) -> None:
    frame = json.dumps(values, separators=None if wide else (",", ":")).encode()
    message = wire.parse(frame)
    assert isinstance(message, wire.Command)
    assert message.verb == values["t"]
    plain = {name: value for name, value in values.items() if name not in ("t", "wants")}
    assert {name: getattr(message, name) for name in plain} == plain
    if isinstance(message, wire.Basket):
        wanted = [msgspec.convert(want, wire.Want) for want in values["wants"]]
        assert told_of(message.wants) == told_of(wanted)
    agree(frame)


@given(fields(anything) | commands(anything), st.booleans(), st.booleans())
def test_both_ways_refuse_and_take_the_same(
    values: dict[str, Any], wide: bool, ascii_only: bool
) -> None:
    text = json.dumps(values, separators=None if wide else (",", ":"), ensure_ascii=ascii_only)
    agree(text.encode("utf-8", "surrogatepass"))


@given(commands(), st.data())
def test_one_wrong_letter_anywhere_is_judged_the_same(
    values: dict[str, Any], data: st.DataObject
) -> None:
    frame = bytearray(json.dumps(values, separators=(",", ":")).encode())
    where = data.draw(st.integers(0, len(frame) - 1))
    frame[where] = data.draw(
        st.sampled_from(b'"{}[],: \\\n\x00\x7f\x80\xffa0_') | st.integers(0, 255)
    )
    agree(bytes(frame))


@pytest.mark.parametrize("letter", [chr(code) for code in range(128) if chr(code) not in LETTERS])
@pytest.mark.parametrize("before", ["", "a"])
@pytest.mark.parametrize("after", ["", "b"])
def test_a_letter_that_ids_do_not_have_is_refused(letter: str, before: str, after: str) -> None:
    key = before + letter + after
    for values in (
        {"t": "hold", "id": 1, "key": key, "pool": "pin"},
        {"t": "hold", "id": 1, "key": "k", "pool": key},
        {"t": "join", "id": 1, "key": "k", "pools": ["pin", key]},
        {"t": "pay", "id": 1, "key": "k", "holds": [key]},
        {"t": "pay", "id": 1, "key": "k", "holds": ["h1"], "way": f"w{key}"},
        {"t": "basket", "id": 1, "key": "k", "wants": [{"pools": [key]}]},
    ):
        with pytest.raises(ValueError, match="Expected `str` matching regex"):
            wire.parse(json.dumps(values).encode())


@given(st.binary(max_size=64))
@example(b"")
@example(b'{"":"","":"","":""}')
@example(b"[" * 3000)
@example(b'{"t":"hold","id":1,"key":"a","b":"c","pool":"p"}')
@example(b'{"t":"hold","id":1,"key":"a,","pool":",b"}')
@example(b'{"t":"hold","id":1,"key":"},{","pool":"},{"}')
def test_whatever_comes_is_a_message_or_a_sentence(frame: bytes) -> None:
    try:
        wire.parse(frame)
    except ValueError as error:
        assert str(error)  # noqa: PT017 - any other exception fails the test
