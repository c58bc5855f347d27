"""The headers hold: a script's KEYS, ARGV, RETURNS and COST are what its body and the store say."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from dropengine import creator_commands, events, model, outcomes
from dropengine.truth import charge_ids, copies, glances, house, keys, past, record_layouts, scripts
from dropengine.truth import store as stores
from tests.lua import test_common_rows

FILES = {scripts.name_of(path): text for path, text in sorted(scripts.sources().items())}
SCRIPTS = {name: text for name, text in FILES.items() if scripts.is_script(text)}
PIECES = {name: text for name, text in FILES.items() if name not in SCRIPTS}
MADE = scripts.made_pieces()
"""Pieces that are no files."""
HERE = Path(__file__).parent

SECTIONS = ("KEYS", "ARGV", "RETURNS", "COST")
WORD = re.compile(r"\b[A-Z][A-Z_]{2,}\b")
LITERAL = re.compile(r"'([A-Z][A-Z_]{2,})'")
COMMANDS = re.compile(r"redis\.p?call\([^\n]*")
SERVERS_WORDS = {"HSET", "HDEL", "ZADD", "ZREM", "XADD", "LIMIT", "MAXLEN"}
SERVERS_WORDS |= {"WITHSCORES", "COUNT"}
ALL_KEYS = "all keys of one drop, as `begin` names them; the nudge channel last"

UNSAID = {"NOT_YOUR_TURN"}
"""Refusals that the store knows and no script says yet."""

REPLIES: dict[str, msgspec.msgpack.Decoder[Any]] = {
    "press": stores._PRESSED,
    "go_on": stores._PRESSED,
    "enroll": stores._ENROLL,
    "point": stores._POINT,
    "settle": stores._SETTLED,
    "doubt_clock": stores._DOUBTED,
    "root": stores._ROOT,
    "reveal": stores._REVEAL,
    "order": stores._ORDER,
    "carry": stores._CARRY,
    "start": stores._START,
    "sealed": stores._SEALED,
    "view": stores._VIEW,
    "you": stores._YOU,
    "succeeded": stores._PAYMENT,
    "adopt": stores._ADOPT,
    "unpaid": stores._UNPAID,
    "refund": stores._REFUND,
    "came_back": stores._CAME_BACK,
    "charged_back": stores._CHARGED_BACK,
    "discharge": stores._DISCHARGE,
    "more_time": stores._MORE_TIME,
    "duty": stores._DUTY,
    "publish": stores._PUBLISH,
    "archive": past._ARCHIVE,
    "rewrite": stores._REWRITE,
    "ahead": glances._AHEAD,
    "bring_back": copies._BRING_BACK,
    "take_rows": past._ROWS,
    "take_holds": past._HOLDS,
    "take_answers": past._ANSWERS,
    "name_charges": charge_ids._NAMED,
    "lease": house._LEASE,
    "lay_claim": house._LAID,
    "keep_claim": house._KEPT,
    "admit": house._ADMIT,
    "prove": house._PROVE,
    "exchange": house._EXCHANGE,
    "revoke": house._REVOKE,
    **dict.fromkeys(test_common_rows.CREATORS, stores._CREATOR),
}

each_script = pytest.mark.parametrize("verb", list(SCRIPTS))
each_piece = pytest.mark.parametrize("name", list(PIECES))


def header(text: str) -> str:
    return text.split("--[[\n", 1)[1].split("--]]", 1)[0]


def body(text: str) -> str:
    return text.split("--]]", 1)[1]


def sections(verb: str) -> dict[str, list[str]]:
    """Section -> its lines, without their indent."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in header(SCRIPTS[verb]).splitlines():
        word = line.split(" ", 1)[0]
        if word in SECTIONS:
            name, line = word, line.removeprefix(word)
            found[name] = []
        if name and line.strip():
            found[name].append(line.strip())
    return found


def returns(verb: str) -> set[str]:
    return set(WORD.findall(" ".join(sections(verb)["RETURNS"])))


def arguments(verb: str) -> list[str]:
    return [line.split()[0] for line in sections(verb)["ARGV"]]


def said(text: str) -> set[str]:
    """Upper-case words that a text can answer with: its literals, but for the server's commands."""
    return set(LITERAL.findall(COMMANDS.sub("", text))) - SERVERS_WORDS


def tags(union: object) -> set[str]:
    """The words of a union of outcomes."""
    return {str(kind.__struct_config__.tag) for kind in get_args(union) or (union,)}


@each_script
def test_a_script_opens_with_its_engine_and_its_contract(verb: str) -> None:
    text = SCRIPTS[verb]
    assert re.match(r"#!lua( flags=[a-z,-]+)?\n--\[\[\n", text)
    assert header(text).startswith(f"{verb} -- ")
    assert list(sections(verb)) == list(SECTIONS)
    assert all(sections(verb).values())


@each_script
def test_every_argument_is_named_in_its_place(verb: str) -> None:
    places = [int(i) for i in re.findall(r"ARGV\[(\d+)\]", body(SCRIPTS[verb]))]
    assert places == list(range(1, len(arguments(verb)) + 1))
    locals_ = re.findall(r"^local ([a-z_, ]+) = [^\n]*?(?:ARGV)", body(SCRIPTS[verb]), re.MULTILINE)
    named = [name for line in locals_ for name in line.split(", ")]
    for argument, name in zip(arguments(verb), named[-len(arguments(verb)) :], strict=True):
        assert name in (argument, "id") or name.startswith(f"{argument}_")


@each_script
def test_the_keys_are_those_that_the_header_names(verb: str) -> None:
    lines = sections(verb)["KEYS"]
    used = [int(i) for i in re.findall(r"KEYS\[(\d+)\]", body(SCRIPTS[verb]))]
    if "begin(KEYS" in SCRIPTS[verb]:
        assert lines == [ALL_KEYS]
        assert used == []
    elif lines == [ALL_KEYS]:
        names = [*keys.ALL, "nudge"]
        taken = re.findall(r"^local ([a-z_, ]+) = (KEYS[^\n]+)", SCRIPTS[verb], re.MULTILINE)
        for left, right in taken:
            at = [int(i) for i in re.findall(r"KEYS\[(\d+)\]", right)]
            assert left.split(", ") == [names[i - 1] for i in at]
    elif "#KEYS" in SCRIPTS[verb]:
        # As many as whoever calls it names, in groups of these.
        assert f"#KEYS, {len(lines)} do" in SCRIPTS[verb]
    else:
        assert used == list(range(1, len(lines) + 1))


@each_script
def test_every_word_of_the_header_can_be_answered_and_no_other(verb: str) -> None:
    whole = scripts.load()[verb].text
    assert returns(verb) <= said(whole)
    # In which states a creator's command is refused is a matter of its table, not of its text:
    # tests/lua/test_creators_refusals.py holds the header to it.
    stands = "function refuse_in_state(" in whole
    refusals = said(PIECES["word_of_state"] + PIECES["refuse_in_state"]) if stands else set()
    assert said(whole) - returns(verb) <= refusals


@each_script
def test_the_store_reads_every_word_of_the_header(verb: str) -> None:
    if verb == "audit":
        assert returns(verb) == {"PART", "NOT_FOUND"}
        return
    known = tags(REPLIES[verb].type)
    if verb in ("press", "go_on"):
        known |= tags(outcomes.PressOutcome) | tags(outcomes.Missed)
    if verb == "press":
        assert known - returns(verb) == UNSAID
    assert returns(verb) <= known
    if verb != "go_on" and REPLIES[verb] is not stores._CREATOR:
        assert known - returns(verb) <= UNSAID


def test_creators_commands_use_every_word_that_the_store_knows_for_them() -> None:
    used = {word for verb in creator_commands.COMMANDS for word in returns(verb)}
    assert used == tags(stores._CREATOR.type)


@pytest.mark.parametrize(
    "command", creator_commands.COMMANDS.values(), ids=list(creator_commands.COMMANDS)
)
def test_a_creators_command_has_the_arguments_of_its_script(
    command: type[creator_commands.CreatorCommand],
) -> None:
    own = list(command.__struct_fields__)
    assert arguments(command.verb) == ["clock_ms", "revision", "by", "key", *own]


@each_script
def test_every_row_has_a_test(verb: str) -> None:
    """The word, or the class that it is read into, stands in the tests of this script."""
    files = [] if verb in ("exempt", "restrict") else [HERE / f"test_{verb}.py"]
    if verb == "press":
        files = [HERE / f"test_{piece}.py" for piece in scripts.uses(SCRIPTS[verb])[-11:]]
    if verb in ("press", "exempt", "restrict"):
        files += [HERE / "test_networks.py", HERE / "test_enroll.py"]
    if verb in test_common_rows.ALL:
        files.append(HERE / "test_common_rows.py")
    text = "".join(path.read_text("utf-8") for path in files)
    names = {word: "".join(part.title() for part in word.split("_")) for word in returns(verb)}
    helpers = {"PRESSED": "sale.", "SETTLED": "Settled", "YOU": "sale.you", "PART": "truth"}
    missing = [
        word
        for word, name in names.items()
        if name not in text and word not in text and helpers.get(word, "?") not in text
    ]
    assert missing == []


@each_piece
def test_a_piece_is_one_thing_and_names_what_it_uses(name: str) -> None:
    text = PIECES[name]
    assert header(text).startswith(f"{name} -- ")
    functions = re.findall(r"^local function ([a-z_]+)\(", text, re.MULTILINE)
    assert functions[-1:] == [name]
    code = re.sub(r"--[^\n]*|'[^'\n]*'", "", body(record_layouts.expand(text, name)))
    called = {word for word in re.findall(r"\b([a-z_]+)\(", code) if word in PIECES | MADE}
    in_a_table = {word for word in re.findall(r"= ([a-z_]+),", code) if word in PIECES}
    named = set(scripts.uses(text))
    assert (called | in_a_table) - {name} <= named
    assert named - called - in_a_table <= constants(named, code)


def constants(names: Iterable[str], code: str) -> set[str]:
    """Those pieces that are used for a constant of theirs."""
    return {
        name
        for name in names
        if any(
            re.search(rf"\b{word}\b", code)
            for word in re.findall(r"^local ([A-Z_0-9]+)", (PIECES | MADE)[name], re.MULTILINE)
        )
    }


@each_script
def test_a_script_names_the_pieces_it_uses(verb: str) -> None:
    code = re.sub(r"--[^\n]*|'[^'\n]*'", "", body(SCRIPTS[verb]))
    words = set(re.findall(r"\b[a-z_]+\b", code))
    named = set(scripts.uses(SCRIPTS[verb]))
    called = {word for word in re.findall(r"\b([a-z_]+)\(", code) if word in PIECES}
    assert called <= named
    assert {name for name in named if name not in words} <= constants(named, code)


def test_no_piece_is_left_over() -> None:
    used: set[str] = set()
    for text in (*SCRIPTS.values(), *PIECES.values(), *MADE.values()):
        used |= set(scripts.uses(text))
    assert set(PIECES) | set(MADE) == used


def test_begin_names_the_keys_in_the_order_of_the_list() -> None:
    named = re.findall(r"([a-z_]+) = keys\[(\d+)\]", PIECES["begin"])
    assert [name for name, _ in named] == [*keys.ALL, "nudge"]
    assert [int(i) for _, i in named] == list(range(1, len(named) + 1))


def test_whatever_can_become_due_has_somebody_who_decides_it() -> None:
    table = PIECES["settle_due"].split("local KINDS = {", 1)[1].split("}", 1)[0]
    decided = {a or b for a, b in re.findall(r"\['(\w:)'\] = |(\w+) = ", table)}
    text = "".join(FILES.values())
    planned = set(re.findall(r"zset\.due\['(\w:)' \.\. ", text))
    planned |= set(re.findall(r"'ZADD', due, [\w.]+, '(\w+)'", text))
    for name in ("plan_calls", "begin_lobby", "plan_widening"):
        planned |= set(re.findall(r"zset\.due\.(\w+)", PIECES[name]))
    assert decided == planned
    drops = {"open", "close", "lobby", "seal", "calls", "quiet", "widen"}
    assert decided == {"h:", "e:", *drops}


def test_the_legal_moves_are_the_same_in_both_languages() -> None:
    rows = re.findall(r"^  (\w+) = \{([^}]*)\},$", PIECES["change_state"], re.MULTILINE)
    table = {state: set(re.findall(r"(\w+) = true", moves)) for state, moves in rows}
    assert table == {str(k): {str(v) for v in to} for k, to in model.LEGAL_MOVES.items()}


def test_every_event_of_the_vocabulary_is_written_somewhere() -> None:
    text = "".join((*SCRIPTS.values(), *PIECES.values()))
    words = tags(events.AnyEvent)
    assert [w for w in words if f"'{w}'" not in text and f'"e":"{w}"' not in text] == []


def test_a_full_server_runs_what_ends_and_nothing_that_begins() -> None:
    """What was begun must come to its end even when there is no memory for more."""
    free = {verb for verb, text in SCRIPTS.items() if "allow-oom" in text.split("\n", 1)[0]}
    assert free >= {"go_on", "settle", "succeeded", "unpaid", "refund", "discharge", "pause"}
    assert not free & {"publish", "press", "open", "resume", "add"}
