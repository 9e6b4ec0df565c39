"""Restart of containers over a real Engine API, podman's: what it says, and what it then does."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lifesign.restarts.docker import DockerRestarter
from lifesign.restarts.restarter import HandsOffError, Hint, RestartFailedError
from tests.checks.strangers import state_of, wait_until
from tests.restarts.needs import needs
from tests.restarts.targets import identity_of

pytestmark = [
    pytest.mark.proof,
    pytest.mark.timeout(180),
    needs("podman", "runc", "busybox-static", programs=("podman", "runc", "busybox")),
]

_CONFIG = """
[engine]
cgroup_manager="cgroupfs"
runtime="runc"
events_logger="file"
[containers]
default_ulimits=["nofile=20000:20000","nproc=20000:20000"]
"""
OBEYS = "trap 'exit 0' TERM; touch /ready; while :; do sleep 0.1; done"
DEAF = "trap '' TERM; touch /ready; while :; do sleep 0.1; done"


class Podman:
    """Its own images and containers, and its service on a socket."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.socket = folder / "podman.sock"
        (folder / "containers.conf").write_text(_CONFIG)
        self._env = {**os.environ, "CONTAINERS_CONF": str(folder / "containers.conf")}
        root = folder / "image" / "bin"
        root.mkdir(parents=True)
        busybox = shutil.which("busybox")
        assert busybox is not None
        shutil.copy(busybox, root / "busybox")
        for name in ("sh", "sleep", "touch"):
            (root / name).symlink_to("busybox")
        subprocess.run(["tar", "-C", root.parent, "-cf", folder / "image.tar", "."], check=True)
        self.podman("import", folder / "image.tar", "local/bb")
        self._service = subprocess.Popen(
            [*self._command, "system", "service", "--time=0", f"unix://{self.socket}"],
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self.socket.exists, 30)

    @property
    def _command(self) -> list[str | Path]:
        folders = ("root", "runroot", "tmpdir")
        return ["podman", *(f"--{name}={self._folder / name}" for name in folders)]

    def podman(self, *words: str | Path) -> str:
        """As a human would call it."""
        done = subprocess.run(
            [*self._command, *words], env=self._env, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def run(self, name: str, script: str, *words: str) -> int:
        """A container that has got as far as /ready, if its script makes one. Its pid."""
        self.podman("run", "-d", "--name", name, "--network=none", *words, "local/bb", "sh", "-c", script)
        pid = int(self.show(name, "{{.State.Pid}}"))
        if "/ready" in script:
            wait_until(lambda: Path(f"/proc/{pid}/root/ready").exists(), 30)
        return pid

    def show(self, name: str, what: str) -> str:
        """One word of `inspect`."""
        return self.podman("inspect", "--format", what, name)

    def wait_for(self, name: str, status: str) -> None:
        """Until it is in the state."""
        wait_until(lambda: self.show(name, "{{.State.Status}}") == status, 30)

    def close(self) -> None:
        """Ends all of it, the mounts too."""
        self.podman("rm", "--all", "--force", "--time=0")
        self._service.terminate()
        self._service.wait(20)


@pytest.fixture(scope="module")
def podman() -> Iterator[Podman]:
    """In a folder of a short name: podman refuses one whose path has more than 50 letters."""
    with tempfile.TemporaryDirectory(prefix="pod-", ignore_cleanup_errors=True) as name:
        podman = Podman(Path(name))
        yield podman
        podman.close()


@pytest.fixture(autouse=True)
def docker_host(podman: Podman, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{podman.socket}")


def restart(restarter: DockerRestarter) -> str:
    async def both() -> str:
        return await restarter.send(await restarter.target(Hint()))

    return asyncio.run(both())


def refused(name: str) -> str:
    with pytest.raises(HandsOffError) as caught:
        asyncio.run(DockerRestarter(name).target(Hint()))
    return str(caught.value)


def test_a_running_container_gets_a_new_process(podman: Podman) -> None:
    pid = podman.run("mind", OBEYS)
    restarter = DockerRestarter("mind")
    target = asyncio.run(restarter.target(Hint()))
    assert target.words == f"container mind (pid {pid})"
    assert target.identity == identity_of(pid)
    done = asyncio.run(restarter.send(target))
    after = int(podman.show("mind", "{{.State.Pid}}"))
    assert after not in (0, pid)
    assert done == f"Docker restarted container mind (pid {after})"
    assert state_of(pid) == ""


def test_what_a_human_stopped_is_left_alone(podman: Podman) -> None:
    podman.run("stopped", OBEYS)
    podman.podman("stop", "stopped")
    assert refused("stopped") == "container stopped was stopped by somebody, so it is left alone"
    podman.run("stopped-always", OBEYS, "--restart=always")
    podman.podman("stop", "stopped-always")
    assert refused("stopped-always") == "container stopped-always was stopped by somebody, so it is left alone"


def test_what_crashed_is_started(podman: Podman) -> None:
    podman.run("crash", "exit 3")
    podman.wait_for("crash", "exited")
    assert restart(DockerRestarter("crash")).startswith("Docker restarted container crash")


def test_paused_and_created_containers_are_left_alone(podman: Podman) -> None:
    podman.podman("create", "--name=made", "--network=none", "local/bb", "sleep", "600")
    assert refused("made") == "container made is created, so it is left alone"
    podman.run("paused", OBEYS)
    podman.podman("pause", "paused")
    assert refused("paused") == "container paused is paused, so it is left alone"
    podman.podman("unpause", "paused")


def test_a_container_that_ignores_its_stop_is_killed_only_where_that_was_asked_for(podman: Podman) -> None:
    pid = podman.run("deaf", DEAF)
    restart(DockerRestarter("deaf", escalate_s=1))
    after = int(podman.show("deaf", "{{.State.Pid}}"))
    assert after not in (0, pid)
    wait_until(lambda: Path(f"/proc/{after}/root/ready").exists(), 30)
    with pytest.raises(RestartFailedError, match=r"^container deaf did not restart in 2s \(no SIGKILL"):
        restart(DockerRestarter("deaf", patience_s=2))
    assert state_of(after) not in ("", "Z")
    subprocess.run(["kill", "-9", str(after)], check=True)


def test_an_unknown_container_is_told(podman: Podman) -> None:
    assert refused("nobody") == "there is no container nobody"
