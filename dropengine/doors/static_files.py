"""The pages' built scripts and styles, from memory: a crowd asks for the same few files at once."""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
IMMUTABLE = "public, max-age=31536000, immutable"
ASK_AGAIN = "public, no-cache"


class File(msgspec.Struct, frozen=True):
    """One built file. `version`: the start of its SHA-256; it stands in the file's address."""

    plain: bytes
    packed: bytes
    kind: str
    version: str


class Inline(msgspec.Struct, frozen=True):
    """A style or a script inside a page, which then needs not ask again for it. `digest`: what the
    content policy knows it by."""

    block: Markup
    digest: str


def read(dist: Path) -> dict[str, File]:
    """Every built file by its name. A checkout that was never built has none."""
    found = {}
    for path in sorted(dist.glob("*")):
        if path.suffix in TYPES:
            plain = path.read_bytes()
            version = hashlib.sha256(plain).hexdigest()[:16]
            # `mtime=0`: the same file is packed into the same bytes by every worker.
            packed = gzip.compress(plain, 9, mtime=0)
            found[path.name] = File(plain, packed, TYPES[path.suffix], version)
    return found


class Static:
    """GET /static/{name}. With its version in the address a file may be kept for ever."""

    def __init__(self, files: Mapping[str, File]) -> None:
        self.files = files
        self._inline = {name: _inline(name, file.plain) for name, file in files.items()}

    def inline(self, name: str) -> Inline:
        """A built style or script, to stand in a page; an empty one where it was not built."""
        return self._inline.get(name, _inline(name, b""))

    def address(self, name: str, spoken: str = "") -> str:
        """The address of a file, for templates. spoken: the same in the page's language, taken
        where there is such a file."""
        name = spoken if spoken in self.files else name
        file = self.files.get(name)
        return f"/static/{name}" if file is None else f"/static/{name}?v={file.version}"

    async def show(self, request: Request) -> Response:
        """The file, packed where the browser takes that; 304 when it has this very version."""
        file = self.files.get(request.path_params["name"])
        if file is None:
            return PlainTextResponse("There is no such file.\n", 404)
        tag = f'"{file.version}"'
        kept = request.query_params.get("v") == file.version
        headers = {
            "Cache-Control": IMMUTABLE if kept else ASK_AGAIN,
            "ETag": tag,
            "Vary": "Accept-Encoding",
        }
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(file.plain, headers=headers, media_type=file.kind)
        headers["Content-Encoding"] = "gzip"
        return Response(file.packed, headers=headers, media_type=file.kind)


def _inline(name: str, plain: bytes) -> Inline:
    text, tag = plain.decode().strip(), "script" if name.endswith(".js") else "style"
    assert f"</{tag}" not in text
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    # Ours from the build, and checked to hold no end of its own.
    return Inline(Markup(f"<{tag}>{text}</{tag}>"), digest)  # noqa: S704
