"""Where makers are paid by transfer. Nobody but them needs it, and those who pay them."""

from __future__ import annotations

import re
from typing import Final

import msgspec
from sqlalchemy import Connection, delete, insert, select

from dropengine import plain_text
from dropengine.sql.schema.by_hand import ACCOUNTS

NAME_CHARS_MAX: Final = 70
"""As banks write it into a transfer."""
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")


class BankAccount(msgspec.Struct, frozen=True):
    """`name`: whose it is. `iban`: without spaces. `bic`: or ''."""

    name: str
    iban: str
    bic: str

    @property
    def written(self) -> str:
        """The IBAN in groups of four, as people read it."""
        return " ".join(self.iban[at : at + 4] for at in range(0, len(self.iban), 4))


def read(name: str, iban: str, bic: str) -> BankAccount:
    """What somebody typed. Raises ValueError with a sentence for each mistake."""
    name = " ".join(name.split())
    iban, bic = (re.sub(r"[\s-]", "", text).upper() for text in (iban, bic))
    wrong = []
    if not name or len(name) > NAME_CHARS_MAX:
        wrong.append(f"The name of the account has 1 to {NAME_CHARS_MAX} characters.")
    elif why := plain_text.unfit(name):
        wrong.append(f"The name of the account {why}.")
    if not is_iban(iban):
        wrong.append("This is no IBAN: one of its characters is wrong, or some are missing.")
    if bic and not _BIC.fullmatch(bic):
        wrong.append("A BIC has 8 or 11 letters and digits. You may leave it out.")
    if wrong:
        raise ValueError(" ".join(wrong))
    return BankAccount(name, iban, bic)


def is_iban(iban: str) -> bool:
    """Does its checksum hold (ISO 7064, modulo 97)? A single wrong character breaks it."""
    if not _IBAN.fullmatch(iban):
        return False
    digits = "".join(str(int(letter, 36)) for letter in iban[4:] + iban[:4])
    return int(digits) % 97 == 1


def of(sql: Connection, maker: str) -> BankAccount | None:
    """Where a maker is paid; None where he has not said so."""
    row = sql.execute(select(ACCOUNTS).where(ACCOUNTS.c.maker == maker)).first()
    return None if row is None else BankAccount(row.name, row.iban, row.bic)


def keep(sql: Connection, maker: str, account: BankAccount | None, by: str, now_ms: int) -> None:
    """He is paid there from now on, or, with None, nowhere."""
    sql.execute(delete(ACCOUNTS).where(ACCOUNTS.c.maker == maker))
    if account is not None:
        row = msgspec.structs.asdict(account)
        sql.execute(insert(ACCOUNTS).values(row | {"maker": maker, "by_whom": by, "at_ms": now_ms}))
