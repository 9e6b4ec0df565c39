"""The demo's stack breaks as it says, heals, and leaves nothing. Seen from outside: /proc, sockets, files."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lifesign.demo.director import Director, Outcome, Tempo
from lifesign.demo.scenario import Scenario
from lifesign.demo.stack import DemoStack
from tests.started import started

HANDSHAKE = (
    b"GET /stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def until(holds: Callable[[], bool], timeout_s: float = 60.0) -> bool:
    deadline = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def processes_of(folder: Path) -> set[int]:
    """Every living process that names the folder in its command line."""
    found = set()
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and os.fsencode(folder) in (entry / "cmdline").read_bytes():
                found.add(int(entry.name))
        except OSError:
            continue
    return found - {os.getpid()}


def beat(stack: DemoStack, role: str) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads((stack.folder / "heartbeats" / f"{role}.json").read_text())
    except FileNotFoundError:
        return {}
    return document


def moves(stack: DemoStack, role: str, key: str) -> bool:
    before = beat(stack, role).get(key)
    return until(lambda: beat(stack, role).get(key) != before)


def rests(stack: DemoStack, role: str, key: str) -> bool:
    """For several of the program's cycles; the one under way at first may still end, however slow the machine."""

    def changes() -> bool:
        before = beat(stack, role).get(key)
        return until(lambda: beat(stack, role).get(key) != before, 1.3)

    return not (changes() and changes() and changes())


def health(port: int) -> int | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status
    except ConnectionRefusedError:
        return None
    finally:
        connection.close()


def handshake(port: int) -> bytes:
    """The gateway's answer; empty where it accepts and says nothing for a second."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(HANDSHAKE)
        client.settimeout(1.0)
        try:
            return client.recv(100)
        except TimeoutError:
            return b""


def parses(path: Path) -> bool:
    try:
        compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


@pytest.fixture(scope="module")
def stack() -> Iterator[DemoStack]:
    with DemoStack() as started:
        assert until(lambda: beat(started, "mind").get("cycle", 0) > 1)
        assert until(lambda: beat(started, "feed").get("delivered", 0) > 1)
        assert until(lambda: health(started.ports.tools) == 200)
        yield started


def scenario(stack: DemoStack, title: str) -> Scenario:
    return next(one for one in stack.scenarios() if title in one.title)


def is_alive(stack: DemoStack, role: str) -> bool:
    return stack.processes[role].poll() is None


def test_a_hanging_worker_lives_and_answers_and_finishes_nothing(stack: DemoStack) -> None:
    hang = scenario(stack, "hangs")
    hang.break_it()
    assert rests(stack, "mind", "timestamp")
    assert is_alive(stack, "mind")
    assert health(stack.ports.mind) == 200
    hang.heal_it()
    assert moves(stack, "mind", "cycle")


def test_a_stuck_worker_beats_freshly_with_a_resting_counter(stack: DemoStack) -> None:
    stuck = scenario(stack, "counter stands still")
    stuck.break_it()
    assert rests(stack, "mind", "cycle")
    assert moves(stack, "mind", "timestamp")
    stuck.heal_it()
    assert moves(stack, "mind", "cycle")


def test_a_syntax_error_breaks_the_source_and_not_the_running_worker(stack: DemoStack) -> None:
    assert parses(stack.source_path)
    error = scenario(stack, "syntax error")
    error.break_it()
    assert not parses(stack.source_path)
    assert moves(stack, "mind", "cycle")
    error.heal_it()
    assert parses(stack.source_path)


def test_a_killed_worker_is_gone_and_comes_back_as_another_process(stack: DemoStack) -> None:
    before = stack.processes["mind"].pid
    killed = scenario(stack, "process is killed")
    killed.break_it()
    assert not Path(f"/proc/{before}").exists()
    assert rests(stack, "mind", "timestamp")
    killed.heal_it()
    assert until(lambda: beat(stack, "mind").get("pid") == stack.processes["mind"].pid)
    assert stack.processes["mind"].pid != before


def test_a_tool_server_that_is_away_refuses_connections(stack: DemoStack) -> None:
    away = scenario(stack, "tool server")
    away.break_it()
    assert health(stack.ports.tools) is None
    away.heal_it()
    assert until(lambda: health(stack.ports.tools) == 200)


def test_an_idle_feed_reconnects_with_success_and_delivers_nothing(stack: DemoStack) -> None:
    idle = scenario(stack, "feed delivers nothing")
    idle.break_it()
    assert rests(stack, "feed", "delivered")
    assert moves(stack, "feed", "reconnects")
    assert moves(stack, "feed", "timestamp")
    idle.heal_it()
    assert moves(stack, "feed", "delivered")


def test_a_silent_gateway_accepts_and_says_nothing(stack: DemoStack) -> None:
    assert until(lambda: handshake(stack.ports.gateway).startswith(b"HTTP/1.1 101"))
    silent = scenario(stack, "falls silent")
    silent.break_it()
    assert handshake(stack.ports.gateway) == b""
    assert is_alive(stack, "gateway")
    silent.heal_it()
    assert until(lambda: handshake(stack.ports.gateway).startswith(b"HTTP/1.1 101"))


def worker_pid(stack: DemoStack) -> int:
    return int(beat(stack, "worker").get("pid", 0))


def end_worker(stack: DemoStack) -> int:
    """As a restart by signal does; the pid of the process that its keeper starts in its place."""
    before, known = worker_pid(stack), processes_of(stack.folder)
    os.kill(before, signal.SIGTERM)
    assert until(lambda: bool(processes_of(stack.folder) - known))
    return before


def test_a_worker_that_hangs_once_works_again_as_a_fresh_process_and_not_by_itself(stack: DemoStack) -> None:
    assert until(lambda: worker_pid(stack) > 0)
    hang = scenario(stack, "queue worker hangs")
    assert hang.cured
    hang.break_it()
    hang.heal_it()
    assert rests(stack, "worker", "cycle")
    before = end_worker(stack)
    assert until(lambda: worker_pid(stack) != before)
    assert moves(stack, "worker", "cycle")


def test_a_worker_that_hangs_for_good_is_no_better_as_a_fresh_process_until_it_is_healed(stack: DemoStack) -> None:
    assert until(lambda: worker_pid(stack) > 0)
    hang = scenario(stack, "hangs for good")
    hang.break_it()
    assert rests(stack, "worker", "cycle")
    end_worker(stack)
    assert rests(stack, "worker", "cycle")
    hang.heal_it()
    assert moves(stack, "worker", "cycle")


def test_a_worker_that_a_human_stopped_lives_and_does_nothing_until_it_is_woken(stack: DemoStack) -> None:
    assert until(lambda: worker_pid(stack) > 0)
    stop = scenario(stack, "human stops")
    stop.break_it()
    stat = Path(f"/proc/{worker_pid(stack)}/stat")
    assert until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T")
    assert rests(stack, "worker", "cycle")
    stop.heal_it()
    assert moves(stack, "worker", "cycle")


def test_the_config_is_accepted_without_a_warning(stack: DemoStack) -> None:
    from lifesign.config import load

    config = load(stack.config_path)
    assert config.warnings == ()
    assert [component.spec.name for component in config.components] == ["gateway", "mind", "feed", "tools", "worker"]


async def test_what_nobody_tells_is_a_failure_of_the_show(stack: DemoStack) -> None:
    """A watcher that never answers: the director must notice, and must not wait for ever."""
    lines: list[str] = []
    director = Director(stack, lambda: None, lines.append, Tempo(0.0, 0.0, 0.0, 0.3, 0.0))
    assert await director.run(None) is False
    assert lines == ["0:00 the stack starts", "0:00 the stack was never seen healthy"]
    assert not Outcome("x", "mind", None, "", 1.0).is_complete
    assert not Outcome("x", "mind", 1.0, "", None).is_complete


def test_no_secret_of_the_environment_reaches_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "canary-5309")
    with DemoStack() as fresh:
        for process in fresh.processes.values():
            assert b"canary" not in Path(f"/proc/{process.pid}/environ").read_bytes()


def test_two_stacks_share_no_port_and_no_pattern(stack: DemoStack) -> None:
    with DemoStack() as other:
        ports = [stack.ports.gateway, stack.ports.mind, stack.ports.tools]
        assert not {other.ports.gateway, other.ports.mind, other.ports.tools} & set(ports)
        assert stack.folder.name not in other.config_path.read_text()


def test_nothing_is_left_after_close(capfd: pytest.CaptureFixture[str]) -> None:
    stack = DemoStack()
    stack.start()
    assert until(lambda: len(processes_of(stack.folder)) == 7)
    pids = processes_of(stack.folder)
    stack.close()
    stack.close()
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert not stack.folder.exists()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("stopped", [False, True])
def test_nothing_is_left_after_the_parent_was_killed(stopped: bool) -> None:
    code = (
        "import time\nfrom lifesign.demo.stack import DemoStack\n"
        "stack = DemoStack()\nstack.start()\n"
        "print(stack.folder, stack.processes['mind'].pid, flush=True)\ntime.sleep(600)"
    )
    with started([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        try:
            assert parent.stdout is not None
            name, pid = parent.stdout.readline().split()
            folder = Path(name)
            assert until(lambda: len(processes_of(folder)) == 7)
            if stopped:  # it can neither see the lifeline end nor be asked to
                os.kill(int(pid), signal.SIGSTOP)
        finally:
            parent.kill()
    assert until(lambda: not processes_of(folder) and not folder.exists(), 20)
