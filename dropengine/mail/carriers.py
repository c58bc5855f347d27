"""Who carries a mail away: an SMTP server, or, where there is none, a folder of files.

What a carrier says is a value: taken, to be tried again, or refused for good. A server that did
not answer may have taken the mail all the same: it is tried again under the same Message-ID.
"""

from __future__ import annotations

import asyncio
import os
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
from msgspec import Struct

from dropengine.mail.letter import on_a_line
from dropengine.mail.smtp_address import SmtpAddress

ANSWER_S_MAX = 20.0
SAID_CHARS_MAX = 300


class Taken(Struct, frozen=True):
    """Somebody else answers for the mail from now on."""


class Deferred(Struct, frozen=True):
    """Not now; `said` are the server's words, or ours where it said nothing."""

    said: str


class Refused(Struct, frozen=True):
    """Never; `said` are the server's words."""

    said: str


Carried = Taken | Deferred | Refused


class SmtpCarrier:
    """Hands mails to one server over one connection that is kept, one mail after another."""

    def __init__(self, address: SmtpAddress, answer_s_max: float = ANSWER_S_MAX) -> None:
        self._password = address.password
        self._client = aiosmtplib.SMTP(
            hostname=address.host,
            port=address.port,
            use_tls=address.protection == "tls",
            start_tls=address.protection == "starttls",
            username=address.user or None,
            password=address.password or None,
            timeout=answer_s_max,
        )

    async def carry(self, mail: EmailMessage) -> Carried:
        """Never raises for what a server or a network does."""
        try:
            if not self._client.is_connected:
                await self._client.connect()
            await self._client.send_message(mail)
        except aiosmtplib.SMTPRecipientsRefused as refusal:
            first = refusal.recipients[0]
            return self._answered(first.code, first.message)
        except aiosmtplib.SMTPAuthenticationError:
            # The shop's password is wrong, not the mail: the words might repeat who asked.
            self.close()
            return Deferred("the server does not accept our name and password")
        except aiosmtplib.SMTPResponseException as refusal:
            if self._client.is_connected:
                return self._answered(refusal.code, refusal.message)
            # It ended the talk in mid-sentence, which says nothing about this mail.
            return Deferred(self._told(f"{refusal.code} {refusal.message}"))
        except (aiosmtplib.SMTPException, OSError) as fault:
            self.close()
            return Deferred(self._told(f"no answer: {type(fault).__name__}"))
        return Taken()

    def close(self) -> None:
        """Let go of the connection; the next mail makes another."""
        self._client.close()

    def _answered(self, code: int, words: str) -> Carried:
        said = self._told(f"{code} {words}")
        return Refused(said) if 500 <= code < 600 else Deferred(said)

    def _told(self, words: str) -> str:
        # A server may repeat whatever it was told.
        if self._password:
            words = words.replace(self._password, "...")
        return on_a_line(words)[:SAID_CHARS_MAX]


class FileCarrier:
    """Lays mails into a folder that only the shop's own user reads, one file a Message-ID."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def carry(self, mail: EmailMessage) -> Carried:
        """A repeat writes the same file again, whole or not at all."""
        name = str(mail["Message-ID"]).strip("<>").partition("@")[0]
        try:
            await asyncio.to_thread(self._lay_down, f"{name}.eml", mail.as_bytes())
        except OSError as fault:
            return Deferred(f"cannot write the file: {fault.strerror}")
        return Taken()

    def _lay_down(self, name: str, content: bytes) -> None:
        whole = self._folder / name
        half = whole.with_suffix(".part")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        half.unlink(missing_ok=True)
        half.touch(mode=0o600, exist_ok=False)
        with half.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        half.replace(whole)
