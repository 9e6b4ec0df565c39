"""The methods of a restart and the keys of each, as a user writes them. Not here: acting on them."""

import re
import signal as signals
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeAlias

import msgspec
from msgspec import Meta, Struct

from lifesign.config.environment import environment_complaints
from lifesign.config.keys import Complaint, Count, default_duration, describe
from lifesign.config.values import Duration, OpenValue, Word
from lifesign.text import format_duration

_NEVER_SENT = ("SIGKILL", "SIGSTOP")
UNIT_NAME = re.compile(r"[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]{0,254}")
_SERVER = re.compile(r"unix://[^/]*/.|https?://[^/]")


class Backoff(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The wait between restarts that brought no work back."""

    initial: Annotated[Duration, describe("the first wait", "30s")] = default_duration("30s")
    factor: Annotated[Annotated[float, Meta(ge=1, le=1000)], describe("each further wait is so many times longer")] = (
        2.0
    )
    max: Annotated[Duration, describe("no wait is longer", "30m")] = default_duration("30m")

    def complaints(self) -> Iterator[Complaint]:
        """What does not fit together."""
        if self.max < self.initial:
            yield Complaint(("max", "initial"), "is shorter than initial")


class Restart(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="method"):
    """The keys of every method."""

    about: ClassVar[str] = ""

    automatic: Annotated[bool, describe("false: only the operator restarts")] = False
    after: Annotated[Duration, describe("how long it must have been down before the first restart", "5m")] = (
        default_duration("5m")
    )
    grace: Annotated[Duration, describe("how long a fresh process gets to resume work", "2m")] = default_duration("2m")
    max_unproductive: Annotated[Count, describe("so many restarts in vain, then it gives up, loudly")] = 3
    backoff: Annotated[Backoff, describe("the wait between restarts in vain")] = msgspec.field(default_factory=Backoff)
    max_restarts: Annotated[Count, describe("so many restarts in any window")] = 5
    window: Annotated[Duration, describe("the window of max_restarts", "24h")] = default_duration("24h")
    escalate: Annotated[
        Duration | None, describe("SIGKILL after this long; without it no method ever sends SIGKILL", "never")
    ] = None

    @property
    def in_words(self) -> str:
        """What it does, for those who ask before a restart; no argument of a command, which may be confidential."""
        return ""

    def complaints(self) -> Iterator[Complaint]:
        """What does not fit together; overridden where a method has rules of its own."""
        yield from ()


class SignalRestart(Restart, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="signal"):
    """A signal to the process."""

    about: ClassVar[str] = "sends a signal; whoever supervises the process starts it anew"

    signal: Annotated[str, describe("the signal's name")] = "SIGTERM"
    pidfile: Annotated[Path | None, describe("where the pid stands", "the process check, else the heartbeat")] = None

    @property
    def in_words(self) -> str:
        """What it does."""
        return f"{self.signal}{_escalation(self)}"

    def complaints(self) -> Iterator[Complaint]:
        """The signal must exist, and SIGKILL comes by `escalate` alone."""
        if self.signal in _NEVER_SENT:
            yield Complaint(("signal",), f"{self.signal} is never sent here", 'escalate = "30s" allows SIGKILL')
        elif self.signal not in signals.Signals.__members__:
            yield Complaint(("signal",), "is no signal of this system", "as in SIGTERM, SIGHUP, SIGINT, SIGUSR1")


class SystemdRestart(Restart, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="systemd"):
    """A unit of systemd."""

    about: ClassVar[str] = "asks systemd to restart a unit"

    unit: Annotated[
        Word, describe("the unit; `user:NAME` for one of your own manager", examples=["mind.service", "user:mind"])
    ]

    @property
    def in_words(self) -> str:
        """What it does."""
        return f"unit {self.unit}{_escalation(self)}"

    def complaints(self) -> Iterator[Complaint]:
        """What systemctl would take for an option or a pattern is no name."""
        if not UNIT_NAME.fullmatch(self.unit.removeprefix("user:")):
            yield Complaint(("unit",), "is no name of a unit", "as in mind.service, or user:mind.service")


class SupervisorRestart(Restart, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="supervisor"):
    """A program of Supervisor."""

    about: ClassVar[str] = "asks Supervisor to restart a program"

    program: Annotated[Word, describe("the program's name", examples=["workers:mind"])]
    server: Annotated[Word | None, describe("Supervisor's socket or URL", "unix:///var/run/supervisor.sock")] = None

    @property
    def in_words(self) -> str:
        """What it does."""
        return f"program {self.program}"

    def complaints(self) -> Iterator[Complaint]:
        """Supervisor listens on a UNIX socket or speaks HTTP."""
        if self.server is not None and not _SERVER.match(self.server):
            yield Complaint(("server",), "is no server of Supervisor", "as in unix:///PATH or http://HOST:PORT")


class DockerRestart(Restart, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="docker"):
    """A container."""

    about: ClassVar[str] = "asks Docker to restart a container"

    container: Annotated[Word, describe("the container's name or id")]

    @property
    def in_words(self) -> str:
        """What it does."""
        return f"container {self.container}{_escalation(self)}"


class CommandRestart(Restart, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="command"):
    """A command of the user's own."""

    about: ClassVar[str] = "runs a command"

    argv: Annotated[tuple[Word, ...], Meta(min_length=1), describe("program and arguments; never a shell line")]
    env: Annotated[dict[str, OpenValue], describe("environment variables; a value may be a secret")] = msgspec.field(
        default_factory=dict
    )
    cwd: Annotated[Path | None, describe("the folder it runs in", "the config's folder")] = None

    @property
    def in_words(self) -> str:
        """What it does."""
        return self.argv[0]

    def complaints(self) -> Iterator[Complaint]:
        """Names of variables."""
        yield from environment_complaints(self.env)


def _escalation(restart: Restart) -> str:
    """SIGKILL too, where it was allowed."""
    return f", SIGKILL after {format_duration(restart.escalate.ns / 1e9)}" if restart.escalate is not None else ""


RestartOptions: TypeAlias = SignalRestart | SystemdRestart | SupervisorRestart | DockerRestart | CommandRestart
RESTART_METHODS: dict[str, type[Any]] = {
    str(method.__struct_config__.tag): method
    for method in (SignalRestart, SystemdRestart, SupervisorRestart, DockerRestart, CommandRestart)
}
