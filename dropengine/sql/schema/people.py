"""Who runs a shop: makers and accounts, what proves them, what they did.

Of every secret only a hash is kept. Times are ms since 1970 of the shop's clock; 0 stands for "not
yet", '' for "none".
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table, Text

from dropengine.sql.schema.metadata import METADATA


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


def _text(name: str, *, unique: bool = False) -> Column[str]:
    return Column(name, Text, nullable=False, unique=unique)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _of(table: str, *, key: bool = False) -> Column[str]:
    return Column(
        table.removesuffix("s"),
        Text,
        ForeignKey(f"{table}.id", ondelete="CASCADE"),
        nullable=False,
        primary_key=key,
        index=not key,
    )


MAKERS = Table(
    "makers",
    METADATA,
    _key("id"),
    _text("short", unique=True),
    _text("name"),
    _text("colour"),
    _text("picture"),
    _number("created_ms"),
)
"""`short`: in the ids of its drops once there is more than one maker. `picture`: its address in
`MAKER_PICTURES`, or ''."""

MAKER_PICTURES = Table(
    "maker_pictures",
    METADATA,
    _key("sha256"),
    Column("png", LargeBinary, nullable=False),
)
"""As we drew them anew: nothing that somebody sent is handed on as it came."""

ACCOUNTS = Table(
    "accounts",
    METADATA,
    _key("id"),
    _text("name", unique=True),
    _text("password"),
    _number("created_ms"),
)
"""`password`: an Argon2id hash, or '' for none."""

ACCOUNT_MAILS = Table(
    "account_mails",
    METADATA,
    _of("accounts", key=True),
    _text("address"),
    _text("wanted"),
    _text("token"),
    _number("ends_ms"),
    _number("alarms"),
    Column("zone", Text, nullable=False, server_default=""),
)
"""How an account is reached. `address`: confirmed, or ''. `wanted`: one that is not confirmed yet,
by the link whose hash is `token`, until `ends_ms`; or ''. `alarms`: 1 if it wants to be told.
`zone`: by whose clocks it is told times, '' where that is not known."""

MEMBERS = Table(
    "members",
    METADATA,
    _of("accounts", key=True),
    _of("makers", key=True),
    _text("role"),
    _number("since_ms"),
    Index(None, "maker"),
)

PASSKEYS = Table(
    "passkeys",
    METADATA,
    _key("id"),
    _of("accounts"),
    _text("label"),
    Column("public_key", LargeBinary, nullable=False),
    _number("count"),
    _number("created_ms"),
    _number("used_ms"),
)
"""`id`: the credential's, base64url. `count`: of its signatures, where it counts them."""

CHALLENGES = Table(
    "challenges",
    METADATA,
    _key("browser"),
    Column("challenge", LargeBinary, nullable=False),
    _text("purpose"),
    _text("account"),
    _number("ends_ms"),
    Index(None, "ends_ms"),
)
"""What a passkey must sign, once: `browser` is the hash of what its browser was given."""

SESSIONS = Table(
    "sessions",
    METADATA,
    _key("id"),
    _text("token", unique=True),
    _of("accounts"),
    _text("network"),
    _text("browser"),
    _text("how"),
    _number("since_ms"),
    _number("seen_ms"),
)
"""`token`: its hash. `network`, `browser`: where it was begun, for the person to know it by.
`how`: password, passkey or link."""

NETWORKS = Table(
    "known_networks",
    METADATA,
    _of("accounts", key=True),
    Column("network", Text, primary_key=True),
    _number("seen_ms"),
)
"""From where an account has signed in, as names that nobody can read an address from."""

LINKS = Table(
    "links",
    METADATA,
    _key("id"),
    _text("token", unique=True),
    _text("kind"),
    _text("maker"),
    _text("role"),
    _text("account"),
    _text("by"),
    _number("created_ms"),
    _number("ends_ms"),
    _number("spent_ms"),
)
"""One-time links. `kind`: first (the first account of a shop, or one more owner), invite, back."""

API_KEYS = Table(
    "api_keys",
    METADATA,
    _key("id"),
    _text("token", unique=True),
    _of("makers"),
    _text("label"),
    _text("scope"),
    _text("by"),
    _number("created_ms"),
    _number("used_ms"),
)

MAKERS_DROPS = Table(
    "makers_drops",
    METADATA,
    Column("drop_id", Text, primary_key=True),
    _of("makers"),
    _number("since_ms"),
)
"""Whose a drop is. One that was published on the shop's machine stands here only when somebody gave
it a maker: else it is the first maker's."""

DRAFTS = Table(
    "drafts",
    METADATA,
    _key("id"),
    _of("makers"),
    _text("form"),
    _number("version"),
    _text("by"),
    _number("created_ms"),
    _number("saved_ms"),
    _text("drop_id"),
)
"""Drops that are being written. `form`: what was typed, JSON. `version`: rises with each save; `by`
saved last. `drop_id`: as what it was published, or ''."""

SHOWCASES = Table(
    "showcases",
    METADATA,
    Column("drop_id", Text, primary_key=True),
    _text("shown"),
    _number("version"),
)
"""What a published drop shows beside its rules, JSON."""

PICTURES = Table(
    "pictures",
    METADATA,
    _key("sha256"),
    Column("webp", LargeBinary, nullable=False),
)
"""Of the things that are sold, as we drew them anew, in each width."""

AUDIT = Table(
    "audit",
    METADATA,
    _key("id"),
    _number("at_ms"),
    _text("maker"),
    _text("account"),
    _text("api_key"),
    _text("by"),
    _text("network"),
    _text("what"),
    _text("of"),
    _text("why"),
    _text("outcome"),
    Index(None, "maker", "at_ms"),
)
"""Every change: who, when, from which network, why, and how it ended ('': nobody knows). No row
goes when an account does."""

OPERATORS = Table("operators", METADATA, _key("word"), _text("name"), _text("account"))
"""Who the words are that logs call operators by. `name`: as he signed; `account`: '' of an API key,
and of whoever commands on the shop's machine."""

CHANGES = Table(
    "changes",
    METADATA,
    Column("who", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    _text("asked"),
    _number("status"),
    Column("answer", LargeBinary, nullable=False),
    _number("at_ms"),
    Index(None, "at_ms"),
)
"""What a change under an `Idempotency-Key` was answered; `asked`: the hash of what it asked."""
