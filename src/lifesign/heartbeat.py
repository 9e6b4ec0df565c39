"""The writer for monitored programs: it tells, after each piece of finished work, that it was finished.

One file, standard library only, Python 3.8 or newer: install lifesign, or copy this file into the program.

    from lifesign import Heartbeat, write_heartbeat

    write_heartbeat(cycle=n, model="m")        # path=, else $LIFESIGN_HEARTBEAT
    heartbeat = Heartbeat("mind")              # path=, else $LIFESIGN_HEARTBEAT, else the user state dir
    heartbeat.beat()                           # counts by itself; or beat(cycle=n, status="ok", queue=17)

Beat where work *ends*: a timer thread that beats proves nothing.

What holds. The file is whole at every moment: each beat goes to a new file of its own beside it, which then replaces
it in one step; threads, forks and several writers never mix. A link in its place is replaced, never followed; a folder,
FIFO or device is left alone. Nothing here raises into the work unless `strict=True` asks for it: a beat that cannot be
written returns False and logs one warning per kind (logger `lifesign.heartbeat`). A bad value under a key with a
meaning (`timestamp`, `cycle`, `pid`, `started_at`, `status`, `busy`) refuses the beat, for a guess could make a lie
look fresh. Any other value that a heartbeat cannot hold (NaN, an object, a circle, depth over 8, past 64 KiB in all) is
left out alone, so that a loss which became NaN does not make a working program look dead.

fsync. Off unless asked for. A heartbeat tells of now: after a power cut the old one is worth nothing, while waiting for
the disk on every beat would let a busy disk stop the work. `fsync=True` is for rare beats that must outlive the fall of
the machine, such as those of a nightly job; `lifesign beat NAME -- CMD` uses it. Without it a power cut may leave the
file empty on some file systems; a crash or kill of the program never does.

Not here: reading and judging heartbeats.
"""

from __future__ import annotations

import json
import os
import stat
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = ["Heartbeat", "default_heartbeat_path", "user_state_dir", "write_heartbeat"]

SIZE_LIMIT_BYTES = 64 * 1024
DEPTH_LIMIT = 8  # the object itself is the first
MESSAGE_LIMIT = 1000  # characters
STATUSES = ("ok", "degraded", "error", "stopping")
_LATEST_TIMESTAMP = 4_102_444_800  # the year 2100: whoever passes more means milliseconds
_LEFTOVER_AGE_S = 600.0  # a younger temporary file may belong to a writer that is slow

_MEANINGS = {
    **dict.fromkeys(("timestamp", "started_at"), "a time in Unix seconds"),
    "cycle": "an integer of 64 bits",
    "pid": "a process id",
    "status": "one of " + ", ".join(STATUSES),
    "busy": "True or False",
    "message": "text",
}

_process: dict[str, Any] = {"pid": os.getpid(), "started_at": time.time()}
_warned: set[str] = set()
_swept: set[Path] = set()


def user_state_dir() -> Path:
    """`$XDG_STATE_HOME` if absolute, else `~/.local/state`. Raises RuntimeError where no home folder can be found."""
    configured = Path(os.environ.get("XDG_STATE_HOME", ""))
    return configured if configured.is_absolute() else Path.home() / ".local" / "state"


def default_heartbeat_path(name: str) -> Path:
    """Where `Heartbeat(name)` writes and a heartbeat check without a path looks.

    Raises ValueError for a name that is no plain file name, RuntimeError without a home folder.
    """
    if not name or name.startswith(".") or "/" in name or "\0" in name:
        raise ValueError(f"{name!r:.80} cannot name a heartbeat: give a plain file name")
    return user_state_dir() / "lifesign" / "heartbeats" / f"{name}.json"


def heartbeat_path(path: str | Path | None = None, name: str | None = None) -> Path:
    """`path`, else `$LIFESIGN_HEARTBEAT`, else that of `name`, absolute. Raises ValueError, RuntimeError."""
    chosen = path if path is not None else os.environ.get("LIFESIGN_HEARTBEAT") or None
    if chosen is not None:
        return Path(chosen).expanduser().absolute()
    if name is None:
        raise ValueError("no heartbeat file: give path= or set LIFESIGN_HEARTBEAT")
    return default_heartbeat_path(name)


def write_heartbeat(
    path: str | Path | None = None, *, fsync: bool = False, strict: bool = False, **fields: Any
) -> bool:
    """Write one heartbeat to `path`, else to `$LIFESIGN_HEARTBEAT`; True when it stands there.

    `fields`: `cycle` (64-bit integer), `status` (one of `STATUSES`), `busy` (bool), `message` (cut at 1000 characters),
    `timestamp` (Unix seconds, default now), `pid` and `started_at` (default: of this process), and any data under any
    other name. A key with a meaning whose value is None counts as not given.
    Never raises, unless `strict`: then ValueError for a bad field, data that cannot be held or no path, else OSError.
    """
    return _write(path, fields, fsync=fsync, strict=strict)


class Heartbeat:
    """The heartbeat of one component: knows its file, counts its beats, is safe with threads and forks.

    A new process counts from 1 again, which is fine: what is judged is that the number *changes*.
    A forked child counts on from where its parent was, with its own `pid` and `started_at`.
    """

    def __init__(self, name: str, path: str | Path | None = None, *, fsync: bool = False, strict: bool = False) -> None:
        """The file is settled now: `path`, else `$LIFESIGN_HEARTBEAT`, else `default_heartbeat_path(name)`.

        With `strict`, raises ValueError or RuntimeError where there is none; else every beat returns False.
        """
        self.name = name
        self.path: Path | None = None
        self.cycle = 0
        self._fsync, self._strict = fsync, strict
        self._begin()
        try:
            self.path = heartbeat_path(path, name)
        except Exception as error:  # as in _write
            if strict:
                raise
            _warn_once(f"no heartbeat will be written: {error}", kind="path")

    def beat(self, /, cycle: int | None = None, **fields: Any) -> bool:
        """Tell that a piece of work was finished; True when it is written. Fields and errors as in `write_heartbeat`.

        Without `cycle`, it is one more than the last. A beat that could not be written counts too: the work was done.
        """
        if self._pid != os.getpid():
            self._begin()
        if self.path is None:
            return False
        with self._lock:  # so that the newest count is also the one that stays in the file
            fields["cycle"] = self.cycle + 1 if cycle is None else cycle
            with suppress(Exception):  # a bad one is refused, and told, where it is written
                self.cycle = _integer("cycle", fields["cycle"])
            fields.setdefault("started_at", self._started_at)
            return _write(self.path, fields, fsync=self._fsync, strict=self._strict)

    def _begin(self) -> None:
        """Once a process: a lock that another thread held while we were forked would stay locked for ever."""
        self._pid, self._started_at = os.getpid(), time.time()
        self._lock = threading.RLock()  # re-entrant: a signal handler may beat in the middle of a beat


def _write(path: str | Path | None, fields: dict[str, Any], *, fsync: bool, strict: bool) -> bool:
    try:
        given = {key: value for key, value in fields.items() if value is not None or key not in _MEANINGS}
        content = encode_heartbeat({**_of_this_process(), **given}, strict=strict)
        replace_file(heartbeat_path(path), content, fsync=fsync)
    except Exception as error:  # the one guard between our trouble and the work that reports
        if strict:
            raise
        _warn_once(f"no heartbeat written: {error}", kind=f"{type(error).__name__} {getattr(error, 'errno', '')}")
        return False
    return True


def _of_this_process() -> dict[str, Any]:
    if _process["pid"] != os.getpid():  # we were forked
        _process.update(pid=os.getpid(), started_at=time.time())
    return {"timestamp": time.time(), **_process}


def _warn_once(message: str, *, kind: str) -> None:
    if kind in _warned or len(_warned) >= 100:
        return
    _warned.add(kind)  # before the logging, whose handlers may well beat themselves
    with suppress(Exception):
        import logging

        logging.getLogger("lifesign.heartbeat").warning("%s (told once)", message)


def encode_heartbeat(fields: dict[str, Any], *, strict: bool = True) -> bytes:
    """The bytes of a heartbeat file, at most `SIZE_LIMIT_BYTES`. Adds nothing; `fields` must have a `timestamp`.

    Raises ValueError for a bad value under a key with a meaning, and for other data when `strict`, else leaves it out.
    """
    if "timestamp" not in fields:
        raise ValueError("a heartbeat needs a timestamp")
    members = [_member(key, _meant(key, fields[key]), SIZE_LIMIT_BYTES) for key in _MEANINGS if key in fields]
    room_bytes = SIZE_LIMIT_BYTES - len("{}\n") - sum(len(member) + len(", ") for member in members)
    for key in [key for key in fields if key not in _MEANINGS]:
        try:
            members.append(_member(_key(key), _plain(fields[key], 2, [SIZE_LIMIT_BYTES // 2]), room_bytes))
            room_bytes -= len(members[-1]) + len(", ")
        except Exception as error:  # a stranger's object may raise anything while we look at it
            if strict:
                raise ValueError(f"{key!r:.80} cannot be in a heartbeat: {error}") from error
            _warn_once(f"{key!r:.80} was left out of the heartbeat: {error}", kind=f"field {key!r:.80}")
    return b"{" + b", ".join(members) + b"}\n"


def _member(key: str, value: Any, room_bytes: int) -> bytes:
    text = f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False, allow_nan=False)}"
    if len(member := text.encode("utf-8", "replace")) <= room_bytes:
        return member
    raise ValueError(f"a heartbeat holds at most {SIZE_LIMIT_BYTES} bytes")


def _integer(key: str, value: Any) -> int:
    """`value` if it is one, also numpy's. Raises ValueError for booleans and what 64 bits cannot hold."""
    number = value.__index__() if not isinstance(value, bool) and hasattr(value, "__index__") else None
    if type(number) is int and -(2**63) <= number < 2**63:
        return number
    raise ValueError(f"{key} must be an integer of 64 bits, not {value!r:.80}")


def _meant(key: str, value: Any) -> Any:
    """The value of a key with a meaning; raises ValueError unless it is just that."""
    if key == "message":
        return str(value)[:MESSAGE_LIMIT]
    if key == "busy" and isinstance(value, bool):
        return value
    if key == "status" and value in STATUSES:
        return str(value)
    if key == "cycle" or (key == "pid" and 0 < _integer(key, value) < 2**31):
        return _integer(key, value)
    is_time = key in ("timestamp", "started_at") and isinstance(value, (int, float)) and not isinstance(value, bool)
    if is_time and 0 < value < _LATEST_TIMESTAMP:
        return float(value)
    raise ValueError(f"{key} must be {_MEANINGS[key]}, not {value!r:.80}")


def _key(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"a key must be text, not {value!r:.80}")
    return str.encode(value, "utf-8").decode()  # a lone surrogate raises: two of them would become one key twice


def _plain(value: Any, depth: int, nodes_left: list[int]) -> Any:
    """A copy in JSON's own types: what is looked at here is what is written, whatever other threads do to it."""
    nodes_left[0] -= 1
    if nodes_left[0] < 0 or depth > DEPTH_LIMIT + isinstance(value, (str, int, float, type(None))):
        raise ValueError(f"a heartbeat holds at most {SIZE_LIMIT_BYTES} bytes, {DEPTH_LIMIT} levels deep")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.encode(value[:SIZE_LIMIT_BYTES], "utf-8", "replace").decode()
    if isinstance(value, int):
        return _integer("it", value)
    if isinstance(value, float):
        return float.__float__(value)  # _member refuses NaN and infinity
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1, nodes_left) for item in value]
    if isinstance(value, dict):
        return {_key(key): _plain(item, depth + 1, nodes_left) for key, item in value.items()}
    raise ValueError(f"JSON has no {type(value).__name__}")


def replace_file(path: Path, content: bytes, *, fsync: bool = False) -> None:
    """Put `content` at `path` in one step, making the folder. Raises OSError, and leaves nothing beside it then."""
    with suppress(FileNotFoundError):
        if stat.S_IFMT(path.lstat().st_mode) not in (stat.S_IFREG, stat.S_IFLNK):
            raise OSError(f"{path} is not a regular file")
    prefix = f".{path.name[:40]}."
    if path not in _swept:
        _swept.add(path)
        _sweep(path.parent, prefix)
    # A name of its own for every write: no two processes, threads, forks or hosts ever share one.
    temporary = path.with_name(f"{prefix}{os.getpid()}.{os.urandom(6).hex()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(temporary, flags, 0o644)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(temporary, flags, 0o644)
    try:
        try:
            while content:
                content = content[os.write(descriptor, content) :]
            if fsync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    if fsync:
        folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _sweep(folder: Path, prefix: str) -> None:
    """Once a process: remove what a `kill -9` between writing and replacing left behind."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(prefix) and entry.name.endswith(".tmp"):
                about = entry.stat(follow_symlinks=False)
                if about.st_uid == os.geteuid() and time.time() - about.st_mtime > _LEFTOVER_AGE_S:
                    Path(entry.path).unlink()
