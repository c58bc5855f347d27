"""A word in all the ways in which files, mails, addresses and databases write bytes."""

from __future__ import annotations

import base64
import re

_SOFT_BREAK = re.compile(rb"=\r?\n")
_LINE_BREAK = re.compile(rb"[\r\n]+[ \t]*")
_PERCENT = re.compile(rb"[%=\\]x?([0-9a-f]{2})", re.IGNORECASE)


def stands_in(content: bytes, word: str) -> bool:
    """Is the word there: plain, in any case, in UTF-16, hex, base64, quoted-printable or
    percent-encoded, folded over lines or not?"""
    joined = _LINE_BREAK.sub(b"", _SOFT_BREAK.sub(b"", content))
    read = _PERCENT.sub(lambda one: bytes([int(one[1], 16)]), joined)
    texts = [one.lower() for one in (content, joined, read)]
    small = word.lower()
    for encoded in (small.encode(), small.encode("utf-16-le"), small.encode().hex().encode()):
        if any(encoded in one for one in texts):
            return True
    return any(one in text for one in _in_base64(word) for text in (content, joined))


def _in_base64(word: str) -> set[bytes]:
    """The middle of the word at each of the three ways in which it can lie in base64, of either
    alphabet."""
    found = set()
    for one in {word, word.lower(), word.upper()}:
        for before in range(3):
            whole = base64.b64encode(bytes(before) + one.encode())
            # What shares a letter with the bytes around it is another letter there.
            inside = whole[-(-before * 4 // 3) : (before + len(one)) * 8 // 6]
            found |= {inside, inside.replace(b"+", b"-").replace(b"/", b"_")}
    return found
