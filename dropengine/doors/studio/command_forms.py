"""What a person typed into the form of a command, as its fields; and what is wrong with it, beside
the field that it is about. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from dropengine import plain_text
from dropengine.creator_commands import (
    MESSAGE_CHARS_MAX,
    WHY_CHARS_MAX,
    Exempt,
    bounds,
    unfit,
)
from dropengine.doors.studio.following import SHOWN
from dropengine.doors.studio.standing import Standing
from dropengine.manifest.seal import opening_for
from dropengine.manifest.zones import in_zone, zone_of

TITLE_WRONG = "That is not the title of this drop. Type it as it stands above."
_NUMBER = re.compile(r"[0-9]{1,6}")
_NETWORK = dict(bounds(Exempt))["network"]

Typed = Mapping[str, str]


class Wrong(ValueError):
    """Something that was typed cannot be meant. field: where it stands."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.sentence = sentence


class Change(NamedTuple):
    """A number before and after."""

    name: str
    before: int
    after: int


def fields(verb: str, typed: Typed, s: Standing) -> dict[str, Any]:
    """The fields of the command. Raises Wrong."""
    return _READS[verb](typed, s) if verb in _READS else {}


def sure(verb: str, typed: Typed, s: Standing) -> None:
    """What cannot be taken back asks for the title. Raises Wrong."""
    if SHOWN[verb].grave and _same(typed.get("title", "")) != _same(s.manifest.title):
        raise Wrong("title", TITLE_WRONG)


def _same(title: str) -> str:
    """Thumbs type capitals and spaces where there are none."""
    return " ".join(title.split()).casefold()


def changes(verb: str, said: Mapping[str, Any], s: Standing) -> list[Change]:
    """The numbers that a command of units changes, before and after it."""
    if verb not in ("add", "withdraw"):
        return []
    row = next(row for row in s.view.pools if row.id == said["pool"])
    qty = said["qty"] if verb == "add" else -said["qty"]
    return [
        Change("left", row.free, row.free + qty),
        Change("withheld", row.withheld, row.withheld - qty),
    ]


def local(ms: int, zone: str) -> str:
    """A moment as a field of a form has it, in the drop's zone; '' for by hand."""
    at = in_zone(ms, zone) if ms else None
    return at.strftime("%Y-%m-%dT%H:%M") if at else ""


def moment_in(text: str, zone: str) -> int | None:
    """What a field for a time says, in the drop's zone; None for what is no time."""
    try:
        return round(datetime.fromisoformat(text).replace(tzinfo=zone_of(zone)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def _line(typed: Typed, name: str, most: int, least: int = 0) -> str:
    text = typed.get(name, "").strip()
    if not least <= len(text) <= most:
        raise Wrong(name, f"It may have {least or 'no'} to {most} characters.")
    if why := plain_text.unfit(text):
        raise Wrong(name, f"It {why}.")
    return text


def _why(typed: Typed, _: Standing) -> dict[str, Any]:
    return {"why": _line(typed, "why", WHY_CHARS_MAX)}


def _text(typed: Typed, _: Standing) -> dict[str, Any]:
    # A message is one line: what stands on several is joined.
    joined = {"text": " ".join(typed.get("text", "").split())}
    return {"text": _line(joined, "text", MESSAGE_CHARS_MAX, 1)}


def _units(what: str) -> Callable[[Typed, Standing], dict[str, Any]]:
    def read(typed: Typed, s: Standing) -> dict[str, Any]:
        pools = {row.id: row for row in s.view.pools}
        pool = next(iter(pools)) if len(pools) == 1 else typed.get("pool", "")
        if pool not in pools:
            raise Wrong("pool", "Choose which one.")
        text = typed.get("qty", "").strip()
        most = getattr(pools[pool], what)
        if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= most:
            rule = f"A whole number from 1 to {most:,}." if most else "There is none to move."
            raise Wrong("qty", rule)
        return {"pool": pool, "qty": int(text)}

    return read


def _network(typed: Typed, _: Standing) -> dict[str, Any]:
    name = typed.get("network", "").strip()
    if unfit(name, _NETWORK):
        raise Wrong("network", "Choose one on the night of the drop.")
    return {"network": name}


def _times(typed: Typed, s: Standing) -> dict[str, Any]:
    scheduled = s.view.state == "scheduled"
    opens = _moment(typed, "opens", s) if scheduled else s.view.opens_ms
    if s.view.state == "lobby":
        opens = _sealed(typed, s)
    closes = _moment(typed, "closes", s)
    # Of a drop that was opened by hand before its time the plan is of no account any more.
    if scheduled and opens and closes and closes <= opens:
        raise Wrong("closes", "It closes after it has opened.")
    if (opens, closes) == (s.view.opens_ms, s.view.closes_ms):
        raise Wrong("closes", "These are its times already.")
    return {"opens_ms": opens, "closes_ms": closes}


def _sealed(typed: Typed, s: Standing) -> int:
    """The opening by which an open list is sealed then."""
    m, was = s.manifest, s.view.entering.seals_ms
    seals_ms = _moment(typed, "seals", s)
    if not seals_ms or seals_ms == was:
        return s.view.opens_ms if seals_ms == was else 0
    return opening_for(m.mode, m.window_ms, seals_ms)


def _moment(typed: Typed, name: str, s: Standing) -> int:
    text = typed.get(name, "").strip()
    was: int = getattr(s.view.entering if name == "seals" else s.view, f"{name}_ms")
    later = typed.get("later", "") if name == "closes" else ""
    if later.isdecimal() and len(later) < 5:
        return max(was, s.view.now_ms) // 60_000 * 60_000 + int(later) * 60_000
    if not text:
        return 0
    # A time that was not touched stays exact.
    if text == local(was, s.manifest.zone):
        return was
    ms = moment_in(text, s.manifest.zone)
    if ms is None:
        raise Wrong(name, "A date and a time, as 2027-07-16 18:00.")
    at = datetime.fromisoformat(text).replace(tzinfo=zone_of(s.manifest.zone))
    if local(ms, s.manifest.zone) != at.strftime("%Y-%m-%dT%H:%M"):
        raise Wrong(name, "That night the clocks go forward: this time does not come.")
    if at.utcoffset() != at.replace(fold=1).utcoffset():
        raise Wrong(name, "That night the clocks go back: this time comes twice. Take another.")
    if ms <= s.view.now_ms:
        raise Wrong(name, "That is over already.")
    return ms


_READS: dict[str, Callable[[Typed, Standing], dict[str, Any]]] = {
    "pause": _why,
    "cancel": _why,
    "message": _text,
    "add": _units("withheld"),
    "withdraw": _units("free"),
    "reschedule": _times,
    "exempt": _network,
    "restrict": _network,
}
