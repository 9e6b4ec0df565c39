"""`ssh://[user@]host[:port]`, with a socket's or a config's path behind it, taken apart. Not here: the connection."""

import re
import shlex
from urllib.parse import parse_qs, unquote, urlsplit

from lifesign.api.address import MAX_SOCKET_PATH_BYTES
from lifesign.records import dataclass
from lifesign.text import clean

FORM = "ssh://[user@]host[:port], then /path/of/the.sock or ?config=path, or nothing"
_DESTINATION = re.compile(r"(?:[A-Za-z0-9_.+\\%-]+@)?(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.%]+\])")
_STEERING = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class SshAddress:
    """A daemon behind an sshd. `destination` is what ssh is given: a host or an alias of the user's ssh config.

    `socket`: where the daemon listens there; `config`: of which config it is. Without both, of the config that
    lifesign finds there by itself.
    """

    destination: str
    port: int | None = None
    socket: str | None = None
    config: str | None = None

    @classmethod
    def parse(cls, url: str) -> "SshAddress":
        """Raises ValueError with a sentence for the user."""
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            raise ValueError(f"{clean(url, 80)!r}: a port is a number from 1 to 65535") from None
        destination = re.sub(r":\d*$", "", parts.netloc)
        query = parse_qs(parts.query, keep_blank_values=True)
        if not _DESTINATION.fullmatch(destination) or destination.startswith("-") or set(query) - {"config"}:
            raise ValueError(f"{clean(url, 80)!r}: write {FORM}")
        socket, config = unquote(parts.path).rstrip("/") or None, query.get("config", [None])[0] or None
        if socket and config:
            raise ValueError(f"{clean(url, 80)!r}: either a socket or a config, not both")
        if any(_STEERING.search(name or "") for name in (socket, config)):
            raise ValueError(f"{clean(url, 80)!r}: a path holds no control character")
        return cls(destination.replace("[", "").replace("]", ""), port, socket, config)

    @property
    def host(self) -> str:
        """For people: without the user."""
        return self.destination.rpartition("@")[2]

    def question(self) -> str:
        """What is run there to learn where the daemon listens."""
        config = ["-c", self.config] if self.config else []
        return shlex.join(["lifesign", "console", "--print-socket", *config])


def socket_of_answer(said: bytes) -> str:
    """The path that lifesign there has printed last, behind whatever a login says first; empty if it printed none."""
    lines = said.decode(errors="replace").splitlines()
    last = lines[-1] if lines else ""
    usable = last.startswith("/") and len(last.encode()) <= MAX_SOCKET_PATH_BYTES and not _STEERING.search(last)
    return last if usable else ""
