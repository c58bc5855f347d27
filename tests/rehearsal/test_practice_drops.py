from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dropengine.creator_commands import Add
from dropengine.errors import ManifestError
from dropengine.manifest import canonical, from_canonical
from dropengine.manifest.defaults import MODES
from dropengine.rehearsal.operators import acts
from dropengine.rehearsal.practice_drops import compressed, fresh_id, in_mode, scaled, shipped

HARD = shipped("hard-mix-a.toml")
EXAMPLES = (
    *("eclipse-pin.toml", "lamp-trio.toml", "comet-print.toml"),
    *("hard-mix-a.toml", "hard-mix-b.toml"),
)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_found_by_its_name_wherever_we_stand(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert f"{shipped(name).id}.toml" == name


def test_a_drop_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(ManifestError, match="No such file"):
        shipped("nowhere.toml")


@settings(deadline=None)
@given(st.text("abc-0", min_size=1, max_size=32))
def test_a_fresh_id_is_an_id_that_nobody_had(name: str) -> None:
    made = fresh_id("a" + name[1:])
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", made)
    assert made != fresh_id("a" + name[1:])


@pytest.mark.parametrize("name", EXAMPLES)
@settings(deadline=None)
@given(units=st.integers(60, 5_000))
def test_units_are_spread_and_add_up(name: str, units: int) -> None:
    drop = scaled(shipped(name), units)
    pools = [pool for item in drop.items for pool in item.pools]
    assert sum(pool.cap - pool.withheld for pool in pools) == units
    assert all(pool.cap > pool.withheld >= 0 for pool in pools)
    assert all(item.cap == sum(pool.cap for pool in item.pools) for item in drop.items)


def test_too_few_units_for_every_pool_are_refused() -> None:
    with pytest.raises(ManifestError, match="cannot be spread"):
        scaled(shipped("hard-mix-a.toml"), 3)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_compressed_drop_is_a_practice_that_can_be_published(name: str) -> None:
    drop = compressed(shipped(name), "practice-1", None)
    assert drop.practice
    assert (drop.id, drop.opens_ms, drop.closes_ms) == ("practice-1", 0, 0)
    assert drop.hold_ms <= 3_000
    assert from_canonical(canonical(drop)) == drop


@pytest.mark.parametrize("mode", MODES)
def test_an_example_is_played_in_every_mode(mode: str) -> None:
    drop = in_mode(shipped("eclipse-pin.toml"), mode)
    assert in_mode(drop, mode) == drop
    assert in_mode(drop, "rush") == shipped("eclipse-pin.toml")
    played = compressed(drop, "practice-1", 12)
    assert played.mode == mode
    assert from_canonical(canonical(played)) == played


@settings(deadline=None)
@given(st.integers())
def test_a_creator_s_evening_is_drawn_from_the_seed(seed: int) -> None:
    drop = compressed(HARD, fresh_id("hard-mix-a"), None)
    again = compressed(HARD, fresh_id("hard-mix-a"), None)
    evening = acts(seed, drop)
    assert evening == acts(seed, again)
    assert evening == sorted(evening, key=lambda act: act.at_ms)


@settings(deadline=None)
@given(st.integers())
def test_every_evening_has_a_pause_and_puts_all_stock_on_sale(seed: int) -> None:
    drop = compressed(HARD, "hard-mix-a-1", None)
    evening = acts(seed, drop)
    verbs = [act.what.verb for act in evening]
    assert verbs.index("pause") < verbs.index("resume")
    assert {"add", "refund", "message"} <= set(verbs)
    for pool in (pool for item in drop.items for pool in item.pools if pool.withheld):
        adds = [act.what for act in evening if isinstance(act.what, Add)]
        assert sum(add.qty for add in adds if add.pool == pool.id) == pool.withheld
