"""Every sentence that a fan reads, once: `sentences/<language>.toml`, for the server and for the
modules of the pages, which the build hands the same sentences.

A sentence is text with names in braces. One that depends on a number has a text for each plural
category of its language (CLDR), chosen by `{count}`; some stand together under one name, as
`phase.live`. All languages are complete: a test holds them to the first.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup, escape

Sentence = Any
"""A text, several under one name, or a list of names: templates take them as they are."""

DEFAULT: Final = "en"
"""Complete by definition: what programs, makers and the command line read."""
LANGUAGES: Final[Mapping[str, str]] = MappingProxyType({"en": "English", "de": "Deutsch"})
"""Tag -> what its speakers call it."""
COOKIE: Final = "language"
"""Keeps the language that somebody chose."""
CATEGORIES: Final = frozenset({"zero", "one", "two", "few", "many", "other"})
"""CLDR's plural categories; each language uses some of them."""
PLURALS: Final[Mapping[str, Callable[[int], str]]] = MappingProxyType(
    dict.fromkeys(("en", "de"), lambda count: "one" if count == 1 else "other")
)
"""CLDR's cardinal rule of each language, for whole numbers. A new language writes its own here."""
_WISH: Final = re.compile(r"([A-Za-z]{2,3})(?:-[A-Za-z0-9-]*)?\s*(?:;\s*q=([0-9.]{1,5}))?")
WISHES_MAX: Final = 32
"""Of an `Accept-Language`: whoever sends more wishes for nothing that we have."""


class Catalogue:
    """The sentences of one language: `say("few_left", count=3)`, in templates also `say.take`."""

    language: str

    def __init__(self, language: str) -> None:
        text = (files("dropengine") / "sentences" / f"{language}.toml").read_text(encoding="utf-8")
        self.sentences: Mapping[str, Sentence] = MappingProxyType(tomllib.loads(text))
        self._texts = dict(_texts(self.sentences))
        self._category = PLURALS[language]
        self._group = str(self._texts["number.group"])
        # Pages say some sixty of them each: as attributes they are found without a call.
        vars(self).update(self.sentences)

    if TYPE_CHECKING:

        def __getattr__(self, key: str) -> Sentence: ...

    def __call__(self, key: str, **values: Any) -> str:
        """The sentence, filled in: whole numbers as this language writes them. With a value that is
        markup it is markup too, and everything else in it is escaped."""
        text: str | dict[str, str] = self._texts[key]
        if isinstance(text, dict):
            text = text.get(self._category(values["count"]), text["other"])
        marked = False
        for name, value in values.items():
            if isinstance(value, int):
                values[name] = self.whole(value)
            elif isinstance(value, Markup):
                marked = True
        if marked:
            return escape(text).format(**values)
        return text.format(**values) if values else text

    def whole(self, value: int) -> str:
        """`1234567` -> `1,234,567`, as its readers group digits."""
        return f"{value:,}".replace(",", self._group)

    def script(self, name: str) -> str:
        """The file of a page's module that speaks this language: `fan.js`, `fan.de.js`."""
        stem, _, kind = name.rpartition(".")
        return name if self.language == DEFAULT else f"{stem}.{self.language}.{kind}"

    def reason(self, why: str) -> str:
        """Why a drop stopped: what the shop itself wrote in this language, what a maker wrote as it
        is."""
        known = {text: name for name, text in ENGLISH.sentences["stopped"].items()}
        return str(self.sentences["stopped"][known[why]]) if why in known else why


def is_plural(sentence: Sentence) -> bool:
    """Is it chosen by a count, or are these several that stand together?"""
    return isinstance(sentence, Mapping) and "other" in sentence and sentence.keys() <= CATEGORIES


def _texts(sentences: Mapping[str, Sentence]) -> Iterator[tuple[str, Any]]:
    """Each by its full name, `phase.live`; one with plurals as they stand together."""
    for key, sentence in sentences.items():
        if isinstance(sentence, Mapping) and not is_plural(sentence):
            yield from ((f"{key}.{part}", text) for part, text in sentence.items())
        else:
            yield key, sentence


CATALOGUES: Final[Mapping[str, Catalogue]] = MappingProxyType(
    {language: Catalogue(language) for language in LANGUAGES}
)
ENGLISH: Final = CATALOGUES[DEFAULT]


def known(language: str) -> str:
    """The same where it is one of ours, else ''."""
    return language if language in LANGUAGES else ""


def wished(accepts: str) -> str:
    """The language of ours that an `Accept-Language` asks for before all others (RFC 9110, 12.5.4),
    or ''."""
    best, most = "", 0.0
    for wish in accepts.split(",", WISHES_MAX)[:WISHES_MAX]:
        found = _WISH.fullmatch(wish.strip())
        if found is None or found[1].lower() not in LANGUAGES:
            continue
        try:
            weight = float(found[2] or 1)
        except ValueError:
            continue
        if most < weight <= 1:
            best, most = found[1].lower(), weight
    return best


def spoken(chosen: str, accepts: str, otherwise: str) -> str:
    """The language for a reader: what he chose, else what his browser asks for, else the drop's or
    the shop's."""
    return known(chosen) or wished(accepts) or known(otherwise) or DEFAULT
