"""Running a daemon from a command: `run` for a config, `watch --headless` for targets."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lifesign.cli.loading import BadConfigError

if TYPE_CHECKING:
    from lifesign.config import Config


def serve_config(
    config: "Config",
    *,
    log_file: Path | None,
    log_format: str,
    console_child: Path | None = None,
    lock: bool = True,
    dry_run: bool = False,
    act: bool = True,
) -> None:
    """Serves `config` until told to stop. Raises ClickException where another instance holds the state folder.

    `console_child`: listen on that socket alone and end with standard input, as a console's own engine; it remembers
    what it did only where it may `act` by itself.
    """
    from lifesign.bootstrap.about import Mode
    from lifesign.bootstrap.daemon import Daemon
    from lifesign.bootstrap.foreground import serve
    from lifesign.bootstrap.plan import Acting
    from lifesign.bootstrap.state_folder import AlreadyRunningError, StateFolder
    from lifesign.engine.log import LineLog

    refuse_missing_group(config)
    raise_descriptor_limit()
    folder = StateFolder(config.monitor.state_dir)
    if lock and (console_child is None or act):
        try:
            trouble = folder.hold()
        except AlreadyRunningError as error:
            raise click.ClickException(str(error)) from None
        if trouble:
            click.echo(f"lifesign: warning: {trouble}: the watch goes on without it", err=True)
    try:
        log = LineLog(log_file) if console_child is None or log_file else LineLog.silent()
    except OSError as error:
        raise click.ClickException(f"the log file {log_file} cannot be opened: {error.strerror}") from None
    try:
        acting = Acting.DRY_RUN if dry_run else Acting.BY_ITSELF if act else Acting.BY_HAND
        mode: Mode = "daemon" if console_child is None else "console"
        daemon = Daemon(config, mode=mode, log=log, log_format=log_format, folder=folder, acting=acting)
        serve(daemon, socket=console_child, until_stdin_ends=console_child is not None)
    except OSError as error:
        raise click.ClickException(f"cannot serve: {error.strerror or error}") from None
    finally:
        folder.release()
        if console_child is not None:
            with contextlib.suppress(OSError):  # it is not empty, or its console has been faster
                console_child.parent.rmdir()  # which a console that was killed cannot do


def refuse_missing_group(config: "Config") -> None:
    """Raises BadConfigError where `socket_group` names a group that this machine does not have."""
    from lifesign.api.sockets import group_id_of

    try:
        group_id_of(config.monitor.socket_group)
    except ValueError as error:
        raise BadConfigError(f"{config.path}: monitor.{error}") from None


def raise_descriptor_limit() -> None:
    """As many descriptors as we may have: each look needs one."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
