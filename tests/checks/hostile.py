"""Real servers on 127.0.0.1 that misbehave, each a coroutine `(reader, writer)` behind `serving`.

No code of lifesign is used here.
"""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import trustme

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """`port`, and how many connections came."""

    def __init__(self) -> None:
        self.port = 0
        self.connections = 0
        self.address = ""


@asynccontextmanager
async def serving(behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A server for as long as the block lasts; whoever is being served then is cut off."""
    loop = asyncio.get_running_loop()
    server = Server()
    tasks: set[asyncio.Task[None]] = set()
    held: list[socket.socket] = []

    async def serve(connection: socket.socket) -> None:
        server.connections += 1
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        with suppress(OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
            transport, _ = await loop.connect_accepted_socket(lambda: protocol, connection, ssl=tls)
            writer = asyncio.StreamWriter(transport, protocol, reader, loop)
            try:
                await behaviour(reader, writer)
            finally:
                transport.abort()

    async def accept(listening: socket.socket) -> None:
        while True:
            connection, _ = await loop.sock_accept(listening)
            held.append(connection)
            tasks.add(asyncio.create_task(serve(connection)))

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.setblocking(False)
        server.port = listening.getsockname()[1]
        server.address = f"127.0.0.1:{server.port}"
        tasks.add(asyncio.create_task(accept(listening)))
        try:
            yield server
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for _ in range(5):  # an aborted transport closes its socket in the loop's next turns
                await asyncio.sleep(0)
            for connection in held:  # whose task was cancelled before it began
                connection.close()


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accepts, and says nothing for ever, or until the other side has gone."""
    await reader.read()


async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accepts, and takes nothing that is said."""
    transport = writer.transport
    assert isinstance(transport, asyncio.ReadTransport)
    transport.pause_reading()
    await asyncio.get_running_loop().create_future()


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends RST as soon as something came."""
    await reader.read(1)
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def saying(*parts: bytes, pause_s: float = 0.0, then_wait: bool = False, wait_for: bytes = b"") -> Behaviour:
    """Reads until `wait_for`, says each part, then closes, or says nothing more for ever."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if wait_for:
            await reader.readuntil(wait_for)
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)
        if then_wait:
            await reader.read()
        writer.close()
        await writer.wait_closed()

    return say


def dripping(data: bytes, pause_s: float = 0.3) -> Behaviour:
    """One byte, a pause, one byte…, over and over."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        at = 0
        while True:
            writer.write(data[at % len(data) : at % len(data) + 1])
            await writer.drain()
            await asyncio.sleep(pause_s)
            at += 1

    return drip


def flooding(head: bytes, chunk: bytes) -> Behaviour:
    """`head`, then `chunk` for ever, as fast as it is taken."""

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(0)

    return flood


@contextmanager
def trusted_authority(set_environment: Callable[[str, str], None]) -> Iterator[trustme.CA]:
    """A certificate authority that OpenSSL in this process trusts."""
    ca = trustme.CA()
    with ca.cert_pem.tempfile() as path:
        set_environment("SSL_CERT_FILE", path)
        yield ca


def presenting(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """A server's side of TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context
