"""Where the daemon listens: its socket in the state folder, and TCP where the config says so. Token, hosts and
certificate are followed while it runs; the address and the socket are those of the start.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lifesign.api.address import prepare_socket_path
from lifesign.bootstrap.state_folder import StateFolder
from lifesign.config import Config, HttpConfig
from lifesign.config.reading import no_passphrase

if TYPE_CHECKING:
    import ssl

    from lifesign.api.server import ApiServer


class Listening:
    """The listeners of one API server. `socket`: there and nowhere else (a console's own engine)."""

    def __init__(self, server: "ApiServer", socket: Path | None) -> None:
        self._server = server
        self._socket = socket
        self._context: ssl.SSLContext | None = None

    async def start(self, config: Config, folder: StateFolder) -> None:
        """Listens. Raises OSError with what could not be bound."""
        if self._socket is not None:
            await self._server.start_unix(self._socket)
            return
        if folder.writable:
            await self._server.start_unix(prepare_socket_path(folder.path), config.monitor.socket_group)
        if config.http is not None:
            await self._listen_on_tcp(config.http)

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
