"""Early access in a creator's TOML: cohorts, how much each may have, and when the drop is open to
all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final, NamedTuple

from dropengine.manifest.defaults import WINDOWS
from dropengine.manifest.manifest import Cohort, Item, Manifest, Pool
from dropengine.manifest.seal import sealed_at
from dropengine.manifest.toml_tables import Table
from dropengine.model import CAP_MAX, COHORTS_MAX

EARLIER_MAX: Final = 10
"""Earlier drops that one cohort names, of each kind."""
WAYS: Final = ("listed", "codes", "bought", "missed")
"""How somebody comes into a cohort."""


class Early(NamedTuple):
    """What a manifest says of it; nothing where the drop is open to all from its opening."""

    cohorts: tuple[Cohort, ...] = ()
    public_ms: int = 0


def early(top: Table, items: Sequence[Item], zone: tzinfo | None, drop: str) -> Early:
    """items: as far as they could be read. zone: as of the other times of the drop."""
    pools = [pool for item in items for pool in item.pools]
    cohorts: list[Cohort] = []
    seen: dict[str, int] = {}
    sound = top.sound("items")
    for position, table in enumerate(top.tables("cohorts", COHORTS_MAX)):
        cohort = _cohort(table, pools, drop)
        if cohort.id and seen.setdefault(cohort.id, position) != position:
            table.wrong("id", f"is the id of cohorts[{seen[cohort.id]}] too")
        sound = sound and table.sound("units")
        table.close()
        cohorts.append(cohort)
    if sound and top.sound("cohorts"):
        _fits(top, cohorts, pools)
    public_ms = top.moment("public_at", zone)
    if not cohorts and top.has("public_at") and top.sound("public_at", "cohorts"):
        top.wrong("public_at", "says nothing where there are no cohorts")
        public_ms = 0
    return Early(tuple(cohorts), public_ms)


def _cohort(table: Table, pools: Sequence[Pool], drop: str) -> Cohort:
    ident = table.ident("id")
    flags = {way: table.flag(way) for way in ("listed", "codes")}
    named = {way: table.idents(way, EARLIER_MAX) for way in ("bought", "missed")}
    for way, drops in named.items():
        if drop and drop in drops:
            table.wrong(way, "must name earlier drops, not this one")
    if table.sound("listed", "codes", "bought", "missed") and not any(
        (*flags.values(), *named.values())
    ):
        table.wrong("listed", "must be true, or nobody is in it: or codes, bought or missed")
    return Cohort(
        id=ident,
        title=table.text("title", 80, needed=True),
        most=_most(table, pools),
        listed=flags["listed"],
        codes=flags["codes"],
        bought=named["bought"],
        missed=named["missed"],
    )


def _most(table: Table, pools: Sequence[Pool]) -> tuple[int, ...]:
    """A whole number is so many of each pool, a table says it of each."""
    if not table.is_table("units"):
        units = table.number("units", 1, CAP_MAX)
        if len(pools) == 1 and table.sound("units") and units > pools[0].cap:
            table.wrong("units", f"must not be above the cap of {pools[0].cap}")
        return tuple(min(units, pool.cap) for pool in pools)
    of_pools = table.table("units")
    assert of_pools is not None, "it is one"
    most = tuple(of_pools.number(pool.id, 0, pool.cap, 0) for pool in pools)
    of_pools.close()
    if not of_pools.sound(*(pool.id for pool in pools)) or not any(most):
        table.wrong("units", "must give it at least 1 unit of some pool")
    return most


def _fits(top: Table, cohorts: Sequence[Cohort], pools: Sequence[Pool]) -> None:
    for place, pool in enumerate(pools):
        together = sum(cohort.most[place] for cohort in cohorts)
        if together > pool.cap:
            top.wrong(
                "cohorts",
                f"must have at most the {pool.cap} units of {pool.id} together, and have "
                f"{together}",
            )
            return


def of_early(top: Table, manifest: Manifest) -> None:
    """What early access needs of the rest: persons, and an opening to all that comes after the
    drop's own, and before it closes."""
    if not manifest.cohorts:
        return
    if top.sound("identity") and manifest.identity != "verified":
        top.wrong("identity", 'must be "verified" where there are cohorts: a cohort is of persons')
    public_ms, opens_ms, mode = manifest.public_ms, manifest.opens_ms, manifest.mode
    if not public_ms or not top.sound("public_at", "opens_at", "closes_at"):
        return
    # Whoever enters a list early has nothing of it: chance orders all who stand in it alike. So the
    # list of a drop with cohorts is theirs alone, and it is open to all when its order stands.
    begins_ms = sealed_at(mode, manifest.window_ms, opens_ms) if mode in WINDOWS else opens_ms
    if opens_ms and public_ms <= begins_ms:
        why = "later than the opening"
        if mode in WINDOWS:
            why = "later than its list is sealed: to enter a list early is of no use to anybody"
        top.wrong("public_at", f"must be {why}")
    elif manifest.closes_ms and public_ms >= manifest.closes_ms:
        top.wrong("public_at", "must be earlier than the closing")
