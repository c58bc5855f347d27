"""The templates of every language: what they say and how they write numbers is all that differs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import jinja2

from dropengine.catalogue import CATALOGUES, ENGLISH, LANGUAGES, Catalogue
from dropengine.countries import name_of
from dropengine.doors.page_formats import (
    bdi,
    in_words,
    machine,
    money,
    paragraphs,
    span,
)
from dropengine.manifest.moments import day_time, lately, moment

_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E"
    "%3Ccircle cx='16' cy='16' r='13' fill='%23e4572e'/%3E"
    "%3Ccircle cx='19' cy='14' r='10' fill='%2317181c'/%3E%3C/svg%3E"
)

Templates = Mapping[str, jinja2.Environment]
"""Language -> its templates."""


def templates() -> Templates:
    """Those of every language."""
    return {language: environment(say) for language, say in CATALOGUES.items()}


def environment(say: Catalogue = ENGLISH) -> jinja2.Environment:
    """Templates that escape everything and fail on a name that nobody gave them."""
    env = jinja2.Environment(
        loader=jinja2.PackageLoader("dropengine", "web/templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for in_language in (money, moment, lately, span, in_words):
        env.filters[in_language.__name__] = partial(in_language, say=say)
    env.filters["country"] = partial(name_of, language=say.language)
    env.filters["whole"] = say.whole
    env.filters["reason"] = say.reason
    env.filters["machine"] = machine
    env.filters["day_time"] = day_time
    env.filters["paragraphs"] = paragraphs
    env.filters["bdi"] = bdi
    env.globals["icon"] = _ICON
    env.globals["say"] = say
    env.globals["languages"] = LANGUAGES
    return env
