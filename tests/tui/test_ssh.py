"""`--connect ssh://…` through a real sshd: it finds the daemon, says what is wrong, heals, leaves nothing behind."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e.running import LIFESIGN, Daemon, daemon, wait_until
from tests.ports import free_port
from tests.restarts.needs import needs
from tests.started import has_ended
from tests.tui.sshd import SERVER, Sshd, sshd

pytestmark = [pytest.mark.proof, needs("openssh-server", programs=(SERVER, "ssh"))]

DOWN = '[defaults]\ninterval = "1s"\ngrace = "1ms"\n[components.gateway.checks.port]\ntype = "tcp"\naddress = "{}"\n'


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon with one component that is down."""
    with daemon(tmp_path, DOWN.format(f"127.0.0.1:{free_port()}")) as one:
        yield one


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    """An sshd."""
    with sshd(tmp_path / "sshd") as one:
        yield one


@contextlib.contextmanager
def lines(server: Sshd, url: str, folder: Path) -> Iterator["Lines"]:
    """`lifesign console --connect URL`, its output into a file."""
    output = folder / "console.out"
    argv = [*LIFESIGN, "console", "--connect", url]
    with output.open("wb") as sink:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT, env=server.environment
        )
    try:
        yield Lines(process, output)
    finally:
        process.kill()
        process.wait(40)


class Lines:
    """A console without a terminal."""

    def __init__(self, process: "subprocess.Popen[bytes]", output: Path) -> None:
        self.process = process
        self._output = output

    def until(self, words: str) -> None:
        """Waits until it has said so."""
        wait_until(lambda: words in self.said, f"{words!r} in {self.said!r}", timeout_s=30)

    @property
    def said(self) -> str:
        """So far."""
        return self._output.read_text(errors="replace")  # a line may be under way

    @property
    def children(self) -> list[psutil.Process]:
        """Its ssh."""
        return psutil.Process(self.process.pid).children()


def failure(server: Sshd, url: str) -> str:
    """What a console says that cannot begin."""
    argv = [*LIFESIGN, "console", "--connect", url]
    done = subprocess.run(argv, capture_output=True, text=True, env=server.environment, timeout=60, check=False)
    assert done.returncode == 1, done.stdout
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize("how", ["?config={config}", "{socket}"])
def test_it_finds_the_daemon_by_its_config_or_its_socket(running: Daemon, server: Sshd, how: str) -> None:
    url = server.url + how.format(config=running.config, socket=running.socket)
    with lines(server, url, running.config.parent) as console:
        console.until("gateway: down")
        [ssh] = console.children
        console.process.send_signal(signal.SIGTERM)
        assert console.process.wait(40) == 0
        assert has_ended(ssh)


def test_ssh_ends_even_when_the_console_is_killed(running: Daemon, server: Sshd) -> None:
    with lines(server, f"{server.url}{running.socket}", running.config.parent) as console:
        console.until("gateway: down")
        [ssh] = console.children
        console.process.kill()
        console.process.wait(40)
        wait_until(lambda: has_ended(ssh), "ssh ends")
    wait_until(lambda: server.connections == 0, "the connection ends")


def test_a_lost_connection_is_told_and_opened_again(running: Daemon, server: Sshd) -> None:
    with lines(server, f"{server.url}{running.socket}", running.config.parent) as console:
        console.until("gateway: down")
        server.cut()
        console.until("the ssh connection to 127.0.0.1 is lost")
        console.until("connected again")


def test_a_daemon_that_restarts_behind_it_is_found_again(tmp_path: Path, server: Sshd) -> None:
    config = DOWN.format(f"127.0.0.1:{free_port()}")
    with daemon(tmp_path, config) as first:
        with lines(server, f"{server.url}{first.socket}", tmp_path) as console:
            console.until("gateway: down")
            first.process.terminate()
            first.process.wait(40)
            console.until("disconnected since")
            with daemon(tmp_path, config):
                console.until("connected again")
        first.process.returncode = 0


def test_what_is_wrong_is_told_in_one_line(running: Daemon, server: Sshd, tmp_path: Path) -> None:
    nobody = free_port()
    assert "Connection refused" in failure(server, f"ssh://root@127.0.0.1:{nobody}")
    assert f"nobody listens on {tmp_path}/no.sock there" in failure(server, f"{server.url}{tmp_path}/no.sock")
    assert "config" in failure(server, f"{server.url}?config={tmp_path}/no.toml")
    (tmp_path / "sshd" / "user").unlink()
    assert "Permission denied" in failure(server, f"{server.url}{running.socket}")


def test_a_host_that_never_answers_is_given_up(server: Sshd, tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        began_s = time.monotonic()
        said = failure(server, f"ssh://root@127.0.0.1:{silent.getsockname()[1]}")
    assert "127.0.0.1" in said
    assert time.monotonic() - began_s < 40


def test_without_ssh_it_says_so(tmp_path: Path) -> None:
    argv = [*LIFESIGN, "console", "--connect", "ssh://host/x.sock"]
    environment = {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run(argv, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "there is no program ssh here" in done.stderr
