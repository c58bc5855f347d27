"""A kind of human for the controls: nobody ever keeps anything, so the line always moves.

Locust reads it beside `loadtest`.
"""

from __future__ import annotations

from locust import task

from dropengine import wire
from loadtest.users.visitor import Visitor, held, holds


class Fickle(Visitor):
    """Presses, stands in the line when there is nothing, and gives back whatever comes of it."""

    weight = 1

    @task
    def live(self) -> None:
        """The next press follows at once, often in the same batch as somebody's giving back."""
        tab = self.arrive()
        self.until_open(tab)
        while True:
            if self.press(tab) is None and not holds(tab):
                pools = list(tab.screen.pools)
                held(tab.do(wire.Join(id=0, key=self.key(), pools=pools, qty=1)))
                tab.until(lambda: bool(holds(tab)), 2)
            for hold in holds(tab):
                tab.do(wire.Release(id=0, key=self.key(), hold=hold.id))
