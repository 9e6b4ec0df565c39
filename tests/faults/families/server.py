"""A server on a port of its own that behaves well until it is told otherwise. Its loop runs in a thread."""

import asyncio
import contextlib
import functools
import ssl
import threading
from abc import abstractmethod
from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import ClassVar, TypeAlias

import trustme

from tests.checks.hostile import Behaviour, saying, serving
from tests.faults.recipe import Recipe, component

Served: TypeAlias = "staticmethod[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]"
OK = saying(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes", wait_for=b"\r\n\r\n")
HTTP = 'type = "http"\nurl = "http://127.0.0.1:{port}/"\nexpect_body = "yes"'
HTTPS = HTTP.replace("http:", "https:")
END = b"\r\n\r\n"
TCP = 'type = "tcp"\naddress = "127.0.0.1:{port}"\nexpect = "yes"'


class Serving(Recipe):
    """A server that answers by `good`, and by `broken` while the fault lasts."""

    batch = "lookers"
    check: ClassVar[str] = HTTP
    good: Served = staticmethod(OK)
    broken: Served

    def config(self, folder: Path) -> str:
        self._behaviour: Behaviour = type(self).good
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        self._ready.wait()
        return component(self.name, self.check.replace("{port}", str(self.port)))

    def tls(self) -> ssl.SSLContext | None:
        """The server's side of TLS, None for plain."""
        return None

    async def _serve(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        async with serving(self._answer, self.tls()) as server:
            self.port = server.port
            self._ready.set()
            await self._ended.wait()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._behaviour(reader, writer)

    def inject(self) -> None:
        self._behaviour = type(self).broken

    def heal(self) -> None:
        self._behaviour = type(self).good

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()


@functools.cache
def authority() -> trustme.CA:
    """The authority that the monitor trusts."""
    return trustme.CA()


def redirecting(location: bytes) -> Behaviour:
    """Answers by a redirect to `location`."""
    return saying(b"HTTP/1.1 302 Found\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % location, wait_for=END)


def trusting(folder: Path) -> Mapping[str, str]:
    """The environment of a monitor that trusts `authority`."""
    trusted = folder / "authority.pem"
    authority().cert_pem.write_to_path(str(trusted))
    return {"SSL_CERT_FILE": str(trusted)}


class Certified(Serving):
    """A server over TLS that shows another certificate while the fault lasts."""

    check = HTTPS
    batch = "lookers"
    broken = staticmethod(OK)

    def config(self, folder: Path) -> str:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority().issue_cert("127.0.0.1").configure_cert(self._context)
        self.folder = folder
        return super().config(folder)

    def tls(self) -> ssl.SSLContext | None:
        return self._context

    def environment(self, folder: Path) -> Mapping[str, str]:
        return trusting(folder)

    @abstractmethod
    def bad_certificate(self) -> trustme.LeafCert:
        """What it shows instead."""

    def inject(self) -> None:
        self.show(self.bad_certificate())

    def show(self, certificate: trustme.LeafCert) -> None:
        """Presents `certificate` to whoever comes from now on."""
        self._loop.call_soon_threadsafe(certificate.configure_cert, self._context)

    def load(self, chain: Path) -> None:
        """Presents the key and certificate in a file from now on."""
        self._loop.call_soon_threadsafe(self._context.load_cert_chain, chain)

    def heal(self) -> None:
        self.show(authority().issue_cert("127.0.0.1"))
