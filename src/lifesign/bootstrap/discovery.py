"""What runs here and is worth watching: listening ports with their processes, and heartbeat files that somebody writes.

It only looks: a port is connected to once, and asked for `GET /` or `PING` where its process is known to speak that.
Not here: what is written of it (`bootstrap.first_config`).
"""

import contextlib
import http.client
import itertools
import os
import re
import socket
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

from lifesign.bootstrap.own_heartbeat import FILE as OWN_FILE
from lifesign.bootstrap.state_folder import is_state_folder
from lifesign.checks.heartbeat_formats import MAX_BYTES, Keys, last_whole_line, parse_beat
from lifesign.checks.mounts import may_hang
from lifesign.checks.strict_json import MalformedError
from lifesign.heartbeat import default_heartbeat_path
from lifesign.records import dataclass

ASK_S = 0.5
FRESH_S = 86400.0  # a file that nobody has written for a day is a relic
MOST_PORTS = 8  # of one program
MOST_FILES = 20_000
MOST_FOUND = 100
DEPTH = 3
_NAMED_LIKE_ONE = re.compile(r"(heart)?beat|liveness|alive", re.IGNORECASE)
_INTERPRETER = re.compile(r"(python|node|java|ruby|perl|php|bash|sh|deno|bun)[0-9.]*")
_SUFFIXES = (".json", ".jsonl", ".txt", ".beat", "")
_SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__", ".git", ".venv", "venv", "proc", "sys", "dev"})


@dataclass(frozen=True, slots=True)
class FoundPort:
    """A port that accepts. `status`: what `GET /` answers, None where that is no HTTP; `pongs`: it answers to PING."""

    host: str
    port: int
    status: int | None = None
    pongs: bool = False


@dataclass(frozen=True, slots=True)
class FoundService:
    """A program with everything it listens on. `script`: what an interpreter runs; "" for a program of its own.

    `left_out`: ports that are not named here, because they are many, or were given by the kernel for a while.
    """

    name: str
    user: str
    ports: tuple[FoundPort, ...]
    script: str = ""
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class FoundHeartbeat:
    """A file that parses as a heartbeat. `every_s`: the time between two beats, None where none was seen."""

    path: Path
    has_cycle: bool
    age_s: float
    every_s: float | None


def services() -> list[FoundService]:
    """Everything that listens on TCP, but ourselves and our ancestors, by program and user."""
    ours = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found: dict[tuple[str, str, str], dict[int, str]] = {}
    for connection in psutil.net_connections(kind="tcp"):
        address = connection.laddr
        if connection.status != psutil.CONN_LISTEN or not address or connection.pid is None or connection.pid in ours:
            continue
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(connection.pid)
            who = process.name(), process.username(), script_of(process.name(), process.cmdline())
            if Path(who[2]).name == "lifesign":
                continue  # another of our own kind watches itself
            found.setdefault(who, {}).setdefault(address.port, _reachable(address.ip))
    return [_service(*who, hosts) for who, hosts in sorted(found.items())]


def _service(name: str, user: str, script: str, hosts: dict[int, str]) -> FoundService:
    lasting = [port for port in sorted(hosts) if port < _first_port_for_a_while()] or sorted(hosts)
    chosen = lasting[:MOST_PORTS]
    ports = tuple(_ask(hosts[port], port, name) for port in chosen)
    return FoundService(name, user, ports, script, len(hosts) - len(chosen))


def script_of(name: str, command_line: list[str]) -> str:
    """What an interpreter runs (a file, or the module behind -m); "" where `name` is no interpreter."""
    if not _INTERPRETER.fullmatch(name):
        return ""
    words = iter(command_line[1:])
    for word in words:
        if word == "-m":
            return next(words, "")
        if word in ("-c", "-e", "-"):
            return ""
        if not word.startswith("-"):
            return word
    return ""


def _first_port_for_a_while() -> int:
    """Where the ports begin that the kernel gives to whoever does not ask for one (ip(7), ip_local_port_range)."""
    with contextlib.suppress(OSError, ValueError):
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    return 32768


def _reachable(host: str) -> str:
    """Where to reach what listens on `host`: the loopback, where it listens everywhere."""
    return {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}.get(host, host)  # noqa: S104 - nothing listens here


def _ask(host: str, port: int, process: str) -> FoundPort:
    if "redis" in process or "valkey" in process:
        return FoundPort(host, port, pongs=_pongs(host, port))
    return FoundPort(host, port, status=_http_status(host, port))


def _pongs(host: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host, port), ASK_S) as connection:
        connection.settimeout(ASK_S)
        connection.sendall(b"PING\r\n")
        return connection.recv(64).startswith(b"+PONG")
    return False


def _http_status(host: str, port: int) -> int | None:
    connection = http.client.HTTPConnection(host, port, timeout=ASK_S)
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError), contextlib.closing(connection):
        connection.request("GET", "/", headers={"User-Agent": "lifesign"})
        return connection.getresponse().status
    return None


def heartbeats(folders: Iterable[Path], *, watch_s: float = 0.0) -> list[FoundHeartbeat]:
    """Fresh heartbeat files below `folders`, and in the folder of `Heartbeat(NAME)`.

    Each is looked at for `watch_s` seconds to see how often it is written.
    """
    with contextlib.suppress(ValueError, RuntimeError):
        folders = [default_heartbeat_path("any").parent, *folders]
    times = {path: first for path in _candidates(folders) if (first := _beat_ns(path)) is not None}
    written: dict[Path, set[int]] = {path: {ns for ns, _ in [first]} for path, first in times.items()}
    ends_s = time.monotonic() + watch_s
    while times and time.monotonic() < ends_s:
        time.sleep(0.1)
        for path in times:
            beat = _beat_ns(path)
            if beat is not None:
                written[path].add(beat[0])
    now_ns = time.time_ns()
    return [
        FoundHeartbeat(path, has_cycle, (now_ns - max(written[path])) / 1e9, _period_s(sorted(written[path])))
        for path, (_, has_cycle) in sorted(times.items())
    ]


def _period_s(moments_ns: list[int]) -> float | None:
    gaps = [(after - before) / 1e9 for before, after in itertools.pairwise(moments_ns)]
    return max(gaps) if gaps else None


def _candidates(folders: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    seen: set[Path] = set()
    for folder in folders:
        for path in _files_below(folder):
            if path not in seen and _looks_like_one(path):
                seen.add(path)
                found.append(path)
            if len(found) >= MOST_FOUND:
                return found
    return found


def _files_below(folder: Path) -> Iterator[Path]:
    if may_hang(folder):
        return
    count, root_depth = 0, len(folder.parts)
    for where, folders, names in os.walk(folder):
        here = Path(where)
        is_deep = len(here.parts) - root_depth >= DEPTH
        folders[:] = [] if is_deep else [name for name in folders if name not in _SKIPPED and not may_hang(here / name)]
        for name in names:
            count += 1
            if count > MOST_FILES:
                return
            yield here / name


def _looks_like_one(path: Path) -> bool:
    ours = path.parent.name == "heartbeats"
    if path.suffix not in _SUFFIXES or not (ours or _NAMED_LIKE_ONE.search(path.name)):
        return False
    with contextlib.suppress(OSError):
        if path.name == OWN_FILE and is_state_folder(path.parent):
            return False  # another lifesign's own beat: that one is watched where it is wanted
        status = path.stat()
        return path.is_file() and 0 < status.st_size <= MAX_BYTES and time.time() - status.st_mtime < FRESH_S
    return False


def _beat_ns(path: Path) -> tuple[int, bool] | None:
    """When the newest work was finished, and whether it counts cycles; None where this is no heartbeat."""
    with contextlib.suppress(OSError, MalformedError):
        content = path.read_bytes()[: MAX_BYTES + 1]
        if path.suffix == ".jsonl":
            line = last_whole_line(content, complete=True)
            beat = None if line is None else parse_beat(line, "jsonl", Keys(), time.time_ns())
        else:
            beat = parse_beat(content, "auto", Keys(), time.time_ns())
        if beat is not None:
            return beat.signal.timestamp_ns, beat.signal.progress is not None
    return None
