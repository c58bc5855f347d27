"""Every creator's command can be typed, and says what it came to."""

from __future__ import annotations

import argparse

import pytest

from dropengine.cli import drop_arguments, drop_commands
from dropengine.creator_commands import COMMANDS

ARGUMENTS = {verb: add for verb, _, add in drop_arguments.VERBS}


def test_every_command_of_the_union_can_be_typed() -> None:
    assert set(COMMANDS) <= set(ARGUMENTS)
    assert set(drop_commands.SAID) == set(COMMANDS.values())


@pytest.mark.parametrize("verb", list(COMMANDS))
def test_a_command_takes_its_fields_from_arguments_of_the_same_names(verb: str) -> None:
    parser = argparse.ArgumentParser()
    ARGUMENTS[verb](parser)
    dests = {action.dest for action in parser._actions}
    assert set(COMMANDS[verb].__struct_fields__) <= dests
