"""What only a restart is about: a worker that hangs once, one that hangs for good, one that a human has stopped."""

import json
import os
import signal
from contextlib import suppress
from pathlib import Path

import msgspec

from lifesign.api.documents import Component
from lifesign.core.model import Layer
from lifesign.demo.program import Control, Mode, heartbeat_path
from lifesign.demo.scenario import Scenario

_SEVERAL_RESTARTS_S = 60.0


def restart_scenarios(folder: Path) -> tuple[Scenario, ...]:
    """Of the queue worker, which lifesign may restart."""
    control = Control(folder, "worker")
    return (
        Scenario(
            "the queue worker hangs",
            "a restart cures it",
            "worker",
            Layer.WORKING,
            lambda: control.set(Mode.HANG_ONCE),
            lambda: None,
            cured=True,
        ),
        Scenario(
            "the queue worker hangs for good",
            "after three restarts in vain it is left as it is",
            "worker",
            Layer.WORKING,
            lambda: control.set(Mode.HANG),
            lambda: control.set(Mode.WORK),
            tells=_gave_up,
            patience_s=_SEVERAL_RESTARTS_S,
        ),
        Scenario(
            "a human stops the queue worker",
            "it is left alone",
            "worker",
            Layer.WORKING,
            lambda: _signal(folder, signal.SIGSTOP),
            lambda: _signal(folder, signal.SIGCONT),
            tells=_left_alone,
        ),
    )


def _gave_up(component: Component) -> bool:
    restart = component.restart
    return restart is not None and restart.phase == "exhausted" and restart.unproductive == restart.max_unproductive


def _left_alone(component: Component) -> bool:
    withheld = component.restart.withheld if component.restart is not None else msgspec.UNSET
    return isinstance(withheld, str) and "stopped by a signal" in withheld


def _signal(folder: Path, number: signal.Signals) -> None:
    """To the worker that beats, by pidfd, and only if it is ours."""
    with suppress(OSError, ValueError, KeyError):
        pid = int(json.loads(heartbeat_path(folder, "worker").read_text())["pid"])
        pidfd = os.pidfd_open(pid)
        try:
            if os.fsencode(folder) in Path(f"/proc/{pid}/cmdline").read_bytes():
                signal.pidfd_send_signal(pidfd, number)
        finally:
            os.close(pidfd)
