"""The documents keep up with the code: nothing that can be sent, logged or set is left unsaid."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from starlette.routing import Route

from dropengine import (
    config,
    errors,
    events,
    manifest,
    model,
    refusals,
    studio_wire,
    wire,
    wire_game,
)
from dropengine.app import build
from dropengine.creator_commands import COMMANDS
from dropengine.doors.http_answers import STATUS
from dropengine.manifest import form
from dropengine.truth import keys
from tests.kit.oracle.creators import ALLOWED

ROOT = Path(__file__).parent.parent
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text()
PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md"])

EVENTS: tuple[type[events.Event], ...] = get_args(events.AnyEvent)
MESSAGES: tuple[type[msgspec.Struct], ...] = (
    *get_args(wire.FromFanMessage),
    *get_args(wire.ToFanMessage),
    studio_wire.Desk,
)
PARTS = (
    wire.DropView,
    wire.ChanceView,
    wire.ListView,
    wire.ItemView,
    wire.PoolView,
    wire.EarlyView,
    wire.CohortView,
    wire.Moves,
    wire.HoldView,
    wire.EntryView,
    wire.LinePlace,
    wire.OrderView,
    wire.WayView,
    wire.PaymentView,
    wire.BasketView,
    wire.HadView,
    wire.MissingView,
    *studio_wire.PARTS,
    *wire_game.PARTS,
)
REFUSALS = refusals.Refusal.__subclasses__()
CODES = {model.snake(kind.__name__) for kind in REFUSALS}
CLOSE_CODES = {word: code for word, code in vars(wire.CloseCode).items() if word.isupper()}


def section(page: str, title: str) -> str:
    """The text under a heading, down to the next heading of its height or above."""
    found = re.search(rf"(?m)^(#+) {re.escape(title)}$", page)
    assert found, f"no heading {title!r}"
    rest = page[found.end() :]
    end = re.search(rf"(?m)^#{{1,{len(found.group(1))}}} ", rest)
    return rest[: end.start()] if end else rest


def rows(text: str) -> Iterator[list[str]]:
    """The cells of every row of every table, without the heads."""
    lines = text.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if (
            line.startswith("|")
            and not line.startswith("|---")
            and not following.startswith("|---")
        ):
            yield [cell.strip() for cell in line.strip().strip("|").split(" | ")]


def words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def tag(message: type[msgspec.Struct]) -> str:
    return str(message.__struct_config__.tag)


LOG = section(PROTOCOL, "The log")
LOG_TABLE = {
    words(cells[0])[0]: words(cells[1])
    for title in ("The drop", "Holds and payments", "The line", "Guests and persons")
    for cells in rows(section(LOG, title))
}


@pytest.mark.parametrize("event", EVENTS, ids=tag)
def test_every_event_stands_in_the_table_with_its_fields(event: type[events.Event]) -> None:
    own = [name for name in event.__struct_encode_fields__ if name not in ("seq", "at")]
    assert sorted(LOG_TABLE.get(tag(event), ["not there"])) == sorted(own)


def test_the_table_has_no_event_that_cannot_happen() -> None:
    assert set(LOG_TABLE) == {tag(event) for event in EVENTS}


def test_every_field_of_an_event_is_explained_once() -> None:
    explained = [words(cells[0])[0] for cells in rows(section(LOG, "The fields of events"))]
    assert explained == sorted(explained)
    assert set(explained) == {name for event in EVENTS for name in event.__struct_fields__}


@pytest.mark.parametrize(
    "part",
    [
        *(events.Rules, events.PublishedItem, events.PublishedPool, events.PublishedCohort),
        events.PublishedWay,
    ],
    ids=lambda p: p.__name__,
)
def test_the_published_rules_are_spelled_out(part: type[msgspec.Struct]) -> None:
    paragraph = next(text for text in LOG.split("\n\n") if text.startswith("`rules` holds"))
    assert set(part.__struct_fields__) <= set(words(paragraph))


@pytest.mark.parametrize("message", MESSAGES, ids=tag)
def test_every_message_has_a_section_with_its_fields(message: type[msgspec.Struct]) -> None:
    listed = [
        name for cells in rows(section(PROTOCOL, f"`{tag(message)}`")) for name in words(cells[0])
    ]
    assert sorted(listed) == sorted(message.__struct_fields__)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_every_part_of_a_message_has_a_section_with_its_fields(part: type[msgspec.Struct]) -> None:
    listed = [name for cells in rows(section(PROTOCOL, part.__name__)) for name in words(cells[0])]
    assert sorted(listed) == sorted(part.__struct_fields__)


def test_no_part_of_a_message_is_forgotten() -> None:
    named = {name for name in vars(wire) if name.endswith("View") or name in ("Moves", "LinePlace")}
    for words_of in (studio_wire, wire_game):
        named |= {name for name in vars(words_of) if name.endswith("View")}
    named |= {part.__name__ for part in wire_game.PARTS}
    assert named == {part.__name__ for part in PARTS}


def test_every_close_code_stands_in_the_table() -> None:
    table = {words(cells[1])[0]: int(cells[0]) for cells in rows(section(PROTOCOL, "Close codes"))}
    assert table == CLOSE_CODES


def test_close_codes_say_by_their_range_whether_to_come_back() -> None:
    stay_away = {"BAD_MESSAGE", "BAD_TICKET", "NO_SUCH_DROP"}
    for word, code in CLOSE_CODES.items():
        assert (4500 <= code <= 4999) == (word in stay_away)
        assert word in stay_away or code < 4500


def test_every_address_stands_in_the_table(tmp_path: Path) -> None:
    settings = config.Settings(redis_url="unix:///nowhere.sock", data_dir=tmp_path)
    there = {
        f"{method} {route.path_format}"
        for route in build(settings).routes
        if isinstance(route, Route)
        for method in route.methods or ()
        if method != "HEAD"
    }
    listed = {words(cells[0])[0] for cells in rows(section(PROTOCOL, "The addresses"))}
    assert listed == there | {"WS /drops/{drop}/live", "WS /studio/drops/{drop}/live"}


def test_every_refusal_stands_in_the_table_with_its_sentence() -> None:
    table = {words(cells[0])[0]: cells[1] for cells in rows(section(PROTOCOL, "The refusals"))}
    assert table == {model.snake(kind.__name__): kind.sentence for kind in REFUSALS}


def test_every_sentence_for_operators_stands_in_their_table() -> None:
    table = {
        words(cells[0])[0]: cells[1] for cells in rows(section(PROTOCOL, "What operators read"))
    }
    assert table == {model.snake(k.__name__): k.to_operator for k in REFUSALS if k.to_operator}


def test_every_creators_command_stands_in_the_table_with_its_fields_and_states() -> None:
    table = {
        words(cells[0])[0]: (words(cells[1]), words(cells[-1]))
        for cells in rows(section(PROTOCOL, "What creators command"))
    }
    assert table == {
        verb: (list(kind.__struct_fields__), list(ALLOWED[verb])) for verb, kind in COMMANDS.items()
    }


@pytest.mark.parametrize("kind", REFUSALS, ids=lambda kind: kind.__name__)
def test_a_refusal_that_carries_numbers_says_which(kind: type[refusals.Refusal]) -> None:
    code = model.snake(kind.__name__)
    row = next(r for r in rows(section(PROTOCOL, "The refusals")) if words(r[0]) == [code])
    assert set(kind.__struct_fields__) <= set(words(row[2]))


def test_every_status_is_told_with_its_refusals() -> None:
    table = {
        int(cells[0]): {word for word in words(cells[1]) if word in CODES}
        for cells in rows(section(PROTOCOL, "Refusals over HTTP"))
    }
    others = table.pop(409)
    assert others == set()
    told = {
        status: {model.snake(kind.__name__) for kind, its in STATUS.items() if its == status}
        for status in STATUS.values()
    }
    # What the router refuses before any door is asked.
    assert table == told | {405: {"bad_message"}}


def test_every_key_of_a_manifest_is_documented() -> None:
    page = (ROOT / "docs" / "manifest.md").read_text()
    seconds = {"hold_ms", "offer_ms", "extend_ms", "pay_ms", "cool_ms", "lookup_ms", "pace_ms"}
    seconds |= {"window_ms", "first_offer_ms"}
    moments = {
        "opens_ms": "opens_at",
        "closes_ms": "closes_at",
        "public_ms": "public_at",
        "calls_from_ms": "calls_from",
        "calls_to_ms": "calls_to",
    }

    def keys(kind: type[msgspec.Struct]) -> set[str]:
        return {
            moments.get(name, name.replace("_ms", "_seconds") if name in seconds else name)
            for name in kind.__struct_fields__
        }

    def listed(title: str) -> set[str]:
        return {name.strip("[]") for row in rows(section(page, title)) for name in words(row[0])}

    points = {"points_until", "friends", "collectors", "missions"}
    by_hand = {"pay_by_hand", "hand_hours"}
    of_drop = keys(manifest.Manifest) | points | by_hand
    assert listed("The drop") == of_drop - {"game", "hand_ms"}
    assert listed("Ways") == {*form.WAY}
    of_points = {*form.FRIENDS, *form.COLLECTORS, *form.MISSION}
    assert listed("Points") == of_points
    assert listed("An item") == (keys(manifest.Item) | {"withheld", "items.pools"}) - {"pools"}
    assert listed("A pool") == keys(manifest.Pool) - {"id"}
    assert listed("Early access") == (keys(manifest.Cohort) | {"units"}) - {"most"}


def test_every_fault_stands_in_the_tree_at_the_top() -> None:
    tree = errors.__doc__ or ""
    faults = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert [kind.__name__ for kind in faults if kind.__name__ not in tree] == []


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()


def diagrams() -> dict[str, dict[str, set[str]]]:
    """The states of each state diagram and what may follow each, by the word before the diagram."""
    found = {}
    for name, body in re.findall(
        r"(?s)(\w+)[^\n]*:\n\n```mermaid\nstateDiagram-v2\n(.*?)```", ARCHITECTURE
    ):
        moves: dict[str, set[str]] = {}
        for before, after in re.findall(r"(?m)^  (\w+) --> (\w+|\[\*\])", body):
            moves.setdefault(before, set()).add(after)
        found[name] = moves
    return found


def test_the_diagram_of_a_drop_is_the_table_of_legal_moves() -> None:
    drawn = {
        state: {after for after in moves if after != "[*]"}
        for state, moves in diagrams()["Drop"].items()
    }
    assert drawn == {str(state): set(map(str, after)) for state, after in model.LEGAL_MOVES.items()}


@pytest.mark.parametrize(
    ("name", "states"),
    [("Hold", model.HoldState), ("Entry", model.EntryState), ("Order", model.OrderState)],
)
def test_every_state_is_drawn(name: str, states: type[StrEnum]) -> None:
    moves = diagrams()[name]
    drawn = set(moves) | {after for afters in moves.values() for after in afters}
    assert drawn == {str(state) for state in states}


def test_every_key_of_a_drop_is_in_the_table_in_the_order_of_the_scripts() -> None:
    listed = [words(cells[0])[0] for cells in rows(section(ARCHITECTURE, "Keys"))]
    assert listed == list(keys.ALL)
    assert len(keys.TRUTH) == 16, "the page says how many of them are truth"


def test_every_folder_and_flat_file_of_the_package_stands_in_the_tree() -> None:
    tree = section(ARCHITECTURE, "The tree").split("```")[1]
    package = ROOT / "dropengine"
    there = {path.stem for path in package.glob("*.py")}
    there |= {path.parent.name for path in package.glob("*/__init__.py")}
    named = set(re.findall(r"\w+", tree))
    assert sorted(there - named - {"__init__", "__main__"}) == []


CONTRIBUTING = section((ROOT / "docs" / "contributing.md").read_text(), "Where do I change ...")


def test_where_to_change_something_is_told_of_many_typical_changes() -> None:
    assert len({cells[0] for cells in rows(CONTRIBUTING)}) >= 20


@pytest.mark.parametrize("cells", list(rows(CONTRIBUTING)), ids=lambda cells: cells[0])
def test_every_file_that_a_change_is_sent_to_exists(cells: list[str]) -> None:
    assert len(words(cells[1])) == 1, "one place to begin"
    for name in words(" ".join(cells[1:])):
        if "/" in name:
            assert (ROOT / name).exists(), name


def test_a_decision_is_short_and_says_what_would_change_it() -> None:
    page = (ROOT / "docs" / "decisions.md").read_text()
    decisions = re.split(r"(?m)^## ", page)[1:]
    assert [int(text.split(".")[0]) for text in decisions] == list(range(1, len(decisions) + 1))
    for text in decisions:
        assert len(text.strip().splitlines()) <= 15, text.splitlines()[0]
        for word in ("Context.", "Choice.", "Given up.", "Would change our mind:"):
            assert f"**{word}**" in text, text.splitlines()[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)", page.read_text()):
        path, anchor = target
        if path.startswith(("http://", "https://")):
            continue
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{page.name}: {path}"
        if anchor:
            heads = re.findall(r"(?m)^#+ (.*)$", there.read_text())
            slugs = {re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads}
            assert anchor in slugs, f"{page.name}: {path}#{anchor}"


def test_every_promise_of_the_readme_names_a_test_that_exists() -> None:
    promises = re.findall(r"\[`(test_\w+)`\]\(([^)]+)\)", (ROOT / "README.md").read_text())
    assert len(promises) >= 10
    for name, path in promises:
        assert re.search(rf"(?m)^(async )?def {name}\(", (ROOT / path).read_text()), name
