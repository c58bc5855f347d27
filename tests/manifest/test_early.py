"""Early access in a manifest: who, how many, until when, and what does not fit together."""

from __future__ import annotations

import pytest

from dropengine import manifest
from dropengine.manifest import Cohort
from tests.manifest.test_manifest import LEAST, least, mistakes

CLUB = '[[cohorts]]\nid = "club"\ntitle = "The club"\nunits = 60\nlisted = true\n'
OPENS = {"identity": '"verified"', "opens_at": "2027-07-16T18:00:00Z"}
LATER = "2027-07-16T20:00:00Z"
POOLS = '[[items.pools]]\nnode = "hill"\ncap = 150\n[[items.pools]]\nnode = "port"\ncap = 50\n'


def told(text: str) -> manifest.Manifest:
    return manifest.parse(text.encode(), "it.toml")


def test_a_cohort_has_units_of_each_pool_and_ways_to_come_in() -> None:
    friends = '[[cohorts]]\nid = "friends"\ntitle = "Friends"\ncodes = true\n'
    friends += 'bought = ["old"]\nmissed = ["old", "older"]\nunits = { "pin@port" = 7 }\n'
    drop = told(least(**OPENS, public_at=LATER) + POOLS + CLUB.replace("60", "43") + friends)
    assert drop.public_ms == drop.opens_ms + 7_200_000
    ways = {"listed": False, "codes": True, "bought": ("old",), "missed": ("old", "older")}
    assert drop.cohorts[1] == Cohort(id="friends", title="Friends", most=(0, 7), **ways)  # type: ignore[arg-type]
    assert drop.cohorts[0].most == (43, 43)
    assert manifest.judged_form(manifest.form_of(drop)) == (drop, {})
    # What says nothing of it keeps its bytes.
    assert b"cohorts" not in manifest.canonical(told(LEAST))


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        (least() + CLUB, "identity", "a cohort is of persons"),
        (least(public_at=LATER), "public_at", "says nothing where there are no cohorts"),
        (least(**OPENS, public_at="2027-07-16T18:00:00Z") + CLUB, "public_at", "the opening"),
        (
            least(**OPENS, public_at=LATER, closes_at="2027-07-16T19:00:00Z") + CLUB,
            "public_at",
            "earlier than the closing",
        ),
        (
            # Whoever enters a list early has nothing of it.
            least(**OPENS, mode='"draw"', public_at=LATER) + CLUB,
            "public_at",
            "to enter a list early is of no use to anybody",
        ),
        (least(**OPENS) + CLUB.replace("60", "201"), "units", "above the cap of 200"),
        (least(**OPENS) + CLUB + CLUB.replace("club", "two").replace("60", "141"), "", "together"),
        (least(**OPENS) + CLUB + CLUB.replace("60", "1"), "cohorts[1].id", "the id of cohorts[0]"),
        (least(**OPENS) + CLUB.replace("listed = true", ""), "listed", "nobody is in it"),
        (least(**OPENS) + CLUB + 'bought = ["pin"]\n', "bought", "earlier drops, not this one"),
        (least(**OPENS) + CLUB + 'missed = ["A B"]\n', "missed", "must be 1 to 32"),
        (least(**OPENS) + CLUB.replace("60", "{ pin = 0 }"), "units", "at least 1 unit"),
        (least(**OPENS) + CLUB.replace("60", "{ pan = 3 }"), "pan", "is not known here"),
        (least(**OPENS) + CLUB * 5, "cohorts", "must be 1 to 4, not 5"),
    ],
)
def test_what_does_not_fit_is_said_where_it_stands(text: str, where: str, said: str) -> None:
    found = mistakes(text)
    assert any(where in one and said in one for one in found), found


def test_another_opening_takes_the_opening_to_all_along() -> None:
    drop = told(least(**OPENS, public_at=LATER) + CLUB)
    moved = manifest.with_opening(drop, "pin", drop.opens_ms + 5_000)
    assert moved.public_ms == drop.public_ms + 5_000
    by_hand = told(least(identity='"verified"', public_at=LATER) + CLUB)
    assert manifest.with_opening(by_hand, "pin", drop.public_ms).public_ms == 0
