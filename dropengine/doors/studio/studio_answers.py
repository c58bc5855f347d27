"""How a creator is answered: JSON, or a problem document with the sentence for who runs a drop."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from dropengine import refusals
from dropengine.doors.http_answers import STATUS, Problem, Written
from dropengine.errors import ManifestError

SQL_AWAY = "Accounts and books cannot be read for a moment. Sales go on meanwhile."
SIGN_IN = "Sign in, or show an API key as a bearer."
PROVE_AGAIN = "Sign in once more, to show that it is still you. Then this goes on."
NOT_ALLOWED = "Your role, or the scope of this key, does not reach that far."
MISTAKES = "The manifest has mistakes. Nothing was changed."
NOTHING_HERE = "There is no such thing here for you."


class StudioProblem(Problem, omit_defaults=True):
    """A `Problem` with what creators are told beside it. `mistakes`: of a manifest, all at once.
    `revision`, `what`, `by`, `at_ms`: the drop's present one, and the last command, by whom and
    when. `sold`, `withheld`: units of the pool. `same`: the very same rules.
    `proof_s_max`: who is signed in must prove again that it is he: his proof is older than that."""

    mistakes: list[str] | None = None
    revision: int | None = None
    what: str | None = None
    by: str | None = None
    at_ms: int | None = None
    sold: int | None = None
    withheld: int | None = None
    same: bool | None = None
    proof_s_max: int | None = None


_TITLES: dict[type[refusals.Refusal], str] = {
    refusals.SignIn: SIGN_IN,
    refusals.NotEligible: NOT_ALLOWED,
    refusals.NotFound: NOTHING_HERE,
}


def refused(
    outcome: refusals.Refusal, *, title: str = "", status: int = 0, detail: str = "", **more: Any
) -> Response:
    """The problem document of a refusal. title: another sentence than the usual one."""
    kind = type(outcome)
    status = status or STATUS.get(kind, 409)
    facts = {k: v for k, v in msgspec.structs.asdict(outcome).items() if v not in ("", None)}
    detail = detail or str(facts.pop("why", ""))
    facts.pop("why", None)
    known = {
        name: value for name, value in facts.items() if name in StudioProblem.__struct_fields__
    }
    body = StudioProblem(
        type=f"/problems/{outcome.code}",
        title=title or _TITLES.get(kind) or _sentence(outcome),
        status=status,
        code=outcome.code,
        detail=detail,
        **(known | more),
    )
    headers: list[tuple[bytes, bytes]] = []
    if body.retry_ms is not None:
        headers.append((b"retry-after", b"%d" % max(1, -(-body.retry_ms // 1000))))
    return Written(msgspec.json.encode(body), status, b"application/problem+json", *headers)


def _sentence(outcome: refusals.Refusal) -> str:
    if isinstance(outcome, refusals.BadMessage):
        return outcome.sentence
    return outcome.for_operator()


def problem_of(answer: Response) -> StudioProblem | None:
    """Why a door of the API refused; None when it did not."""
    if answer.status_code < 400:
        return None
    return msgspec.json.decode(answer.body, type=StudioProblem)


def unfit(why: str, status: int = 0) -> Response:
    """What came cannot be read or is out of its bounds."""
    return refused(refusals.BadMessage(why), status=status)


def mistaken(fault: ManifestError) -> Response:
    """Every mistake of a manifest at once."""
    return refused(
        refusals.BadMessage(), title=MISTAKES, mistakes=fault.mistakes, detail=str(fault)
    )


def taken(title: str) -> Response:
    """A name that is another's, or a thing that is there already."""
    return refused(refusals.Exists(), title=title, same=None)


def stale_proof(proof_s_max: int) -> Response:
    """Who is signed in must prove again that it is he."""
    return refused(refusals.SignIn(), title=PROVE_AGAIN, proof_s_max=proof_s_max)


def sql_away() -> Response:
    """503 with a sentence: what needs SQL waits, selling does not."""
    return refused(refusals.Away(), title=SQL_AWAY)


def told(body: msgspec.Struct | dict[str, Any] | list[Any], status: int = 200) -> Response:
    """200, or another good end."""
    return Written(msgspec.json.encode(body), status)
