"""Passkeys (WebAuthn, level 2): what a browser is asked to sign, and whether it did.

The library checks signatures; the challenge is kept here: for one use, for minutes, for the browser
that asked. The authenticator must have seen its person (`user verification`).
"""

from __future__ import annotations

import json
import logging
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import Column, Connection, Select, Table, delete, func, insert, select, update

from dropengine.people import tokens
from dropengine.sql.schema.people import CHALLENGES, PASSKEYS
from dropengine.sql.schema.persons import PERSON_PASSKEYS

log = logging.getLogger(__name__)

MINUTES = 5
LIFE_MS = MINUTES * 60_000
WAITING_MAX = 10_000
"""Challenges that wait for their signature; whoever asks for one more comes back later."""
PER_ACCOUNT_MAX = 20
SIGN_IN = "sign-in"

HERE = "localhost"

ACCOUNTS: Column[str] = PASSKEYS.c.account
PERSONS: Column[str] = PERSON_PASSKEYS.c.person
"""Whose passkeys: those of makers' accounts, or of fans who are known. The column names the
owner."""

Json = dict[str, Any]


class Passkey(msgspec.Struct, frozen=True):
    """`id`: the credential's, base64url. `count`: of its signatures."""

    id: str
    account: str
    label: str
    public_key: bytes
    count: int
    created_ms: int
    used_ms: int


class Challenge(NamedTuple):
    """What must be signed; `account`: by whose new passkey, or ''."""

    challenge: bytes
    account: str


def by_name(public_url: str) -> str:
    """The same address by a name: browsers make no passkeys for bare ones, and this machine has
    one."""
    for bare in ("://127.0.0.1", "://[::1]"):
        public_url = public_url.replace(bare, f"://{HERE}")
    return public_url


class Passkeys:
    """Ceremonies of one shop. public_url: where people reach it; passkeys are bound to its host."""

    def __init__(self, public_url: str) -> None:
        # As browsers write it.
        parts = urlsplit(by_name(public_url).lower())
        self._host = parts.hostname or HERE
        self._origin = f"{parts.scheme}://{parts.netloc}"

    def to_make(self, name: str, account: str, known: list[str]) -> tuple[Json, bytes]:
        """What the browser is told to make a passkey by, and its challenge. known: ids of those
        that the account has."""
        import webauthn
        from webauthn.helpers import structs

        options = webauthn.generate_registration_options(
            rp_id=self._host,
            rp_name="Drop Engine",
            user_name=name,
            user_id=account.encode(),
            authenticator_selection=structs.AuthenticatorSelectionCriteria(
                resident_key=structs.ResidentKeyRequirement.REQUIRED,
                user_verification=structs.UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[
                structs.PublicKeyCredentialDescriptor(id=webauthn.base64url_to_bytes(one))
                for one in known
            ],
        )
        return json.loads(webauthn.options_to_json(options)), options.challenge

    def to_sign_in(self) -> tuple[Json, bytes]:
        """What the browser is told to sign by, and the challenge. Whoever asks is not known yet, so
        the passkey says who it is."""
        import webauthn
        from webauthn.helpers import structs

        options = webauthn.generate_authentication_options(
            rp_id=self._host, user_verification=structs.UserVerificationRequirement.REQUIRED
        )
        return json.loads(webauthn.options_to_json(options)), options.challenge

    def made(
        self, credential: Json, challenge: Challenge, label: str, now_ms: int
    ) -> Passkey | None:
        """The passkey that a browser made; None when it is not what was asked for."""
        import webauthn
        from webauthn.helpers import bytes_to_base64url

        try:
            found = webauthn.verify_registration_response(
                credential=credential,
                expected_challenge=challenge.challenge,
                expected_rp_id=self._host,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        except Exception as fault:  # noqa: BLE001 - whatever it stumbles over came from outside
            log.info("a passkey was refused: %s", type(fault).__name__)
            return None
        credential_id = bytes_to_base64url(found.credential_id)
        key = found.credential_public_key
        return Passkey(credential_id, challenge.account, label, key, found.sign_count, now_ms, 0)

    def signed(self, credential: Json, challenge: Challenge, passkey: Passkey) -> int | None:
        """The new count of a passkey that signed; None when it did not sign this."""
        import webauthn

        try:
            found = webauthn.verify_authentication_response(
                credential=credential,
                expected_challenge=challenge.challenge,
                expected_rp_id=self._host,
                expected_origin=self._origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.count,
                require_user_verification=True,
            )
        except Exception as fault:  # noqa: BLE001 - whatever it stumbles over came from outside
            log.info("a passkey was refused: %s", type(fault).__name__)
            return None
        return found.new_sign_count


def expect(
    sql: Connection, challenge: bytes, purpose: str, account: str, now_ms: int
) -> str | None:
    """Keep a challenge: the secret for the cookie of the browser that asked; None when too many
    wait."""
    sql.execute(delete(CHALLENGES).where(CHALLENGES.c.ends_ms <= now_ms))
    waiting = sql.execute(select(func.count()).select_from(CHALLENGES)).scalar_one()
    if waiting >= WAITING_MAX:
        return None
    secret = tokens.new()
    row = {
        "browser": tokens.hashed(secret),
        "challenge": challenge,
        "purpose": purpose,
        "account": account,
        "ends_ms": now_ms + LIFE_MS,
    }
    sql.execute(insert(CHALLENGES).values(row))
    return secret


def take(sql: Connection, secret: str, purpose: str, now_ms: int) -> Challenge | None:
    """The challenge of a browser, which is used up by this."""
    here = CHALLENGES.c.browser == tokens.hashed(secret)
    row = sql.execute(select(CHALLENGES).where(here)).first()
    if row is None or sql.execute(delete(CHALLENGES).where(here)).rowcount == 0:
        return None
    if row.purpose != purpose or row.ends_ms <= now_ms:
        return None
    return Challenge(row.challenge, row.account)


def by_id(sql: Connection, credential: str, whose: Column[str] = ACCOUNTS) -> Passkey | None:
    """Whichever has this id."""
    row = sql.execute(_all(whose).where(whose.table.c.id == credential)).first()
    return None if row is None else msgspec.convert(row, Passkey, from_attributes=True)


def of_account(sql: Connection, account: str, whose: Column[str] = ACCOUNTS) -> list[Passkey]:
    """Every passkey of an account, the newest first."""
    kept = whose.table.c
    rows = sql.execute(
        _all(whose).where(whose == account).order_by(kept.created_ms.desc(), kept.id)
    )
    return [msgspec.convert(row, Passkey, from_attributes=True) for row in rows]


def keep(sql: Connection, passkey: Passkey, whose: Column[str] = ACCOUNTS) -> bool:
    """Keep a new one; False when it is known already."""
    if by_id(sql, passkey.id, whose) is not None:
        return False
    row = msgspec.structs.asdict(passkey)
    row[whose.name] = row.pop("account")
    sql.execute(insert(_table(whose)).values(row))
    return True


def used(
    sql: Connection, credential: str, count: int, now_ms: int, whose: Column[str] = ACCOUNTS
) -> None:
    """It signed somebody in."""
    table = _table(whose)
    sql.execute(update(table).where(table.c.id == credential).values(count=count, used_ms=now_ms))


def remove(sql: Connection, account: str, credential: str, whose: Column[str] = ACCOUNTS) -> bool:
    """It signs nobody in any more; False when the account has none of this id."""
    table = _table(whose)
    here = (whose == account, table.c.id == credential)
    return sql.execute(delete(table).where(*here)).rowcount > 0


def _table(whose: Column[str]) -> Table:
    table = whose.table
    assert isinstance(table, Table)
    return table


def _all(whose: Column[str]) -> Select[Any]:
    """Each with its owner under the name that `Passkey` has for him."""
    return select(*(one for one in whose.table.c if one is not whose), whose.label("account"))
