"""The fields of a draft's form: what stands in each, what is wrong with it, and what stands beside
the rules. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from dropengine.manifest import Form, judged_form
from dropengine.manifest.toml_tables import faults_in_text
from dropengine.people.makers import Maker
from dropengine.people.showcases import FACTS, Picture, pictures_of, sizes

FACT_CHARS_MAX = 1_000
SIZES_ROWS_MAX = 40
SIZES_COLUMNS_MAX = 8
CELL_CHARS_MAX = 40
ALT_CHARS_MAX = 200
_CALLED = {
    "id": "short name",
    "items.title": "what",
    "maker": "sold by",
    "cap": "how many exist",
    "withheld": "kept back",
    "zone": "time zone",
    "limit": "at most to a person",
    "items.limit": "of it to a person",
    "delivery": "how it gets to people",
    "contact": "where to ask",
    "sizes": "size guide",
    "alt": "what the pictures show",
    "about": "about it",
    "opens_at": "opens",
    "closes_at": "closes",
    "node": "place",
    "mode": "how it is given out",
    "cohorts": "early access",
    "public_at": "open to all",
    "cohorts.title": "what fans call",
    "cohorts.units": "how many for",
    "cohorts.listed": "who is in",
    "cohorts.bought": "who bought in, of",
    "cohorts.missed": "who waited in vain in, of",
    "identity": "who may take part",
    "guests_may_enter": "whether guests may enter",
    "window_seconds": "how long the list is open",
    "first_offer_seconds": "how long a first offer stands",
    "tickets_most": "tickets at most",
    "beacon_round": "where chance comes from",
    "network_most": "of one network at a time",
    "carried_from": "who stands first",
    "carried_hash": "the list that is carried over",
    "carried_share": "what they may have at most",
    "domain_most": "persons of one mail domain",
    "k": "every which call goes by points",
    "points_until": "until when points count",
    "friends": "points for friends",
    "friends.worth": "points for a friend",
    "friends.most": "points for friends at most",
    "friends.delay_minutes": "minutes until a friend counts",
    "friends.network_most": "friends of one network a day",
    "friends.domain_most": "friends of one mail domain a day",
    "collectors": "points for collectors",
    "collectors.bought": "points for who bought before",
    "collectors.missed": "points for who waited in vain before",
    "collectors.most": "points for collectors at most",
    "missions": "missions",
    "missions.title": "what is to be done in",
    "missions.kind": "how it is proved in",
    "missions.worth": "points for",
    "missions.ends": "when it ends, of",
    "most": "in one press",
    "ways": "ways it gets to people",
    "ways.title": "what fans call",
    "ways.kind": "what kind is",
    "ways.countries": "the countries of",
    "ways.nodes": "the places of",
    "ways.amount": "what is paid for",
    "ways.off": "what is off by",
    "ways.from": "from when it may be fetched by",
    "ways.until": "until when it may be fetched by",
    "ways.cash": "whether cash is taken by",
    "pay_by_hand": "whether it may be paid by transfer",
    "hand_hours": "hours to pay by transfer",
    "hand_share": "percent that may wait for transfers",
    "asks.name": "whether a name is asked",
    "asks.address": "whether an address is asked",
    "asks.phone": "whether a phone is asked",
    "asks.note": "whether a note is asked",
    "asks.note_label": "what the note is called",
    "asks.note_chars": "how long the note may be",
}
_ITEM = re.compile(r"(items\[(\d+)\])\.")
_COHORT = re.compile(r"cohorts\[(\d)\]\.")
_MISSION = re.compile(r"missions\[(\d)\]\.")
_WAY = re.compile(r"ways\[(\d)\]\.")
_POOL = re.compile(r"(items\[\d+\]\.pools\[(\d+)\])\.")


class Fields:
    """A form for a template. `items`, `cohorts`, `missions`, `ways`: how many it has."""

    def __init__(self, form: Form, mistakes: Mapping[str, list[str]]) -> None:
        self._form = form
        self._mistakes = mistakes
        places = [int(found[2]) for path in form if (found := _ITEM.match(path))]
        self.items = max(places, default=-1) + 1
        cohorts = [int(found[1]) for path in form if (found := _COHORT.match(path))]
        self.cohorts = max(cohorts, default=-1) + 1
        missions = [int(found[1]) for path in form if (found := _MISSION.match(path))]
        self.missions = max(missions, default=-1) + 1
        ways = [int(found[1]) for path in form if (found := _WAY.match(path))]
        self.ways = max(ways, default=-1) + 1

    def value(self, path: str) -> str:
        """What stands there."""
        return self._form.get(path, "")

    def wrong(self, path: str) -> list[str]:
        """What is wrong with it."""
        return self._mistakes.get(path, [])

    def pools(self, item: str) -> int:
        """How many pools an item has, `items[0]`."""
        found = [_POOL.match(path) for path in self._form if path.startswith(f"{item}.")]
        return max((int(one[2]) for one in found if one), default=-1) + 1

    def pictures(self, item: str) -> list[Picture]:
        """Of an item."""
        return pictures_of(self.value(f"{item}.pictures"))

    def any_wrong(self, before: str) -> bool:
        """Is something wrong below this path?"""
        return any(path.startswith(before) for path in self._mistakes)


def fields_of(form: Form) -> Fields:
    """Without mistakes."""
    return Fields(form, {})


def fresh_form(maker: Maker, latest: Form) -> Form:
    """What a new drop begins with. latest: what this maker wrote last, whose habits it keeps, not
    its mistakes."""
    _, mistakes = judged_form(latest)
    wrong = mistakes.keys() | beside_faults(latest).keys()
    wishes = ("asks.name", "asks.address", "asks.phone")
    habits = ("currency", "zone", "language", "limit", *wishes, *FACTS)
    form = {name: latest[name] for name in habits if name in latest and name not in wrong}
    return {"maker": maker.name, "currency": "EUR", "limit": "2", **form, "items[0].cap": "100"}


def beside_faults(form: Form) -> dict[str, str]:
    """What is wrong beside the rules: path -> the end of a sentence."""
    found = {}
    for path, text in form.items():
        name = path.rpartition(".")[2]
        if name in (*FACTS, "care"):
            if faults := faults_in_text(text.strip(), FACT_CHARS_MAX, paragraphs=True):
                found[path] = faults[0]
        elif name == "alt":
            if faults := faults_in_text(text.strip(), ALT_CHARS_MAX, paragraphs=False):
                found[path] = faults[0]
        elif name == "sizes" and (why := _sizes_fault(text)):
            found[path] = why
    return found


def _sizes_fault(text: str) -> str:
    rows = sizes(text)
    if len(rows) > SIZES_ROWS_MAX:
        return f"must have at most {SIZES_ROWS_MAX} rows, and has {len(rows)}"
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            return f"must have as many cells in row {number} as in the first, {len(rows[0])}"
        if len(row) > SIZES_COLUMNS_MAX:
            return f"must have at most {SIZES_COLUMNS_MAX} columns, and has {len(row)}"
        for cell in row:
            if faults := faults_in_text(cell, CELL_CHARS_MAX, paragraphs=False):
                return f"row {number} {faults[0]}"
    return ""


def field_name(path: str) -> str:
    """`items[0].price` -> `price of item 1`: a field as people call it."""
    if path in _CALLED:
        return _CALLED[path]
    if cohort := re.fullmatch(r"cohorts\[(\d)\]\.([a-z]+)", path):
        name = _CALLED.get(f"cohorts.{cohort[2]}", f"{_CALLED.get(cohort[2], cohort[2])} of")
        return f"{name} cohort {int(cohort[1]) + 1}"
    if mission := re.fullmatch(r"missions\[(\d)\]\.([a-z]+)", path):
        name = _CALLED.get(f"missions.{mission[2]}", f"{_CALLED.get(mission[2], mission[2])} of")
        return f"{name} mission {int(mission[1]) + 1}"
    if way := re.fullmatch(r"ways\[(\d)\]\.([a-z]+)", path):
        name = _CALLED.get(f"ways.{way[2]}", f"{_CALLED.get(way[2], way[2])} of")
        return f"{name} way {int(way[1]) + 1}"
    found = re.fullmatch(r"(?:items\[(\d+)\])?\.?(?:pools\[(\d+)\]\.)?([a-z_]*)", path)
    if found is None:
        return path
    plain = _CALLED.get(found[3], found[3].replace("_", " ") or "item")
    if found[1] is None:
        return plain
    name = _CALLED.get(f"items.{found[3]}", plain)
    at = f"item {int(found[1]) + 1}"
    return f"{name} of {at}" if found[2] is None else f"{name} of place {int(found[2]) + 1} of {at}"
