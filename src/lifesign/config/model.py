"""The sections of `lifesign.toml` as they are written. Not here: check, restart and alert types, and the result."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Struct

from lifesign.config.alert_types import AlertOptions
from lifesign.config.check_types import Defaults
from lifesign.config.endpoints import ListenAddress
from lifesign.config.keys import Complaint, default_duration, default_of, describe
from lifesign.config.probe_types import CheckOptions
from lifesign.config.restart_types import RestartOptions
from lifesign.config.values import Delay, Duration, SecretReference, Word

NAME_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$"
NAME_RULE = "letters, digits, - _ . and no more than 64, not - or . first"
Name: TypeAlias = Annotated[str, Meta(pattern=NAME_PATTERN, extra={"rule": NAME_RULE})]


class Monitor(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[monitor]`."""

    name: Annotated[Name | None, describe("what this monitor is called", "the host's name")] = None
    state_dir: Annotated[
        Path | None,
        describe("where it keeps its state", "/var/lib/lifesign/NAME for a config under /etc, else the user state dir"),
    ] = None
    history: Annotated[Duration, describe("how long aggregates and events are kept", "90d")] = default_duration("90d")
    incident_snapshots: Annotated[
        Path | None, describe("a folder for the whole state whenever an incident opens or ends", "none are taken")
    ] = None
    socket_group: Annotated[Word | None, describe("who else may attach (mode 0660)", "the owner alone")] = None


class Http(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[http]`; absent: no TCP listener."""

    listen: Annotated[ListenAddress, describe("where it listens", "127.0.0.1:5199")] = default_of(
        ListenAddress("127.0.0.1:5199")
    )
    token: Annotated[SecretReference | None, describe("required to act over TCP, and to listen off loopback")] = None
    certificate: Annotated[Path | None, describe("PEM file; required off loopback, unless insecure")] = None
    key: Annotated[Path | None, describe("PEM file of its private key")] = None
    insecure: Annotated[bool, describe("true: off loopback without TLS")] = False
    allowed_hosts: Annotated[
        tuple[Word, ...] | None, describe("Host headers answered", "127.0.0.1, localhost, and the host of `listen`")
    ] = None

    def complaints(self) -> Iterator[Complaint]:
        """What may not be reached from elsewhere without a token and TLS."""
        if (self.certificate is None) != (self.key is None):
            missing = "key" if self.key is None else "certificate"
            yield Complaint(("certificate" if missing == "key" else "key", missing), f"needs {missing} beside it")
        if self.listen.is_loopback:
            return
        if self.token is None:
            yield Complaint(("listen", "token"), "a token is required off loopback", 'token = { env = "NAME" }')
        if self.certificate is None and self.key is None and not self.insecure:
            yield Complaint(
                ("listen", "certificate", "key", "insecure"),
                "certificate and key are required off loopback",
                "or say insecure = true",
            )


class Component(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[components.NAME]`."""

    title: Annotated[str, describe("shown instead of the name")] = ""
    optional: Annotated[bool, describe("true: its failure degrades, and never turns the whole down")] = False
    tags: Annotated[tuple[Word, ...], describe('for filters and alerts, as "tag:NAME"')] = ()
    depends_on: Annotated[
        tuple[str, ...], describe("while one of these is down, this one raises no alert and is not restarted")
    ] = ()
    grace: Annotated[Delay | None, describe("grace of its checks", "that of [defaults]")] = None
    checks: Annotated[dict[Name, CheckOptions], Meta(min_length=1), describe("its checks, by name")]
    restart: Annotated[RestartOptions | None, describe("how it is restarted", "not at all")] = None


class Console(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[console]`."""

    keys: Annotated[
        dict[str, Word],
        describe("another key for a command, by the command's id", examples=[{"component.restart": "f8"}]),
    ] = msgspec.field(default_factory=dict)


class ConfigFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    monitor: Annotated[Monitor | None, describe("the monitor itself")] = None
    http: Annotated[Http | None, describe("the HTTP API over TCP", "no TCP listener")] = None
    defaults: Annotated[Defaults | None, describe("any key that a check may have, except what a type requires")] = None
    components: Annotated[dict[Name, Component], Meta(min_length=1), describe("what is watched, by name")]
    alerts: Annotated[dict[Name, AlertOptions], describe("who is told, by name")] = msgspec.field(default_factory=dict)
    console: Annotated[Console | None, describe("the terminal console")] = None
