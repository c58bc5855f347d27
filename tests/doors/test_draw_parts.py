"""How a list is ordered is told in every language, with what it does not prove."""

from __future__ import annotations

import msgspec
import pytest

from dropengine import wire
from dropengine.catalogue import CATALOGUES, Catalogue
from dropengine.doors.page_templates import environment
from dropengine.randomness import QUICKNET

ROUND = 36_000_000
COMMITTED = wire.ChanceView(60_000, 600_000, 3, guests=True, commitment="fc" * 32)
NAMED = wire.ChanceView(
    *(60_000, 600_000, 1), round=ROUND, beacon="quicknet", due_ms=QUICKNET.due_ms(ROUND)
)


def part(say: Catalogue, what: str, **words: object) -> str:
    """What a macro of the list writes, apostrophes as they are."""
    page = environment(say).from_string(
        '{% from "draw-parts.html" import chance, rules_of_list, told_of_list with context %}{{'
        f" {what} }}}}"
    )
    return page.render(us=False, **words).replace("&#39;", "'")


def told(say: Catalogue, rules: wire.ChanceView) -> str:
    return part(say, 'chance(rules, "Europe/Berlin", false)', rules=rules)


@pytest.mark.parametrize("say", CATALOGUES.values(), ids=CATALOGUES)
def test_a_commitment_bears_its_sentence(say: Catalogue) -> None:
    """That the maker could have tried last entries is said wherever a commitment is."""
    page = told(say, COMMITTED)
    assert f"<strong>{say.draw['commit_not']}</strong>" in page
    assert COMMITTED.commitment in page
    assert say.draw["beacon_proves"] not in page


@pytest.mark.parametrize("say", CATALOGUES.values(), ids=CATALOGUES)
def test_a_beacon_is_named_with_the_moment_of_its_round(say: Catalogue) -> None:
    page = told(say, NAMED)
    assert "quicknet" in page
    assert "2027" in page
    assert say.draw["beacon_proves"] in page
    assert say.draw["beacon_not"] in page
    assert say.draw["commit_not"] not in page


@pytest.mark.parametrize("say", CATALOGUES.values(), ids=CATALOGUES)
def test_a_beacon_that_the_shop_named_is_shown_as_what_it_is(say: Catalogue) -> None:
    page = told(say, msgspec.structs.replace(NAMED, beacon="hall", own=True))
    assert f"<strong>{say('draw.own_not', beacon='hall')}</strong>" in page
    assert say.draw["own_proves"] in page
    assert say.draw["beacon_proves"] not in page


@pytest.mark.parametrize("say", CATALOGUES.values(), ids=CATALOGUES)
def test_that_anyone_may_enter_many_times_and_how_tickets_come_is_a_rule(say: Catalogue) -> None:
    page = part(say, "rules_of_list(drop)", drop={"mode": "draw", "chance": COMMITTED})
    assert say("guests_may_enter_says") in page
    assert say("tickets_says", count=3) in page
    page = part(say, "rules_of_list(drop)", drop={"mode": "lobby", "chance": NAMED})
    assert say.rule["tickets"] not in page
    assert say.rule["entering"] not in page


def test_what_an_order_follows_from_is_shown_to_be_written_down() -> None:
    say = CATALOGUES["en"]
    listed = wire.ListView(entries=3, root="abab", revealed="cdcd")
    ordering = {"id": "pins", "state": "ordering", "listed": listed}
    page = part(say, "told_of_list(drop)", drop=ordering)
    assert '<p class="hash">abab</p>' in page
    assert "order.json" not in page
    page = part(say, "told_of_list(drop)", drop=ordering | {"state": "live"})
    assert '<p class="hash">cdcd</p>' in page
    assert 'href="/drops/pins/order.json"' in page
