"""A mail server on loopback that speaks as much of RFC 5321 as a client needs to hand over a message, and keeps it."""

import contextlib
import re
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

_PATH = re.compile(r"(?:FROM|TO):<([^<>\s]*)>", re.IGNORECASE)


@dataclass
class Letter:
    """One message with its envelope."""

    sender: str
    recipients: list[str]
    data: bytes

    @property
    def message(self) -> EmailMessage:
        found = message_from_bytes(self.data, policy=policy.default)
        assert isinstance(found, EmailMessage)
        return found

    @property
    def text(self) -> str:
        body = self.message.get_body(("plain",))
        assert body is not None
        return str(body.get_content())


@dataclass
class SmtpServer:
    """What it took, and whom it does not know."""

    port: int = 0
    letters: list[Letter] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)


class _Session(socketserver.StreamRequestHandler):
    """One connection. Commands out of their order are refused with 503."""

    timeout = 20
    kept: SmtpServer

    def handle(self) -> None:
        self.sender: str | None = None
        self.recipients: list[str] = []
        self._say("220 loopback ESMTP")
        while line := self.rfile.readline(2048):
            verb, _, rest = line.decode("ascii", "replace").strip().partition(" ")
            if verb.upper() == "QUIT":
                return self._say("221 bye")
            self._answer(verb.upper(), rest)
        return None

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def _answer(self, verb: str, rest: str) -> None:
        path = _PATH.match(rest)
        if verb in ("EHLO", "HELO"):
            self._say("250-loopback", "250 8BITMIME") if verb == "EHLO" else self._say("250 loopback")
        elif verb == "MAIL" and path and self.sender is None:
            self.sender = path[1]
            self._say("250 ok")
        elif verb == "RCPT" and path and self.sender is not None:
            known = path[1] not in self.kept.unknown
            self.recipients += [path[1]] if known else []
            self._say("250 ok" if known else "550 no such user here")
        elif verb == "DATA" and self.recipients:
            self._data()
        elif verb in ("RSET", "NOOP"):
            self._reset()
            self._say("250 ok")
        else:
            self._say("503 bad sequence" if verb in ("MAIL", "RCPT", "DATA") else "502 not implemented")

    def _data(self) -> None:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline(65536)) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        self.kept.letters.append(Letter(self.sender or "", self.recipients, b"".join(lines)))
        self._reset()
        self._say("250 taken")

    def _reset(self) -> None:
        self.sender, self.recipients = None, []


@contextlib.contextmanager
def smtp_server() -> Iterator[SmtpServer]:
    """Serves until the end of the block, on threads of its own."""
    kept = SmtpServer()
    session = type("Session", (_Session,), {"kept": kept})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), session) as server:
        server.daemon_threads = True
        kept.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield kept
        finally:
            server.shutdown()
            thread.join()
