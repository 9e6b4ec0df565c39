"""TLS over a socket stream, through memory buffers, so that the attempt's one deadline holds here as well.

Loaded only by who wants TLS. Not here: reading certificates, and HTTP.
"""

import ssl
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from lifesign.checks.attempt import Attempt, Trouble
from lifesign.checks.certificate import Certificate, read_certificate
from lifesign.checks.net import CHUNK_BYTES, Security, SocketStream
from lifesign.text import clean

_Result = TypeVar("_Result")

# OpenSSL's X509_V_ERR_* (openssl/x509_vfy.h)
_NOT_YET_VALID, _EXPIRED = 9, 10
_SELF_SIGNED, _SELF_SIGNED_IN_CHAIN = 18, 19
_OTHER_NAME = (62, 63, 64)
_UNKNOWN_ISSUER = (2, 20, 21)


class TlsStream:
    """A `Stream` over TLS."""

    def __init__(self, raw: SocketStream, context: ssl.SSLContext, server_name: str) -> None:
        self.peer = raw.peer
        self.certificate: Certificate | None = None
        self._raw = raw
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._ssl = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)

    async def handshake(self) -> None:
        """Raises ssl.SSLError, Trouble."""
        try:
            await self._through(self._ssl.do_handshake)
        finally:
            self.certificate = _presented(self._ssl)

    async def send(self, data: bytes) -> None:
        """See `Stream`."""
        try:
            await self._through(lambda: self._ssl.write(data))
        except ssl.SSLError as error:
            raise Trouble(f"TLS with {self.peer} broke: {_reason(error)}") from None

    async def receive(self) -> bytes:
        """See `Stream`."""
        try:
            return await self._through(lambda: self._ssl.read(CHUNK_BYTES))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""
        except ssl.SSLError as error:
            raise Trouble(f"TLS with {self.peer} broke: {_reason(error)}") from None

    def close(self) -> None:
        """See `Stream`. No farewell: we said `Connection: close`, or the peer is at fault."""
        self._raw.close()

    async def _through(self, step: Callable[[], _Result]) -> _Result:
        """Repeats `step` until OpenSSL wants no more bytes for it."""
        while True:
            wants = False
            try:
                result = step()
            except ssl.SSLWantReadError:
                wants = True
            finally:
                # Also after an error: the peer is told why we leave.
                pending = self._outgoing.read()
            if pending:
                await self._raw.send(pending)
            if not wants:
                return result
            data = await self._raw.receive()
            if data:
                self._incoming.write(data)
            else:
                self._incoming.write_eof()


async def secure(raw: SocketStream, security: Security, attempt: Attempt) -> TlsStream:
    """The stream after a handshake with the right peer. Raises Trouble; then the caller closes `raw`."""
    attempt.at(f"TLS handshake with {raw.peer} did not finish in {attempt.limit}")
    context = _trusting() if security.verify else _trusting_anybody()
    stream = TlsStream(raw, context, security.server_name)
    try:
        await stream.handshake()
    except ssl.SSLCertVerificationError as error:
        raise Trouble(_refusal(error, raw.peer, security.server_name, stream.certificate)) from None
    except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
        raise Trouble(f"{raw.peer} closed the connection during the TLS handshake") from None
    except ssl.SSLError as error:
        if error.reason in ("WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST"):
            raise Trouble(f"{raw.peer} does not speak TLS") from None
        raise Trouble(f"TLS handshake with {raw.peer} failed: {_reason(error)}") from None
    return stream


def _reason(error: ssl.SSLError) -> str:
    return clean((error.reason or "protocol error").replace("_", " ").lower(), 100)


def _refusal(error: ssl.SSLCertVerificationError, peer: str, name: str, certificate: Certificate | None) -> str:
    """Why the certificate was not accepted, in words that name what is in it."""
    code = error.verify_code
    if code == _EXPIRED:
        when = f" on {certificate.not_after:%Y-%m-%d}" if certificate else ""
        return f"the certificate of {peer} expired{when}"
    if code == _NOT_YET_VALID:
        when = f" before {certificate.not_before:%Y-%m-%d}" if certificate else " yet"
        return f"the certificate of {peer} is not valid{when}"
    if code in _OTHER_NAME:
        whose = ", ".join(certificate.names) if certificate and certificate.names else "another host"
        return f"the certificate of {peer} is for {whose}, not {name}"
    if code in (_SELF_SIGNED, _SELF_SIGNED_IN_CHAIN):
        return f"the certificate of {peer} is self-signed and not trusted here"
    if code in _UNKNOWN_ISSUER:
        return f"the certificate of {peer} is from an issuer that is not trusted here"
    return f"the certificate of {peer} is not accepted: {clean(error.verify_message, 100)}"


def _presented(connection: ssl.SSLObject) -> Certificate | None:
    der = None
    try:
        der = connection.getpeercert(binary_form=True)
    except ValueError:  # the handshake did not end
        der = _refused(connection)
    return read_certificate(der) if der else None


def _refused(connection: Any) -> bytes | None:
    """The leaf that the peer sent and OpenSSL refused. Public from Python 3.13 on; words do without."""
    chain = getattr(connection, "get_unverified_chain", None)
    if chain is None:
        chain = getattr(getattr(connection, "_sslobj", None), "get_unverified_chain", None)
    leaf = next(iter((chain() if chain else None) or ()), None)
    if leaf is None or isinstance(leaf, bytes):
        return leaf
    return ssl.PEM_cert_to_DER_cert(leaf.public_bytes())


def _trusting() -> ssl.SSLContext:
    """A context that verifies against this machine's authorities, read again once their file changes."""
    paths = ssl.get_default_verify_paths()
    try:
        changed_ns = Path(paths.cafile).stat().st_mtime_ns if paths.cafile else 0
    except OSError:
        changed_ns = 0
    return _context(paths.cafile, paths.capath, changed_ns)


@lru_cache(maxsize=2)
def _context(_file: str | None, _folder: str | None, _changed_ns: int) -> ssl.SSLContext:
    # Not create_default_context(): it would write session keys to a file that the environment names.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    return context


@lru_cache(maxsize=1)
def _trusting_anybody() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
