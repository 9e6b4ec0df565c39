"""Secrets by reference: `{ env = "NAME" }` or `{ file = "path" }`, read when they are used and never shown.

Not here: where they are sent, or redacted (`lifesign.text.redact`).
"""

import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

LIMIT_BYTES = 64 * 1024

# Marks that a clipboard or an editor leaves behind and nobody sees: byte order mark, zero width, soft hyphen.
_INVISIBLE = "[\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


class SecretError(ValueError):
    """A secret that cannot be read. The message never holds any part of it."""


def refuse_foreign_writers(info: os.stat_result, path: Path) -> None:
    """Raise ValueError where somebody else could write the file at `path`, which `info` describes.

    Its owner must be us or root, and neither its group nor others may write it.
    """
    if info.st_uid not in (os.geteuid(), 0):
        raise ValueError(f"it belongs to uid {info.st_uid}, neither to you nor to root")
    if info.st_mode & 0o022:
        who = "everybody" if info.st_mode & 0o002 else "its group"
        raise ValueError(f"{who} can write it: chmod go-w {path}")


def read_trusted(path: Path, limit_bytes: int) -> bytes:
    """The bytes of a regular file that only we or root can write.

    Raises OSError, or ValueError with a clause that says why not. Never blocks on a FIFO.
    """
    return read_regular(path, limit_bytes, refuse_foreign_writers)


def read_regular(path: Path, limit_bytes: int, admit: Callable[[os.stat_result, Path], None]) -> bytes:
    """The bytes of a regular file that `admit` lets pass; raises as `read_trusted` does."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        info = os.fstat(descriptor)
        if stat.S_ISDIR(info.st_mode):
            raise ValueError("it is a folder")
        if not stat.S_ISREG(info.st_mode):
            raise ValueError("it is not a regular file")
        admit(info, path)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(limit_bytes + 1)
    finally:
        os.close(descriptor)
    if len(content) > limit_bytes:
        raise ValueError(f"it is larger than {limit_bytes // 1024} KiB")
    return content


class Secret:
    """A secret that is known by where it stands. `source` says where, for people."""

    __slots__ = ("_environ", "_kind", "_value")

    def __init__(self, kind: str, value: str, environ: Mapping[str, str] = os.environ) -> None:
        """`kind` is `env` (value: a variable's name), `file` (an absolute path) or `literal` (no secret at all)."""
        self._kind = kind
        self._value = value
        self._environ = environ

    @property
    def is_literal(self) -> bool:
        """True for plain text that stands where a secret may, but need not."""
        return self._kind == "literal"

    @property
    def source(self) -> str:
        """Where it comes from: `$NAME` or the file's path."""
        return {"env": f"${self._value}", "file": self._value}.get(self._kind, "the config")

    @property
    def path(self) -> Path | None:
        """The file it stands in; None where it stands in none."""
        return Path(self._value) if self._kind == "file" else None

    def reveal(self) -> str:
        """The secret itself, read now or beside. Raises SecretError where it is missing, empty or not one line."""
        beside = READ_BESIDE.get(self) if self._kind == "file" else None
        if isinstance(beside, SecretError):
            raise SecretError(str(beside))
        return self.read_now() if beside is None else beside

    def read_now(self) -> str:
        """The secret itself, read now by us, whatever that may hang in. Raises as `reveal` does."""
        if self._kind == "literal":
            return self._value
        raw = self._environ.get(self._value, "") if self._kind == "env" else self._read_file()
        secret = re.sub(_INVISIBLE, "", raw).strip()
        if not secret:
            what = "is not set, or is empty" if self._kind == "env" else "is empty"
            raise SecretError(f"the secret {self.source} {what}")
        if _CONTROL.search(secret):
            raise SecretError(f"the secret {self.source} is more than one line of text")
        return secret

    def _read_file(self) -> str:
        try:
            return read_trusted(Path(self._value), LIMIT_BYTES).decode("utf-8")
        except OSError as error:
            raise SecretError(f"cannot read the secret file {self._value}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise SecretError(f"the secret file {self._value} is not UTF-8 text") from None
        except ValueError as error:
            raise SecretError(f"the secret file {self._value} is refused: {error}") from None

    def __repr__(self) -> str:
        """Where it stands, never what it is."""
        return f"{type(self).__name__}({self.source})"

    def __eq__(self, other: object) -> bool:
        """The same place, not the same content."""
        return isinstance(other, Secret) and (self._kind, self._value) == (other._kind, other._value)

    def __hash__(self) -> int:
        """By place."""
        return hash((self._kind, self._value))

    def __reduce__(self) -> str:
        """Refuse to be pickled: a secret does not travel."""
        raise TypeError("a secret is not pickled")


READ_BESIDE: dict[Secret, str | SecretError] = {}
"""What was found of those whose file may hang, by whoever reads it beside the event loop."""
