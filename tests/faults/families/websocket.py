"""The server's side of a WebSocket handshake, by hand."""

import asyncio
import base64
import hashlib
import re

from tests.checks.hostile import Behaviour

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3


def opening(frames: bytes) -> Behaviour:
    """Opens, sends `frames`, and says nothing more."""

    async def open_(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        key = re.search(rb"(?i)sec-websocket-key: *(\S+)", head)
        assert key is not None
        accept = base64.b64encode(hashlib.sha1(key[1] + _GUID).digest())
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
        writer.write(b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n" + frames)
        await writer.drain()
        await reader.read()  # until the other side has gone

    return open_
