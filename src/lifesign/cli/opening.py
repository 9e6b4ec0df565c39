"""The terminal UI opened: on the daemon that runs, on another one, on an engine of its own, or on a file.

Click is imported by whoever has a mistake to tell: an operator who types `lifesign` does not wait for it.
"""

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from lifesign.cli import CommandError
from lifesign.cli.loading import load_config
from lifesign.cli.plain_words import ConsoleWords
from lifesign.cli.saying import say

if TYPE_CHECKING:
    from lifesign.config import Config
    from lifesign.tui.source import StateSource

_ACT_NOTE = "--act: an engine of this console's own restarts and alerts by itself, as the config says"


def console(asked: ConsoleWords) -> int:
    """Opens what is asked for until the operator quits; the exit code. Raises CommandError and UsageError."""
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    notes = (_ACT_NOTE,) if asked.act else ()
    try:
        if asked.snapshot is not None:
            return _open_snapshot(asked.snapshot, notes)
        if asked.connect is not None and asked.connect.startswith("ssh:"):
            return _open_ssh(asked.connect, read_only=asked.read_only, notes=notes)
        if asked.connect is not None:
            return _open_url(asked.connect, read_only=asked.read_only, notes=notes)
        attached = None if asked.print_socket else _attach(asked.config, read_only=asked.read_only, notes=notes)
        if attached is not None:
            return attached
        loaded = load_config(asked.config, warn=False, with_secrets=False)
        if asked.print_socket:
            return _print_socket(loaded)
        return _open_config(loaded, read_only=asked.read_only, act=asked.act, notes=notes)
    except KeyboardInterrupt:
        return 0


def open_console(
    *,
    connect: "str | Callable[[float], StateSource]",
    read_only: bool = False,
    local: bool = False,
    keys: Mapping[str, str] | None = None,
    notes: tuple[str, ...] = (),
) -> int:
    """Shows what `connect` tells until the operator quits; the exit code.

    `connect` is `unix:PATH`, `http://host:port`, or makes a source whose calls end within the seconds it is given.
    `local`: that source's monitor runs on this machine.
    Raises CommandError where the URL is of a kind that is not supported.
    """
    from lifesign.tui.run import run_console

    source = _source_of(connect) if isinstance(connect, str) else connect
    local = local or (isinstance(connect, str) and connect.startswith("unix:"))
    return run_console(source, read_only=read_only, local=local, keys=keys, notes=notes)


def _source_of(url: str) -> "Callable[[float], StateSource]":
    from lifesign.api.client import Client

    token = _token()
    try:
        Client.connect(url, token=token)
    except ValueError as error:
        import click

        raise click.UsageError(f"--connect {error}") from None
    return lambda timeout_s: Client.connect(url, timeout_s, token)


def _open_url(url: str, *, read_only: bool, notes: tuple[str, ...]) -> int:
    from lifesign.cli.first_contact import await_answer

    _source_of(url)  # a URL of another kind is refused before anybody waits
    await_answer(url, _token())
    return open_console(connect=url, read_only=read_only, notes=notes)


def _token() -> str | None:
    return os.environ.get("LIFESIGN_TOKEN") or None


def _open_ssh(url: str, *, read_only: bool, notes: tuple[str, ...]) -> int:
    from lifesign.cli.ssh_address import SshAddress
    from lifesign.cli.tunnel import SshTunnel, TunnelFailed

    try:
        address = SshAddress.parse(url)
    except ValueError as error:
        import click

        raise click.UsageError(f"--connect {error}") from None
    try:
        with SshTunnel(address) as tunnel:
            return open_console(connect=tunnel.connect, read_only=read_only, notes=notes)
    except TunnelFailed as error:
        raise CommandError(str(error)) from None


def _print_socket(config: "Config") -> int:
    from lifesign.api.address import socket_path

    say(str(socket_path(config.monitor.state_dir)))
    return 0


def _attach(named: str | None, *, read_only: bool, notes: tuple[str, ...]) -> int | None:
    """On the daemon that runs, by a glance at its config; None where none is found by that."""
    from lifesign.api.address import may_be_there, socket_path
    from lifesign.config.glance import glance
    from lifesign.config.problems import ConfigNotFound
    from lifesign.config.source import find_config

    try:
        seen = glance(find_config(named))
    except ConfigNotFound:
        return None
    socket = None if seen is None else socket_path(seen.state_dir)
    if seen is None or socket is None or not may_be_there(socket) or not daemon_is_there(socket, seen.state_dir):
        return None
    return open_console(connect=f"unix:{socket}", read_only=read_only, keys=seen.keys, notes=notes)


def _open_config(config: "Config", *, read_only: bool, act: bool, notes: tuple[str, ...]) -> int:
    from lifesign.api.address import socket_path
    from lifesign.cli.engine_child import EngineChild, EngineFailed

    notes += config.warnings
    socket = socket_path(config.monitor.state_dir)
    if daemon_is_there(socket, config.monitor.state_dir):
        return open_console(connect=f"unix:{socket}", read_only=read_only, keys=config.console_keys, notes=notes)
    try:
        with EngineChild(["run", "-c", str(config.path), *(["--act"] if act else [])]) as engine:
            keys = config.console_keys
            return open_console(connect=engine.connect, read_only=read_only, local=True, keys=keys, notes=notes)
    except EngineFailed as error:
        raise CommandError(str(error)) from None


def daemon_is_there(socket: Path, state_dir: Path) -> bool:
    """Whether a daemon listens on `socket`; a socket file that nobody serves is none, unless somebody holds the folder.

    Raises CommandError where somebody is there and refuses: then a second engine would be wrong.
    """
    from lifesign.api.client import Client
    from lifesign.api.failures import ClientError, TimedOut, Unreachable

    try:
        answer = Client.connect(f"unix:{socket}", timeout_s=2.0).get("/api/health/ready")
    except Unreachable as error:
        from lifesign.bootstrap.state_folder import holder_of

        holder = holder_of(state_dir)
        if holder is not None:
            raise CommandError(f"{holder} watches here and cannot be reached: {error.detail}") from None
        return False
    except TimedOut:
        return True  # it stalls: the console shows that, and goes on asking
    except ClientError as error:
        raise CommandError(f"a daemon is there and refuses: {error.detail}") from None
    if answer.status in {401, 403}:
        raise CommandError(f"a daemon is there and refuses: {socket} answers {answer.status}")
    return True


def _open_snapshot(path: Path, notes: tuple[str, ...]) -> int:
    from lifesign.api.failures import ClientError
    from lifesign.tui.run import run_console
    from lifesign.tui.source import SnapshotFile

    try:
        SnapshotFile(path).state()
    except ClientError as error:
        raise CommandError(error.detail) from None
    return run_console(lambda _: SnapshotFile(path), read_only=True, archived=True, notes=notes)


def _interrupt(number: int, frame: object) -> NoReturn:
    del number, frame
    raise KeyboardInterrupt
