"""People who want something, each in his own way."""

from __future__ import annotations

from typing import Final

import gevent
from locust import tag, task

from dropengine import wire
from loadtest.users.tab import Tab
from loadtest.users.visitor import IN_LIST, NOT_YET, OVER, SELLING, Visitor, held, holds

LOSSES_MAX: Final = 3
"""Lost holds after which anybody gives up."""
TAPS_MAX: Final = 5
COOKIES: Final = 5
TUNNEL_S_MAX: Final = 6.0


class Hunter(Visitor):
    """Taps at the opening, and taps again; pays what he gets, or gives it back."""

    weight = 40

    @tag("buy", "socket")
    @task
    def live(self) -> None:
        """From the countdown to an order, or to the end."""
        tab = self.arrive()
        self.until_open(tab)
        for _ in range(TAPS_MAX):
            hold = self.press(tab) if tab.screen.state in SELLING else None
            if hold is not None:
                self.think(0.5, 6)
                if self.draw.random() < 0.1:
                    tab.do(wire.Release(id=0, key=self.key(), hold=hold.id))
                elif self.pay(tab, hold, do=self.draw.choice(("pay", "pay", "pay", "twice"))):
                    self.until_gone(tab, hold)
                    break
            self.think(0.3, 3)
        self.watch(tab)


class Quitter(Visitor):
    """Holds, and forgets it; comes once more when it has lapsed."""

    weight = 8

    @tag("buy", "socket")
    @task
    def live(self) -> None:
        """He never pays."""
        tab = self.arrive()
        self.until_open(tab)
        for _ in range(LOSSES_MAX):
            hold = self.press(tab)
            if hold is not None:
                self.until_gone(tab, hold)
            self.think(1, 5)
        self.watch(tab)


class LatePayer(Visitor):
    """His money comes when the time of his hold is over."""

    weight = 6

    @tag("buy", "socket")
    @task
    def live(self) -> None:
        """Rescued, or refunded."""
        tab = self.arrive()
        self.until_open(tab)
        hold = self.press(tab)
        if hold is not None:
            self.pay(tab, hold, do="late", after_ms=self.draw.randrange(100, 2_000))
            self.until_gone(tab, hold)
        self.watch(tab)


class Liner(Visitor):
    """Stands in the line until he is called, claims and pays; sometimes he lets an offer pass."""

    weight = 12

    @tag("buy", "socket", "line")
    @task
    def live(self) -> None:
        """Press once, then wait for a place to be called."""
        tab = self.arrive()
        self.until_open(tab)
        tab.until(lambda: tab.screen.state in (*SELLING, *OVER))
        hold = self.press(tab)
        for _ in range(LOSSES_MAX):
            hold = hold or self._in_line(tab)
            if hold is None:
                break
            if hold.origin == "line" and not hold.claimed:
                hold = self._answer(tab, hold)
            if hold is not None:
                self.think(0.5, 4)
                self.pay(tab, hold)
                self.until_gone(tab, hold)
                hold = None
                if tab.screen.you is not None and tab.screen.you.orders:
                    break
        self.watch(tab)

    def _in_line(self, tab: Tab) -> wire.HoldView | None:
        """Join, unless he stands there already; what he holds or is offered then."""
        if tab.screen.you is None or not tab.screen.you.entries:
            pools = list(tab.screen.pools)
            reply = tab.do(wire.Join(id=0, key=self.key(), pools=pools[:4], qty=1))
            if isinstance(reply, wire.Refused) or reply.hold is not None:
                return held(reply)
        tab.until(lambda: bool(holds(tab)) or tab.screen.state in OVER)
        return next(iter(holds(tab)), None)

    def _answer(self, tab: Tab, offer: wire.HoldView) -> wire.HoldView | None:
        self.think(0.2, 5)
        if self.draw.random() < 0.15:
            self.until_gone(tab, offer)
            return None
        return held(tab.do(wire.Claim(id=0, key=self.key(), hold=offer.id)))


class MultiTab(Visitor):
    """Three tabs with one ticket, and the same press in each: it is one fan and one hold."""

    weight = 4

    @tag("buy", "socket")
    @task
    def live(self) -> None:
        """All tabs press at once."""
        cookie = self.open_page()
        tabs = [self.open_tab(cookie) for _ in range(3)]
        self.until_open(tabs[0])
        pool = self.liked(tabs[0])
        presses = [gevent.spawn(self.press, tab, pool=pool) for tab in tabs]
        gevent.joinall(presses)
        found = {one.value.id: one.value for one in presses if one.value is not None}
        if len(found) > 1:
            tabs[0].screen.doubt(f"one fan holds {len(found)} times what he pressed for once")
        for hold in found.values():
            self.think(0.5, 3)
            self.pay(tabs[-1], hold)
            self.until_gone(tabs[0], hold)
        self.watch(tabs[0])


class Phone(Visitor):
    """Loses its connection again and again, also while a command is on its way."""

    weight = 8

    @tag("buy", "socket", "reconnect")
    @task
    def live(self) -> None:
        """Whatever gets lost, his place and his hold are there when he is back."""
        tab = self.arrive()
        tunnels = gevent.spawn(self._tunnels, tab)
        try:
            self.until_open(tab)
            for _ in range(TAPS_MAX):
                hold = self.press(tab)
                if hold is not None and self.pay(tab, hold):
                    self.until_gone(tab, hold)
                    break
                self.think(1, 4)
            self.watch(tab)
        finally:
            tunnels.kill()

    def _tunnels(self, tab: Tab) -> None:
        while True:
            tab.until(lambda: tab.carries, self.draw.uniform(2, 12))
            tab.cut(self.draw.uniform(0, TUNNEL_S_MAX))
            self.think(1, 4)


class Scalper(Visitor):
    """Many cookies, no page to look at, and calls before the opening."""

    weight = 2

    @tag("buy", "http")
    @task
    def live(self) -> None:
        """Being early earns nothing, and each of his tickets is one fan."""
        tab = self.arrive()
        tickets = [self._ticket() for _ in range(COOKIES)]
        while tab.screen.state in (*NOT_YET, *IN_LIST):
            for cookie, fan in tickets:
                self._take(tab, cookie, fan)
            self.think(0.5, 1.5)
        for cookie, fan in tickets:
            self._take(tab, cookie, fan)
        self.watch(tab)

    def _ticket(self) -> tuple[str, str]:
        self.client.cookiejar.clear()
        cookie = self.open_page()
        return cookie, self.who(cookie)

    def _take(self, tab: Tab, cookie: str, fan: str) -> None:
        press = wire.Hold(id=0, key=self.key(), pool=self.liked(tab), qty=1)
        hold = held(self.ask("hold", cookie, press, fan))
        if hold is None:
            return
        reply = self.ask("pay", cookie, wire.Pay(id=0, key=self.key(), holds=[hold.id]), fan)
        if isinstance(reply, wire.Done) and hold.id in reply.pay:
            self.at_provider(f"{str(self.host).rstrip('/')}{reply.pay[hold.id]}", "pay")
