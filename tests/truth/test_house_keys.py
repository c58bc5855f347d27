"""What belongs to no drop has names of its own, made in one place."""

from __future__ import annotations

import re
from pathlib import Path

import dropengine
from dropengine.truth import keys
from dropengine.truth.house_keys import HouseKeys
from dropengine.truth.store import Store
from tests.kit.sale import Sale

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


def test_no_script_lets_anything_but_the_houses_run_out() -> None:
    """What runs out a server may forget when its memory is full (maxmemory-policy volatile-*)."""
    runs_out = re.compile(r"'(P?EXPIRE(AT)?|[PS]?SETEX|GETEX|EX|PX|EXAT|PXAT)'", re.IGNORECASE)
    lua = (PACKAGE / "lua").rglob("*.lua")
    assert {path.parent.name for path in lua if runs_out.search(path.read_text())} == {"house"}


async def test_no_record_of_a_sale_runs_out(store: Store, sale: Sale) -> None:
    hold = await sale.bought("ana")
    await sale.held("bo")
    await sale.refund(hold)
    await sale.creator("pause")
    await sale.creator("resume")
    await store.house.lease("duties", "me", 60_000)
    left = {key.decode(): await store.client.pttl(key) async for key in store.client.scan_iter()}
    assert {key for key, ms in left.items() if ms >= 0 and not key.startswith(TAG)} == set()
    assert left[f"{{{sale.drop}}}:log"] == -1
    assert left[store.house.keys.lease("duties")] > 0


PREFIXES = (None, "shop", "house", "0-a", "-", "x" * 32)


def test_no_two_shops_have_a_name_in_common() -> None:
    seen: set[str] = set()
    for prefix in PREFIXES:
        house = HouseKeys(prefix)
        names = {*keys.of("pin", prefix), *keys.of("house", prefix), house.claim, house.drops}
        names |= {house.nudge, house.proof, house.tried, house.lease("a"), house.tickets("b")}
        names |= {house.looked, house.desks, house.revoked}
        assert all(name.startswith(f"{prefix}:{{" if prefix else "{") for name in names)
        assert seen.isdisjoint(names)
        seen |= names
        for name in ("drop", "log"):
            assert keys.one("pin", name, prefix) in names
            # The hash tag is the same with every prefix.
            assert keys.drop_of(keys.one("pin", name, prefix)) == "pin"
