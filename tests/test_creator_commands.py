"""A creator's commands as they are read and sent: one union, bounds in its types."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from dropengine.creator_commands import (
    COMMANDS,
    Add,
    CreatorCommand,
    FromCreator,
    Message,
    Open,
    Pause,
    Withdraw,
)
from dropengine.model import CAP_MAX


def read(text: str) -> CreatorCommand:
    command: CreatorCommand = msgspec.json.decode(text, type=CreatorCommand)
    return command


def test_a_command_is_found_by_its_word_and_says_it_itself() -> None:
    assert set(get_args(CreatorCommand)) == set(FromCreator.__subclasses__())
    for verb, kind in COMMANDS.items():
        assert verb == kind.verb == kind.__struct_config__.tag


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ('{"t":"open"}', Open()),
        ('{"t":"pause"}', Pause(why="")),
        ('{"t":"pause","why":"lunch"}', Pause("lunch")),
        ('{"t":"add","pool":"pin@north","qty":2}', Add("pin@north", 2)),
        ('{"t":"message","text":"Hello."}', Message("Hello.")),
    ],
)
def test_a_command_is_read_from_json(text: str, command: CreatorCommand) -> None:
    assert read(text) == command
    assert read(msgspec.json.encode(command).decode()) == command


@pytest.mark.parametrize(
    "text",
    [
        '{"t":"publish"}',
        '{"t":"refund","order":"h1"}',
        '{"t":"open","why":"?"}',
        '{"t":"add","pool":"pin"}',
        '{"t":"add","pool":"pin","qty":0}',
        '{"t":"withdraw","pool":"pin","qty":-1}',
        f'{{"t":"withdraw","pool":"pin","qty":{CAP_MAX + 1}}}',
        '{"t":"add","pool":"pin\\n","qty":1}',
        '{"t":"message","text":""}',
        '{"t":"message","text":"' + "x" * 501 + '"}',
        '{"t":"pause","why":"' + "x" * 501 + '"}',
    ],
)
def test_what_is_out_of_bounds_is_not_read(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(text)


def test_the_bounds_themselves_are_within() -> None:
    assert read(f'{{"t":"add","pool":"pin","qty":{CAP_MAX}}}') == Add("pin", CAP_MAX)
    assert read('{"t":"message","text":"' + "x" * 500 + '"}') == Message("x" * 500)


def test_a_row_is_the_fields_in_their_order() -> None:
    assert Open().row() == ()
    assert Pause("lunch").row() == ("lunch",)
    assert Withdraw("pin", 2).row() == ("pin", 2)
