"""A manifest is read exactly, refused with all its mistakes, and hashed in one canonical form."""

from __future__ import annotations

import hashlib
import json
from codecs import BOM_UTF8, BOM_UTF16_LE
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropengine import manifest, plain_text
from dropengine.errors import ManifestError
from dropengine.manifest import Item, Manifest, Pool, toml_lines, zones
from dropengine.model import PRICE_MAX, QTY_MAX

EXAMPLES = sorted((Path(__file__).parent.parent.parent / "examples").glob("*.toml"))

LEAST = """\
id = "pin"
title = "Pin"
maker = "Ada"
currency = "EUR"
limit = 2

[[items]]
id = "pin"
title = "Pin"
price = 2400
cap = 200
"""
TOP = LEAST[: LEAST.index("[[")]


def mistakes(text: str | bytes) -> list[str]:
    with pytest.raises(ManifestError) as caught:
        manifest.parse(text.encode() if isinstance(text, str) else text, "it.toml")
    return caught.value.mistakes


OPEN_DRAW = {"mode": '"draw"', "identity": '"verified"'}


def least(**changed: str) -> str:
    """`LEAST` with top-level keys set to TOML values, or added in front."""
    text = LEAST
    for key, value in changed.items():
        top, items = text.split("\n\n")
        if f"{key} = " in top:
            lines = top.split("\n")
            top = "\n".join(f"{key} = {value}" if k.startswith(key) else k for k in lines)
        else:
            top = f"{key} = {value}\n{top}"
        text = f"{top}\n\n{items}"
    return text


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_a_manifest_with_the_name_of_its_file(path: Path) -> None:
    assert manifest.parse(path.read_bytes(), path.name).id == path.stem


@pytest.mark.parametrize(
    ("mode", "window", "first", "most"),
    [("lobby", 1800, 600, 1), ("collect", 300, 600, 1), ("draw", 86_400, 86_400, 5)],
)
def test_a_drop_with_a_list_has_times_of_its_own(
    mode: str, window: int, first: int, most: int
) -> None:
    drop = manifest.parse(least(mode=f'"{mode}"', identity='"verified"').encode(), "it.toml")
    assert (drop.window_ms, drop.first_offer_ms) == (window * 1000, first * 1000)
    assert (drop.tickets_most, drop.beacon_round, drop.guests_may_enter) == (most, 0, False)
    form = manifest.form_of(drop)
    assert form["mode"] == mode
    assert manifest.judged_form(form) == (drop, {})


def test_a_rush_says_nothing_of_chance() -> None:
    drop = manifest.parse(least().encode(), "it.toml")
    kept = manifest.canonical(drop)
    assert not any(word in kept for word in (b"window", b"first_offer", b"tickets", b"beacon"))


def test_the_eclipse_pin_is_two_hundred_pins_at_twenty_four_euros() -> None:
    path = next(path for path in EXAMPLES if path.stem == "eclipse-pin")
    drop = manifest.parse(path.read_bytes(), path.name)
    assert [(item.cap, item.price) for item in drop.items] == [(200, 2400)]
    assert (drop.currency, drop.limit, drop.hold_ms, drop.k) == ("EUR", 2, 480_000, 5)
    assert datetime.fromtimestamp(drop.opens_ms / 1000, UTC) == datetime(
        2027, 7, 16, 16, tzinfo=UTC
    )


def test_what_is_not_said_gets_its_default() -> None:
    drop = manifest.parse(LEAST.encode(), "it.toml")
    assert drop == Manifest(
        id="pin",
        title="Pin",
        maker="Ada",
        story="",
        mode="rush",
        opens_ms=0,
        closes_ms=0,
        zone="UTC",
        currency="EUR",
        limit=2,
        k=5,
        hold_ms=480_000,
        offer_ms=1_800_000,
        extend_ms=120_000,
        pay_ms=180_000,
        cool_ms=60_000,
        lookup_ms=120_000,
        pace=10,
        pace_ms=10_000,
        identity="guest",
        calls_from_ms=28_800_000,
        calls_to_ms=79_200_000,
        network_most=20,
        domain_most=25,
        practice=False,
        items=(
            Item(
                id="pin",
                title="Pin",
                about="",
                price=2400,
                cap=200,
                limit=0,
                most=2,
                pools=(Pool(id="pin", node="", cap=200, withheld=0),),
            ),
        ),
    )


def test_units_at_nodes_are_pools_named_after_item_and_node() -> None:
    drop = manifest.parse(
        (
            LEAST
            + '[[items.pools]]\nnode = "north"\ncap = 150\nwithheld = 10\n'
            + '[[items.pools]]\nnode = "south"\ncap = 50\n'
        ).encode(),
        "it.toml",
    )
    assert drop.items[0].pools == (
        Pool(id="pin@north", node="north", cap=150, withheld=10),
        Pool(id="pin@south", node="south", cap=50, withheld=0),
    )


@pytest.mark.parametrize(
    "written",
    [
        "2027-07-16T18:00:00+02:00",
        '"2027-07-16T18:00:00+02:00"',
        "2027-07-16 16:00:00Z",
        '"2027-07-16T16:00:00.000Z"',
    ],
)
def test_a_time_may_be_written_as_toml_or_as_text(written: str) -> None:
    drop = manifest.parse(least(opens_at=written).encode(), "it.toml")
    assert drop.opens_ms == 1_815_753_600_000


def test_windows_line_ends_change_neither_rules_nor_lines() -> None:
    told = mistakes(LEAST.replace("2400", "-1").replace("\n", "\r\n"))
    assert told == ["line 10, items[0].price: must be 0 to 1000000000, not -1"]
    crlf = manifest.parse(LEAST.replace("\n", "\r\n").encode(), "it.toml")
    assert crlf == manifest.parse(LEAST.encode(), "it.toml")


def test_five_mistakes_are_five_sentences_each_with_its_line_and_path() -> None:
    told = mistakes(
        """\
id = "Pin!"
title = "Pin"
maker = "Ada"
currency = "EUX"
limit = 0
hold_secs = 300

[[items]]
id = "pin"
title = "Pin"
price = 24.50
cap = 200
"""
    )
    assert told == [
        "line 1, id: must be 1 to 32 of a-z, 0-9 and '-', not starting with '-', not 'Pin!'",
        "line 4, currency: must be a currency of ISO 4217 like EUR, not 'EUX'; did you mean UGX?",
        "line 5, limit: must be 1 to 100000, not 0",
        "line 6, hold_secs: is not known here; did you mean hold_seconds?",
        "line 11, items[0].price: must be a whole number, not 24.5",
    ]


def test_the_report_names_the_file_and_counts() -> None:
    with pytest.raises(ManifestError, match=r"^it\.toml: 2 mistakes\n  line 1") as caught:
        manifest.parse(least(id='"A"', limit='"two"').encode(), "it.toml")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"title": '""'}, "line 2, title: must not be empty"),
        ({"title": "7"}, "line 2, title: must be text in quotes, not 7"),
        (
            {"title": f'"{"x" * 121}"'},
            "line 2, title: must be at most 120 characters, and has 121",
        ),
        ({"title": r'"a\nb"'}, "line 2, title: must not contain a new line (U+000A)"),
        ({"maker": r'"a\u0000b"'}, "line 3, maker: must not contain a control character (U+0000)"),
        (
            {"story": '"pay\u202eme"'},
            "an invisible mark that turns the direction of text (U+202E)",
        ),
        (
            {"story": r'"a\u2066b"'},
            "an invisible mark that turns the direction of text (U+2066)",
        ),
        ({"story": r'"a\tb"'}, "line 1, story: must not contain a control character (U+0009)"),
        ({"currency": '"eur"'}, "ISO 4217 like EUR, not 'eur'; did you mean EUR?"),
        ({"currency": "7"}, "line 4, currency: must be a currency of ISO 4217 like EUR, not 7"),
        (
            {"hold_seconds": '"3 weeks"'},
            """must be whole seconds, or a length like "30 min", "2 h" or "1 day", not '3""",
        ),
        ({"hold_seconds": '"30 h"'}, "hold_seconds: must be 120 to 1800, not 108000"),
        ({"limit": "true"}, "line 5, limit: must be a whole number, not true"),
        ({"limit": "100001"}, "line 5, limit: must be 1 to 100000, not 100001"),
        ({"mode": '"loby"'}, 'mode: must be "rush", "lobby", "collect" or "draw", not'),
        (
            {"zone": '"Europe/Madird"'},
            "a time zone like Europe/Madrid; did you mean Europe/Madrid?",
        ),
        ({"zone": '"localtime"'}, "a time zone like Europe/Madrid"),
        ({"zone": '"Factory"'}, "a time zone like Europe/Madrid"),
        ({"zone": '"posixrules"'}, "a time zone like Europe/Madrid"),
        ({"zone": '"right/Europe/Madrid"'}, "a time zone like Europe/Madrid"),
        ({"zone": '"posix/Europe/Madrid"'}, "a time zone like Europe/Madrid"),
        ({"zone": '"../Europe/Madrid"'}, "a time zone like Europe/Madrid"),
        ({"practice": '"yes"'}, "line 1, practice: must be true or false, not text ('yes')"),
        ({"k": "1"}, "line 1, k: must be 2 to 100, not 1"),
        ({"pace": "-1"}, "line 1, pace: must be 0 to 1000, not -1"),
        ({"network_most": "-1"}, "line 1, network_most: must be 0 to 100000, not -1"),
        ({"domain_most": "-1"}, "line 1, domain_most: must be 0 to 100000, not -1"),
        ({"pace": "1001"}, "line 1, pace: must be 0 to 1000, not 1001"),
        ({"pace": "2.5"}, "line 1, pace: must be a whole number, not 2.5"),
        ({"pace_seconds": "0"}, "line 1, pace_seconds: must be 1 to 3600, not 0"),
        ({"pace": "0", "pace_seconds": "9"}, "pace_seconds: says nothing where pace is 0"),
        (
            {"calls_from": '"8:00"'},
            "calls_from: must be a time of day like 08:00, not '8:00'",
        ),
        (
            {"calls_to": '"24:00"'},
            "calls_to: must be a time of day like 22:00, not '24:00'",
        ),
        ({"calls_from": "8"}, "calls_from: must be a time of day like 08:00, not 8"),
        ({"calls_from": "08:00:30"}, "calls_from: must be a time of day like 08:00"),
        (
            {"practice": "true", "calls_to": '"21:00"'},
            "calls_to: says nothing where practice is true",
        ),
        ({"hold_seconds": "119"}, "must be 120 to 1800, not 119; only a drop with practice = true"),
        ({"hold_seconds": "1801"}, "line 1, hold_seconds: must be 120 to 1800, not 1801"),
        ({"opens_at": "2027-07-16T18:00:00"}, "must say its offset from UTC, like +02:00 or Z"),
        ({"opens_at": "2027-07-16"}, "line 1, opens_at: must be a time like 2027-"),
        ({"opens_at": '"tomorrow"'}, "must be a time like 2027-08-02T18:00:00+02:00, not text"),
        (
            {"opens_at": "1970-01-01T00:00:00Z"},
            "line 1, opens_at: must be in the years 2000 to 2199 of UTC",
        ),
        ({"opens_at": "2027-07-16T18:00:00.0005Z"}, "must not be finer than a millisecond"),
        ({"colour": '"red"'}, "line 1, colour: is not known here"),
        ({"mode": '"lobby"'}, 'identity: must be "verified" where mode is "lobby"'),
        (
            {"mode": '"lobby"', "identity": '"verified"', "guests_may_enter": "true"},
            'guests_may_enter: says nothing where identity is "verified"',
        ),
        ({"window_seconds": "600"}, 'window_seconds: says nothing where mode is "rush"'),
        ({**OPEN_DRAW, "window_seconds": "599"}, "window_seconds: must be 600 to 2592000"),
        (
            {"mode": '"collect"', "identity": '"verified"', "window_seconds": "601"},
            "window_seconds: must be 120 to 600, not 601",
        ),
        (
            {"mode": '"collect"', "identity": '"verified"', "tickets_most": "3"},
            'tickets_most: says nothing where mode is "collect"',
        ),
        ({**OPEN_DRAW, "tickets_most": "101"}, "tickets_most: must be 1 to 100, not 101"),
    ],
    ids=lambda case: next(iter(case)) if isinstance(case, dict) else "",
)
def test_a_wrong_value_is_shown_with_its_line(changed: dict[str, str], told: str) -> None:
    (sentence,) = mistakes(least(**changed))
    assert told in sentence


@pytest.mark.parametrize(
    ("added", "told"),
    [
        ("most = 3\n", "line 12, items[0].most: must not be above the 2 that one fan may have"),
        ("limit = 3\n", "line 12, items[0].limit: must not be above the drop's limit of 2"),
        ("withheld = 201\n", "line 12, items[0].withheld: must not be above the cap of 200"),
        (
            '[[items.pools]]\nnode = "n"\ncap = 199\n',
            "line 11, items[0].cap: is 200, but the caps of the item's pools add up to 199",
        ),
        (
            'withheld = 1\n[[items.pools]]\nnode = "n"\ncap = 200\n',
            "line 12, items[0].withheld: must stand at the pools of an item that has pools",
        ),
        (
            '[[items.pools]]\nnode = "n"\ncap = 100\n' * 2,
            "line 16, items[0].pools[1].node: is the node of pools[0] too",
        ),
        (
            '[[items.pools]]\nnode = "n"\n\ncap = 200\nwithheld = 300\n',
            "line 16, items[0].pools[0].withheld: must not be above the cap of 200",
        ),
        ("pools = [1]\n", "must be tables that each begin with [[items.pools]]"),
        (
            '[[items]]\nid = "pin"\ntitle = "Pin"\nprice = 1\ncap = 1\n',
            "line 13, items[1].id: is the id of items[0] too",
        ),
        ('[[items]]\nid = "pen"\ntitle = "Pen"\ncap = 1\n', "line 12, items[1].price: is missing"),
    ],
)
def test_what_does_not_fit_together_is_one_mistake(added: str, told: str) -> None:
    (sentence,) = mistakes(LEAST + added)
    assert told in sentence


def test_a_drop_without_items_sells_nothing() -> None:
    assert mistakes(TOP + "items = []\n") == ["line 7, items: must be 1 to 64, not 0"]


def test_an_empty_file_lacks_all_that_is_needed() -> None:
    assert mistakes("") == [
        f"line 1, {key}: is missing"
        for key in ("limit", "items", "id", "title", "maker", "currency")
    ]


def test_a_pool_id_fits_into_a_message() -> None:
    item, node = "i" * 32, "n" * 32
    text = LEAST.replace('"pin"', f'"{item}"', 2) + f'[[items.pools]]\nnode = "{node}"\ncap = 200\n'
    (sentence,) = mistakes(text)
    assert sentence.endswith(f"makes {item}@{node}, which is longer than 64 characters")


def test_a_drop_has_at_most_sixty_four_pools() -> None:
    items = [
        f'[[items]]\nid = "i{n}"\ntitle = "I"\nprice = 1\ncap = 2\n'
        '[[items.pools]]\nnode = "a"\ncap = 1\n[[items.pools]]\nnode = "b"\ncap = 1\n'
        for n in range(33)
    ]
    assert len(manifest.parse((TOP + "".join(items[:32])).encode(), "it.toml").items) == 32
    assert mistakes(TOP + "".join(items)) == [
        "line 7, items: must have at most 64 pools together, and have 66"
    ]


@pytest.mark.parametrize("seconds", [1, 119])
def test_holds_of_seconds_need_the_word_practice(seconds: int) -> None:
    assert mistakes(least(hold_seconds=str(seconds)))
    text = least(hold_seconds=str(seconds), practice="true")
    assert manifest.parse(text.encode(), "it.toml").hold_ms == seconds * 1000


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"id = \n", "line 1: this is not TOML: Invalid value"),
        (b'id = "a"\n\nid = "b"\n', "line 3: this is not TOML: 'id' is given twice"),
        (b'id = "a"\n"id" = "b"', "line 2: this is not TOML: '\"id\"' is given twice"),
        (b"[[items]]\ncap = 1\n cap=2\n", "line 3: this is not TOML: 'cap' is given twice"),
        (b"k = [\n1,\n]\nk = [\n2,\n]\n", "line 6: this is not TOML: 'k' is given twice"),
        (b"a = { x = 1, x = 2 }\n", "line 1: this is not TOML: 'x' is given twice"),
        (b"[a]\nx = 1\n[ a ]\ny = 2\n", "line 3: this is not TOML: 'a' is given twice"),
        (b'id = "a', "line 1: this is not TOML"),
        (b'a = 1\nid = "\xff"\n', "line 2: this is not UTF-8 text"),
        (b"a = " + b"9" * 5000, "this is not TOML: a number too long or brackets too deep"),
        (b"a = " + b"[" * 50_000, "this is not TOML: a number too long or brackets too deep"),
        (b"#" * 200_000, "this file may have at most 131072 bytes, and has 200000"),
    ],
    ids=[
        "no value",
        "twice",
        "twice quoted",
        "twice in an item",
        "twice over lines",
        "twice inline",
        "table twice",
        "open string",
        "latin-1",
        "digits",
        "depth",
        "size",
    ],
)
def test_what_is_not_toml_is_one_sentence(text: bytes, told: str) -> None:
    (sentence,) = mistakes(text)
    assert sentence.startswith(told)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_rubbish_is_refused_and_nothing_else(text: bytes) -> None:
    assert mistakes(text)


@given(st.data())
def test_a_damaged_manifest_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    text = bytearray(data.draw(st.sampled_from(EXAMPLES)).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 6))] = data.draw(st.binary(max_size=4))
    try:
        manifest.from_canonical(manifest.canonical(manifest.parse(bytes(text), "it.toml")))
    except ManifestError as error:
        assert error.mistakes  # noqa: PT017 - both endings are right, a traceback is not


IDS = st.from_regex(r"\A[a-z0-9][a-z0-9-]{0,30}\Z")
LETTERS = st.characters(exclude_categories=("C", "Zl", "Zp"))
WORDS = st.text(LETTERS, max_size=60).map(str.strip)
TITLES = WORDS.filter(plain_text.shows)
TALES = (
    st.text(LETTERS | st.just("\n"), max_size=200)
    .map(str.strip)
    .filter(lambda tale: not tale or plain_text.shows(tale))
)


@st.composite
def items(draw: st.DrawFn, ident: str, limit: int) -> Item:
    own = draw(st.just(0) | st.integers(1, limit))
    pools = []
    for node in draw(st.lists(IDS, max_size=3, unique=True)) or [""]:
        cap = draw(st.integers(1, 500))
        withheld = draw(st.integers(0, cap))
        pool = f"{ident}@{node}" if node else ident
        pools.append(Pool(id=pool, node=node, cap=cap, withheld=withheld))
    return Item(
        id=ident,
        title=draw(TITLES),
        about=draw(TALES),
        price=draw(st.integers(0, PRICE_MAX)),
        cap=sum(pool.cap for pool in pools),
        limit=own,
        most=draw(st.integers(1, min(own or limit, QTY_MAX))),
        pools=tuple(pools),
    )


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    practice = draw(st.booleans())
    limit = draw(st.integers(1, 300))
    opens = draw(st.just(0) | st.integers(946_684_800_000, 4_000_000_000_000))
    span = draw(st.just(0) | st.integers(1, 10**9))

    pace = draw(st.just(0) | st.integers(1, 1000))
    minutes = st.integers(0, 24 * 60 - 1)
    calls_from, calls_to = draw(st.tuples(minutes, minutes)) if not practice else (0, 0)
    if calls_from == calls_to:
        calls_from = calls_to = 0

    def ms(low: int, high: int) -> int:
        return 1000 * draw(st.integers(min(low, 1) if practice else low, high))

    return Manifest(
        id=draw(IDS),
        title=draw(TITLES),
        maker=draw(TITLES),
        story=draw(TALES),
        mode="rush",
        opens_ms=opens,
        closes_ms=opens + span if span and opens else 0,
        zone=draw(st.sampled_from(["UTC", "Europe/Madrid", "America/Argentina/Ushuaia"])),
        currency=draw(st.sampled_from(sorted(manifest.MINOR_DIGITS))),
        limit=limit,
        k=draw(st.integers(2, 100)),
        hold_ms=ms(120, 1800),
        offer_ms=ms(120, 172_800),
        extend_ms=ms(0, 1800),
        pay_ms=ms(30, 1800),
        cool_ms=ms(1, 3600),
        lookup_ms=ms(10, 1800),
        pace=pace,
        pace_ms=ms(1, 3600) if pace else 0,
        identity=draw(st.sampled_from(["guest", "verified"])),
        calls_from_ms=calls_from * 60_000,
        calls_to_ms=calls_to * 60_000,
        network_most=draw(st.integers(0, 100_000)),
        domain_most=draw(st.integers(0, 100_000)),
        practice=practice,
        items=tuple(
            draw(items(ident, limit))
            for ident in draw(st.lists(IDS, min_size=1, max_size=3, unique=True))
        ),
    )


def written(drop: Manifest, *, in_zone: bool) -> str:
    """A manifest as a creator would write it, with its times as clocks in its zone show them, or
    in UTC."""

    def line(key: str, value: object) -> str:
        # What JSON escapes, TOML's basic strings read the same way; DEL is the one exception.
        return f"{key} = {json.dumps(value, ensure_ascii=False)}\n"

    def time(key: str, ms: int) -> str:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
        shown = moment.astimezone(ZoneInfo(drop.zone) if in_zone else UTC)
        return f"{key} = {shown.isoformat(timespec='milliseconds')}\n" if ms else ""

    text = time("opens_at", drop.opens_ms) + time("closes_at", drop.closes_ms)
    for key in ("id", "title", "maker", "story", "mode", "zone", "currency", "identity"):
        text += line(key, getattr(drop, key))
    for key in ("limit", "k", "pace", "network_most", "domain_most"):
        text += line(key, getattr(drop, key))
    for key in ("hold", "offer", "extend", "pay", "cool", "lookup"):
        text += line(f"{key}_seconds", getattr(drop, f"{key}_ms") // 1000)
    if drop.pace:
        text += line("pace_seconds", drop.pace_ms // 1000)
    if not drop.practice:
        for key, at in (("calls_from", drop.calls_from_ms), ("calls_to", drop.calls_to_ms)):
            text += line(key, f"{at // 3_600_000:02}:{at // 60_000 % 60:02}")
    text += line("practice", drop.practice)
    for item in drop.items:
        text += "\n[[items]]\n"
        for key in ("id", "title", "about", "price", "cap", "most"):
            text += line(key, getattr(item, key))
        if item.limit:
            text += line("limit", item.limit)
        for pool in item.pools:
            if pool.node:
                text += "\n[[items.pools]]\n" + line("node", pool.node) + line("cap", pool.cap)
            text += line("withheld", pool.withheld)
    return text


@given(manifests(), st.booleans())
def test_what_a_creator_writes_is_what_is_read(drop: Manifest, in_zone: bool) -> None:
    assert manifest.parse(written(drop, in_zone=in_zone).encode(), "it.toml") == drop


@pytest.mark.parametrize("time", ["18:00:00+02:00", "16:00:00Z", "16:00:00+00:00"])
def test_a_time_has_the_offset_of_its_zone_or_of_utc(time: str) -> None:
    text = least(zone='"Europe/Madrid"', opens_at=f"2027-07-16T{time}")
    assert manifest.parse(text.encode(), "it.toml").opens_ms == 1_815_753_600_000


@pytest.mark.parametrize(
    ("zone", "time", "offset"),
    [
        ("Europe/Madrid", "2027-12-16T18:00:00+02:00", "+01:00"),
        ("Europe/Madrid", "2027-07-16T18:00:00+01:00", "+02:00"),
        ("Europe/Madrid", "2027-03-28T02:30:00+02:00", "+01:00"),
        ("America/New_York", "2027-07-16T18:00:00-05:00", "-04:00"),
        ("Asia/Kolkata", "2027-07-16T18:00:00+05:00", "+05:30"),
        ("Pacific/Chatham", "2027-07-16T18:00:00+13:45", "+12:45"),
        ("UTC", "2027-07-16T18:00:00+02:00", "+00:00"),
    ],
)
@pytest.mark.parametrize("key", ["opens_at", "closes_at"])
def test_an_offset_that_the_zone_does_not_have_then_is_a_mistake(
    key: str, zone: str, time: str, offset: str
) -> None:
    (sentence,) = mistakes(least(zone=f'"{zone}"', **{key: time}))
    assert f"{key}: must have the offset {offset} of the drop's zone then, or Z" in sentence


def test_without_a_zone_any_offset_says_when() -> None:
    text = least(opens_at="2027-07-16T18:00:00+02:00")
    assert manifest.parse(text.encode(), "it.toml").zone == "UTC"


def test_a_byte_order_mark_is_no_part_of_a_manifest() -> None:
    with_mark = manifest.parse(BOM_UTF8 + LEAST.encode(), "it.toml")
    assert with_mark == manifest.parse(LEAST.encode(), "it.toml")
    assert manifest.digest(with_mark) == manifest.digest(manifest.parse(LEAST.encode(), "a.toml"))
    (sentence,) = mistakes(BOM_UTF8 + least(k="1").encode())
    assert sentence.startswith("line 1, k:")
    assert mistakes(BOM_UTF16_LE + LEAST.encode("utf-16-le")) == ["line 1: this is not UTF-8 text"]


@pytest.mark.parametrize("key", ["title", "maker"])
@pytest.mark.parametrize("text", ["\u200b", "\u2060\u00ad", "\u3164", "\ufe0f\u200d", "\ufeff"])
def test_a_name_that_shows_nothing_is_none(key: str, text: str) -> None:
    (sentence,) = mistakes(least(**{key: f'"{text}"'}))
    assert f"{key}: must show something" in sentence


@given(manifests())
def test_the_canonical_form_gives_the_manifest_back(drop: Manifest) -> None:
    assert manifest.from_canonical(manifest.canonical(drop)) == drop


@given(manifests())
def test_any_language_can_make_the_same_bytes_and_hash(drop: Manifest) -> None:
    kept = manifest.canonical(drop)
    again = json.dumps(
        json.loads(kept), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()
    assert again == kept
    assert manifest.digest(drop) == hashlib.sha256(again).hexdigest()


@given(manifests(), manifests())
def test_equal_hashes_mean_equal_rules(one: Manifest, other: Manifest) -> None:
    assert (manifest.digest(one) == manifest.digest(other)) == (one == other)


def test_two_spellings_of_the_same_rules_have_one_hash() -> None:
    plain = manifest.parse(LEAST.encode(), "a.toml")
    spelled = manifest.parse(
        least(k="5", zone='"UTC"', mode='"rush"', story='"""\n"""').encode(), "b.toml"
    )
    assert manifest.digest(plain) == manifest.digest(spelled)


ALWAYS = {"calls_from": '"00:00"', "calls_to": '"00:00"'}
"""The line calls at all hours."""
BEFORE_PACE = (
    b'{"closes_ms":0,"cool_ms":60000,"currency":"EUR","extend_ms":120000,"hold_ms":480000,"id":"pin",'
    b'"items":[{"about":"","cap":200,"id":"pin","limit":0,"most":2,"pools":[{"cap":200,"id":"pin",'
    b'"node":"","withheld":0}],"price":2400,"title":"Pin"}],"k":5,"limit":2,"lookup_ms":120000,'
    b'"maker":"Ada","manifest":1,"mode":"rush","offer_ms":1800000,"opens_ms":0,"pay_ms":180000,'
    b'"practice":false,"story":"","title":"Pin","zone":"UTC"}'
)
"""What was kept of `LEAST` while there was no pace yet."""


def test_what_was_published_before_there_was_a_pace_keeps_its_bytes_and_has_none() -> None:
    old = manifest.from_canonical(BEFORE_PACE)
    assert (old.pace, old.pace_ms) == (0, 0)
    assert manifest.canonical(old) == BEFORE_PACE
    assert manifest.digest(old) == hashlib.sha256(BEFORE_PACE).hexdigest()
    now = manifest.parse(
        least(pace="0", network_most="0", domain_most="0", **ALWAYS).encode(), "it.toml"
    )
    assert old == msgspec.structs.replace(now, identity="")
    assert (manifest.rules(old).pace, manifest.rules(old).pace_ms) == (0, 0)
    assert manifest.rules(old).calls is None


def test_quiet_hours_are_a_rule_that_the_hash_covers() -> None:
    texts = (least(), least(**ALWAYS), least(calls_from='"09:00"'), least(calls_to='"00:00"'))
    assert len({manifest.digest(manifest.parse(t.encode(), "it.toml")) for t in texts}) == 4


def test_a_file_that_says_nothing_of_calls_corrects_what_was_published_before_them() -> None:
    old = manifest.from_canonical(BEFORE_PACE)
    wanted = manifest.parse(least(pace="0", story='"More."').encode(), "it.toml")
    assert manifest.corrected(old, wanted) == msgspec.structs.replace(old, story="More.")
    quiet = manifest.parse(least(pace="0", calls_to='"21:00"').encode(), "it.toml")
    with pytest.raises(ManifestError, match="calls_from_ms: is a rule"):
        manifest.corrected(old, quiet)


@pytest.mark.parametrize("same", ['"08:00"', '"00:00"', "08:00:00"])
def test_two_equal_times_are_never_quiet(same: str) -> None:
    drop = manifest.parse(least(calls_from=same, calls_to=same).encode(), "it.toml")
    assert (drop.calls_from_ms, drop.calls_to_ms) == (0, 0)
    assert manifest.rules(drop).calls is None


def test_a_practice_drop_calls_at_all_hours() -> None:
    drop = manifest.parse(least(practice="true").encode(), "it.toml")
    assert (drop.calls_from_ms, drop.calls_to_ms) == (0, 0)


def test_the_clocks_of_the_zone_are_published_as_they_go_for_ten_years() -> None:
    text = least(zone='"Europe/Madrid"').encode()
    calls = manifest.rules(manifest.parse(text, "it.toml"), 1_800_000_000_000).calls
    assert calls is not None
    assert (calls.zone, calls.from_ms, calls.to_ms) == ("Europe/Madrid", 28_800_000, 79_200_000)
    first, spring, autumn = calls.offsets[:3]
    assert first == (0, 3_600_000)
    # At 01:00 of UTC, on the last Sundays of March and of October.
    assert spring == (1_806_195_600_000, 7_200_000)
    assert autumn == (1_824_944_400_000, 3_600_000)
    assert len(calls.offsets) == 21


@given(st.sampled_from(sorted(zones.names())), st.integers(0, 3_600), st.integers(0, 86_399))
def test_whatever_zone_they_go_as_python_knows_it(zone: str, day: int, second: int) -> None:
    start = 1_800_000_000
    at = start + day * 86_400 + second
    since = [row for row in zones.offsets(zone, start * 1000) if row[0] <= at * 1000]
    there = datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(zone)).utcoffset()
    assert there == timedelta(milliseconds=since[-1][1])


def test_what_was_published_before_there_was_the_rule_identity_keeps_its_bytes() -> None:
    old = manifest.from_canonical(BEFORE_PACE)
    assert old.identity == ""
    assert b"identity" not in manifest.canonical(old)
    # Its words may be put right by a file, which cannot leave the rule out.
    wanted = manifest.parse(least(pace="0", story='"More."').encode(), "it.toml")
    assert manifest.corrected(old, wanted) == msgspec.structs.replace(old, story="More.")
    known = msgspec.structs.replace(wanted, identity="verified")
    with pytest.raises(ManifestError, match="identity"):
        manifest.corrected(old, known)


def test_who_may_act_is_a_rule_that_the_hash_covers_and_that_no_correction_changes() -> None:
    guest, known = (
        manifest.parse(least(identity=text).encode(), "it.toml")
        for text in ('"guest"', '"verified"')
    )
    assert guest == manifest.parse(LEAST.encode(), "it.toml")
    assert manifest.digest(guest) != manifest.digest(known)
    for one, other in ((guest, known), (known, guest)):
        with pytest.raises(ManifestError, match="identity: is a rule"):
            manifest.corrected(one, other)


@pytest.mark.parametrize(("cap", "most"), [(1, 20), (200, 20), (209, 20), (210, 21), (5000, 500)])
def test_a_network_may_have_a_tenth_of_the_units_and_twenty_at_the_least(
    cap: int, most: int
) -> None:
    text = LEAST.replace("cap = 200", f"cap = {cap}")
    assert manifest.parse(text.encode(), "it.toml").network_most == most


def test_what_a_network_may_have_is_a_rule_that_the_hash_covers_and_that_may_be_off() -> None:
    texts = (least(), least(network_most="0"), least(network_most="21"))
    drops = [manifest.parse(text.encode(), "it.toml") for text in texts]
    assert len({manifest.digest(drop) for drop in drops}) == 3
    assert [manifest.rules(drop).network_most for drop in drops] == [20, 0, 21]
    assert b"network_most" not in manifest.canonical(drops[1])
    with pytest.raises(ManifestError, match="network_most: is a rule"):
        manifest.corrected(drops[0], drops[2])


def test_how_many_of_one_mail_domain_is_a_rule_and_says_nothing_in_drops_of_before() -> None:
    drops = [manifest.parse(text.encode(), "it.toml") for text in (least(), least(domain_most="0"))]
    assert [manifest.rules(drop).domain_most for drop in drops] == [25, 0]
    assert b"domain_most" not in manifest.canonical(drops[1])
    assert "domain_most" not in manifest.what_scripts_read(manifest.rules(drops[1]))
    assert manifest.corrected(drops[1], drops[0]) == drops[1]


def test_a_pace_is_a_rule_that_the_hash_covers() -> None:
    texts = (least(), least(pace="0"), least(pace="9"), least(pace_seconds="9"))
    assert len({manifest.digest(manifest.parse(t.encode(), "it.toml")) for t in texts}) == 4


@pytest.mark.parametrize(
    "kept",
    [
        b"",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        manifest.canonical(manifest.parse(LEAST.encode(), "it.toml")) + b" ",
        manifest.canonical(manifest.parse(LEAST.encode(), "it.toml")).replace(
            b'"manifest":1', b'"manifest":2'
        ),
        manifest.canonical(manifest.parse(LEAST.encode(), "it.toml")).replace(
            b'"limit":2', b'"limit":2,"more":1'
        ),
        BEFORE_PACE.replace(b'"pay_ms"', b'"pace":0,"pace_ms":0,"pay_ms"'),
    ],
    ids=[
        "nothing",
        "empty",
        "bytes",
        "depth",
        "space",
        "newer form",
        "unknown field",
        "no pace aloud",
    ],
)
def test_other_bytes_than_the_canonical_ones_are_refused(kept: bytes) -> None:
    with pytest.raises(ManifestError):
        manifest.from_canonical(kept)


@given(manifests())
def test_the_rules_keep_the_order_and_the_numbers(drop: Manifest) -> None:
    rules = manifest.rules(drop)
    pools = [(item.id, pool) for item in drop.items for pool in item.pools]
    assert [(pool.id, pool.item, pool.cap, pool.withheld) for pool in rules.pools] == [
        (pool.id, item, pool.cap, pool.withheld) for item, pool in pools
    ]
    assert [msgspec.structs.astuple(item) for item in rules.items] == [
        (item.id, item.cap, item.price, item.limit, item.most) for item in drop.items
    ]
    for name in (
        "id",
        "mode",
        "currency",
        "limit",
        "k",
        "opens_ms",
        "hold_ms",
        "lookup_ms",
        "pace",
        "pace_ms",
        "network_most",
        "domain_most",
    ):
        assert getattr(rules, name) == getattr(drop, name)
    assert rules.practice == int(drop.practice)


@given(manifests(), IDS, st.integers(10**12, 2 * 10**12))
def test_a_moved_opening_keeps_the_length_of_the_sale(
    drop: Manifest, ident: str, opens_ms: int
) -> None:
    moved = manifest.with_opening(drop, ident, opens_ms)
    assert (moved.id, moved.opens_ms) == (ident, opens_ms)
    if drop.closes_ms:
        assert moved.closes_ms - moved.opens_ms == drop.closes_ms - drop.opens_ms
    same = ("id", "opens_ms", "closes_ms")
    for name in Manifest.__struct_fields__:
        assert name in same or getattr(moved, name) == getattr(drop, name)


def test_a_moved_opening_needs_an_id_that_is_one() -> None:
    with pytest.raises(ManifestError, match=r"'Not an id'"):
        manifest.with_opening(manifest.parse(LEAST.encode(), "it.toml"), "Not an id", 1)


def test_no_drop_takes_the_name_that_the_shop_keeps_its_own_records_under() -> None:
    (said,) = mistakes(least(id='"house"'))
    assert said.startswith("it.toml line 1: id must not be house") or "must not be house" in said
    with pytest.raises(ManifestError, match="must not be house"):
        manifest.with_opening(manifest.parse(LEAST.encode(), "it.toml"), "house", 1)
    items = LEAST[len(TOP) :].replace('id = "pin"', 'id = "house"')
    assert manifest.parse((TOP + items).encode(), "it.toml").items[0].id == "house"
    for near in ("houses", "house-1", "1house", "hous"):
        assert manifest.parse(least(id=f'"{near}"').encode(), "it.toml").id == near


def test_the_line_of_a_key_is_found_whatever_stands_around_it() -> None:
    text = '''\
# [[items]] in a comment
a.b."c.d" = """
x = 1
[[items]]
# not a comment \\""" still
"" """"  # after
'quoted' = { x = [1, 2], y.z = "}" }
lists = [
  "]", # ]
  [ 1,
    2 ],
  { deep = 3 },
]
literal = \'\'\'
"""\'\'\'
when = 1979-05-27 07:32:00Z

[[items]]
one = 1
[items.inner]
two = 2
[[items.pools]]
three = 3
[[items.pools]]
three = 3
[[items]]
[[items.pools]]
three = 3
'''
    lines = toml_lines.lines(text)
    found = {".".join(map(str, path)): line for path, line in lines.items()}
    assert found == {
        "a": 2,
        "a.b": 2,
        "a.b.c.d": 2,
        "quoted": 7,
        "quoted.x": 7,
        "quoted.x.0": 7,
        "quoted.x.1": 7,
        "quoted.y": 7,
        "quoted.y.z": 7,
        "lists": 8,
        "lists.0": 9,
        "lists.1": 10,
        "lists.1.0": 10,
        "lists.1.1": 11,
        "lists.2": 12,
        "lists.2.deep": 12,
        "literal": 14,
        "when": 16,
        "items": 18,
        "items.0": 18,
        "items.0.one": 19,
        "items.0.inner": 20,
        "items.0.inner.two": 21,
        "items.0.pools": 22,
        "items.0.pools.0": 22,
        "items.0.pools.0.three": 23,
        "items.0.pools.1": 24,
        "items.0.pools.1.three": 25,
        "items.1": 26,
        "items.1.pools": 27,
        "items.1.pools.0": 27,
        "items.1.pools.0.three": 28,
    }
