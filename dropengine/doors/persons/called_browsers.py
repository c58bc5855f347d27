"""The browsers that call a person, as he knows them, with what became of the last call to each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from dropengine.model import DropId
from dropengine.people import devices
from dropengine.push.of_person import Browser
from dropengine.push.outbox import Told


class Calls(msgspec.Struct, frozen=True):
    """Of one drop. `title`: its id where the shop has forgotten it."""

    drop: str
    title: str
    told: Told | None


class Called(msgspec.Struct, frozen=True):
    """One browser. `name`: `Safari, iPhone`, or '' where that is not known."""

    name: str
    drops: list[Calls]


def called(browsers: Iterable[Browser], titles: Mapping[DropId, str]) -> list[Called]:
    """Each browser once, with the drops that it calls him for."""
    found: dict[str, Called] = {}
    for one in browsers:
        name = devices.called(one.of.agent)
        here = found.setdefault(one.of.browser, Called(name, []))
        here.drops.append(Calls(one.of.drop, titles.get(one.of.drop, one.of.drop), one.told))
    return [*found.values()]
