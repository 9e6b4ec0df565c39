"""A real server on real sockets for the tests, and a raw HTTP client that can misbehave."""

import asyncio
import http.client
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lifesign.api.client import Client
from lifesign.api.journal import Journal
from lifesign.api.server import ApiServer
from tests.api.fakes import FakeBackend

TOKEN = "correct-horse"


@dataclass
class Served:
    """A server under test and how to reach it."""

    server: ApiServer
    backend: FakeBackend
    journal: Journal
    socket_path: Path
    port: int = 0
    clients: list[socket.socket] = field(default_factory=list)

    @property
    def client(self) -> Client:
        return Client.connect(f"unix:{self.socket_path}", timeout_s=40)

    async def tcp(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], Any]:
        """One request over TCP: status, headers, JSON."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        return await asyncio.to_thread(_request, self.port, method, path, data, headers)

    async def unix(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One request over the UNIX socket: status, JSON."""
        call = self.client.get if method == "GET" else lambda where: self.client.post(where, body)
        reply = await asyncio.to_thread(call, path)
        return reply.status, json.loads(reply.body) if reply.body else None

    def raw(self, *, tcp: bool = False) -> socket.socket:
        """A connected socket that nobody speaks HTTP on yet."""
        sock = socket.socket(socket.AF_INET if tcp else socket.AF_UNIX)
        self.clients.append(sock)
        sock.settimeout(40)
        sock.connect(("127.0.0.1", self.port) if tcp else str(self.socket_path))
        return sock


@asynccontextmanager
async def serving(
    tmp_path: Path, *, token: str | None = TOKEN, host: str = "127.0.0.1", backend: FakeBackend | None = None
) -> AsyncIterator[Served]:
    backend, journal = backend or FakeBackend(), Journal()
    served = Served(ApiServer(backend, journal), backend, journal, tmp_path / "lifesign.sock")
    await served.server.start_unix(served.socket_path)
    _, served.port = await served.server.start_tcp(host, 0, token=token)
    try:
        yield served
    finally:
        for sock in served.clients:
            sock.close()
        await served.server.close()


def _request(
    port: int, method: str, path: str, body: bytes | None, headers: dict[str, str]
) -> tuple[int, dict[str, str], Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=40)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        raw = response.read()
        return response.status, dict(response.getheaders()), json.loads(raw) if raw else None
    finally:
        connection.close()
