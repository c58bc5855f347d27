"""The embedded server's directory, and where in it everything lies. Only its owner can enter."""

import contextlib
import errno
import hashlib
import os
import stat
import tempfile
from pathlib import Path

# macOS allows 104 bytes for the path of a unix socket with its closing zero, Linux 108.
SOCKET_PATH_BYTES_MAX = 103


class ServerDirectory:
    """`server` in a data directory. Nothing is made before `make`."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir.absolute() / "server"
        self.socket = _socket_path(self.path)
        self.lock = self.path / "lock"
        """Locked by its owner; says which process that is."""
        self.note = self.path / "server.json"
        """Says which process the server is."""
        self.log = self.path / "server.log"
        """What the server says; the log of sales lies in `appendonlydir`."""

    def make(self) -> None:
        """Make it and the place of the socket. Raises OSError."""
        _private(self.path)
        if self.socket.parent != self.path:
            _private(self.socket.parent)

    def tidy(self) -> None:
        """Remove what `make` made outside of it, when nobody uses it any more."""
        if self.socket.parent != self.path:
            with contextlib.suppress(OSError):
                self.socket.parent.rmdir()


def _private(path: Path) -> Path:
    """Make a directory that only its owner can enter."""
    path.mkdir(mode=0o700, exist_ok=True)
    # A link in a directory that others can write to could lead anywhere.
    if path.is_symlink() or path.stat().st_uid != os.geteuid():
        raise PermissionError(errno.EACCES, f"{path} is not a directory of this user")
    if stat.S_IMODE(path.stat().st_mode) != 0o700:
        path.chmod(0o700)
    return path


def _socket_path(directory: Path) -> Path:
    """In the server's directory, or, where that is too long, in a short one of the same user's.

    Always the same for the same directory, so that whoever knows one finds the other.
    """
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    path = directory / "server.sock"
    for root in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108 -- made private, checked
        if len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX:
            break
        path = root / f"dropengine-{os.geteuid()}-{digest}" / "s"
    return path
