"""What an answer to "why did I not get one?" is made of."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Code(StrEnum):
    """One of these is the reason. The first four are none: it is not over for him, or he got
    one."""

    BOUGHT = "bought"
    HOLDING = "holding"
    WAITING = "waiting"
    NOTHING_YET = "nothing_yet"

    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    PAID_LATE = "paid_late"
    PAID_WRONG = "paid_wrong"
    PAID_AFTER_END = "paid_after_end"
    CARD_LIMIT = "card_limit"
    NOT_PAID = "not_paid"
    NOT_BEGUN = "not_begun"
    GAVE_BACK = "gave_back"
    TURN_MISSED = "turn_missed"
    TURN_DECLINED = "turn_declined"
    TURNS_OVER = "turns_over"
    LEFT = "left"
    NOT_DRAWN = "not_drawn"
    NOT_REACHED = "not_reached"
    NOT_CALLED = "not_called"
    NOT_CONFIRMED = "not_confirmed"
    SHARE_USED = "share_used"
    NEVER_BEGAN = "never_began"


GOT_NONE = frozenset(Code) - {Code.BOUGHT, Code.HOLDING, Code.WAITING, Code.NOTHING_YET}
"""Codes that say why he got none, or none so far."""


class Help(StrEnum):
    """What helps: now, while the drop goes on, or the next time."""

    PRESS = "press"
    JOIN = "join"
    ENTER = "enter"
    PAY_BEFORE = "pay_before"
    BE_CALLED = "be_called"
    TICKET = "ticket"
    MORE_KINDS = "more_kinds"
    TELL_ME = "tell_me"


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event of the log that decided. `at`: of the true clock, ms. `mine`: his own, else the
    drop's. `hold`, `entry`: which of his, '' for none. `n`: an arrival."""

    seq: int
    at: int
    event: str
    mine: bool = False
    hold: str = ""
    entry: str = ""
    pool: str = ""
    qty: int = 0
    n: int = 0
    until: int = 0
    why: str = ""


class Reason(msgspec.Struct, frozen=True):
    """`over`: nothing can change it any more. `at`: when it was decided, by the true clock, ms; 0
    where nothing of his stands in the log. `figures`: by the names that `docs/protocol.md` gives
    each code. `chain`: the events that decided, in their order. `helps`: the best first. `seq`: how
    far the log was read."""

    code: Code
    over: bool
    at: int
    seq: int
    figures: dict[str, int]
    chain: list[Step]
    helps: list[Help]
