from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import pytest
from msgspec import Struct

from dropengine import data_directory, refusals
from dropengine.cli import drop_arguments, main, operators_terms
from dropengine.config import FIELDS, Settings
from dropengine.model import SCHEMA
from dropengine.people.operators import Names
from dropengine.processes.embedded_server import EmbeddedServer
from dropengine.sql.archive import OpenedForEach
from dropengine.sql.migrate import migrate
from dropengine.terminal import summary
from dropengine.truth import keys
from dropengine.truth.house import Claim
from dropengine.truth.store import Store
from tests.kit import handwritten_logs

PIN = str(files("dropengine") / "examples" / "eclipse-pin.toml")
MIX = str(files("dropengine") / "examples" / "hard-mix-a.toml")
COMMANDS = (
    *("serve", "demo", "drop", "referee", "audit", "ledger", "report", "account", "backup"),
    *("restore", "reconcile", "doctor", "config"),
)


class Ran(Struct, frozen=True):
    """How one command ended and what it said."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place where no setting of the developer's own is in the way."""
    monkeypatch.chdir(tmp_path)
    usual = ("REDIS_URL", "DATABASE_URL", "PORT", "HOST", "WEB_CONCURRENCY", "SECRET_KEY")
    for name in [*usual, *(name for name in os.environ if name.startswith("DROPENGINE_"))]:
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "data"


@contextmanager
def keeping(data_dir: Path) -> Iterator[Settings]:
    """A shop whose server runs, with its secret and its id."""
    settings = Settings(data_dir=data_dir)
    with EmbeddedServer(settings):
        data_directory.secret(settings)
        data_directory.shop_id(settings)
        yield settings


@pytest.fixture
def shop(data_dir: Path) -> Iterator[Path]:
    """The data directory of such a shop, with its tables."""
    with keeping(data_dir) as settings:
        migrate(settings)
        yield data_dir


@pytest.fixture
def run(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def one(*words: object) -> Ran:
        code = main.main([str(word) for word in words])
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return one


@pytest.mark.parametrize(
    "command", [*COMMANDS, *(f"drop {verb[0]}" for verb in drop_arguments.VERBS)]
)
def test_every_command_says_in_a_sentence_what_it_does(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main([*command.split(), "--help"])
    assert ended.value.code == 0
    about = capsys.readouterr().out.split("\n\n")[1]
    assert about[0].isupper()
    assert about.rstrip().endswith(".")


def test_every_setting_has_a_flag(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main.main(["serve", "--help"])
    said = capsys.readouterr().out
    assert [name for name in FIELDS if f"--{name.replace('_', '-')}" not in said] == []


def test_help_comes_without_a_server_and_without_waiting() -> None:
    """A process of its own: what `--help` imports is part of what it costs."""
    asked = [sys.executable, "-X", "importtime", "-m", "dropengine", "--help"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip() for line in said.stderr.splitlines()}
    assert imported.isdisjoint({"uvicorn", "starlette", "httpx2", "uvloop"})


def test_a_flag_wins_over_the_environment_and_the_file(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dropengine.toml").write_text("tick_ms = 200\nsettle_ms = 300\nport = 7001\n")
    monkeypatch.setenv("PORT", "7002")
    monkeypatch.setenv("DROPENGINE_SETTLE_MS", "400")
    said = run("config", "--show", "--port", "7003").out
    assert "port = 7003  # --port" in said
    assert "settle_ms = 400  # DROPENGINE_SETTLE_MS" in said
    assert "tick_ms = 200  # dropengine.toml line 1" in said


def test_the_secret_is_never_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "canary" * 8)
    assert "canary" not in run("config").out


def test_wrong_settings_are_all_told_at_once(run: Run) -> None:
    ran = run("config", "--port", "70000", "--tick-ms", "soon")
    assert ran.code == 2
    assert "--port" in ran.err
    assert "--tick-ms" in ran.err
    assert "Traceback" not in ran.err


@pytest.fixture
def honest(tmp_path: Path) -> Path:
    path = tmp_path / "log.ndjson"
    path.write_bytes(b"".join(handwritten_logs.text(handwritten_logs.a_rush().log)))
    return path


def test_an_honest_log_is_accepted(run: Run, honest: Path) -> None:
    ran = run("referee", honest)
    assert ran.code == 0
    assert "No violation." in ran.out


def test_a_doctored_log_fails_the_command(run: Run, honest: Path) -> None:
    lines = honest.read_bytes().splitlines(keepends=True)
    honest.write_bytes(b"".join(lines[:3] + lines[4:]))
    ran = run("referee", honest)
    assert ran.code == 1
    assert "INV-5" in ran.out


def test_a_verdict_can_be_read_by_machines(run: Run, honest: Path) -> None:
    verdict = json.loads(run("referee", "--json", honest).out)
    assert verdict["oversold"] == 0
    assert verdict["violations"] == []


def test_a_log_may_come_from_a_pipe(
    run: Run, honest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(honest.read_bytes())))
    assert run("referee", "-").code == 0


def test_a_log_that_is_not_there_is_a_sentence(run: Run, tmp_path: Path) -> None:
    ran = run("referee", tmp_path / "none.ndjson")
    assert ran.code == 1
    assert "No such file" in ran.err


def test_a_shop_that_does_not_run_is_a_sentence(run: Run, data_dir: Path) -> None:
    ran = run("drop", "list")
    assert ran.code == 4
    assert "dropengine serve" in ran.err


def test_a_drop_goes_through_its_whole_life(run: Run, shop: Path) -> None:
    published = run("drop", "publish", MIX, "--by", "ana")
    assert published.code == 0, published.err
    assert "is published" in published.out
    for words, said in (
        (["open", MIX], "live, revision 2"),
        (["message", "hard-mix-a", "Hello."], "revision 3"),
        (["pause", "hard-mix-a", "--why", "lunch"], "paused, revision 4"),
        (["resume", MIX], "live, revision 5"),
        (["withdraw", "hard-mix-a", "night@north", 2], "revision 6"),
        (["add", "hard-mix-a", "night@north", 1], "revision 7"),
        (["close", "hard-mix-a"], "revision 8"),
    ):
        ran = run("drop", *words)
        assert ran.code == 0, ran.err
        assert said in ran.out
    shown = run("drop", "show", "hard-mix-a").out
    assert "night@north" in shown
    assert "revision 8" in shown
    assert run("drop", "list").out.startswith("hard-mix-a\t")


def test_a_log_can_be_exported_and_judged(run: Run, shop: Path, tmp_path: Path) -> None:
    run("drop", "publish", MIX)
    run("drop", "open", MIX)
    log = tmp_path / "exported.ndjson"
    log.write_text(run("drop", "log", MIX).out)
    assert [json.loads(line)["e"] for line in log.read_bytes().splitlines()] == [
        "published",
        "opened",
    ]
    assert run("referee", log).code == 0


ADDRESSES = {
    "a port of this machine": ("http://127.0.0.1:8123", {}),
    "the address people type": ("https://drops.example", {}),
    "under a prefix": ("http://[::1]:80", {"DROPENGINE_REDIS_PREFIX": "shop"}),
}


@pytest.mark.parametrize("name", ADDRESSES)
def test_who_publishes_is_told_where_the_running_shop_shows_it(
    run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    address, env = ADDRESSES[name]
    for variable, value in env.items():
        monkeypatch.setenv(variable, value)
    assert "Its page" not in run("drop", "publish", MIX, "--id", "before").out

    async def claim() -> None:
        settings = Settings(data_dir=shop)
        store = Store.connect(EmbeddedServer(settings).url, *env.values())
        store.house.claim = Claim(data_directory.shop_id(settings), "a1")
        await store.house.lay_claim(1, "", 1, "", 10_000, "")
        await store.house.keep_claim(2, 10_000, address)
        await store.close()

    asyncio.run(claim())
    for ident in ("tonight", "house-1"):
        for _ in range(2):
            told = run("drop", "publish", MIX, "--id", ident, "--key", "k", "--by", "ana")
            assert f"Its page is {address}/drops/{ident}\n" in told.out


def test_a_published_drop_may_open_so_many_seconds_from_now(run: Run, shop: Path) -> None:
    ran = run("drop", "publish", PIN, "--id", "tonight", "--opens-in", 3600)
    assert ran.code == 0, ran.err
    shown = json.loads(run("drop", "show", "tonight", "--json").out)
    assert shown["view"]["state"] == "scheduled"
    assert shown["manifest"]["opens_ms"] > 0


@pytest.mark.parametrize("when", [("--opens-in", 3600), ("--opens-in", 0.5), ("--now",)], ids=str)
def test_a_publish_that_is_repeated_is_one_command(
    run: Run, shop: Path, when: tuple[object, ...]
) -> None:
    """Its words are the same, though the time that they mean is another by then."""
    ident = f"once{len(when)}-{str(when[-1]).strip('-').replace('.', '-')}"
    words = ("drop", "publish", PIN, "--id", ident, "--key", "k", "--by", "ana", *when)
    first = run(*words)
    assert first.code == 0, first.err
    again = run(*words)
    assert (again.code, again.out) == (0, first.out), again.err
    other = run(*words[:7], "--opens-in", 7200, "--by", "ana")
    assert other.code == 1
    assert "key_reused" in other.err


def test_times_are_changed_one_or_both_and_told(run: Run, shop: Path) -> None:
    run("drop", "publish", PIN, "--id", "moved", "--opens-in", 3600)

    def times() -> tuple[int, int]:
        view = json.loads(run("drop", "show", "moved", "--json").out)["view"]
        return view["opens_ms"], view["closes_ms"]

    changed = run("drop", "reschedule", "moved", "--opens", "2101-07-16T18:00:00+02:00")
    assert changed.code == 1
    assert "closes_ms must be after opens_ms" in changed.err
    changed = run(
        "drop", "reschedule", "moved", "--opens", "2101-07-16T18:00:00Z", "--closes", "hand"
    )
    assert changed.code == 0, changed.err
    assert times() == (4_150_980_000_000, 0)
    assert "2101" in run("drop", "show", "moved").out
    assert run("drop", "reschedule", "moved", "--opens", "hand").code == 0
    assert times() == (0, 0)
    past = run("drop", "reschedule", "moved", "--closes", "2026-01-01T00:00:00Z")
    assert past.code == 1
    assert "That time has passed" in past.err


@pytest.mark.parametrize("time", ["soon", "2027-07-16T18:00:00", "1999-01-01T00:00:00Z", "", "0"])
def test_a_time_that_is_none_is_told_with_how_one_looks(
    run: Run, time: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run("drop", "reschedule", PIN, f"--opens={time}")
    assert "or say hand" in capsys.readouterr().err


def test_of_two_operators_the_second_is_refused(run: Run, shop: Path) -> None:
    run("drop", "publish", MIX)
    run("drop", "open", MIX)
    assert run("drop", "pause", MIX, "--revision", 2, "--by", "ana").code == 0
    ran = run("drop", "close", MIX, "--revision", 2, "--by", "ben")
    assert ran.code == 1
    assert "stale_revision" in ran.err
    assert "ana" in ran.err


def test_the_same_key_is_done_once(run: Run, shop: Path) -> None:
    run("drop", "publish", MIX)
    run("drop", "open", MIX)
    words = ("drop", "withdraw", MIX, "night@north", 2, "--revision", 2, "--key", "k", "--by", "a")
    assert run(*words).code == 0
    assert run(*words).code == 0
    pools = json.loads(run("drop", "show", MIX, "--json").out)["view"]["pools"]
    assert next(pool["free"] for pool in pools if pool["id"] == "night@north") == 10


def test_a_refused_command_says_why(run: Run, shop: Path) -> None:
    run("drop", "publish", MIX)
    ran = run("drop", "resume", MIX)
    assert ran.code == 1
    assert ran.err == f"Refused (not_open): {refusals.NotOpen.to_operator}\n"


def test_who_asks_for_what_is_so_already_reads_since_when_and_by_whom(run: Run, shop: Path) -> None:
    run("drop", "publish", MIX)
    run("drop", "open", MIX, "--by", "ana")
    ran = run("drop", "open", MIX, "--by", "ben")
    assert ran.code == 1
    opened = json.loads(run("drop", "log", MIX).out.splitlines()[-1])
    zone = json.loads(run("drop", "show", MIX, "--json").out)["manifest"]["zone"]
    assert opened["e"] == "opened"
    assert ran.err == (
        f"Refused (already): {refusals.Already.sentence} "
        f"(state: live, last command: opened, by: ana, at: {summary.moment(opened['at'], zone)})\n"
    )
    ran = run("drop", "resume", MIX, "--revision", 2)
    assert "already" in ran.err
    assert "by: ana" in ran.err


def test_a_taken_id_is_told_with_what_took_it(run: Run, shop: Path) -> None:
    run("drop", "publish", MIX)
    again = run("drop", "publish", MIX)
    assert again.code == 1
    assert again.err.startswith("Refused (exists): These very rules are published")
    assert again.err.endswith("(state: scheduled, same: yes)\n")
    other = run("drop", "publish", PIN, "--id", "hard-mix-a")
    assert other.err.startswith("Refused (exists): Other rules are published")
    run("drop", "cancel", MIX, "--confirm", "hard-mix-a")
    gone = run("drop", "publish", MIX)
    assert gone.err.startswith("Refused (exists): The drop of this id was cancelled")


def test_operators_read_no_sentence_for_fans(run: Run, shop: Path) -> None:
    run("drop", "publish", MIX)
    run("drop", "open", MIX)
    run("drop", "pause", MIX)
    ran = run("drop", "open", MIX)
    assert ran.err == f"Refused (paused): {refusals.Paused.to_operator}\n"
    run("drop", "cancel", MIX, "--confirm", "hard-mix-a")
    ran = run("drop", "message", MIX, "Hello.")
    assert ran.err == f"Refused (cancelled): {refusals.Cancelled.to_operator}\n"
    for order in ("h1", "1-3", "1 3"):
        ran = run("drop", "refund", MIX, order)
        assert ran.err == f"Refused (not_found): {refusals.NotFound.to_operator}\n"


def test_a_drop_that_is_not_there_is_a_sentence(run: Run, shop: Path) -> None:
    for words in (["show", "none"], ["open", "none"], ["log", "none"]):
        ran = run("drop", *words)
        assert ran.code == 1
        assert "no drop none" in ran.err


def test_a_drop_of_a_newer_version_is_a_sentence_and_the_others_are_served(
    run: Run, shop: Path
) -> None:
    run("drop", "publish", MIX)
    run("drop", "publish", PIN)
    lift(shop, "hard-mix-a", SCHEMA + 1)
    for words in (["show"], ["open"], ["log"], ["cancel"], ["pause", "--revision", 1]):
        ran = run("drop", words[0], "hard-mix-a", *words[1:])
        assert (ran.code, ran.out) == (12, "")
        assert f"hard-mix-a is kept in layout {SCHEMA + 1}; this version" in ran.err
        assert f"knows layouts up to {SCHEMA}" in ran.err
        assert "Run the newer version here too." in ran.err
    listed = run("drop", "list")
    assert listed.code == 0
    assert listed.out.startswith("eclipse-pin\t")
    assert f"hard-mix-a is kept in layout {SCHEMA + 1}" in listed.err
    assert run("drop", "open", PIN).code == 0


def lift(shop: Path, drop: str, schema: int) -> None:
    """Write another number of its layout into a drop, as a newer version would."""

    async def write() -> None:
        store = operators_terms.connect(Settings(data_dir=shop))
        await store.client.hset(keys.one(drop, "drop"), "schema", schema)
        await store.close()

    asyncio.run(write())


def test_five_mistakes_in_a_manifest_are_told_at_once(run: Run, shop: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    text = Path(PIN).read_text()
    text = text.replace("limit = 2 ", "limit = 0 ").replace('mode = "rush"', 'mode = "crowd"')
    text = text.replace('currency = "EUR"', 'currency = "XXX"').replace("cap = 200", "cap = -1")
    broken.write_text(text.replace('zone = "Europe/Madrid"', 'zone = "Mars/Crater"'))
    ran = run("drop", "publish", broken)
    assert ran.code == 2
    assert "5 mistakes" in ran.err
    assert len([line for line in ran.err.splitlines() if "line" in line]) == 5


def test_a_second_shop_on_one_directory_is_refused(run: Run, shop: Path) -> None:
    ran = run("demo", "--headless", "--fans", 5, "--data-dir", shop)
    assert ran.code == 3
    assert "already sells" in ran.err


@pytest.mark.parametrize(
    ("option", "place"),
    [
        ("--report", "nowhere/x"),
        ("--export", "nowhere/x"),
        ("--history", "nowhere/x"),
        ("--report", ""),
        ("--report", "file/x"),
        ("--report", "x" * 300),
    ],
)
def test_a_place_where_nothing_can_be_written_is_said_before_the_play(
    run: Run, tmp_path: Path, option: str, place: str
) -> None:
    (tmp_path / "file").touch()
    shop = tmp_path / "shop"
    path = tmp_path / place
    ran = run("demo", "--headless", "--fans", 5, "--data-dir", shop, option, path)
    assert ran.code == 1
    assert str(path) in ran.err
    assert not shop.exists()


def test_a_server_that_is_not_ours_is_not_killed(run: Run) -> None:
    words = ("demo", "--headless", "--kill", "server", "--redis-url", "redis://127.0.0.1:1/0")
    ran = run(*words)
    assert ran.code == 1
    assert "REDIS_URL" in ran.err


@pytest.mark.parametrize(
    "words", [["--kill", "worker"], ["--units", "5"], ["--report", "r"], ["--mix", "hard"]]
)
def test_what_only_a_rehearsal_does_is_not_silently_left_out(run: Run, words: list[str]) -> None:
    ran = run("demo", *words)
    assert ran.code == 1
    assert "--headless" in ran.err


def test_a_manifests_mistakes_are_told_though_no_shop_runs(run: Run, tmp_path: Path) -> None:
    """Who writes a manifest on the train can have it checked there."""
    bad = tmp_path / "bad.toml"
    bad.write_text('id = "Bad Id"\n', encoding="utf-8")
    ended = run("drop", "publish", str(bad), "--data-dir", str(tmp_path / "none"))
    assert ended.code == 2
    assert "line 1, id" in ended.err


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"PYTHONIOENCODING": "ascii"}, ["config", "--data-dir", "größe"]),
        ({"PYTHONIOENCODING": "latin-1"}, ["config", "--data-dir", "例"]),
        ({"PYTHONIOENCODING": "ascii"}, ["drop", "publish", "größe.toml"]),
        ({"PYTHONIOENCODING": "ascii"}, ["demo", "größe.toml", "--headless"]),
        ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, ["config"]),
        ({"HOME": ""}, ["config", "--data-dir", "~nobody-at-all/x"]),
        ({"HOME": ""}, ["drop", "show", "x", "--data-dir", "~nobody-at-all/x"]),
        ({}, ["config", "--secret-key", b"\xff" * 40]),
        ({}, ["config", "--host", b"\xff"]),
        ({}, ["config", "--config", b"\xff.toml"]),
        ({}, ["drop", "publish", b"\xff.toml"]),
        ({}, ["drop", "show", b"\xff.toml"]),
        ({}, ["serve", "--host", "a..b", "--public-url", "http://localhost:1"]),
        ({"REDIS_URL": " redis://127.0.0.1:1"}, ["doctor"]),
        ({"REDIS_URL": "redis://a..b"}, ["doctor"]),
        ({"DATABASE_URL": " postgresql://127.0.0.1:1/x"}, ["report", "x"]),
        ({"DATABASE_URL": "postgresql://a..b/x"}, ["report", "x"]),
        ({"DROPENGINE_CONFIG": "deep.toml"}, ["config"]),
        ({"DROPENGINE_CONFIG": "long.toml"}, ["config"]),
        ({"DROPENGINE_CONFIG": "/"}, ["config"]),
        ({}, ["drop", "log", "x", "--after", "-5"]),
        ({}, ["drop", "log", "x", "--after", "1e3"]),
        ({}, ["drop", "log", "x", "--after", "9" * 30]),
        ({}, ["demo", "--headless", "--seed", "-1"]),
        ({}, ["referee", "/"]),
        ({}, ["config", "--config", "/"]),
    ],
)
def test_no_traceback_reaches_a_person(
    data_dir: Path, tmp_path: Path, variables: dict[str, str], words: list[str | bytes]
) -> None:
    (tmp_path / "deep.toml").write_text(f"host = {'[' * 5_000}\n")
    (tmp_path / "long.toml").write_text(f"port = {'9' * 5_000}\n")
    ran = subprocess.run(
        [sys.executable, "-m", "dropengine", *words],
        cwd=tmp_path,
        env=os.environ | variables,
        capture_output=True,
        check=False,
    )
    assert b"Traceback" not in ran.stderr
    assert ran.returncode in (0, 1, 2, 4, 14)
    assert ran.stdout or ran.stderr


@pytest.mark.parametrize(
    "words", [["report"], ["ledger", "rebuild"], ["account", "link", "--account"]]
)
def test_sql_is_asked_for_no_letters_that_it_cannot_hold(data_dir: Path, words: list[str]) -> None:
    asked: list[str | bytes] = [sys.executable, "-m", "dropengine", *words, b"\xff\xfe"]
    ran = subprocess.run(asked, capture_output=True, check=False)
    assert (ran.returncode, ran.stderr.splitlines()[-1][-14:]) == (2, b"expected UTF-8")


def test_a_report_that_cannot_be_written_is_a_sentence(data_dir: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        words = [sys.executable, "-m", "dropengine", "config"]
        ran = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, check=False)
    assert ran.stderr.decode().startswith("dropengine: No space left on device")
    assert ran.returncode == 1


def published_by(run: Run, shop: Path) -> str:
    """What SQL calls whom the log names by a word."""
    (line,) = run("drop", "log", PIN).out.splitlines()
    names = asyncio.run(Names(OpenedForEach(Settings(data_dir=shop))).all())
    return names[json.loads(line)["by"]]


def test_who_has_no_name_here_signs_by_his_number(
    run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)

    def nobody(_: int) -> object:
        raise KeyError("uid not found")

    monkeypatch.setattr("pwd.getpwuid", nobody)
    assert run("drop", "publish", PIN).code == 0
    assert published_by(run, shop) == f"user {os.getuid()}"


@pytest.mark.parametrize("name", ["two\nlines", "x" * 65, "\u202e", "\udcff", " ", "disk"])
def test_a_user_name_that_cannot_sign_is_replaced_by_a_number(
    run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("LOGNAME", name)
    assert run("drop", "publish", PIN).code == 0
    assert published_by(run, shop) == f"user {os.getuid()}"
