"""The syntax check: every `.py`, `.json` and `.toml` file that matches parses. Nothing is ever imported or run.

The looking is done by `syntax_sweep` in a disposable child, because a folder may be on a dead mount and a source may
break the compiler. Here: what the child's findings mean, and which files need no second look.
"""

import asyncio
import json
import math
import signal
import sys
from collections.abc import Sequence
from dataclasses import field, replace
from pathlib import Path, PurePath

from lifesign.checks.unchanged import are_unchanged
from lifesign.core.model import Observation, Verdict
from lifesign.processes.child import ChildResult, run_child
from lifesign.records import dataclass
from lifesign.text import clean, format_duration

MEMORY_LIMIT_BYTES = 1 << 30
_MAX_OUTPUT_BYTES = 8 << 20
_MAX_CRASHES = 20  # files that break the compiler in one look
_SCRIPT = str(Path(__file__).with_name("syntax_sweep.py"))
_CRASHES = {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE}


@dataclass(slots=True)
class _Findings:
    """What the children of one look told. Paths are keys, so that telling twice counts once."""

    errors: dict[str, str | None] = field(default_factory=dict)  # `LINE: words`, None for a file that parses
    troubles: dict[str, str] = field(default_factory=dict)
    empty: dict[str, str] = field(default_factory=dict)
    folders: dict[str, list[int] | None] = field(default_factory=dict)  # those that were searched, with their keys
    left: bool = False
    trying: tuple[str, list[int]] | None = None
    is_done: bool = False
    is_steady: bool = True


class SyntaxProbe:
    """Parses what matches `paths`: absolute patterns with `*`, `?`, `[]` and `**`.

    `python`: the interpreter that compiles `.py` files, default ours; `.json` and `.toml` are always read by ours. A
    pattern without a file fails, and so does a link that points nowhere. Unreadable, larger than 16 MiB, out of time,
    no interpreter: unknown, unless a file that was read fails already.
    """

    def __init__(self, *, paths: Sequence[str], timeout_s: float, python: str | None = None) -> None:
        self._patterns = tuple(paths)
        self._interpreter = python or sys.executable
        self._timeout_s = timeout_s
        self._known: dict[str, tuple[list[int], str | None]] = {}
        self._last: tuple[Observation, dict[str, list[int]]] | None = None

    async def look(self, now_wall_ns: int) -> Observation:  # noqa: ARG002 - every probe is told the time
        """One sweep. Files whose device, inode, size and times are unchanged are not compiled again.

        Where nothing at all has changed, on file systems that cannot hang, not even a child is started.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        if self._last is not None and are_unchanged(self._last[1]):
            return replace(self._last[0], latency_s=loop.time() - started)
        findings = _Findings()
        if self._interpreter == sys.executable:
            await self._sweep(self._interpreter, [".py", ".json", ".toml"], findings, started + self._timeout_s)
        else:
            await self._sweep(self._interpreter, [".py"], findings, started + self._timeout_s)
            if findings.left and findings.is_done:
                await self._sweep(sys.executable, [".json", ".toml"], findings, started + self._timeout_s)
        if findings.is_done:  # what matches no more is forgotten
            self._known = {path: entry for path, entry in self._known.items() if path in findings.errors}
        observation = self._observation(findings, loop.time() - started)
        places = self._places(findings)
        self._last = (observation, places) if places is not None else None
        return observation

    def close(self) -> None:
        """Forgets what was parsed."""
        self._known.clear()
        self._last = None

    def _places(self, findings: _Findings) -> dict[str, list[int]] | None:
        """Everything whose key must stay for the findings to stay; None where that is not all that matters."""
        if not (findings.is_done and findings.is_steady) or findings.troubles or findings.empty:
            return None
        files = {path: self._known[path][0] if path in self._known else None for path in findings.errors}
        keys = {path: key for path, key in (findings.folders | files).items() if key is not None}
        return keys if len(keys) == len(findings.folders) + len(files) else None

    async def _sweep(self, interpreter: str, suffixes: list[str], findings: _Findings, deadline: float) -> None:
        for _ in range(_MAX_CRASHES):
            findings.is_done, findings.trying = False, None
            remaining_s = deadline - asyncio.get_running_loop().time()
            if remaining_s > 0:
                result = await self._run(interpreter, suffixes, remaining_s)
            else:
                result = ChildResult(None, timed_out=True)
            for line in result.stdout.splitlines():
                try:
                    finding = json.loads(line)
                except ValueError:
                    break  # cut off by the end of the child, or the word of something that is no Python
                self._take(finding, findings)
            if findings.is_done:
                return
            if findings.trying is None or -(result.returncode or 0) not in _CRASHES:
                findings.troubles[""] = self._why_not_done(interpreter, result, findings)
                return
            path, key = findings.trying
            name = signal.Signals(-(result.returncode or 0)).name
            self._known[path] = (key, f": the compiler gave up on it (it crashed with {name})")
        findings.troubles[""] = "too many files crash the compiler"

    async def _run(self, interpreter: str, suffixes: list[str], timeout_s: float) -> ChildResult:
        request = {
            "patterns": self._patterns,
            "known": {path: key for path, (key, _) in self._known.items()},
            "suffixes": suffixes,
            "alarm_s": math.ceil(timeout_s) + 2,
            "memory_limit_bytes": MEMORY_LIMIT_BYTES,
        }
        return await run_child(
            [interpreter, "-I", "-S", "-W", "ignore", _SCRIPT],
            input=json.dumps(request).encode(),
            timeout_s=timeout_s,
            max_output_bytes=_MAX_OUTPUT_BYTES,
            memory_limit_bytes=MEMORY_LIMIT_BYTES,
        )

    def _take(self, finding: object, findings: _Findings) -> None:
        match finding:
            case ["same", str(path)] if path in self._known:
                findings.errors[path] = self._known[path][1]
            case ["try", str(path), list(key)]:
                findings.trying = path, key
            case ["parsed", str(path), list() | None as key, str() | None as error]:
                findings.trying = None
                findings.errors[path] = error
                if key is not None:
                    self._known[path] = key, error
            case ["trouble", str(path), str(words)]:
                findings.trying = None
                findings.troubles[path] = words
            case ["left", str()]:
                findings.left = True
            case ["none", str(pattern), bool(something)]:
                findings.empty[pattern] = "no regular file matches" if something else "no file matches"
            case ["folder", str(path), list() | None as key]:
                findings.folders[path] = key
            case ["done", bool(is_steady)]:
                findings.is_done = True
                findings.is_steady = findings.is_steady and is_steady

    def _why_not_done(self, interpreter: str, result: ChildResult, findings: _Findings) -> str:
        if result.start_error is not None:
            return f"the interpreter does not start: {result.start_error}"
        if result.timed_out:
            where = f" (at {self._shown(findings.trying[0])})" if findings.trying else ""
            return f"not finished within {format_duration(self._timeout_s)}{where}"
        if result.truncated:
            return "too many files match"
        words = result.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        return f"{interpreter} -I -S did not do its work (a Python 3.7 or later?), exit {result.returncode}: {words}"

    def _shown(self, path: str) -> str:
        """`nexus/mind.py` for a file found by `/srv/nexus/*.py`: from the pattern's fixed folder on."""
        for pattern in self._patterns:
            fixed = pattern.partition("*")[0].partition("?")[0].partition("[")[0].rpartition("/")[0]
            if path.startswith(fixed + "/"):
                return str(PurePath(path).relative_to(PurePath(fixed).parent))
        return path

    def _observation(self, findings: _Findings, latency_s: float) -> Observation:
        failures = [
            self._shown(path) + (f":{error}" if error[:1] != ":" else error)
            for path, error in findings.errors.items()
            if error is not None
        ]
        failures += [f"{words} {pattern}" for pattern, words in findings.empty.items()]  # a broken file says more
        troubles = [
            f"cannot tell about {self._shown(path)}: {words}" if path else words
            for path, words in findings.troubles.items()
        ]
        count = len(findings.errors)
        if failures:
            verdict, message = Verdict.FAIL, _first_of(failures, "fail")
        elif troubles:
            verdict, message = Verdict.UNKNOWN, _first_of(troubles, "cannot be told")
        else:
            verdict, message = Verdict.OK, "1 file parses" if count == 1 else f"{count} files parse"
        return Observation(verdict, clean(message), latency_s, {"files": float(count)})


def _first_of(messages: list[str], what: str) -> str:
    more = len(messages) - 1
    return clean(messages[0], 400) + (f" ({more} more {what})" if more else "")
