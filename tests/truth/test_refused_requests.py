"""What a server says instead of running a script: away for now, full, or our own mistake."""

from __future__ import annotations

import pytest

from dropengine.errors import Broken, Unavailable
from dropengine.truth.refused_requests import PASSING, MemoryFull, fault


@pytest.mark.parametrize("word", PASSING)
def test_what_will_pass_means_unknown_and_never_a_broken_sale(word: str) -> None:
    found = fault("press", f"{word} and more words")
    assert type(found) is Unavailable
    assert "press" in str(found)


def test_a_full_memory_is_told_apart_because_what_was_begun_may_go_on() -> None:
    found = fault("press", "OOM command not allowed when used memory > 'maxmemory'.")
    assert isinstance(found, MemoryFull)
    assert isinstance(found, Unavailable)


@pytest.mark.parametrize("words", ["ERR script: 41: no such field", "WRONGTYPE"])
def test_whatever_our_scripts_say_wrongly_is_broken(words: str) -> None:
    assert isinstance(fault("press", words), Broken)
