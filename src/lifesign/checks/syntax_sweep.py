"""The program that a syntax check runs in a disposable child: finds the files, reads them, parses them.

It runs as a script under `python -I -S`, in interpreters as old as 3.7, and knows nothing of lifesign. It imports and
runs nothing of what it looks at. A request comes as one JSON object on its input; each finding leaves as one JSON line
the moment it is made, so that a file that breaks the compiler is known by the last line before the crash.
"""

# pathlib would make up a third of the child's start, hence:
# ruff: noqa: PTH112, PTH114, PTH116, PTH118, PTH123
from __future__ import annotations

import errno
import fnmatch
import json
import os
import re
import signal
import stat
import sys
import time
from typing import Any

SUFFIXES = (".py", ".json", ".toml")
MAX_FILE_BYTES = 16 << 20
MAX_FILES = 10_000
MAX_ENTRIES = 500_000
SETTLED_NS = 2_000_000_000  # a younger file may change again within the clock tick of its timestamps
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
_MAGIC = re.compile(r"[*?\[]")


def tell(*finding: Any) -> None:
    """Writes one finding, at once and whole."""
    line = json.dumps(finding).encode() + b"\n"
    while line:
        line = line[os.write(1, line) :]


class Search:
    """Expands absolute patterns. `*`, `?`, `[]` within a name, `**` over folders; hidden names only by a dot.

    It tells each folder that it lists. While those and the files found keep their keys, nothing else can match, as long
    as the search `is_steady`: no way ended at something missing or at a link that another folder could bring to life.
    """

    def __init__(self) -> None:
        self.entries = 0
        self.is_complete = True
        self.is_steady = True
        self._listed: set[str] = set()

    def files(self, pattern: str) -> list[str]:
        """Every existing path that matches, links included, without an order. `is_complete` tells of trouble."""
        self.is_complete = True
        if os.path.lexists(pattern):  # also a name with brackets in it
            return [pattern]
        found: set[str] = set()
        pending = [("/", [part for part in pattern.split("/") if part])]
        while pending and len(found) <= MAX_FILES and self.entries <= MAX_ENTRIES:
            folder, parts = pending.pop()
            if parts[0] == "**":
                rest = parts[1:] or ["*"]
                pending.append((folder, rest))
                pending += [(path, ["**", *rest]) for path, link in self._folders(folder, "*") if not link]
            elif len(parts) > 1 and _MAGIC.search(parts[0]):
                pending += [(path, parts[1:]) for path, _ in self._folders(folder, parts[0], through_links=True)]
            elif len(parts) > 1:
                pending.append((os.path.join(folder, parts[0]), parts[1:]))
            elif _MAGIC.search(parts[0]):
                found.update(entry.path for entry in self._list(folder, parts[0]))
            elif self._exists(os.path.join(folder, parts[0])):
                found.add(os.path.join(folder, parts[0]))
        if self.entries > MAX_ENTRIES or len(found) > MAX_FILES:
            self._trouble(pattern, "too many files match")
        return list(found)

    def _trouble(self, path: str, words: str) -> None:
        self.is_complete = False
        tell("trouble", path, words)

    def _folders(self, folder: str, name_pattern: str, *, through_links: bool = False) -> list[tuple[str, bool]]:
        found = []
        for entry in self._list(folder, name_pattern):
            is_link = entry.is_symlink()
            if os.path.isdir(entry.path) if is_link else entry.is_dir():
                found.append((entry.path, is_link))
            elif is_link and through_links:
                self.is_steady = False
        return found

    def _list(self, folder: str, name_pattern: str) -> list[os.DirEntry[str]]:
        found = []
        try:
            if folder not in self._listed:
                self._listed.add(folder)
                status = os.stat(folder)  # before it is read: what comes later makes another key
                tell("folder", folder, key_of(status) if is_settled(status) else None)
            with os.scandir(folder) as entries:
                for entry in entries:
                    self.entries += 1
                    if self.entries > MAX_ENTRIES:
                        break
                    hidden = entry.name.startswith(".") and not name_pattern.startswith(".")
                    if not hidden and fnmatch.fnmatchcase(entry.name, name_pattern):
                        found.append(entry)
        except OSError as error:
            self.is_steady = False
            if error.errno not in _ABSENT:
                self._trouble(folder, os.strerror(error.errno or 0))
        return found

    def _exists(self, path: str) -> bool:
        try:
            os.lstat(path)
        except OSError as error:
            self.is_steady = False
            if error.errno not in _ABSENT:
                self._trouble(path, os.strerror(error.errno or 0))
            return False
        return True


def key_of(status: os.stat_result) -> list[int]:
    """What changes when a file's content does."""
    return [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def is_settled(status: os.stat_result) -> bool:
    """Whether an equal key later means an equal content."""
    return time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > SETTLED_NS


def read(path: str) -> bytes | None:
    """The content, None of what is no regular file any more; never waits for a writer."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return file.read(MAX_FILE_BYTES + 1)


def parse_error(path: str, source: bytes) -> str | None:
    """`LINE: what is wrong`, or `: what is wrong` without a line; None for a file that parses."""
    try:
        if path.endswith(".py"):
            compile(source, path, "exec", dont_inherit=True)
        elif path.endswith(".json"):
            json.loads(source)
        else:
            import tomllib

            tomllib.loads(source.decode())
    except SyntaxError as error:
        return "{}: {}".format(error.lineno or "", error.msg)
    except json.JSONDecodeError as error:
        return f"{error.lineno}: {error.msg}"
    except UnicodeDecodeError as error:
        return "{}: not UTF-8".format(source.count(b"\n", 0, error.start) + 1)
    except (ValueError, OverflowError) as error:
        words, _, line = str(error).partition(" (at line ")  # as tomllib says it
        return "{}: {}".format(line.partition(",")[0], words)
    except RecursionError:
        return ": the compiler gave up on it (nested too deeply)"
    return None


def is_out_of_memory(limit_bytes: int) -> bool:
    """Whether a MemoryError was our limit, and not the parser's word for a nesting that is too deep."""
    try:
        with open("/proc/self/status") as status:
            peak = re.search(r"VmPeak:\s+(\d+) kB", status.read())
    except OSError:
        return True
    return peak is None or int(peak.group(1)) * 1024 > limit_bytes // 2


def sweep(path: str, known: list[int] | None, request: dict[str, Any]) -> bool:
    """Looks at one file and tells `same`, `left` (for another child), `trouble` or `parsed`; whether it is a match."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            return False
        if known == key_of(status):
            tell("same", path)
        elif not path.endswith(tuple(request["suffixes"])):
            tell("left", path)
        elif status.st_size > MAX_FILE_BYTES:
            tell("trouble", path, "larger than 16 MiB")
        else:
            parse(path, status, read(path), request["memory_limit_bytes"])
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ELOOP):
            tell("trouble", path, os.strerror(error.errno or 0))
        elif os.path.islink(path):
            tell("parsed", path, None, ": the link points nowhere")
    return True


def parse(path: str, status: os.stat_result, source: bytes | None, memory_limit_bytes: int) -> None:
    """Tells `try` before and `parsed` after: a crash in between is this file's."""
    if source is None or len(source) > MAX_FILE_BYTES:
        return tell("trouble", path, "it changes while it is read")
    tell("try", path, key_of(status))
    try:
        message = parse_error(path, source)
    except MemoryError:
        if is_out_of_memory(memory_limit_bytes):
            return tell("trouble", path, "the compiler ran out of the memory that lifesign gives it")
        message = ": the compiler gave up on it (nested too deeply)"
    return tell("parsed", path, key_of(status) if is_settled(status) else None, message)


def main() -> None:
    """Answers one request: `patterns`, `known` keys by path, `suffixes`, `alarm_s`, `memory_limit_bytes`."""
    request = json.loads(sys.stdin.buffer.read().decode())
    signal.alarm(request["alarm_s"])  # ends us even where whoever started us was killed
    search = Search()
    counts: dict[str, bool] = {}
    for pattern in request["patterns"]:
        paths = sorted(path for path in search.files(pattern) if path.endswith(SUFFIXES))
        for path in paths:
            if path not in counts:
                counts[path] = sweep(path, request["known"].get(path), request)
        if search.is_complete and not any(counts[path] for path in paths):
            tell("none", pattern, bool(paths))
    tell("done", search.is_steady and all(counts.values()))


if __name__ == "__main__":
    main()
