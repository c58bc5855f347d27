"""What the judgement of a run does not let pass."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from dropengine.rehearsal.fans import Crowd, Fan
from dropengine.rehearsal.fans.client_state import PlaceInLine
from dropengine.rehearsal.fans.plans import plan
from dropengine.rehearsal.verdicts import crowd_report, screens


@pytest.fixture
async def crowd() -> AsyncIterator[Crowd]:
    """A crowd at a door that nobody opens."""
    one = Crowd("http://127.0.0.1:1", seed=1)
    yield one
    await one.close()


def somebody(crowd: Crowd) -> Fan:
    return crowd.enter("pins", plan(1, len(crowd.fans), "plain"))


async def test_a_crowd_that_saw_nothing_wrong_is_no_violation(crowd: Crowd) -> None:
    somebody(crowd)
    assert screens(crowd) == []


async def test_a_screen_that_doubts_fails_the_run(crowd: Crowd) -> None:
    somebody(crowd).screen.doubt("pin shows (-1, 0, 0, 0, 0) of 3")
    (violation,) = screens(crowd)
    assert violation.inv == "INV-14"
    assert "-1" in violation.sentence


async def test_a_wrong_place_fails_the_run(crowd: Crowd) -> None:
    place = PlaceInLine(9, 5, 0)
    place.told(4, 0)
    somebody(crowd).screen.places["e1", "pin"] = place
    (violation,) = screens(crowd)
    assert violation.sentence == "1 of 1 places that screens were told were wrong"
    assert crowd_report(crowd).places_wrong == 1


async def test_a_person_who_stumbles_fails_the_run(crowd: Crowd) -> None:
    async def stumble() -> None:
        raise KeyError("pin")

    await asyncio.gather(crowd.start(stumble()), return_exceptions=True)
    await asyncio.sleep(0)
    (violation,) = screens(crowd)
    assert "KeyError" in violation.sentence
