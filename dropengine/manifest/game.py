"""The game of the line in a creator's TOML: what gives points in it, how many, and until when."""

from __future__ import annotations

from datetime import tzinfo
from typing import Final

import msgspec

from dropengine.manifest.defaults import (
    COLLECTED,
    COLLECTED_MOST,
    DELAY_MINUTES,
    FRIENDS_MOST,
    FRIENDS_OF_DOMAIN,
    FRIENDS_OF_NETWORK,
    MISSION_WORTH,
    MISSIONS_MAX,
    WORTH,
)
from dropengine.manifest.toml_tables import Table
from dropengine.model import POINTS

UNTIL: Final = ("seal", "close")
"""Points count until the list is sealed that chance orders, or until their fan is called."""
KINDS: Final = ("code", "answer", "tap")
"""A mission: a word that its maker says, a question that he asks, or something he ticks off."""


class Friends(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who came by a fan's link and is verified, or in a drop of guests has paid. `worth`: points of
    each, `most`: of all together. `delay_ms`: how long it takes until one counts. `network_most`,
    `domain_most`: how many friends from one network and one mail domain count a day, whoever
    brought them."""

    worth: int
    most: int
    delay_ms: int
    network_most: int
    domain_most: int


class Collectors(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Points for each earlier drop of the maker in which a person bought, and for each in whose
    line he stood and got none; `most`: of all together."""

    bought: int
    missed: int
    most: int


class Mission(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something to do for points, once. `title`: what fans read. `ends_ms`: until when, 0: as long
    as points count. Its word stands in no manifest."""

    id: str
    title: str
    kind: str
    worth: int
    ends_ms: int


class GameRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What gives points. `points_until`: of `UNTIL`."""

    points_until: str
    friends: Friends | None
    collectors: Collectors | None
    missions: tuple[Mission, ...]

    @property
    def most(self) -> int:
        """The points that one fan can have."""
        friends = 0 if self.friends is None else self.friends.most
        collected = 0 if self.collectors is None else self.collectors.most
        return friends + collected + sum(mission.worth for mission in self.missions)


SOURCES: Final = ("friends", "collectors", "missions")


def game(top: Table, zone: tzinfo | None) -> GameRules | None:
    """None where nothing gives points. zone: as of the other times of the drop."""
    until = top.choice("points_until", UNTIL, "close", '"seal" or "close"')
    rules = GameRules(
        points_until=until,
        friends=_friends(top),
        collectors=_collectors(top),
        missions=_missions(top, zone),
    )
    if not any(top.has(source) for source in SOURCES):
        if top.has("points_until") and top.sound("points_until"):
            top.wrong("points_until", f"says nothing where there are no {', '.join(SOURCES)}")
        return None
    source = next(one for one in SOURCES if top.has(one))
    if top.sound(*SOURCES) and rules.most > POINTS:
        together = f"must give a fan at most {POINTS} points together, and give {rules.most}"
        top.wrong(source, f"with what else gives points {together}")
    return rules


def _friends(top: Table) -> Friends | None:
    table = top.table("friends")
    if table is None:
        return None
    worth = table.number("worth", *WORTH)
    most = table.number("most", *FRIENDS_MOST)
    if table.sound("worth", "most") and most < worth:
        table.wrong("most", f"must not be below the {worth} that one friend is worth")
    made = Friends(
        worth=worth,
        most=most,
        delay_ms=table.number("delay_minutes", *DELAY_MINUTES) * 60_000,
        network_most=table.number("network_most", *FRIENDS_OF_NETWORK),
        domain_most=table.number("domain_most", *FRIENDS_OF_DOMAIN),
    )
    table.close()
    return made


def _collectors(top: Table) -> Collectors | None:
    table = top.table("collectors")
    if table is None:
        return None
    bought, missed = (table.number(key, *COLLECTED) for key in ("bought", "missed"))
    most = table.number("most", *COLLECTED_MOST)
    if table.sound("bought", "missed") and not bought and not missed:
        table.wrong("bought", "must be at least 1, or missed, or it gives nothing")
    if table.sound("bought", "missed", "most") and most < max(bought, missed):
        table.wrong("most", f"must not be below the {max(bought, missed)} that one drop is worth")
    table.close()
    return Collectors(bought=bought, missed=missed, most=most)


def _missions(top: Table, zone: tzinfo | None) -> tuple[Mission, ...]:
    missions: list[Mission] = []
    seen: dict[str, int] = {}
    for position, table in enumerate(top.tables("missions", MISSIONS_MAX)):
        mission = Mission(
            id=table.ident("id"),
            title=table.text("title", 120, needed=True),
            kind=table.choice("kind", KINDS, None, '"code", "answer" or "tap"'),
            worth=table.number("worth", *MISSION_WORTH),
            ends_ms=table.moment("ends", zone),
        )
        if mission.id and seen.setdefault(mission.id, position) != position:
            table.wrong("id", f"is the id of missions[{seen[mission.id]}] too")
        table.close()
        missions.append(mission)
    return tuple(missions)


def of_game(
    top: Table, rules: GameRules | None, *, mode: str, identity: str, free: bool, closes_ms: int
) -> None:
    """What a game needs of the rest. free: something is given away."""
    if rules is None:
        return
    if rules.points_until == "seal" and mode == "rush" and top.sound("points_until", "mode"):
        top.wrong("points_until", 'must be "close" where mode is "rush": no list is sealed there')
    if identity != "verified" and top.sound("identity"):
        if rules.collectors is not None and top.sound("collectors"):
            top.wrong("collectors", 'needs identity = "verified": a guest is another in each drop')
        if rules.friends is not None and free and top.sound("friends", "items"):
            top.wrong(
                "friends",
                'needs identity = "verified" where something costs nothing: of guests only those '
                "count who have paid",
            )
    for position, mission in enumerate(rules.missions):
        if closes_ms and mission.ends_ms > closes_ms and top.sound("closes_at", "missions"):
            top.wrong("missions", f"must end before the drop closes, and [{position}] does not")
