"""What the page of rules once left its reader in doubt about, told as small sales."""

from __future__ import annotations

import pytest

from dropengine.truth.store import Store
from tests.kit.example_stories import Twice, page_drop
from tests.kit.manifests import START_MS

STORIES: dict[str, str] = {}
RULES: dict[str, dict[str, int]] = {}


def story(name: str, text: str, **rules: int) -> None:
    STORIES[name], RULES[name] = text, rules


story(
    "what is due is settled when somebody asks, at that moment",
    """
    13:00         ada press 1    -> held h1 ada 1 13:08
    13:00:03      ben press 1    -> held h2 ben 1 13:08:03.000
    13:07:59      clock runs     -> nothing
    13:08:05      cy press 1     -> expired h1; expired h2; held h3 cy 1 13:16:05.000
    13:08:05      clock runs     -> nothing
    13:16:04      clock runs     -> nothing
    13:17:05      dee press 2    -> realigned outage -61s; all_held
    = pin 1 1 0 0
    """,
)
story(
    "a closing time is settled in its turn",
    """
    13:52:03  ada press 1    -> held h1 ada 1 14:00:03.000
    13:59:59  clock runs     -> nothing
    14:00:05  clock settles  -> closed 14:00:05.000; expired h1; settled
    = pin 2 0 0 0
    """,
    closes_ms=START_MS + 3_600_000,
)
story(
    "an offer cools from when it came back, not from when it was due",
    """
    13:00     ada press 2     -> held h1 ada 2 13:08
    13:01     ben join 1      -> joined e1 ben 1
    13:03     ada release h1  -> released h1; offered h2 ben 1 13:33
    13:33:05  clock settles   -> lapsed h2 13:34:05.000
    13:33:06  ben join 2      -> joined e1 waiting
    13:33:07  ben press 1     -> held h3 ben 1 13:41:07.000
    13:34:05  clock settles   -> offered h4 ben 1 14:04:05.000
    = pin 0 2 0 0
    """,
)
story(
    "a claimed hold whose entry left is no lapse of it",
    """
    13:00  ada press 2     -> held h1 ada 2 13:08
    13:01  ben join 1      -> joined e1 ben 1
    13:03  ada release h1  -> released h1; offered h2 ben 1 13:33
    13:04  ben extend h2   -> not_found
    13:04  ben claim h2    -> claimed h2 13:12
    13:05  ben leave e1    -> left e1
    13:06  ada release h2  -> not_found
    13:06  ben release h2  -> released h2
    13:07  ben release h2  -> released h2 released
    13:07  ben claim h2    -> hold_expired
    = pin 2 0 0 0
    """,
)
story(
    "what is said twice is told apart from what is too late",
    """
    13:01  mia pause                 -> paused
    13:02  noa pause                 -> already
    13:02  mia open                  -> paused
    13:02  ada press 1               -> paused
    13:02  mia withdraw 3            -> too_few
    13:03  mia close                 -> closed 13:03
    13:03  mia add 1                 -> settled; closed
    13:04  ada join 1                -> closed
    = pin 2 0 0 0
    """,
)
story(
    "who is made good stands in line already",
    """
    13:00  ada press 2               -> held h1 ada 2 13:08
    13:07  ada pay h1                -> payment_begun p1 h1; paying h1 13:10
    13:08  ben join 1                -> joined e1 ben 1
    13:09  mia pause                 -> paused
    13:10  clock settles             -> asked p1 13:12
    13:12  clock settles             -> expired h1
    13:13  bank captured h1 c1 4800  -> voided h1 late refund 4800; joined e2 ada 2 makegood
    13:14  ada join 1                -> joined e2 waiting
    13:15  mia resume                -> resumed; offered h2 ben 1 13:45; offered h3 ada 1 13:45
    13:16  ada leave e2              -> declined h3 ended; left e2
    = pin 1 1 0 0, cancel:p1, refund:c1 4800
    """,
)
story(
    "who stands in line is made good there",
    """
    13:00  ada press 2               -> held h1 ada 2 13:08
    13:07  ada pay h1                -> payment_begun p1 h1; paying h1 13:10
    13:08  ben join 1                -> joined e1 ben 1
    13:09  mia pause                 -> paused
    13:10  clock settles             -> asked p1 13:12
    13:11  ada join 1                -> joined e2 ada 1
    13:12  clock settles             -> expired h1; limit_freed e2
    13:13  bank captured h1 c1 4800  -> voided h1 late refund 4800; pointed e2 ada 0 makegood
    13:15  mia resume                -> resumed; offered h2 ben 1 13:45; offered h3 ada 1 13:45
    = pin 0 2 0 0, cancel:p1, refund:c1 4800
    """,
)
story(
    "what is answered with something that stands uses up the pace too",
    """
    13:00         ada press 1  -> held h1 ada 1 13:08
    13:00:01      ada press 1  -> held h1 active 13:08
    13:00:09.999  ada join 1   -> too_many_requests
    13:00:10      ada join 1   -> held h2 ada 1 13:08:10.000
    13:01         ben join 1   -> joined e1 ben 1
    13:01         ben join 1   -> joined e1 waiting
    13:01:09.999  ben join 1   -> too_many_requests
    13:01:10      ben join 1   -> joined e1 waiting
    = pin 0 2 0 0
    """,
    pace=2,
)


@pytest.mark.parametrize("name", STORIES)
async def test_the_page_of_rules_leaves_no_doubt_that(store: Store, drop: str, name: str) -> None:
    await Twice(store, page_drop(drop, **RULES[name])).tell(STORIES[name])
