"""The UNIX socket that a server listens on, and its file, which anybody may take away while it serves.

A listener whose file is gone is found by nobody; those who are connected stay so. Not here: the file's making and its
mode (`api.sockets`), what is served.
"""

import asyncio
import contextlib
import socket
from pathlib import Path

from lifesign.api.guard import Gate
from lifesign.api.sockets import bind_unix_socket


class UnixDoor:
    """The way in at `path`, for the owner and `group_id`. Not open before `open`."""

    def __init__(self, path: Path, group_id: int | None, gate: Gate) -> None:
        self.path = path
        self._group_id = group_id
        self._gate = gate
        self._server: asyncio.Server | None = None
        self._socket: socket.socket | None = None
        self._inode: int | None = None

    @property
    def stands(self) -> bool:
        """Whether the file is there, and is ours."""
        try:
            return self.path.lstat().st_ino == self._inode
        except OSError:
            return False

    async def open(self) -> None:
        """Listens, anew where it did before. Raises SocketInUseError where another daemon serves there, OSError."""
        if self._server is not None:
            self._server.close()  # first: it may take away a file that has its inode
        self._inode = None  # free by now, and another's socket may get it
        await asyncio.to_thread(self._bind)  # whoever is in the way is asked whether it lives
        self._server = await asyncio.get_running_loop().create_unix_server(self._gate, sock=self._socket)

    def _bind(self) -> None:
        """Keeps what it made at once: who was waiting for it may have been cancelled, and `close` takes it away."""
        self._socket, self._inode = bind_unix_socket(self.path, self._group_id)

    def close(self) -> None:
        """Ends the listening, and takes the file away where it is ours: another daemon may have taken the path over."""
        stood, self._inode = self.stands, None
        if self._server is not None:
            self._server.close()
        if self._socket is not None:
            self._socket.close()
        with contextlib.suppress(OSError):
            if stood:
                self.path.unlink()
