"""What somebody who runs a drop may type: a wrong word is a sentence, and nothing has changed."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path

import pytest

from dropengine.cli import main
from dropengine.model import OPERATOR
from tests.cli.test_main import MIX, PIN, Run, data_dir, run, shop

__all__ = ["data_dir", "run", "shop"]

LONG = "x" * 501


def events(run: Run, drop: str = MIX) -> list[str]:
    return [json.loads(line)["e"] for line in run("drop", "log", drop).out.splitlines()]


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (["withdraw", MIX, "night@north", "-5"], "qty"),
        (["add", MIX, "night@north", "-1"], "qty"),
        (["add", MIX, "night@north", "0"], "qty"),
        (["withdraw", MIX, "night@north", "100001"], "qty"),
        (["withdraw", MIX, "night@north", "9" * 40], "qty"),
        (["withdraw", MIX, 'night"@north', "1"], "pool"),
        (["open", MIX, "--revision", "-1"], "revision"),
        (["open", MIX, "--key", 'k","x":"\n{"e":"sold"}'], "key"),
        (["open", MIX, "--key", ""], "key"),
        (["open", MIX, "--key", "k" * 65], "key"),
        (["open", MIX, "--by", ""], "by"),
        (["open", MIX, "--by", "m" * 65], "by"),
        (["open", MIX, "--by", "mia\u202e"], "by"),
        (["pause", MIX, "--why", LONG], "why"),
        (["cancel", MIX, "--confirm", "hard-mix-a", "--why", "a\nb"], "why"),
        (["message", MIX, ""], "text"),
        (["message", MIX, "x" * 120_000], "text"),
        (["message", MIX, "\u200b"], "text"),
        (["message", MIX, "two\nlines"], "text"),
        (["message", MIX, "\udcff\udcfe"], "text"),
        (["refund", MIX, "h 1"], "order"),
        (["refund", MIX, "1-4"], "order"),
        (["refund", MIX, "h1", "--key", "\n"], "key"),
    ],
)
def test_what_is_out_of_bounds_names_the_field_and_changes_nothing(
    run: Run, shop: Path, words: list[str], field: str
) -> None:
    run("drop", "publish", MIX)
    ran = run("drop", *words)
    assert ran.code == 1
    assert ran.err.startswith(f"Refused (bad_message): Nothing was changed: {field} must ")
    assert events(run) == ["published"]
    assert run("drop", "open", MIX).code == 0


@pytest.mark.parametrize("name", ["clock", "creator", "fan", "disk", "durability"])
def test_nobody_signs_with_a_name_of_the_shop(run: Run, shop: Path, name: str) -> None:
    run("drop", "publish", MIX)
    for words in (["open"], ["pause"], ["cancel", "--confirm", "hard-mix-a"]):
        ran = run("drop", words[0], MIX, *words[1:], "--by", name)
        assert ran.code == 1
        assert "Take your own name" in ran.err
    assert events(run) == ["published"]


@pytest.mark.parametrize("drop", ["Not An Id", "../x", "a}b", "\udcff", "", "x" * 33])
def test_what_is_no_id_is_a_sentence(run: Run, shop: Path, drop: str) -> None:
    for words in (["show"], ["open"], ["log"], ["cancel"], ["refund"]):
        ran = run("drop", words[0], drop, *(["h1"] if words == ["refund"] else []))
        assert ran.code == 1
        assert "is no drop: an id must be" in ran.err
        assert ran.err.isascii()


@pytest.mark.parametrize("seconds", ["1e13", "nan", "inf", "-inf", "-1", "1e400", "soon", ""])
def test_an_opening_in_so_many_seconds_is_within_ten_years(
    run: Run, shop: Path, seconds: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(["drop", "publish", PIN, f"--opens-in={seconds}"])
    assert ended.value.code == 2
    assert "--opens-in" in capsys.readouterr().err
    assert run("drop", "list").out == ""


def with_times(tmp_path: Path, **times: str) -> Path:
    """The practice mix with an opening and a closing of its own."""
    path = tmp_path / "timed.toml"
    lines = "".join(f"{name} = {value}\n" for name, value in times.items())
    path.write_text(lines + Path(MIX).read_text())
    return path


@pytest.mark.parametrize("opens_at", ["2020-01-01T00:00:00Z", "2000-01-01T00:00:00Z"])
def test_an_opening_that_has_passed_goes_live_only_when_asked_to(
    run: Run, shop: Path, tmp_path: Path, opens_at: str
) -> None:
    past = with_times(tmp_path, opens_at=opens_at)
    ran = run("drop", "publish", past)
    assert ran.code == 2
    assert "has passed; say --now" in ran.err
    assert run("drop", "list").out == ""
    assert run("drop", "publish", past, "--now").code == 0
    assert "is live" in run("drop", "show", past).out
    # The same file again is told what became of it, not that it comes too late.
    again = run("drop", "publish", past)
    assert again.err.startswith("Refused (exists): These very rules")


def test_now_opens_a_drop_at_once_whatever_its_file_says(
    run: Run, shop: Path, tmp_path: Path
) -> None:
    later = with_times(tmp_path, opens_at="2150-01-01T00:00:00Z")
    assert run("drop", "publish", later, "--now", "--id", "first").code == 0
    assert run("drop", "publish", MIX, "--now", "--id", "second").code == 0
    for drop in ("first", "second"):
        assert "is live" in run("drop", "show", drop).out
        opens_ms = json.loads(run("drop", "show", drop, "--json").out)["manifest"]["opens_ms"]
        assert opens_ms <= time.time() * 1000


def test_a_closing_that_has_passed_sells_nothing(run: Run, shop: Path, tmp_path: Path) -> None:
    over = with_times(tmp_path, opens_at="2020-01-01T00:00:00Z", closes_at="2020-01-02T00:00:00Z")
    for more in ([], ["--now"]):
        ran = run("drop", "publish", over, *more)
        assert ran.code == 2
        assert "closes_at" in ran.err
        assert "has passed, nobody could buy" in ran.err
    assert run("drop", "publish", over, "--opens-in", 60).code == 0


def test_to_cancel_is_to_name_the_drop_twice(
    run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("drop", "publish", MIX)
    for typed in ("", "y\n", "hard-mix-b\n"):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        ran = run("drop", "cancel", MIX)
        assert ran.code == 1
        assert "Type its id to go on: Nothing was changed" in ran.err
    assert run("drop", "cancel", MIX, "--confirm", "hard-mix-b").code == 1
    assert events(run) == ["published"]
    monkeypatch.setattr("sys.stdin", io.StringIO("hard-mix-a\n"))
    assert run("drop", "cancel", MIX, "--why", "The box is lost").code == 0
    assert "cancelled" in run("drop", "list").out


def test_who_has_no_name_on_this_machine_can_still_command(
    run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 2**31 - 5)
    assert run("drop", "publish", MIX).code == 0
    (event,) = map(json.loads, run("drop", "log", MIX).out.splitlines())
    assert OPERATOR.fullmatch(event["by"])


@pytest.mark.parametrize("after", ["-1", "9" * 30, "1.5", "x"])
def test_a_log_is_read_from_a_number_on(
    run: Run, shop: Path, after: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run("drop", "publish", MIX)
    with pytest.raises(SystemExit) as ended:
        main.main(["drop", "log", MIX, f"--after={after}"])
    assert ended.value.code == 2
    assert "--after" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["publish", PIN, "--id=--"],
        ["publish", PIN, "--opens-in=--"],
        ["publish", PIN, "--by=--"],
        ["log", MIX, "--after=--"],
        ["message", MIX, "hello", "--by=--"],
        ["pause", MIX, "--why=--"],
    ],
)
def test_two_dashes_alone_are_no_value(
    run: Run, shop: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    run("drop", "publish", MIX)
    before = run("drop", "log", MIX).out
    with pytest.raises(SystemExit) as ended:
        main.main(["drop", *words])
    assert ended.value.code == 2
    assert "'--'" in capsys.readouterr().err
    assert run("drop", "list").out.count("\n") == 1
    assert run("drop", "log", MIX).out == before
