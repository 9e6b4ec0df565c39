"""The daemon as its users meet it: one instance, its events from the shell, an end that nothing can hold up."""

import contextlib
import fcntl
import json
import shutil
import signal
import socket
import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.e2e.running import LIFESIGN, daemon, wait_until
from tests.ports import free_port

CONFIG = """
[defaults]
interval = "200ms"
timeout = "1s"
grace = "300ms"
failure_threshold = 2
[components.gateway.checks.port]
type = "tcp"
address = "127.0.0.1:{port}"
"""


def lifesign(*words: str, timeout_s: float = 90) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*LIFESIGN, *words], capture_output=True, text=True, timeout=timeout_s, check=False)


def test_a_second_instance_is_refused_in_one_line_that_names_the_first(tmp_path: Path) -> None:
    with daemon(tmp_path, CONFIG.format(port=free_port())) as running:
        second = lifesign("run", "-c", str(running.config))
        assert second.returncode == 1
        [line] = second.stderr.splitlines()
        assert f"another lifesign (pid {running.process.pid}) already watches" in line


def test_a_socket_and_a_lock_that_somebody_cleans_away_are_made_anew_and_told_once(tmp_path: Path) -> None:
    push = '[components.gateway.checks.job]\ntype = "push"\n'
    with daemon(tmp_path, CONFIG.format(port=free_port()) + push) as running:
        notify = tmp_path / "state/notify/gateway.job"
        wait_until(notify.is_socket, "the socket of the push check")
        for path in (running.socket, tmp_path / "state/lock", notify):
            path.unlink()
        assert lifesign("health", "-c", str(running.config)).returncode == 1
        wait_until(lambda: running.socket.exists() and running.serves(), "its socket again")
        wait_until(notify.is_socket, "that of the push check too")
        assert running.status()[1]["components"][0]["name"] == "gateway"
        second = lifesign("run", "-c", str(running.config))
        assert f"another lifesign (pid {running.process.pid}) already watches" in second.stderr
    told = [line for line in (tmp_path / "stderr").read_text().splitlines() if "made anew" in line]
    assert len(told) == 2
    assert "socket" in told[0]


def test_a_state_folder_that_another_has_by_now_is_left_to_it_and_taken_again_after_it(tmp_path: Path) -> None:
    state, others = tmp_path / "state", tmp_path / "others"
    for folder in (tmp_path / "ours", others):
        folder.mkdir(mode=0o700)
    state.symlink_to("ours")
    with daemon(tmp_path, CONFIG.format(port=free_port())) as running:
        with (others / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            (tmp_path / "link").symlink_to("others")
            (tmp_path / "link").replace(state)
            told = f"the state folder {state} is in other hands"
            wait_until(lambda: told in (tmp_path / "stderr").read_text(), "the other's told")
            assert not running.socket.exists()
            wait_until(lambda: bool(running.events("hold.added")), "its hands kept off")
            held = running.events("hold.added")[0]
            assert f"lifesign holds everything for 2m: another lifesign has the state folder {state}" in held["message"]
        wait_until(lambda: running.socket.exists() and running.serves(), "its socket again")
        assert running.status()[1]["components"][0]["name"] == "gateway"


def test_a_state_folder_that_is_taken_away_is_made_anew_and_nothing_that_holds_is_lost(tmp_path: Path) -> None:
    state, text = tmp_path / "state", CONFIG.format(port=free_port())
    with daemon(tmp_path, text + '[components.other.checks.job]\ntype = "push"\n') as running:
        assert lifesign("pause", "other", "-c", str(running.config)).returncode == 0
        state.rename(tmp_path / "gone")  # at once, for it writes there while we remove
        shutil.rmtree(tmp_path / "gone", ignore_errors=True)
        wait_until(lambda: running.socket.exists() and running.serves(), "its socket again")
        second = lifesign("run", "-c", str(running.config))
        assert f"another lifesign (pid {running.process.pid}) already watches" in second.stderr
        wait_until((state / "notify/other.job").is_socket, "the socket of its push check")
        wait_until(lambda: "component/other" in memories(state / "state.db"), "what holds kept again")
        wait_until(lambda: running.request("GET", "/api/v1/state")[1]["monitor"]["state_writable"], "all kept again")
        assert state.stat().st_mode & 0o777 == 0o700
    told = (tmp_path / "stderr").read_text()
    assert told.count("somebody took the state folder away: it was made anew") == 1
    with daemon(tmp_path, text + '[components.other.checks.job]\ntype = "push"\n') as running:
        assert running.component("other")["state"] == "paused"


def memories(path: Path) -> list[str]:
    """The keys of what a daemon would find again of `path`; none while it is not made yet."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return [key for (key,) in connection.execute("SELECT key FROM memory")]
    except sqlite3.Error:
        return []


def test_a_port_that_is_taken_is_told_by_its_address(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = tmp_path / "lifesign.toml"
        text = f'[monitor]\nstate_dir = "state"\n[http]\nlisten = "127.0.0.1:{port}"\n'
        config.write_text(text + CONFIG.format(port=free_port()))
        done = lifesign("run", "-c", str(config))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"lifesign: cannot serve: [http] listen = 127.0.0.1:{port}: Address already in use\n"


def test_the_shell_tells_the_events_that_the_log_holds(tmp_path: Path) -> None:
    with daemon(tmp_path, CONFIG.format(port=free_port())) as running:
        running.wait_for_event("component.down", "gateway")
        told = lifesign("events", "-c", str(running.config), "--json").stdout.splitlines()
        logged = running.log.read_text().splitlines()
        assert told == logged[: len(told)]
        ours = lifesign(
            "events", "-c", str(running.config), "--component", "gateway", "--since", "1h"
        ).stdout.splitlines()
        assert ours
        assert all(" gateway" in line for line in ours)
        wrong = lifesign("events", "-c", str(running.config), "--since", "yesterday")
        assert (wrong.returncode, len(wrong.stderr.splitlines())) == (2, 1)
        assert "write a time (2026-11-21T14:03:22Z), or how long ago (10m, 1h30m)" in wrong.stderr


def test_asking_for_a_check_answers_what_it_found(tmp_path: Path) -> None:
    with daemon(tmp_path, CONFIG.format(port=free_port())) as running:
        done = lifesign("probe", "-c", str(running.config), "gateway")
        assert done.returncode == 0
        assert "connection refused" in done.stdout
        missing = lifesign("probe", "-c", str(running.config), "gatewai")
        assert missing.returncode == 1
        assert "gateway" in missing.stderr


def test_asking_without_a_daemon_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    config = tmp_path / "lifesign.toml"
    config.write_text('[monitor]\nstate_dir = "state"\n' + CONFIG.format(port=free_port()))
    for words in (("health",), ("probe", "gateway"), ("events",)):
        done = lifesign(*words, "-c", str(config))
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr


def test_the_daemon_ends_in_time_with_streams_and_half_requests_open(tmp_path: Path) -> None:
    with daemon(tmp_path, CONFIG.format(port=free_port())) as running:
        stream, half = (socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(2))
        for client in (stream, half):
            client.settimeout(40)
            client.connect(str(running.socket))
        stream.sendall(b"GET /api/v1/events?follow=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        half.sendall(b"GET /api/v1/state HTTP/1.1\r\nHo")
        told = stream.makefile("rb")
        while b": lifesign" not in told.readline():
            pass
    frames = [json.loads(line[6:])["event"] for line in told if line.startswith(b"data: ")]
    assert frames[-1] == "monitor.stopped"
    for client in (stream, half):
        client.close()
    told.close()


def test_a_follower_in_the_shell_ends_with_the_daemon(tmp_path: Path) -> None:
    with daemon(tmp_path, CONFIG.format(port=free_port())) as running:
        follower = subprocess.Popen(
            [*LIFESIGN, "events", "-c", str(running.config), "--follow", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert follower.stdout is not None
        assert json.loads(follower.stdout.readline())["event"] == "monitor.started"
    _, errors = follower.communicate(timeout=40)
    assert b"Traceback" not in errors


def test_a_reader_that_leaves_is_no_reason_for_a_word(tmp_path: Path) -> None:
    with daemon(tmp_path, CONFIG.format(port=free_port())) as running:
        for _ in range(3):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.settimeout(40)
                client.connect(str(running.socket))
                client.sendall(b"GET /api/v1/events?follow=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert b"200 OK" in client.recv(200)
            for _ in range(2):
                running.request("POST", "/api/v1/components/gateway/probe")
    assert (tmp_path / "stderr").read_text() == ""


def test_a_console_in_a_pipe_ends_when_its_reader_does(tmp_path: Path) -> None:
    with daemon(tmp_path, CONFIG.format(port=free_port())) as running:
        running.wait_for_event("component.down", "gateway")
        console = subprocess.Popen([*LIFESIGN, "console", "-c", str(running.config)], stdout=subprocess.PIPE)
        assert console.stdout is not None
        assert b"gateway" in console.stdout.readline()
        console.stdout.close()
        assert console.wait(timeout=40) == 0


def test_a_stalled_monitor_never_answers_200_and_tells_its_stall(tmp_path: Path) -> None:
    with daemon(tmp_path, CONFIG.format(port=free_port())) as running:
        running.process.send_signal(signal.SIGSTOP)
        health = lifesign("health", "-c", str(running.config), timeout_s=90)
        assert health.returncode == 1
        running.process.send_signal(signal.SIGCONT)
        wait_until(lambda: bool(running.events("monitor.stalled")), "the stall told")
        stalled = running.events("monitor.stalled")[0]
        assert stalled["data"]["stalled_s"] > 1


def test_a_state_folder_that_cannot_be_written_does_not_stop_the_watch(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file is in the way")
    port = free_port()
    config = tmp_path / "lifesign.toml"
    text = '[monitor]\nstate_dir = "state"\n[http]\nlisten = "127.0.0.1:{port}"\n'
    config.write_text(text.format(port=port) + CONFIG.format(port=free_port()))
    process = subprocess.Popen([*LIFESIGN, "run", "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        from urllib.error import URLError
        from urllib.request import urlopen

        def answers() -> bool:
            try:
                with urlopen(f"http://127.0.0.1:{port}/api/v1/state", timeout=90) as answer:
                    state.update(json.load(answer))
            except (URLError, ConnectionError):
                return False
            return True

        state: dict[str, object] = {}
        wait_until(answers, "an answer over TCP")
        monitor = state["monitor"]
        assert isinstance(monitor, dict)
        assert monitor["state_writable"] is False
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=40)
    assert process.returncode == 0
    assert "the watch goes on without it" in errors.decode()


def test_an_own_engine_of_a_console_ends_with_its_standard_input(tmp_path: Path) -> None:
    config = tmp_path / "lifesign.toml"
    config.write_text('[monitor]\nstate_dir = "state"\n' + CONFIG.format(port=free_port()))
    path = tmp_path / "engine.sock"
    child = subprocess.Popen([*LIFESIGN, "run", "-c", str(config), "--console-child", str(path)], stdin=subprocess.PIPE)
    wait_until(path.exists, "the engine's socket")
    child.communicate(timeout=90)
    assert child.returncode == 0
    assert not path.exists()


def test_without_a_daemon_the_stored_events_are_told_by_level_and_followed(tmp_path: Path) -> None:
    with daemon(tmp_path, CONFIG.format(port=free_port())) as running:
        running.wait_for_event("component.down", "gateway")
    words = ["events", "-c", str(running.config), "--json"]
    told = [json.loads(line) for line in lifesign(*words).stdout.splitlines()]
    assert [event["event"] for event in told][-1] == "monitor.stopped"
    loud = [json.loads(line) for line in lifesign(*words, "--level", "error").stdout.splitlines()]
    assert loud == [event for event in told if event["level"] == "ERROR"]
    assert [event["event"] for event in loud] == ["component.down"]
    late = [json.loads(line) for line in lifesign(*words, "--since", told[1]["ts"]).stdout.splitlines()]
    assert late == [event for event in told if event["ts"] >= told[1]["ts"]]
    follower = subprocess.Popen([*LIFESIGN, *words, "--follow"], stdout=subprocess.PIPE)
    assert follower.stdout is not None
    try:
        assert [json.loads(follower.stdout.readline()) for _ in told] == told
        with daemon(tmp_path, CONFIG.format(port=free_port())):
            assert json.loads(follower.stdout.readline())["event"] == "monitor.started"
    finally:
        follower.kill()
        follower.communicate(timeout=40)


@pytest.mark.proof
@pytest.mark.parametrize(("words", "code"), [(["probe", "a"], 1), (["snapshot"], 1), (["snapshot", "--exit-code"], 3)])
def test_whoever_asks_a_stalled_daemon_gives_up_after_seconds(tmp_path: Path, words: list[str], code: int) -> None:
    config = '[components.a.checks.p]\ntype = "tcp"\naddress = "127.0.0.1:9"\n'
    with daemon(tmp_path, config) as running:
        running.process.send_signal(signal.SIGSTOP)
        try:
            argv = [*LIFESIGN, words[0], "-c", str(running.config), *words[1:]]
            done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=90)
        finally:
            running.process.send_signal(signal.SIGCONT)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1)
    assert "does not answer within 5 s" in done.stderr
