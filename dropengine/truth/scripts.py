"""The Lua scripts of `lua/`: found, spliced, named by their SHA-1.

A script or a piece names what it uses on lines `--#use a b`; each piece of `lua/lib/` is spliced
in once, what it uses before it. The first line of a script stays first: it declares the engine and
its rules. The names of fields become their numbers: a name is looked up at each use.
"""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec

_USE = "--#use "
_FIELDS = "fields"
_NAMES = re.compile(r"^local ([A-Z_,\s]+?) = ([\d,\s]+)$", re.MULTILINE)


class Script(msgspec.Struct, frozen=True):
    """`text`: what the server runs. `sha`: its name there."""

    verb: str
    text: str
    sha: str


def folder() -> Traversable:
    """Where the scripts lie: the same in a checkout, an editable install and a wheel."""
    return files("dropengine") / "lua"


def _without_header(text: str) -> str:
    """The body of a piece: its header is for readers of the file, not for the server's memory."""
    if text.startswith("--[["):
        return text.split("--]]", 1)[1]
    return text


def splice(verb: str, pieces: dict[str, str], source: str) -> str:
    """The text of `source` with all pieces it uses, each once, before the first line that uses
    them.

    pieces: name -> text of every file in `lua/lib/`. Raises KeyError for a piece that does not
    exist.
    """
    done: list[str] = []
    out: list[str] = []

    def add(name: str, open_: tuple[str, ...]) -> None:
        assert name not in open_, f"lua/lib/{name}.lua uses itself: {' -> '.join((*open_, name))}"
        if name in done:
            return
        body = _without_header(pieces[name])
        for used in uses(body):
            add(used, (*open_, name))
        done.append(name)
        if name != _FIELDS:
            out.append(_strip_uses(body).strip())

    for name in uses(source):
        add(name, (verb,))
    head, _, rest = source.partition("\n")
    text = head + "\n" + "\n\n".join(out) + "\n" + _strip_uses(_without_header(rest))
    numbers = _numbers(pieces[_FIELDS]) if _FIELDS in done else {}
    return re.sub(r"\b[A-Z]_[A-Z_]+\b", lambda word: numbers.get(word[0], word[0]), text)


def _numbers(fields: str) -> dict[str, str]:
    """Name of a field -> its place in a record."""
    return {
        name.strip(): number.strip()
        for names, numbers in _NAMES.findall(fields)
        for name, number in zip(names.split(","), numbers.split(","), strict=True)
    }


def uses(text: str) -> list[str]:
    """The pieces that a text names, in its order."""
    return [
        name
        for line in text.splitlines()
        if line.startswith(_USE)
        for name in line.removeprefix(_USE).split()
    ]


def _strip_uses(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith(_USE)) + "\n"


def _sha(text: str) -> str:
    # The name that the server itself gives a script; nothing is protected by it.
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def load(change: dict[str, str] | None = None) -> dict[str, Script]:
    """Every script by its verb. `change` replaces the text of files by their name
    (`lib/hold.lua`)."""
    change = change or {}
    root = folder()
    pieces = {
        f.name.removesuffix(".lua"): change.get(f"lib/{f.name}", f.read_text(encoding="utf-8"))
        for f in (root / "lib").iterdir()
        if f.name.endswith(".lua")
    }
    scripts = {}
    for f in root.iterdir():
        if f.name.endswith(".lua"):
            verb = f.name.removesuffix(".lua")
            source = change.get(f.name, f.read_text(encoding="utf-8"))
            text = splice(verb, pieces, source)
            scripts[verb] = Script(verb, text, _sha(text))
    return scripts
