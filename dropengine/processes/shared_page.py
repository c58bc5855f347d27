"""A page of memory that one process writes and others read: the newest words, whole or not at all.

Nobody waits for anybody, and nothing is left behind: the page has no name and goes with the last
process that has it open.
"""

import contextlib
import os
import struct
import sys
import tempfile
import zlib

HEAD = struct.Struct("<II")
TRIES = 20


def make() -> int:
    """An empty page; its file descriptor."""
    if sys.platform != "linux":
        with tempfile.TemporaryFile() as file:
            return os.dup(file.fileno())
    else:
        return os.memfd_create("dropengine")


class SharedPage:
    """handle: from `make`, here or in the process that handed it over."""

    def __init__(self, handle: int) -> None:
        self.handle = handle

    def write(self, words: bytes) -> None:
        """Put these words in the place of the last ones."""
        # Where there is no room for them the last ones stand.
        with contextlib.suppress(OSError):
            os.pwrite(self.handle, HEAD.pack(len(words), zlib.crc32(words)) + words, 0)

    def read(self) -> bytes:
        """The newest words; empty when there are none, or none that are whole."""
        for _ in range(TRIES):
            head = os.pread(self.handle, HEAD.size, 0)
            if len(head) < HEAD.size:
                break
            length, check = HEAD.unpack(head)
            words = os.pread(self.handle, length, HEAD.size)
            if len(words) == length and zlib.crc32(words) == check:
                return words
        return b""

    def close(self) -> None:
        os.close(self.handle)
