"""Every setting in one frozen struct: units in names, bounds in types, all mistakes at once.

A value is looked for on the command line, then in the environment, then in the TOML file, then
here. Nothing else in the package reads the environment: settings are handed in.
"""

import difflib
import ipaddress
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from dropengine import (
    beacon_chain,
    database_address,
    mail_address,
    origin_address,
    server_address,
    smtp_address,
)
from dropengine.errors import ConfigError
from dropengine.randomness import CHAINS, Chain

PREFIX = "DROPENGINE_"

# These keep the names that hosting platforms give them.
USUAL_NAMES = {
    "redis_url": "REDIS_URL",
    "database_url": "DATABASE_URL",
    "smtp_url": "SMTP_URL",
    "port": "PORT",
    "host": "HOST",
    "web_concurrency": "WEB_CONCURRENCY",
    "secret_key": "SECRET_KEY",
}

# Names under the prefix that are not settings: where the TOML file is.
RESERVED = frozenset({"DROPENGINE_CONFIG"})

SECRETS = frozenset(
    {"secret_key", "push_key", "metrics_token", "stripe_key", "stripe_webhook_secrets"}
)
"""Settings that are never shown."""
ADDRESSES = frozenset({"redis_url", "database_url", "smtp_url"})
"""Settings of which everything is shown but who asks and by what password."""
NEVER_REPEATED = SECRETS | ADDRESSES
"""Settings of which a mistake repeats nothing."""

SECRET_CHARS_MIN = 32
SHOP_ID_DIGITS = 32


def _says(text: str) -> Meta:
    return Meta(description=text)


def _whole(least: int, most: int, text: str) -> Meta:
    return Meta(ge=least, le=most, description=text)


class Settings(Struct, frozen=True, kw_only=True):
    """What an operator may choose. Units stand last in the names: ms, s, bytes, mib, days."""

    # Where it listens, and how people reach it.
    host: Annotated[str, Meta(min_length=1, description="address to listen on")] = "127.0.0.1"
    port: Annotated[int, _whole(0, 65_535, "port to listen on; 0 takes any free one")] = 8000
    public_url: Annotated[
        str | None,
        _says("address that people type; needed when others can reach `host`"),
    ] = None
    origins: Annotated[
        tuple[str, ...], _says("further origins whose pages may talk to this server")
    ] = ()
    forwarded_allow_ips: Annotated[
        tuple[str, ...],
        _says("proxies (addresses or networks) whose `X-Forwarded-*` headers are believed"),
    ] = ()

    language: Annotated[
        Literal["en", "de"],
        _says(
            "of pages for fans whose browser asks for none that the shop speaks, where neither "
            "they nor the drop's maker chose one"
        ),
    ] = "en"

    # The server of the truth.
    redis_url: Annotated[
        str | None, _says("Valkey >= 8 or Redis >= 7.2; without it the embedded server is used")
    ] = None
    redis_prefix: Annotated[
        Annotated[str, Meta(pattern="^[a-z0-9-]{1,32}(?!\\n)$")] | None,
        _says(
            "stands before all names at the server, as `shop:{drop}:pools`: so two shops live side "
            "by side on one; 1 to 32 of a-z, 0-9 and '-'"
        ),
    ] = None
    accept_weaker: Annotated[
        bool,
        _says(
            "serve although the server may lose what was sold: a second of it when power fails "
            "(`appendfsync everysec`), all when it stops (`appendonly no`)"
        ),
    ] = False
    redis_timeout_ms: Annotated[
        int, _whole(100, 60_000, "wait this long for an answer, then the server is away")
    ] = 2_000
    maxmemory_mib: Annotated[
        int, _whole(16, 1_048_576, "memory of the embedded server; full means refusing, not losing")
    ] = 512
    server_load_s_max: Annotated[
        int, _whole(5, 86_400, "the embedded server may take this long to read its log at start")
    ] = 600

    # What is kept on disk.
    data_dir: Annotated[Path, _says("private directory for everything that is kept")] = Path("data")
    database_url: Annotated[
        str | None,
        _says(
            "PostgreSQL >= 13 for people and books; without it they are kept in "
            "`data_dir/shop.sqlite`"
        ),
    ] = None
    disk_free_mib_min: Annotated[
        int,
        _whole(
            16,
            1_073_741_824,
            "less free disk than this, and sales pause; with twice as much for 10 s they go on",
        ),
    ] = 200
    secret_key: Annotated[
        Annotated[str, Meta(min_length=SECRET_CHARS_MIN)] | None,
        _says("signs passes; made on the first run and kept in `data_dir/secret`"),
    ] = None
    shop_id: Annotated[
        Annotated[str, Meta(pattern=f"^[0-9a-f]{{{SHOP_ID_DIGITS}}}(?!\\n)$")] | None,
        _says(
            "what providers know this shop by, 128 bits as 32 hex digits; made on the first run "
            "and kept in `data_dir/shop_id`. Hosts of one shop are given the same"
        ),
    ] = None
    ticket_days: Annotated[int, _whole(1, 365, "a guest's pass is good for this long")] = 180

    # How payments are made.
    pay_provider: Annotated[
        str,
        Meta(
            pattern=r"^[a-z_]{1,32}(?!\n)$",
            description="the provider at which payments begin where a fan chooses no other",
        ),
    ] = "local"
    local_pay: Annotated[
        bool,
        _says(
            "let the test provider `local`, which moves no money, take drops that are no practice "
            "too: for demos and tests"
        ),
    ] = False
    stripe_key: Annotated[
        Annotated[str, Meta(pattern=r"^[sr]k_(test|live)_[A-Za-z0-9_]{1,240}(?!\n)$")] | None,
        _says(
            "the secret or restricted key of the shop's account at Stripe, where cards are paid; "
            "needs `dropengine[stripe]`"
        ),
    ] = None
    stripe_webhook_secrets: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^whsec_[A-Za-z0-9+/=_-]{1,240}(?!\n)$")], ...],
        _says(
            "what Stripe signs its word to `/api/pay/webhooks/stripe` with; two while one is being "
            "replaced"
        ),
    ] = ()
    stripe_api_url: Annotated[
        str | None, _says("another place of Stripe's API than its own: for tests")
    ] = None

    # How people are called.
    smtp_url: Annotated[
        str | None,
        _says(
            "the server that takes our mail: `smtp://`, `smtp+starttls://` or `smtps://`, with "
            "`user:password@` before its host; without it letters are files in `data_dir/mail`"
        ),
    ] = None
    mail_from: Annotated[
        str | None, _says("the address that letters come from; needed with `smtp_url`")
    ] = None

    push_key: Annotated[
        Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{43}(?!\n)$")] | None,
        _says(
            "the private key that push services know this shop by; made on the first run and kept "
            "in `data_dir/push_key`. Hosts of one shop are given the same"
        ),
    ] = None
    public_mail_domains: Annotated[
        tuple[str, ...],
        _says(
            "mail domains, beside those that everybody knows, at which anybody may have an "
            "address: `domain_most` counts nobody there"
        ),
    ] = ()
    push_services: Annotated[
        tuple[str, ...],
        _says(
            "push services that fans' browsers may be called by, with all names below each; "
            "without any, every one that can be reached over the internet"
        ),
    ] = ()
    push_here: Annotated[
        bool, _says("let this machine be a push service, by http too: for tests")
    ] = False

    beacon_chain: Annotated[
        str | None,
        _says(
            "the chain of a drand network that drops name a round of, as JSON, just as its servers "
            "tell it under `/HASH/info`; without it quicknet, which everybody knows. Fans are told "
            "that the shop named it"
        ),
    ] = None
    beacon_urls: Annotated[
        tuple[str, ...],
        _says(
            "servers that are asked in this order for a round of a public beacon, by drops whose "
            "order hangs on one"
        ),
    ] = (
        "https://api.drand.sh",
        "https://api2.drand.sh",
        "https://api3.drand.sh",
        "https://drand.cloudflare.com",
    )

    # Processes and what they say.
    web_concurrency: Annotated[int, _whole(1, 64, "web processes, each with its own socket")] = 1
    metrics_token: Annotated[
        Annotated[str, Meta(min_length=SECRET_CHARS_MIN)] | None,
        _says("`/metrics` is told to who shows it as a bearer; without it only to this machine"),
    ] = None
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], _says("least important line that is logged")
    ] = "info"
    shutdown_s_max: Annotated[
        int, _whole(1, 300, "time for requests to finish when the server is told to stop")
    ] = 5

    # Pace.
    tick_ms: Annotated[int, _whole(20, 5_000, "screens get the state at most this often")] = 100
    settle_ms: Annotated[int, _whole(10, 10_000, "due things are looked for this often")] = 250
    view_ms: Annotated[
        int, _whole(100, 10_000, "a worker with watchers re-reads the state at least this often")
    ] = 1_000
    thin_s: Annotated[
        int,
        _whole(
            0,
            86_400,
            "so often it is looked whether the shop is calm and something can leave the server of "
            "the truth: rows of logs that the books have, holds that came to nothing a day ago; "
            "0: never",
        ),
    ] = 60
    archive_s: Annotated[
        int,
        _whole(
            0,
            10 * 365 * 86_400,
            "so long after its last event a drop that is over leaves the server of the truth for "
            "SQL, with nothing owed any more; a refund or a late payment brings it back; 0: never",
        ),
    ] = 180 * 86_400
    thin_events_kept: Annotated[
        int,
        _whole(
            1, 1_000_000_000, "so many of a drop's newest events stay in the server all the same"
        ),
    ] = 10_000
    clock_leap_ms_max: Annotated[
        int, _whole(100, 60_000, "a larger leap of the server's clock pauses the drop")
    ] = 2_000

    # Limits of what comes in.
    batch_max: Annotated[int, _whole(1, 256, "commands in one script call")] = 256
    queue_max: Annotated[
        int, _whole(1, 1_000_000, "commands waiting in one worker; beyond it: come back later")
    ] = 8_192
    heads_max: Annotated[
        int,
        _whole(
            1,
            1_000_000,
            "connections in one worker whose first request is not whole yet; with one more, the "
            "oldest of them goes",
        ),
    ] = 4_096
    http_max: Annotated[
        int,
        _whole(1, 1_000_000, "open connections in one worker that are neither socket nor stream"),
    ] = 8_192
    http_per_network_max: Annotated[
        int, _whole(1, 1_000_000, "the same from one IPv4 address or IPv6 /64")
    ] = 1_024
    streams_max: Annotated[int, _whole(1, 1_000_000, "open event streams in one worker")] = 1_000
    sockets_max: Annotated[int, _whole(1, 1_000_000, "open sockets in one worker")] = 15_000
    sockets_per_network_max: Annotated[
        int,
        _whole(
            1,
            1_000_000,
            "open sockets in one worker from one IPv4 address or IPv6 /64, and as many streams",
        ),
    ] = 256
    handshakes_per_s_max: Annotated[
        int, _whole(1, 100_000, "new sockets a second in one worker; the rest come back, jittered")
    ] = 3_000
    messages_per_s_max: Annotated[
        int, _whole(1, 10_000, "messages a second from one socket, after a burst of twice that")
    ] = 20
    requests_per_s_max: Annotated[
        int, _whole(1, 1_000_000, "requests a second from one IPv4 address or IPv6 /64, per worker")
    ] = 100
    tickets_at_once_max: Annotated[
        int,
        _whole(
            0,
            1_000_000,
            "new tickets at once to one IPv4 address or IPv6 /64, by all workers together, and "
            "four times that to its /24 or /48; 0: no limit",
        ),
    ] = 300
    ticket_each_ms: Annotated[
        int,
        _whole(1, 3_600_000, "then one more in each of so many ms; a ticket one has stays good"),
    ] = 1_000
    sign_ins_at_once_max: Annotated[
        int,
        _whole(
            1,
            1_000,
            "tries at once to sign in to one account from where it never did, by all workers "
            "together; as many of each browser that did; four times that from one network",
        ),
    ] = 10
    sign_in_each_ms: Annotated[int, _whole(1, 3_600_000, "then one more in each of so many ms")] = (
        30_000
    )
    proof_s_max: Annotated[
        int,
        _whole(
            60,
            86_400,
            "so long after somebody signed in he may change keys, proofs, roles and sessions; then "
            "he is asked once more who he is",
        ),
    ] = 900
    letters_at_once_max: Annotated[
        int,
        _whole(
            1,
            100_000,
            "letters to sign in by that fans of one IPv4 address or IPv6 /64 ask for at once, from "
            "all workers together, and four times that of its /24 or /48",
        ),
    ] = 60
    letter_each_ms: Annotated[int, _whole(1, 3_600_000, "then one more in each of so many ms")] = (
        5_000
    )
    frame_bytes_max: Annotated[int, _whole(512, 65_536, "one message over a socket")] = 4_096
    body_bytes_max: Annotated[int, _whole(1_024, 16_777_216, "one request's body")] = 65_536
    header_bytes_max: Annotated[int, _whole(1_024, 1_048_576, "one request's headers")] = 16_384
    header_s_max: Annotated[int, _whole(1, 300, "time for a request's headers to arrive")] = 10
    body_s_max: Annotated[int, _whole(1, 300, "time for a request's body to arrive")] = 15
    answer_s_max: Annotated[
        int, _whole(1, 300, "an answer that nobody takes for this long is cut off")
    ] = 15
    keep_alive_s: Annotated[int, _whole(1, 600, "an idle HTTP connection is kept this long")] = 15

    # Sockets that are slow or silent.
    ping_s: Annotated[int, _whole(1, 300, "a socket is pinged this often")] = 20
    pong_s_max: Annotated[int, _whole(1, 300, "silent for this long: it is closed")] = 20
    seat_buffer_bytes_max: Annotated[
        int,
        _whole(1_024, 16_777_216, "unsent bytes of an event stream above which ticks are skipped"),
    ] = 65_536
    seat_behind_ms_max: Annotated[
        int, _whole(100, 60_000, "a socket that is behind for this long is closed with 1013")
    ] = 5_000


FIELDS: dict[str, msgspec.structs.FieldInfo] = {f.name: f for f in msgspec.structs.fields(Settings)}


def env_name(field: str) -> str:
    """The environment variable of a setting."""
    return USUAL_NAMES.get(field, PREFIX + field.upper())


def load(
    argv_overrides: Mapping[str, object], env: Mapping[str, str], toml: Path | None
) -> tuple[Settings, dict[str, str]]:
    """Gather the settings: command line, then environment, then TOML file, then defaults.

    argv_overrides: by field name; None means "not given".
    Returns the settings and, by field name, where each came from (`default`, `--port`, `PORT`,
    `drop.toml line 3`). Raises ConfigError with every mistake in every source, each naming it.
    """
    mistakes: list[str] = []
    found: dict[str, tuple[object, str]] = {}
    found |= _from_toml(toml, mistakes)
    found |= _from_env(env, mistakes)
    found |= _from_argv(argv_overrides, mistakes)
    values: dict[str, Any] = {}
    origins = dict.fromkeys(FIELDS, "default")
    for name, (raw, source) in found.items():
        origins[name] = source
        try:
            values[name] = _convert(name, raw)
        except (msgspec.ValidationError, ValueError) as fault:
            shown = "" if name in NEVER_REPEATED else f", got {raw!r}"
            mistakes.append(f"{source}: {name}: {_sentence(fault)}{shown}")
    # What is wrong by itself stays at its default here, so that the rules across settings are
    # still checked and their mistakes told in the same go.
    settings = Settings(**values)
    mistakes += _across(settings, origins)
    if mistakes:
        raise ConfigError(mistakes)
    resolved = settings.data_dir.absolute()
    return msgspec.structs.replace(settings, data_dir=resolved), origins


def _from_argv(argv: Mapping[str, object], mistakes: list[str]) -> dict[str, tuple[object, str]]:
    found: dict[str, tuple[object, str]] = {}
    for name, value in argv.items():
        flag = "--" + name.replace("_", "-")
        if name not in FIELDS:
            mistakes.append(f"{flag}: there is no such setting{_nearest(name, FIELDS)}")
        elif value is not None:
            found[name] = (value, flag)
    return found


def _from_env(env: Mapping[str, str], mistakes: list[str]) -> dict[str, tuple[object, str]]:
    names = {env_name(field): field for field in FIELDS}
    mistakes += [
        f"{name}: there is no such setting{_nearest(name, names)}"
        for name in sorted(env)
        if name.startswith(PREFIX) and name not in names and name not in RESERVED
    ]
    # An empty variable is how compose files and shells say "not set".
    return {field: (env[name], name) for name, field in names.items() if env.get(name)}


def _from_toml(path: Path | None, mistakes: list[str]) -> dict[str, tuple[object, str]]:
    if path is None:
        return {}
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else str(fault)
        mistakes.append(f"{path.name or path}: cannot be read: {reason}")
        return {}
    found: dict[str, tuple[object, str]] = {}
    for name, value in table.items():
        source = f"{path.name} line {_line_of(text, name)}"
        if name in FIELDS:
            found[name] = (value, source)
        else:
            mistakes.append(f"{source}: there is no setting {name!r}{_nearest(name, FIELDS)}")
    return found


def _line_of(text: str, key: str) -> int:
    """The line on which a top-level key or table begins; tomllib keeps no positions."""
    begins = re.compile(rf"""^\s*\[*\s*["']?{re.escape(key)}["']?\s*[=.\]]""")
    return next((n for n, line in enumerate(text.splitlines(), 1) if begins.match(line)), 1)


def _nearest(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
_WORDS = {"yes": True, "on": True, "no": False, "off": False}


def _convert(name: str, raw: object) -> object:
    """One setting from text or a TOML value. Raises ValueError or ValidationError."""
    field = FIELDS[name]
    if any("\ud800" <= letter <= "\udfff" for letter in str(raw)):
        # What a shell or an environment gives in other bytes comes as lone surrogates.
        raise ValueError("expected UTF-8")
    if isinstance(field.default, tuple) and isinstance(raw, str):
        raw = tuple(part.strip() for part in raw.split(",") if part.strip())
    elif isinstance(field.default, bool) and isinstance(raw, str):
        raw = _WORDS.get(raw.strip().lower(), raw.strip())
    elif isinstance(raw, bool) and not isinstance(field.default, bool):
        raise ValueError("expected a number or text, not true or false")
    # Text may stand for a number only where a source knows nothing but text.
    value = msgspec.convert(raw, field.type, strict=not isinstance(raw, str), dec_hook=_from_text)
    for check in _CHECKS.get(name, ()):
        check(value)
    return value


def _from_text(kind: type, raw: object) -> object:
    if kind is Path:
        if isinstance(raw, Path):
            return raw
        if isinstance(raw, str) and raw and "\0" not in raw:
            try:
                return Path(raw).expanduser()
            except RuntimeError:
                raise ValueError("expected a path: there is no home directory for its ~") from None
        raise ValueError("expected a path")
    raise NotImplementedError(kind)


def _to_text(value: object) -> str:
    if isinstance(value, Path):
        return os.fspath(value)
    raise NotImplementedError(type(value))


def _origin(value: object) -> None:
    if value is not None:
        origin_address.check(str(value))


def _origin_list(value: object) -> None:
    assert isinstance(value, tuple)
    for one in value:
        _origin(one)


def _domain_list(value: object) -> None:
    assert isinstance(value, tuple)
    for one in value:
        if not _DOMAIN.fullmatch(one):
            raise ValueError("expected mail domains in small letters like mail.example, with no @")


def _proxies(value: object) -> None:
    assert isinstance(value, tuple)
    for one in value:
        if one != "*":
            ipaddress.ip_network(one, strict=False)


def _redis(value: object) -> None:
    if value is not None:
        server_address.check(str(value))


def _database(value: object) -> None:
    if value is not None:
        database_address.check(str(value))


def _smtp(value: object) -> None:
    if value is not None:
        smtp_address.parse(str(value))


def _mail_from(value: object) -> None:
    if value is not None:
        mail_address.check(str(value))


def _chain(value: object) -> None:
    if value is not None:
        beacon_chain.parse(str(value))


def _host(value: object) -> None:
    server_address.check_host(str(value))


_CHECKS = {
    "host": (_host,),
    "public_url": (_origin,),
    "stripe_api_url": (_origin,),
    "origins": (_origin_list,),
    "public_mail_domains": (_domain_list,),
    "beacon_chain": (_chain,),
    "beacon_urls": (_origin_list,),
    "forwarded_allow_ips": (_proxies,),
    "redis_url": (_redis,),
    "database_url": (_database,),
    "smtp_url": (_smtp,),
    "mail_from": (_mail_from,),
}


def _sentence(fault: Exception) -> str:
    text = str(fault).removesuffix(" - at `$`").removesuffix(", got `str`")
    if text.startswith("Invalid enum value"):
        text = "no such choice"
    return text[:1].lower() + text[1:]


def _across(settings: Settings, origins: Mapping[str, str]) -> list[str]:
    """Mistakes that no setting makes alone."""
    mistakes = []
    if settings.public_url is None and not is_loopback(settings.host):
        mistakes.append(
            f"{origins['host']}: host: {settings.host} can be reached from other machines; "
            f"say {env_name('public_url')}, the address people type, so that only its pages may buy"
        )
    if settings.smtp_url is not None and settings.mail_from is None:
        mistakes.append(
            f"{origins['smtp_url']}: smtp_url: say {env_name('mail_from')} too, the address that "
            f"letters come from"
        )
    if settings.stripe_key is not None and not settings.stripe_webhook_secrets:
        mistakes.append(
            f"{origins['stripe_key']}: stripe_key: say {env_name('stripe_webhook_secrets')} too, "
            f"what Stripe signs its word with"
        )
    if settings.stripe_key is not None and settings.public_url is None:
        mistakes.append(
            f"{origins['stripe_key']}: stripe_key: say {env_name('public_url')} too, where Stripe "
            f"leads payers back to"
        )
    own = settings.beacon_chain is not None and chain_of(settings).hash not in CHAINS
    if own and origins["beacon_urls"] == "default":
        mistakes.append(
            f"{origins['beacon_chain']}: beacon_chain: say {env_name('beacon_urls')} too, the "
            f"servers that tell the rounds of this chain"
        )
    if settings.view_ms < settings.tick_ms:
        source = origins["view_ms"]
        mistakes.append(f"{source}: view_ms: expected at least tick_ms ({settings.tick_ms})")
    return mistakes


def chain_of(settings: Settings) -> Chain:
    """The chain that drops name a round of."""
    return beacon_chain.parse(settings.beacon_chain)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def public_url(settings: Settings) -> str:
    """The address that people type, without a slash at its end."""
    if settings.public_url is not None:
        return settings.public_url
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def show(settings: Settings, origins: Mapping[str, str]) -> str:
    """One line per setting with its value and where it came from. Secrets are hidden."""
    return "".join(
        f"{name} = {value}  # {origin}\n" for name, value, origin in in_force(settings, origins)
    )


def in_force(settings: Settings, origins: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Each setting with its value, secrets hidden, and where it came from."""
    for name in FIELDS:
        yield name, _shown(name, getattr(settings, name)), origins.get(name, "default")


def _shown(name: str, value: object) -> str:
    if value is None:
        return "(none)"
    if name in SECRETS:
        return "(hidden)"
    if name in ADDRESSES:
        return server_address.shown(str(value))
    if isinstance(value, bool | int):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{one}"' for one in value) + "]"
    return f'"{value}"'


def to_json(settings: Settings) -> bytes:
    """Settings for a child process. Holds secrets: hand it over a pipe, never on a command line."""
    return msgspec.json.encode(settings, enc_hook=_to_text)


def from_json(raw: bytes) -> Settings:
    """What `to_json` wrote."""
    return msgspec.json.decode(raw, type=Settings, dec_hook=_from_text)


class SettingRow(Struct, frozen=True):
    """One line of the table of settings in the documentation."""

    name: str
    env: str
    default: str
    bounds: str
    says: str

    def markdown(self) -> str:
        return f"| `{self.name}` | `{self.env}` | {self.default} | {self.bounds} | {self.says} |"


def rows() -> Sequence[SettingRow]:
    """The table of settings, in the order of the struct."""
    return [_row(field) for field in FIELDS.values()]


def in_a_word(default: object) -> str:
    """A default as somebody would set it."""
    return ",".join(default) if isinstance(default, tuple) else str(default).lower()


def _row(field: msgspec.structs.FieldInfo) -> SettingRow:
    meta = next(m for m in field.type.__metadata__ if isinstance(m, Meta))
    kind = field.type.__origin__
    if meta.ge is not None:
        bounds = f"{meta.ge} to {meta.le}"
    elif field.name == "push_key":
        bounds = "32 bytes in base64url"
    elif field.name in ("stripe_key", "stripe_webhook_secrets"):
        bounds = "as Stripe gives it" + (", two with a comma" if field.default == () else "")
    elif field.name in SECRETS:
        bounds = f"{SECRET_CHARS_MIN} characters or more"
    elif getattr(kind, "__origin__", None) is Literal:
        bounds = ", ".join(f"`{word}`" for word in kind.__args__)
    elif isinstance(field.default, bool):
        bounds = "yes, no"
    elif isinstance(field.default, tuple):
        bounds = "list, with commas"
    else:
        bounds = "text"
    default = "" if field.default in (None, ()) else f"`{in_a_word(field.default)}`"
    assert meta.description is not None
    return SettingRow(field.name, env_name(field.name), default, bounds, meta.description)
