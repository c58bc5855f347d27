"""Rows of `message`."""

from __future__ import annotations

import pytest

from dropengine import events, outcomes, refusals
from tests.kit.sale import Sale

CORPUS = (
    "<img src=x onerror=alert(1)>",
    'a "quote" \\ and a / line',
    "מימין לשמאל",
    "🧿 ½ €",
    "'; return redis.call('FLUSHALL') --",
)


@pytest.mark.parametrize("text", CORPUS)
async def test_a_message_is_kept_as_it_was_typed(sale: Sale, text: str) -> None:
    outcome = await sale.creator("message", text=text)
    assert outcome == outcomes.Changed(3, 3, "live")
    message = (await sale.log())[-1]
    assert isinstance(message, events.Message)
    assert message.text == text
    assert (await sale.truth()).news == [(3, sale.now, text)]


@pytest.mark.parametrize("text", ["a\r\n line", "\u202eright to left", "\u2028", "\x00", "\u200b"])
async def test_no_message_moves_turns_or_hides(sale: Sale, text: str) -> None:
    outcome = await sale.creator("message", text=text)
    assert isinstance(outcome, refusals.BadMessage)
    assert outcome.why.startswith("text must ")
    assert len(await sale.log()) == 2


async def test_screens_keep_the_last_five(sale: Sale) -> None:
    for i in range(7):
        await sale.creator("message", text=str(i))
    assert [text for _, _, text in (await sale.truth()).news] == ["2", "3", "4", "5", "6"]


@pytest.mark.parametrize(
    ("verb", "refusal"), [("close", refusals.Closed()), ("cancel", refusals.Cancelled())]
)
async def test_a_drop_that_is_over_has_no_more_to_say(
    sale: Sale, verb: str, refusal: refusals.Refusal
) -> None:
    await sale.creator(verb)
    await sale.settle()
    assert await sale.creator("message", text="late") == refusal
