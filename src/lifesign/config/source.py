"""The config as a file: where it is found, whether it may be trusted, and its TOML. Not here: what it says."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lifesign.config.problems import ConfigError, ConfigNotFound, ConfigProblem, show_path
from lifesign.config.secret import read_regular, read_trusted
from lifesign.text import clean

LIMIT_BYTES = 8 * 1024 * 1024
_KEY = re.compile(r"'([^']+)'")
_KEYS = re.compile(r"\('[^']+'(?:, '[^']+')*,?\)")  # as Python writes them
_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def find_config(explicit: str | None, environ: Mapping[str, str] = os.environ) -> Path:
    """The config's path: `explicit`, else `$LIFESIGN_CONFIG`, else the first of the usual places that exists.

    Raises ConfigNotFound, whose one line tells every place that was looked at.
    """
    for origin, named in (("-c", explicit), ("$LIFESIGN_CONFIG", environ.get("LIFESIGN_CONFIG"))):
        if named:
            path = Path(named)
            if not os.path.lexists(path):
                raise ConfigNotFound(f"there is no config {clean(named, 200)} (named by {origin})")
            return path
    places = _usual_places(environ)
    for path in places:
        if os.path.lexists(path):
            return path
    looked = ", ".join(["$LIFESIGN_CONFIG", *(str(path) for path in places)])
    raise ConfigNotFound(
        clean(f"no config found: looked at {looked}; name one with -c, or see one at work: lifesign demo", 1000)
    )


def stamp_of(path: Path) -> tuple[int, ...] | None:
    """What changes with the file at `path`, or with where its links lead; None where there is none to be seen."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _usual_places(environ: Mapping[str, str]) -> tuple[Path, ...]:
    home = environ.get("HOME") or str(Path.home())
    user = environ.get("XDG_CONFIG_HOME") or str(Path(home, ".config"))
    return (Path("./lifesign.toml"), Path(user, "lifesign/lifesign.toml"), Path("/etc/lifesign/lifesign.toml"))


def read_source(path: Path) -> tuple[str, dict[str, Any]]:
    """The text of a config and what TOML makes of it.

    Raises ConfigError with the one problem that hides all others: the file cannot be read, is not
    ours alone to write, or is no TOML.
    """
    text = _read_text(path)
    if not text.strip():
        raise _refused(path, 1, "the file is empty", "a first one stands in the README")
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason = str(error)
        position = _POSITION.search(reason)
        line = int(position[1]) if position and position[1] else max(1, text.rstrip().count("\n") + 1)
        column = f"at column {position[2]}" if position and position[2] else "at the end of the file"
        words = _POSITION.sub("", reason).replace("Cannot overwrite a value", "a key is set twice")
        words = _KEYS.sub(lambda keys: show_path(_KEY.findall(keys[0])), words)
        raise _refused(path, line, f"this is no TOML: {clean(words, 200)}", column) from None
    except RecursionError:
        raise _refused(path, 1, "brackets are nested too deep") from None
    except ValueError as error:  # a number of 5,000 digits, a date that does not exist
        raise _refused(path, 1, f"this is no TOML: {clean(str(error), 200)}") from None


def read_untrusted(path: Path) -> dict[str, Any]:
    """What TOML makes of a config, whoever may have written it; nothing where that is not to be had."""
    try:
        return tomllib.loads(read_regular(path, LIMIT_BYTES, lambda _info, _path: None).decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}


def _read_text(path: Path) -> str:
    try:
        content = read_trusted(path, LIMIT_BYTES)
    except OSError as error:
        raise _refused(path, 1, f"cannot read this file: {error.strerror or error}") from None
    except ValueError as error:
        raise _refused(path, 1, f"this file is refused: {error}") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _refused(path, line, "this file is not UTF-8 text") from None


def _refused(path: Path, line: int, reason: str, hint: str = "") -> ConfigError:
    return ConfigError([ConfigProblem(str(path), line, "", reason, hint)])
