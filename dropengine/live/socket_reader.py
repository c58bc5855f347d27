"""Who reads a socket once it is let in, and who reads it when it is gone."""

from __future__ import annotations

from typing import Protocol


class SocketReader(Protocol):
    """What the socket protocol tells of one socket."""

    def receive(self, text: bytes) -> None:
        """One whole text frame. Must not raise."""
        ...

    def count(self) -> None:
        """A frame came that is no message by itself, a ping or a fragment: it counts like one."""
        ...

    def lost(self) -> None:
        """The socket is gone. Called once."""
        ...

    def full(self) -> None:
        """The reader does not keep up: unsent bytes passed the limit given to `take`."""
        ...

    def drained(self) -> None:
        """The reader keeps up again."""
        ...


class _Nobody:
    def receive(self, text: bytes) -> None:
        pass

    def count(self) -> None:
        pass

    def lost(self) -> None:
        pass

    def full(self) -> None:
        pass

    def drained(self) -> None:
        pass


NOBODY: SocketReader = _Nobody()
"""Reads what still comes on a socket that is being closed."""
