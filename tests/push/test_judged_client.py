"""The client goes where a name leads only if that is the world, and by the address that it
judged."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dropengine.push import judged_client
from dropengine.push.endpoint import Endpoint, parse
from dropengine.push.judged_client import (
    ANSWER_BYTES_MAX,
    SAID_CHARS_MAX,
    Answer,
    JudgedClient,
    NoAnswer,
    NotAllowed,
    Resolve,
)
from tests.kit.push_service import PushService

NAME = "push.example"


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    async with PushService().at_work() as one:
        yield one


def leads_to(*addresses: str) -> Resolve:
    """A resolver that knows every name by these addresses."""

    async def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    return resolve


@contextlib.asynccontextmanager
async def client(
    resolve: Resolve, *, here: bool = False, context: ssl.SSLContext | None = None
) -> AsyncIterator[JudgedClient]:
    one = JudgedClient(here=here, resolve=resolve, context=context)
    yield one
    await one.close()


async def sent(one: JudgedClient, address: str, *, here: bool = True) -> Answer:
    return await one.post(parse(address, here=here), {"TTL": "60"}, b"sealed")


@pytest.mark.parametrize(
    "addresses",
    [
        ("127.0.0.1",),
        ("10.0.0.1",),
        ("169.254.169.254",),
        ("100.64.0.1",),
        ("0.0.0.0",),  # noqa: S104 - an address that strangers may name
        ("::1",),
        ("::ffff:127.0.0.1",),
        ("64:ff9b::7f00:1",),
        ("2002:7f00:1::",),
        ("fe80::1%lo",),
        ("224.0.0.1",),
        ("168.63.129.16",),
        # A public one beside it, first or last, is no excuse.
        ("93.184.216.34", "127.0.0.1"),
        ("127.0.0.1", "93.184.216.34"),
        ("2606:4700::1111", "::1"),
    ],
)
async def test_a_name_that_leads_inside_is_not_called(
    service: PushService, addresses: tuple[str, ...]
) -> None:
    async with client(leads_to(*addresses)) as one:
        where = Endpoint("http", NAME, service.port, f"http://{NAME}:{service.port}", "/x")
        with pytest.raises(NotAllowed):
            await one.post(where, {}, b"sealed")
    assert service.connections == 0


async def test_a_name_is_asked_once_and_the_address_that_was_judged_is_the_one(
    service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who answers another address the next time has no next time."""
    asked: list[str] = []
    dialled: list[str] = []

    async def rebinds(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["93.184.216.34"] if len(asked) == 1 else ["127.0.0.1"]

    async def dial(host: str, port: int, **_: object) -> None:
        dialled.append(host)
        raise OSError

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "create_connection", lambda _, host, port, **more: dial(host, port))
    async with client(rebinds) as one:
        with pytest.raises(NoAnswer):
            await sent(one, f"https://{NAME}/x", here=False)
    assert asked == [NAME]
    assert dialled == ["93.184.216.34"]
    assert service.connections == 0


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Of a server, and of who believes in it."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    both = folder / "both.pem"
    both.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(both)
    believes = ssl.create_default_context(cadata=made.public_bytes(serialization.Encoding.DER))
    return server, believes


async def test_by_whatever_address_the_certificate_is_the_names(tmp_path: Path) -> None:
    server, believes = certificate(tmp_path, NAME)
    named: list[str] = []
    server.sni_callback = lambda _, name, __: named.append(name)
    async with (
        PushService(server).at_work() as service,
        client(leads_to("127.0.0.1"), here=True, context=believes) as one,
    ):
        answer = await sent(one, f"https://{NAME}:{service.port}/x")
        assert answer.status == 201
        assert named == [NAME]
        (message,) = service.came
        assert message.headers["host"] == f"{NAME}:{service.port}"
        with pytest.raises(NoAnswer):
            await sent(one, f"https://other.example:{service.port}/x")
        assert len(service.came) == 1


async def test_who_has_no_certificate_that_is_believed_hears_nothing(tmp_path: Path) -> None:
    server, _ = certificate(tmp_path, NAME)
    async with (
        PushService(server).at_work() as service,
        client(leads_to("127.0.0.1"), here=True) as one,
    ):
        with pytest.raises(NoAnswer):
            await sent(one, f"https://{NAME}:{service.port}/x")
        assert service.came == []


async def test_an_answer_that_leads_elsewhere_is_not_followed(service: PushService) -> None:
    service.answers = [(307, {"Location": f"{service.origin}/elsewhere"}, b"")]
    async with client(leads_to("127.0.0.1"), here=True) as one:
        answer = await sent(one, f"{service.origin}/x")
    assert answer.status == 307
    assert [one.path for one in service.came] == ["/x"]


async def test_of_a_huge_answer_little_is_read_and_little_told(service: PushService) -> None:
    service.answers = [(400, {}, b"<b>\x1b[31m" + b"x" * 40_000_000)]
    async with client(leads_to("127.0.0.1"), here=True) as one:
        answer = await sent(one, f"{service.origin}/x")
        assert answer.status == 400
        assert len(answer.said) <= SAID_CHARS_MAX < ANSWER_BYTES_MAX
        assert "\x1b" not in answer.said
        # What was left of it is not read by the next either.
        service.answers = [(201, {}, b"")]
        assert (await sent(one, f"{service.origin}/x")).status == 201


@pytest.mark.parametrize(
    "head", [b"nonsense\r\n\r\n", b"HTTP/1.1 201 x\r\n" + b"a: b\r\n" * 60_000]
)
async def test_what_is_no_answer_is_none(head: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with client(leads_to("127.0.0.1"), here=True) as one:
            with pytest.raises(NoAnswer, match="no answer"):
                await sent(one, f"http://127.0.0.1:{port}/x")


async def test_who_says_nothing_is_not_waited_for(
    service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judged_client, "CALL_S_MAX", 0.2)
    service.silent = True
    async with client(leads_to("127.0.0.1"), here=True) as one:
        with pytest.raises(NoAnswer, match="in time"):
            await sent(one, f"{service.origin}/x")


async def test_nor_who_says_it_a_letter_at_a_time(
    service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judged_client, "CALL_S_MAX", 0.3)
    service.drips = True
    async with client(leads_to("127.0.0.1"), here=True) as one:
        with pytest.raises(NoAnswer, match="in time"):
            await sent(one, f"{service.origin}/x")


async def test_a_name_that_nobody_knows_is_told_so() -> None:
    async def unknown(host: str, port: int) -> list[str]:
        raise OSError("nobody knows push.example")

    for resolve in (unknown, leads_to()):
        async with client(resolve) as one:
            with pytest.raises(NoAnswer, match="ConnectError"):
                await sent(one, f"https://{NAME}/x", here=False)


async def test_no_proxy_of_the_machine_is_asked(
    service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, service.origin)
    async with client(leads_to("127.0.0.1")) as one:
        with pytest.raises(NotAllowed):
            await sent(one, f"https://{NAME}/x", here=False)
    assert service.connections == 0


async def test_without_the_judge_the_name_would_lead_inside(
    service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: it is the judge that keeps it from there."""
    monkeypatch.setattr(judged_client, "is_public", lambda _: True)
    async with client(leads_to("127.0.0.1")) as one:
        where = Endpoint("http", NAME, service.port, f"http://{NAME}:{service.port}", "/x")
        assert (await one.post(where, {}, b"sealed")).status == 201
