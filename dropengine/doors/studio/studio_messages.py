"""What the doors of people and makers read and write. Times are ms since 1970."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from dropengine import mail_address, plain_text
from dropengine.creator_commands import Why
from dropengine.people.audit_trail import AuditRow
from dropengine.people.names import (
    AccountName,
    AnyPassword,
    Colour,
    Label,
    MakerName,
    Password,
    ShortName,
    Token,
)
from dropengine.people.pictures import SENT_BYTES_MAX
from dropengine.people.roles import Role, Scope

MailAddress = Annotated[str, Meta(min_length=3, max_length=mail_address.CHARS_MAX)]
Credential = dict[str, Any]
"""What a browser's `PublicKeyCredential.toJSON()` gives."""


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a request."""


class SignIn(Asked, frozen=True):
    name: Annotated[str, Meta(min_length=1, max_length=60)]
    password: AnyPassword


class PasskeySigned(Asked, frozen=True):
    credential: Credential


class LinkChallenge(Asked, frozen=True):
    """`name`: of the new account; with a link that lets somebody back in it is not needed."""

    token: Token
    name: AccountName | None = None


class SpendLink(Asked, frozen=True):
    """`password` or `credential`: by what the account is proven from now on. `maker`, `short`: of
    the shop's first maker, with its first account."""

    token: Token
    name: AccountName | None = None
    password: Password | None = None
    credential: Credential | None = None
    maker: MakerName | None = None
    short: ShortName | None = None


class ChangePassword(Asked, frozen=True):
    """`old`: the present one, where there is one. Every other session ends."""

    password: Password
    old: AnyPassword = ""


class NewPasskey(Asked, frozen=True):
    credential: Credential
    label: Label


class NewMail(Asked, frozen=True):
    """A link that confirms the address is sent to it."""

    address: MailAddress


class HearAlarms(Asked, frozen=True):
    alarms: bool


class AcceptInvitation(Asked, frozen=True):
    token: Token


class NewMaker(Asked, frozen=True):
    name: MakerName
    short: ShortName
    colour: Colour | None = None


class ChangeMaker(Asked, frozen=True):
    """`picture`: a PNG, JPEG or WebP file in base64, which is drawn anew; '' for none."""

    name: MakerName | None = None
    colour: Colour | None = None
    picture: Annotated[bytes, Meta(max_length=SENT_BYTES_MAX)] | None = None


class ChangeMember(Asked, frozen=True):
    role: Role
    why: Why = ""


class Invite(Asked, frozen=True):
    """`mail`: where the link is sent to as well; '' for nowhere."""

    role: Role
    mail: Annotated[str, Meta(max_length=mail_address.CHARS_MAX)] = ""


class NewKey(Asked, frozen=True):
    label: Label
    scope: Scope


class SignedIn(msgspec.Struct, frozen=True):
    """The session is in the cookie."""

    account: str
    name: str


class Challenge(msgspec.Struct, frozen=True):
    """`options`: for `PublicKeyCredential.parse...OptionsFromJSON`."""

    options: dict[str, Any]


class SessionView(msgspec.Struct, frozen=True):
    """`how`: password, passkey or link. `mine`: the one that asks."""

    id: str
    network: str
    browser: str
    how: str
    since_ms: int
    seen_ms: int
    mine: bool


class PasskeyView(msgspec.Struct, frozen=True):
    id: str
    label: str
    created_ms: int
    used_ms: int


class MakerView(msgspec.Struct, frozen=True):
    """`may`: read, run or manage: how far whoever asks may go. `picture`: its address, or ''."""

    id: str
    short: str
    name: str
    colour: str
    picture: str
    created_ms: int
    may: str


class MailView(msgspec.Struct, frozen=True):
    """How an account is reached. `address`: confirmed, or ''. `wanted`: not confirmed yet, or ''.
    `alarms`: is it told of them? `last`: what became of the last letter, or '' (see the settings'
    page); `said`: the mail server's words."""

    address: str
    wanted: str
    alarms: bool
    last: str
    said: str


class AccountView(msgspec.Struct, frozen=True):
    """`password`: is there one?"""

    id: str
    name: str
    created_ms: int
    password: bool
    passkeys: list[PasskeyView]
    makers: list[MakerView]
    mail: MailView


class InvitationView(msgspec.Struct, frozen=True):
    """`mail`: where it was sent to, or ''. `state`: what became of that letter, or ''."""

    id: str
    role: str
    by: str
    created_ms: int
    ends_ms: int
    mail: str = ""
    state: str = ""


class Invited(msgspec.Struct, frozen=True, omit_defaults=True):
    """`address`: of the one-time link. Shown once: a repeat of the request has none."""

    invitation: InvitationView
    address: str = ""


class KeyView(msgspec.Struct, frozen=True):
    id: str
    label: str
    scope: str
    by: str
    created_ms: int
    used_ms: int


class KeyMade(msgspec.Struct, frozen=True, omit_defaults=True):
    """`secret`: the key itself. Shown once: a repeat of the request has none."""

    key: KeyView
    secret: str = ""


class Gone(msgspec.Struct, frozen=True):
    """It is so now. `id`: of what is no more, or was changed."""

    id: str


class AuditPage(msgspec.Struct, frozen=True):
    """The newest first. `before`: where the next page goes on; '': there is none."""

    rows: list[AuditRow]
    before: str


NOBODY_READS = frozenset({"manifest", "password", "old"})
"""Texts that are shown to nobody as they come."""


def fault_in_texts(asked: msgspec.Struct) -> str:
    """What is wrong with a text that people will read, as a sentence, or ''."""
    for name, value in msgspec.structs.asdict(asked).items():
        if isinstance(value, str) and name not in NOBODY_READS and (why := plain_text.unfit(value)):
            return f"{name} {why}"
    return ""
