"""Writing what a command made to the file that it was asked for."""

from pathlib import Path

import click

from lifesign.heartbeat import replace_file

_DEVICES = (Path("/dev"), Path("/dev/fd"))


def write_whole(path: Path, content: bytes) -> None:
    """Replaces `path` by `content` at once: a reader sees the old file or the new one. Raises ClickException.

    What is no file (a device, a pipe) is written to as a shell would; so is `/dev/stdout`, which may lead to a
    file, and is none to be replaced.
    """
    if not path.parent.is_dir():
        raise click.ClickException(f"{path} cannot be written: there is no folder {path.parent}")
    try:
        if path.is_dir():
            raise IsADirectoryError(0, "it is a folder")
        if path.parent in _DEVICES or (path.exists() and not path.is_file()):
            path.write_bytes(content)
        else:
            replace_file(path, content)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror or error}") from None
