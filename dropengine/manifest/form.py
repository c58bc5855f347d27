"""A manifest as somebody types it: the fields of a form, by the paths that a mistake names.

`items[0].price` is `24.00` here and 2400 in a file; a time is that of the drop's own clocks. What
is wrong with a field is said with the same sentence as of a file, and nothing that was typed is
lost.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from hashlib import sha256
from typing import Any, Final
from unicodedata import normalize

import tomli_w

from dropengine.asked import NO
from dropengine.errors import ManifestError
from dropengine.manifest.amounts import amount, minor
from dropengine.manifest.currencies import MINOR_DIGITS
from dropengine.manifest.defaults import (
    CALLS,
    CARRIED_SHARE,
    DOMAIN,
    FIRST_OFFERS,
    HAND_HOURS,
    HAND_SHARE,
    IDENTITIES,
    ITEMS_MAX,
    MISSIONS_MAX,
    MODES,
    PACE,
    POOLS_MAX,
    SECONDS,
    TICKETS,
    WAYS_MAX,
    WINDOWS,
    K,
)
from dropengine.manifest.game import UNTIL
from dropengine.manifest.manifest import Cohort, Item, Manifest
from dropengine.manifest.parse import judged, network_most, parse
from dropengine.manifest.seal import fault_in_round, first_round, sealed_at
from dropengine.manifest.toml_tables import LENGTHS, length_s, moment_ms, read, short
from dropengine.manifest.ways import HOUR_MS, Way
from dropengine.manifest.zones import in_zone, known_zone
from dropengine.model import COHORTS_MAX
from dropengine.randomness import Chain

Form = dict[str, str]
"""Path -> what was typed. Fields that are empty are not there."""

TEXTS: Final = (
    *("id", "title", "maker", "story", "mode", "identity", "currency", "zone", "language"),
    *("carried_from", "carried_hash", "points_until"),
)
TIMES: Final = ("opens_at", "closes_at", "public_at")
CLOCKS: Final = ("calls_from", "calls_to")
OF_CHANCE: Final = ("window_seconds", "first_offer_seconds", "tickets_most", "beacon_round")
NUMBERS: Final = (
    *("limit", "k", "pace", "network_most", "domain_most", "carried_share"),
    *("hand_hours", "hand_share"),
    *(f"{what}_seconds" for what in SECONDS),
    *OF_CHANCE,
)
FLAGS: Final = ("practice", "guests_may_enter", "pay_by_hand")
PLANNED: Final = "planned"
"""In the place of a beacon's round: the first one that may order the list, if it is sealed as
planned."""
ITEM_TEXTS: Final = ("id", "title", "about")
ITEM_NUMBERS: Final = ("cap", "withheld", "limit", "most")
POOL_NUMBERS: Final = ("cap", "withheld")
ASKS: Final = ("name", "address", "phone", "note", "note_label", "note_chars")
"""Of the table `asks`."""
COHORT: Final = ("id", "title", "units", "listed", "codes", "bought", "missed")
"""Of one of `cohorts`. Units are a number, or `pin 60, mug 20`; drops have commas between them."""
FRIENDS: Final = ("worth", "most", "delay_minutes", "network_most", "domain_most")
COLLECTORS: Final = ("bought", "missed", "most")
"""Of the tables `friends` and `collectors`."""
MISSION: Final = ("id", "title", "kind", "worth", "ends")
"""Of one of `missions`."""
WAY: Final = (
    *("id", "title", "kind", "countries", "nodes", "amount", "off", "from", "until", "cash"),
)
"""Of one of `ways`. Countries and places have commas between them; amounts are as people write
them."""
TABLES: Final = {"asks": ASKS, "friends": FRIENDS, "collectors": COLLECTORS}
BESIDE: Final = ("delivery", "returns", "contact")
"""What is shown beside the rules and is none of them, of the drop and of an item."""
ITEM_BESIDE: Final = ("care", "sizes", "alt", "pictures")
ID_CHARS: Final = 32

_ITEM = re.compile(r"items\[([0-9]{1,2})\]\.(?:([a-z]+)|pools\[([0-9]{1,2})\]\.([a-z]+))")
_COHORT = re.compile(r"cohorts\[([0-9])\]\.([a-z]+)")
_MISSION = re.compile(r"missions\[([0-9])\]\.([a-z]+)")
_WAY = re.compile(r"ways\[([0-9])\]\.([a-z]+)")
_OF_COHORT = re.compile(r"(cohorts\[[0-9]\]\.[a-z]+)[.\[].*")
_OF_POOLS = re.compile(r"(?:([a-z0-9@-]{1,65})[ =:]+([0-9]{1,6})(?:[ ,;]+|$))+")
_OF_POOL = re.compile(r"([a-z0-9@-]{1,65})[ =:]+([0-9]{1,6})")
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")


def known(path: str) -> bool:
    """Is this a field of the form?"""
    if path in (*TEXTS, *TIMES, *CLOCKS, *NUMBERS, *BESIDE, *FLAGS):
        return True
    table, _, name = path.rpartition(".")
    if table in TABLES:
        return name in TABLES[table]
    if mission := _MISSION.fullmatch(path):
        return mission[2] in MISSION and int(mission[1]) < MISSIONS_MAX
    if way := _WAY.fullmatch(path):
        return way[2] in WAY and int(way[1]) < WAYS_MAX
    if cohort := _COHORT.fullmatch(path):
        return cohort[2] in COHORT and int(cohort[1]) < COHORTS_MAX
    found = _ITEM.fullmatch(path)
    if found is None or int(found[1]) >= ITEMS_MAX or int(found[3] or 0) >= POOLS_MAX:
        return False
    if found[4]:
        return found[4] in ("node", *POOL_NUMBERS)
    return found[2] in (*ITEM_TEXTS, *ITEM_NUMBERS, *ITEM_BESIDE, "price")


def taken(fields: Mapping[str, str]) -> Form:
    """What of the fields that were sent is the form's, items and pools counted without holes."""
    kept = {path: value for path, value in fields.items() if value.strip() and known(path)}
    return _counted(kept)


def without(form: Form, part: str) -> Form:
    """The form without an item or a pool, `items[1]`."""
    return _counted({path: text for path, text in form.items() if not path.startswith(f"{part}.")})


def named(form: Form) -> Form:
    """The form with an id for what has only a title."""
    full = dict(form)
    for path, title in form.items():
        before, _, name = path.rpartition("title")
        if name == "" and path.endswith("title") and not form.get(f"{before}id"):
            full[f"{before}id"] = slug(title) or _plain_id(before, title)
    return {path: text for path, text in full.items() if text}


def slug(title: str) -> str:
    """`Eclipse Pin 2027` -> `eclipse-pin-2027`; '' of what has no letter that an id may have."""
    plain = normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:ID_CHARS].rstrip("-")


def _plain_id(before: str, title: str) -> str:
    """`太陽` -> `drop-1b2c3d4e`, and `item-1` for an item: an id where the title's letters make
    none. The same title has always the same, another title another."""
    if found := _COHORT.fullmatch(f"{before}id"):
        return f"cohort-{int(found[1]) + 1}"
    if found := _MISSION.fullmatch(f"{before}id"):
        return f"mission-{int(found[1]) + 1}"
    if found := _WAY.fullmatch(f"{before}id"):
        return f"way-{int(found[1]) + 1}"
    if found := _ITEM.fullmatch(f"{before}id"):
        return f"item-{int(found[1]) + 1}"
    return f"drop-{sha256(title.encode()).hexdigest()[:8]}"


def _counted(form: Form) -> Form:
    """Items and pools numbered as they follow one another."""
    counted: Form = {}
    places: dict[str, int] = {}
    met: dict[str, int] = {}

    def place(part: str, within: str) -> int:
        if part not in places:
            places[part] = met.get(within, 0)
            met[within] = places[part] + 1
        return places[part]

    for path in sorted(form, key=_order):
        if cohort := _COHORT.fullmatch(path):
            counted[f"cohorts[{place(f'cohorts[{cohort[1]}]', 'cohorts')}].{cohort[2]}"] = form[
                path
            ]
            continue
        if mission := _MISSION.fullmatch(path):
            within = place(f"missions[{mission[1]}]", "missions")
            counted[f"missions[{within}].{mission[2]}"] = form[path]
            continue
        if way := _WAY.fullmatch(path):
            counted[f"ways[{place(f'ways[{way[1]}]', 'ways')}].{way[2]}"] = form[path]
            continue
        found = _ITEM.fullmatch(path)
        if found is None:
            counted[path] = form[path]
            continue
        item = place(f"items[{found[1]}]", "items")
        if found[4]:
            pool = place(f"items[{found[1]}].pools[{found[3]}]", f"items[{found[1]}].pools")
            counted[f"items[{item}].pools[{pool}].{found[4]}"] = form[path]
        else:
            counted[f"items[{item}].{found[2]}"] = form[path]
    return counted


def _order(path: str) -> tuple[int, int, str]:
    found = _ITEM.fullmatch(path)
    return (int(found[1]), int(found[3] or -1), path) if found else (-1, -1, path)


def judged_form(form: Form, chain: Chain | None = None) -> tuple[Manifest, dict[str, list[str]]]:
    """What a form makes, with something harmless for each mistake; path -> what is wrong there.
    chain: whose rounds are planned and looked at; without one, those of a published drop."""
    values, own = _values(named(form), chain)
    manifest, mistakes = judged(values)
    if chain is not None and (fault := fault_in_round(manifest, chain)):
        own.setdefault("beacon_round", fault)
    found: dict[str, list[str]] = {path: [sentence] for path, sentence in own.items()}
    for told, sentence in mistakes:
        # What a table or a list holds was typed into one field.
        path = _OF_COHORT.sub(r"\1", told)
        # What this page itself could not read has its sentence already.
        if path not in own:
            found.setdefault(path, []).append(sentence)
    return manifest, found


def toml(form: Form, chain: Chain | None = None) -> str:
    """The form as a file. Fields that no file could say stand in it as they were typed."""
    values, _ = _values(named(form), chain, quiet=True)
    return tomli_w.dumps(values, multiline_strings=True)


def form_of(manifest: Manifest) -> Form:
    """A manifest as somebody would have typed it; what is the default is left out."""
    m, digits = manifest, MINOR_DIGITS[manifest.currency]
    numbers = {
        "k": (m.k, K.default),
        "pace": (m.pace, PACE.default),
        "network_most": (m.network_most, network_most(m.items)),
        "domain_most": (m.domain_most, DOMAIN.default),
    }
    if m.carried_from:
        numbers["carried_share"] = (m.carried_share, CARRIED_SHARE.default)
    if m.hand_ms:
        numbers["hand_hours"] = (m.hand_ms // HOUR_MS, HAND_HOURS.default)
        numbers["hand_share"] = (m.hand_share, HAND_SHARE.default)
    for what, bounds in SECONDS.items():
        numbers[f"{what}_seconds"] = (getattr(m, f"{what}_ms") // 1000, bounds.default)
    if not m.pace:
        del numbers["pace_seconds"]
    form = {
        **{name: getattr(m, name) for name in ("id", "title", "maker", "story", "currency")},
        "zone": m.zone,
        "language": m.language,
        "limit": str(m.limit),
        "opens_at": clock(m.opens_ms, m.zone),
        "closes_at": clock(m.closes_ms, m.zone),
        "public_at": clock(m.public_ms, m.zone),
        "practice": "yes" if m.practice else "",
        "identity": m.identity if m.identity != IDENTITIES[0] else "",
        "pay_by_hand": "yes" if m.hand_ms else "",
        **_calls_form(m),
        **_chance_form(m),
        "carried_from": m.carried_from,
        "carried_hash": m.carried_hash,
        **{name: str(value) for name, (value, default) in numbers.items() if value != default},
    }
    if m.asks is not None:
        asked = {name: getattr(m.asks, name) for name in ASKS}
        form |= {f"asks.{name}": str(said) for name, said in asked.items() if said not in (NO, 0)}
    for place, cohort in enumerate(m.cohorts):
        form |= {f"cohorts[{place}].{k}": v for k, v in _cohort_form(m, cohort).items()}
    form |= _game_form(m)
    for place, way in enumerate(m.ways):
        form |= {f"ways[{place}].{k}": v for k, v in _way_form(m, way, digits).items()}
    for place, item in enumerate(m.items):
        form |= {f"items[{place}].{k}": v for k, v in _item_form(item, digits).items()}
    return {path: text for path, text in form.items() if text}


def _cohort_form(m: Manifest, cohort: Cohort) -> Form:
    pools = [pool for item in m.items for pool in item.pools]
    most = max(cohort.most)
    alike = all(each == min(most, pool.cap) for each, pool in zip(cohort.most, pools, strict=True))
    of_each = zip(pools, cohort.most, strict=True)
    units = ", ".join(f"{pool.id} {each}" for pool, each in of_each if each)
    return {
        "id": cohort.id,
        "title": cohort.title,
        "units": str(most) if alike else units,
        "listed": "yes" if cohort.listed else "",
        "codes": "yes" if cohort.codes else "",
        "bought": ", ".join(cohort.bought),
        "missed": ", ".join(cohort.missed),
    }


def _way_form(m: Manifest, way: Way, digits: int) -> Form:
    return {
        "id": way.id,
        "title": way.title,
        "kind": way.kind,
        "countries": ", ".join(way.countries),
        "nodes": ", ".join(way.nodes),
        "amount": amount(way.amount, digits) if way.amount else "",
        "off": amount(way.off, digits) if way.off else "",
        "from": clock(way.from_ms, m.zone),
        "until": clock(way.until_ms, m.zone),
        "cash": "yes" if way.cash else "",
    }


def _game_form(m: Manifest) -> Form:
    """What gives points. All of it is spelled out: a table is there by what it says."""
    if m.game is None:
        return {}
    form = {"points_until": m.game.points_until if m.game.points_until != UNTIL[1] else ""}
    if (friends := m.game.friends) is not None:
        form |= {
            "friends.worth": str(friends.worth),
            "friends.most": str(friends.most),
            "friends.delay_minutes": str(friends.delay_ms // 60_000),
            "friends.network_most": str(friends.network_most),
            "friends.domain_most": str(friends.domain_most),
        }
    if (collectors := m.game.collectors) is not None:
        form |= {f"collectors.{name}": str(getattr(collectors, name)) for name in COLLECTORS}
    for place, mission in enumerate(m.game.missions):
        form |= {
            **{f"missions[{place}].{name}": getattr(mission, name) for name in MISSION[:3]},
            f"missions[{place}].worth": str(mission.worth),
            f"missions[{place}].ends": clock(mission.ends_ms, m.zone),
        }
    return form


def _calls_form(m: Manifest) -> Form:
    """When the line calls, where that is not the usual."""
    if m.practice:
        return {}
    between = (day_time(m.calls_from_ms), day_time(m.calls_to_ms))
    return {} if between == CALLS else dict(zip(CLOCKS, between, strict=True))


def _chance_form(m: Manifest) -> Form:
    """What it says of chance, where chance gives out the arrivals."""
    if m.mode == MODES[0]:
        return {}
    most = TICKETS.default if m.mode == "draw" else 1
    numbers = {
        "window_seconds": (m.window_ms // 1000, WINDOWS[m.mode].default),
        "first_offer_seconds": (m.first_offer_ms // 1000, FIRST_OFFERS[m.mode]),
        "tickets_most": (m.tickets_most, most),
        "beacon_round": (m.beacon_round, 0),
    }
    return {
        "mode": m.mode,
        "guests_may_enter": "yes" if m.guests_may_enter else "",
        **{
            name: length(value) if name.endswith("_seconds") else str(value)
            for name, (value, default) in numbers.items()
            if value != default
        },
    }


def length(seconds: int) -> str:
    """1800 -> `30 min`: in the largest unit that leaves no rest."""
    unit = next((one for one in ("d", "h", "min") if seconds and seconds % LENGTHS[one] == 0), "s")
    return f"{seconds // LENGTHS[unit]} {unit}"


def day_time(ms: int) -> str:
    """28800000 -> `08:00`."""
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}"


def _item_form(item: Item, digits: int) -> Form:
    form = {
        **{name: getattr(item, name) for name in ITEM_TEXTS},
        "price": amount(item.price, digits),
        "cap": str(item.cap),
        "limit": str(item.limit) if item.limit else "",
        "most": str(item.most),
    }
    if item.pools[0].node == "":
        form["withheld"] = str(item.pools[0].withheld) if item.pools[0].withheld else ""
        return form
    for place, pool in enumerate(item.pools):
        form[f"pools[{place}].node"] = pool.node
        form[f"pools[{place}].cap"] = str(pool.cap)
        form[f"pools[{place}].withheld"] = str(pool.withheld) if pool.withheld else ""
    return form


def form_of_file(text: bytes, source: str) -> tuple[Form, list[str]]:
    """A file as a form, and what is wrong in it, with its lines.

    Raises ManifestError for what is no TOML at all: nothing of it could be taken.
    """
    try:
        manifest = parse(text, source)
    except ManifestError as fault:
        try:
            read(text)
        except ValueError:
            raise fault from None
        return _as_it_stands(tomllib.loads(text.decode("utf-8-sig"))), fault.mistakes
    return form_of(manifest), []


def _as_it_stands(values: dict[str, Any]) -> Form:
    """What can be taken of a file with mistakes: each value under its path, as people type it."""
    zone = values.get("zone") if isinstance(values.get("zone"), str) else "UTC"
    digits = MINOR_DIGITS.get(str(values.get("currency")), 2)
    form: dict[str, str] = {}

    def take(path: str, value: object) -> None:
        if isinstance(value, dict) and path.endswith(".units"):
            form[path] = ", ".join(f"{pool} {units}" for pool, units in value.items())
        elif isinstance(value, dict):
            for name, inner in value.items():
                take(f"{path}.{name}" if path else name, inner)
        elif isinstance(value, list) and path.endswith(
            (".bought", ".missed", ".countries", ".nodes")
        ):
            form[path] = ", ".join(map(str, value))
        elif isinstance(value, list):
            for place, inner in enumerate(value):
                take(f"{path}[{place}]", inner)
        elif isinstance(value, bool):
            form[path] = "yes" if value else ""
        elif isinstance(value, datetime) and value.tzinfo is not None:
            form[path] = clock(int(value.timestamp() * 1000), str(zone))
        elif isinstance(value, int) and path.endswith(".price") and value >= 0:
            form[path] = amount(value, digits)
        else:
            form[path] = str(value)

    take("", values)
    return taken(form)


def clock(ms: int, zone: str) -> str:
    """A moment as a field for times has it, by the drop's own clocks; '' for none."""
    at = in_zone(ms, zone) if ms else None
    if at is None:
        return ""
    whole = at.replace(tzinfo=None)
    if at.fold:
        # The second of two such hours: clocks alone do not tell them apart.
        return at.isoformat()
    return whole.isoformat(timespec="auto" if whole.second or whole.microsecond else "minutes")


def moment_of(text: str, zone: str) -> int:
    """What such a field says -> ms since 1970; 0 for nothing. Raises ValueError with the end of a
    sentence."""
    if not text.strip():
        return 0
    return moment_ms(_moment(text.strip(), known_zone(zone)), known_zone(zone))


def _values(
    form: Form, chain: Chain | None, *, quiet: bool = False
) -> tuple[dict[str, Any], dict[str, str]]:
    """The form as a file's values, and what this form alone could find wrong. quiet: what it cannot
    read stands as it was typed."""
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    zone = known_zone(form.get("zone", "UTC"))
    currency = form.get("currency", "")
    for path in sorted(form, key=_order):
        text = form[path].strip()
        value: object = text
        name = path.rpartition(".")[2]
        if name in (*BESIDE, *ITEM_BESIDE):
            continue
        try:
            if name == "price":
                value = minor(text, MINOR_DIGITS.get(currency, 2))
            elif path in TIMES or (name == "ends" and _MISSION.fullmatch(path)):
                value = _moment(text, zone)
            elif way := _WAY.fullmatch(path):
                value = _of_way(way[2], text, zone)
            elif path in FLAGS:
                value = True
            elif cohort := _COHORT.fullmatch(path):
                value = _of_cohort(cohort[2], text)
            elif name.endswith("_seconds") and (seconds := length_s(text)) is not None:
                value = seconds
            elif path == "beacon_round" and text == PLANNED:
                # It hangs on other fields.
                value = None
            elif _is_number(path) and _WHOLE.fullmatch(text):
                value = int(text)
        except ValueError as fault:
            wrong[path] = str(fault)
            if not quiet:
                value = 0 if name == "price" else None
        if value is not None:
            _put(values, path, value)
    if chain and form.get("beacon_round") == PLANNED and values.get("mode") in WINDOWS:
        if number := _planned_round(values, chain):
            values["beacon_round"] = number
        else:
            wrong["beacon_round"] = "needs a time to open at: the round comes after the seal"
            if quiet:
                values["beacon_round"] = PLANNED
    return values, wrong


def _is_number(path: str) -> bool:
    """Is it a whole number in a file?"""
    table, _, name = path.rpartition(".")
    if table in ("friends", "collectors"):
        return True
    return name in (*NUMBERS, *ITEM_NUMBERS, "note_chars", "worth")


def _planned_round(values: Mapping[str, Any], chain: Chain) -> int:
    """The round of a beacon that a file with these values may name first; 0: it plans no seal."""
    mode, opens = values.get("mode"), values.get("opens_at")
    if mode not in WINDOWS or not isinstance(opens, datetime):
        return 0
    window_s = values.get("window_seconds", WINDOWS[mode].default)
    if not isinstance(window_s, int):
        return 0
    opens_ms = round(opens.timestamp() * 1000)
    return first_round(chain, sealed_at(mode, window_s * 1000, opens_ms))


def _of_cohort(name: str, text: str) -> object:
    """What a field of a cohort says."""
    if name in ("listed", "codes"):
        return True
    if name in ("bought", "missed"):
        return [drop for drop in re.split(r"[\s,;]+", text) if drop]
    if name == "units":
        if _WHOLE.fullmatch(text):
            return int(text)
        if _OF_POOLS.fullmatch(text):
            return {pool: int(units) for pool, units in _OF_POOL.findall(text)}
    return text


def _of_way(name: str, text: str, zone: tzinfo | None) -> object:
    """What a field of a way says. Raises ValueError with the end of a sentence."""
    if name in ("from", "until"):
        return _moment(text, zone)
    if name in ("countries", "nodes"):
        words = [word for word in re.split(r"[\s,;]+", text) if word]
        return [word.upper() for word in words] if name == "countries" else words
    return True if name == "cash" else text


def _put(values: dict[str, Any], path: str, value: object) -> None:
    if cohort := _COHORT.fullmatch(path):
        _member(values, "cohorts", int(cohort[1]))[cohort[2]] = value
        return
    if mission := _MISSION.fullmatch(path):
        _member(values, "missions", int(mission[1]))[mission[2]] = value
        return
    if way := _WAY.fullmatch(path):
        _member(values, "ways", int(way[1]))[way[2]] = value
        return
    found = _ITEM.fullmatch(path)
    if found is None:
        within, _, name = path.rpartition(".")
        (values.setdefault(within, {}) if within else values)[name] = value
        return
    table = _member(values, "items", int(found[1]))
    if found[4]:
        table = _member(table, "pools", int(found[3]))
    table[found[4] or found[2]] = value


def _member(values: dict[str, Any], name: str, place: int) -> dict[str, Any]:
    members: list[dict[str, Any]] = values.setdefault(name, [])
    while len(members) <= place:
        members.append({})
    return members[place]


def _moment(text: str, zone: tzinfo | None) -> datetime:
    """`2027-07-16T18:00` by the drop's clocks. Raises ValueError with the end of a sentence."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"must be a time like 2027-08-02T18:00, not {short(text)}") from None
    if at.tzinfo is not None:
        return at
    own = at.replace(tzinfo=zone or UTC)
    # Clocks that go forward pass over an hour.
    there = own.astimezone(UTC).astimezone(own.tzinfo).replace(tzinfo=None)
    if there != at:
        raise ValueError("is an hour that the clocks of this zone pass over on that day")
    # A file says an offset, and a zone has no name in TOML.
    return datetime.fromisoformat(own.isoformat())
