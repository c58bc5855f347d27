"""The creators' API for `/openapi.json`: from the table of doors and the types that they read and
write."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from dropengine.creator_commands import COMMANDS, ChargedBack, Correct, EndDuty, MoreTime
from dropengine.doors.access import CREATORS, STUDIO, Row, Who
from dropengine.doors.studio import cohort_doors as cohorts
from dropengine.doors.studio import drop_messages as drops
from dropengine.doors.studio import game_doors as games
from dropengine.doors.studio import studio_messages as told
from dropengine.doors.studio.cohort_doors import COHORTS
from dropengine.doors.studio.command_doors import body_of
from dropengine.doors.studio.game_doors import GAME, MISSION
from dropengine.doors.studio.studio_answers import StudioProblem
from dropengine.jobs.ledger.report import Report
from dropengine.model import ID_CHARS_MAX
from dropengine.people.makers import Member

Node = dict[str, Any]

KEY: Node = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": ID_CHARS_MAX},
    "description": "The same key with the same body is answered as the first time.",
}
IF_MATCH: Node = {
    "name": "If-Match",
    "in": "header",
    "schema": {"type": "string"},
    "description": "The tag of the drop as it was read, instead of `revision`.",
}
REFUSED = ("400", "401", "403", "404", "409", "415", "429", "503")


class Door(NamedTuple):
    """What a door does, reads and writes. query: names of what may stand behind the `?`. text: the
    kind of another form of its answer."""

    summary: str
    answer: Any
    body: type[msgspec.Struct] | None = None
    query: tuple[str, ...] = ()
    text: str = ""


def _first_sentence(kind: type[msgspec.Struct]) -> str:
    return " ".join((kind.__doc__ or "").split()).partition(". ")[0].rstrip(".")


_COMMAND_DOORS = {
    f"/drops/{{drop}}/{verb}": Door(_first_sentence(kind), drops.Commanded, kind)
    for verb, kind in COMMANDS.items()
}
ONE = "/makers/{maker}"
DOORS: dict[tuple[str, str], Door] = {
    ("POST", "/sign-in"): Door("Sign in by name and password", told.SignedIn, told.SignIn),
    ("POST", "/sign-in/challenge"): Door("What a passkey must sign to sign in", told.Challenge),
    ("POST", "/sign-in/passkey"): Door(
        "Sign in by what a passkey signed", told.SignedIn, told.PasskeySigned
    ),
    ("POST", "/links/challenge"): Door(
        "What a new passkey must sign to spend a link with", told.Challenge, told.LinkChallenge
    ),
    ("POST", "/links/spend"): Door("Use a one-time link up", told.SignedIn, told.SpendLink),
    ("POST", "/sign-out"): Door("End this session", told.Gone),
    ("GET", "/account"): Door("Who I am, by what I prove it, where I belong", told.AccountView),
    ("POST", "/account/password"): Door(
        "Set a password; every other session ends", told.Gone, told.ChangePassword
    ),
    ("POST", "/account/passkeys/challenge"): Door("What a new passkey must sign", told.Challenge),
    ("POST", "/account/passkeys"): Door("Keep a new passkey", told.PasskeyView, told.NewPasskey),
    ("DELETE", "/account/passkeys/{passkey}"): Door("Remove a passkey", told.Gone),
    ("POST", "/account/mail"): Door(
        "Say where I am reached; a link that confirms it is sent there", told.MailView, told.NewMail
    ),
    ("DELETE", "/account/mail"): Door("Be reached nowhere", told.MailView),
    ("POST", "/account/mail/alarms"): Door(
        "Be told of alarms by mail, or not", told.MailView, told.HearAlarms
    ),
    ("GET", "/account/sessions"): Door("Where I am signed in", list[told.SessionView]),
    ("DELETE", "/account/sessions/{session}"): Door("End a session of mine", told.Gone),
    ("POST", "/account/sessions/end-others"): Door("End every other session of mine", told.Gone),
    ("POST", "/invitations/accept"): Door(
        "Join a maker by an invitation", told.MakerView, told.AcceptInvitation
    ),
    ("GET", "/makers"): Door("The makers I belong to, the oldest first", list[told.MakerView]),
    ("POST", "/makers"): Door("Another maker, by an owner of one", told.MakerView, told.NewMaker),
    ("GET", ONE): Door("One maker", told.MakerView),
    ("PATCH", ONE): Door("Change its name, colour or picture", told.MakerView, told.ChangeMaker),
    ("GET", f"{ONE}/members"): Door("Who belongs to it", list[Member]),
    ("PATCH", f"{ONE}/members/{{account}}"): Door(
        "Give somebody another role", told.Gone, told.ChangeMember
    ),
    ("DELETE", f"{ONE}/members/{{account}}"): Door("Somebody belongs to it no more", told.Gone),
    ("GET", f"{ONE}/invitations"): Door(
        "Invitations that can be accepted still", list[told.InvitationView]
    ),
    ("POST", f"{ONE}/invitations"): Door(
        "A one-time link for somebody, shown once", told.Invited, told.Invite
    ),
    ("DELETE", f"{ONE}/invitations/{{invitation}}"): Door("Take an invitation back", told.Gone),
    ("GET", f"{ONE}/keys"): Door("Its API keys, without their secrets", list[told.KeyView]),
    ("POST", f"{ONE}/keys"): Door("A new API key, shown once", told.KeyMade, told.NewKey),
    ("DELETE", f"{ONE}/keys/{{api_key}}"): Door("Revoke an API key", told.Gone),
    ("GET", f"{ONE}/audit"): Door(
        "What was done, by whom, from where and why", told.AuditPage, query=("before",)
    ),
    ("POST", f"{ONE}/drops/check"): Door(
        "All mistakes of a manifest at once; changes nothing", drops.Checked, drops.CheckManifest
    ),
    ("POST", f"{ONE}/drops"): Door("Publish a drop", drops.Published, drops.Publish),
    ("GET", "/drops"): Door(
        "The drops of my makers, the newest first", drops.DropsPage, query=("after", "maker")
    ),
    ("GET", "/drops/{drop}"): Door("A drop but for its rows", drops.StudioDrop),
    ("GET", "/drops/{drop}/log"): Door("Its events", drops.LogPage, query=("after",)),
    ("GET", "/drops/{drop}/holds"): Door("Its holds and offers", drops.HoldsPage, query=("after",)),
    ("GET", "/drops/{drop}/orders"): Door("Its orders", drops.OrdersPage, query=("after",)),
    ("GET", "/drops/{drop}/answers"): Door(
        "What its fans said of their orders, and who receives them",
        drops.AnswersPage,
        query=("after",),
    ),
    ("GET", "/drops/{drop}/entries"): Door("Its line", drops.EntriesPage, query=("after",)),
    ("GET", COHORTS): Door("Its cohorts, and how many came", list[cohorts.CohortLine]),
    ("GET", f"{COHORTS}/{{cohort}}"): Door(
        "The list and the codes of a cohort",
        cohorts.CohortPage,
        query=("after_address", "after_code"),
    ),
    ("POST", f"{COHORTS}/{{cohort}}/addresses"): Door(
        "Put addresses on its list", cohorts.AddressesListed, cohorts.ListAddresses
    ),
    ("DELETE", f"{COHORTS}/{{cohort}}/addresses"): Door(
        "Nobody is on its list any more", cohorts.Struck
    ),
    ("POST", f"{COHORTS}/{{cohort}}/codes"): Door(
        "New codes, told once", cohorts.CodesMade, cohorts.MakeCodes
    ),
    ("POST", f"{COHORTS}/{{cohort}}/codes/strike"): Door(
        "Codes that nobody used let nobody in", cohorts.CodesStruck, cohorts.StrikeCodes
    ),
    ("GET", GAME): Door("Its missions, and what its points come to", games.GameLine),
    ("GET", f"{GAME}/refused"): Door(
        "What gave no points, and why", games.RefusedPage, query=("after",)
    ),
    ("POST", f"{MISSION}/start"): Door("Start a mission", games.MissionLine, games.StartMission),
    ("POST", f"{MISSION}/end"): Door("End a mission", games.MissionLine),
    ("POST", f"{MISSION}/tap"): Door("Tick off who did it", games.Tapped, games.Tap),
    ("POST", f"{GAME}/cure"): Door("Let a refused row count", games.Cured, games.Cure),
    ("GET", "/drops/{drop}/report"): Door(
        "How its sale went", Report, query=("format",), text="text/csv"
    ),
    **{("POST", path): door for path, door in _COMMAND_DOORS.items()},
    ("POST", "/drops/{drop}/correct"): Door(
        "Put the words of a manifest right; its rules stay", drops.Commanded, Correct
    ),
    ("POST", "/drops/{drop}/refund"): Door(
        "Give an order, units or an amount of it back", drops.Commanded, drops.RefundAsked
    ),
    ("POST", "/drops/{drop}/came-back"): Door(
        "Units given back after the handover came back", drops.Commanded, drops.CameBackAsked
    ),
    ("POST", "/drops/{drop}/charged-back"): Door(
        "A dispute about a payment is lost", drops.Commanded, ChargedBack
    ),
    ("POST", "/drops/{drop}/more-time"): Door(
        "More time for a payment by hand, once", drops.Commanded, MoreTime
    ),
    ("POST", "/drops/{drop}/duty"): Door(
        "End a duty that the provider does not do", drops.Commanded, EndDuty
    ),
}
"""Every row of the table, without the part that all addresses share."""
NOTHING: Node = {"type": "object", "description": "Nothing is read of it: send `{}`."}
"""What no JSON is sent with is refused, so that no page of others can send it."""


def paths(refs: str) -> tuple[Node, Node]:
    """Paths and schemas of the creators' API. refs: where schemas are kept."""
    found = {row: DOORS[row.method, row.path.removeprefix(STUDIO)] for row in CREATORS}
    kinds = [StudioProblem, *(door.answer for door in found.values())]
    kinds += [body for row, door in found.items() if (body := _body(row, door)) is not None]
    schemas, made = msgspec.json.schema_components(kinds, ref_template=refs)
    # As it is read: what a tuple is here is a list there.
    components = msgspec.json.decode(msgspec.json.encode(made))
    named = dict(zip(map(repr, kinds), schemas, strict=True))
    described: Node = {}
    for row, door in found.items():
        body = _body(row, door)
        operation: Node = {
            "summary": door.summary,
            "parameters": _parameters(row, door),
            "responses": _answers(door, named[repr(door.answer)], named[repr(StudioProblem)]),
        }
        if row.who is not Who.ANYBODY:
            operation["security"] = _security(row)
        if row.method in ("POST", "PATCH"):
            schema = NOTHING if body is None else named[repr(body)]
            content = {"application/json": {"schema": schema}}
            operation["requestBody"] = {"required": True, "content": content}
        described.setdefault(row.path, {})[row.method.lower()] = operation
    return described, components


def _body(row: Row, door: Door) -> type[msgspec.Struct] | None:
    """What a door reads; a command's door beside the command who saw what, and why."""
    people = (f"{COHORTS}/", f"{GAME}/")
    of_drop = row.path.startswith(f"{STUDIO}/drops/") and not any(
        part in row.path for part in people
    )
    commands = of_drop and door.body is not None
    return body_of(door.body) if commands and door.body is not None else door.body


def _parameters(row: Row, door: Door) -> list[Node]:
    parts = [part[1:-1] for part in row.path.split("/") if part.startswith("{")]
    text = {"type": "string"}
    found = [{"name": part, "in": "path", "required": True, "schema": text} for part in parts]
    found += [{"name": name, "in": "query", "schema": text} for name in door.query]
    found += [KEY] if row.keyed else []
    verb = row.path.rpartition("/")[2]
    return found + ([IF_MATCH] if row.method == "POST" and verb in COMMANDS else [])


def _security(row: Row) -> list[Node]:
    session: Node = {"session": []}
    persons = row.who in (Who.PERSON, Who.OWNER)
    return [session] if persons else [session, {"key": []}]


def _answers(door: Door, schema: Node, problem: Node) -> Node:
    refusal = {
        "description": "Refused; `code` is one of the closed list.",
        "content": {"application/problem+json": {"schema": problem}},
    }
    content: Node = {"application/json": {"schema": schema}}
    if door.text:
        content[door.text] = {"schema": {"type": "string"}}
    good = {"description": "ok", "content": content}
    return {"200": good, **dict.fromkeys(REFUSED, refusal)}
