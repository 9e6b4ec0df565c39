"""For monitored programs: a writer that tells of each piece of finished work, and two guards that live inside.

One file, standard library only, Python 3.8 or newer: install lifesign, or copy this file into the program. It may be
copied alone, so it is the one module of lifesign that is longer than 300 lines.

    from lifesign import Heartbeat, ReconnectGuard, Watchdog, write_heartbeat

    write_heartbeat(cycle=n, model="m")        # path=, else $LIFESIGN_HEARTBEAT
    heartbeat = Heartbeat("mind")              # path=, else $LIFESIGN_HEARTBEAT, else the user state dir
    heartbeat.beat()                           # counts by itself; or beat(cycle=n, status="ok", queue=17)
    Watchdog(heartbeat, stale_limit=600).start()            # no beat for 600 s: ERROR in the log, SIGTERM to ourselves
    guard = ReconnectGuard(max_unproductive=3)              # reconnects that deliver nothing do not go on for ever
    stream = guard.reconnect(refresh=login, connect=open_stream)    # fresh credentials first, then the connection

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
import signal
import stat
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Heartbeat",
    "ReconnectExceededError",
    "ReconnectGuard",
    "Watchdog",
    "default_heartbeat_path",
    "user_state_dir",
    "write_heartbeat",
]

SIZE_LIMIT_BYTES = 64 * 1024
DEPTH_LIMIT = 8  # the object itself is the first
MESSAGE_LIMIT = 1000  # characters
STATUSES = ("ok", "degraded", "error", "stopping")
_LATEST_TIMESTAMP = 4_102_444_800  # the year 2100: whoever passes more means milliseconds
_LEFTOVER_AGE_S = 600.0  # a younger temporary file may belong to a writer that is slow
_LOG_PATIENCE_S = 2.0  # what hangs may hold the log's lock, or the log itself is what hangs

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
        self.beaten_at: float | None = None  # the last beat, on the monotonic clock
        self.idle = False  # it said busy=False
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
        self.beaten_at, self.idle = time.monotonic(), fields.get("busy") is False
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


class Watchdog:
    """Ends its own process once the work has rested too long, so that the supervisor starts a fresh one.

    A daemon thread watches the beats of one `Heartbeat`. When none came for `stale_limit` seconds it logs one ERROR
    (logger `lifesign.heartbeat`) with how stale the work is and how long it may be, and sends SIGTERM to its own
    process, once. It never fires before `grace` seconds have passed since `start()`, while the last beat said
    `busy=False`, or for time in which it could not run itself: after a suspend, a stopped process or a starved one
    the work has a whole `stale_limit` again. A blocked asyncio loop is seen, being another thread's trouble; code that
    never releases the interpreter's lock stops this thread too, and only a watcher outside sees that.

    A fork takes no watchdog along: the child starts its own. Usable as a context manager. `start` and `stop` may be
    called again and again, by one thread at a time.
    """

    def __init__(
        self,
        heartbeat: Heartbeat,
        stale_limit: float = 600.0,
        *,
        grace: float | None = None,
        dump_stacks: bool | str | Path = False,
        escalate_after: float | None = None,
    ) -> None:
        """Seconds. `grace`: default `stale_limit`. `dump_stacks`: log what every thread does, or append it to a file.

        `escalate_after`: so long after an unheeded SIGTERM, SIGKILL; None never sends one. A SIGTERM handler written in
        Python, or asyncio's, does not run while its thread hangs in one call: then this is what ends the process.
        Raises ValueError for a time that is not positive (`grace` may be 0).
        """
        self._grace = stale_limit if grace is None else grace
        if not (0 < stale_limit < 1e9 and 0 <= self._grace < 1e9 and (escalate_after is None or escalate_after > 0)):
            raise ValueError("a watchdog's times are positive seconds")
        self.fired = False
        self._heartbeat, self._limit = heartbeat, float(stale_limit)
        self._dump, self._escalate_after = dump_stacks, escalate_after
        self._pid, self._stopped = 0, threading.Event()

    def start(self) -> Watchdog:
        """Begins to watch, with its grace; nothing where it watches already."""
        if self._pid != os.getpid() or self._stopped.is_set():
            self._pid, self._stopped, self.fired = os.getpid(), threading.Event(), False
            arguments = (self._stopped, time.monotonic())
            threading.Thread(target=self._watch, args=arguments, name="lifesign-watchdog", daemon=True).start()
        return self

    def stop(self) -> None:
        """Ends the watch at once; it does not wait for the thread."""
        self._stopped.set()

    def __enter__(self) -> Watchdog:
        return self.start()

    def __exit__(self, *failure: object) -> None:
        self.stop()

    def _watch(self, stopped: threading.Event, began: float) -> None:
        """Adds up the time in which it ran and saw no beat: what it slept through is nobody's fault."""
        tick = min(1.0, self._limit / 20)
        lived = rested = 0.0
        seen, now, away = self._heartbeat.beaten_at, began, _suspended_s()
        while not stopped.wait(tick):
            gap, now = time.monotonic() - now, time.monotonic()
            slept, away = _suspended_s() - away, _suspended_s()
            stalled = slept > 1.0 or gap > tick + max(1.0, self._limit / 10)
            lived += min(gap, 2 * tick)
            rested += min(gap, 2 * tick)
            if stalled or self._heartbeat.idle or self._heartbeat.beaten_at != seen:
                rested, seen = 0.0, self._heartbeat.beaten_at
            elif rested >= self._limit and lived >= self._grace:
                self._fire(now - (began if seen is None else max(seen, began)), stopped)
                return

    def _fire(self, stale: float, stopped: threading.Event) -> None:
        self.fired = True
        words = (
            f"{self._heartbeat.name}: no work was finished for {stale:.0f} s (limit {self._limit:g} s): "
            f"ending this process {os.getpid()} with SIGTERM, so that its supervisor starts a fresh one"
        )
        _log_in_time("error", words, stacks=self._dump)
        if stopped.is_set():  # the log took its time
            return
        os.kill(os.getpid(), signal.SIGTERM)
        if self._escalate_after is not None and not stopped.wait(self._escalate_after):
            _log_in_time("error", f"{self._heartbeat.name}: SIGTERM was not heeded: SIGKILL")
            os.kill(os.getpid(), signal.SIGKILL)


class ReconnectExceededError(RuntimeError):
    """Too many connections in a row delivered nothing: to try once more would only hide it."""


class ReconnectGuard:
    """Counts the connections that delivered nothing, and fails hard on the next. Safe with threads, forks, asyncio.

    `reconnect` for plain functions, `await reconnect_async` where either may be a coroutine function. Both call
    `refresh` first, for fresh credentials, then `connect`; a `connect` that cannot be called without an argument is
    given what `refresh` returned. What they raise is raised, and counts as a connection in vain. Use it for the first
    connection too. Whatever was known of the old connection (when it last spoke, say) belongs to the old connection:
    let `connect` build a new object that holds it.
    """

    def __init__(self, max_unproductive: int = 3, *, on_exceeded: str = "raise", terminate_after: float = 10.0) -> None:
        """`max_unproductive`: connections in a row that may deliver nothing, at least 1.

        The next one raises ReconnectExceededError. With `on_exceeded="terminate"`, for programs whose catch-all would
        swallow that, it also sends SIGTERM to its own process and, `terminate_after` seconds later, exits it with 1
        whatever goes on in it. Raises ValueError for another value.
        """
        if max_unproductive < 1 or on_exceeded not in ("raise", "terminate") or not 0 <= terminate_after < 1e6:
            raise ValueError('max_unproductive is at least 1, on_exceeded "raise" or "terminate"')
        self._max, self._terminate_after = max_unproductive, terminate_after
        self._terminates = on_exceeded == "terminate"
        self.unproductive = 0  # connections since something was last delivered
        self._ending = False
        self._pid, self._lock = os.getpid(), threading.Lock()

    def delivered(self) -> None:
        """The present connection delivered something: call it for what came *after* the greeting."""
        self.unproductive = 0

    def reconnect(self, *, connect: Callable[..., Any], refresh: Callable[[], Any] | None = None) -> Any:
        """What `connect` returns. Raises ReconnectExceededError, TypeError for a coroutine, and what they raise."""
        self._count()
        fresh = _plain_result(refresh()) if refresh is not None else None
        return _plain_result(connect(*_arguments(connect, fresh)))

    async def reconnect_async(self, *, connect: Callable[..., Any], refresh: Callable[[], Any] | None = None) -> Any:
        """The same where `refresh`, `connect` or both are coroutine functions."""
        self._count()
        fresh = await _awaited(refresh()) if refresh is not None else None
        return await _awaited(connect(*_arguments(connect, fresh)))

    def _count(self) -> None:
        if self._pid != os.getpid():  # a lock that was held while we were forked would stay locked for ever
            self._pid, self._lock = os.getpid(), threading.Lock()
        with self._lock:
            number = self.unproductive + 1
            if number <= self._max:
                self.unproductive = number
        if number > self._max:
            self._exceeded()
        if number > 1:
            _log_in_time("warning", f"connection {number} of {self._max} since something was delivered")

    def _exceeded(self) -> None:
        words = f"{self._max} connections in a row delivered nothing"
        if self._terminates and not self._ending:
            self._ending = True
            _log_in_time("error", f"{words}: ending this process {os.getpid()}")
            threading.Thread(target=self._exit, name="lifesign-exit", daemon=True).start()
            os.kill(os.getpid(), signal.SIGTERM)
        raise ReconnectExceededError(words)

    def _exit(self) -> None:
        time.sleep(self._terminate_after)
        os._exit(1)


def _arguments(connect: Callable[..., Any], fresh: Any) -> tuple[Any, ...]:
    """What `connect` is called with: nothing where that is enough, so that no default of its own is overwritten."""
    import inspect

    try:
        inspect.signature(connect).bind()
    except TypeError:
        return (fresh,)
    except ValueError:  # written in C, and says nothing of itself
        return ()
    return ()


def _plain_result(result: Any) -> Any:
    import inspect

    if inspect.iscoroutine(result):
        result.close()
        raise TypeError("a coroutine function: use `await guard.reconnect_async(...)`")
    return result


async def _awaited(result: Any) -> Any:
    import inspect

    return await result if inspect.isawaitable(result) else result


def _suspended_s() -> float:
    """Seconds that the machine has slept since it booted; 0 where that is not told."""
    try:
        return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
    except (AttributeError, OSError):
        return 0.0


def _log_in_time(level: str, message: str, stacks: bool | str | Path = False) -> None:
    """Logs in a thread of its own and waits 2 s at most: the log may be just what hangs."""

    def log() -> None:
        told = message
        with suppress(Exception):
            if stacks:
                told = f"{message}\n{_stacks()}"
            if isinstance(stacks, (str, Path)):
                with Path(stacks).open("a", encoding="utf-8") as file:
                    file.write(told + "\n")
                told = f"{message} (stacks: {stacks})"
        with suppress(Exception):
            import logging

            getattr(logging.getLogger("lifesign.heartbeat"), level)("%s", told)

    thread = threading.Thread(target=log, name="lifesign-log", daemon=True)
    thread.start()
    thread.join(_LOG_PATIENCE_S)


def _stacks() -> str:
    """What every thread is doing. By way of a file in memory: a full pipe would stop us, and all threads with us."""
    import faulthandler
    import tempfile

    with tempfile.TemporaryFile() as file:
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        return file.read().decode(errors="replace").rstrip()


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
