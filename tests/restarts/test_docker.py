"""Restart of containers over an Engine API that keeps to the published states, and over one that keeps to nothing."""

import asyncio
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from lifesign.core.model import Identity
from lifesign.restarts.docker import DockerRestarter
from lifesign.restarts.restarter import HandsOffError, Hint, RestartFailedError
from tests.restarts.fake_docker import FakeDocker
from tests.restarts.targets import identity_of


@pytest.fixture(autouse=True)
def docker_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "docker.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    return path


def refusal(engine: FakeDocker, path: Path, container: str = "mind") -> str:
    """Why it is left alone; empty where it is not."""

    async def ask() -> str:
        async with engine.serving(path):
            try:
                await DockerRestarter(container).target(Hint())
            except HandsOffError as error:
                return str(error)
            return ""

    words = asyncio.run(ask())
    assert not [asked for asked in engine.asked if not asked.startswith("GET ")]
    return words


def restart(
    engine: FakeDocker,
    path: Path,
    restarter: DockerRestarter,
    between: Callable[[], None] = lambda: None,
) -> str:
    async def both() -> str:
        async with engine.serving(path):
            target = await restarter.target(Hint())
            between()
            return await restarter.send(target)

    return asyncio.run(both())


def test_a_running_container_is_restarted_by_its_id(docker_host: Path) -> None:
    engine = FakeDocker()
    mind = engine.run("mind")
    assert restart(engine, docker_host, DockerRestarter("mind")) == f"Docker restarted container mind (pid {mind.pid})"
    [deed] = [asked for asked in engine.asked if asked.startswith("POST")]
    assert deed == f"POST /v1.40/containers/{mind.id}/restart?t={365 * 86400}"


def test_escalate_is_the_time_until_the_engine_kills(docker_host: Path) -> None:
    engine = FakeDocker()
    engine.run("mind", deaf=True)
    restart(engine, docker_host, DockerRestarter("mind", escalate_s=1.5))
    assert engine.asked[-2].endswith("/restart?t=2")
    words = r"^container mind did not restart in 1s \(no SIGKILL without `escalate`\)$"
    with pytest.raises(RestartFailedError, match=words):
        restart(engine, docker_host, DockerRestarter("mind", patience_s=1))


def test_the_identity_is_the_containers_first_process(docker_host: Path) -> None:
    engine = FakeDocker()
    began = identity_of(os.getpid()).started_at
    assert began is not None
    engine.run("elsewhere", pid=4_194_000, started_s=1_700_000_000.5)

    async def current() -> Identity | None:
        async with engine.serving(docker_host):
            return await DockerRestarter("elsewhere").current()

    assert asyncio.run(current()) == Identity(4_194_000, 1_700_000_000.5)
    engine.run("self", pid=os.getpid(), started_s=began)
    assert refusal(engine, docker_host, "self").endswith("is lifesign itself, which is never signalled")


@pytest.mark.parametrize("policy", ["no", "on-failure", "always", "unless-stopped"])
@pytest.mark.parametrize("exit_code", [0, 7, 137, 143])
def test_what_a_human_stopped_is_left_alone_whatever_its_exit_code(
    docker_host: Path, policy: str, exit_code: int
) -> None:
    engine = FakeDocker()
    engine.run("mind", policy=policy)
    engine.stop("mind", exit_code)
    assert refusal(engine, docker_host) == "container mind was stopped by somebody, so it is left alone"


@pytest.mark.parametrize("exit_code", [0, 1, 137, 143])
def test_what_ended_by_itself_is_started_while_docker_remembers(docker_host: Path, exit_code: int) -> None:
    engine = FakeDocker()
    engine.run("mind")
    engine.end("mind", exit_code)
    assert restart(engine, docker_host, DockerRestarter("mind")).startswith("Docker restarted container mind")


@pytest.mark.parametrize(
    ("keys", "exit_code", "is_left_alone"),
    [
        ({}, 0, True),
        ({}, 130, True),
        ({}, 137, True),
        ({}, 143, True),
        ({}, 1, False),
        ({}, 139, False),
        ({"policy": "always"}, 1, True),
        ({"policy": "unless-stopped"}, 1, True),
        ({"policy": "on-failure"}, 1, True),
        ({"policy": "on-failure", "most_retries": 3, "retries": 2}, 1, True),
        ({"policy": "on-failure", "most_retries": 3, "retries": 3}, 1, False),
    ],
)
def test_when_docker_has_forgotten_the_policy_and_the_exit_code_decide(
    docker_host: Path, keys: dict[str, object], exit_code: int, is_left_alone: bool
) -> None:
    engine = FakeDocker()
    engine.run("mind", **keys)
    engine.end("mind", exit_code)
    engine.forget()
    assert bool(refusal(engine, docker_host)) is is_left_alone


def test_a_container_that_the_kernel_killed_for_memory_is_started(docker_host: Path) -> None:
    engine = FakeDocker()
    engine.run("mind")
    engine.end("mind", 137, out_of_memory=True)
    engine.forget()
    assert refusal(engine, docker_host) == ""


def test_a_stop_before_its_last_start_is_no_stop_of_today(docker_host: Path) -> None:
    engine = FakeDocker()
    mind = engine.run("mind")
    engine.stop("mind")
    for event in engine.events:
        event["timeNano"] -= 10**9
    mind.status, mind.started_s = "running", time.time() - 0.5
    engine.end("mind", 0)
    assert refusal(engine, docker_host) == ""


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("restarting", "container mind is restarting: Docker is already at work on it"),
        ("paused", "container mind is paused, so it is left alone"),
        ("created", "container mind is created, so it is left alone"),
        ("removing", "container mind is removing, so it is left alone"),
        ("dead", "container mind is dead, so it is left alone"),
    ],
)
def test_a_container_that_is_not_ours_to_restart_now_is_left_alone(docker_host: Path, status: str, words: str) -> None:
    engine = FakeDocker()
    engine.run("mind", status=status)
    assert refusal(engine, docker_host) == words


def test_a_container_that_changed_since_the_decision_is_left_alone(docker_host: Path) -> None:
    engine = FakeDocker()
    mind = engine.run("mind")

    def is_replaced() -> None:
        engine.run("mind", pid=mind.pid, started_s=mind.started_s).id = "f" * 64

    def is_restarted() -> None:
        engine.containers["mind"].pid += 1

    def is_stopped() -> None:
        engine.stop("mind")

    for between, words in (
        (is_replaced, "another process"),
        (is_restarted, "another process"),
        (is_stopped, "stopped"),
    ):
        with pytest.raises(HandsOffError, match=words):
            restart(engine, docker_host, DockerRestarter("mind"), between)
    assert not [asked for asked in engine.asked if asked.startswith("POST")]


def test_an_unknown_container_is_told_and_its_name_is_no_path(docker_host: Path) -> None:
    engine = FakeDocker()
    assert refusal(engine, docker_host, "nobody") == "there is no container nobody"
    assert refusal(engine, docker_host, "../images/x?y=#z") == "there is no container ../images/x?y=#z"
    assert engine.asked[-1] == "GET /v1.40/containers/..%2Fimages%2Fx%3Fy=%23z/json"


def alone(container: str = "mind") -> str:
    with pytest.raises(HandsOffError) as caught:
        asyncio.run(DockerRestarter(container).target(Hint()))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_engine_that_is_not_there_is_told(docker_host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert alone() == f"cannot ask Docker about container mind: {docker_host}: No such file or directory"
    assert asyncio.run(DockerRestarter("mind").current()) is None
    monkeypatch.setenv("DOCKER_HOST", "tcp://user:canary@10.0.0.1:2375")
    assert alone() == "DOCKER_HOST names no UNIX socket, and nothing else is spoken here"


@contextmanager
def saying(path: Path, answer: bytes, *, for_ever: bytes = b"") -> Iterator[None]:
    """A server that says this to whoever asks."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(path))
        server.listen(8)

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer, suppress(OSError):
                    peer.recv(65536)
                    peer.sendall(answer)
                    while for_ever:
                        peer.sendall(for_ever)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(40)


OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n",
        OK + b"Content-Length: 2\r\n\r\n[]",
        OK + b'Content-Length: 12\r\n\r\n{"State": 1}',
        OK + b"Content-Length: 9\r\n\r\n[[[[[[[[[",
        OK + b"Content-Length: 900\r\n\r\ncut",
        b"SSH-2.0-OpenSSH\r\n",
        b"",
    ],
)
def test_an_answer_that_is_none_means_hands_off(docker_host: Path, answer: bytes) -> None:
    with saying(docker_host, answer):
        assert alone().startswith("cannot ask Docker about container mind: ")


def test_an_endless_answer_is_cut_off(docker_host: Path) -> None:
    with saying(docker_host, OK + b"Transfer-Encoding: chunked\r\n\r\n", for_ever=b"400\r\n" + b" " * 1024 + b"\r\n"):
        assert alone().endswith("its answer is larger than 1 MiB")
