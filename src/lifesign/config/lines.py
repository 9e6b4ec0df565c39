"""On which line of a TOML text a key stands. Used once a mistake is known, and never to read a value.

tomllib tells no lines, and tomlkit's items do not know theirs either. So this scans a text that tomllib
has already accepted: it may be lenient, since it need not judge. Linear in time, no recursion.
"""

import re
import tomllib
from collections.abc import Iterator
from typing import NamedTuple

from lifesign.config.problems import KeyPath

_TOKEN = re.compile(
    r"(?P<space>[ \t\r]+)|(?P<newline>\n)|(?P<comment>\#[^\n]*)"
    r'|(?P<string>"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\')'
    r"|(?P<bare>[A-Za-z0-9_-]+)|(?P<mark>.)",
    re.DOTALL,
)


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


def _tokens(text: str) -> Iterator[_Token]:
    line = 1
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind not in ("space", "comment"):
            yield _Token(kind, match[0], line)
        line += match[0].count("\n")


def _name(token: _Token) -> str:
    if token.kind == "bare":
        return token.text
    return str(tomllib.loads(f"key = {token.text}")["key"])


class _Scanner:
    """Walks the tokens once. `stack` holds the open brackets of values: kind, path, element index."""

    def __init__(self) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._table: KeyPath = ()
        self._stack: list[tuple[str, KeyPath, int]] = []
        self._elements: dict[KeyPath, int] = {}
        self._parts: list[str] = []
        self._header: list[_Token] | None = None
        self._in_value = False
        self._path: KeyPath = ()

    def note(self, path: KeyPath, line: int) -> None:
        for length in range(1, len(path) + 1):
            self.lines.setdefault(path[:length], line)

    def feed(self, token: _Token) -> None:
        if self._header is not None:
            self._feed_header(token)
        elif self._in_value:
            self._feed_value(token)
        else:
            self._feed_key(token)

    def _feed_key(self, token: _Token) -> None:
        match token.text if token.kind == "mark" else token.kind:
            case "bare" | "string":
                self._parts.append(_name(token))
            case "=":
                base = self._stack[-1][1] if self._stack else self._table
                self._path = (*base, *self._parts)
                self.note(self._path, token.line)
                self._parts = []
                self._in_value = True
            case "[" if not self._stack and not self._parts:
                self._header = [token]
            case "}":
                self._close()

    def _feed_header(self, token: _Token) -> None:
        assert self._header is not None
        if token.kind != "newline":
            self._header.append(token)
            return
        names = [_name(item) for item in self._header if item.kind in ("bare", "string")]
        is_array = len(self._header) > 1 and self._header[1].text == "["
        line = self._header[0].line
        path = self._resolve(names[:-1]) + tuple(names[-1:])
        if is_array:
            index = self._elements[path] = self._elements.get(path, -1) + 1
            self.note(path, line)
            path = (*path, index)
        self.note(path, line)
        self.lines[path] = line  # a header says more than a mention of its parent further up
        self._table = path if is_array else self._resolve(names)
        self._header = None

    def _resolve(self, names: list[str]) -> KeyPath:
        """The path of a header, through the newest element of each array of tables on the way."""
        path: KeyPath = ()
        for name in names:
            path = (*path, name)
            if path in self._elements:
                path = (*path, self._elements[path])
        return path

    def _feed_value(self, token: _Token) -> None:
        match token.text if token.kind == "mark" else token.kind:
            case "[":
                self._stack.append(("array", self._path, 0))
                self._path = (*self._path, 0)
            case "{":
                self._stack.append(("table", self._path, 0))
                self._in_value = False
            case "]" | "}":
                self._close()
            case "," if self._stack:
                self._next_element()
            case "newline" if not self._stack:
                self._in_value = False
            case "bare" | "string" if self._stack and self._stack[-1][0] == "array":
                self.note(self._path, token.line)

    def _next_element(self) -> None:
        kind, path, index = self._stack[-1]
        if kind == "array":
            self._stack[-1] = (kind, path, index + 1)
            self._path = (*path, index + 1)
        else:
            self._in_value = False

    def _close(self) -> None:
        if self._stack:
            _, self._path, _ = self._stack.pop()
        self._in_value = True


def key_lines(text: str) -> dict[KeyPath, int]:
    """The line (from 1) of every key path in `text`, which is valid TOML, and of the elements of arrays."""
    scanner = _Scanner()
    for token in _tokens(text if text.endswith("\n") else text + "\n"):
        scanner.feed(token)
    return scanner.lines


def line_of(path: KeyPath, lines: dict[KeyPath, int]) -> int:
    """The line of `path`, else of the nearest table around it, else 1."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 1
