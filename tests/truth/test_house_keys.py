"""What belongs to no drop has names of its own, made in one place."""

from __future__ import annotations

from pathlib import Path

import dropengine
from dropengine.truth import keys
from dropengine.truth.house_keys import HouseKeys

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
    house = HouseKeys()
    found = (house.drops, house.nudge, house.lease("duties"))
    assert found == ("{house}:drops", "{house}:nudge", "{house}:lease:duties")


def test_a_drop_of_that_very_name_has_other_keys() -> None:
    house = HouseKeys()
    assert {house.drops, house.lease("duties")}.isdisjoint(keys.of("house"))


PREFIXES = (None, "shop", "house", "0-a", "-", "x" * 32)


def test_no_two_shops_have_a_name_in_common() -> None:
    seen: set[str] = set()
    for prefix in PREFIXES:
        house = HouseKeys(prefix)
        names = {*keys.of("pin", prefix), *keys.of("house", prefix), house.claim, house.drops}
        names |= {house.nudge, house.proof, house.tried, house.lease("a"), house.tickets("b")}
        assert all(name.startswith(f"{prefix}:{{" if prefix else "{") for name in names)
        assert seen.isdisjoint(names)
        seen |= names
        for name in ("drop", "log"):
            assert keys.one("pin", name, prefix) in names
            # The hash tag is the same with every prefix.
            assert keys.drop_of(keys.one("pin", name, prefix)) == "pin"
