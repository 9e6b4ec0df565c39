"""A real sshd on the loopback, with keys of its own, and an `ssh` before the other that knows them."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.running import wait_until
from tests.ports import free_port

SERVER = "/usr/sbin/sshd"
_SERVER = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile {folder}/sshd.pid
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
SetEnv PATH={path} LANG=C.UTF-8
"""
_CLIENT = """\
Host *
  IdentityFile {folder}/user
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known
  StrictHostKeyChecking accept-new
  LocalForward 127.0.0.1:{busy} 127.0.0.1:1
"""


@dataclass
class Sshd:
    """One that runs. `environment`: for a process that shall use its keys by calling `ssh`."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes]"
    environment: dict[str, str]

    @property
    def url(self) -> str:
        """Of `--connect`, without a socket or a config."""
        return f"ssh://root@127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Ends every connection, without a word to either side's programs. The server goes on."""
        for pid in _children(self.process.pid):
            with suppress(ProcessLookupError):  # one may be ending by itself
                os.kill(pid, signal.SIGKILL)

    @property
    def connections(self) -> int:
        """How many stand."""
        return len(_children(self.process.pid))


@contextmanager
def sshd(folder: Path) -> Iterator[Sshd]:
    """A server that lets the user of this process in, by key alone."""
    folder.mkdir()
    Path("/run/sshd").mkdir(exist_ok=True)
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    port = free_port()
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    (folder / "sshd_config").write_text(_SERVER.format(port=port, folder=folder, path=path))
    with socket.create_server(("127.0.0.1", 0)) as busy:  # a forwarding of the user's own that cannot be had
        (folder / "ssh_config").write_text(_CLIENT.format(folder=folder, busy=busy.getsockname()[1]))
        (folder / "bin").mkdir()
        program = folder / "bin" / "ssh"
        program.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/ssh_config "$@"\n')
        program.chmod(0o755)
        with (folder / "sshd.log").open("wb") as log:
            process = subprocess.Popen(
                [SERVER, "-D", "-e", "-f", str(folder / "sshd_config")], stdin=subprocess.DEVNULL, stderr=log
            )
        environment = {**os.environ, "PATH": f"{program.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"}
        try:
            wait_until(lambda: _answers(port), "sshd listens")
            yield Sshd(folder, port, process, environment)
        finally:
            process.terminate()
            process.wait(40)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in found.read_text().split()]
