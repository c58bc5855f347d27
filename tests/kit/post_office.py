"""A real mail server in the test's own loop: what it took, who came, and what it does next."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ipaddress
import ssl
import warnings
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

STEPS = ("connect", "ehlo", "mail", "rcpt", "data", "after")
"""Where a connection may be cut: `after` is when it has the mail, and before it says so."""


class PostOffice:
    """`cut`: at this step the connection dies. `silent`: it takes a mail and says nothing.

    certificate: for TLS, by `starttls` or from the first byte. password: who asks must show it.
    """

    def __init__(
        self,
        certificate: ssl.SSLContext | None = None,
        *,
        starttls: bool = False,
        password: str = "",
    ) -> None:
        self.took: list[bytes] = []
        self.connections = 0
        self.open = 0
        self.open_most = 0
        self.to_sender = "250 OK"
        self.to_recipient = "250 OK"
        self.to_mail = "250 OK"
        self.cut = ""
        self.silent = False
        self.came = asyncio.Event()
        self._certificate = certificate
        self._starttls = starttls
        self._password = password
        self.port = 0

    def mails(self) -> list[EmailMessage]:
        """What it took, read. No property: the server looks at every attribute of its handler."""
        return [message_from_bytes(one, policy=default) for one in self.took]

    def to(self, reader: str) -> list[EmailMessage]:
        """What it took for somebody."""
        return [mail for mail in self.mails() if mail["To"] == reader]

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[PostOffice]:
        """At `port` of this machine."""
        whole = self._certificate if not self._starttls else None
        server = await asyncio.get_running_loop().create_server(
            self, "127.0.0.1", self.port, ssl=whole
        )
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    def __call__(self) -> SMTP:
        self.connections += 1
        wants: dict[str, Any] = (
            {"auth_required": True, "authenticator": self._knows} if self._password else {}
        )
        with warnings.catch_warnings():
            # It does not see that TLS was there before its first word.
            warnings.simplefilter("ignore")
            return self._talk(wants)

    def _talk(self, wants: dict[str, Any]) -> SMTP:
        return _Talk(
            self,
            loop=asyncio.get_running_loop(),
            hostname="post.example.org",
            tls_context=self._certificate if self._starttls else None,
            require_starttls=self._starttls,
            auth_require_tls=self._starttls,
            **wants,
        )

    def _knows(self, *asked: Any) -> AuthResult:
        data = asked[-1]
        return AuthResult(success=data.password == self._password.encode(), handled=False)

    async def handle_EHLO(  # noqa: N802 - the name aiosmtpd looks for
        self, server: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self._cut_at("ehlo", server)
        return responses

    async def handle_MAIL(  # noqa: N802 - the name aiosmtpd looks for
        self, server: Any, _session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        self._cut_at("mail", server)
        if self.to_sender.startswith("250"):
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return self.to_sender

    async def handle_RCPT(  # noqa: N802 - the name aiosmtpd looks for
        self, server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        self._cut_at("rcpt", server)
        if self.to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.to_recipient

    async def handle_DATA(  # noqa: N802 - the name aiosmtpd looks for
        self, server: Any, _session: Any, envelope: Any
    ) -> str:
        if self.cut == "data":
            # As if its last bytes had never come.
            self._cut_at("data", server)
            return "451 cut"
        self.took.append(envelope.content)
        self.came.set()
        self._cut_at("after", server)
        if self.silent:
            await asyncio.Event().wait()
        return self.to_mail

    def _cut_at(self, step: str, talk: SMTP) -> None:
        if self.cut == step:
            assert talk.transport is not None
            cast("asyncio.Transport", talk.transport).abort()


class _Talk(SMTP):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        office = cast("PostOffice", self.event_handler)
        office.open += 1
        office.open_most = max(office.open, office.open_most)
        super().connection_made(transport)
        office._cut_at("connect", self)

    def connection_lost(self, error: Exception | None) -> None:
        cast("PostOffice", self.event_handler).open -= 1
        super().connection_lost(error)


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """For this machine's address, made now: what a server shows, and the file that believes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "post.example.org")])
    now = dt.datetime.now(dt.UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    shown, secret = folder / "post.pem", folder / "post.key"
    shown.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown, secret)
    return context, shown
