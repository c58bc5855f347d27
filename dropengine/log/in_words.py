"""What happened, in words: a sentence for each event, as an operator reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from dropengine import events
from dropengine.manifest import Manifest
from dropengine.manifest.currencies import MINOR_DIGITS, money
from dropengine.model import GIVEN_BACK, OrderState

BY = {
    "clock": "the clock",
    "disk": "the watch over the disk",
    "durability": "the watch over what is saved",
}
"""Who is no person."""
FROZE = {
    "books": "its counts did not add up",
    "half": "a change was written only by half",
    "restore": "it was brought back from a backup",
}
"""Why a drop stands still."""
VOIDED = {
    "mismatch": "it was for another amount",
    "limit": "its card bought as many as one person may have",
    "second": "it was paid already",
    "late": "it came too late",
    "ended": "its hold had ended before",
}
"""Why a payment buys nothing."""
REMOVED = {
    "limit": "the orders leave no room for it",
    "merged": "its fan stands in line before it",
}
"""Why a place ends without its fan."""
MONEY_OF = {
    OrderState.CAPTURE_PENDING: "paid, the money is being collected",
    OrderState.CAPTURE_FAILED: "the money could not be collected in full",
    OrderState.DONE: "paid",
    OrderState.REFUND_PENDING: "refunded, the money is on its way back",
    OrderState.REFUNDED: "refunded",
    OrderState.REFUND_FAILED: "refunded, but the money did not go back",
    OrderState.CHARGED_BACK: "the provider took the money back",
}
"""Where an order and its money are."""
assert {*MONEY_OF} == {*OrderState} > {*GIVEN_BACK}


class Terms(Struct, frozen=True):
    """What events of one drop speak of. pools: id -> how people call it. operators: word -> name,
    as far as they are known."""

    pools: Mapping[str, str]
    currency: str
    operators: Mapping[str, str] = {}

    def who(self, by: str) -> str:
        """Who did it. Logs of older layouts have names."""
        return BY.get(by) or self.operators.get(by, by)

    def money(self, amount: int, currency: str = "") -> str:
        """Minor units of the drop's currency, or of the money's own."""
        kind = currency or self.currency
        return money(amount, kind, MINOR_DIGITS.get(kind, 2))

    def units(self, qty: int, pool: str) -> str:
        """`2 x Pin`."""
        return f"{qty} \N{MULTIPLICATION SIGN} {self.pools.get(pool, pool)}"


def terms(manifest: Manifest, operators: Mapping[str, str] | None = None) -> Terms:
    """Those of a drop. operators: word -> name; it may grow."""
    pools = {
        pool.id: item.title if len(item.pools) == 1 else f"{item.title} ({pool.id})"
        for item in manifest.items
        for pool in item.pools
    }
    return Terms(pools, manifest.currency, {} if operators is None else operators)


def serials(numbers: list[int]) -> str:
    """`No. 17`, `No. 17, 18`."""
    return f"No. {', '.join(map(str, numbers))}"


def told(event: events.AnyEvent, t: Terms) -> str:
    """The sentence about an event. What a person typed stands in it as it was typed."""
    return _SAYS[type(event)](event, t)


def _because(why: str) -> str:
    return f": {why}" if why else ""


def _ends(what: str) -> Callable[[Any, Terms], str]:
    return lambda e, t: f"{t.units(e.qty, e.pool)}: {what}"


def _says(what: str) -> Callable[[Any, Terms], str]:
    return lambda _, __: what


def _sale(e: events.Sale, t: Terms, how: str) -> str:
    return f"{how} {t.units(e.qty, e.pool)}, {serials(e.serials)}, {t.money(e.amount)}"


POINTS_OF = {
    "friend": "a friend came",
    "mission": "a mission was done",
    "collector": "of earlier drops",
    "taken_back": "some were taken back",
}


def _pointed(e: events.Pointed, _t: Terms) -> str:
    if e.why == "makegood":
        return "Paid too late and got nothing for it: stands above all points in the boost lane"
    return f"Has {e.points:,} {'point' if e.points == 1 else 'points'} now: {POINTS_OF[e.why]}"


def _discharged(e: events.Discharged, t: Terms) -> str:
    amount = t.money(e.amount)
    ends = {
        ("capture", "done"): f"{amount} collected",
        ("capture", "failed"): f"{amount} could not be collected",
        ("void", "done"): f"A payment of {amount} was let go",
        ("refund", "done"): f"{amount} went back",
        ("lookup", "done"): "The provider was asked about the payment",
    }
    known = ends.get((e.kind, e.result))
    if known is not None:
        return known
    how = {"by_hand": "done by hand", "given_up": "given up", "done": "done"}.get(
        e.result, e.result
    )
    return f"The {e.kind} of {amount} was {how} by {t.who(e.by)}{_because(e.why)}"


def _rescheduled(e: events.Rescheduled, t: Terms) -> str:
    parts = [
        f"{what} {'by hand' if not ms else 'by the clock'}"
        for what, ms in (("opens", e.opens_ms), ("closes", e.closes_ms))
    ]
    return f"{t.who(e.by)} set new times: {' and '.join(parts)}"


_SAYS: dict[type[events.Event], Callable[[Any, Terms], str]] = {
    events.Published: lambda e, t: f"{t.who(e.by)} published the drop",
    events.Lifted: _says("A newer version of the shop took the drop over"),
    events.LobbyOpened: lambda e, t: f"{t.who(e.by)} opened the list that chance will order",
    events.Sealed: lambda e, t: f"{t.who(e.by)} sealed the list, with {e.entries:,} in it",
    events.Rooted: lambda e, _: f"The list is fixed as {e.root[:16]}...",
    events.Revealed: _says("What the list is ordered by was revealed"),
    events.Ordered: lambda e, _: f"Chance gave out the places {e.n:,} to {e.n + len(e.ids) - 1:,}",
    events.Carried: lambda e, _: f"Carried over from the earlier drop: {e.n:,} places",
    events.Opened: lambda e, t: f"{t.who(e.by)} opened the drop",
    events.Widened: lambda e, t: f"{t.who(e.by)} opened the drop to all",
    events.Allotted: lambda e, _: f"The first round is over: {e.offers:,} offers",
    events.Paused: lambda e, t: f"{t.who(e.by)} paused the drop{_because(e.why)}",
    events.Resumed: lambda e, t: f"{t.who(e.by)} let the drop go on",
    events.Realigned: _says("The drop's own time was put right"),
    events.Thawed: lambda e, t: f"{t.who(e.by)} looked at the frozen drop, and it goes on",
    events.Added: lambda e, t: f"{t.who(e.by)} added {t.units(e.qty, e.pool)}",
    events.Withdrawn: lambda e, t: f"{t.who(e.by)} withdrew {t.units(e.qty, e.pool)}",
    events.Rescheduled: _rescheduled,
    events.Corrected: lambda e, t: f"{t.who(e.by)} corrected the words of the drop",
    events.Exempted: lambda e, t: f"{t.who(e.by)} lifted the limit for the network {e.network}",
    events.Restricted: lambda e, t: f"{t.who(e.by)} set the limit for the network {e.network}",
    events.Message: lambda e, t: f"{t.who(e.by)} told everybody: {e.text}",
    events.Closed: lambda e, t: f"{t.who(e.by)} closed the drop",
    events.Cancelled: lambda e, t: f"{t.who(e.by)} cancelled the drop{_because(e.why)}",
    events.Settled: _says("Nothing is held any more: the drop is over"),
    events.Calling: _says("The line calls: its hours have begun"),
    events.Quiet: _says("Quiet hours: the line calls nobody"),
    events.Frozen: lambda e, _: f"The drop stopped itself: {FROZE.get(e.why, e.why)}",
    events.Held: _ends("held by a press"),
    events.Claimed: _says("The offer was taken"),
    events.Extended: lambda e, _: (
        "More time, as the fan asked" if e.why == "fan" else "More time: the provider is silent"
    ),
    events.PaymentBegun: lambda e, t: (
        f"A payment of {t.money(e.amount)} began, for {len(e.holds)} "
        f"{'cart' if len(e.holds) == 1 else 'carts'}"
    ),
    events.Paying: _says("Pay was pressed"),
    events.Unpaying: _says("The payment is being taken back, the provider is asked to cancel it"),
    events.Asked: _says("The provider is asked to cancel the payment, or whether it was paid"),
    events.Unpaid: _says("The provider cancelled the payment: nobody paid"),
    events.Paid: lambda e, t: f"The payment was paid: {t.money(e.kept)} of it are kept",
    events.MoreTime: lambda e, t: f"{t.who(e.by)} gave the payment more time",
    events.Swapped: lambda e, t: f"{t.units(e.qty, e.pool)} swapped for {t.units(e.qty, e.to)}",
    events.Released: lambda e, t: (
        f"{t.units(e.qty, e.pool)}: "
        f"{'ended with the drop' if e.by == 'creator' else 'given back by the fan'}"
    ),
    events.Expired: _ends("not paid in time"),
    events.Sold: lambda e, t: _sale(e, t, "Sold"),
    events.Rescued: lambda e, t: _sale(e, t, "Sold by a late payment"),
    events.Voided: lambda e, t: (
        f"A payment of {t.money(e.amount, e.currency)} buys nothing: {VOIDED.get(e.why, e.why)}"
    ),
    events.Mismatched: lambda e, t: f"The provider collected another amount: {t.money(e.amount)}",
    events.Refunded: lambda e, t: (
        f"{'Ended with the drop' if e.by == 'creator' else f'{t.who(e.by)} refunded'}: "
        f"{t.units(e.qty, e.pool)}, {serials(e.serials)}, {t.money(e.amount)}{_because(e.why)}"
    ),
    events.Reduced: lambda e, t: (
        f"{t.who(e.by)} gave {t.money(e.amount)} back, its units stay{_because(e.why)}"
    ),
    events.CameBack: lambda e, t: (
        f"{t.who(e.by)}: {t.units(e.qty, e.pool)}, {serials(e.serials)}, came back in order"
    ),
    events.ChargedBack: lambda e, t: (
        f"The money of the payment was taken back after a dispute: {t.money(e.amount)}"
    ),
    events.Discharged: _discharged,
    events.Joined: lambda e, t: (
        f"Joined {f'the line as number {e.n}' if e.n else 'the list'}, for "
        f"{' or '.join(t.units(e.qty, pool) for pool in e.pools)}"
    ),
    events.Pointed: _pointed,
    events.Confirmed: _says("Still wants what the place is for, which was carried over"),
    events.Offered: lambda e, t: (
        f"{t.units(e.qty, e.pool)}: "
        f"{'called for by a press in quiet hours' if e.key else 'offered by the line'}"
    ),
    events.Declined: _ends("the offer was given back"),
    events.Lapsed: _ends("the offer was not taken in time"),
    events.Cooled: _says("Waits in the line again"),
    events.Served: _says("The place in the line was served"),
    events.Dormant: _says("The second turn was missed: the place in the line ended"),
    events.Left: _says("Left the line"),
    events.Removed: lambda e, _: (
        f"The place in the line ended: {REMOVED.get(e.why, 'the orders leave no room for it')}"
    ),
    events.Adopted: _says("A guest signed in: what he had is the person's"),
    events.Enrolled: lambda e, _: f"May buy early, as {' and '.join(e.cohorts)}",
    events.LimitFreed: _says("There is room in the limit again"),
}
