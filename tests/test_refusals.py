"""Each reader of a refusal gets a sentence of his own."""

from __future__ import annotations

from typing import get_args

import pytest

from dropengine import outcomes, refusals

OF_OPERATORS = {
    kind
    for union in (outcomes.CreatorOutcome, outcomes.PublishOutcome, outcomes.RefundOutcome)
    for kind in get_args(union)
    if issubclass(kind, refusals.Refusal)
}
OF_FANS = {kind for kind in get_args(outcomes.PressOutcome) if issubclass(kind, refusals.Refusal)}
OF_FANS |= {refusals.BadMessage}
"""A fan's message that cannot be read is refused before a script sees it."""
SAME_FOR_BOTH = {refusals.KeyReused, refusals.BadMessage}
"""Refusals that speak of the command alone and not of who sent it."""


def test_operators_read_operators_sentences() -> None:
    """What fans get too has a second sentence; only what the command alone is to blame for has
    not."""
    shared = OF_OPERATORS & OF_FANS
    assert {kind for kind in shared if not kind.to_operator} == SAME_FOR_BOTH
    for kind in shared - SAME_FOR_BOTH:
        assert kind().for_operator() == kind.to_operator != kind.sentence


def test_no_fan_gets_a_refusal_that_only_operators_understand() -> None:
    assert {
        refusals.StaleRevision,
        refusals.Already,
        refusals.TooFew,
        refusals.InThePast,
        refusals.Exists,
        refusals.NotCarried,
    } == OF_OPERATORS - OF_FANS


def test_a_sentence_for_operators_is_for_a_refusal_they_can_get() -> None:
    kinds = set(refusals.Refusal.__subclasses__())
    assert {kind for kind in kinds if kind.to_operator} <= OF_OPERATORS


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (refusals.Exists("live", same=True), "These very rules"),
        (refusals.Exists("live", same=False), "Other rules"),
        (refusals.Exists("cancelled", same=True), "was cancelled"),
        (refusals.Exists("cancelled", same=False), "was cancelled"),
    ],
)
def test_a_taken_id_says_by_what(refusal: refusals.Refusal, said: str) -> None:
    assert said in refusal.for_operator()
