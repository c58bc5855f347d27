"""What belongs to no drop has names of its own, made in one place."""

from __future__ import annotations

from pathlib import Path

import dropengine
from dropengine.truth import house_keys, keys

PACKAGE = Path(dropengine.__file__).parent
OWNER = PACKAGE / "truth" / "house_keys.py"
TAG = "{house}"


def test_no_other_file_makes_a_key_or_a_channel_of_the_house() -> None:
    lua = [*(PACKAGE / "lua").rglob("*.lua")]
    assert len(lua) > 50
    # An f-string says the tag with doubled braces: it is in them all the same.
    said = [path for path in (*PACKAGE.rglob("*.py"), *lua) if TAG in path.read_text()]
    assert said == [OWNER]


def test_their_names_are_those_that_earlier_workers_know() -> None:
    found = (house_keys.DROPS, house_keys.NUDGE, house_keys.lease("duties"))
    assert found == ("{house}:drops", "{house}:nudge", "{house}:lease:duties")


def test_a_drop_of_that_very_name_has_other_keys() -> None:
    assert {house_keys.DROPS, house_keys.lease("duties")}.isdisjoint(keys.of("house"))
