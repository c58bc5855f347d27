"""Somebody who came to the drop's page: its cookie is who he is. Tabs, requests, the provider."""

from __future__ import annotations

import itertools
import time
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import gevent
import msgspec
from locust.contrib.fasthttp import FastHttpUser
from locust.exception import StopUser

from dropengine import wire
from dropengine.model import DropState
from dropengine.payments.local.page_address import PAGES
from dropengine.rehearsal.fans.ways import way_for
from loadtest.users.browser_session import BrowserSession
from loadtest.users.night import night, took
from loadtest.users.tab import Reply, Tab

PRESSES_MAX: Final = 8
"""Tries at a page that does not answer."""

VERIFIED: Final = b'"identity":"verified"'
"""In the state that the page of such a drop carries."""

ENTERS: Final = 0.9
"""So many of those who are there enter a list."""
NOT_YET: Final = (DropState.DRAFT, DropState.SCHEDULED)
IN_LIST: Final = (DropState.LOBBY, DropState.ORDERING)
SELLING: Final = (DropState.LIVE, DropState.SOLD_OUT)
OVER: Final = (DropState.SETTLED, DropState.CANCELLED, DropState.FROZEN)

_you: msgspec.json.Decoder[wire.You] = msgspec.json.Decoder(wire.You)


class Visitor(FastHttpUser):
    """Base of all kinds. draw: what decides for this one; number: in this process."""

    abstract = True

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.client = BrowserSession(
            self.host,
            environment.events.request,
            user=self,
            network_timeout=self.network_timeout,
            connection_timeout=self.connection_timeout,
        )
        self.number = next(night.numbers)
        self.draw = night.draw(self.number)
        self.tabs: list[Tab] = []
        self._keys = itertools.count(1)

    def on_stop(self) -> None:
        """Everybody goes home."""
        for tab in self.tabs:
            tab.close()

    def key(self) -> str:
        """A fresh key: a new command."""
        return f"k{self.number}.{next(self._keys)}.{self.draw.getrandbits(40):x}"

    def open_page(self) -> str:
        """Open the drop's page, again while it has no ticket for us; the cookie."""
        for attempt in range(PRESSES_MAX):
            page = self.client.get(f"/drops/{night.drop}", name="page")
            cookie = "; ".join(f"{one.name}={one.value}" for one in self.client.cookiejar)
            if page.status_code == 200 and cookie:
                known = VERIFIED in (page.content or b"")
                return f"{cookie}; {night.sign_in()}" if known else cookie
            if page.status_code == 404:
                break
            self.pause(attempt)
        raise StopUser(f"{self.host}/drops/{night.drop} does not let us in")

    def open_tab(self, cookie: str) -> Tab:
        """One more tab, once it shows the drop."""
        tab = Tab(self.environment, night, str(self.host).rstrip("/"), cookie, self.draw)
        self.tabs.append(tab)
        tab.until(lambda: tab.screen.drop is not None)
        return tab

    def arrive(self) -> Tab:
        """The page and its socket."""
        return self.open_tab(self.open_page())

    def pause(self, attempt: int) -> None:
        """Full jitter, base 1 s."""
        gevent.sleep(self.draw.uniform(0, min(30.0, 2.0**attempt)))

    def think(self, shortest_s: float, longest_s: float) -> None:
        """People look before they press."""
        gevent.sleep(self.draw.uniform(shortest_s, longest_s))

    def until_open(self, tab: Tab) -> None:
        """The countdown, and the time it takes to see that it is over; where chance gives out the
        arrivals, most enter the list, and wait until it has its order."""
        if tab.screen.state in NOT_YET:
            tab.until(lambda: tab.screen.state not in NOT_YET)
            gevent.sleep(min(self.draw.gammavariate(2.0, 0.18), 3.0))
        if tab.screen.state == DropState.LOBBY and self.draw.random() < ENTERS:
            nonce = f"{self.draw.getrandbits(128):032x}"
            pools = list(tab.screen.pools)[:4]
            tab.do(wire.Join(id=0, key=self.key(), pools=pools, qty=1, nonce=nonce))
        tab.until(lambda: tab.screen.state not in IN_LIST)

    def press(self, tab: Tab, *, pool: str = "") -> wire.HoldView | None:
        """Take what the line offers; else press for a pool, any one of those that are left. The
        hold."""
        for offer in holds(tab):
            if offer.origin == "line" and not offer.claimed:
                return held(tab.do(wire.Claim(id=0, key=self.key(), hold=offer.id)))
        command = wire.Hold(id=0, key=self.key(), pool=pool or self.liked(tab), qty=1)
        return held(tab.do(command))

    def liked(self, tab: Tab) -> str:
        """A pool that has something left, else any."""
        pools = tab.screen.pools
        return self.draw.choice([name for name, one in pools.items() if one.free] or list(pools))

    def pay(self, tab: Tab, hold: wire.HoldView, *, do: str = "pay", after_ms: int = 0) -> bool:
        """To the provider's page, and press there. False: it may not be paid, or not by us."""
        drop = tab.screen.drop
        way = way_for(drop, [hold.pool], self.draw.random()) if drop is not None else ""
        reply = tab.do(wire.Pay(id=0, key=self.key(), holds=[hold.id], way=way or ""))
        page = reply.pay.get(hold.id, "") if isinstance(reply, wire.Done) else ""
        if not page:
            return False
        return self.at_provider(urljoin(f"{self.host}/", page), do, after_ms)

    def at_provider(self, page: str, do: str, after_ms: int = 0) -> bool:
        """Press a button of the local provider's page; nobody else's: real money stays away."""
        if not urlsplit(page).path.startswith(PAGES):
            return False
        body = {"do": do, "after_ms": after_ms, "key": self.key()}
        for attempt in range(PRESSES_MAX):
            answer = self.client.post(
                page, json=body, name=f"provider {do}", headers={"Origin": str(self.host)}
            )
            if 0 < answer.status_code < 500 and answer.status_code != 429:
                return True
            self.pause(attempt)
        return False

    def until_gone(self, tab: Tab, hold: wire.HoldView) -> None:
        """Wait until a hold has ended, sold or not."""
        tab.until(lambda: all(one.id != hold.id for one in holds(tab)))

    def watch(self, tab: Tab) -> None:
        """Nothing more is wanted; the page stays open to the end."""
        tab.until(lambda: tab.screen.state in OVER)
        gevent.sleep(float("inf"))

    def ask(self, verb: str, cookie: str, command: wire.FanCommand, fan: str) -> Reply | None:
        """One command by HTTP, as a program would send it; None: unknown."""
        fields = msgspec.to_builtins(command)
        body = {name: value for name, value in fields.items() if name not in ("t", "id")}
        operation = night.history.invoke(night.drop, fan, command)
        begun_s = time.perf_counter()
        reply: Reply | None = None
        try:
            with self.client.post(
                f"/api/drops/{night.drop}/{verb}",
                json=body,
                headers={"Cookie": cookie, "Origin": str(self.host)},
                name=verb,
                catch_response=True,
            ) as answer:
                reply = read_reply(answer.status_code, answer.content or b"")
                if reply is not None:
                    answer.success()
                else:
                    answer.failure(f"{verb} was answered with {answer.status_code}")
        finally:
            if isinstance(reply, wire.Done):
                night.history.ok(operation, reply)
            elif reply is not None and reply.code not in ("away", "too_many_requests"):
                night.history.fail(operation, reply)
            else:
                night.history.info(operation)
        if isinstance(reply, wire.Refused):
            took(self.environment, f"{verb} {reply.code}", begun_s, kind="HTTP")
        return reply

    def who(self, cookie: str) -> str:
        """The fan's id, as the server says it; asked again while it does not."""
        for attempt in range(PRESSES_MAX):
            answer = self.client.get(
                f"/api/drops/{night.drop}/you", headers={"Cookie": cookie}, name="you"
            )
            if answer.status_code == 200:
                return _you.decode(answer.content).fan
            self.pause(attempt)
        raise StopUser(f"{self.host} does not say whose ticket this is")


def read_reply(status: int, body: bytes) -> Reply | None:
    """A command's answer by HTTP; None when the shop did not decide."""
    try:
        if status == 200:
            return msgspec.json.decode(body, type=wire.Done)
        problem = msgspec.json.decode(body)
        return wire.Refused(
            id=0,
            seq=0,
            code=problem["code"],
            text=problem["title"],
            retry_ms=problem.get("retry_ms"),
        )
    except (msgspec.MsgspecError, KeyError, TypeError):
        return None


def held(reply: Reply | None) -> wire.HoldView | None:
    """The hold that a command made."""
    return reply.hold if isinstance(reply, wire.Done) else None


def holds(tab: Tab) -> list[wire.HoldView]:
    """What the fan holds, as this tab shows it."""
    return [] if tab.screen.you is None else tab.screen.you.holds
