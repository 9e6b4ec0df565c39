"""Where the daemon listens: its socket in the state folder, and TCP where the config says so. Token, hosts and
certificate are followed while it runs; the address and the socket are those of the start. A socket that somebody takes
away is made anew, alone or with its state folder.
"""

import asyncio
import contextlib
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from lifesign.api.address import prepare_socket_path
from lifesign.api.passage import closed_folder, let_pass
from lifesign.api.sockets import group_id_of
from lifesign.bootstrap.state_folder import StateFolder, can_see
from lifesign.config import Config, HttpConfig
from lifesign.config.reading import no_passphrase

if TYPE_CHECKING:
    import ssl

    from lifesign.api.server import ApiServer


LOOKS_EVERY_S = 2.0  # after the socket's file

logger = logging.getLogger(__name__)


class Listening:
    """The listeners of one API server. `socket`: there and nowhere else (a console's own engine)."""

    def __init__(self, server: "ApiServer", socket: Path | None) -> None:
        self._server = server
        self._socket = socket
        self._folder: StateFolder | None = None
        self._group_id: int | None = None
        self._state: Path | None = None
        self._made_anew = 0  # as often as the folder was, and all that leads to the socket with it
        self._places: list[str] = []  # in words, where we listen
        self._context: ssl.SSLContext | None = None

    async def start(self, config: Config, folder: StateFolder) -> None:
        """Listens. Raises OSError with what could not be bound."""
        self._state = folder.path if folder.writable else None
        if self._socket is not None:
            await self._server.start_unix(self._socket)
            self._places.append("the console's socket")
            return
        if folder.writable:
            self._folder, self._group_id = folder, group_id_of(config.monitor.socket_group)
            path = prepare_socket_path(folder.path, self._group_id)
            await self._server.start_unix(path, config.monitor.socket_group)
            self._let_the_group_in(folder, path)
            self._places.append("its socket")
        if config.http is not None:
            await self._listen_on_tcp(config.http)
            self._places.append(f"{config.http.host}:{config.http.port}")

    @property
    def words(self) -> str:
        """Where the state is kept, and where to ask."""
        state = f"state in {self._state}" if self._state else "no state is kept"
        asked = f"the API on {' and on '.join(self._places)}" if self._places else "and no API: nobody can ask"
        return f"{state}, {asked}"

    def _let_the_group_in(self, folder: StateFolder, path: Path) -> None:
        """As far as to the socket and what names it: what we cannot open is told."""
        if self._group_id is None:
            return
        with contextlib.suppress(OSError):
            let_pass(folder.path, self._group_id)
        for way in dict.fromkeys((folder.path, path.parent)):
            shut = closed_folder(way, self._group_id)
            if shut is not None:
                logger.warning(
                    "lifesign: warning: socket_group: its members cannot get to %s: %s is closed to them, open it or "
                    "choose another state_dir",
                    way,
                    shut,
                )

    async def run(self) -> None:
        """Until cancelled, makes the socket's file anew where it was taken away, as by who cleans up in /tmp."""
        trouble = ""
        while self._socket is not None or self._folder is not None:
            await asyncio.sleep(LOOKS_EVERY_S)
            before, trouble = trouble, await self._look_after_the_socket()
            if trouble not in ("", before):
                logger.warning("lifesign: warning: our socket was taken away, and nobody can ask us: %s", trouble)

    async def _look_after_the_socket(self) -> str:
        """Why the socket is gone and cannot be made anew; empty where all is well. Never in another's state folder."""
        folder = self._folder
        is_ours = folder is None or folder.stays_held()
        is_anew = folder is not None and folder.made_anew > self._made_anew
        if not (self._server.has_lost_its_socket or is_anew):
            return ""
        if folder is not None and not is_ours:
            return f"the state folder {folder.path} is {'in other hands' if can_see(folder.path) else 'gone'}"
        try:
            await self._open_anew(folder)
        except OSError as error:
            return error.strerror or str(error)
        return ""

    async def _open_anew(self, folder: StateFolder | None) -> None:
        """The socket where it was taken away, and all that leads to it. Raises OSError; it is tried again."""
        path = None if folder is None else prepare_socket_path(folder.path, self._group_id)
        if self._server.has_lost_its_socket:
            await self._server.reopen_unix()
            logger.warning("lifesign: warning: somebody took our socket away: it was made anew")
        if folder is not None and path is not None:
            self._let_the_group_in(folder, path)
            if folder.made_anew > self._made_anew:
                self._made_anew = folder.made_anew
                logger.warning(
                    "lifesign: warning: somebody took the state folder away: it was made anew, without a past"
                )

    async def _listen_on_tcp(self, http: HttpConfig) -> None:
        if http.certificate is not None:
            import ssl

            self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._load_certificate(http)
        token = http.token.reveal() if http.token else None
        try:
            await self._server.start_tcp(
                http.host, http.port, token=token, allowed_hosts=http.allowed_hosts, ssl_context=self._context
            )
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            raise OSError(error.errno, f"[http] listen = {http.host}:{http.port}: {why}") from None

    def _load_certificate(self, http: HttpConfig) -> None:
        if self._context is not None and http.certificate is not None and http.key is not None:
            self._context.load_cert_chain(http.certificate, http.key, password=no_passphrase)

    def follow(self, http: HttpConfig | None) -> None:
        """Takes over what may change while it listens. Raises OSError, ValueError for a certificate that went bad."""
        if http is None:
            return
        self._load_certificate(http)
        token = http.token.reveal() if http.token else None
        self._server.change_tcp(token=token, allowed_hosts=http.allowed_hosts)
