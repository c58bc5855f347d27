"""Who may do what: the one table of every door and of every message of a socket.

What does not stand here is refused: an application with a door that has no row does not start
(`check`), and the doors of the studio are made of their rows, so none can be entered past them. Two
answers are alike to whoever may not know: what does not exist, and what is another's, are 404.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from starlette.routing import BaseRoute, Route, WebSocketRoute

from dropengine.creator_commands import COMMANDS

STUDIO = "/api/studio"
"""Where creators' doors stand."""
SOCKET = "/drops/{drop}/live"
NIGHT = "/studio/drops/{drop}/night"
ORDERS = "/studio/drops/{drop}/orders"
COHORTS = "/studio/drops/{drop}/cohorts"
GAME = "/studio/drops/{drop}/game"
REPORT = "/studio/drops/{drop}/report"
MONEY = "/studio/drops/{drop}/money"
DUTIES = "/studio/drops/{drop}/payments"
HANDS = "/studio/drops/{drop}/by-hand"
BANK = "/studio/makers/{maker}/bank"
REHEARSAL = "/studio/drops/{drop}/rehearsal"
NIGHT_COMMANDS = (
    *("open", "seal", "widen", "pause", "resume", "thaw", "realign", "message", "add", "withdraw"),
    *("reschedule", "exempt", "restrict", "close", "cancel"),
)
"""Commands that have a page which says what they will do."""
STUDIO_SOCKET = "/studio/drops/{drop}/live"


class Who(StrEnum):
    """Who may enter. `ANYBODY`: it shows what everybody may see, or asks by itself who is there.
    `FAN`: with a ticket; he meets his own things alone. `KNOWN`: a fan who is signed in.
    `PROVIDER`: its message is signed. `MACHINE`: this one, or a token for the numbers.

    Creators: `PERSON`: with a session, for what is his own. `CREATOR`: a session or an API key, and
    sees what of his maker he may. `READ`, `RUN`, `MANAGE`: who may do so much at the maker of the
    address (see `people/roles.py`). `OWNER`: `MANAGE`, and a person: no key makes keys.
    """

    ANYBODY = "anybody"
    FAN = "fan"
    KNOWN = "known"
    PROVIDER = "provider"
    MACHINE = "machine"
    PERSON = "person"
    CREATOR = "creator"
    READ = "read"
    RUN = "run"
    MANAGE = "manage"
    OWNER = "owner"


class Row(NamedTuple):
    """One door. keyed: it changes something, so it needs an `Idempotency-Key`. fresh: a person must
    have proved lately that it is he; a browser that was left open does not get so far."""

    method: str
    path: str
    who: Who
    keyed: bool = False
    fresh: bool = False


def _studio(
    method: str, path: str, who: Who, *, keyed: bool | None = None, fresh: bool = False
) -> Row:
    """What changes something is keyed, unless said otherwise."""
    return Row(method, STUDIO + path, who, method != "GET" if keyed is None else keyed, fresh)


FANS = (
    Row("GET", SOCKET, Who.ANYBODY),
    Row("POST", "/api/drops/{drop}/{verb}", Who.FAN),
    Row("GET", "/api/drops/{drop}/you", Who.FAN),
    Row("POST", "/api/drops/{drop}/early", Who.FAN),
    Row("GET", "/api/drops/{drop}/game", Who.ANYBODY),
    Row("POST", "/api/drops/{drop}/came", Who.FAN),
    Row("POST", "/api/drops/{drop}/mission", Who.FAN),
    Row("POST", "/api/drops/{drop}/board", Who.FAN),
    Row("GET", "/api/drops/{drop}/why", Who.FAN),
    Row("GET", "/drops/{drop}/why", Who.ANYBODY),
    Row("GET", "/api/drops/{drop}/calls", Who.FAN),
    Row("POST", "/api/drops/{drop}/calls", Who.FAN),
    Row("POST", "/api/drops/{drop}/calls/end", Who.FAN),
    Row("POST", "/api/calls/renew", Who.FAN),
    Row("GET", "/calls.js", Who.ANYBODY),
    Row("GET", "/shop.webmanifest", Who.ANYBODY),
    Row("GET", "/icons/{size}.png", Who.ANYBODY),
    Row("GET", "/api/drops/{drop}", Who.ANYBODY),
    Row("GET", "/api/drops", Who.ANYBODY),
    Row("GET", "/drops/{drop}/events", Who.ANYBODY),
    Row("GET", "/drops/{drop}", Who.ANYBODY),
    Row("GET", "/drops/{drop}/wall", Who.ANYBODY),
    # Whoever has no ticket is led to where he gets one.
    Row("GET", "/drops/{drop}/plain", Who.ANYBODY),
    Row("POST", "/drops/{drop}/plain", Who.ANYBODY),
    # Whoever is not signed in is led to where he can.
    Row("GET", "/drops/{drop}/remind", Who.ANYBODY),
    Row("POST", "/drops/{drop}/remind", Who.ANYBODY),
    Row("GET", "/drops/{drop}/maker", Who.ANYBODY),
    Row("GET", "/makers/{maker}", Who.ANYBODY),
    Row("POST", "/makers/{maker}/follow", Who.ANYBODY),
    # A browser is known there by the hash of its endpoint; to begin it needs a ticket.
    Row("GET", "/api/makers/{maker}/calls", Who.ANYBODY),
    Row("POST", "/api/makers/{maker}/calls", Who.ANYBODY),
    Row("POST", "/api/makers/{maker}/calls/end", Who.ANYBODY),
    Row("GET", "/drops/{drop}/orders/{order}", Who.FAN),
    Row("GET", "/drops/{drop}/holds/{hold}/asked", Who.FAN),
    Row("POST", "/drops/{drop}/holds/{hold}/asked", Who.FAN),
    Row("POST", "/drops/{drop}/orders/{order}/receivers", Who.FAN),
    Row("POST", "/drops/{drop}/orders/{order}/receivers/{receiver}/revoke", Who.FAN),
    # The address of such a link is the secret of who receives a unit.
    Row("GET", "/receive/{token}", Who.ANYBODY),
    Row("POST", "/receive/{token}", Who.ANYBODY),
    Row("GET", "/drops/{drop}/opens.ics", Who.ANYBODY),
    Row("GET", "/drops/{drop}/closes.ics", Who.ANYBODY),
    Row("GET", "/drops/{drop}/order.json", Who.ANYBODY),
    Row("GET", "/drops/{drop}/face.svg", Who.ANYBODY),
    Row("GET", "/drops/{drop}/share.png", Who.ANYBODY),
    # The code is that of a link, which its fan shares.
    Row("GET", "/drops/{drop}/card/{code}.png", Who.ANYBODY),
    Row("GET", "/drops/{drop}/badges/{kind}.svg", Who.ANYBODY),
    Row("GET", "/makers/pictures/{name}", Who.ANYBODY),
    # Its name is the hash of what is there: only who was shown it knows it.
    Row("GET", "/pictures/{name}", Who.ANYBODY),
    Row("GET", "/", Who.ANYBODY),
    Row("POST", "/language", Who.ANYBODY),
    Row("GET", "/static/{name}", Who.ANYBODY),
    Row("GET", "/you", Who.ANYBODY),
    Row("POST", "/you/sign-in", Who.ANYBODY),
    Row("POST", "/you/code", Who.ANYBODY),
    # The address of a letter's link is the secret itself.
    Row("GET", "/you/links/{token}", Who.ANYBODY),
    # The address of a letter that ends letters proves whose they are.
    Row("GET", "/mail/off/{token}", Who.ANYBODY),
    Row("POST", "/mail/off/{token}", Who.ANYBODY),
    Row("POST", "/you/links/{token}", Who.ANYBODY),
    Row("POST", "/you/sign-in/challenge", Who.ANYBODY),
    Row("POST", "/you/sign-in/passkey", Who.ANYBODY),
    Row("POST", "/you/sign-out", Who.ANYBODY),
    Row("POST", "/you/renew", Who.KNOWN),
    Row("POST", "/you/together", Who.KNOWN),
    Row("GET", "/you/reached", Who.KNOWN),
    Row("POST", "/you/reached", Who.KNOWN),
    Row("POST", "/you/sign-out-everywhere", Who.KNOWN),
    Row("POST", "/you/devices/{device}/end", Who.KNOWN),
    Row("POST", "/you/calls", Who.KNOWN),
    Row("POST", "/you/calls/end", Who.KNOWN),
    Row("POST", "/you/passkeys/challenge", Who.KNOWN, fresh=True),
    Row("POST", "/you/passkeys", Who.KNOWN, fresh=True),
    Row("POST", "/you/passkeys/{passkey}/remove", Who.KNOWN, fresh=True),
    Row("GET", "/you/data.json", Who.KNOWN),
    Row("POST", "/you/erase", Who.KNOWN, fresh=True),
    # The address of a payment is a secret of its payer.
    Row("GET", "/pay/local/{intent}", Who.ANYBODY),
    Row("POST", "/pay/local/{intent}", Who.ANYBODY),
    Row("GET", "/pay/by_hand/{intent}", Who.ANYBODY),
    Row("POST", "/api/pay/webhooks/local", Who.PROVIDER),
    Row("POST", "/api/pay/webhooks/by_hand", Who.PROVIDER),
    Row("POST", "/api/pay/webhooks/stripe", Who.PROVIDER),
)
"""Fans' doors ask by themselves, by `doors/identity.py`; the table says what they must answer."""

MACHINES = (
    Row("GET", "/healthz", Who.ANYBODY),
    Row("GET", "/readyz", Who.ANYBODY),
    Row("GET", "/metrics", Who.MACHINE),
    Row("GET", "/openapi.json", Who.ANYBODY),
    Row("GET", "/asyncapi.json", Who.ANYBODY),
)

PAGES = (
    Row("GET", "/studio/sign-in", Who.ANYBODY),
    Row("POST", "/studio/sign-in", Who.ANYBODY),
    Row("POST", "/studio/sign-out", Who.ANYBODY),
    # The address of a one-time link is the secret itself.
    Row("GET", "/studio/links/{token}", Who.ANYBODY),
    Row("POST", "/studio/links/{token}", Who.ANYBODY),
    Row("GET", "/studio/mail/{token}", Who.ANYBODY),
    Row("POST", "/studio/mail/{token}", Who.ANYBODY),
    Row("GET", "/studio/way-back", Who.ANYBODY),
    Row("POST", "/studio/way-back", Who.ANYBODY),
)
"""Creators' pages before they are signed in."""

PANEL = (
    Row("GET", "/studio", Who.PERSON),
    Row("GET", "/studio/account", Who.PERSON),
    Row("POST", "/studio/account/end-others", Who.PERSON, fresh=True),
    Row("POST", "/studio/account/password", Who.PERSON, fresh=True),
    Row("POST", "/studio/account/passkeys", Who.PERSON, fresh=True),
    Row("POST", "/studio/account/passkeys/{passkey}/remove", Who.PERSON, fresh=True),
    Row("POST", "/studio/account/mail", Who.PERSON, fresh=True),
    Row("POST", "/studio/account/mail/remove", Who.PERSON, fresh=True),
    Row("POST", "/studio/account/mail/alarms", Who.PERSON),
    Row("GET", "/studio/letters", Who.PERSON),
    Row("GET", "/studio/letters/{letter}", Who.PERSON),
    Row("GET", "/studio/people", Who.PERSON),
    Row("POST", "/studio/makers/{maker}", Who.MANAGE),
    Row("POST", "/studio/makers/{maker}/members/{account}", Who.MANAGE, fresh=True),
    Row("POST", "/studio/makers/{maker}/invitations", Who.OWNER, fresh=True),
    Row("POST", "/studio/makers/{maker}/invitations/{invitation}/withdraw", Who.MANAGE),
    Row("POST", "/studio/makers/{maker}/keys", Who.OWNER, fresh=True),
    Row("POST", "/studio/makers/{maker}/keys/{api_key}/revoke", Who.MANAGE),
    Row("GET", "/studio/new", Who.PERSON),
    Row("POST", "/studio/makers/{maker}/drafts", Who.RUN),
    Row("GET", "/studio/drafts/{draft}", Who.READ),
    Row("POST", "/studio/drafts/{draft}", Who.RUN),
    Row("GET", "/studio/drafts/{draft}/manifest.toml", Who.READ),
    Row("GET", "/studio/drafts/{draft}/preview", Who.READ),
    Row("GET", "/studio/drafts/{draft}/publish", Who.READ),
    Row("POST", "/studio/drafts/{draft}/publish", Who.RUN),
    Row("POST", "/studio/drafts/{draft}/remove", Who.RUN),
    Row("GET", "/studio/drops/{drop}", Who.READ),
    Row("GET", "/studio/drops/{drop}/manifest.toml", Who.READ),
    Row("POST", "/studio/drops/{drop}/open", Who.RUN),
    Row("POST", "/studio/drops/{drop}/reschedule", Who.RUN),
    Row("POST", "/studio/drops/{drop}/cancel", Who.RUN),
    Row("GET", "/studio/drops/{drop}/words", Who.RUN),
    Row("POST", "/studio/drops/{drop}/words", Who.RUN),
    Row("POST", "/studio/drops/{drop}/copy", Who.RUN),
    Row("GET", NIGHT, Who.READ),
    *(
        Row(method, f"{NIGHT}/{verb}", Who.RUN)
        for verb in NIGHT_COMMANDS
        for method in ("GET", "POST")
    ),
    Row("GET", "/studio/shop", Who.PERSON),
    Row("GET", "/studio/makers/{maker}/audit", Who.MANAGE),
    Row("GET", REPORT, Who.READ),
    Row("GET", COHORTS, Who.READ),
    Row("POST", f"{COHORTS}/{{cohort}}/addresses", Who.RUN),
    Row("POST", f"{COHORTS}/{{cohort}}/strike", Who.RUN),
    Row("POST", f"{COHORTS}/{{cohort}}/codes", Who.RUN),
    Row("POST", f"{COHORTS}/{{cohort}}/codes/strike", Who.RUN),
    Row("GET", f"{COHORTS}/{{cohort}}/addresses.csv", Who.RUN),
    Row("GET", f"{COHORTS}/{{cohort}}/codes.csv", Who.RUN),
    Row("GET", GAME, Who.READ),
    Row("POST", f"{GAME}/missions/{{mission}}/start", Who.RUN),
    Row("POST", f"{GAME}/missions/{{mission}}/end", Who.RUN),
    Row("POST", f"{GAME}/missions/{{mission}}/tap", Who.RUN),
    Row("POST", f"{GAME}/cure", Who.RUN),
    Row("GET", MONEY, Who.READ),
    Row("GET", f"{MONEY}.csv", Who.READ),
    Row("GET", DUTIES, Who.READ),
    Row("POST", DUTIES, Who.RUN),
    Row("POST", f"{DUTIES}/again", Who.RUN),
    Row("GET", HANDS, Who.READ),
    *(
        Row("POST", f"{HANDS}/{verb}", Who.RUN)
        for verb in ("received", "handed-over", "more-time", "sent")
    ),
    Row("GET", BANK, Who.MANAGE),
    Row("POST", BANK, Who.MANAGE, fresh=True),
    Row("GET", REHEARSAL, Who.READ),
    Row("POST", REHEARSAL, Who.RUN),
    Row("POST", f"{REHEARSAL}/stop", Who.RUN),
    Row("GET", f"{REHEARSAL}/now", Who.READ),
    Row("GET", f"{REHEARSAL}/{{rehearsal}}.html", Who.READ),
    Row("GET", f"{REHEARSAL}/{{rehearsal}}.json", Who.READ),
    Row("GET", ORDERS, Who.READ),
    Row("GET", f"{ORDERS}.csv", Who.READ),
    Row("GET", f"{ORDERS}.ndjson", Who.READ),
    Row("GET", f"{ORDERS}/refund", Who.RUN),
    Row("POST", f"{ORDERS}/refund", Who.RUN),
    Row("GET", f"{ORDERS}/packing", Who.RUN),
    Row("POST", f"{ORDERS}/lock", Who.RUN),
    Row("GET", f"{ORDERS}/{{order}}", Who.READ),
    Row("POST", f"{ORDERS}/{{order}}/lock", Who.RUN),
    Row("POST", f"{ORDERS}/{{order}}/handed-over", Who.RUN),
    Row("POST", f"{ORDERS}/{{order}}/note", Who.RUN),
    Row("POST", f"{ORDERS}/{{order}}/came-back", Who.RUN),
)
"""The panel: who is not signed in is shown where he can sign in. Its forms carry their key."""

LIVE = (Row("GET", STUDIO_SOCKET, Who.READ),)
"""The operators' socket, for a session or a key."""

CREATORS = (
    # Who signs in is nobody yet, and a second sign-in is a second session: no key is needed.
    _studio("POST", "/sign-in", Who.ANYBODY, keyed=False),
    _studio("POST", "/sign-in/challenge", Who.ANYBODY, keyed=False),
    _studio("POST", "/sign-in/passkey", Who.ANYBODY, keyed=False),
    _studio("POST", "/links/challenge", Who.ANYBODY, keyed=False),
    _studio("POST", "/links/spend", Who.ANYBODY, keyed=False),
    _studio("POST", "/sign-out", Who.PERSON, keyed=False),
    _studio("GET", "/account", Who.PERSON),
    _studio("POST", "/account/password", Who.PERSON, fresh=True),
    _studio("POST", "/account/passkeys/challenge", Who.PERSON, keyed=False, fresh=True),
    _studio("POST", "/account/passkeys", Who.PERSON, fresh=True),
    _studio("DELETE", "/account/passkeys/{passkey}", Who.PERSON, fresh=True),
    _studio("POST", "/account/mail", Who.PERSON, fresh=True),
    _studio("DELETE", "/account/mail", Who.PERSON, fresh=True),
    _studio("POST", "/account/mail/alarms", Who.PERSON),
    _studio("GET", "/account/sessions", Who.PERSON),
    _studio("DELETE", "/account/sessions/{session}", Who.PERSON, fresh=True),
    _studio("POST", "/account/sessions/end-others", Who.PERSON, fresh=True),
    _studio("POST", "/invitations/accept", Who.PERSON),
    _studio("GET", "/makers", Who.CREATOR),
    _studio("POST", "/makers", Who.PERSON),
    _studio("GET", "/makers/{maker}", Who.READ),
    _studio("PATCH", "/makers/{maker}", Who.MANAGE),
    _studio("GET", "/makers/{maker}/members", Who.READ),
    _studio("PATCH", "/makers/{maker}/members/{account}", Who.MANAGE, fresh=True),
    _studio("DELETE", "/makers/{maker}/members/{account}", Who.MANAGE, fresh=True),
    _studio("GET", "/makers/{maker}/invitations", Who.MANAGE),
    _studio("POST", "/makers/{maker}/invitations", Who.OWNER, fresh=True),
    _studio("DELETE", "/makers/{maker}/invitations/{invitation}", Who.MANAGE),
    _studio("GET", "/makers/{maker}/keys", Who.MANAGE),
    _studio("POST", "/makers/{maker}/keys", Who.OWNER, fresh=True),
    _studio("DELETE", "/makers/{maker}/keys/{api_key}", Who.MANAGE),
    _studio("GET", "/makers/{maker}/audit", Who.MANAGE),
    _studio("POST", "/makers/{maker}/drops/check", Who.READ, keyed=False),
    _studio("POST", "/makers/{maker}/drops", Who.RUN),
    _studio("GET", "/drops", Who.CREATOR),
    _studio("GET", "/drops/{drop}", Who.READ),
    _studio("GET", "/drops/{drop}/log", Who.READ),
    _studio("GET", "/drops/{drop}/holds", Who.READ),
    _studio("GET", "/drops/{drop}/orders", Who.READ),
    _studio("GET", "/drops/{drop}/answers", Who.RUN),
    _studio("GET", "/drops/{drop}/entries", Who.READ),
    _studio("GET", "/drops/{drop}/cohorts", Who.READ),
    _studio("GET", "/drops/{drop}/cohorts/{cohort}", Who.RUN),
    _studio("POST", "/drops/{drop}/cohorts/{cohort}/addresses", Who.RUN),
    _studio("DELETE", "/drops/{drop}/cohorts/{cohort}/addresses", Who.RUN),
    _studio("POST", "/drops/{drop}/cohorts/{cohort}/codes", Who.RUN),
    _studio("POST", "/drops/{drop}/cohorts/{cohort}/codes/strike", Who.RUN),
    _studio("GET", "/drops/{drop}/game", Who.READ),
    _studio("GET", "/drops/{drop}/game/refused", Who.RUN),
    _studio("POST", "/drops/{drop}/game/missions/{mission}/start", Who.RUN),
    _studio("POST", "/drops/{drop}/game/missions/{mission}/end", Who.RUN),
    _studio("POST", "/drops/{drop}/game/missions/{mission}/tap", Who.RUN),
    _studio("POST", "/drops/{drop}/game/cure", Who.RUN),
    _studio("GET", "/drops/{drop}/report", Who.READ),
    *(
        _studio("POST", f"/drops/{{drop}}/{verb}", Who.RUN)
        for verb in (*COMMANDS, "refund", "came-back", "charged-back", "more-time", "duty")
    ),
)
"""The creators' API."""

TABLE: dict[tuple[str, str], Row] = {
    (row.method, row.path): row for row in (*FANS, *MACHINES, *PAGES, *PANEL, *LIVE, *CREATORS)
}

MESSAGES: dict[str, Who] = {
    "hello": Who.ANYBODY,
    "ping": Who.ANYBODY,
    **dict.fromkeys(
        ("hold", "basket", "swap", "claim", "release", "extend", "pay", "unpay"), Who.FAN
    ),
    **dict.fromkeys(("join", "leave", "confirm"), Who.FAN),
}
"""What a socket may say, by its tag."""


def check(routes: Iterable[BaseRoute]) -> None:
    """Default deny: no application is made with a door that has no row."""
    for route in routes:
        if isinstance(route, WebSocketRoute):
            methods, path = {"GET"}, route.path_format
        else:
            if not isinstance(route, Route):
                raise AssertionError(f"{route} is no kind of door that the table knows")
            methods, path = set(route.methods or ()) - {"HEAD"}, route.path_format
        for method in methods:
            # Raised by hand: Python runs without `assert` when it is told to be quick.
            if (method, path) not in TABLE:
                raise AssertionError(f"{method} {path} has no row in doors/access.py")
