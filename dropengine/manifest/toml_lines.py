"""Where each key of a TOML text stands, so that a mistake in a file can be shown with its line.

`tomllib` gives values without positions. This scanner reads only text that `tomllib` has already
accepted, so it has to follow the grammar, not to police it: keys, headers, strings and brackets.
"""

from __future__ import annotations

import re
import tomllib

Path = tuple[str | int, ...]
"""`("items", 0, "price")`: keys, and positions in arrays counted from 0."""

_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_REST = re.compile(r"[^\n]*")
_SCALAR = re.compile(r"[^,\]}#\n]+")
_STRINGS = (
    # Up to two quotes may stand directly before the three that close a multi-line string.
    re.compile(r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}', re.DOTALL),
    re.compile(r"'''(?:[^']|'{1,2}(?!'))*'{3,5}", re.DOTALL),
    re.compile(r'"(?:[^"\\\n]|\\.)*"'),
    re.compile(r"'[^'\n]*'"),
)


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text.replace("\r\n", "\n")
        self.at = 0
        self.lines: dict[Path, int] = {}
        self._arrays: dict[Path, int] = {}
        self._counted = (0, 1)

    def document(self) -> None:
        table: Path = ()
        while True:
            self._skip(_BLANK)
            if self.at >= len(self.text):
                return
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_REST)

    def _header(self) -> Path:
        """`[a.b]` or `[[a.b]]`; the table it opens. The last of an array of tables is meant."""
        line = self._line()
        double = self.text.startswith("[[", self.at)
        self.at += 2 if double else 1
        path: Path = ()
        for key in self._keys():
            if path in self._arrays:
                path += (self._arrays[path],)
            path += (key,)
            self.lines.setdefault(path, line)
        if double:
            self._arrays[path] = self._arrays.get(path, -1) + 1
            path += (self._arrays[path],)
            self.lines[path] = line
        return path

    def _pair(self, table: Path) -> None:
        line = self._line()
        path = table
        for key in self._keys():
            path += (key,)
            self.lines.setdefault(path, line)
        self.at += 1  # the equals sign
        self._value(path)

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip(_SPACE)
            if self.text[self.at] in "\"'":
                quoted = self._string()
                keys.append(next(iter(tomllib.loads(f"{quoted} = 0"))))
            else:
                keys.append(self._skip(_BARE))
            self._skip(_SPACE)
            if self.text[self.at] != ".":
                return keys
            self.at += 1

    def _value(self, path: Path) -> None:
        self._skip(_SPACE)
        opening = self.text[self.at]
        if opening in "\"'":
            self._string()
        elif opening == "[":
            self.at += 1
            position = 0
            while self._more("]"):
                self.lines[(*path, position)] = self._line()
                self._value((*path, position))
                position += 1
        elif opening == "{":
            self.at += 1
            while self._more("}"):
                self._pair(path)
        else:
            self._skip(_SCALAR)

    def _more(self, closing: str) -> bool:
        """Go on to the next member of a bracket; False after its closing."""
        self._skip(_BLANK)
        if self.text[self.at] == ",":
            self.at += 1
            self._skip(_BLANK)
        if self.text[self.at] == closing:
            self.at += 1
            return False
        return True

    def _string(self) -> str:
        for pattern in _STRINGS:
            found = pattern.match(self.text, self.at)
            if found:
                self.at = found.end()
                return found.group()
        raise AssertionError(f"no string at {self.at}")

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        assert found is not None, (pattern.pattern, self.at)
        self.at = found.end()
        return found.group()

    def _line(self) -> int:
        before, line = self._counted
        line += self.text.count("\n", before, self.at)
        self._counted = (self.at, line)
        return line


def lines(text: str) -> dict[Path, int]:
    """The line (from 1) of every key, table and array member. `text` is valid TOML."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines
