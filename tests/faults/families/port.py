"""A port with a plain listener, which can be closed and opened again under the same number."""

import contextlib
import socket
import threading
from pathlib import Path

from tests.faults.recipe import Recipe, component
from tests.ports import free_port


class Port(Recipe):
    """Somebody listens, takes connections and hangs up."""

    batch = "lookers"

    def config(self, folder: Path) -> str:
        self.port = free_port()
        self.open()
        return component(self.name, f'type = "tcp"\naddress = "127.0.0.1:{self.port}"')

    def open(self) -> None:
        """Listens."""
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self._thread = threading.Thread(target=self._answer, args=(self.listener,), daemon=True)
        self._thread.start()

    def _answer(self, listener: socket.socket) -> None:
        while True:
            try:
                connection = listener.accept()[0]
            except OSError:
                return
            self.serve(connection)

    def serve(self, connection: socket.socket) -> None:
        """Sees to one who came."""
        connection.close()

    def shut(self) -> None:
        """Listens no longer."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self.listener.close()

    def inject(self) -> None:
        self.shut()

    def heal(self) -> None:
        self.open()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self.listener.close()
