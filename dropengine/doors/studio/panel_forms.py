"""Reads a form that a page of the panel sent: who sent it, within bounds, and whole."""

from __future__ import annotations

from typing import NamedTuple

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from dropengine import creator_commands, plain_text
from dropengine.doors.studio.studio_door import KEY

FORM_BYTES_MAX = 262_144
"""Beside the files that a form may bring."""
HEARD_BYTES_MAX = 64_000_000
"""What is too much is heard to its end, up to here, and kept nowhere: a browser that is cut off
while it sends shows no page that says why."""
FIELDS_MAX = 2_000
FILES_MAX = 4
KINDS = ("application/x-www-form-urlencoded", "multipart/form-data")
NOT_OURS = "This form was sent by another page. Open this one anew, and try again."
UNREADABLE = "The form did not come whole, or holds too much. Go back and look at it."
TOO_HEAVY = (
    "Together with its file this form may have {most} MB, and it has more. Nothing was changed, "
    "and what you typed still stands one step back: go there and send something smaller."
)


class TooHeavy(Exception):
    """A form that holds more than it may. It was heard to its end."""

    def __init__(self, bytes_max: int) -> None:
        super().__init__(TOO_HEAVY.format(most=round(bytes_max / 1_000_000, 1)))


class Unreadable(Exception):
    """A form that cannot be taken, as a sentence."""


class Form(NamedTuple):
    """`fields`: of fields of one name the last counts, `many` has all. `files`: field -> name and
    content. `key`: under which a repeat happens once."""

    key: str
    fields: dict[str, str]
    many: dict[str, list[str]]
    files: dict[str, tuple[str, bytes]]


class _Measured:
    """Hands on what comes while it is no more than it may be."""

    def __init__(self, receive: Receive, bytes_max: int) -> None:
        self._receive = receive
        self._bytes_max = bytes_max
        self._bytes = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._bytes += len(message.get("body", b""))
        if self._bytes <= self._bytes_max:
            return message
        while message["type"] == "http.request" and message.get("more_body", False):
            message = await self._receive()
        raise TooHeavy(self._bytes_max)


async def read_form(request: Request, bytes_max: int) -> Form:
    """The form of a request. Raises TooHeavy and Unreadable."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise Unreadable(NOT_OURS)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in KINDS:
        raise Unreadable(UNREADABLE)
    measured = Request(request.scope, _Measured(request.receive, bytes_max))
    try:
        form = await _parts(measured)
    except (ClientDisconnect, MultiPartException, ValueError):
        raise Unreadable(UNREADABLE) from None
    except HTTPException as fault:
        if fault.status_code != 400:
            raise
        raise Unreadable(UNREADABLE) from None
    if creator_commands.unfit(form.key, KEY):
        raise Unreadable(UNREADABLE)
    return form


async def _parts(request: Request) -> Form:
    fields: dict[str, str] = {}
    many: dict[str, list[str]] = {}
    files: dict[str, tuple[str, bytes]] = {}
    async with request.form(
        max_files=FILES_MAX, max_fields=FIELDS_MAX, max_part_size=FORM_BYTES_MAX
    ) as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                files[name] = (value.filename or "", await value.read())
                continue
            # Browsers send the ends of lines as two characters.
            text = value.replace("\r\n", "\n")
            if plain_text.not_utf8(text):
                raise Unreadable(UNREADABLE)
            fields[name] = text
            many.setdefault(name, []).append(text)
    return Form(fields.pop("key", ""), fields, many, files)
