"""What gives points, in a manifest: how many, until when, and what does not fit together."""

from __future__ import annotations

import pytest

from dropengine import manifest
from dropengine.manifest import Collectors, Friends, GameRules, Mission
from tests.manifest.test_early import OPENS, told
from tests.manifest.test_manifest import LEAST, least, mistakes

FRIENDS = "[friends]\n"
COLLECTORS = "[collectors]\n"
WORD = '[[missions]]\nid = "word"\ntitle = "The word in the stream"\nkind = "code"\n'
ENDS = "ends = 2027-07-16T19:00:00Z\n"


def test_friends_earlier_drops_and_missions_give_points() -> None:
    drop = told(least(**OPENS) + FRIENDS + "worth = 3\n" + COLLECTORS + WORD + ENDS)
    assert drop.game == GameRules(
        points_until="close",
        friends=Friends(worth=3, most=10, delay_ms=600_000, network_most=3, domain_most=5),
        collectors=Collectors(bought=1, missed=1, most=3),
        missions=(
            Mission(
                id="word",
                title="The word in the stream",
                kind="code",
                worth=3,
                ends_ms=drop.opens_ms + 3_600_000,
            ),
        ),
    )
    assert drop.game.most == 16
    assert manifest.from_canonical(manifest.canonical(drop)) == drop
    assert manifest.judged_form(manifest.form_of(drop)) == (drop, {})
    # What says nothing of it keeps its bytes.
    assert b"game" not in manifest.canonical(told(LEAST))


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        (least(points_until='"close"'), "points_until", "says nothing where there are no friends"),
        (least(points_until='"seal"') + WORD, "points_until", "no list is sealed there"),
        (least() + COLLECTORS, "collectors", "a guest is another in each drop"),
        (least(**OPENS) + FRIENDS + "worth = 5\nmost = 4\n", "friends.most", "not be below the 5"),
        (least() + FRIENDS + "wroth = 5\n", "friends.wroth", "did you mean worth?"),
        (least(**OPENS) + COLLECTORS + "bought = 0\nmissed = 0\n", "bought", "at least 1"),
        (least(**OPENS) + FRIENDS + "most = 1000\n" + WORD, "friends", "at most 1000 points"),
        (least() + WORD + WORD, "missions[1].id", "is the id of missions[0] too"),
        (least() + WORD.replace("code", "visit"), "missions[0].kind", '"answer" or "tap"'),
        (least() + WORD * 9, "missions", "must be 1 to 8, not 9"),
        (
            least(**OPENS, closes_at="2027-07-16T18:30:00Z") + WORD + ENDS,
            "missions",
            "must end before the drop closes",
        ),
        (
            least().replace("price = 2400", "price = 0") + FRIENDS,
            "friends",
            "of guests only those count who have paid",
        ),
    ],
)
def test_what_does_not_fit_is_said_where_it_stands(text: str, where: str, said: str) -> None:
    found = mistakes(text)
    assert any(where in one and said in one for one in found), found


def test_another_opening_takes_the_ends_of_missions_along() -> None:
    drop = told(least(**OPENS) + WORD + ENDS)
    assert drop.game
    moved = manifest.with_opening(drop, "pin", drop.opens_ms + 5_000)
    assert moved.game
    assert moved.game.missions[0].ends_ms == drop.game.missions[0].ends_ms + 5_000
    # Opened by hand, none ends before it.
    by_hand = told(least() + WORD + ENDS)
    late = manifest.with_opening(by_hand, "pin", drop.game.missions[0].ends_ms)
    assert late.game
    assert late.game.missions[0].ends_ms == 0
