"""The panel's first page: drops by where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from starlette.responses import Response
from starlette.routing import Route

from dropengine.doors.page_formats import in_words
from dropengine.doors.shown_things import ShownThings
from dropengine.doors.studio.drop_doors import DropDoors
from dropengine.doors.studio.drop_messages import Counts, StudioDropLine
from dropengine.doors.studio.panel_door import HOME, Panel, PanelCall
from dropengine.model import DropState
from dropengine.people import drafts
from dropengine.people.drafts import Draft
from dropengine.people.showcases import Picture, Showcase
from dropengine.sql.database import Database
from dropengine.truth.replies import PoolRow

STANDS = {
    "Now": (
        *(DropState.LOBBY, DropState.ORDERING, DropState.LIVE),
        *(DropState.PAUSED, DropState.FROZEN, DropState.CLOSING),
    ),
    "To come": (DropState.DRAFT, DropState.SCHEDULED),
    "Over": (DropState.SETTLED, DropState.CANCELLED),
}
"""The parts of the page, what matters most first."""
NOT_BEGUN = (DropState.DRAFT, DropState.SCHEDULED)
OVER = (DropState.CLOSING, DropState.SETTLED, DropState.CANCELLED)
_COUNTS = ("free", "held", "offered", "sold", "withheld", "leased", "waiting", "buying")


class Card(NamedTuple):
    """A drop on the page. `total`: all pools as one. `words`: the stock in words."""

    drop: StudioDropLine
    maker: str
    total: dict[str, int]
    words: str
    picture: tuple[Picture, str] | None


class HomePages:
    """One page."""

    def __init__(self, database: Database, drops: DropDoors, things: ShownThings) -> None:
        self._things = things
        self._database = database
        self._drops = drops

    def routes(self, panel: Panel) -> list[Route]:
        """The page."""
        self._panel = panel
        return [panel.route("GET", HOME, self.home)]

    async def home(self, call: PanelCall) -> Response:
        """GET /studio: the drops of my makers."""
        found = await self._drops.mine(call.caller, call.request.query_params.get("after", ""))
        mine = list(call.caller.makers)
        written: list[Draft] = []
        if "after" not in call.request.query_params:
            written = await self._database.read(lambda sql: drafts.of_makers(sql, mine))
        names = {maker.id: maker.name for maker, _ in call.caller.makers.values()}
        cards = [_card(one, names[one.maker], await self._things.of(one.id)) for one in found.drops]
        parts = {
            name: [card for card in cards if card.drop.state in states]
            for name, states in STANDS.items()
        }
        return self._panel.page(
            call,
            "studio-home.html",
            drafts=written,
            names=names,
            parts={name: some for name, some in parts.items() if some},
            makers=[maker for maker, _ in call.caller.makers.values()],
            after=found.after,
        )


def _card(drop: StudioDropLine, maker: str, things: Showcase) -> Card:
    total = sums(drop.counts)
    return Card(drop, maker, total, in_words(total, drop.state in OVER), things.first)


def sums(counts: Sequence[Counts | PoolRow]) -> dict[str, int]:
    """All pools as one, by the names of their counts."""
    found = {name: sum(getattr(one, name) for one in counts) for name in _COUNTS}
    cap = sum(found[name] for name in ("free", "held", "sold", "withheld", "leased"))
    return {**found, "cap": cap, "back": found["withheld"] + found["leased"]}
