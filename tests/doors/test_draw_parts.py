"""How a list is ordered is told in every language, with what it does not prove."""

from __future__ import annotations

import pytest

from dropengine.catalogue import CATALOGUES, Catalogue
from dropengine.doors.page_templates import environment
from dropengine.randomness import QUICKNET, BeaconRound, CommitReveal, Source

COMMITTED = CommitReveal("fc" * 32)
NAMED = BeaconRound(QUICKNET.hash, 36_000_000)


def told(say: Catalogue, randomness: Source) -> str:
    page = environment(say).from_string(
        '{% from "draw-parts.html" import chance with context %}'
        '{{ chance(randomness, "quicknet", due_ms, "Europe/Berlin", false) }}'
    )
    return page.render(randomness=randomness, due_ms=QUICKNET.due_ms(36_000_000))


@pytest.mark.parametrize("say", CATALOGUES.values(), ids=CATALOGUES)
def test_a_commitment_bears_its_sentence(say: Catalogue) -> None:
    """That the maker could have tried last entries is said wherever a commitment is."""
    page = told(say, COMMITTED)
    assert f"<strong>{say.draw['commit_not']}</strong>" in page.replace("&#39;", "'")
    assert COMMITTED.commitment in page
    assert say.draw["beacon_proves"] not in page


@pytest.mark.parametrize("say", CATALOGUES.values(), ids=CATALOGUES)
def test_a_beacon_is_named_with_the_moment_of_its_round(say: Catalogue) -> None:
    page = told(say, NAMED)
    assert "quicknet" in page
    assert "2027" in page
    assert say.draw["beacon_proves"] in page
    assert say.draw["beacon_not"] in page
    assert say.draw["commit_not"] not in page.replace("&#39;", "'")


@pytest.mark.parametrize(
    ("count", "said"),
    [(1, "You have 1 ticket. "), (3, "You have 3 tickets: one, and one more")],
)
def test_a_fan_is_told_his_tickets(count: int, said: str) -> None:
    page = environment().from_string(
        '{% from "draw-parts.html" import tickets with context %}{{ tickets(count, 5) }}'
    )
    assert page.render(count=count).startswith(said)


def test_the_root_of_a_list_is_shown_to_be_written_down() -> None:
    page = environment().from_string(
        '{% from "draw-parts.html" import root_of_list with context %}{{ root_of_list(root) }}'
    )
    assert '<p class="hash">abab</p>' in page.render(root="abab")
