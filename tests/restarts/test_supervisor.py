"""Restart of programs by a real Supervisor over its socket, and what becomes of answers that are none."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import xmlrpc.client
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from lifesign.core.model import Identity
from lifesign.restarts import supervisor_calls as calls
from lifesign.restarts.restarter import HandsOffError, Hint, RestartFailedError
from lifesign.restarts.supervisor import SupervisorRestarter
from lifesign.restarts.supervisor_calls import FailedError, Supervisor
from tests.checks.strangers import state_of, wait_until
from tests.restarts.needs import needs
from tests.restarts.targets import identity_of

pytestmark = needs("supervisor", programs=("supervisord",), root=False)

_CONFIG = """
[unix_http_server]
file={folder}/s.sock
username=admin
password=canary-word
[supervisord]
logfile={folder}/log
pidfile={folder}/pid
childlogdir={folder}
nodaemon=true
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[program:mind]
command=/bin/sleep 600
startsecs=0
[program:clean]
command={python} -I -S {worker} clean
startsecs=0
autorestart=unexpected
[program:once]
command=/bin/sleep 600
startsecs=0
autorestart=false
[program:short]
command=/bin/sh -c "test -e {folder}/second && exec /bin/sleep 600; touch {folder}/second"
startsecs=0
autorestart=false
[program:fatal]
command=/no/such/program
[program:backoff]
command=/bin/sh -c "exit 3"
startsecs=600
startretries=1000
[program:starts]
command=/bin/sleep 600
startsecs=600
[program:deaf]
command={python} -I -S {worker} deaf
startsecs=0
stopwaitsecs=600
[program:group]
command=/bin/sh -c "/bin/sleep 601 & echo $! >> {folder}/leaves; wait"
startsecs=0
stopasgroup=true
[program:usr1]
command={python} -I -S {worker} usr1
startsecs=0
stopsignal=USR1
"""
_WORKER = """
import pathlib, signal, sys, time
kind = sys.argv[1]
signal.signal(signal.SIGTERM, signal.SIG_IGN if kind in ("deaf", "usr1") else lambda *_: sys.exit(0))
pathlib.Path(__file__).with_name(kind + "-ready").touch()
time.sleep(600)
"""


class Supervisord:
    """A Supervisor of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = f"unix://admin:canary-word@{folder}/s.sock"
        worker = folder / "worker.py"
        worker.write_text(_WORKER)
        config = folder / "supervisord.conf"
        config.write_text(_CONFIG.format(folder=folder, python=sys.executable, worker=worker))
        supervisord = shutil.which("supervisord")
        assert supervisord is not None
        self.process = subprocess.Popen(
            [supervisord, "-c", config], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(self._is_up, 30)

    def _is_up(self) -> bool:
        with suppress(OSError, xmlrpc.client.Error):
            return bool(self.info("mind"))
        return False

    def rpc(self, call: str, *arguments: object) -> Any:
        """As supervisorctl calls it."""
        supervisor = Supervisor(self.server, "")
        try:
            return getattr(supervisor._calls, call)(*arguments)
        finally:
            supervisor.close()

    def info(self, program: str) -> dict[str, Any]:
        found = self.rpc("getProcessInfo", program)
        assert isinstance(found, dict)
        return found

    def wait_for(self, program: str, state: str) -> None:
        wait_until(lambda: self.info(program)["statename"] == state, 30)

    def ready(self, program: str) -> int:
        """The pid of a running program whose worker has set its signals."""
        wait_until((self.folder / f"{program}-ready").exists)
        return int(self.info(program)["pid"])

    def restarter(self, program: str, **named: Any) -> SupervisorRestarter:
        return SupervisorRestarter(program, self.server, **named)

    def close(self) -> None:
        pids = [info["pid"] for info in self.rpc("getAllProcessInfo") if info["pid"]]
        self.process.kill()
        self.process.wait()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def supervisord(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervisord]:
    running = Supervisord(tmp_path_factory.mktemp("s"))
    yield running
    running.close()


def restart(restarter: SupervisorRestarter) -> str:
    async def both() -> str:
        return await restarter.send(await restarter.target(Hint()))

    return asyncio.run(both())


def refused(restarter: SupervisorRestarter) -> str:
    with pytest.raises(HandsOffError) as caught:
        asyncio.run(restarter.target(Hint()))
    assert "canary" not in str(caught.value)
    return str(caught.value)


def test_a_running_program_gets_a_new_process(supervisord: Supervisord) -> None:
    supervisord.wait_for("mind", "RUNNING")
    pid = supervisord.info("mind")["pid"]
    restarter = supervisord.restarter("mind")
    target = asyncio.run(restarter.target(Hint()))
    assert target.words == f"program mind (pid {pid})"
    assert target.identity == identity_of(pid) == asyncio.run(restarter.current())
    assert supervisord.info("mind")["pid"] == pid
    done = asyncio.run(restarter.send(target))
    after = supervisord.info("mind")["pid"]
    assert after not in (0, pid)
    assert done == f"Supervisor restarted program mind (pid {after})"
    assert state_of(pid) == ""


@pytest.mark.parametrize("program", ["clean", "once"])
def test_a_program_that_supervisor_would_not_bring_back_is_started(supervisord: Supervisord, program: str) -> None:
    supervisord.wait_for(program, "RUNNING")
    pid = supervisord.ready(program) if program == "clean" else supervisord.info(program)["pid"]
    restart(supervisord.restarter(program))
    assert supervisord.info(program)["pid"] not in (0, pid)


def test_a_programs_own_stop_signal_is_used(supervisord: Supervisord) -> None:
    pid = supervisord.ready("usr1")
    restart(supervisord.restarter("usr1", patience_s=20))
    assert supervisord.info("usr1")["pid"] not in (0, pid)


def test_a_program_that_is_stopped_as_a_group_leaves_nobody_behind(supervisord: Supervisord) -> None:
    leaves = supervisord.folder / "leaves"
    wait_until(lambda: leaves.exists() and leaves.read_text().endswith("\n"))
    [before] = leaves.read_text().split()
    restart(supervisord.restarter("group"))
    wait_until(lambda: state_of(int(before)) in ("", "Z"))
    assert supervisord.info("group")["statename"] == "RUNNING"


def test_what_a_human_stopped_is_left_alone(supervisord: Supervisord) -> None:
    supervisord.rpc("stopProcess", "mind")
    words = "program mind was stopped by somebody (or never started), so it is left alone"
    assert refused(supervisord.restarter("mind")) == words
    assert supervisord.info("mind")["statename"] == "STOPPED"
    supervisord.rpc("startProcess", "mind")


def test_a_stop_by_a_human_between_decision_and_deed_wins(supervisord: Supervisord) -> None:
    restarter = supervisord.restarter("mind")
    target = asyncio.run(restarter.target(Hint()))
    supervisord.rpc("stopProcess", "mind")
    with pytest.raises(HandsOffError):
        asyncio.run(restarter.send(target))
    assert supervisord.info("mind")["statename"] == "STOPPED"
    supervisord.rpc("startProcess", "mind")


def test_a_process_that_is_new_since_the_decision_is_left_alone(supervisord: Supervisord) -> None:
    restarter = supervisord.restarter("mind")
    target = asyncio.run(restarter.target(Hint()))
    supervisord.rpc("stopProcess", "mind")
    supervisord.rpc("startProcess", "mind")
    pid = supervisord.info("mind")["pid"]
    with pytest.raises(HandsOffError, match="another process by now"):
        asyncio.run(restarter.send(target))
    assert supervisord.info("mind")["pid"] == pid


@pytest.mark.parametrize(("program", "state"), [("starts", "STARTING"), ("backoff", "BACKOFF")])
def test_while_supervisor_is_at_work_it_is_left_alone(supervisord: Supervisord, program: str, state: str) -> None:
    supervisord.wait_for(program, state)
    assert "Supervisor is already at work on it" in refused(supervisord.restarter(program))


def test_what_ended_by_itself_is_started(supervisord: Supervisord) -> None:
    supervisord.wait_for("short", "EXITED")
    restarter = supervisord.restarter("short", patience_s=10)
    assert asyncio.run(restarter.target(Hint())).identity is None
    pid = int(restart(restarter).removeprefix("Supervisor restarted program short (pid ").rstrip(")"))
    assert supervisord.info("short")["pid"] == pid


class EndsAtOnce(Supervisor):
    """A program that is gone again whenever anybody looks. `starts` counts."""

    def __init__(self) -> None:
        self.starts = 0

    def info(self) -> dict[str, Any]:
        return {"statename": "EXITED", "pid": 0, "exitstatus": 3}

    def start(self) -> None:
        self.starts += 1


def test_what_ends_again_at_once_is_started_once_and_told() -> None:
    program = EndsAtOnce()
    with pytest.raises(FailedError, match=r"^ended again right after its start \(exit status 3\)$"):
        calls.restart(program, 0, 10, None)
    assert program.starts == 1


def test_what_cannot_be_started_is_told_in_one_sentence(supervisord: Supervisord) -> None:
    supervisord.wait_for("fatal", "FATAL")
    with pytest.raises(RestartFailedError, match=r"^program fatal could not be restarted: NO_FILE: .* \(fault 20\)$"):
        restart(supervisord.restarter("fatal"))


def test_a_program_that_ignores_its_stop_is_killed_only_where_that_was_asked_for(supervisord: Supervisord) -> None:
    pid = supervisord.ready("deaf")
    words = r"^program deaf did not end in 1 s \(no SIGKILL without `escalate`\)$"
    with pytest.raises(RestartFailedError, match=words):
        restart(supervisord.restarter("deaf", patience_s=1))
    assert supervisord.info("deaf")["pid"] == pid
    done = restart(supervisord.restarter("deaf", escalate_s=0.3))
    assert done.endswith(", SIGKILL after 0.3 s)")
    assert supervisord.info("deaf")["pid"] not in (0, pid)


def test_a_monitor_that_dies_in_the_midst_leaves_no_program_stopped(supervisord: Supervisord) -> None:
    pid = supervisord.info("once")["pid"]
    code = (
        "import asyncio, sys\n"
        "from lifesign.restarts.restarter import Hint\n"
        "from lifesign.restarts.supervisor import SupervisorRestarter\n"
        "async def both():\n"
        "    it = SupervisorRestarter('once', sys.argv[1])\n"
        "    target = await it.target(Hint())\n"
        "    print('now', flush=True)\n"
        "    await it.send(target)\n"
        "asyncio.run(both())\n"
    )
    monitor = subprocess.Popen([sys.executable, "-c", code, supervisord.server], stdout=subprocess.PIPE)
    assert monitor.stdout is not None
    monitor.stdout.readline()
    wait_until(lambda: supervisord.info("once")["pid"] != pid, 30)
    monitor.kill()
    monitor.wait()
    monitor.stdout.close()
    wait_until(lambda: supervisord.info("once")["pid"] not in (0, pid), 20)


def test_an_unknown_program_and_a_wrong_password_are_told(supervisord: Supervisord) -> None:
    assert refused(supervisord.restarter("nobody")) == "program nobody is unknown to Supervisor"
    stranger = SupervisorRestarter("mind", f"unix://admin:canary-two@{supervisord.folder}/s.sock")
    assert refused(stranger) == "cannot ask Supervisor about program mind: it wants another user and password"


def test_a_supervisor_that_is_not_there_is_told(tmp_path: Path) -> None:
    words = refused(SupervisorRestarter("mind", f"unix://admin:canary-word@{tmp_path}/none.sock"))
    assert words == "cannot ask Supervisor about program mind: No such file or directory"


@contextmanager
def answering(folder: Path, answer: bytes) -> Iterator[str]:
    """A server that says `answer` to whoever connects."""
    path = str(folder / "liar.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(path)
        server.listen(8)

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer, suppress(OSError):
                    question = b""
                    while b"</methodCall>" not in question:
                        question += peer.recv(65536)
                    peer.sendall(answer)
                    if not answer:
                        time.sleep(0.5)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"unix://{path}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(40)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 200 OK\r\nContent-Type: text/xml\r\n\r\n<nonsense>",
        b"HTTP/1.0 500 Oh\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n" + xmlrpc.client.dumps((4,), methodresponse=True).encode(),
        b"",
    ],
)
def test_an_answer_that_is_none_means_hands_off(tmp_path: Path, answer: bytes) -> None:
    with answering(tmp_path, answer) as server:
        words = refused(SupervisorRestarter("mind", server))
    assert "program mind" in words
    assert "\n" not in words


def test_a_pid_that_is_lifesigns_own_is_never_signalled(tmp_path: Path) -> None:
    info = {"statename": "RUNNING", "pid": os.getppid(), "start": int(identity_of(os.getppid()).started_at or 0)}
    body = xmlrpc.client.dumps((info,), methodresponse=True).encode()
    with answering(tmp_path, b"HTTP/1.0 200 OK\r\nContent-Type: text/xml\r\n\r\n" + body) as server:
        assert "is an ancestor of lifesign, which is never signalled" in refused(SupervisorRestarter("mind", server))


def test_the_process_of_another_host_is_known_by_what_supervisor_tells(tmp_path: Path) -> None:
    info = {"statename": "RUNNING", "pid": os.getppid(), "start": 1_500_000_000}
    body = xmlrpc.client.dumps((info,), methodresponse=True).encode()
    with answering(tmp_path, b"HTTP/1.0 200 OK\r\nContent-Type: text/xml\r\n\r\n" + body) as server:
        found = asyncio.run(SupervisorRestarter("mind", server).current())
    assert found == Identity(os.getppid(), 1_500_000_000.0)


@pytest.mark.parametrize("server", ["ftp://h/", "unix://", "http://", "/var/run/s.sock"])
def test_a_server_of_another_kind_is_refused(server: str) -> None:
    with pytest.raises(ValueError, match="no server of Supervisor"):
        SupervisorRestarter("mind", server)
