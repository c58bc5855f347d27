"""Small sales by the page of rules, worked out by a reader who knew nothing but that page.

Each is the drop of its examples and says what every command comes to. Scripts, oracle, referee and
a retelling agree with all of it; where the page had said something else, it was mended.
"""

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
    "a hold ends at its deadline, and whoever presses then gets it",
    """
    13:00         ada press 1   -> held h1 ada 1 13:08
    13:00:30      ben press 1   -> held h2 ben 1 13:08:30.000
    13:07:59.999  cy press 1    -> all_held
    13:08         cy press 1    -> expired h1; held h3 cy 1 13:16
    13:08:30      ben pay h2    -> expired h2; hold_expired
    = pin 1 1 0 0
    """,
)
story(
    "a hold is extended once, paid for, asked about and ended at its hard stop",
    """
    13:00  ada press 2     -> held h1 ada 2 13:08
    13:03  ada extend h1   -> extended h1 13:10
    13:04  ada extend h1   -> extended h1 active 13:10
    13:08  ada pay h1      -> payment_begun p1 h1; paying h1 13:11
    13:09  ada pay h1      -> paying p1 open 13:11
    13:11  clock settles   -> asked p1 13:13
    13:12  ada extend h1   -> extended h1 paying 13:11
    = pin 0 2 0 0, cancel:p1
    13:13  clock settles   -> expired h1
    = pin 2 0 0 0, cancel:p1
    """,
)
story(
    "a provider that knows of no payment ends the hold at once",
    """
    13:00     ada press 1           -> held h1 ada 1 13:08
    13:00     ben press 1           -> held h2 ben 1 13:08
    13:03     ben pay h2            -> payment_begun p1 h2; paying h2 13:08
    13:07     ada pay h1            -> payment_begun p2 h1; paying h1 13:10
    13:08     clock settles         -> asked p1 13:10
    13:10     clock settles         -> asked p2 13:12; expired h2
    13:10:20  bank says-unpaid p2   -> unpaid p2; expired h1
    = pin 2 0 0 0, cancel:p1
    """,
)
story(
    "a press is refused by the first reason that is so",
    """
    13:00  ada press 1           -> held h1 ada 1 13:08
    13:00  cy press 1 nope       -> not_found
    13:01  ben press 2           -> all_held
    13:01  ben press 2 fewer     -> held h2 ben 1 13:09
    13:02  ada press 2           -> limit_reached
    13:02  ada press 1           -> held h1 active 13:08
    13:03  cy press 1            -> all_held
    13:04  bank captured h1 c1 2400   -> sold h1 #1; paid p1
    13:05  cy press 1            -> all_held
    13:06  bank captured h2 c2 2400   -> sold h2 #2; paid p2
    13:07  cy press 1            -> sold_out
    = pin 0 0 2 0, cancel:p1, cancel:p2
    """,
)
story(
    "a key is answered with what it made, and only with that",
    """
    13:00  ada press 2 key=a     -> held h1 ada 2 13:08
    13:01  ben press 1 key=b     -> all_held
    13:02  ada release h1        -> released h1
    13:03  ada press 2 key=a     -> held h1 released
    13:03  ada join 2 key=a      -> key_reused
    13:03  ada press 1 key=a     -> key_reused
    13:04  ben press 1 key=b     -> held h2 ben 1 13:12
    = pin 1 1 0 0
    """,
)
story(
    "a key that a join was answered under makes nothing later",
    """
    13:00  ada press 2        -> held h1 ada 2 13:08
    13:01  ben join 1 key=a   -> joined e1 ben 1
    13:02  ben join 1 key=b   -> joined e1 waiting
    13:03  ben leave e1       -> left e1
    13:04  ben join 1 key=b   -> joined e1 left
    13:04  ben join 1 key=a   -> joined e1 left
    13:05  ben join 1         -> joined e2 ben 1
    = pin 0 2 0 0
    """,
)
story(
    "a join gets the first pool of its list that it can have",
    """
    13:00  ada join 1 hill port  -> held h1 ada 1 13:08
    = hill 0 1 0 0, port 1 0 0 0
    13:01  ben join 2 hill port  -> held h2 ben 1 13:09
    = hill 0 1 0 0, port 0 1 0 0
    13:02  cy join 1 hill port   -> joined e1 cy 1
    """,
    places=2,
)
story(
    "what a fan holds goes on while nothing new is sold",
    """
    13:00  ada press 1               -> held h1 ada 1 13:08
    13:00  ben press 1               -> held h2 ben 1 13:08
    13:01  mia pause                 -> paused
    13:02  ada extend h1             -> extended h1 13:10
    13:03  ada pay h1                -> payment_begun p1 h1; paying h1 13:10
    13:03  ben release h2            -> released h2
    13:03  cy press 1                -> paused
    13:03  cy join 1                 -> joined e1 cy 1
    13:04  bank captured h1 c1 2400  -> sold h1 #1; paid p1
    = pin 1 0 1 0, cancel:p1
    13:05  mia close                 -> closed 13:05
    13:05  cy leave e1               -> settled; left e1
    """,
)
story(
    "an entry cools after its first lapse and is dormant after its second",
    """
    13:00     ada press 2     -> held h1 ada 2 13:08
    13:01     ben join 2      -> joined e1 ben 2
    13:02     cy join 1       -> joined e2 cy 1
    13:03     ada release h1  -> released h1; offered h2 ben 2 13:33
    13:04     ben release h2  -> declined h2 13:05; offered h3 cy 1 13:34
    13:04:30  dee press 1     -> held h4 dee 1 13:12:30.000
    13:06     dee release h4  -> released h4; offered h5 ben 1 13:36
    13:07     ben release h5  -> declined h5 ended; dormant e1
    13:08     ben join 1      -> held h6 ben 1 13:16
    = pin 0 2 0 0
    """,
)
story(
    "a claimed offer that expires cools too, and paying for the next one claims it",
    """
    13:00  ada press 2     -> held h1 ada 2 13:08
    13:01  ben join 1      -> joined e1 ben 1
    13:03  ada release h1  -> released h1; offered h2 ben 1 13:33
    13:20  ben claim h2    -> claimed h2 13:28
    13:28  clock settles   -> expired h2; cooled e1 13:29
    13:29  clock settles   -> offered h3 ben 1 13:59
    13:30  ben pay h3      -> claimed h3 13:38; payment_begun p1 h3; paying h3 13:38
    13:31  bank captured h3 c1 2400  -> sold h3 #1; served e1; paid p1
    = pin 1 0 1 0, cancel:p1
    13:32  bank discharge cancel:p1  -> discharged
    13:33  bank captured h3 c2 2400  -> voided h3 second refund 2400
    = pin 1 0 1 0, refund:c2 2400
    """,
)
story(
    "only the right amount buys, and only once",
    """
    13:00  ada press 2                   -> held h1 ada 2 13:08
    13:01  bank captured h1 p0 4800 USD  -> voided h1 mismatch refund 4800
    13:01  bank captured h1 p1 4799      -> voided h1 mismatch refund 4799
    13:01  bank authorises h1 p4 4801    -> voided h1 mismatch void 4801
    13:02  bank captured h1 p2 4800      -> sold h1 #1#2; paid p4
    13:03  bank captured h1 p2 4800      -> paid p4
    13:04  bank captured h1 p3 4800      -> voided h1 second refund 4800
    13:04  bank discharge cancel:p1      -> discharged
    13:04  bank discharge cancel:p2      -> discharged
    13:04  bank discharge cancel:p3      -> discharged
    13:04  bank discharge cancel:p4      -> discharged
    = pin 0 0 2 0, refund:c1 4800, refund:c2 4799, refund:c5 4800, void:c3 4801
    13:05  bank discharge refund:c1      -> discharged
    13:05  bank discharge refund:c2      -> discharged
    13:05  bank discharge refund:c5      -> discharged
    13:05  bank discharge void:c3        -> discharged
    kept 4800
    """,
)
story(
    "an order is worth what was captured of its charge, and that goes back",
    """
    13:00  ada press 2                -> held h1 ada 2 13:08
    13:01  bank authorises h1 c1 4800 -> sold h1 #1#2 pending; paid p1
    13:02  bank captured h1 c1 4900   -> mismatched
    = pin 0 0 2 0, cancel:p1
    kept 4900
    13:03  bank captured h1 c1 4800   -> paid p1
    13:04  bank authorises h1 c2 4800 -> voided h1 second void 4800
    13:05  bank captured h1 c2 4900   -> mismatched
    = pin 0 0 2 0, cancel:p1, refund:c2 4900
    13:06  mia refund h1              -> refunded h1 #1#2 4900
    = pin 2 0 0 0, cancel:p1, refund:c2 4900, refund:p1:1 4900
    13:07  bank discharge refund:p1:1 -> discharged
    13:07  bank discharge refund:c2   -> discharged
    kept 0
    """,
)
story(
    "a late payment buys the newer hold of the same fan",
    """
    13:00  ada press 1              -> held h1 ada 1 13:08
    13:07  ada pay h1               -> payment_begun p1 h1; paying h1 13:10
    13:10  clock settles            -> asked p1 13:12
    13:12  clock settles            -> expired h1
    13:13  ada press 1              -> held h2 ada 1 13:21
    = pin 1 1 0 0, cancel:p1
    13:14  bank captured h1 c1 2400 -> sold h2 h1 #1; paid p1
    = pin 1 0 1 0, cancel:p1
    13:15  bank discharge cancel:p1 -> discharged
    = pin 1 0 1 0
    """,
)
story(
    "a late payment is rescued where nobody waits",
    """
    13:00  ada press 1              -> held h1 ada 1 13:08
    13:07  ada pay h1               -> payment_begun p1 h1; paying h1 13:10
    13:10  clock settles            -> asked p1 13:12
    13:12  clock settles            -> expired h1
    13:20  bank captured h1 c1 2400 -> rescued h1 #1; paid p1
    = pin 1 0 1 0, cancel:p1
    """,
)
story(
    "a payment for a hold that was released goes back",
    """
    13:00  ada press 1              -> held h1 ada 1 13:08
    13:01  ada pay h1               -> payment_begun p1 h1; paying h1 13:08
    13:02  ada release h1           -> released h1
    = pin 2 0 0 0, cancel:p1
    13:03  bank captured h1 c1 2400 -> voided h1 ended refund 2400
    13:04  bank captured h1 c2 2400 -> voided h1 ended refund 2400
    = pin 2 0 0 0, cancel:p1, refund:c1 2400, refund:c2 2400
    """,
)
story(
    "who is ready stands before a late payment, which is made good",
    """
    13:00  ada press 2              -> held h1 ada 2 13:08
    13:07  ada pay h1               -> payment_begun p1 h1; paying h1 13:10
    13:08  ben join 1               -> joined e1 ben 1
    13:09  mia pause                -> paused
    13:10  clock settles            -> asked p1 13:12
    13:12  clock settles            -> expired h1
    13:13  bank captured h1 c1 4800 -> voided h1 late refund 4800; joined e2 ada 2 makegood
    13:15  mia resume               -> resumed; offered h2 ben 1 13:45; offered h3 ada 1 13:45
    = pin 0 2 0 0, cancel:p1, refund:c1 4800
    """,
)
story(
    "a late payment for an entry's hold stands before those behind that entry",
    """
    13:00     dee press 2              -> held h1 dee 2 13:08
    13:01     ada join 2               -> joined e1 ada 2
    13:02     ben join 1               -> joined e2 ben 1
    13:03     dee release h1           -> released h1; offered h2 ada 2 13:33
    13:04     ada pay h2               -> claimed h2 13:12; payment_begun p1 h2; paying h2 13:12
    13:05     mia pause                -> paused
    13:12     clock settles            -> asked p1 13:14
    13:14     clock settles            -> expired h2; cooled e1 13:15
    13:14:30  bank captured h2 c1 4800 -> rescued h2 #1#2; served e1; paid p1
    13:16     mia resume               -> resumed
    = pin 0 0 2 0, cancel:p1
    """,
)
story(
    "a refunded number goes to the line, then new numbers go on",
    """
    13:00  ada press 1              -> held h1 ada 1 13:08
    13:00  ben press 1              -> held h2 ben 1 13:08
    13:00  cy press 1               -> held h3 cy 1 13:08
    13:01  bank captured h1 c1 2400 -> sold h1 #1; paid p1
    13:02  bank captured h2 c2 2400 -> sold h2 #2; paid p2
    13:05  dee join 1               -> joined e1 dee 1
    13:05  mia pause key=a          -> paused
    13:05  mia resume               -> resumed
    13:05  mia refund h1 key=a      -> key_reused
    13:06  mia refund h1 key=b      -> refunded h1 #1 2400; offered h4 dee 1 13:36
    13:06  mia refund h1 key=b      -> nothing
    13:06  mia refund h2 key=b      -> key_reused
    13:06  mia add 1 key=b          -> key_reused
    13:07  bank captured h4 c4 2400 -> sold h4 #1; served e1; paid p3
    13:07  bank captured h3 c3 2400 -> sold h3 #3; paid p4
    = pin 0 0 3 0, cancel:p1, cancel:p2, cancel:p3, cancel:p4, refund:p1:1 2400
    13:08  bank discharge refund:p1:1 -> discharged
    kept 7200
    """,
    cap=3,
)
story(
    "a maker takes only what is free, and what she adds goes to the line",
    """
    13:01  mia withdraw 1               -> withdrawn
    13:01  mia withdraw 2               -> too_few
    13:02  ada press 1                  -> held h1 ada 1 13:10
    13:03  cy press 1                   -> all_held
    13:04  ben join 1                   -> joined e1 ben 1
    13:05  mia add 1 revision=3 key=add -> added; offered h2 ben 1 13:35
    13:06  noa pause revision=3         -> stale_revision
    13:07  mia add 1 revision=3 key=add -> changed 4 live
    13:07  mia pause key=add            -> key_reused
    = pin 0 2 0 0
    """,
)
story(
    "a cancellation ends holds, then refunds orders, and calls nobody",
    """
    13:00  ada press 1              -> held h1 ada 1 13:08
    13:00  bank captured h1 c1 2400 -> sold h1 #1; paid p1
    13:01  ben press 1              -> held h2 ben 1 13:09
    13:01  ben pay h2               -> payment_begun p2 h2; paying h2 13:09
    13:02  cy join 1                -> joined e1 cy 1
    13:05  mia cancel               -> cancelled
    13:05  clock settles            -> released h2 creator; refunded h1 #1 2400
    13:06  bank captured h2 c2 2400 -> voided h2 ended refund 2400
    = pin 2 0 0 0, cancel:p1, cancel:p2, refund:c2 2400, refund:p1:1 2400
    """,
)
story(
    "a drop that closes settles when nothing is held any more",
    """
    13:00  ada press 1              -> held h1 ada 1 13:08
    13:00  dee press 1              -> held h2 dee 1 13:08
    13:01  bank captured h2 c1 2400 -> sold h2 #1; paid p1
    13:02  ben join 1               -> joined e1 ben 1
    13:03  mia close                -> closed 13:03
    13:04  ben press 1              -> closed
    13:05  ada release h1           -> released h1
    13:05  clock settles            -> settled
    13:06  ben leave e1             -> left e1
    = pin 1 0 1 0, cancel:p1
    """,
)
story(
    "an outage takes no time from a hold, and the drop closes by the true clock",
    """
    13:00         ada press 1    -> held h1 ada 1 13:08
    13:05         clock runs     -> nothing
    13:25         clock settles  -> realigned outage -1200s
    13:27:59.999  clock runs     -> nothing
    13:27:59.999  ben press 2    -> all_held
    13:28         clock settles  -> expired h1
    13:28         clock runs     -> nothing
    13:28:09.999  clock settles  -> nothing
    14:00         clock runs     -> nothing
    14:00         clock settles  -> closed 13:40; settled
    = pin 2 0 0 0
    """,
    closes_ms=START_MS + 3_600_000,
)
story(
    "an entry of a fan whose limit is used up is not ready, and is told when it is",
    """
    13:00  ada press 1     -> held h1 ada 1 13:08
    13:01  ada join 1      -> joined e1 ada 1
    13:01  cy press 1      -> held h2 cy 1 13:09
    13:02  ada release h1  -> released h1; limit_freed e1; offered h3 ada 1 13:32
    = pin 0 2 0 0
    """,
    limit=1,
)
story(
    "an order that fills the limit removes the fan's entry",
    """
    13:00  ada press 1               -> held h1 ada 1 13:08
    13:01  ada join 1                -> joined e1 ada 1
    13:02  bank captured h1 c1 2400  -> sold h1 #1; removed e1; paid p1
    = pin 1 0 1 0, cancel:p1
    kept 2400
    """,
    limit=1,
)
story(
    "whoever leaves gives the offer to the next, but keeps what is claimed",
    """
    13:00  xa press 1 port    -> held h1 xa 1 13:08
    13:00  ya press 1 hill    -> held h2 ya 1 13:08
    13:01  ada join 1 port hill   -> joined e1 ada 1
    13:02  ben join 1 hill    -> joined e2 ben 1
    13:03  ya release h2      -> released h2; offered h3 ada 1 13:33
    13:04  ada leave e1       -> declined h3 ended; left e1; offered h4 ben 1 13:34
    13:05  ben claim h4       -> claimed h4 13:13
    13:06  ben leave e2       -> left e2
    13:07  bank authorises h4 c1 2400  -> sold h4 #1 pending; paid p1
    = hill 0 0 1 0, port 0 1 0 0, cancel:p1, capture:p1 2400
    13:08  mia refund h4      -> expired h1; refunded h4 #1 2400
    = hill 1 0 0 0, port 1 0 0 0, cancel:p1, void:c1 2400
    13:09  bank discharge void:c1  -> discharged
    kept 0
    """,
    places=2,
)
story(
    "a guest who signs in has all of it as the person, within the limit of one",
    """
    13:00  ada press 1 key=a         -> held h1 ada 1 13:08
    13:01  pia press 1               -> held h2 pia 1 13:09
    13:02  ada pay h1                -> payment_begun p1 h1; paying h1 13:08
    13:03  ada signs-in pia          -> adopted ada h1
    13:03  ada signs-in pia          -> nothing
    13:04  ada press 1 key=a         -> held h1 paying 13:08
    13:04  pia press 1 key=a         -> held h1 paying 13:08
    13:04  ada press 2               -> limit_reached
    13:05  ada release h2            -> released h2
    13:06  bank captured h1 c1 2400  -> sold h1 #1; paid p1
    13:07  ben signs-in pia          -> nothing
    13:07  ada signs-in ben          -> not_adoptable
    = pin 1 0 1 0, cancel:p1
    kept 2400
    """,
)
story(
    "two who have more together than one may have stay two until something is given back",
    """
    13:00  ada press 1       -> held h1 ada 1 13:08
    13:00  pia press 1       -> held h2 pia 1 13:08
    13:01  ada signs-in pia  -> limit_reached
    13:02  pia release h2    -> released h2
    13:03  ada signs-in pia  -> adopted ada h1
    13:04  pia press 1       -> held h1 active 13:08
    13:05  ben press 1       -> held h3 ben 1 13:13
    = pin 0 2 0 0
    """,
    limit=1,
)
story(
    "of two places the earlier stays, and what the other was just offered is held",
    """
    13:00  xa press 1 port          -> held h1 xa 1 13:08
    13:00  ya press 1 hill          -> held h2 ya 1 13:08
    13:01  ada join 1 port          -> joined e1 ada 1
    13:02  pia join 1 hill          -> joined e2 pia 1
    13:03  ya release h2            -> released h2; offered h3 pia 1 13:33
    13:04  ada signs-in pia         -> adopted ada e1; claimed h3 13:33; removed e2
    13:05  xa release h1            -> released h1; offered h4 pia 1 13:35
    = hill 0 1 0 0, port 0 1 0 0
    """,
    places=2,
)
story(
    "at night nobody is called, nobody passes, and the morning serves the line",
    """
    21:59  ada press 2     -> held h1 ada 2 22:07
    21:59  ben join 1      -> joined e1 ben 1
    21:59  cy join 1       -> joined e2 cy 1
    22:07  clock settles   -> quiet 32:00; expired h1
    23:00  dan press 1     -> all_held
    23:00  cy press 1      -> all_held
    23:01  dan join 1      -> joined e3 dan 1
    = pin 2 0 0 0
    32:00  dan press 1     -> calling 46:00; offered h2 ben 1 32:30; offered h3 cy 1 32:30; all_held
    """,
    quiet=1,
)
story(
    "whose call it would be calls himself, and it is his first turn",
    """
    21:59  ada press 2     -> held h1 ada 2 22:07
    21:59  ben join 1      -> joined e1 ben 1
    21:59  cy join 2       -> joined e2 cy 2
    22:07  clock settles   -> quiet 32:00; expired h1
    23:00  ben press 2     -> offered h2 ben 1 23:30; claimed h2 23:08
    23:00  cy press 1      -> offered h3 cy 1 23:30; claimed h3 23:08
    23:08  clock settles   -> expired h2; cooled e1 23:09; expired h3; cooled e2 23:09
    23:09  ben press 1     -> offered h4 ben 1 23:39; claimed h4 23:17
    23:09  cy press 1      -> offered h5 cy 1 23:39; claimed h5 23:17
    = pin 0 2 0 0
    """,
    quiet=1,
)
story(
    "an outage through the night moves its hours with the true clock",
    """
    21:59  clock runs      -> nothing
    21:59  ada press 2     -> held h1 ada 2 22:07
    21:59  ben join 1      -> joined e1 ben 1
    33:00  clock settles   -> realigned outage -39660s
    33:08  clock runs      -> nothing
    33:08  clock settles   -> expired h1; offered h2 ben 1 22:37
    """,
    quiet=1,
)


@pytest.mark.parametrize("name", STORIES)
async def test_the_page_of_rules_tells_what_happens(store: Store, drop: str, name: str) -> None:
    await Twice(store, page_drop(drop, **RULES[name])).tell(STORIES[name])
