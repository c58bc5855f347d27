"""Settings come from four places, and every mistake in any of them is told at once."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from dropengine import config, errors
from dropengine.config import FIELDS, Settings, env_name, load, show
from dropengine.errors import ConfigError, DropEngineError
from dropengine.randomness import QUICKNET
from tests.kit.own_beacon import OwnBeacon

DOCUMENT = Path(__file__).parent.parent / "docs" / "settings.md"


def toml(folder: Path, text: str) -> Path:
    path = folder / "shop.toml"
    path.write_text(text)
    return path


def mistakes(**sources: object) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(
            sources.get("argv", {}),  # type: ignore[arg-type]
            sources.get("env", {}),  # type: ignore[arg-type]
            sources.get("toml"),  # type: ignore[arg-type]
        )
    return caught.value.mistakes


def test_the_command_line_beats_the_environment_beats_the_file_beats_the_default(
    tmp_path: Path,
) -> None:
    file = toml(tmp_path, "\nport = 1\ntick_ms = 21\nsettle_ms = 31\n")
    env = {"PORT": "2", "DROPENGINE_TICK_MS": "22"}
    settings, origins = load({"port": 3, "tick_ms": None}, env, file)
    assert (settings.port, settings.tick_ms, settings.settle_ms) == (3, 22, 31)
    assert settings.batch_max == Settings().batch_max
    assert origins["port"] == "--port"
    assert origins["tick_ms"] == "DROPENGINE_TICK_MS"
    assert origins["settle_ms"] == "shop.toml line 4"
    assert origins["batch_max"] == "default"


def test_all_mistakes_are_told_at_once_and_each_names_its_source(tmp_path: Path) -> None:
    file = toml(tmp_path, 'port = 99999\ntik_ms = 50\nlog_level = "loud"\n')
    found = mistakes(
        argv={"web_concurrency": "many"},
        env={"DROPENGINE_SETTLE_MS": "1", "DROPENGINE_TIKC_MS": "50", "REDIS_URL": "http://x"},
        toml=file,
    )
    assert len(found) == 7
    for source, says in (
        ("shop.toml line 1: port", "65535"),
        ("shop.toml line 2", "did you mean tick_ms?"),
        ("shop.toml line 3: log_level", "'loud'"),
        ("--web-concurrency", "'many'"),
        ("DROPENGINE_SETTLE_MS: settle_ms", ">= 10"),
        ("DROPENGINE_TIKC_MS", "did you mean DROPENGINE_TICK_MS?"),
        ("REDIS_URL: redis_url", "redis://"),
    ):
        assert any(one.startswith(source) and says in one for one in found), (source, found)


def test_a_fault_of_settings_ends_with_its_own_exit_code() -> None:
    fault = ConfigError(["PORT: port: expected a number", "HOST: host: none"])
    assert fault.exit_code == 2
    assert str(fault).splitlines()[0] == "settings: 2 mistakes"


def test_a_file_that_cannot_be_read_is_a_mistake_and_not_a_traceback(tmp_path: Path) -> None:
    assert "cannot be read" in mistakes(toml=tmp_path / "none.toml")[0]
    assert "cannot be read" in mistakes(toml=toml(tmp_path, "port = = 1"))[0]
    (tmp_path / "shop.toml").write_bytes(b"host = '\xff'")
    assert "cannot be read" in mistakes(toml=tmp_path / "shop.toml")[0]


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load({}, {"REDIS_URL": "", "PORT": ""}, None)[0].redis_url is None


def test_the_variable_that_names_the_file_is_no_unknown_setting() -> None:
    load({}, {"DROPENGINE_CONFIG": "x", "PATH": "y"}, None)


@pytest.mark.parametrize(
    ("text", "value"),
    [("yes", True), ("on", True), ("1", True), ("TRUE", True), ("no", False), ("off", False)],
)
def test_the_environment_says_yes_in_the_usual_words(text: str, value: bool) -> None:
    assert load({}, {"DROPENGINE_ACCEPT_WEAKER": text}, None)[0].accept_weaker is value


def test_a_file_must_say_numbers_as_numbers(tmp_path: Path) -> None:
    assert "got True" in mistakes(toml=toml(tmp_path, "port = true"))[0]
    assert "tick_ms" in mistakes(toml=toml(tmp_path, "tick_ms = 50.5"))[0]


def bounded() -> Iterator[tuple[str, int, int]]:
    for name, field in FIELDS.items():
        meta = field.type.__metadata__[0]
        if meta.ge is not None:
            yield name, meta.ge, meta.le


@pytest.mark.parametrize(("name", "least", "most"), list(bounded()))
def test_a_number_keeps_to_its_bounds(name: str, least: int, most: int) -> None:
    for outside in (least - 1, most + 1, 10**40):
        assert any(name in one for one in mistakes(env={env_name(name): str(outside)}))


@pytest.mark.parametrize(
    "origin",
    [
        "drops.example",
        "https://drops.example/",
        "https://Drops.example",
        "https://u:p@drops.example",
        "ftp://drops.example",
        "https://",
        "https://drops.example:99999",
        "https://drops.example:443",
        "http://drops.example:80",
        "https://drops.example:0",
        "https://größe.example",
        "https://drops.example?",
        "https://[::1",
        "https://[1:::2]",
        "https://[0:0:0:0:0:0:0:1]",
        "https://[::ffff:203.0.113.7]",
        "https://127.1",
        "https://010.0.0.1",
        "https://0x7f.1",
        "https://256.1.1.1",
        "https://203.0.113.7.",
        "null",
        "*",
    ],
)
def test_an_origin_is_written_exactly_as_browsers_send_it(origin: str) -> None:
    assert mistakes(env={"DROPENGINE_ORIGINS": f"https://a.example,{origin}"})
    assert mistakes(env={"DROPENGINE_PUBLIC_URL": origin})


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("https://größe.example", "https://xn--gre-6ka8i.example"),
        ("https://Straße.example:8443", "https://xn--strae-oqa.example:8443"),
        ("http://例え.テスト", "http://xn--r8jz45g.xn--zckzah"),
    ],
)
def test_a_name_in_other_letters_is_told_as_browsers_send_it(typed: str, sent: str) -> None:
    (told,) = mistakes(env={"DROPENGINE_PUBLIC_URL": typed})
    assert f"browsers send that name as {sent}" in told
    load({}, {"DROPENGINE_PUBLIC_URL": sent}, None)


@pytest.mark.parametrize(
    "origin",
    [
        "http://203.0.113.7:8000",
        "http://[2001:db8::1:0:0:1]",
        "http://[::ffff:cb00:7107]:8000",
        "https://4u.example",
        "https://drops.example.",
    ],
)
def test_an_address_as_browsers_send_it_is_an_origin(origin: str) -> None:
    load({}, {"DROPENGINE_PUBLIC_URL": origin}, None)


def test_a_server_that_others_can_reach_must_know_its_address() -> None:
    found = mistakes(env={"HOST": "192.168.7.7"})
    assert found[0].startswith("HOST: ")
    assert "DROPENGINE_PUBLIC_URL" in found[0]
    load({}, {"HOST": "192.168.7.7", "DROPENGINE_PUBLIC_URL": "https://drops.example"}, None)
    load({}, {"HOST": "::1"}, None)


def test_secrets_are_never_shown() -> None:
    canary = "canary-" * 6
    env = {"SECRET_KEY": canary, "REDIS_URL": f"redis://fan:{canary}@server:6379/0"}
    assert canary not in show(*load({}, env, None))
    short = "canary-short"
    told = mistakes(env={"SECRET_KEY": short, "REDIS_URL": f"http://fan:{short}@server"})
    assert len(told) == 2
    assert short not in " ".join(told)


def test_everything_shown_says_where_it_came_from() -> None:
    lines = show(*load({"host": "localhost"}, {"PORT": "81"}, None)).splitlines()
    assert len(lines) == len(FIELDS)
    assert 'host = "localhost"  # --host' in lines
    assert "port = 81  # PORT" in lines
    assert "tick_ms = 100  # default" in lines


def test_the_data_directory_does_not_move_with_the_working_directory() -> None:
    settings, _ = load({"data_dir": "somewhere"}, {}, None)
    assert settings.data_dir == Path.cwd() / "somewhere"


def test_settings_reach_a_child_as_they_are(tmp_path: Path) -> None:
    given = Settings(data_dir=tmp_path, origins=("https://a.example",), secret_key="s" * 40)
    assert config.from_json(config.to_json(given)) == given


def test_no_setting_is_undocumented_and_the_table_is_true() -> None:
    lines = DOCUMENT.read_text().splitlines()
    for row in config.rows():
        assert row.markdown() in lines, f"docs/settings.md lacks: {row.markdown()}"


def test_no_setting_is_documented_that_does_not_exist() -> None:
    table = DOCUMENT.read_text().split("## All settings")[1].split("\n## ")[0]
    named = [line.split("`")[1] for line in table.splitlines() if line.startswith("| `")]
    assert named == list(FIELDS)


def test_every_exit_code_is_documented() -> None:
    faults: list[type[DropEngineError]] = [DropEngineError]
    for fault in faults:
        faults += fault.__subclasses__()
    table = DOCUMENT.read_text().split("## Exit codes")[1]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| ")]
    for fault in faults:
        if fault.__module__ == errors.__name__:
            where = [row for row in rows if row[1].strip() == str(fault.exit_code)]
            assert where, f"no row for exit code {fault.exit_code}"
            assert f"`{fault.__name__}`" in where[0][2]


def test_settings_are_frozen() -> None:
    with pytest.raises(AttributeError):
        Settings().port = 1  # type: ignore[misc]


def test_the_environment_is_read_by_whoever_calls_and_nobody_else() -> None:
    before = dict(os.environ)
    os.environ["DROPENGINE_TICK_MS"] = "77"
    try:
        assert load({}, {}, None)[0].tick_ms == Settings().tick_ms
    finally:
        os.environ.clear()
        os.environ.update(before)


def test_every_default_is_within_its_own_bounds() -> None:
    assert config.from_json(config.to_json(Settings())) == Settings()
    assert msgspec.structs.replace(Settings(), port=0).port == 0


def test_who_sends_mail_says_from_whom() -> None:
    assert "DROPENGINE_MAIL_FROM" in mistakes(env={"SMTP_URL": "smtp://localhost"})[0]
    env = {"SMTP_URL": "smtps://ana:s3cret@post.example", "DROPENGINE_MAIL_FROM": "a@pins.example"}
    settings, origins = load({}, env, None)
    assert "s3cret" not in show(settings, origins)
    for wrong in ("ftp://x", "smtp://a:s3cret@post.example", "smtps://a:s3cret@post.example/x?y"):
        told = mistakes(env=env | {"SMTP_URL": wrong})
        assert told
        assert "s3cret" not in " ".join(told)
    assert "mail_from" in mistakes(env=env | {"DROPENGINE_MAIL_FROM": "a@b\r\nBcc: x"})[0]


OWN = OwnBeacon()


def told_chain(**changed: object) -> str:
    return json.dumps(json.loads(OWN.info()) | changed)


def test_a_shop_names_a_chain_by_what_its_servers_tell_of_it(tmp_path: Path) -> None:
    """Quicknet needs no servers to be named, another chain does."""
    known = {"metadata": {"beaconID": "quicknet"}, "groupHash": QUICKNET.group_hash.hex()}
    known |= {"public_key": QUICKNET.public_key.hex(), "hash": QUICKNET.hash}
    assert config.chain_of(load({}, {}, None)[0]) == QUICKNET
    assert config.chain_of(load({"beacon_chain": told_chain(**known)}, {}, None)[0]) == QUICKNET
    file = toml(tmp_path, f"beacon_chain = '{OWN.info()}'\nbeacon_urls = ['http://x.example']\n")
    assert config.chain_of(load({}, {}, file)[0]) == OWN.chain
    (mistake,) = mistakes(env={"DROPENGINE_BEACON_CHAIN": OWN.info()})
    assert mistake == (
        "DROPENGINE_BEACON_CHAIN: beacon_chain: say DROPENGINE_BEACON_URLS too, the servers that "
        "tell the rounds of this chain"
    )


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("{", "expected what a drand server says under /HASH/info, as JSON: "),
        (told_chain(period=0), "expected `int` >= 1 - at `$.period`"),
        (told_chain(public_key="00"), "matching regex"),
        (told_chain(metadata={"beaconID": "<b>"}), "matching regex"),
        (told_chain(schemeID="pedersen-bls-chained"), "with the schemeID bls-unchained-g1-rfc9380"),
        (told_chain(hash="00" * 32), f"the hash of this chain, {OWN.chain.hash}, not 0000"),
        (told_chain(period=4), "expected the hash of this chain, "),
    ],
)
def test_a_chain_that_cannot_be_what_it_says_is_refused(told: str, why: str) -> None:
    (mistake,) = mistakes(argv={"beacon_chain": told})
    assert why in mistake


@pytest.mark.parametrize("wrong", ["Post.example", "@post.example", "post", "post.example."])
def test_a_public_mail_domain_is_a_name_as_it_stands_behind_an_at(wrong: str) -> None:
    assert load({"public_mail_domains": "post.example, mail.co.uk"}, {}, None)
    assert (
        "expected mail domains in small letters" in mistakes(argv={"public_mail_domains": wrong})[0]
    )


def test_no_chain_of_a_shops_own_takes_the_name_of_a_known_one() -> None:
    chain = msgspec.structs.replace(OWN.chain, beacon_id="quicknet")
    (mistake,) = mistakes(
        argv={"beacon_chain": told_chain(hash=chain.hash, metadata={"beaconID": "quicknet"})}
    )
    assert "expected another beaconID: quicknet is the name of a known one" in mistake
