"""A real Redmine, as Debian packages it, on a port of the loopback, with a project of its own for this run."""

import contextlib
import fcntl
import os
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port

HOME = Path("/usr/share/redmine")
START_S = 300.0
_SET_UP = """
Setting.rest_api_enabled = "1"
Redmine::DefaultData::Loader.load("en") if Redmine::DefaultData::Loader.no_data?
admin = User.find_by_login("admin")
admin.must_change_passwd = false
admin.status = User::STATUS_ACTIVE
admin.save!
project = Project.create!(
  name: "nexus", identifier: ENV.fetch("NEW_PROJECT"), enabled_module_names: ["issue_tracking"], trackers: Tracker.all
)
Member.create!(project: project, principal: admin, roles: [Role.givable.first])
puts "key=" + admin.api_key
puts "name=" + admin.name
"""


@dataclass(frozen=True, slots=True)
class Redmine:
    """Where it is, whose key it takes, and who may be assigned."""

    url: str
    project: str
    key: str
    member: str


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Redmine]:
    """Starts it on the database that is installed; each run has a new project in it.

    There is one database, in a file: of several workers one runs it at a time.
    """
    with (Path(tempfile.gettempdir()) / "lifesign-redmine.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with _alone(folder) as started:
            yield started


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[Redmine]:
    project = f"nexus-{time.time_ns():x}"
    environment = {**os.environ, "RAILS_ENV": "production", "X_DEBIAN_SITEID": "default", "NEW_PROJECT": project}
    script = folder / "set_up.rb"
    script.write_text(_SET_UP)
    argv = ["bundle", "exec", "rails", "runner", str(script)]
    done = subprocess.run(argv, cwd=HOME, env=environment, capture_output=True, text=True, timeout=START_S, check=False)
    assert done.returncode == 0, done.stderr
    told = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    port = free_port()
    argv = ["puma", "-e", "production", "-b", f"tcp://127.0.0.1:{port}", "config.ru"]
    with (folder / "puma.log").open("wb") as log:
        server = subprocess.Popen(argv, cwd=HOME, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait_for(f"http://127.0.0.1:{port}/login", server, folder / "puma.log")
        yield Redmine(f"http://127.0.0.1:{port}", project, told["key"], told["name"])
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while True:
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=60):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
