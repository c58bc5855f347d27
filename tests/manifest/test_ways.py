"""How what was bought comes to its buyer, and paying by hand, as a manifest says it."""

import pytest

from dropengine import errors, manifest
from dropengine.manifest import form_of, form_of_file, judged_form

BASE = """
id = "pins"
title = "Pins"
maker = "Mara"
currency = "EUR"
limit = 4
identity = "verified"
opens_at = 2027-12-01T18:00:00Z
{top}

[[items]]
id = "pin"
title = "Pin"
cap = 10
price = 2400
{pools}
{ways}
"""
POOLS = """
[[items.pools]]
node = "berlin"
cap = 4
[[items.pools]]
node = "wien"
cap = 6
"""
POST = """
[[ways]]
id = "post"
kind = "ship"
title = "Post, insured"
countries = ["DE", "AT"]
amount = "6.90"
"""
STALL = """
[[ways]]
id = "stall"
kind = "pickup"
title = "At our stall"
nodes = ["berlin"]
from = 2027-12-04T10:00:00Z
until = 2027-12-06T18:00:00Z
off = "2.00"
cash = true
"""


def text(ways: str = "", top: str = "", pools: str = POOLS) -> bytes:
    return BASE.format(top=top, pools=pools, ways=ways).encode()


def parsed(ways: str = "", top: str = "", pools: str = POOLS) -> manifest.Manifest:
    return manifest.parse(text(ways, top, pools), "pins.toml")


def mistakes(ways: str = "", top: str = "", pools: str = POOLS) -> list[str]:
    with pytest.raises(errors.ManifestError) as refused:
        parsed(ways, top, pools)
    return [one.split(", ", 1)[1] for one in refused.value.mistakes]


def test_ways_are_read_with_their_amounts_in_minor_units() -> None:
    drop = parsed(POST + STALL, "pay_by_hand = true")
    post, stall = drop.ways
    assert (post.kind, post.amount, post.off, post.countries) == ("ship", 690, 0, ("DE", "AT"))
    assert (stall.off, stall.nodes, stall.cash) == (200, ("berlin",), True)
    assert stall.from_ms == 1827914400000
    assert stall.until_ms - stall.from_ms == 56 * 3_600_000
    assert (drop.hand_ms, drop.hand_share) == (72 * 3_600_000, 25)


def test_the_scripts_get_what_they_judge_by() -> None:
    drop = parsed(POST + STALL, "pay_by_hand = true\nhand_hours = 24\nhand_share = 10")
    rules = manifest.rules(drop)
    told = manifest.what_scripts_read(rules)
    assert [way["id"] for way in told["ways"]] == ["post", "stall"]
    assert told["ways"][1]["nodes"] == ["berlin"]
    assert (told["hand_ms"], told["hand_share"]) == (86_400_000, 10)
    assert not {"ways", "hand_ms", "hand_share"} & {
        *manifest.what_scripts_read(manifest.rules(parsed()))
    }


def test_a_drop_without_ways_keeps_its_bytes() -> None:
    assert b"ways" not in manifest.canonical(parsed())
    assert b"hand" not in manifest.canonical(parsed())


def test_ways_survive_the_canonical_form_and_the_form_of_the_studio() -> None:
    drop = parsed(POST + STALL, "pay_by_hand = true\nhand_share = 10")
    assert manifest.from_canonical(manifest.canonical(drop)) == drop
    form = form_of(drop)
    assert form["ways[0].amount"] == "6.90"
    assert form["ways[0].countries"] == "DE, AT"
    assert form["pay_by_hand"] == "yes"
    assert "hand_hours" not in form
    assert judged_form(form) == (drop, {})
    assert form_of_file(manifest.toml(form).encode(), "again.toml") == (form, [])


def test_another_opening_moves_the_window_of_a_pickup() -> None:
    drop = parsed(POST + STALL, "pay_by_hand = true")
    later = manifest.with_opening(drop, "pins-2", drop.opens_ms + 86_400_000)
    assert later.ways[1].until_ms == drop.ways[1].until_ms + 86_400_000
    assert later.ways[0] == drop.ways[0]


@pytest.mark.parametrize(
    ("ways", "top", "said"),
    [
        (
            POST.replace('"6.90"', "690"),
            "",
            ('ways[0].amount: must be an amount in quotes like "6.90", not 690'),
        ),
        (
            POST.replace('"6.90"', '"6.905"'),
            "",
            ("ways[0].amount: must be an amount like 24.00, not '6.905'"),
        ),
        (
            POST.replace('"DE"', '"XX"'),
            "",
            ("ways[0].countries: must be countries by their two letters, like DE, not 'XX'"),
        ),
        (POST + "cash = true\n", "", 'ways[0].cash: says nothing where kind is "ship"'),
        (POST + POST, "", "ways[1].id: is the id of ways[0] too"),
        (
            STALL,
            "",
            (
                "ways: may be paid in cash where pay_by_hand = true, and [0] is: cash is paid "
                "by hand too"
            ),
        ),
        (STALL, "", "ways: must have one that takes pin@wien: nobody could pay for it"),
        (
            STALL.replace("until = 2027-12-06T18:00:00Z", ""),
            "pay_by_hand = true",
            "ways[0].until: is missing: it says how long things may be fetched",
        ),
        (
            STALL.replace("until = 2027-12-06", "until = 2027-12-02"),
            "pay_by_hand = true",
            "ways[0].until: must be later than from",
        ),
        (
            POST + STALL.replace('"2.00"', '"24.01"'),
            "pay_by_hand = true",
            "ways: must have nothing off above the highest price, and [1] has",
        ),
        (
            POST + STALL.replace("2027-12-0", "2027-11-0"),
            "pay_by_hand = true",
            "ways: must be open after the drop has opened, and [1] is not",
        ),
        ("", "hand_hours = 24", "hand_hours: says nothing without pay_by_hand = true"),
        ("", "pay_by_hand = true\nhand_hours = 23", "hand_hours: must be 24 to 168, not 23"),
    ],
)
def test_each_mistake_has_its_sentence(ways: str, top: str, said: str) -> None:
    assert said in mistakes(ways, top)


def test_by_hand_needs_persons() -> None:
    guests = text(top="pay_by_hand = true").replace(b'"verified"', b'"guest"')
    with pytest.raises(errors.ManifestError, match='identity: must be "verified" where fans pay'):
        manifest.parse(guests, "pins.toml")
