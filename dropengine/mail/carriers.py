"""Who carries a mail away: an SMTP server, or, where there is none, a folder of files.

What a carrier says is a value: taken, to be tried again, refused for good, or that nothing can be
carried now. A server that did not answer may have taken the mail all the same: it is tried again
under the same Message-ID.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from collections.abc import Iterable
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

import aiosmtplib
from msgspec import Struct

from dropengine.mail.letter import on_a_line
from dropengine.smtp_address import SmtpAddress

ANSWER_S_MAX = 20.0
SAID_CHARS_MAX = 300
WHOLE = ".eml"
HALF = ".part"
"""A file that is being written, or whose writer died over it."""


class Taken(Struct, frozen=True):
    """Somebody else answers for the mail from now on."""


class Deferred(Struct, frozen=True):
    """Not now; `said` are the server's words, or ours where it said nothing."""

    said: str


class Refused(Struct, frozen=True):
    """Never this mail; `said` are the server's words."""

    said: str


class Bounced(Struct, frozen=True):
    """Never to this reader; `said` are the server's words."""

    said: str


class Away(Struct, frozen=True):
    """Nothing is carried now, whatever the mail: no connection, or the server wants nothing of us.
    `said`: why."""

    said: str


Carried = Taken | Deferred | Refused | Bounced | Away


class Carrier(Protocol):
    """Carries one mail after another. Never raises for what a server, a network or a disk does."""

    async def carry(self, mail: EmailMessage) -> Carried: ...
    async def leave(self) -> None:
        """Say goodbye; the next mail makes another connection."""


class _Answer(Protocol):
    @property
    def code(self) -> int: ...
    @property
    def message(self) -> str: ...


class SmtpCarrier:
    """Hands mails to one server over one connection, one mail after another.

    trust: whose certificates are believed; without it those that this machine believes.
    """

    def __init__(
        self,
        address: SmtpAddress,
        answer_s_max: float = ANSWER_S_MAX,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._password = address.password
        self._client = aiosmtplib.SMTP(
            hostname=address.host,
            port=address.port,
            use_tls=address.protection == "tls",
            start_tls=address.protection == "starttls",
            username=address.user or None,
            password=address.password or None,
            timeout=answer_s_max,
            tls_context=trust,
        )

    async def carry(self, mail: EmailMessage) -> Carried:
        """Never raises for what a server or a network does."""
        away = await self.come()
        if away is not None:
            return away
        try:
            # The bytes as they are: the library would write the headers anew.
            sender, reader = mail["From"].addresses[0].addr_spec, str(mail["To"])
            await self._client.sendmail(sender, [reader], mail.as_bytes())
        except aiosmtplib.SMTPRecipientsRefused as refusal:
            first = refusal.recipients[0]
            said = self._words(first)
            return Bounced(said) if _final(first) else Deferred(said)
        except aiosmtplib.SMTPResponseException as refusal:
            if not self._client.is_connected:
                # It ended the talk in mid-sentence, which says nothing about this mail.
                return Deferred(self._words(refusal))
            if isinstance(refusal, aiosmtplib.SMTPSenderRefused | aiosmtplib.SMTPHeloError):
                # It is us whom it does not want: the next mail would hear the same.
                await self.leave()
                return Away(self._words(refusal))
            said = self._words(refusal)
            return Refused(said) if _final(refusal) else Deferred(said)
        except (aiosmtplib.SMTPException, OSError) as fault:
            self._client.close()
            return Deferred(self._on_a_line(f"the connection was lost: {_named(fault)}"))
        return Taken()

    async def come(self) -> Away | None:
        """Be connected and known to the server; why not."""
        if self._client.is_connected:
            return None
        try:
            await self._client.connect()
        except aiosmtplib.SMTPAuthenticationError:
            # Its words might repeat who asked.
            self._client.close()
            return Away("the server does not accept our name and password")
        except aiosmtplib.SMTPResponseException as refusal:
            self._client.close()
            return Away(self._words(refusal))
        except (aiosmtplib.SMTPException, OSError) as fault:
            self._client.close()
            return Away(self._on_a_line(f"no connection: {_named(fault)}"))
        return None

    async def leave(self) -> None:
        """Say goodbye; the next mail makes another connection."""
        with contextlib.suppress(aiosmtplib.SMTPException, OSError):
            if self._client.is_connected:
                await self._client.quit()
        self._client.close()

    def _words(self, answer: _Answer) -> str:
        return self._on_a_line(f"{answer.code} {answer.message}")

    def _on_a_line(self, words: str) -> str:
        # A server may repeat whatever it was told.
        if self._password:
            words = words.replace(self._password, "...")
        return on_a_line(words)[:SAID_CHARS_MAX]


def _named(fault: Exception) -> str:
    words = str(fault).strip()
    if words and not words.endswith(":"):
        return words
    # The library names the place and not what was wrong there.
    return f"{words} {type(fault.__cause__ or fault).__name__}".strip()


def _final(answer: _Answer) -> bool:
    return 500 <= answer.code < 600


class FileCarrier:
    """Lays mails into a folder that only the shop's own user reads, one file a Message-ID."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def carry(self, mail: EmailMessage) -> Carried:
        """A repeat writes the same file again, whole or not at all."""
        name = str(mail["Message-ID"]).strip("<>").partition("@")[0]
        try:
            await asyncio.to_thread(self._lay_down, f"{name}{WHOLE}", mail.as_bytes())
        except OSError as fault:
            return Away(f"cannot write the file: {fault.strerror}")
        return Taken()

    async def leave(self) -> None:
        """Nothing is kept open."""

    def _lay_down(self, name: str, content: bytes) -> None:
        whole = self._folder / name
        half = whole.with_suffix(HALF)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        half.unlink(missing_ok=True)
        half.touch(mode=0o600, exist_ok=False)
        with half.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        half.replace(whole)


def file_of(folder: Path, letter: str) -> Path:
    """The file of a letter, where mails are files."""
    return folder / f"{letter}{WHOLE}"


def remove_files(folder: Path, letters: Iterable[str]) -> None:
    """Whoever is forgotten is forgotten there too. Letters without a file are none."""
    for one in letters:
        whole = file_of(folder, one)
        for path in (whole, whole.with_suffix(HALF)):
            path.unlink(missing_ok=True)


def letters_in(folder: Path) -> set[str]:
    """Letters of which there is a file, or half of one."""
    return {path.stem for end in (WHOLE, HALF) for path in folder.glob(f"*{end}")}
