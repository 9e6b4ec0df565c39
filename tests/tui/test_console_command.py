"""`lifesign console`: it attaches to the daemon that runs, or brings an engine of its own, and never a second one."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from lifesign.cli import CommandError
from lifesign.cli.engine_child import EngineChild, EngineFailed
from lifesign.cli.opening import daemon_is_there
from tests.started import started
from tests.tui.documents import down_mind, state

LIFESIGN = [sys.executable, "-m", "lifesign"]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config with one component that is down at once."""
    path = tmp_path / "lifesign.toml"
    path.write_text(
        f"""
[monitor]
name = "try"
state_dir = "{tmp_path}/state"
[components.mind.checks.beat]
type = "heartbeat"
path = "{tmp_path}/never.json"
interval = "1s"
grace = "1s"
"""
    )
    path.chmod(0o600)
    return path


def test_without_a_daemon_the_console_watches_by_a_child_that_ends_with_it(config: Path) -> None:
    command = [*LIFESIGN, "console", "-c", str(config)]
    with started(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as console:
        assert console.stdout is not None
        assert " mind: " in console.stdout.readline()
        children = _children(console.pid)
        assert len(children) == 1
        console.send_signal(signal.SIGTERM)
        assert console.wait(40) == 0
    assert not any(_is_running(pid) for pid in children)


def test_the_child_ends_even_when_the_console_is_killed_and_takes_its_folder_away(config: Path) -> None:
    command = [*LIFESIGN, "console", "-c", str(config)]
    with started(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as console:
        assert console.stdout is not None
        console.stdout.readline()
        (child,) = _children(console.pid)
        watched = os.pidfd_open(child)
        words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
        folder = Path(os.fsdecode(words[words.index(b"--console-child") + 1])).parent
        assert folder.name.startswith("lifesign-")
        assert folder.is_dir()
        console.kill()
        console.wait(40)
    try:
        assert _ends(watched, 40.0)
    finally:
        os.close(watched)
    assert not folder.exists()


def test_the_engine_tells_when_it_has_ended(config: Path) -> None:
    others = set(_children(os.getpid()))
    with EngineChild(["run", "-c", str(config)]) as engine:
        source = engine.connect(3.0)
        assert [one.name for one in source.state().components] == ["mind"]
        (child,) = set(_children(os.getpid())) - others
        watched = os.pidfd_open(child)
        os.kill(child, signal.SIGKILL)
        assert _ends(watched, 40.0)
        os.close(watched)
        with pytest.raises(Exception, match="own engine has ended"):
            source.state()
    assert not engine.socket.parent.exists()


def test_an_engine_that_cannot_start_says_why(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text("[components.mind]\ntitel = 1\n")
    bad.chmod(0o600)
    with pytest.raises(EngineFailed, match="titel"), EngineChild(["run", "-c", str(bad)]):
        raise AssertionError("it started")


def test_no_socket_and_a_stale_one_are_no_daemon(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    assert not daemon_is_there(path, path.parent)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    assert path.exists()
    assert not daemon_is_there(path, path.parent)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", b"", b"hello\r\n"])
def test_a_live_socket_that_refuses_is_an_error_and_never_a_second_engine(tmp_path: Path, answer: bytes) -> None:
    import threading

    path = tmp_path / "s.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def refuse() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(65536)
                peer.sendall(answer)

        thread = threading.Thread(target=refuse)
        thread.start()
        with pytest.raises(CommandError, match="refuses"):
            daemon_is_there(path, path.parent)
        thread.join(40)


AS_SOMEBODY_ELSE = """
import lifesign.api.client, os, sys, pathlib
from lifesign.cli.opening import daemon_is_there
os.setuid(65534)
try:
    daemon_is_there(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[1]).parent)
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_a_socket_without_permission_is_an_error_too() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        path = Path(folder) / "s.sock"
        Path(folder).chmod(0o755)
        listener.bind(str(path))
        listener.listen()
        path.chmod(0o600)
        program = [sys.executable, "-c", AS_SOMEBODY_ELSE, str(path)]
        done = subprocess.run(program, capture_output=True, text=True, check=False)
        assert "CommandError a daemon is there and refuses" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--connect", "ssh://-oProxyCommand=x"], "ssh://[user@]host[:port]"),
        (["--connect", "ssh://host:99999"], "a port is a number"),
        (["--connect", "ftp://host"], "unix:PATH"),
        (["--snapshot", "/nonexistent"], "does not exist"),
    ],
)
def test_a_url_or_file_that_cannot_be_opened_is_told_in_one_line(arguments: list[str], words: str) -> None:
    done = subprocess.run([*LIFESIGN, "console", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_exported_state_opens_again_and_is_told_once(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_bytes(msgspec.json.encode(state([down_mind()])))
    done = subprocess.run([*LIFESIGN, "--snapshot", file], capture_output=True, text=True, check=True, timeout=60)
    assert "mind: down: alive and ready, but not working" in done.stdout
    file.write_text("{}")
    done = subprocess.run([*LIFESIGN, "--snapshot", file], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "is no state document" in done.stderr


def test_a_state_query_from_the_shell_imports_no_textual() -> None:
    program = "import lifesign.cli.opening, lifesign.tui.run, sys; print('textual' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread may end while we read
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def _ends(pidfd: int, within_s: float) -> bool:
    import select

    return bool(select.select([pidfd], [], [], within_s)[0])
