"""A machine with a real systemd as PID 1: private namespaces that see only the units of a test.

Not here: tests. Needs root, and the Debian packages systemd and util-linux; its processes end with `close`.
"""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.checks.strangers import wait_until

ROOT = Path(__file__).parents[2]
_JOIN = """
[ -z "$1" ] || echo $$ > "$1/cgroup.procs"
shift
exec "$@"
"""
_BOOT = """
mount -t tmpfs tmpfs /run
mkdir -p /run/lock /run/user/0
umount -R /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
export container=unshare SYSTEMD_UNIT_PATH="$1"
exec /lib/systemd/systemd --system --unit=machine.target --show-status=0 --log-target=console
"""
_SPACES = ["--pid", "--fork", "--mount", "--uts", "--ipc", "--cgroup", "--mount-proc", "--propagation", "private"]
_TARGET = "[Unit]\nDefaultDependencies=no\nAllowIsolate=yes\n"


def _our_group() -> Path | None:
    """Our folder below the unified hierarchy, None where there is none."""
    mounts = [line.split(" - ") for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    roots = [before.split()[4] for before, after in mounts if after.startswith("cgroup2 ")]
    paths = [line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")]
    return Path(roots[0] + paths[0]) if roots and paths else None


class Machine:
    """Boots at once. `folder` is the test's own; units are added to it with `unit`."""

    def __init__(self, folder: Path) -> None:
        self._units = folder / "units"
        self._units.mkdir()
        (self._units / "machine.target").write_text(_TARGET)
        self._log = (folder / "log").open("w+b")
        self._group = _our_group()
        if self._group is not None:
            self._group /= f"lifesign-test-{uuid.uuid4().hex[:12]}"
            self._group.mkdir()
        self._unshare = subprocess.Popen(
            [
                "bash",
                "-ec",
                _JOIN,
                "bash",
                self._group or "",
                "unshare",
                *_SPACES,
                "bash",
                "-ec",
                _BOOT,
                "",
                self._units,
            ],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        self.pid = 0
        try:
            wait_until(self._is_up, 60)
        except BaseException:
            self.close()
            raise

    def _is_up(self) -> bool:
        if not self.pid:
            children = Path(f"/proc/{self._unshare.pid}/task/{self._unshare.pid}/children").read_text().split()
            self.pid = int(children[0]) if children else 0
            return False
        assert self._unshare.poll() is None, self.log()
        state = self.run("systemctl", "is-system-running", check=False)
        return state.strip() in ("running", "degraded")

    def log(self) -> str:
        """What systemd printed."""
        self._log.seek(0)
        return self._log.read().decode("utf-8", "replace")[-3000:]

    def run(self, *argv: str, check: bool = True) -> str:
        """Runs `argv` in the machine; its output."""
        done = subprocess.run(
            ["nsenter", "-t", str(self.pid), "-m", "-p", "-u", "-i", "-C", *argv],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert not check or done.returncode == 0, (argv, done.stderr, self.log())
        return done.stdout

    def systemctl(self, *words: str, check: bool = True) -> str:
        """As a human would call it."""
        return self.run("systemctl", *words, check=check)

    def show(self, unit: str, key: str) -> str:
        """One property of a unit."""
        return self.systemctl("show", "-P", key, unit).strip()

    def wait_for(self, unit: str, key: str, value: str) -> None:
        """Until the property has the value."""
        wait_until(lambda: self.show(unit, key) == value, 30)

    def unit(self, name: str, body: str, unit_body: str = "") -> str:
        """Adds a unit; `body` is its section [Service]. Its name.

        The machine's target wants it, as an enabled unit is wanted: systemd forgets what nobody wants.
        """
        (self._units / "machine.target.wants").mkdir(exist_ok=True)
        (self._units / "machine.target.wants" / name).symlink_to(f"../{name}")
        (self._units / name).write_text(f"[Unit]\nDefaultDependencies=no\n{unit_body}\n[Service]\n{body}\n")
        self.systemctl("daemon-reload")
        return name

    def start(self, name: str, body: str, unit_body: str = "") -> str:
        """The same, started."""
        self.systemctl("start", self.unit(name, body, unit_body))
        return name

    def restarter(self, call: str, *positional: object, **named: object) -> dict[str, Any]:
        """A restarter's answer from inside the machine."""
        options = json.dumps([positional, named])
        answer = self.run(sys.executable, "-m", "tests.restarts.inside", "systemd", options, call)
        found = json.loads(answer)
        assert isinstance(found, dict)
        return found

    def close(self) -> None:
        """Ends it with everything that runs in it."""
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self._unshare.wait(10 if self.pid else 0.1)
        if self._unshare.poll() is None:
            self._unshare.kill()
            self._unshare.wait()
        self._log.close()
        if self._group is not None:
            self._forget(self._group)

    def _forget(self, group: Path) -> None:
        deadline = time.monotonic() + 40
        while group.exists() and time.monotonic() < deadline:
            for folder, _, _ in os.walk(group, topdown=False):
                with suppress(OSError):
                    Path(folder).rmdir()
            time.sleep(0.01)
