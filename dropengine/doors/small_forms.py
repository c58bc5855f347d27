"""Small forms of our own pages, read whole."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

FORM_FIELDS_MAX = 16
FORM_BYTES_MAX = 8_192
NOT_OURS = "signing.not_ours"
UNREADABLE = "signing.not_whole"
"""Why a form is none of ours: sentences of the catalogue."""


async def fields_of(request: Request, fields_max: int = FORM_FIELDS_MAX) -> dict[str, str] | str:
    """A form's fields, or the name of the sentence that says why it is none of ours."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return NOT_OURS
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return UNREADABLE
    try:
        text = (await request.body()).decode()
        fields = parse_qsl(text, keep_blank_values=True, max_num_fields=fields_max)
    except (ClientDisconnect, ValueError):
        return UNREADABLE
    # No browser writes a NUL into a form, and PostgreSQL takes none.
    return UNREADABLE if any("\0" in value for _, value in fields) else dict(fields)
