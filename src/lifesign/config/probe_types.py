"""The types of check that look at a component from outside: ports, processes, files, units. Not here: looking."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeAlias

import msgspec
from msgspec import Meta, Struct

from lifesign.config.check_types import Check, HeartbeatCheck, LogCheck, PushCheck
from lifesign.config.conditions import ByteSize, CountExpression, FreeSpace, Regex, Share, StatusRanges
from lifesign.config.endpoints import Address, HttpUrl, WebsocketUrl
from lifesign.config.environment import environment_complaints
from lifesign.config.headers import header_complaints
from lifesign.config.keys import Complaint, Count, default_of, describe
from lifesign.config.restart_types import UNIT_NAME
from lifesign.config.values import OpenValue, Program, Word
from lifesign.core.model import Layer

Positive: TypeAlias = Annotated[float, Meta(gt=0)]
_METHOD = Meta(pattern=r"^(?!CONNECT$)[A-Z]{1,20}$", extra={"rule": "a method in capitals, and not CONNECT"})


class TcpCheck(Check, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="tcp"):
    """A port."""

    ok_when: ClassVar[str] = "it connects (and answers)"

    address: Annotated[Address, describe("host and port; IPv6 in brackets", examples=["127.0.0.1:8765", "[::1]:8765"])]
    send: Annotated[str | None, describe("sent once it is connected")] = None
    expect: Annotated[Regex | None, describe("the answer must match this expression")] = None
    tls: Annotated[bool, describe("TLS, with the certificate verified")] = False


class HttpCheck(Check, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="http"):
    """A request over HTTP."""

    ok_when: ClassVar[str] = "status, body and certificate are as expected"

    url: Annotated[HttpUrl, describe("what is asked for", examples=["http://127.0.0.1:8080/health"])]
    method: Annotated[Annotated[str, _METHOD], describe("the request's method")] = "GET"
    headers: Annotated[dict[str, OpenValue], describe("a value may be a secret")] = msgspec.field(default_factory=dict)
    body: Annotated[str | None, describe("the request's body")] = None
    expect_status: Annotated[StatusRanges, describe("codes and ranges", "200-299", examples=["200-299", "200,204"])] = (
        default_of(StatusRanges("200-299"))
    )
    expect_body: Annotated[Regex | None, describe("the body must match this expression")] = None
    expect_json: Annotated[
        dict[str, Any],
        describe("the body is JSON with these values; dots step into objects", examples=[{"overall": "healthy"}]),
    ] = msgspec.field(default_factory=dict)
    verify_tls: Annotated[bool, describe("false accepts any certificate")] = True
    cert_days: Annotated[Count | None, describe("warn when the certificate ends within so many days", "never")] = None

    def complaints(self) -> Iterator[Complaint]:
        """Headers, and values that JSON has."""
        yield from header_complaints(self.headers)
        if not _is_json(self.expect_json):
            yield Complaint(
                ("expect_json",), "holds a value that JSON does not have (a date, NaN, a number of more than 64 bits)"
            )
        if self.cert_days is not None and not self.url.lower().startswith("https:"):
            yield Complaint(("cert_days", "url"), "means nothing without https://")


class WebsocketCheck(Check, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="websocket"):
    """A WebSocket."""

    ok_when: ClassVar[str] = "the handshake succeeds (and a message matches in time)"

    url: Annotated[WebsocketUrl, describe("what is opened", examples=["ws://127.0.0.1:8765/stream"])]
    headers: Annotated[dict[str, OpenValue], describe("a value may be a secret")] = msgspec.field(default_factory=dict)
    send: Annotated[str | None, describe("sent once it is open")] = None
    expect: Annotated[Regex | None, describe("a message must match this expression")] = None

    def complaints(self) -> Iterator[Complaint]:
        """Headers."""
        yield from header_complaints(self.headers)


class ProcessCheck(Check, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="process"):
    """Processes of this machine."""

    default_layer: ClassVar[Layer] = Layer.ALIVE
    ok_when: ClassVar[str] = (
        "the count holds; a zombie is dead; lifesign, its ancestors and its descendants never count"
    )

    pattern: Annotated[Regex | None, describe("an expression that the command line matches")] = None
    name: Annotated[Word | None, describe("the process's name")] = None
    pidfile: Annotated[Path | None, describe("a file that holds the pid")] = None
    user: Annotated[Word | None, describe("whose processes")] = None
    count: Annotated[CountExpression, describe("how many there must be", ">=1")] = default_of(CountExpression(">=1"))
    max_rss: Annotated[ByteSize | None, describe("memory of one process", examples=["512MiB"])] = None
    max_cpu: Annotated[Positive | None, describe("percent of one core, by one process")] = None
    max_fds: Annotated[Count | None, describe("open descriptors of one process")] = None

    def complaints(self) -> Iterator[Complaint]:
        """Something must say which processes are meant."""
        keys = ("pattern", "name", "pidfile", "user")
        if all(getattr(self, name) is None for name in keys):
            yield Complaint(("", *keys), "a process check needs one of pattern, name, pidfile, user")


class PidCheck(ProcessCheck, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="process"):
    """One process by its pid: `lifesign watch pid:N`. Not for a file, since a pid does not outlive its process."""

    pid: Annotated[Annotated[int, Meta(ge=1, lt=2**31)], describe("the process")]

    def complaints(self) -> Iterator[Complaint]:
        """A pid says enough."""
        yield from ()


class SyntaxCheck(Check, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="syntax"):
    """Source files."""

    default_layer: ClassVar[Layer] = Layer.STARTABLE
    ok_when: ClassVar[str] = "every file parses; nothing is ever imported or run"

    paths: Annotated[
        tuple[Path, ...], Meta(min_length=1), describe("globs of .py, .json and .toml files", examples=[["nexus/*.py"]])
    ]
    python: Annotated[Program | None, describe("the interpreter, run with -I -S", "ours")] = None


class CommandCheck(Check, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="command"):
    """A plugin."""

    ok_when: ClassVar[str] = "Nagios plugin API: exit 0 ok, 1 warn, 2 fail, 3 unknown; perfdata becomes metrics"

    argv: Annotated[tuple[Word, ...], Meta(min_length=1), describe("program and arguments; never a shell line")]
    env: Annotated[dict[str, OpenValue], describe("environment variables; a value may be a secret")] = msgspec.field(
        default_factory=dict
    )
    cwd: Annotated[Path | None, describe("the folder it runs in", "the config's folder")] = None

    def complaints(self) -> Iterator[Complaint]:
        """Names of variables."""
        yield from environment_complaints(self.env)


class SystemdCheck(Check, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="systemd"):
    """A unit of systemd."""

    default_layer: ClassVar[Layer] = Layer.ALIVE
    ok_when: ClassVar[str] = "active"

    unit: Annotated[Word | None, describe("a unit of the system", examples=["mind.service"])] = None
    user_unit: Annotated[Word | None, describe("a unit of the user's own systemd")] = None

    def complaints(self) -> Iterator[Complaint]:
        """One unit, the system's or the user's."""
        if (self.unit is None) == (self.user_unit is None):
            yield Complaint(("", "unit", "user_unit"), "a systemd check needs either unit or user_unit")
        for key in ("unit", "user_unit"):
            name = getattr(self, key)
            if name is not None and not UNIT_NAME.fullmatch(name):
                yield Complaint((key,), "is no name of a unit", "as in mind.service")


class DockerCheck(Check, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="docker"):
    """A container."""

    default_layer: ClassVar[Layer] = Layer.ALIVE
    ok_when: ClassVar[str] = "running and not unhealthy"

    container: Annotated[Word, describe("the container's name or id")]


class Disk(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file system."""

    path: Annotated[Path, describe("any folder on it")]
    min_free: Annotated[FreeSpace, describe("so much must stay free", examples=["10%", "5GiB"])]


class HostCheck(Check, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="host"):
    """The machine itself."""

    default_layer: ClassVar[Layer] = Layer.ALIVE
    ok_when: ClassVar[str] = "within limits"

    max_load: Annotated[Positive | None, describe("load average of a minute")] = None
    max_memory: Annotated[Share | None, describe("memory in use", examples=["90%"])] = None
    max_swap: Annotated[Share | None, describe("swap in use", examples=["50%"])] = None
    disk: Annotated[Disk | None, describe("a file system", examples=[{"path": "/", "min_free": "10%"}])] = None

    def complaints(self) -> Iterator[Complaint]:
        """A limit at least."""
        keys = ("max_load", "max_memory", "max_swap", "disk")
        if all(getattr(self, name) is None for name in keys):
            yield Complaint(("", *keys), f"a host check needs one of {', '.join(keys)}")


CheckOptions: TypeAlias = (
    HeartbeatCheck
    | PushCheck
    | LogCheck
    | TcpCheck
    | HttpCheck
    | WebsocketCheck
    | ProcessCheck
    | SyntaxCheck
    | CommandCheck
    | SystemdCheck
    | DockerCheck
    | HostCheck
)
CHECK_TYPES: dict[str, type[Any]] = {
    str(kind.__struct_config__.tag): kind
    for kind in (
        HeartbeatCheck,
        PushCheck,
        LogCheck,
        TcpCheck,
        HttpCheck,
        WebsocketCheck,
        ProcessCheck,
        SyntaxCheck,
        CommandCheck,
        SystemdCheck,
        DockerCheck,
        HostCheck,
    )
}


def _is_json(value: object) -> bool:
    if isinstance(value, dict):
        return all(_is_json(item) for item in value.values())
    if isinstance(value, list):
        return all(_is_json(item) for item in value)
    if isinstance(value, float):
        return value - value == 0  # neither NaN nor infinite
    return isinstance(value, str) or (isinstance(value, int) and -(2**63) <= value < 2**63)
