"""The floors of the house: a file imports only from floors below its own.

The one table of floors is here. Files of one floor may lean on each other, because a floor is a
subject (the `hub` and the `relay` that feeds it, `demo` and its `fans`), but never in a ring: then
neither could be read, tested or replaced without the other. A file that stands nowhere in the table
fails the test: whoever adds a file says what it may know.

Imports count wherever they stand, also inside functions and under TYPE_CHECKING: an import that is
only made late is still knowledge.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import dropengine

PACKAGE = "dropengine"
HOUSE = Path(dropengine.__file__).parent

# Simulated people and how one watches them: they know the words and the public doors only.
CROWD = frozenset({"fans", "link", "plans", "screen", "progress"})

FLOORS: tuple[tuple[str, frozenset[str]], ...] = (
    ("words", frozenset({"errors", "model", "records"})),
    ("speech", frozenset({"wire", "events", "tomlmap", "reader", "manifest", "config"})),
    ("rules", frozenset({"places", "draw", "tickets", "replay", "referee", "history", "verify"})),
    ("tongue", frozenset({"cable", "keys", "scripts"})),
    ("truth", frozenset({"store", "people"})),
    ("ports", frozenset({"payments", "post", "localpay"})),
    (
        "motion",
        frozenset({"batcher", "seat", "keepalive", "views", "room", "hub", "relay", "settler"}),
    ),
    ("doors", frozenset({"protocol", "live", "doors", "schema"})),
    ("roof", frozenset({"app", "server", "guard", "embedded", "worker", "workers", "supervisor"})),
    (
        "key",
        frozenset(
            {
                *("cli", "creator", "doctor", "demo", "rehearse", "summary", "__main__"),
                *("operators", "shop", "stage", "verdicts"),
                *CROWD,
            }
        ),
    ),
)
FLOOR_OF = {noun: floor for floor, (_, nouns) in enumerate(FLOORS) for noun in nouns}

# The package's own first file says the version and knows nobody.
FRONT_DOOR = "__init__"
# Nobody in the product knows who measures or tests it.
OUTSIDERS = frozenset({"loadtest", "tests"})


def noun_of(module: str) -> str:
    """The name that the table speaks of: `doors.pay` stands where `doors` stands."""
    return module.partition(".")[0]


def modules(house: Path) -> dict[str, str]:
    """Every module of a package -> its text; `doors/pay.py` is `doors.pay`."""
    found = {}
    for path in sorted(house.rglob("*.py")):
        parts = path.relative_to(house).with_suffix("").parts
        if len(parts) > 1 and parts[-1] == "__init__":
            parts = parts[:-1]
        found[".".join(parts)] = path.read_text()
    return found


def imports(module: str, text: str, known: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """(line, module) for each import that stays within the house or goes to an outsider.

    Modules of the house are answered by their name in `known`, outsiders by their first name.
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
        noun = noun_of(module)
        if noun != FRONT_DOOR and noun not in FLOOR_OF:
            yield f"{PACKAGE}/{noun} stands on no floor: give it a floor in tests/test_floors.py"
            continue
        here = -1 if noun == FRONT_DOOR else FLOOR_OF[noun]
        for line, target in imports(module, text, known):
            where = f"{PACKAGE}.{module}, line {line}"
            other = noun_of(target)
            if target in OUTSIDERS:
                yield f"{where} imports {target}: the product knows nobody who tests it"
            elif other in FLOOR_OF and FLOOR_OF[other] > here:
                floor = "the front door" if here < 0 else f"floor {here} ({FLOORS[here][0]})"
                there = f"floor {FLOOR_OF[other]} ({FLOORS[FLOOR_OF[other]][0]})"
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
    assert "\n".join(offences(modules(HOUSE))) == ""


def test_simulated_fans_know_only_what_a_browser_could_know() -> None:
    """Words, messages and pure rules: whatever else they learn comes through the public doors."""
    house = modules(HOUSE)
    rules = [name for name, _ in FLOORS].index("rules")
    known_too_much = [
        f"{PACKAGE}.{module}, line {line} imports {PACKAGE}.{target}"
        for module in house
        if noun_of(module) in CROWD
        for line, target in imports(module, house[module], house)
        if noun_of(target) not in CROWD and FLOOR_OF.get(noun_of(target), 0) > rules
    ]
    assert "\n".join(known_too_much) == ""


def test_no_two_files_lean_on_each_other() -> None:
    """Not even by way of a third."""
    assert " -> ".join(ring(modules(HOUSE))) == ""


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("model", "from dropengine.store import Store", "imports dropengine.store from floor 4"),
        ("model", "import dropengine.store", "imports dropengine.store from floor 4"),
        ("model", "from dropengine import store", "imports dropengine.store from floor 4"),
        ("model", "from . import store", "imports dropengine.store from floor 4"),
        ("model", "def f():\n    from .store import Store", "line 2 is on floor 0"),
        ("__init__", "from dropengine.store import Store", "is on the front door"),
        ("store", "from dropengine.doors.pay import webhook", "imports dropengine.doors.pay"),
        ("doors.pay", "from ..app import build", "imports dropengine.app from floor 8"),
        ("app", "from tests.rings import Ring", "knows nobody who tests it"),
        ("helpers", "", "dropengine/helpers stands on no floor: give it a floor"),
    ],
)
def test_an_import_that_climbs_is_named(file: str, text: str, complaint: str) -> None:
    """The guard itself, seen failing."""
    house = {"__init__": "", "model": "", "store": "", "app": "", "doors": "", "doors.pay": ""}
    sentences = list(offences(house | {file: text}))
    assert len(sentences) == 1
    assert complaint in sentences[0]


def test_an_import_that_goes_down_or_outside_is_fine() -> None:
    """Other people's packages are no business of the floors."""
    house = {
        "model": "import msgspec\nfrom dropengine import __version__",
        "hub": "from dropengine.relay import Relay\nfrom dropengine import model",
        "relay": "import dropengine.model",
        "doors": "",
        "doors.pay": "from . import drops\nfrom .drops import show\nfrom ..model import Money",
        "doors.drops": "from dropengine.hub import Hub",
    }
    assert list(offences(house)) == []
    assert ring(house) == []


def test_a_ring_on_one_floor_is_found() -> None:
    """The floors alone would allow it."""
    house = {"hub": "import dropengine.relay", "relay": "from dropengine.hub import Hub"}
    assert list(offences(house)) == []
    found = ring(house)
    assert found[0] == found[-1]
    assert set(found) == {"hub", "relay"}
