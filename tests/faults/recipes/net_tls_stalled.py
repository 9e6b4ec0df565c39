"""A TLS handshake that never goes on: connections are taken, and no word follows."""

import contextlib
import socket
import ssl
from collections.abc import Mapping
from pathlib import Path

from tests.checks.hostile import presenting
from tests.faults.families.port import Port
from tests.faults.families.server import authority, trusting
from tests.faults.recipe import DOWN, Expect


class Fault(Port):
    expect = Expect(DOWN, "TLS handshake")
    batch = "lookers"

    def config(self, folder: Path) -> str:
        self.is_stalled = False
        self.held: list[socket.socket] = []
        self.context = presenting(authority().issue_cert("127.0.0.1"))
        return super().config(folder) + "tls = true\n"

    def environment(self, folder: Path) -> Mapping[str, str]:
        return trusting(folder)

    def serve(self, connection: socket.socket) -> None:
        if self.is_stalled:
            self.held.append(connection)
            return
        with contextlib.suppress(ssl.SSLError, OSError):
            connection.settimeout(5)
            connection = self.context.wrap_socket(connection, server_side=True)
        connection.close()

    def inject(self) -> None:
        self.is_stalled = True

    def heal(self) -> None:
        self.is_stalled = False
        while self.held:
            self.held.pop().close()

    def close(self) -> None:
        self.heal()
        super().close()
