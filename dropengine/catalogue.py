"""Every sentence that a fan reads, once: `sentences/<language>.toml`, for the server and for the
modules of the pages, which the build hands the same sentences.

A sentence is text with names in braces. One that depends on a number has a text for each plural
category of its language (CLDR), chosen by `{count}`; some stand together under one name, as
`phase.live`. All languages are complete: a test holds them to the first.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

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
_PLACE: Final = re.compile(r"\{([a-z_]+)\}")
_WISH: Final = re.compile(r"([A-Za-z]{2,3})(?:-[A-Za-z0-9-]*)?\s*(?:;\s*q=([0-9.]{1,5}))?")
WISHES_MAX: Final = 32
"""Of an `Accept-Language`: whoever sends more wishes for nothing that we have."""


class Catalogue:
    """The sentences of one language: `say("few_left", count=3)`, in templates also `say.take`."""

    def __init__(self, language: str) -> None:
        text = (files("dropengine") / "sentences" / f"{language}.toml").read_text(encoding="utf-8")
        self.language = language
        self.sentences: Mapping[str, Sentence] = MappingProxyType(tomllib.loads(text))
        self._category = PLURALS[language]

    def __getattr__(self, key: str) -> Sentence:
        try:
            return self.sentences[key]
        except KeyError:
            raise AttributeError(f"no sentence is called {key}") from None

    def __call__(self, key: str, **values: int | str | Markup) -> str:
        """The sentence, filled in: whole numbers as this language writes them. With a value that is
        markup it is markup too, and everything else in it is escaped."""
        text = self._text(key, values.get("count"))
        if any(isinstance(value, Markup) for value in values.values()):
            return Markup(_PLACE.sub(lambda m: escape(self._written(values[m[1]])), escape(text)))  # noqa: S704
        return _PLACE.sub(lambda m: self._written(values[m[1]]), text)

    def _text(self, key: str, count: int | str | None) -> str:
        name, _, part = key.partition(".")
        found = self.sentences[name]
        if part:
            return str(found[part])
        if isinstance(found, Mapping):
            assert isinstance(count, int), f"{key} needs a count"
            return str(found.get(self._category(count), found["other"]))
        return str(found)

    def _written(self, value: int | str) -> str:
        return self.whole(value) if isinstance(value, int) else value

    def reason(self, why: str) -> str:
        """Why a drop stopped: what the shop itself wrote in this language, what a maker wrote as it
        is."""
        known = {text: name for name, text in ENGLISH.sentences["stopped"].items()}
        return str(self.sentences["stopped"][known[why]]) if why in known else why

    def whole(self, value: int) -> str:
        """`1234567` -> `1,234,567`, as its readers group digits."""
        return f"{value:,}".replace(",", self._text("number.group", None))

    def script(self, name: str) -> str:
        """The file of a page's module that speaks this language: `fan.js`, `fan.de.js`."""
        stem, _, kind = name.rpartition(".")
        return name if self.language == DEFAULT else f"{stem}.{self.language}.{kind}"


CATALOGUES: Final[Mapping[str, Catalogue]] = MappingProxyType(
    {language: Catalogue(language) for language in LANGUAGES}
)
ENGLISH: Final = CATALOGUES[DEFAULT]


def is_plural(sentence: Sentence) -> bool:
    """Is it chosen by a count, or are these several that stand together?"""
    return isinstance(sentence, Mapping) and "other" in sentence and sentence.keys() <= CATEGORIES


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
    known = (one for one in (chosen, wished(accepts), otherwise) if one in LANGUAGES)
    return next(known, DEFAULT)
