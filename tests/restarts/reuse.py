"""PID 1 of a pid namespace, in which numbers can be had again: `python -m tests.restarts.reuse SCENARIO FOLDER`.

A worker is decided about by a monitor (a process of its own); then the worker dies, a stranger gets its number, and the
monitor goes on. Prints one JSON object: `reused`, whether the stranger has the number; `said` by the monitor; `alive`,
whether the stranger lives. As the monitor: `python -m tests.restarts.reuse monitor SCENARIO FOLDER PID`.
"""

import asyncio
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from lifesign.core.model import Identity
from lifesign.restarts.held import HeldProcess
from lifesign.restarts.restarter import HandsOffError, Hint
from lifesign.restarts.signal import SignalRestarter
from tests.restarts.targets import identity_of

_LAST = Path("/proc/sys/kernel/ns_last_pid")
_WORKER = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN if sys.argv[1] == "escalate" else signal.SIG_DFL)
print("ready", flush=True)
time.sleep(600)
"""


def _start(scenario: str) -> "subprocess.Popen[bytes]":
    worker = subprocess.Popen([sys.executable, "-I", "-S", "-c", _WORKER, scenario], stdout=subprocess.PIPE)
    assert worker.stdout is not None
    worker.stdout.readline()
    return worker


def _hint(scenario: str, folder: Path, pid: int) -> Hint:
    match scenario:
        case "heartbeat":
            return Hint(Identity(pid, identity_of(pid).started_at), folder / "heartbeat.json")
        case "bare-heartbeat":
            return Hint(Identity(pid), folder / "heartbeat.json")
        case "check" | "escalate":
            return Hint(identity_of(pid))
    return Hint()


def _hold(pid: int) -> str:
    """The number is taken between the proof and the signal."""
    with HeldProcess(pid) as held:
        print("decided", flush=True)  # noqa: T201
        sys.stdin.readline()
        try:
            held.send(signal.SIGTERM)
        except HandsOffError as error:
            return f"hands off: {error}"
    return "sent"


async def _monitor(scenario: str, folder: Path, pid: int) -> str:
    if scenario == "held":
        return _hold(pid)
    pidfile = folder / "worker.pid" if scenario == "pidfile" else None
    restarter = SignalRestarter(pidfile=pidfile, escalate_s=2.0 if scenario == "escalate" else None)
    hint = _hint(scenario, folder, pid)
    target = await restarter.target(hint)
    if scenario == "escalate":
        print("decided", flush=True)  # noqa: T201
        return await restarter.send(target)
    heard = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)  # begun now: a thread takes a number
    print("decided", flush=True)  # noqa: T201
    await heard
    said = []
    for work in (restarter.send(target), restarter.target(hint)):
        try:
            said.append(str(await work))
        except HandsOffError as error:
            said.append(f"hands off: {error}")
    return " | ".join(said)


def _scene(scenario: str, folder: Path) -> dict[str, object]:
    worker = _start(scenario)
    (folder / "worker.pid").write_text(f"{worker.pid}\n")
    (folder / "heartbeat.json").write_text(json.dumps({"timestamp": time.time(), "pid": worker.pid}))
    arguments = ["monitor", scenario, str(folder), str(worker.pid)]
    monitor = subprocess.Popen(
        [sys.executable, "-m", "tests.restarts.reuse", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert monitor.stdin is not None
    assert monitor.stdout is not None
    monitor.stdout.readline()
    if scenario == "escalate":  # the monitor sleeps while the worker ends, and wakes when its patience is over
        time.sleep(0.5)
        monitor.send_signal(signal.SIGSTOP)
    worker.kill()
    worker.wait()
    time.sleep(0.2)  # so that the stranger's start is another tick, and younger than the files: no two can share a tick
    _LAST.write_text(str(worker.pid - 1))
    stranger = _start("stranger")
    if scenario == "escalate":
        time.sleep(2.0)
        monitor.send_signal(signal.SIGCONT)
    said, _ = monitor.communicate(b"go\n")
    time.sleep(0.3)  # a signal on its way would arrive
    alive = stranger.poll() is None
    reused = stranger.pid == worker.pid
    stranger.send_signal(signal.SIGKILL)
    stranger.wait()
    return {"reused": reused, "said": said.decode().strip(), "alive": alive}


if __name__ == "__main__":
    if sys.argv[1] == "monitor":
        print(asyncio.run(_monitor(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))))  # noqa: T201
    else:
        print(json.dumps(_scene(sys.argv[1], Path(sys.argv[2]))))  # noqa: T201
