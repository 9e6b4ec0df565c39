"""A daemon on another machine, by the user's own ssh: its UNIX socket forwarded to a private one here.

One connection, so that a password is asked for once. It ends with this process, however that ends; where it is lost,
it is opened again by itself, as far as that needs no question. Not here: what is asked of the daemon (`api.client`).
"""

import ctypes
import signal
import subprocess
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import IO

from lifesign.api.client import Client
from lifesign.api.failures import ClientError
from lifesign.cli.engine_child import ChildSource, private_folder, remove_folder
from lifesign.cli.ssh_address import SshAddress, socket_of_answer
from lifesign.text import clean

CONNECT_TIMEOUT_S = 10
_LOOK_EVERY_S = 0.02
_LONGEST_PAUSE_S = 30.0
_NOT_FOUND = 127  # what a shell says of a program that it does not find
_NAME_BYTES = 40  # of the sockets in the folder: ssh puts up to 17 characters behind the name of its own

_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl


class TunnelFailed(Exception):  # noqa: N818 - the kind is the name
    """The way to the daemon cannot be opened. The message is one line for the user."""


class SshTunnel:
    """`with SshTunnel(address) as tunnel:` `tunnel.connect(timeout_s)` reaches the daemon there.

    Entering asks, on the terminal, whatever ssh asks, and raises TunnelFailed. Leaving ends ssh.
    """

    def __init__(self, address: SshAddress) -> None:
        self._address = address
        self._remote = address.socket or ""
        self._folder: Path | None = None
        self._said: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = threading.Event()
        self._starting = threading.Lock()
        self._trouble = ""

    def __enter__(self) -> "SshTunnel":
        self._folder = private_folder(_NAME_BYTES)
        try:
            self._open()
            self._remote = self._remote or self._ask_for_socket()
            self._forward()
            self._prove()
        except BaseException:
            self._end()
            raise
        threading.Thread(target=self._keep, name="lifesign-ssh", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def connect(self, timeout_s: float) -> ChildSource:
        """A source for the console that tells when the connection itself is lost."""
        return ChildSource(self, Client.connect(f"unix:{self._path('daemon')}", timeout_s))

    def ending(self) -> str:
        """Why nobody can answer, empty while ssh runs."""
        if self._process is not None and self._process.poll() is None and not self._trouble:
            return ""
        return self._trouble or f"the ssh connection to {self._address.host} is lost"

    def _path(self, name: str) -> Path:
        assert self._folder is not None, "not entered"
        return self._folder / name

    def _open(self, *extra: str) -> None:
        """Starts ssh, and waits until it is let in. As long as it asks something, it may take its time."""
        options = ["ExitOnForwardFailure=yes", "ClearAllForwardings=yes", "PermitLocalCommand=no", "RequestTTY=no"]
        options += [f"ConnectTimeout={CONNECT_TIMEOUT_S}", "ServerAliveInterval=5", "ServerAliveCountMax=3"]
        options += ["ControlPersist=no", "RemoteCommand=none", *extra]
        port = ["-p", str(self._address.port)] if self._address.port else []
        argv = ["ssh", "-N", "-M", "-S", str(self._path("ssh")), *port]
        argv += [word for option in options for word in ("-o", option)]
        self._path("ssh").unlink(missing_ok=True)
        self._start([*argv, "--", self._address.destination])
        while not self._path("ssh").exists():
            if self._process is not None and self._process.poll() is not None:
                raise TunnelFailed(self._last_words() or f"ssh ended with exit code {self._process.returncode}")
            self._closed.wait(_LOOK_EVERY_S)

    def _start(self, argv: list[str]) -> None:
        with self._starting:
            if self._closed.is_set():
                raise TunnelFailed("the console has ended")
            if self._said is not None:
                self._said.close()
            self._said = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - it lives as long as ssh
            try:
                self._process = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=self._said,
                    preexec_fn=_end_with_us,  # noqa: PLW1509 - it makes one system call, nothing that could lock
                )
            except FileNotFoundError:
                raise TunnelFailed("there is no program ssh here: install OpenSSH's client") from None

    def _beside(self, *words: str) -> "subprocess.CompletedProcess[bytes]":
        """Another ssh, over the connection that stands; without the user's config, which the first one has read."""
        argv = ["ssh", "-F", "none", "-S", str(self._path("ssh")), *words]
        try:
            return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
        except subprocess.TimeoutExpired:
            raise TunnelFailed(f"{self._address.host} does not answer within 30 s") from None

    def _ask_for_socket(self) -> str:
        """Where the daemon of the config there listens, as lifesign there knows."""
        done = self._beside("--", self._address.destination, self._address.question())
        if done.returncode == _NOT_FOUND:
            where = f"ssh://{self._address.destination}/path/to/lifesign.sock"
            raise TunnelFailed(f"{self._address.host} finds no program lifesign: name the socket, {where}")
        found = socket_of_answer(done.stdout)
        if done.returncode or not found:
            said = _last_line(done.stderr).removeprefix("lifesign: ")
            raise TunnelFailed(f"{self._address.host} does not tell where its daemon listens: {said or 'no answer'}")
        return found

    def _forward(self) -> None:
        self._path("daemon").unlink(missing_ok=True)
        ends = (str(self._path("daemon")), self._remote)
        spelled = ":".join(end.replace("\\", "\\\\").replace(":", "\\:") for end in ends)
        done = self._beside("-O", "forward", "-L", spelled, "--", self._address.destination)
        if done.returncode:
            raise TunnelFailed(f"ssh cannot forward {self._remote}: {_last_line(done.stderr) or 'no reason told'}")

    def _prove(self) -> None:
        """That somebody answers behind the forwarded socket."""
        try:
            self.connect(float(CONNECT_TIMEOUT_S)).state()
        except ClientError as error:
            said = _last_line(self._read_said())
            why = f"nobody listens on {self._remote} there" if "open failed" in said else self._in_words(error)
            raise TunnelFailed(f"{self._address.host}: {why}") from None

    def _in_words(self, error: ClientError) -> str:
        return error.detail.replace(f"unix:{self._path('daemon')}", self._remote)

    def _keep(self) -> None:
        """Opens the connection again where it was lost, without asking anything: the console has the terminal."""
        pause_s = 1.0
        while self._process is not None:
            self._process.wait()
            if self._closed.wait(pause_s):
                return
            try:
                self._open("BatchMode=yes")
                self._forward()
            except TunnelFailed as error:
                self._trouble = f"the ssh connection to {self._address.host} is lost: {error}"
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            else:
                self._trouble, pause_s = "", 1.0

    def _last_words(self) -> str:
        return _last_line(self._read_said())

    def _read_said(self) -> bytes:
        if self._said is None:
            return b""
        self._said.seek(0)
        return self._said.read(16384)

    def _end(self) -> None:
        self._closed.set()
        with self._starting:
            if self._process is not None:
                self._process.terminate()
                self._process.wait()
            if self._said is not None:
                self._said.close()
        remove_folder(self._folder)


def _end_with_us() -> None:
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _last_line(said: bytes) -> str:
    lines = [clean(line, 200) for line in said.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else ""
