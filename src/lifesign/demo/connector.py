"""The demo's connector: takes messages from the gateway and delivers them; when the line breaks it connects again.

Broken, it connects again and again, each time with success, and delivers nothing: its heartbeat stays fresh, its
`reconnects` grow, its `delivered` stands still.
"""

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Message, Request, TextMessage
from wsproto.utilities import RemoteProtocolError

from lifesign import Heartbeat
from lifesign.demo.program import Control, Mode, heartbeat_path

PATIENCE_S = 1.0
PAUSE_S = 0.3


class _Line:
    """One connection to the gateway. Raises OSError where the gateway is silent or gone."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self._protocol = WSConnection(ConnectionType.CLIENT)

    def __enter__(self) -> "_Line":
        return self

    def __exit__(self, *failure: object) -> None:
        self._socket.close()

    def open(self) -> None:
        """Shakes hands."""
        self._socket.sendall(self._protocol.send(Request(host="127.0.0.1", target="/stream")))
        for event in self._events():
            if isinstance(event, AcceptConnection):
                return

    def subscribe(self) -> None:
        """Asks for messages."""
        self._socket.sendall(self._protocol.send(TextMessage("subscribe")))

    def messages(self) -> Iterator[str]:
        """Each as it comes."""
        for event in self._events():
            if isinstance(event, Message):
                yield str(event.data)

    def _events(self) -> Iterator[object]:
        while data := self._socket.recv(4096):
            self._protocol.receive_data(data)
            yield from self._protocol.events()
        raise ConnectionResetError("the gateway hung up")


class _Feed:
    """Counts what it does."""

    def __init__(self, folder: Path, port: int) -> None:
        self._control = Control(folder, "feed")
        self._heartbeat = Heartbeat("feed", path=heartbeat_path(folder, "feed"))
        self._port = port
        self._delivered = self._reconnects = 0

    def connect(self) -> None:
        """One connection, until it breaks."""
        with suppress(OSError, RemoteProtocolError), _Line(self._port) as line:
            line.open()
            self._reconnects += 1
            self._tell("connected")
            if self._control.mode() is not Mode.IDLE:
                line.subscribe()
                self._deliver(line)

    def _deliver(self, line: _Line) -> None:
        for _ in line.messages():
            if self._control.mode() is Mode.IDLE:
                return
            self._delivered += 1
            self._tell("delivering")

    def _tell(self, message: str) -> None:
        self._heartbeat.beat(delivered=self._delivered, reconnects=self._reconnects, message=message)


def main(folder: Path, port: int) -> None:
    """Delivers until killed."""
    feed = _Feed(folder, port)
    while True:
        feed.connect()
        time.sleep(PAUSE_S)
