"""A refusal as an HTTP answer: a problem document (RFC 9457) with the closed list's code."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from dropengine import model

STATUS: dict[type[model.Refusal], int] = {
    model.BadMessage: 400,
    model.SignIn: 401,
    model.NotEligible: 403,
    model.NotFound: 404,
    model.TooManyRequests: 429,
    model.Away: 503,
    model.Frozen: 503,
}
"""Everything else is 409: the request was fine, the state is not."""


class Problem(msgspec.Struct, omit_defaults=True):
    """RFC 9457, with the fields of a `refused` message. `code`: the closed list. `seq`: of the
    log."""

    type: str
    title: str
    status: int
    code: str
    detail: str = ""
    seq: int | None = None
    free: int | None = None
    held: int | None = None
    room: int | None = None
    retry_ms: int | None = None
    state: str | None = None


def problem(status: int | None, outcome: model.Refusal, **more: Any) -> Response:
    """The answer for a refusal; `more`: fields of `Problem`."""
    status = status or STATUS.get(type(outcome), 409)
    retry_ms = getattr(outcome, "retry_ms", None)
    why = getattr(outcome, "why", "")
    body = Problem(
        type=f"/problems/{outcome.code}",
        title=outcome.sentence,
        status=status,
        code=outcome.code,
        detail=why,
        **{"retry_ms": retry_ms, **more},
    )
    headers = {"Cache-Control": "no-store"}
    if retry_ms is not None:
        headers["Retry-After"] = str(max(1, -(-retry_ms // 1000)))
    return Response(
        msgspec.json.encode(body), status, headers, media_type="application/problem+json"
    )
