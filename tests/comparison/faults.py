"""Faults that are of use only here: they need several programs that look on, or the time that this takes."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.checks.hostile import saying, silence
from tests.comparison.watchers import BESIDE
from tests.e2e.running import wait_until
from tests.faults.families.port import Port
from tests.faults.families.process import Living
from tests.faults.families.server import END, HTTP, Serving
from tests.faults.recipe import HEALTHY, Expect
from tests.faults.recipes import (
    clock_of_all_an_hour_back,
    clock_of_all_an_hour_on,
    heartbeat_nan,
    monitor_stopped,
    monitor_stopped_with_targets,
)

PACE_S = 4.0  # between two beats, half of what is allowed: between two of them a clock may be stepped


class Blip(Serving):
    """One answer in a row of good ones says 500, to each who looks once a second."""

    expect = Expect(HEALTHY)
    broken = staticmethod(saying(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", wait_for=END))

    def inject(self) -> None:
        super().inject()
        time.sleep(0.95)  # the fault is that it lasts less than from one look to the next
        self.heal()


class NotANumber(heartbeat_nan.Fault):
    """A heartbeat of NaN, in whole lines: Monit judges no others."""

    content = heartbeat_nan.Fault.content + b"\n"

    def good(self) -> bytes:
        return super().good() + b"\n"


class _Silent(Serving):
    check = HTTP + '\ntimeout = "5s"'
    good = staticmethod(silence)
    broken = staticmethod(silence)


class BesideHung(Port):
    """A port closes while three web servers beside it have hung since long, each good for a timeout of 5 s."""

    def config(self, folder: Path) -> str:
        self.hung = [_Silent() for _ in range(3)]
        text = super().config(folder)
        for number, server in enumerate(self.hung):
            text += server.config(folder).replace(f"components.{server.name}", f"components.{BESIDE}_{number}")
        return text

    def close(self) -> None:
        super().close()
        for server in self.hung:
            server.close()


_SLOW = """
import json, os, sys, time
beat = sys.argv[1]
time.sleep(float(sys.argv[2]))
cycle = 0
while True:
    cycle += 1
    with open(beat + ".new", "w") as file:
        json.dump({"timestamp": time.time(), "cycle": cycle}, file)
    os.replace(beat + ".new", beat)
    time.sleep(0.3)
"""


class SlowStart(Living):
    """Started anew, a program has its first work done after eight seconds: what lies there is its forerunner's."""

    expect = Expect(HEALTHY)
    keys = 'grace = "15s"'
    first_beat_s = 0.0

    def config(self, folder: Path) -> str:
        self.path = folder / "beat.json"
        process = super().config(folder)
        wait_until(self.path.exists, "a first beat")
        beat = f'type = "heartbeat"\npath = {json.dumps(str(self.path))}\nstale_after = "4s"'
        return f"{process}[components.{self.name}.checks.beat]\n{beat}\n"

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-I", "-S", "-c", _SLOW, str(self.path), str(self.first_beat_s), self.word]
        self.processes.append(subprocess.Popen(command))
        return self.processes[-1]

    def inject(self) -> None:
        self.first_beat_s = 8.0
        self.heal()


class HourOn(clock_of_all_an_hour_on.Fault):
    """The machine's clock is set an hour on, between two beats of a program that is well."""

    pace_s = PACE_S


class HungAsClockGoesBack(clock_of_all_an_hour_back.Fault):
    """A program hangs, and the machine's clock is set an hour back before anybody has noticed."""

    def inject(self) -> None:
        self.worker.process.send_signal(signal.SIGSTOP)
        super().inject()


class Suspended(monitor_stopped_with_targets.Fault):
    """The lid is closed for twenty seconds; the monitors are awake a moment before what they watch."""

    for_s = 20.0


class Stopped(monitor_stopped.Fault):
    """The monitors alone do not run for twenty seconds."""

    for_s = 20.0
