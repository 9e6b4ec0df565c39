"""The demo's gateway: a WebSocket that sends a numbered message five times a second to whoever subscribes.

Broken, it accepts every connection and says nothing, not even to those that it had.
"""

import asyncio
import json
from contextlib import suppress
from pathlib import Path

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Message, Ping, Request, TextMessage
from wsproto.utilities import RemoteProtocolError

from lifesign.demo.program import Control, Mode

TICK_S = 0.2


class _Session:
    """One client."""

    def __init__(self, control: Control, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._control = control
        self._reader = reader
        self._writer = writer
        self._protocol = WSConnection(ConnectionType.SERVER)
        self._subscribed = False

    async def serve(self) -> None:
        """Until the client leaves."""
        async with asyncio.TaskGroup() as group:
            ticking = group.create_task(self._tick())
            while data := await self._reader.read(4096):
                await self._voice()
                self._protocol.receive_data(data)
                for event in self._protocol.events():
                    self._answer(event)
            ticking.cancel()

    async def _voice(self) -> None:
        while self._control.mode() is Mode.SILENT:  # noqa: ASYNC110 - the mode is a file
            await asyncio.sleep(TICK_S)

    def _answer(self, event: object) -> None:
        match event:
            case Request():
                self._writer.write(self._protocol.send(AcceptConnection()))
            case Message(data="subscribe"):
                self._subscribed = True
            case Ping() | CloseConnection() as greeting:
                self._writer.write(self._protocol.send(greeting.response()))
            case _:
                pass

    async def _tick(self) -> None:
        number = 0
        while True:
            await asyncio.sleep(TICK_S)
            await self._voice()
            if self._subscribed:
                number += 1
                self._writer.write(self._protocol.send(TextMessage(json.dumps({"number": number}))))
                await self._writer.drain()


async def _serve(folder: Path, port: int) -> None:
    control = Control(folder, "gateway")

    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ExceptionGroup, OSError, RemoteProtocolError):  # a client that leaves is none of our trouble
            await _Session(control, reader, writer).serve()
        writer.close()

    server = await asyncio.start_server(session, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


def main(folder: Path, port: int) -> None:
    """Serves until killed."""
    asyncio.run(_serve(folder, port))
