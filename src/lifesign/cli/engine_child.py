"""An engine of one's own: a child process that watches, so that no terminal can ever block the watching.

It listens on a private socket and ends when its standard input does: with this process, however that ends.
Not here: what the child runs (`cli.serving`).
"""

import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, TypeVar

from lifesign.api.address import fits
from lifesign.api.client import Client
from lifesign.api.documents import Component, EventDocument, Events, State
from lifesign.api.failures import ClientError
from lifesign.api.past import Past, Step
from lifesign.api.past_incidents import PastIncidents
from lifesign.api.report_documents import Report
from lifesign.text import clean

START_TIMEOUT_S = 10.0
_STOP_TIMEOUT_S = 3.0
_LOOK_EVERY_S = 0.02
_SOCKET_NAME = "engine.sock"

_Answer = TypeVar("_Answer")


class EngineFailed(Exception):  # noqa: N818 - the kind is the name
    """The engine did not start. The message is for the user, in one line or several."""


class EngineChild:
    """`with EngineChild(["run", "-c", "lifesign.toml"]) as engine:` runs that command as this process's own engine.

    `argv_tail` is the command line behind `lifesign`; `--console-child SOCKET` is added to it. Entering waits until the
    engine answers, at most 10 s, and raises EngineFailed with what the engine said. Leaving ends it.
    """

    def __init__(self, argv_tail: Sequence[str], start_timeout_s: float = START_TIMEOUT_S) -> None:
        self._argv_tail = list(argv_tail)
        self._start_timeout_s = start_timeout_s
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None

    @property
    def socket(self) -> Path:
        """Where the engine listens."""
        assert self._folder is not None, "not entered"
        return self._folder / _SOCKET_NAME

    @property
    def target(self) -> str:
        """The same as a URL: `unix:PATH`."""
        return f"unix:{self.socket}"

    def __enter__(self) -> "EngineChild":
        self._folder = private_folder(len(_SOCKET_NAME))
        try:
            self._start()
            self._wait_until_ready()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def connect(self, timeout_s: float) -> "ChildSource":
        """A source for the console that tells when the engine itself has ended."""
        return ChildSource(self, Client.connect(self.target, timeout_s))

    def ending(self) -> str:
        """Why the engine has ended, empty while it runs."""
        if self._process is None or self._process.poll() is None:
            return ""
        said = self._last_words()
        return f"this console's own engine has ended{f': {said[0]}' if said else ''}; quit and start again"

    def _start(self) -> None:
        self._said = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - it lives as long as the child
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lifesign", *self._argv_tail, "--console-child", str(self.socket)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            start_new_session=True,
        )

    def _wait_until_ready(self) -> None:
        client = Client.connect(self.target, timeout_s=2.0)
        deadline_s = time.monotonic() + self._start_timeout_s
        while time.monotonic() < deadline_s:
            if self._process is not None and self._process.poll() is not None:
                words = self._last_words() or [f"the engine ended with exit code {self._process.returncode}"]
                raise EngineFailed("\n".join(words))
            try:
                if client.ready():
                    return
            except ClientError:
                pass  # it is there and not ready: it has until the deadline
            threading.Event().wait(_LOOK_EVERY_S)
        raise EngineFailed(f"the engine did not answer within {self._start_timeout_s:g} s")

    def _last_words(self) -> list[str]:
        """What the engine wrote to standard error, without our own name before each line."""
        if self._said is None:
            return []
        self._said.seek(0)
        lines = self._said.read(16384).decode(errors="replace").splitlines()
        return [clean(line.removeprefix("lifesign: ")) for line in lines if line.strip()]

    def _end(self) -> None:
        if self._process is not None:
            _end_process(self._process)
        if self._said is not None:
            self._said.close()
        remove_folder(self._folder)


class Carrier(Protocol):
    """What stands between a client and the daemon, and may end: an engine of one's own, a tunnel."""

    def ending(self) -> str:
        """Why nobody can answer any more, empty while somebody can."""
        ...


class ChildSource:
    """A client that knows when nobody can answer any more."""

    def __init__(self, engine: Carrier, client: Client) -> None:
        self._engine = engine
        self._client = client

    def state(self) -> State:
        """The state document. Raises ClientError."""
        return self._asked(self._client.state)

    def probe(self, component: str) -> Component:
        """Looks at `component` now. Raises ClientError."""
        return self._asked(lambda: self._client.probe(component))

    def act(
        self,
        component: str,
        action: str,
        *,
        author: str | None = None,
        reason: str | None = None,
        duration_s: float | None = None,
    ) -> Component:
        """Does one of the operator's actions. Raises ClientError."""
        return self._asked(
            lambda: self._client.act(component, action, author=author, reason=reason, duration_s=duration_s)
        )

    def events(self, since: str | None = None) -> Events:
        """The history. Raises ClientError."""
        return self._asked(lambda: self._client.events(since))

    def follow_events(self) -> Iterator[EventDocument]:
        """Every event from now on. Raises ClientError."""
        return self._client.follow_events()

    def report(self, component: str | None = None) -> Report:
        """Uptime. Raises ClientError."""
        return self._asked(lambda: self._client.report(component))

    def past(self, component: str, step: Step) -> Past:
        """How a component stood. Raises ClientError."""
        return self._asked(lambda: self._client.past(component, step))

    def past_incidents(self, step: Step) -> PastIncidents:
        """What was open. Raises ClientError."""
        return self._asked(lambda: self._client.past_incidents(step))

    def _asked(self, call: Callable[[], _Answer]) -> _Answer:
        try:
            return call()
        except ClientError as error:
            raise ClientError(self._engine.ending() or error.detail) from error


def private_folder(name_bytes: int) -> Path:
    """A folder of ours alone, in which a socket whose name has at most `name_bytes` bytes fits."""
    folder = Path(tempfile.mkdtemp(prefix="lifesign-"))
    if fits(folder / ("x" * name_bytes)):
        return folder
    folder.rmdir()
    return Path(tempfile.mkdtemp(prefix="lifesign-", dir="/tmp"))


def remove_folder(folder: Path | None) -> None:
    """Removes it with all that is in it, as far as that goes."""
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _end_process(process: "subprocess.Popen[bytes]") -> None:
    """Asks by closing its standard input, then by SIGTERM; only an engine that ignores both is killed."""
    if process.stdin is not None:
        process.stdin.close()
    for stop in (None, process.terminate, process.kill):
        if stop is not None:
            stop()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            continue
        return
