"""Who may buy before a drop is open to all: the maker's list of addresses, his codes, and what was
bought or missed in his earlier drops.

Whoever comes is looked up when he comes, and his drop is told (`Store.enroll`): no press asks for
it. A code is bound to one person in one transaction. List and codes are gone when the drop is over;
who was enrolled stands in its log, as a fan.
"""

from __future__ import annotations

import re
import secrets
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, Select, Table, case, delete, func, insert, select, tuple_, update

from dropengine.manifest import Cohort
from dropengine.model import GIVEN_BACK, DropId
from dropengine.people import addresses, makers
from dropengine.people.addresses import AddressNames
from dropengine.people.persons import Person, Was
from dropengine.sql.schema.cohorts import ADDRESSES, CODES
from dropengine.sql.schema.ledger import DROPS, ENTRIES, ORDERS

ADDRESSES_MAX: Final = 100_000
"""Of one cohort."""
CODES_MAX: Final = 100_000
"""Of one drop."""
LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Of codes: none that is taken for another."""
CODE_CHARS: Final = 10
TYPED_CHARS_MAX: Final = 40
ERASED: Final = "-"
"""Stands for a person who erased himself: the code stays used."""
AT_ONCE: Final = 500


class Taken(NamedTuple):
    """What became of a list of addresses: how many are new and how many were there, the texts that
    are no addresses, and how many addresses found no room."""

    new: int
    known: int
    wrong: list[str]
    beyond: int = 0


class Counts(NamedTuple):
    """Of one cohort. `came`: of `listed`, who was enrolled; `used`: of `codes`."""

    listed: int = 0
    came: int = 0
    codes: int = 0
    used: int = 0


class CodesGone(NamedTuple):
    """Of codes that were to be struck: how many are no more, and how many stay, for somebody used
    them."""

    gone: int
    used: int


class Listed(NamedTuple):
    """An address. `came_ms`: when its owner was enrolled, 0 while he was not."""

    address: str
    came_ms: int


class Code(NamedTuple):
    """`used_ms`: when somebody used it first, 0 while nobody did."""

    code: str
    used_ms: int


def lines(text: str) -> list[str]:
    """A pasted list or a file: an address a line, or between commas, semicolons or spaces. What
    else stands beside an address, in a sheet's columns or as `Ana <ana@x.org>`, is not meant."""
    found: list[str] = []
    for line in text.splitlines():
        cells = [one for part in _PARTS.split(line) for one in _cells(part)]
        found += [one for one in cells if "@" in one] or [one for one in cells if one]
    return found


def _cells(text: str) -> list[str]:
    meant = _POINTED.findall(text) or [word for word in text.split() if "@" in word] or [text]
    return [one.strip().strip("<>\"'") for one in meant]


_PARTS: Final = re.compile("[,;\t]")
_POINTED: Final = re.compile(r"<([^<>]*@[^<>]*)>")


def as_text(sent: bytes) -> str | None:
    """A file of a list, as whichever program of tables wrote it; None for what is no text. Which
    old letters it means is no matter: addresses have none of them."""
    try:
        return sent.decode("utf-16" if sent[:2] in (BOM_UTF16_LE, BOM_UTF16_BE) else "utf-8-sig")
    except UnicodeDecodeError:
        return None if b"\0" in sent else sent.decode("latin-1")


def put(
    sql: Connection,
    names: AddressNames,
    drop: DropId,
    cohort: str,
    typed: Iterable[str],
    now_ms: int,
) -> Taken:
    """These addresses are on the list; a repeat is harmless. What is no address is told, and the
    rest is taken."""
    wrong: list[str] = []
    found: dict[str, str] = {}
    for text in typed:
        address = addresses.read(text)
        if address is None:
            wrong.append(text)
        else:
            found.setdefault(names.of(address), address.mail)
    known = _known(sql, drop, cohort, [*found])
    rows: list[dict[str, str | int]] = [
        {"drop_id": drop, "cohort": cohort, "normal": normal, "address": mail, "since_ms": now_ms}
        for normal, mail in found.items()
        if normal not in known
    ]
    fit = rows[: max(ADDRESSES_MAX - _count(sql, drop, cohort), 0)]
    for first in range(0, len(fit), AT_ONCE):
        sql.execute(insert(ADDRESSES), fit[first : first + AT_ONCE])
    return Taken(len(fit), len(known), wrong, len(rows) - len(fit))


FULL: Final = f"a list has at most {ADDRESSES_MAX:,} addresses."
STAY: Final = "Whoever came before stays in the cohort."
"""What strikes nobody, as its maker reads it."""


def strike(sql: Connection, drop: DropId, cohort: str) -> int:
    """Nobody is on the list any more; how many were. Who was enrolled stays so."""
    gone = delete(ADDRESSES).where(ADDRESSES.c.drop_id == drop, ADDRESSES.c.cohort == cohort)
    return int(sql.execute(gone).rowcount)


def make_codes(sql: Connection, drop: DropId, cohort: str, count: int, now_ms: int) -> list[str]:
    """New codes, each for one person; fewer where the drop has as many as it may."""
    made_before = sql.execute(select(func.count()).where(CODES.c.drop_id == drop)).scalar() or 0
    count = min(count, CODES_MAX - made_before)
    made = [
        "".join(secrets.choice(LETTERS) for _ in range(CODE_CHARS)) for _ in range(max(count, 0))
    ]
    rows = [{"drop_id": drop, "code": one, "cohort": cohort, "made_ms": now_ms} for one in made]
    for first in range(0, len(rows), AT_ONCE):
        sql.execute(insert(CODES), rows[first : first + AT_ONCE])
    return made


def strike_codes(sql: Connection, drop: DropId, cohort: str, typed: str = "") -> CodesGone:
    """All codes of a cohort that nobody used let nobody in any more, or this one. Who used one
    stays."""
    meant = [CODES.c.drop_id == drop, CODES.c.cohort == cohort]
    if typed:
        meant.append(CODES.c.code == _letters(typed))
    gone = sql.execute(delete(CODES).where(*meant, CODES.c.person == "")).rowcount
    used = sql.execute(select(func.count()).select_from(CODES).where(*meant)).scalar() or 0
    return CodesGone(int(gone), used)


def said_of_codes(struck: CodesGone, *, one: bool) -> str:
    """As its maker reads it. one: he named a code."""
    if one and not (struck.gone or struck.used):
        return "There is no such code in this cohort."
    if one:
        return "It lets nobody in any more." if struck.gone else "Somebody used it, and stays."
    codes = "1 code was" if struck.gone == 1 else f"{struck.gone:,} codes were"
    return f"{codes} struck. {STAY}"


def spelled(code: str) -> str:
    """`ABCDE-FGHJK`: as people read it."""
    return f"{code[: CODE_CHARS // 2]}-{code[CODE_CHARS // 2 :]}"


def bind(sql: Connection, drop: DropId, typed: str, person: Person, now_ms: int) -> str | None:
    """The cohort of a code, which is this person's from now on; '' of one that is another's, None
    of none. In one transaction that nobody else changes people in."""
    code = _letters(typed)
    one = (CODES.c.drop_id == drop, CODES.c.code == code)
    row = sql.execute(select(CODES.c.cohort, CODES.c.person).where(*one)).first()
    if row is None:
        return None
    if not row.person:
        bound = update(CODES).where(*one, CODES.c.person == "")
        sql.execute(bound.values(person=person.id, used_ms=now_ms))
    elif row.person != person.id:
        return ""
    return str(row.cohort)


def _letters(typed: str) -> str:
    """A code as it is kept."""
    return "".join(letter for letter in typed.upper() if letter in LETTERS)


def entitled(
    sql: Connection, drop: DropId, cohorts: Sequence[Cohort], person: Person, was: Was
) -> list[str]:
    """In which cohorts of a drop he is, as far as SQL knows."""
    listed = _column(sql, ADDRESSES.c.cohort, ADDRESSES, drop, ADDRESSES.c.normal == person.normal)
    by_code = _column(sql, CODES.c.cohort, CODES, drop, CODES.c.person == person.id)
    named = _earlier(sql, drop, {name for one in cohorts for name in (*one.bought, *one.missed)})
    bought = {named[DropId(one)] for one in bought_in(sql, person, was, {*named})}
    missed = {named[DropId(one)] for one in stood_in(sql, person, was, {*named})} - bought
    return [
        one.id
        for one in cohorts
        if (one.listed and one.id in listed)
        or (one.codes and one.id in by_code)
        or bought & {*one.bought}
        or missed & {*one.missed}
    ]


def came(sql: Connection, drop: DropId, person: Person, now_ms: int) -> None:
    """He was enrolled: his lines of the lists say since when."""
    mine = (ADDRESSES.c.drop_id == drop, ADDRESSES.c.normal == person.normal)
    sql.execute(update(ADDRESSES).where(*mine, ADDRESSES.c.came_ms == 0).values(came_ms=now_ms))


def counts(sql: Connection, drop: DropId) -> dict[str, Counts]:
    """Cohort -> how many are listed and came, how many codes there are and were used."""
    found: dict[str, Counts] = {}
    came_one = func.sum(case((ADDRESSES.c.came_ms > 0, 1), else_=0))
    asked = select(ADDRESSES.c.cohort, func.count(), came_one).where(ADDRESSES.c.drop_id == drop)
    for cohort, listed, enrolled in sql.execute(asked.group_by(ADDRESSES.c.cohort)):
        found[cohort] = Counts(listed=listed, came=int(enrolled))
    used_one = func.sum(case((CODES.c.used_ms > 0, 1), else_=0))
    asked = select(CODES.c.cohort, func.count(), used_one).where(CODES.c.drop_id == drop)
    for cohort, made, used in sql.execute(asked.group_by(CODES.c.cohort)):
        known = found.get(cohort, Counts())
        found[cohort] = known._replace(codes=made, used=int(used))
    return found


def listed(
    sql: Connection, drop: DropId, cohort: str, after: str = "", most: int = AT_ONCE
) -> list[Listed]:
    """The list of a cohort, by address, from behind one on."""
    asked = select(ADDRESSES.c.address, ADDRESSES.c.came_ms).where(
        *(ADDRESSES.c.drop_id == drop, ADDRESSES.c.cohort == cohort),
        ADDRESSES.c.address > after,
    )
    return [Listed(*row) for row in sql.execute(asked.order_by(ADDRESSES.c.address).limit(most))]


def codes(
    sql: Connection, drop: DropId, cohort: str, after: str = "", most: int = AT_ONCE
) -> list[Code]:
    """The codes of a cohort, from behind one on."""
    asked = select(CODES.c.code, CODES.c.used_ms).where(
        *(CODES.c.drop_id == drop, CODES.c.cohort == cohort), CODES.c.code > after
    )
    return [Code(*row) for row in sql.execute(asked.order_by(CODES.c.code).limit(most))]


def export(sql: Connection, person: Person) -> list[dict[str, object]]:
    """What is known of him here: on whose lists he stands, and which codes are his."""
    on_lists = select(ADDRESSES).where(ADDRESSES.c.normal == person.normal)
    his_codes = select(CODES).where(CODES.c.person == person.id)
    return [
        *(
            {"drop": row.drop_id, "cohort": row.cohort, "listed_as": row.address}
            for row in sql.execute(on_lists.order_by(ADDRESSES.c.drop_id, ADDRESSES.c.cohort))
        ),
        *(
            {"drop": row.drop_id, "cohort": row.cohort, "code": spelled(row.code)}
            for row in sql.execute(his_codes.order_by(CODES.c.drop_id, CODES.c.code))
        ),
    ]


def erase(sql: Connection, person: Person) -> None:
    """Nothing of him is left here; what he used is used."""
    sql.execute(delete(ADDRESSES).where(ADDRESSES.c.normal == person.normal))
    sql.execute(update(CODES).where(CODES.c.person == person.id).values(person=ERASED))


def any_over(sql: Connection) -> bool:
    """Is there a list or a code of a drop that is over?"""
    return any(
        sql.execute(select(table.c.drop_id).where(table.c.drop_id.in_(_over())).limit(1)).first()
        for table in (ADDRESSES, CODES)
    )


def forget_over(sql: Connection) -> None:
    """Lists and codes of drops that are over are needed no more."""
    for table in (ADDRESSES, CODES):
        sql.execute(delete(table).where(table.c.drop_id.in_(_over())))


def _over() -> Select[tuple[str]]:
    return select(DROPS.c.drop_id).where(DROPS.c.ended_ms > 0)


def _count(sql: Connection, drop: DropId, cohort: str) -> int:
    here = (ADDRESSES.c.drop_id == drop, ADDRESSES.c.cohort == cohort)
    return sql.execute(select(func.count()).where(*here)).scalar() or 0


def _known(sql: Connection, drop: DropId, cohort: str, normals: list[str]) -> set[str]:
    found: set[str] = set()
    for first in range(0, len(normals), AT_ONCE):
        asked = select(ADDRESSES.c.normal).where(
            *(ADDRESSES.c.drop_id == drop, ADDRESSES.c.cohort == cohort),
            ADDRESSES.c.normal.in_(normals[first : first + AT_ONCE]),
        )
        found |= set(sql.execute(asked).scalars())
    return found


def _column(sql: Connection, column: object, table: Table, drop: DropId, mine: object) -> set[str]:
    asked = select(column).where(table.c.drop_id == drop, mine)  # type: ignore[call-overload]
    return set(sql.execute(asked).scalars())


def _earlier(sql: Connection, drop: DropId, names: set[str]) -> dict[DropId, str]:
    """The drops that a maker means -> as his manifest calls them: his alone, so that nobody lets in
    whom another sold to; of several makers' each has its maker's short name before its own."""
    if not names:
        return {}
    maker = makers.by_id(sql, makers.owners_of(sql, [drop]).get(drop, ""))
    short = "" if maker is None else f"{maker.short}-"
    meant = {DropId(f"{short}{name}"): name for name in names} | {DropId(n): n for n in names}
    whose = makers.owners_of(sql, [*meant])
    return {one: name for one, name in meant.items() if maker is None or whose.get(one) == maker.id}


def bought_in(sql: Connection, person: Person, was: Was, drops: set[DropId]) -> set[str]:
    """Of these drops, those in which he bought and did not get his money back."""
    him = [(drop, person.fan(drop, was)) for drop in drops]
    asked = select(ORDERS.c.drop_id).where(
        tuple_(ORDERS.c.drop_id, ORDERS.c.fan).in_(him), ORDERS.c.state.not_in([*GIVEN_BACK])
    )
    return set(sql.execute(asked).scalars()) if him else set()


def stood_in(sql: Connection, person: Person, was: Was, drops: set[DropId]) -> set[str]:
    """Of these drops, those that are over in whose line he stood."""
    him = [(drop, person.fan(drop, was)) for drop in drops]
    asked = select(ENTRIES.c.drop_id).where(
        tuple_(ENTRIES.c.drop_id, ENTRIES.c.fan).in_(him), ENTRIES.c.drop_id.in_(_over())
    )
    return set(sql.execute(asked).scalars()) if him else set()
