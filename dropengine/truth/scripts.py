"""The Lua scripts of `lua/`: found, spliced, named by their SHA-1.

Each folder of `lua/` is a subject; a file that begins with `#!lua` is a script, the others are
pieces of scripts. A script or a piece names what it uses on lines `--#use a b`, wherever that lies;
each piece is spliced in once, what it uses before it. The first line of a script stays first: it
declares the engine and its rules. Names of records and their fields become places
(`record_layouts`), and the bounds of creators' commands become checks (`command_checks`). Lua lets
a script have 200 locals at a time: what only a piece itself needs lives in a block of its own, and
so do the pieces that it alone uses.
"""

from __future__ import annotations

import functools
import hashlib
import re
from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec

from dropengine.truth import command_checks, record_layouts

_USE = "--#use "
_SCRIPT = "#!lua"
_LOCAL = re.compile(r"^local (?:function )?(\w+(?:, \w+)*)", re.MULTILINE)
_COMMENT = re.compile(r"--\[\[.*?--\]\]|--[^\n]*", re.DOTALL)
_TEXT = re.compile(r"'[^'\n]*'")
_FIELD = re.compile(r"(?<!\.)\.[A-Za-z_]\w*")
_WORD = re.compile(r"[A-Za-z_]\w*")


class Script(msgspec.Struct, frozen=True):
    """`text`: what the server runs. `sha`: its name there."""

    verb: str
    text: str
    sha: str


def folder() -> Traversable:
    """Where the scripts lie: the same in a checkout, an editable install and a wheel."""
    return files("dropengine") / "lua"


def sources() -> dict[str, str]:
    """Every Lua file: `line/lapse.lua` -> its text."""
    return {
        f"{subject.name}/{file.name}": file.read_text(encoding="utf-8")
        for subject in folder().iterdir()
        if subject.is_dir()
        for file in subject.iterdir()
        if file.name.endswith(".lua")
    }


def name_of(path: str) -> str:
    """`line/lapse.lua` -> `lapse`."""
    return path.rpartition("/")[2].removesuffix(".lua")


def is_script(text: str) -> bool:
    """Is this the text of a script, not of a piece?"""
    return text.startswith(_SCRIPT)


def _without_header(text: str) -> str:
    """The body of a piece: its header is for readers of the file, not for the server's memory."""
    if text.startswith("--[["):
        return text.split("--]]", 1)[1]
    return text


def splice(verb: str, pieces: dict[str, str], source: str) -> str:
    """The text of `source` with all pieces it uses, each once, before the first line that uses
    them.

    pieces: name -> text. Raises KeyError for a piece that does not exist.
    """
    done: dict[str, str] = {}
    users: dict[str, list[str]] = {}

    def add(name: str, open_: tuple[str, ...]) -> None:
        assert name not in open_, f"{name}.lua uses itself: {' -> '.join((*open_, name))}"
        users.setdefault(name, []).append(open_[-1])
        if name in done:
            return
        body = _without_header(pieces[name])
        for used in uses(body):
            add(used, (*open_, name))
        done[name] = _strip_uses(body).strip()

    for name in uses(source):
        add(name, (verb,))
    head, _, rest = source.partition("\n")
    rest = _strip_uses(_without_header(rest))
    return head + "\n" + "\n\n".join(_in_blocks(done, users, verb, rest)) + "\n" + rest


def _in_blocks(
    pieces: dict[str, str], users: dict[str, list[str]], verb: str, source: str
) -> list[str]:
    """The texts of pieces in their order, each with what nobody else names hidden in a block; there
    stand also the pieces that it alone uses. users: of each, who uses it."""
    said: dict[str, set[str]] = {}
    for name, text in (*pieces.items(), (verb, source)):
        for word in _words(text) - (frozenset() if name == verb else _locals(text)):
            said.setdefault(word, set()).add(name)
    alone = {
        name: by[0]
        for name, by in users.items()
        if {*by} == {by[0]} != {verb}
        and all(said.get(one, set()) <= {by[0]} for one in _locals(pieces[name]))
    }
    inside: dict[str, list[str]] = {}
    out = []
    for name, text in pieces.items():
        own = _locals(text)
        told = {one for one in own if one == name or one in said}
        nested = inside.pop(name, [])
        blocked = _in_block(text, told, nested) if nested or told != own else text
        if blocked is None:
            blocked = "\n\n".join([*nested, text])
        if name in alone:
            inside.setdefault(alone[name], []).append(blocked)
        else:
            out.append(blocked)
    return out


@functools.cache
def _words(text: str) -> frozenset[str]:
    """What a piece names, but in its comments and texts, and as a field."""
    plain = _FIELD.sub("", _TEXT.sub("", _COMMENT.sub("", text)))
    return frozenset(_WORD.findall(plain))


@functools.cache
def _locals(text: str) -> frozenset[str]:
    """What stands beside a piece's function, and that function, by their names."""
    found = _LOCAL.findall(_COMMENT.sub("", text))
    return frozenset(name for names in found for name in names.split(", "))


def _in_block(text: str, told: set[str], nested: list[str]) -> str | None:
    """A piece with those of its locals alone that are told to others, and other pieces hidden in
    it; None where they cannot be parted."""
    names = [found for found in _LOCAL.findall(text) if set(found.split(", ")) <= told]
    if not told or {one for found in names for one in found.split(", ")} != told:
        return None
    for found in names:
        text = re.sub(rf"^local function {found}\(", f"function {found}(", text, flags=re.MULTILINE)
        text = re.sub(rf"^local {found} =", f"{found} =", text, flags=re.MULTILINE)
    body = "\n\n".join([*nested, text])
    return f"local {', '.join(names)}\ndo\n{body}\nend"


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
    """Every script by its verb. `change` replaces the text of files by their path
    (`fan/hold.lua`)."""
    if not change:
        return {**_shipped()}
    texts = sources()
    for path, text in change.items():
        assert path in texts, f"lua/{path}: there is no such file"
        texts[path] = text
    return put_together(texts)


@functools.cache
def _shipped() -> dict[str, Script]:
    # Put together once a process: it takes longer than all else that a store is made of.
    return put_together(sources())


def made_pieces() -> dict[str, str]:
    """The pieces that are made when the scripts are loaded and are no files: name -> text."""
    return {**record_layouts.pieces(), **command_checks.pieces()}


def put_together(texts: dict[str, str]) -> dict[str, Script]:
    """The scripts among these files, each with the pieces that it uses. texts: path -> text.

    A name that two files share is a mistake (AssertionError): whoever uses it could mean either.
    """
    pieces = made_pieces()
    verbs: dict[str, str] = {}
    where = dict.fromkeys(record_layouts.pieces(), "truth/record_layouts.py")
    where |= dict.fromkeys(command_checks.pieces(), "truth/command_checks.py")
    for path, text in texts.items():
        name = name_of(path)
        assert name not in where, f"lua/{path} has the name of {where[name]}: choose another one"
        where[name] = f"lua/{path}"
        (verbs if is_script(text) else pieces)[name] = record_layouts.expand(text, path)
    scripts = {}
    for verb, source in verbs.items():
        text = splice(verb, pieces, source)
        scripts[verb] = Script(verb, text, _sha(text))
    return scripts
