"""Takes pictures of the things that are sold: a file from a stranger is drawn anew by a process of
its own, which has bounds of memory and time.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import Mapping

from sqlalchemy import Connection

from dropengine.doors.kept_pictures import KeptPictures
from dropengine.people import draw_picture, showcases
from dropengine.people.draw_picture import Drawn, Refused, answer_of
from dropengine.people.showcases import PICTURES_MAX, Picture, pictures_kept, pictures_of
from dropengine.sql.database import Database

DRAW_S_MAX = 30.0
WAITING_MAX = 8
"""Pictures that wait to be drawn; with one more its sender is asked to try again."""
BUSY = "Many pictures are being drawn at this moment. Try again in a moment."
FULL = f"An item has at most {PICTURES_MAX} pictures. Remove one first."
_FILE = re.compile(r"(items\[[0-9]{1,2}\])\.file")
_GONE = re.compile(r"unpicture (items\[[0-9]{1,2}\]) ([0-9])")
BURST = "This picture could not be drawn within its bounds. Send it smaller."

log = logging.getLogger(__name__)


class ThingPictures:
    """One is drawn at a time."""

    def __init__(self, database: Database, kept: KeptPictures) -> None:
        self._database = database
        self._kept = kept
        self._drawing = asyncio.Semaphore(1)
        self._waiting = 0

    async def taken(self, sent: bytes) -> Picture | str:
        """What somebody sends, drawn anew and kept; or why not, as a sentence."""
        if not sent:
            return draw_picture.EMPTY
        if len(sent) > draw_picture.SENT_BYTES_MAX:
            return draw_picture.HEAVY
        if self._waiting >= WAITING_MAX:
            return BUSY
        self._waiting += 1
        try:
            async with self._drawing:
                answer = await _drawn(sent)
        finally:
            self._waiting -= 1
        if isinstance(answer, Refused):
            return answer.why

        def kept(sql: Connection) -> dict[int, str]:
            return {width: showcases.keep_file(sql, one) for width, one in answer.files.items()}

        names = await self._database.write(kept)
        for name in names.values():
            self._kept.made(name)
        return Picture(answer.width, answer.height, names)

    async def with_files(
        self, form: dict[str, str], files: Mapping[str, tuple[str, bytes]], do: str
    ) -> tuple[dict[str, str], str]:
        """A form with the pictures that came along with it, and without the one that it says to
        remove; why a file was not taken, or ''."""
        unfit = ""
        form = dict(form)
        for field, (name, sent) in files.items():
            found = _FILE.fullmatch(field)
            # A field for a file in which none was chosen comes along without a name.
            if found is None or not (name or sent):
                continue
            mine = pictures_of(form.get(f"{found[1]}.pictures", ""))
            one = FULL if len(mine) >= PICTURES_MAX else await self.taken(sent)
            if isinstance(one, str):
                unfit = one
            else:
                form[f"{found[1]}.pictures"] = pictures_kept([*mine, one])
        if gone := _GONE.fullmatch(do):
            left = pictures_of(form.get(f"{gone[1]}.pictures", ""))
            del left[int(gone[2]) : int(gone[2]) + 1]
            form[f"{gone[1]}.pictures"] = pictures_kept(left)
        return form, unfit


async def _drawn(sent: bytes) -> Drawn | Refused:
    """Let the process of its own do it; whatever happens to that happens to it alone."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-m",
        draw_picture.__name__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        told, wrong = await asyncio.wait_for(process.communicate(sent), DRAW_S_MAX)
    except TimeoutError:
        return Refused(BURST)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        log.warning("a picture could not be drawn: %s", wrong.decode(errors="replace")[-300:])
        return Refused(BURST)
    return answer_of(told)
