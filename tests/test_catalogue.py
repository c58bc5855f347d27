"""The catalogue of sentences: complete in every language, all of it used, and nothing that a fan
reads beside it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import pytest
from markupsafe import Markup

import dropengine
from dropengine import outcomes, refusals
from dropengine.catalogue import (
    CATALOGUES,
    CATEGORIES,
    DEFAULT,
    ENGLISH,
    LANGUAGES,
    PLURALS,
    Catalogue,
    is_plural,
    spoken,
    wished,
)
from dropengine.model import snake
from hatch_build import ENGLISH_ONLY

PACKAGE = Path(dropengine.__file__).parent
SRC = PACKAGE / "web" / "src"
TEMPLATES = PACKAGE / "web" / "templates"
OTHERS = [language for language in LANGUAGES if language != DEFAULT]
PLACE = re.compile(r"\{([^}]*)\}")
NAME = re.compile(r"[a-z][a-z0-9_]*")
KEYWORDS = frozenset(
    {
        *("break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete"),
        *("do", "else", "enum", "export", "extends", "false", "finally", "for", "function", "if"),
        *("import", "in", "instanceof", "new", "null", "return", "super", "switch", "this"),
        *("throw", "true", "try", "typeof", "var", "void", "while", "with", "yield", "let"),
        *("static", "await"),
    }
)
"""No module can export one of these."""
PANEL = ("studio-", "rehearsal")
"""How the templates of the makers' panel begin, which speaks English."""


def texts(sentence: Any) -> dict[str, str]:
    """Every text of one key, by what it is called there."""
    if isinstance(sentence, dict):
        return sentence
    if isinstance(sentence, list):
        return {str(place): text for place, text in enumerate(sentence)}
    return {"": sentence}


# --- The languages among each other. ---


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_says_the_same_in_the_same_order(language: str) -> None:
    other = CATALOGUES[language].sentences
    assert [*other] == [*ENGLISH.sentences]
    for key, sentence in ENGLISH.sentences.items():
        if is_plural(sentence):
            assert is_plural(other[key]), key
        else:
            assert texts(other[key]).keys() == texts(sentence).keys(), key


@pytest.mark.parametrize("language", OTHERS)
def test_a_sentence_is_filled_with_the_same_in_every_language(language: str) -> None:
    def filled(sentence: Any) -> Any:
        places = {name: set(PLACE.findall(text)) for name, text in texts(sentence).items()}
        return set().union(*places.values()) if is_plural(sentence) else places

    other = CATALOGUES[language].sentences
    differ = {
        key: (filled(sentence), filled(other[key]))
        for key, sentence in ENGLISH.sentences.items()
        if filled(sentence) != filled(other[key])
    }
    assert differ == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_says_something_and_has_all_its_plurals(language: str) -> None:
    needed = {PLURALS[language](count) for count in range(200)}
    for key, sentence in CATALOGUES[language].sentences.items():
        assert NAME.fullmatch(key), key
        assert key not in KEYWORDS | vars(Catalogue).keys(), key
        for name, text in texts(sentence).items():
            assert text.strip() == text != "", key
            assert all(NAME.fullmatch(place) for place in PLACE.findall(text)), key
            assert not hasattr({}, name), f"{key}.{name} cannot be read in a template"
        if is_plural(sentence):
            assert sentence.keys() == needed, key
    assert needed <= CATEGORIES
    assert CATALOGUES[language].sentences["language"] == language


def test_every_refusal_that_a_fan_may_get_is_said_in_every_language() -> None:
    unions = (outcomes.PressOutcome,)
    fans = {one for union in unions for one in get_args(union) if issubclass(one, refusals.Refusal)}
    fans |= {refusals.BadMessage, refusals.SignIn, refusals.NotEligible}
    for kind in fans:
        assert ENGLISH(f"refused.{snake(kind.__name__)}") == kind.sentence
    listed = {snake(kind.__name__) for kind in refusals.Refusal.__subclasses__()}
    assert ENGLISH.sentences["refused"].keys() <= listed


# --- The catalogue and the code. ---


def fans_templates() -> list[Path]:
    """Those of pages that fans read."""
    return [path for path in sorted(TEMPLATES.iterdir()) if not path.name.startswith(PANEL)]


def fans_modules() -> list[Path]:
    """Those that a fan's page is bundled of."""
    found: set[Path] = set()
    todo = [
        path
        for path in SRC.glob("*.entry.js")
        if path.name.removesuffix(".entry.js") not in ENGLISH_ONLY
    ]
    while todo:
        path = todo.pop()
        found.add(path)
        names = re.findall(r'(?:from|import) "(\./[^"]+\.js)"', path.read_text())
        todo += [near for name in names if (near := (path.parent / name).resolve()) not in found]
    return sorted(found)


def sources() -> dict[Path, str]:
    """Everything that may say something."""
    found = [*PACKAGE.rglob("*.py"), *TEMPLATES.iterdir(), *SRC.rglob("*.js")]
    return {path: path.read_text() for path in found}


SAYS = re.compile(r"\bsay\.([a-z][a-z0-9_]*)(?:\.([a-z][a-z0-9_]*))?")
ASKS = re.compile(r"\b(?:say|ENGLISH)\(\s*f?\"([^\"]*)\"(?:[^()\"]*else\s*\"([^\"]*)\")?")
OF_CATALOGUE = frozenset(vars(Catalogue)) | {"language", "sentences"}


ELSEWHERE = frozenset({"cli", "terminal", "rehearsal", "fans", "processes", "loadtest"})
"""Where `say` is another word: what is written to a terminal."""


def asked() -> Iterator[tuple[str, str]]:
    """(file, key) of each sentence that is said, as far as it stands there in full."""
    for path, text in sources().items():
        if path.parent.name in ELSEWHERE:
            continue
        for first, part in SAYS.findall(text):
            if first in OF_CATALOGUE:
                continue
            grouped = part and not is_plural(ENGLISH.sentences.get(first))
            yield path.name, f"{first}.{part}" if grouped else first
        for names in ASKS.findall(text):
            yield from ((path.name, name) for name in names if name and "{" not in name)


def known(key: str) -> bool:
    name, _, part = key.partition(".")
    found = ENGLISH.sentences.get(name)
    return found is not None and (not part or part in texts(found))


def test_no_sentence_is_said_that_is_missing() -> None:
    assert [(file, key) for file, key in asked() if not known(key)] == []


def test_every_sentence_of_the_catalogue_is_said_somewhere() -> None:
    everything = "\n".join(sources().values())
    named = set(re.findall(r"""["']([a-z][a-z0-9_.]*)["']""", everything))
    named |= {key for _, key in asked()}
    # Whole groups, of which the code chooses one: `say.phase[state]`, f"refused.{code}", an import.
    whole = set(re.findall(r"\bsay\.([a-z][a-z0-9_]*)\b(?!\.[a-z])", everything))
    whole |= set(re.findall(r'f"([a-z][a-z0-9_]*)\.\{', everything))
    for names in re.findall(r'import \{([^}]*)\} from "#said"', everything):
        whole |= set(re.findall(r"\w+", names))
    unused = []
    for key, sentence in ENGLISH.sentences.items():
        if key in whole | named:
            continue
        parts = [""] if is_plural(sentence) else texts(sentence)
        names = {f"{key}.{part}" if part else key for part in parts}
        unused += sorted(names - named)
    assert unused == []


# --- Sentences that stand beside it. ---

WORDY = re.compile(r"[A-Za-z]{2,}[a-z',;:]* +[A-Za-z']+")
SHOWN = ("aria-label", "alt", "title", "placeholder", "content", "aria-description")


class Shown(HTMLParser):
    """What of a template a person would read, where no expression stands."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in ("script", "style")
        named = dict(attrs)
        if tag != "meta" or named.get("property") or named.get("name") == "description":
            self.texts += [value for name in SHOWN if (value := named.get(name))]

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.texts.append(data)


OPEN_GRAPH = frozenset({"website", "image/png", "/share.png", "summary_large_image"})
"""Words of a protocol."""


def literal(template: str) -> list[str]:
    """Words that a template says by itself."""
    # A page's kind is the class of its body.
    text = re.sub(r"{% block kind %}\w+{% endblock %}", "", template)
    text = re.sub(r"{#.*?#}", " ", text, flags=re.DOTALL)
    # Quotes within an expression would end the attribute that it stands in.
    text = re.sub(r"{%.*?%}|{{.*?}}", " ", text, flags=re.DOTALL)
    shown = Shown()
    shown.feed(text)
    told = [one.strip() for one in shown.texts if one.strip() not in OPEN_GRAPH]
    return [one for one in told if re.search(r"[A-Za-z]{2,}", one)]


@pytest.mark.parametrize("path", fans_templates(), ids=lambda path: path.name)
def test_a_fans_page_takes_its_sentences_from_the_catalogue(path: Path) -> None:
    assert literal(path.read_text()) == []


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """(kind, text) of each string and of each piece of a template in a module, without comments."""
    stack, begin, at = ["code"], 0, 0
    while at < len(text):
        two = text[at : at + 2]
        if stack[-1] == "template":
            if text[at] == "`" or two == "${":
                yield "template", text[begin:at]
                if text[at] == "`":
                    stack.pop()
                else:
                    stack.append("code")
                    at += 1
        elif two in ("//", "/*"):
            at = text.find(*(("\n", at) if two == "//" else ("*/", at))) % (len(text) + 1)
        elif text[at] == '"':
            end = at + 1
            while text[end] != '"':
                end += 2 if text[end] == "\\" else 1
            yield "string", text[at + 1 : end]
            at = end
        elif text[at] == "`":
            stack.append("template")
            begin = at + 1
        elif text[at] == "{":
            stack.append("code")
        elif text[at] == "}":
            stack.pop()
            begin = at + 1
        at += 1


TAG = re.compile(r"<[^>]*>?|^[^<>]*>")


def spoken_in_module(text: str) -> list[str]:
    """What of a module reads like words for people."""
    found = []
    for kind, piece in pieces(text):
        # A tag may begin in one piece and end in the next; its attributes are no text.
        shown = TAG.sub(" ", piece) if kind == "template" else piece
        found += re.findall(r'(?:aria-label|title|alt)="([^"]+)"', piece)
        found += [shown.strip()] if WORDY.search(shown) else []
    return found


FOR_MACHINES = frozenset(
    {
        "not a snapshot",  # what modules tell each other
        "drop-link, drop-stock, drop-buy, drop-yours, drop-news, drop-drawn",
    }
)


@pytest.mark.parametrize("path", fans_modules(), ids=lambda path: path.name)
def test_a_fans_module_takes_its_sentences_from_the_catalogue(path: Path) -> None:
    found = spoken_in_module(path.read_text())
    assert [one for one in found if one not in FOR_MACHINES] == []


FANS_DOORS = [
    *sorted(p for p in (PACKAGE / "doors").rglob("*.py") if p.parent.name != "studio"),
    *sorted((PACKAGE / "payments" / "local").glob("*.py")),
]
NOT_FANS = {
    **dict.fromkeys(("asyncapi", "openapi", "access"), "documents of doors, for programs"),
    **dict.fromkeys(("prometheus", "metrics", "metric_families", "health"), "for operators"),
    **dict.fromkeys(("connection_limits", "live_socket"), "to a connection that no page shows"),
    "rate_limit": "names of what was refused, for operators",
    "gate": "to programs of makers",
    **dict.fromkeys(("attempts", "book", "charges", "webhook_deliveries"), "SQL"),
    "intents": "SQL, and what the provider tells the shop",
}
"""Doors that no fan reads, and why."""
QUIET_CALLS = frozenset(
    {
        *("BadMessage", "Unproven", "Meta"),
        *("debug", "info", "warning", "error", "exception"),
        *("PlainTextResponse", "execute"),
    }
)
"""What is said to programs, operators and the log; no page of ours sends a bad message."""
PROTOCOL = re.compile(
    r"[A-Z][A-Za-z-]+(?:, [A-Z][A-Za-z-]+)*|.*(?:'self'|'none'|max-age|=).*"
    r"|(?:private|public), no-(?:store|cache)|PRODID:.*"
)
"""Headers and the like."""


def sentences_in(module: str) -> list[str]:
    """String constants of a module that read like sentences for people."""
    tree = ast.parse(module)
    quiet: set[int] = set()
    for node in ast.walk(tree):
        # Docstrings, and what stops the work.
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            quiet.add(id(node.value))
        elif isinstance(node, ast.Assert) and node.msg is not None:
            quiet |= {id(part) for part in ast.walk(node.msg)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in QUIET_CALLS or name.endswith("Error"):
                quiet |= {id(part) for part in ast.walk(node)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in quiet
        and WORDY.search(node.value)
        and not PROTOCOL.fullmatch(node.value)
    ]


@pytest.mark.parametrize(
    "path", [path for path in FANS_DOORS if path.stem not in NOT_FANS], ids=lambda p: p.name
)
def test_a_fans_door_takes_its_sentences_from_the_catalogue(path: Path) -> None:
    assert sentences_in(path.read_text()) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<p>Press here</p>", ["Press here"]),
        ('<p aria-label="Press here">{{ say.take }}</p>', ["Press here"]),
        ("{% if one %}Sold{% endif %}", ["Sold"]),
        ("<p>{{ say.take }} · {{ 1 }}</p>", []),
    ],
)
def test_the_net_of_templates_holds(text: str, found: list[str]) -> None:
    assert literal(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('const a = "Press here to hold.";', ["Press here to hold."]),
        ("html`<p>Press here ${one}</p>`", ["Press here"]),
        ('html`<p aria-label="Press here">${one}</p>`', ["Press here"]),
        ("html`<p class='one two'>${say.take}</p>`", []),
    ],
)
def test_the_net_of_modules_holds(text: str, found: list[str]) -> None:
    assert spoken_in_module(text) == found


def test_the_net_of_doors_holds() -> None:
    told = '"""A docstring of words."""\nA = "Nothing was changed here."\nlog.info("one two three")'
    assert sentences_in(told) == ["Nothing was changed here."]


# --- How sentences are filled. ---


def test_a_sentence_is_filled_with_numbers_as_people_write_them() -> None:
    assert ENGLISH("may_come_back", count=12_345) == "12,345 may come back"
    assert ENGLISH("few_left", count=1) == "Only 1 unit left to hold."
    assert ENGLISH("few_left", count=0) == "Only 0 units left to hold."
    assert CATALOGUES["de"]("may_come_back", count=12_345) == "12.345 können zurückkommen"


def test_what_a_maker_wrote_stays_text_in_a_sentence_with_markup() -> None:
    evil = "<script>{count}</script>"
    said = ENGLISH("questions_say", maker=Markup("<bdi>{}</bdi>").format(evil))
    assert "<bdi>&lt;script&gt;{count}&lt;/script&gt;</bdi>" in said
    assert isinstance(said, Markup)
    plain = ENGLISH("described", title=evil, maker="{title}", cap=1)
    assert plain.startswith("<script>{count}</script> by {title}:")
    assert not isinstance(plain, Markup)


# --- Whose language wins. ---


@pytest.mark.parametrize(
    ("accepts", "language"),
    [
        ("de-DE,de;q=0.9,en;q=0.8", "de"),
        ("en-US,en;q=0.9,de;q=0.8", "en"),
        ("fr-FR,fr;q=0.9,de;q=0.5,en;q=0.4", "de"),
        ("de;q=0.4, en;q=0.5", "en"),
        ("de;q=0", ""),
        ("DE-at", "de"),
        ("fr", ""),
        ("*", ""),
        ("", ""),
        ("deutsch", ""),
        ("de;q=9, en;q=.", ""),
        ("x," * 100_000 + "de", ""),
    ],
)
def test_a_browser_asks_for_a_language(accepts: str, language: str) -> None:
    assert wished(accepts) == language


def test_the_fans_choice_wins_then_his_browsers_then_the_drops() -> None:
    assert spoken("de", "en", "en") == "de"
    assert spoken("xx", "de", "en") == "de"
    assert spoken("", "fr", "de") == "de"
    assert spoken("", "fr", "fr") == DEFAULT
