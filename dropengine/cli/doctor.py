"""`dropengine doctor`: would a sale go well here? A sentence for each thing that could stop one."""

import asyncio
import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import redis

from dropengine import data_directory, smtp_address
from dropengine.config import Settings
from dropengine.errors import ConfigError, DropEngineError
from dropengine.jobs.disk_watch import disk_free_mib
from dropengine.jobs.findings import Finding, Level, durability, memory
from dropengine.jobs.trial import refusal
from dropengine.mail.carriers import Away, SmtpCarrier
from dropengine.processes import claim_note, embedded_options
from dropengine.processes.embedded_server import EmbeddedServer
from dropengine.processes.listening_sockets import listen
from dropengine.processes.open_file_limit import FILES_BESIDE, raise_file_limit, want_of_files
from dropengine.smtp_address import SmtpAddress
from dropengine.sql import engine
from dropengine.sql.migrate import fitting, revision
from dropengine.truth import server_check
from dropengine.truth.house_keys import HouseKeys
from dropengine.truth.server_check import ServerFacts

# A disk that takes longer than this to keep a write slows every hold down.
SYNC_MS_MAX = 20.0
SYNC_TRIES = 9
MAIL_S_MAX = 5.0


def run(settings: Settings, say: Callable[[str], None] = print) -> int:
    """Say what was found, a line each; 1 when something would stop a sale, else 0."""
    stops = 0
    for found in examine(settings):
        stops += found.level is Level.STOP
        say(f"{found.level:<4}  {found.topic:<10}  {found.sentence}")
    if stops:
        things = "One thing" if stops == 1 else f"{stops} things"
        say(f"{things} would stop a sale here.")
        return 1
    say("A sale can run here.")
    return 0


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything, cheap things first. What is kept is left alone."""
    try:
        data_directory.data_dir(settings)
        if (settings.data_dir / "secret").exists():
            data_directory.secret(settings)
        if (settings.data_dir / "shop_id").exists():
            data_directory.shop_id(settings)
    except DropEngineError as fault:
        yield Finding(Level.STOP, "data", _line(fault))
        return
    yield Finding(Level.OK, "data", f"Everything is kept in {settings.data_dir}.")
    yield _disk(settings)
    yield from _server(settings)
    yield _sql(settings)
    yield _mail(settings)
    yield _files(settings, raise_file_limit())
    yield _address(settings)
    if sys.platform == "linux" and settings.redis_url is None:
        yield overcommit(Path("/proc/sys/vm/overcommit_memory").read_text(encoding="ascii"))
        yield allocator(embedded_options.allocator())


def _disk(settings: Settings) -> Finding:
    free_mib, least_mib = disk_free_mib(settings.data_dir), settings.disk_free_mib_min
    if free_mib < least_mib:
        return Finding(
            Level.STOP, "disk", f"{free_mib} MiB are free and {least_mib} are needed: make room."
        )
    took_ms = _sync_ms(settings.data_dir)
    told = f"{free_mib} MiB are free, and a write is safe after {took_ms:.1f} ms"
    if took_ms > SYNC_MS_MAX:
        return Finding(Level.WARN, "disk", f"{told}: a faster disk makes every hold faster.")
    return Finding(Level.OK, "disk", f"{told}.")


def _sync_ms(directory: Path) -> float:
    """The median time in which a small write reaches the disk, in ms."""
    took = []
    with tempfile.TemporaryFile(dir=directory) as probe:
        for _ in range(SYNC_TRIES):
            begun = time.perf_counter()
            probe.write(bytes(4096))
            probe.flush()
            os.fsync(probe.fileno())
            took.append((time.perf_counter() - begun) * 1000)
    return statistics.median(took)


def _server(settings: Settings) -> Iterator[Finding]:
    try:
        with _asked(settings) as (found, refused, another, place):
            name = f"{found.name.capitalize()} {found.version}"
            yield Finding(Level.OK, "server", f"{name}, {place}.")
            yield Finding(Level.OK, "rights", "Its user may run every command of a sale.")
            if another is not None:
                yield _claimed(another)
            yield _writes(refused)
            yield durability(found)
            yield memory(found)
    except DropEngineError as fault:
        yield Finding(Level.STOP, "server", _line(fault))


@contextlib.contextmanager
def _asked(settings: Settings) -> Iterator[tuple[ServerFacts, str, str | None, str]]:
    """The facts of the server that a sale would use, why it writes nothing, where another shop
    sells from it, and where it is."""
    if settings.redis_url is not None:
        yield *_facts(settings, settings.redis_url), "named by REDIS_URL"
        return
    embedded = EmbeddedServer(settings)
    if embedded.pid is not None:
        yield *_facts(settings, embedded.url), f"embedded, running as process {embedded.pid}"
        return
    # Tried out beside the real data, which a trial has no business to open.
    with tempfile.TemporaryDirectory(dir=settings.data_dir, prefix=".doctor-") as scratch:
        trial = msgspec.structs.replace(settings, data_dir=Path(scratch))
        with EmbeddedServer(trial) as one:
            yield *_facts(settings, one.url), "embedded; it starts and answers"


def _facts(settings: Settings, url: str) -> tuple[ServerFacts, str, str | None]:
    """What it says of itself, why it writes nothing ('' when it does), and the address of another
    shop that claims it."""
    client, prefix = server_check.client(url, settings.redis_timeout_ms), settings.redis_prefix
    try:
        found = server_check.check_server(client, settings.accept_weaker, prefix)
        names = HouseKeys(prefix)
        another = _another_shop(settings, client.hmget(names.claim, "shop", "address"))
        try:
            client.set(names.proof, "doctor", px=1)
        except redis.RedisError as fault:
            return found, refusal(_said(fault))[1], another
        return found, "", another
    finally:
        client.close()


def _another_shop(settings: Settings, claim: Sequence[bytes | str | None]) -> str | None:
    """Where people reach the other shop that claims the server; None without one. claim: whose it
    is, and that address."""
    shop, address = (one.decode() if isinstance(one, bytes) else one or "" for one in claim)
    kept = settings.shop_id is not None or (settings.data_dir / "shop_id").exists()
    own = data_directory.shop_id(settings) if kept else None
    return address if shop not in ("", own) else None


def _claimed(address: str) -> Finding:
    return Finding(
        Level.STOP,
        "claim",
        f"The server is claimed by another shop, at {address or '?'}: give this one a server or a "
        f"redis_prefix of its own, or start it with --take-over once that shop is gone for good.",
    )


def _said(fault: redis.RedisError) -> str:
    """The server's own words; the library takes the first one off where it knows it."""
    return getattr(fault, "status_code", None) or str(fault)


def _writes(refused: str) -> Finding:
    """Whether it would write a sale down now. refused: why not."""
    if refused:
        return Finding(Level.STOP, "writing", f"Nothing can be written: {refused}.")
    return Finding(Level.OK, "writing", "It takes what a sale writes.")


def _sql(settings: Settings) -> Finding:
    """SQL away stops no sale. One that was never used is left alone."""
    if settings.database_url is None and not engine.path(settings).exists():
        return Finding(
            Level.OK, "sql", f"People and books will be kept in {engine.path(settings)}."
        )
    try:
        one = engine.connect(settings)
        try:
            with engine.transaction(one, writes=False) as connection:
                name = connection.dialect.name
                version = ".".join(map(str, connection.dialect.server_version_info or ()))
                found = revision(connection)
                if found is not None:
                    fitting(found)
        finally:
            one.dispose()
    except DropEngineError as fault:
        return Finding(Level.WARN, "sql", f"{_line(fault)} Sales go on without people and books.")
    kind = f"PostgreSQL {version}" if name == "postgresql" else "SQLite"
    return Finding(Level.OK, "sql", f"People and books are kept in {kind}.")


def _mail(settings: Settings) -> Finding:
    """Whether people can be called. No sale waits for it."""
    if settings.smtp_url is None:
        return Finding(
            Level.OK,
            "mail",
            f"Letters are files in {settings.data_dir / 'mail'}: SMTP_URL lets them be sent.",
        )
    address = smtp_address.parse(settings.smtp_url)
    away = asyncio.run(_knocks(address))
    place = f"{address.host} port {address.port}"
    if away is not None:
        told = f"Nobody is called: the mail server at {place} says {away.said!r}."
        return Finding(Level.WARN, "mail", told)
    return Finding(Level.OK, "mail", f"{place} takes our mail, from {settings.mail_from}.")


async def _knocks(address: SmtpAddress) -> Away | None:
    carrier = SmtpCarrier(address, MAIL_S_MAX)
    try:
        return await carrier.come()
    finally:
        await carrier.leave()


def _files(settings: Settings, limit: int) -> Finding:
    if limit < 2 * FILES_BESIDE:
        return Finding(
            Level.STOP, "files", f"A process may open {limit} files, too few: raise `ulimit -n`."
        )
    if want := want_of_files(settings, limit):
        return Finding(Level.WARN, "files", want)
    return Finding(Level.OK, "files", f"A web process may open {limit} files.")


def _address(settings: Settings) -> Finding:
    where = f"{settings.host} port {settings.port}"
    if EmbeddedServer(settings).pid is not None or claim_note.kept(settings.data_dir):
        return Finding(Level.OK, "address", f"A shop runs on this data, set up for {where}.")
    try:
        for one in listen(settings.host, settings.port, 1):
            one.close()
    except DropEngineError as fault:
        return Finding(Level.STOP, "address", _line(fault))
    return Finding(Level.OK, "address", f"Nobody else listens on {where}.")


def overcommit(mode: str) -> Finding:
    """Whether the server can copy itself to rewrite its log. mode: the kernel's word, 0, 1 or 2."""
    if mode.strip() == "1":
        return Finding(Level.OK, "overcommit", "The server can rewrite its log at any size.")
    return Finding(
        Level.WARN,
        "overcommit",
        "A large server may fail to rewrite its log when memory is short, and the log grows: "
        "run `sysctl vm.overcommit_memory=1`.",
    )


def allocator(library: str | None) -> Finding:
    """Whether the embedded server stays fast in a long sale. library: its jemalloc, if any."""
    if library is not None:
        return Finding(Level.OK, "allocator", f"The server takes its memory from {library}.")
    return Finding(
        Level.WARN,
        "allocator",
        "Without jemalloc every sale costs the server a third more, later half as much again: "
        "install it, on Debian and Ubuntu with `apt-get install libjemalloc2`.",
    )


def _line(fault: DropEngineError) -> str:
    text = "; ".join(fault.mistakes) if isinstance(fault, ConfigError) else str(fault)
    return " ".join(text.split()).rstrip(".") + "."
