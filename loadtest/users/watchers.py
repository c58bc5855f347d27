"""People who look: at a live page, or by asking again and again."""

from __future__ import annotations

from locust import tag, task

from dropengine import wire
from loadtest.users.night import night
from loadtest.users.visitor import Visitor, held


class Lurker(Visitor):
    """Watches the page from before the opening to the end."""

    weight = 16

    @tag("watch", "socket")
    @task
    def live(self) -> None:
        """He presses nothing."""
        self.watch(self.arrive())


class Reader(Visitor):
    """Has no socket: asks how it stands every few seconds, and presses by HTTP when there is
    something left."""

    weight = 4

    @tag("watch", "http")
    @task
    def live(self) -> None:
        """One order is enough for him."""
        cookie = self.open_page()
        fan = self.who(cookie)
        while True:
            self.think(1, 5)
            shown = self.client.get(f"/api/drops/{night.drop}", name="drop")
            if shown.status_code != 200 or b'"state":"live"' not in (shown.content or b""):
                continue
            snapshot = night.decode(shown.content)
            assert isinstance(snapshot, wire.Snapshot)
            left = [name for name, one in snapshot.drop.pools.items() if one.free]
            if left and self._bought(cookie, fan, self.draw.choice(left)):
                break
        while True:
            self.think(2, 10)
            self.client.get(f"/api/drops/{night.drop}", name="drop")

    def _bought(self, cookie: str, fan: str, pool: str) -> bool:
        press = wire.Hold(id=0, key=self.key(), pool=pool, qty=1)
        hold = held(self.ask("hold", cookie, press, fan))
        if hold is None:
            return False
        reply = self.ask("pay", cookie, wire.Pay(id=0, key=self.key(), holds=[hold.id]), fan)
        if not isinstance(reply, wire.Done) or hold.id not in reply.pay:
            return False
        return self.at_provider(f"{str(self.host).rstrip('/')}{reply.pay[hold.id]}", "pay")
