"""How long, how many: the least and the most that a manifest may say, and what it says unsaid."""

from __future__ import annotations

from typing import Final, NamedTuple

from dropengine.model import CAP_MAX, POINTS

ITEMS_MAX: Final = 64
POOLS_MAX: Final = 64
"""Of the whole drop: every pool has two lines, and every screen is told about each of them."""

STORY_CHARS_MAX: Final = 8000
ABOUT_CHARS_MAX: Final = 2000
"""Of an item."""

NOTE_CHARS_DEFAULT: Final = 40
"""Of what is asked for each unit, such as a name to engrave."""

MODES: Final = ("rush", "lobby", "collect", "draw")
"""How arrivals are given out, the default first: in the order of the joins, or by chance among
those who stood in a list that was open before the opening, after it, or for days."""

IDENTITIES: Final = ("guest", "verified")
"""Who may act: whoever opens the page, or who has confirmed an e-mail address; the default
first."""


class Bounds(NamedTuple):
    """What a number may be, both ends included, and what it is when it is not said."""

    least: int
    most: int
    default: int


K: Final = Bounds(2, 100, 5)
"""Every k-th call of a line goes to the boost lane, when somebody is ready there."""

PACE: Final = Bounds(0, 1000, 10)
"""What one fan may begin at once; 0: as often as he likes."""

NETWORK_LEAST: Final = 20
NETWORK_SHARE: Final = 10
"""What one network may have of unpaid holds and open entries, where nothing is said: one for each
so many units of the drop, and this at the least."""

DOMAIN: Final = Bounds(0, CAP_MAX, 25)
"""How many persons of one mail domain that is no public provider may take part; 0: as many as
come."""

CALLS: Final = ("08:00", "22:00")
"""Between which times of the day the line calls, by the clocks of the drop's zone; outside of them
it is quiet. Two equal times: at all hours, as in a practice drop that does not say."""
CALLS_MS: Final = (28_800_000, 79_200_000)
"""The same, ms since midnight."""

SECONDS: Final = {
    "hold": Bounds(120, 1800, 480),
    "offer": Bounds(120, 172_800, 1800),
    "extend": Bounds(0, 1800, 120),
    "pay": Bounds(30, 1800, 180),
    "cool": Bounds(1, 3600, 60),
    "lookup": Bounds(10, 1800, 120),
    "pace": Bounds(1, 3600, 10),
}
"""The times of a drop; a practice drop may go down to one second in each."""

WINDOWS: Final = {
    "lobby": Bounds(60, 86_400, 1800),
    "collect": Bounds(120, 600, 300),
    "draw": Bounds(600, 2_592_000, 86_400),
}
"""How long the list is open that chance orders, in seconds, in the modes that have one; in a
practice drop from one second on."""

FIRST_OFFERS: Final = {"lobby": 600, "collect": 600, "draw": 86_400}
"""For how long an offer of the first round stands, where nothing is said, in seconds."""
FIRST_OFFER: Final = Bounds(120, 172_800, 600)

CARRIED_SHARE: Final = Bounds(1, 100, 50)
"""How many percent of each pool go to whoever was carried over, while there is a free unit."""

WAYS_MAX: Final = 8
HAND_HOURS: Final = Bounds(24, 168, 72)
"""How long a payment by hand may take."""
HAND_SHARE: Final = Bounds(1, 100, 25)
"""How many percent of a pool's units may wait for payments by hand at a time."""

TICKETS: Final = Bounds(1, 100, 5)
"""The most that an entry of a draw may have."""

WORTH: Final = Bounds(1, 100, 2)
"""Points of a friend."""
FRIENDS_MOST: Final = Bounds(1, POINTS, 10)
"""Points of all friends of one fan."""
DELAY_MINUTES: Final = Bounds(0, 10_080, 10)
"""How long it takes until a friend counts."""
FRIENDS_OF_NETWORK: Final = Bounds(1, 100, 3)
FRIENDS_OF_DOMAIN: Final = Bounds(1, 100, 5)
"""How many friends from one network, and from one mail domain, count a day, whoever brought
them."""
COLLECTED: Final = Bounds(0, 100, 1)
"""Points of an earlier drop."""
COLLECTED_MOST: Final = Bounds(1, POINTS, 3)
MISSION_WORTH: Final = Bounds(1, 100, 3)
MISSIONS_MAX: Final = 8
