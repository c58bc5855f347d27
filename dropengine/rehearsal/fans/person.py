"""One simulated person, from the first look at the page to the last.

Lives out a `plans.Plan` and acts on what the screen shows: a refusal, an offer, a pause.
"""

from __future__ import annotations

import asyncio
import random
import time
from urllib.parse import urljoin

from dropengine import wire
from dropengine.model import DropState
from dropengine.rehearsal.fans import plans
from dropengine.rehearsal.fans.browser import Browser
from dropengine.rehearsal.fans.plans import Ending, OfferAnswer, Plan
from dropengine.rehearsal.fans.playing import Playing
from dropengine.rehearsal.fans.shared_client import SharedClient
from dropengine.rehearsal.fans.ways import way_for

MONEY_SLACK_MS = 3_000
"""A late payment's webhook is on its way for less than this, and its duty done."""
LOSSES_MAX = 2
"""Lost holds after which anybody gives up; so a run comes to its end."""

NOT_YET = (DropState.DRAFT, DropState.SCHEDULED)
NOT_YET_MINE = "not_eligible"
IN_LIST = (DropState.LOBBY, DropState.ORDERING)
OVER = (DropState.SETTLED, DropState.CANCELLED, DropState.FROZEN)


class Fan:
    """A plan, a browser, and what has become of the plan so far.

    seeks: wants to press or to join at the next chance.
    """

    def __init__(
        self, client: SharedClient, drop: str, plan: Plan, *, number: int, seed: int
    ) -> None:
        self._draw = random.Random(f"{seed}+{number}")
        self.browser = Browser(client, drop, number=number, draw=self._draw)
        self.screen = self.browser.screen
        self.drop = drop
        self.plan = plan
        self.playing: Playing | None = None
        """In a drop in which something gives points."""
        self.seeks = True
        self._part = plans.part(seed, number)
        self._bundle = plans.bundle(seed, number)
        self._thought_again = False
        self._plays = random.Random(f"{seed}/playing/{number}")
        self._client = client
        self._losses = 0
        self._offers = 0
        self._endings = 0
        self._let_go: set[str] = set()

    async def live(self, opens_ms: int) -> None:
        """Come, wait for the opening, buy or not, and watch until the crowd goes home."""
        plan = self.plan
        if plan.early_ms < 0:
            await self._client.opened.wait()
            await asyncio.sleep(-plan.early_ms / 1000)
        elif opens_ms:
            await asyncio.sleep(max(0.0, (opens_ms - plan.early_ms) / 1000 - time.time()))
        await self.browser.open_page()
        await self.browser.until(lambda: self.screen.drop is not None)
        await self._begin_to_play()
        if plan.impatient and self.screen.state in NOT_YET:
            # Refused and forgotten: being early earns nothing.
            await self.browser.do(self._hold(plan.pools[0]))
        await self.browser.until(lambda: self.screen.state not in NOT_YET)
        if plan.breaks_ms:
            self._client.start(self._lose_connection())
        await asyncio.sleep(plan.tap_ms / 1000)
        await self._shop()

    async def _begin_to_play(self) -> None:
        assert self.screen.drop is not None
        if self.screen.drop.game is None:
            return
        links, opened = self._client.links[self.drop], self._client.opened
        self.playing = Playing(self.browser, self._part, links, opened, self._plays)
        await self.playing.come()
        if self._part.plays:
            self._client.start(self.playing.do_missions())

    async def _shop(self) -> None:
        while self.screen.state not in OVER:
            hold = next((h for h in self._holds() if h.id not in self._let_go), None)
            if hold is not None and hold.origin == "line" and not hold.claimed:
                await self._answer(hold)
            elif hold is not None:
                await self._finish(hold)
            elif self.seeks and self.plan.joins and self.screen.state == DropState.LOBBY:
                self.seeks = False
                await self._enter()
            elif self.seeks and self.screen.state in (DropState.LIVE, DropState.SOLD_OUT):
                self.seeks = False
                await self._seek()
            else:
                await self.browser.change()

    async def _seek(self) -> None:
        """Press for each liked pool until one is granted; then stand in line for all of them."""
        plan = self.plan
        if self._bundle.basket and len(plan.pools) > 1 and await self._fill_basket():
            return
        for pool in plan.pools:
            command = self._hold(pool)
            presses = [self.browser.do(command)]
            if plan.twice:
                # A double click: one key, and one hold.
                presses.append(self.browser.do(command))
            replies = await asyncio.gather(*presses)
            holds = {r.hold.id for r in replies if isinstance(r, wire.Done) and r.hold is not None}
            if len(holds) > 1:
                self.browser.doubt(f"one key made {len(holds)} holds")
            if holds:
                return
            if self.screen.state == DropState.PAUSED:
                self.seeks = True
                return
            if any(isinstance(r, wire.Refused) and r.code == NOT_YET_MINE for r in replies):
                # Whoever is in no cohort comes back when the drop is open to all.
                await self.browser.until(lambda: not self.screen.early)
                self.seeks = True
                return
        if plan.joins and not self._entries():
            await self._join()

    async def _fill_basket(self) -> bool:
        """Press for several things at once; False: none of them is held."""
        assert self.screen.drop is not None
        liked = self.plan.pools[: self.screen.drop.limit]
        wants = [wire.Want([self._pool(place)], fewer=self.plan.fewer) for place in liked]
        command = wire.Basket(
            id=0, key=self.browser.key(), wants=wants, all=self._bundle.all and not self._losses
        )
        presses = [self.browser.do(command) for _ in range(2 if self.plan.twice else 1)]
        replies = await asyncio.gather(*presses)
        baskets = [r.basket for r in replies if isinstance(r, wire.Done) and r.basket is not None]
        made = {tuple(one.hold.id for one in basket.had) for basket in baskets if basket.had}
        if len(made) > 1:
            self.browser.doubt(f"one key made {len(made)} baskets")
        return bool(made)

    async def _enter(self) -> None:
        """Stand in the list that chance will order; a press earns nothing there. Who comes too late
        for it presses when the drop is open."""
        if self.plan.impatient:
            await self.browser.do(self._hold(self.plan.pools[0]))
        command = self._joining(nonce=self.browser.nonce())
        enters = [self.browser.do(command) for _ in range(2 if self.plan.twice else 1)]
        replies = await asyncio.gather(*enters)
        entries = {r.entry for r in replies if isinstance(r, wire.Done)}
        if len(entries) > 1:
            self.browser.doubt(f"one key made {len(entries)} places in the list")
        elif entries:
            self._stands(*entries)
        else:
            await self.browser.until(lambda: self.screen.state not in IN_LIST)
            self.seeks = True

    async def _join(self) -> None:
        """Stand in line; or hold at once what came back meanwhile."""
        reply = await self.browser.do(self._joining())
        if isinstance(reply, wire.Done) and reply.entry:
            self._stands(reply.entry)

    def _joining(self, nonce: str = "") -> wire.Join:
        pools = [self._pool(place) for place in self.plan.pools]
        qty = min(self._qty(pool) for pool in pools)
        return wire.Join(id=0, key=self.browser.key(), pools=pools, qty=qty, nonce=nonce)

    def _stands(self, entry: str) -> None:
        if self.plan.patience:
            self._client.start(self._lose_patience(entry))

    async def _lose_patience(self, entry: str) -> None:
        assert self.screen.drop is not None
        await asyncio.sleep(self.plan.patience * self.screen.drop.hold_ms / 1000)
        mine = next((e for e in self._entries() if e.id == entry), None)
        if mine is not None and mine.state == "waiting":
            await self.browser.do(wire.Leave(id=0, key=self.browser.key(), entry=entry))

    async def _answer(self, offer: wire.HoldView) -> None:
        """An offer: claim it, give it back, or let its window pass."""
        assert self.screen.drop is not None
        self._offers += 1
        answer = self.plan.answer if self._offers == 1 else OfferAnswer.CLAIM
        if answer is OfferAnswer.LAPSE:
            self._let_go.add(offer.id)
            return
        await asyncio.sleep(self.plan.answer_think * self.screen.drop.offer_ms / 1000)
        if answer is OfferAnswer.DECLINE:
            command: wire.FanCommand = wire.Release(id=0, key=self.browser.key(), hold=offer.id)
        else:
            command = wire.Claim(id=0, key=self.browser.key(), hold=offer.id)
        reply = await self.browser.do(command)
        if answer is OfferAnswer.DECLINE or not isinstance(reply, wire.Done):
            await self._until_gone(offer.id)
        elif not self._seen(reply.seq):
            await self.browser.until(lambda: self._seen(reply.seq))

    async def _finish(self, hold: wire.HoldView) -> None:
        """A hold: pay it in one of many ways, give it back, or forget it."""
        assert self.screen.drop is not None
        self._endings += 1
        ending = self.plan.ending if self._endings == 1 else Ending.PAY
        if self.plan.extends and not hold.extended:
            await self.browser.do(wire.Extend(id=0, key=self.browser.key(), hold=hold.id))
        if ending is Ending.LAPSE:
            self._let_go.add(hold.id)
            self._client.start(self._mourn(hold.id))
            return
        await asyncio.sleep(self.plan.think * self.screen.drop.hold_ms / 1000)
        if ending is Ending.RELEASE:
            await self.browser.do(wire.Release(id=0, key=self.browser.key(), hold=hold.id))
            await self._until_gone(hold.id)
            return
        if self.screen.drop.asks is not None:
            await self.browser.says(hold, self.screen.drop.asks)
        reply = await self.browser.do(self._paying(hold))
        if isinstance(reply, wire.Done) and hold.id in reply.pay:
            if await self._thinks_again(reply.payment, hold.id):
                return
            await self._pay(urljoin(self._client.base_url, reply.pay[hold.id]), ending, hold)
        await self._until_gone(hold.id)

    def _paying(self, hold: wire.HoldView) -> wire.Pay:
        """To pay this one, or with it all that he holds and one way takes."""
        drop = self.screen.drop
        assert drop is not None
        chosen, way = [hold], way_for(drop, [hold.pool], self._bundle.way)
        for other in self._holds() if self._bundle.together else ():
            idle = other.state == "active" and (other.claimed or other.origin != "line")
            if other.id == hold.id or not idle or other.id in self._let_go:
                continue
            shared = way_for(drop, [one.pool for one in (*chosen, other)], self._bundle.way)
            if shared is not None:
                chosen.append(other)
                way = shared
        holds = [one.id for one in chosen][: wire.LISTED_MAX]
        return wire.Pay(id=0, key=self.browser.key(), holds=holds, way=way or "")

    async def _thinks_again(self, payment: wire.PaymentView | None, hold: str) -> bool:
        """Give a payment up that was begun, once, to pay what it was for after all."""
        if not self._bundle.unpays or self._thought_again or payment is None:
            return False
        self._thought_again = True
        key = self.browser.key()
        await self.browser.do(wire.Unpay(id=0, key=key, payment=payment.id))
        await self.browser.until(
            lambda: all(one.id != hold or one.state == "active" for one in self._holds())
        )
        return True

    async def _pay(self, page: str, ending: Ending, hold: wire.HoldView) -> None:
        wait_ms = self._draw.randrange(100, 1_000)
        # The deadline that the provider was told may be a later one by now.
        told_ms = max((h.deadline_ms for h in self._holds() if h.id == hold.id), default=0)
        told_ms = max(told_ms, hold.deadline_ms)
        if ending in (Ending.LATE, Ending.SLOW):
            until_ms = max(time.time() * 1000, told_ms if ending is Ending.LATE else 0)
            self._client.money_ms = max(self._client.money_ms, until_ms + wait_ms + MONEY_SLACK_MS)
        match ending:
            case Ending.SLOW:
                await self.browser.at_provider(page, "delay", wait_ms)
            case Ending.DOUBLE:
                await self.browser.at_provider(page, "twice")
            case Ending.LATE:
                await self.browser.at_provider(page, "late", wait_ms)
            case Ending.DECLINED:
                await self.browser.at_provider(page, "decline")
                await asyncio.sleep(wait_ms / 1000)
                await self.browser.at_provider(page, "pay")
            case _:
                await self.browser.at_provider(page, "pay")

    async def _mourn(self, hold: str) -> None:
        await self.browser.until(lambda: all(h.id != hold for h in self._holds()))
        self._lost_one()

    async def _until_gone(self, hold: str) -> None:
        """Wait until the hold has ended, sold or not."""
        await self.browser.until(lambda: all(h.id != hold for h in self._holds()))
        if hold not in self.browser.orders:
            self._lost_one()

    def _lost_one(self) -> None:
        self._losses += 1
        self.seeks = self.plan.again and self._losses <= LOSSES_MAX and not self.browser.orders
        self.browser.wake()

    async def _lose_connection(self) -> None:
        await asyncio.sleep(self.plan.breaks_ms / 1000)
        if self.browser.socket is not None:
            self.browser.socket.cut()

    def _holds(self) -> list[wire.HoldView]:
        return [] if self.screen.you is None else self.screen.you.holds

    def _entries(self) -> list[wire.EntryView]:
        return [] if self.screen.you is None else self.screen.you.entries

    def _seen(self, seq: int) -> bool:
        return self.screen.you is not None and self.screen.you.seq >= seq

    def _pool(self, place: int) -> str:
        assert self.screen.drop is not None
        return list(self.screen.drop.pools)[place]

    def _qty(self, pool: str) -> int:
        """As many as planned, and no more than the drop sells to one person at once."""
        drop = self.screen.drop
        assert drop is not None
        item = next(item for item in drop.items if item.id == self.screen.pools[pool].item)
        return min(self.plan.qty, item.most, item.limit or drop.limit, drop.limit)

    def _hold(self, place: int) -> wire.Hold:
        pool = self._pool(place)
        return wire.Hold(
            id=0, key=self.browser.key(), pool=pool, qty=self._qty(pool), fewer=self.plan.fewer
        )
