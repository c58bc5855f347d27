"""The floors are the folders: a file imports from its own folder and from those below it.

The one table of folders is here. A folder that stands nowhere in it fails the test: whoever adds
one says what it may know. Files of one folder may lean on each other, but never in a ring: then
neither could be read, tested or replaced without the other.

Imports count wherever they stand, also inside functions and under TYPE_CHECKING: an import that is
only made late is still knowledge. The one edge that no import shows: the supervisor starts web
processes by the name of `app.build`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import dropengine

PACKAGE = "dropengine"
PACKAGE_FOLDER = Path(dropengine.__file__).parent

WORDS = "words"
"""The flat files that everybody speaks with: they are the ground floor and no folder."""
ROOF = "roof"
"""The flat file that puts the objects of a web process together."""

FOLDERS: tuple[str, ...] = (
    WORDS,
    "manifest",
    "log",
    "truth",
    "sql",
    "people",
    "mail",
    "push",
    "payments",
    "live",
    "jobs",
    "doors",
    "processes",
    "backup",
    "terminal",
    "rehearsal",
    ROOF,
    "cli",
)
"""From the ground to the roof."""
FLAT = {
    **dict.fromkeys(
        (
            "asked",
            "catalogue",
            "countries",
            "errors",
            "rehearsal_report",
            "model",
            "outcomes",
            "refusals",
            "wire",
            "wire_game",
            "studio_wire",
            "plain_text",
            "randomness",
            "creator_commands",
            "events",
            "config",
            "origin_address",
            "order_number",
            "server_address",
            "database_address",
            "mail_address",
            "beacon_chain",
            "smtp_address",
            "data_directory",
        ),
        WORDS,
    ),
    **dict.fromkeys(("app",), ROOF),
    "__main__": "cli",
}
FLOOR_OF = {folder: floor for floor, folder in enumerate(FOLDERS)}

SIMULATED = "rehearsal.fans"
"""Simulated people: they know the words and the public doors only."""

# The package's own first file says the version and knows nobody.
FRONT_DOOR = "__init__"
# Nobody in the product knows who measures or tests it.
OUTSIDERS = frozenset({"loadtest", "tests"})


def folder_of(module: str) -> str:
    """The folder that the table speaks of: `doors.pages` stands where `doors` stands."""
    first = module.partition(".")[0]
    return FLAT.get(first, first)


def modules(package: Path) -> dict[str, str]:
    """Every module of a package -> its text; `doors/pages.py` is `doors.pages`."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        if len(parts) > 1 and parts[-1] == "__init__":
            parts = parts[:-1]
        found[".".join(parts)] = path.read_text()
    return found


def imports(module: str, text: str, known: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """(line, module) for each import that stays within the package or goes to an outsider.

    Modules of the package are answered by their name in `known`, outsiders by their first name.
    """
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import(names=names):
                targets = [alias.name for alias in names]
            case ast.ImportFrom(module=source, names=names, level=level):
                origin = absolute(module, source, level, known)
                targets = [f"{origin}.{alias.name}" for alias in names]
            case _:
                continue
        for target in targets:
            first, _, rest = target.partition(".")
            if first in OUTSIDERS:
                yield node.lineno, first
            elif first == PACKAGE:
                yield node.lineno, module_named(rest, known)


def absolute(module: str, source: str | None, level: int, known: Mapping[str, str]) -> str:
    """What `from <level dots><source> import ...` in `module` speaks of, from the root."""
    if level == 0:
        return source or ""
    here = [PACKAGE, *module.split(".")]
    package = here if any(name.startswith(f"{module}.") for name in known) else here[:-1]
    up = package[: len(package) - (level - 1)]
    return ".".join([*up, *([source] if source else [])])


def module_named(dotted: str, known: Mapping[str, str]) -> str:
    """The longest beginning of a dotted name that is a module; the rest are names inside it."""
    parts = dotted.split(".") if dotted else []
    for length in range(len(parts), 0, -1):
        if (name := ".".join(parts[:length])) in known:
            return name
    return FRONT_DOOR


def offences(known: Mapping[str, str]) -> Iterator[str]:
    """One sentence for each import that climbs, and for each file without a floor."""
    for module, text in known.items():
        folder = folder_of(module)
        if folder != FRONT_DOOR and folder not in FLOOR_OF:
            yield f"{PACKAGE}/{folder} stands on no floor: give it a floor in tests/test_floors.py"
            continue
        here = -1 if folder == FRONT_DOOR else FLOOR_OF[folder]
        for line, target in imports(module, text, known):
            where = f"{PACKAGE}.{module}, line {line}"
            other = folder_of(target)
            if target in OUTSIDERS:
                yield f"{where} imports {target}: the product knows nobody who tests it"
            elif other in FLOOR_OF and FLOOR_OF[other] > here:
                floor = "the front door" if here < 0 else f"floor {here} ({FOLDERS[here]})"
                there = f"floor {FLOOR_OF[other]} ({FOLDERS[FLOOR_OF[other]]})"
                yield f"{where} is on {floor} and imports {PACKAGE}.{target} from {there}"


def ring(known: Mapping[str, str]) -> list[str]:
    """Modules that lead back to the first of them, or nothing."""
    graph = {
        module: {target for _, target in imports(module, text, known) if target in known}
        - {module, FRONT_DOOR}
        for module, text in known.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found[::-1]
    return []


def test_a_file_imports_only_from_its_own_floor_and_below() -> None:
    """Each line names the file, the line and the import that climbs."""
    assert "\n".join(offences(modules(PACKAGE_FOLDER))) == ""


def test_every_floor_is_built() -> None:
    """A floor of the table that stands empty would be a promise without a package."""
    assert {folder_of(module) for module in modules(PACKAGE_FOLDER)} - {FRONT_DOOR} == set(FOLDERS)


def is_simulated(module: str) -> bool:
    return f"{module}.".startswith(f"{SIMULATED}.")


def test_simulated_fans_know_only_what_a_browser_could_know() -> None:
    """Words, messages and what they write down: whatever else they learn comes through the public
    doors."""
    package = modules(PACKAGE_FOLDER)
    known_too_much = [
        f"{PACKAGE}.{module}, line {line} imports {PACKAGE}.{target}"
        for module in package
        if is_simulated(module)
        for line, target in imports(module, package[module], package)
        if not is_simulated(target)
        and not target.startswith("rehearsal.history")
        and folder_of(target) not in (WORDS, FRONT_DOOR)
    ]
    assert "\n".join(known_too_much) == ""


def test_no_two_files_lean_on_each_other() -> None:
    """Not even by way of a third."""
    assert " -> ".join(ring(modules(PACKAGE_FOLDER))) == ""


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        (
            "model",
            "from dropengine.truth.store import Store",
            "imports dropengine.truth.store from",
        ),
        ("model", "import dropengine.truth.store", "imports dropengine.truth.store from floor 3"),
        (
            "model",
            "from dropengine.truth import store",
            "imports dropengine.truth.store from floor",
        ),
        (
            "model",
            "from .truth import store",
            "imports dropengine.truth.store from floor 3 (truth)",
        ),
        ("model", "def f():\n    from .truth import store", "line 2 is on floor 0"),
        ("__init__", "from dropengine.truth.store import Store", "is on the front door"),
        (
            "truth.store",
            "from dropengine.doors.pages import Page",
            "imports dropengine.doors.pages",
        ),
        ("doors.pages", "from ..app import build", "from floor 16 (roof)"),
        ("app", "from tests.kit.sale import Sale", "knows nobody who tests it"),
        ("helpers", "", "dropengine/helpers stands on no floor: give it a floor"),
        ("helpers.small", "", "dropengine/helpers stands on no floor: give it a floor"),
    ],
)
def test_an_import_that_climbs_is_named(file: str, text: str, complaint: str) -> None:
    """The guard itself, seen failing."""
    package = {
        "__init__": "",
        "model": "",
        "truth": "",
        "truth.store": "",
        "app": "",
        "doors": "",
        "doors.pages": "",
    }
    sentences = list(offences(package | {file: text}))
    assert len(sentences) == 1
    assert complaint in sentences[0]


def test_an_import_that_goes_down_or_outside_is_fine() -> None:
    """Other people's packages are no business of the floors."""
    package = {
        "model": "import msgspec\nfrom dropengine import __version__",
        "live.hub": "from dropengine.live.relay import Relay\nfrom dropengine import model",
        "live.relay": "import dropengine.model",
        "doors": "",
        "doors.pay": "from . import drops\nfrom .drops import show\nfrom ..model import Money",
        "doors.drops": "from dropengine.live.hub import Hub",
    }
    assert list(offences(package)) == []
    assert ring(package) == []


def test_a_ring_on_one_floor_is_found() -> None:
    """The floors alone would allow it."""
    package = {
        "live.hub": "import dropengine.live.relay",
        "live.relay": "from dropengine.live.hub import Hub",
    }
    assert list(offences(package)) == []
    found = ring(package)
    assert found[0] == found[-1]
    assert set(found) == {"live.hub", "live.relay"}
