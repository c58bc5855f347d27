"""Reads the tables of a TOML text that a person wrote, and notes each mistake with line and path.

Nothing is raised on the way: a value with a mistake is replaced by a harmless one, reading goes on,
and whoever reads refuses the whole at the end with all that was noted.
"""

from __future__ import annotations

import contextlib
import difflib
import re
import tomllib
from codecs import BOM_UTF8
from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from typing import Final

from dropengine import plain_text
from dropengine.manifest import toml_lines
from dropengine.manifest.amounts import amount, minor
from dropengine.manifest.toml_lines import Path
from dropengine.model import MOMENT_MS_MAX, MOMENT_MS_MIN

BYTES_MAX: Final = 131_072

DROP_ID_CHARS_MAX: Final = 32
ID: Final = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{DROP_ID_CHARS_MAX - 1}}}")
DIGEST: Final = re.compile(r"[0-9a-f]{64}")
ID_RULE: Final = f"must be 1 to {DROP_ID_CHARS_MAX} of a-z, 0-9 and '-', not starting with '-'"
HOUSE: Final = "house"
"""What the shop itself keeps at its server goes by this name."""

LENGTHS: Final = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}
"""The units of a length of time, and how many seconds one is."""
LENGTH_RULE: Final = 'whole seconds, or a length like "30 min", "2 h" or "1 day"'

_LENGTH = re.compile(r"([0-9]{1,9}) *(s|min|h|d)(?:ec(?:ond)?s?|ute?s?|ours?|ays?)?")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def fault_in_drop_id(drop: str) -> str:
    """Why a drop cannot go by this id; '' when it can."""
    if not ID.fullmatch(drop):
        return ID_RULE
    return f"must not be {HOUSE}: the shop keeps its own records under it" if drop == HOUSE else ""


def faults_in_text(text: str, most: int, *, paragraphs: bool) -> list[str]:
    """Why strangers may not read it, each the end of a sentence. most: characters."""
    long = f"must be at most {most} characters, and has {len(text)}" if len(text) > most else ""
    return [why for why in (long, plain_text.unfit(text, paragraphs=paragraphs)) if why]


def offsets(moment: datetime, zone: tzinfo) -> tuple[timedelta, timedelta]:
    """What a time in this zone may be written with at that moment: its own offset, or UTC's."""
    return moment.astimezone(zone).utcoffset() or timedelta(), timedelta()


def length_s(text: str) -> int | None:
    """`30 min` -> 1800; None for what is no length."""
    found = _LENGTH.fullmatch(text)
    return int(found[1]) * LENGTHS[found[2]] if found else None


def _clock(offset: timedelta) -> str:
    return datetime(2000, 1, 1, tzinfo=timezone(offset)).isoformat()[-6:]


SENSIBLE: Final = "must be in the years 2000 to 2199 of UTC"


def sensible(ms: int) -> bool:
    """May a drop open or close then?"""
    return MOMENT_MS_MIN <= ms <= MOMENT_MS_MAX


def moment_ms(value: object, zone: tzinfo | None = None) -> int:
    """A time with its offset, as text or as TOML has it -> ms since 1970. zone: where its offset
    must be one that people there have on that day, unless it is that of UTC. Raises ValueError with
    the end of a sentence."""
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        raise ValueError(f"must be a time like 2027-08-02T18:00:00+02:00, not {_kind(value)}")
    if value.tzinfo is None:
        raise ValueError("must say its offset from UTC, like +02:00 or Z")
    if value.microsecond % 1000:
        raise ValueError("must not be finer than a millisecond")
    ms = (value - _EPOCH) // timedelta(milliseconds=1)
    if not sensible(ms):
        raise ValueError(SENSIBLE)
    if zone is not None and value.utcoffset() not in (own := offsets(value, zone)):
        raise ValueError(f"must have the offset {_clock(own[0])} of the drop's zone then, or Z")
    return ms


class Notes:
    """The mistakes found so far. Each is said once, with the line that it speaks of."""

    def __init__(self, lines: dict[Path, int]) -> None:
        self._lines = lines
        self._found: list[tuple[int, str, str]] = []

    def add(self, path: Path, sentence: str) -> None:
        # What is missing has no line of its own: its table's is shown, else the first of the text.
        line = next((at for n in range(len(path), 0, -1) if (at := self._lines.get(path[:n]))), 1)
        self._found.append((line, _spell(path), sentence))

    def sentences(self) -> list[str]:
        """In the order of the lines."""
        found = sorted(self._found, key=lambda found: found[0])
        return [f"line {line}, {where}: {sentence}" for line, where, sentence in found]

    def fields(self) -> list[tuple[str, str]]:
        """By the path that each speaks of, for what has no lines."""
        return [(where, sentence) for _, where, sentence in self._found]


def _spell(path: Path) -> str:
    """`("items", 0, "price")` -> `items[0].price`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


class Table:
    """One table of the TOML: hands its values out and notes what is wrong with them.

    A value with a mistake is replaced by a harmless one so that reading goes on; `sound` tells the
    later checks which values they may compare, so that one mistake is not reported as two.
    """

    def __init__(self, raw: dict[str, object], path: Path, notes: Notes) -> None:
        self._raw = raw
        self._path = path
        self._notes = notes
        self._asked: list[str] = []
        self._bad: set[str] = set()

    def wrong(self, key: str, sentence: str) -> None:
        self._bad.add(key)
        self._notes.add((*self._path, key), sentence)

    def sound(self, *keys: str) -> bool:
        return self._bad.isdisjoint(keys)

    def has(self, key: str) -> bool:
        return key in self._raw

    def text(self, key: str, most: int, *, needed: bool = False, paragraphs: bool = False) -> str:
        """Characters <= `most` without spaces around; newlines only where there are paragraphs."""
        value = self._take(key, needed)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.wrong(key, f"must be text in quotes, not {_kind(value)}")
            return ""
        value = value.strip()
        if needed and not value:
            self.wrong(key, "must not be empty")
        for why in faults_in_text(value, most, paragraphs=paragraphs):
            self.wrong(key, why)
        return value

    def ident(self, key: str) -> str:
        value = self._take(key, needed=True)
        if value is None:
            return ""
        if not isinstance(value, str) or not ID.fullmatch(value):
            self.wrong(key, f"{ID_RULE}{_quoted(value)}")
            return ""
        return value

    def idents(self, key: str, most: int) -> tuple[str, ...]:
        """Ids in a list, each once; none where nothing is said."""
        value = self._take(key, needed=False)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.wrong(key, f"must be a list of ids in quotes, not {_kind(value)}")
            return ()
        for one in value:
            if not ID.fullmatch(one):
                self.wrong(key, f"{ID_RULE}{_quoted(one)}")
                return ()
        if not 1 <= len(value) <= most or len(set(value)) < len(value):
            self.wrong(key, f"must name 1 to {most}, each once")
            return ()
        return tuple(value)

    def words(self, key: str, known: Collection[str], what: str) -> tuple[str, ...]:
        """Known words in a list, each once; none where nothing is said."""
        value = self._take(key, needed=False)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.wrong(key, f"must be a list of texts in quotes, not {_kind(value)}")
            return ()
        for one in value:
            if one not in known:
                self.wrong(key, f"must be {what}{_quoted(one)}{nearest(one, known)}")
                return ()
        if not value or len(set(value)) < len(value):
            self.wrong(key, "must name at least one, each once")
            return ()
        return tuple(value)

    def money(self, key: str, digits: int, most: int) -> int:
        """An amount as people write it, `6.90` in quotes -> minor units; 0 where nothing is
        said."""
        value = self._take(key, needed=False)
        if value is None:
            return 0
        try:
            if not isinstance(value, str):
                raise ValueError(f'must be an amount in quotes like "{amount(690, digits)}"')
            found = minor(value.strip(), digits)
        except ValueError as fault:
            self.wrong(key, f"{fault}{_quoted(value)}")
            return 0
        if found > most:
            self.wrong(key, f"must be at most {amount(most, digits)}{_quoted(value)}")
            return 0
        return found

    def is_table(self, key: str) -> bool:
        return isinstance(self._raw.get(key), dict)

    def digest(self, key: str) -> str:
        """A SHA-256 as 64 hex digits in lower case."""
        value = self._take(key, needed=True)
        if value is not None and (not isinstance(value, str) or not DIGEST.fullmatch(value)):
            self.wrong(key, f"must be 64 hex digits{_quoted(value)}")
            return ""
        return str(value or "")

    def choice(self, key: str, known: Collection[str], default: str | None, what: str) -> str:
        value = self._take(key, needed=default is None)
        if value is None:
            return default or ""
        if not isinstance(value, str) or value not in known:
            near = nearest(value, known) if isinstance(value, str) else ""
            self.wrong(key, f"must be {what}{_quoted(value)}{near}")
            return default or ""
        return value

    def number(
        self, key: str, low: int, high: int, default: int | None = None, also: str = ""
    ) -> int:
        """`also`: what else to say to somebody who is out of bounds."""
        value = self._take(key, needed=default is None)
        if value is None:
            return low if default is None else default
        if isinstance(value, bool) or not isinstance(value, int):
            self.wrong(key, f"must be a whole number, not {_kind(value)}")
            return low
        return self._within(key, value, low, high, also)

    def seconds(self, key: str, low: int, high: int, default: int, also: str = "") -> int:
        """A length of time: whole seconds, or a text like `30 min`."""
        value = self._take(key, needed=False)
        if value is None:
            return default
        found = length_s(value) if isinstance(value, str) else value
        if isinstance(found, bool) or not isinstance(found, int):
            self.wrong(key, f"must be {LENGTH_RULE}{_quoted(value)}")
            return low
        return self._within(key, found, low, high, also)

    def _within(self, key: str, value: int, low: int, high: int, also: str) -> int:
        if low <= value <= high:
            return value
        self.wrong(key, f"must be {low} to {high}, not {short(value)}{also}")
        return low

    def flag(self, key: str) -> bool:
        value = self._take(key, needed=False)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.wrong(key, f"must be true or false, not {_kind(value)}")
        return False

    def moment(self, key: str, zone: tzinfo | None) -> int:
        """A time with its offset -> ms since 1970; 0 where none is given. zone: where its offset
        must be one that people there have on that day, unless it is that of UTC."""
        value = self._take(key, needed=False)
        if value is None:
            return 0
        try:
            return moment_ms(value, zone)
        except ValueError as fault:
            self.wrong(key, str(fault))
            return 0

    def table(self, key: str) -> Table | None:
        """The table of this name; None where there is none."""
        value = self._take(key, needed=False)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.wrong(key, f"must be a table that begins with [{_header(self._path, key)}]")
            return None
        return Table(value, (*self._path, key), self._notes)

    def clock(self, key: str, default: str) -> int:
        """A time of day, `08:00` -> ms since midnight."""
        value = self._take(key, needed=False)
        if isinstance(value, time):
            value = value.isoformat("auto" if value.second or value.microsecond else "minutes")
        text = default if value is None else value
        found = _CLOCK.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            self.wrong(key, f"must be a time of day like {default}{_quoted(value)}")
            return 0
        return (int(found[1]) * 60 + int(found[2])) * 60_000

    def tables(self, key: str, most: int, *, needed: bool = False) -> list[Table]:
        value = self._take(key, needed)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(member, dict) for member in value):
            self.wrong(key, f"must be tables that each begin with [[{_header(self._path, key)}]]")
            return []
        if not 1 <= len(value) <= most:
            self.wrong(key, f"must be 1 to {most}, not {len(value)}")
        return [
            Table(member, (*self._path, key, position), self._notes)
            for position, member in enumerate(value[:most])
        ]

    def close(self) -> None:
        """Every key that nobody asked for is a mistake: a misspelt limit must not pass for none."""
        for key in self._raw:
            if key not in self._asked:
                self.wrong(key, f"is not known here{nearest(key, self._asked)}")

    def _take(self, key: str, needed: bool) -> object:
        self._asked.append(key)
        value = self._raw.get(key)
        if value is None and needed:
            self.wrong(key, "is missing")
        return value


def _kind(value: object) -> str:
    if isinstance(value, str):
        return f"text ({short(value)})"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return short(value)
    if isinstance(value, list):
        return "a list"
    return "a table" if isinstance(value, dict) else "a date or a time"


def short(value: object) -> str:
    """At most 40 characters of ASCII to show what came: a report must not carry strange text on."""
    text = ascii(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _quoted(value: object) -> str:
    return f", not {short(value) if isinstance(value, str) else _kind(value)}"


def nearest(word: str, known: Collection[str]) -> str:
    """`; did you mean ...?` for a slip of the finger or of the shift key, else ''."""
    near = difflib.get_close_matches(word[:40], known, n=1) or difflib.get_close_matches(
        word[:40].lower(), [name.lower() for name in known], n=1
    )
    found = next((name for name in known if near and name.lower() == near[0].lower()), "")
    return f"; did you mean {found}?" if found else ""


def _header(path: Path, key: str) -> str:
    return ".".join([part for part in path if isinstance(part, str)] + [key])


def read(text: bytes) -> tuple[Table, Notes]:
    """TOML of at most `BYTES_MAX` bytes -> its top table, and where mistakes in it are noted.

    Raises ValueError with one sentence for what is not TOML: nothing more can be shown then.
    """
    decoded, raw = _values(text)
    notes = Notes(toml_lines.lines(decoded))
    return Table(raw, (), notes), notes


_TWICE = re.compile("Cannot (overwrite|declare|mutate)|Duplicate inline table key '(.*)'")
"""What `tomllib` says of a key that was there before."""
_KEY = re.compile(r"\s*(?:\[+\s*([^\]#\n]+?)\s*\]|([^=\[\]{}#\n]+?)\s*=)")


def _key_before(decoded: str, line: int, what: str) -> str:
    """The key that a mistake is about, which begins at its line, or above it with a long value."""
    inline = _TWICE.match(what)
    if inline is not None and inline[2]:
        return short(inline[2])
    for text in reversed(decoded.splitlines()[:line]):
        if found := _KEY.match(text):
            return short(found[1] or found[2])
    return "a key"


def given(values: dict[str, object]) -> tuple[Table, Notes]:
    """The same of values that come from no file."""
    notes = Notes({})
    return Table(values, (), notes), notes


def _values(text: bytes) -> tuple[str, dict[str, object]]:
    if len(text) > BYTES_MAX:
        raise ValueError(f"this file may have at most {BYTES_MAX} bytes, and has {len(text)}")
    try:
        # Some editors begin a file with a byte order mark, which says nothing about UTF-8.
        decoded = text.removeprefix(BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {line}: this is not UTF-8 text") from None
    try:
        return decoded, tomllib.loads(decoded)
    except tomllib.TOMLDecodeError as error:
        what, _, where = str(error).partition(" (at ")
        found = re.match(r"line (\d+)", where)
        line = int(found.group(1)) if found else decoded.count("\n") + 1
        if _TWICE.match(what):
            what = f"{_key_before(decoded, line, what)} is given twice ({what})"
        raise ValueError(f"line {line}: this is not TOML: {what}") from None
    except (ValueError, RecursionError):
        # tomllib lets two faults of Python itself through: endless digits and endless nesting.
        raise ValueError("this is not TOML: a number too long or brackets too deep") from None
