"""Letters about payments by hand say how much, what for and until when."""

from __future__ import annotations

from dropengine.mail import hand_letters
from dropengine.mail.letter import check
from dropengine.people.account_mails import Named
from dropengine.people.persons import Person
from tests.kit.manifests import START_MS, manifest

ADA = Person("p1", b"k" * 16, "ada", "ada@example.org", 1)
MIA = Named("id-mia", "mia", "mia@example.org")
SHOP = "https://shop.example"


def test_a_reminder_is_another_once_there_is_more_time() -> None:
    def written(deadline_ms: int) -> hand_letters.Letter:
        return hand_letters.reminder(
            ADA, manifest("d"), "p1", "KXHD-3RTM", 2400, deadline_ms, SHOP, START_MS, "en"
        )

    one = written(START_MS + 1000)
    check(one)
    assert "€24.00 is missing still. Reference: KXHD-3RTM" in one.words
    assert f"{SHOP}/drops/d" in one.words
    assert one.until_ms == START_MS + 1000
    assert one.id == written(START_MS + 1000).id != written(START_MS + 2000).id


def test_the_list_of_a_day_is_one() -> None:
    rows = [("d", 2, 1)]
    one = hand_letters.daily(MIA, "m1", rows, START_MS, SHOP)
    check(one)
    assert "d: 2 payments open, 1 sum to be sent back." in one.words
    assert f"{SHOP}/studio/drops/d/by-hand" in one.words
    day_ms = hand_letters.DAY_MS
    assert one.id != hand_letters.daily(MIA, "m1", rows, START_MS + day_ms, SHOP).id
