"""tmux → ssh → sshd → console: whatever happens to the terminal, the daemon does not feel it and the shell is sane.

Ctrl-S is the kernel's: the console's tty is stopped as the key does it where the line discipline listens to it. It
lasts 20 s; `LIFESIGN_CTRL_S_S=60` makes it a minute.
"""

import os
import signal
import statistics
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.e2e.running import Daemon, daemon, wait_until
from tests.figures import Figures
from tests.ports import free_port
from tests.restarts.needs import needs
from tests.started import has_ended
from tests.tui.sshd import SERVER, Sshd, sshd
from tests.tui.tmux import Pane, pane

pytestmark = [
    pytest.mark.proof,
    pytest.mark.timeout(300),
    needs("openssh-server", "tmux", programs=(SERVER, "ssh", "tmux")),
]

STOPPED_S = float(os.environ.get("LIFESIGN_CTRL_S_S", "20"))
MOST_LAG_MS = 50.0
_COMPONENT = '[components.c{number}.checks.port]\ntype = "tcp"\naddress = "127.0.0.1:{port}"\n'


class Scene:
    """A daemon with a hundred components, an sshd, and a terminal before it."""

    def __init__(self, daemon: Daemon, server: Sshd, terminal: Pane) -> None:
        self.daemon, self.server, self.terminal = daemon, server, terminal
        self.flags, self.discipline = terminal.flags(), terminal.discipline()

    def open_there(self) -> psutil.Process:
        """Logs in and starts the console there; its process."""
        there = f"lifesign console -c {self.daemon.config}"
        self.terminal.run(f"ssh -tt -p {self.server.port} root@127.0.0.1 {there}")
        self.terminal.until("✖ down")
        return self.console(str(self.daemon.config))

    def console(self, argument: str) -> psutil.Process:
        """The one process that runs `lifesign console … argument`."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if "console" in words and words[-1] == argument and any(word.endswith("lifesign") for word in words[:2]):
                found.append(process)
        [console] = found
        return console

    def tty_of(self, console: psutil.Process) -> str:
        """The terminal that the console draws on."""
        return str(Path(f"/proc/{console.pid}/fd/0").readlink())  # psutil knows only the terminals there were at first

    def press_in_vain(self, times: int) -> None:
        """Keys on which the console would draw, once or twice a second."""
        for _ in range(times):
            self.terminal.press("2", "1")
            time.sleep(0.2)

    def assert_sane(self) -> None:
        """The terminal is as it was before, as it says itself, and the shell takes commands."""
        self.terminal.until_shell()
        assert self.terminal.flags() == self.flags
        assert self.terminal.discipline() == self.discipline


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """All of it."""
    components = "".join(_COMPONENT.format(number=number, port=free_port()) for number in range(100))
    config = f'[defaults]\ninterval = "1s"\ngrace = "1ms"\n{components}'
    with sshd(tmp_path / "sshd") as server, daemon(tmp_path, config) as running:
        wait_until(lambda: running.status()[1]["overall"] == "down", "something is down")
        with pane(tmp_path, server.environment) as terminal:
            yield Scene(running, server, terminal)


class Lags:
    """The daemon's loop lag, four times a second. It also counts how often the daemon did not answer at once."""

    def __init__(self, running: Daemon) -> None:
        self._running = running
        self._done = threading.Event()
        self.found_ms: list[float] = []
        self.slowest_s = 0.0

    def measure(self) -> None:
        """Until it is told that it is done."""
        while not self.found_ms or not self._done.wait(0.25):
            began_s = time.monotonic()
            self.found_ms.append(float(self._running.request("GET", "/api/v1/state")[1]["monitor"]["loop_lag_ms"]))
            self.slowest_s = max(self.slowest_s, time.monotonic() - began_s)

    def stop(self) -> None:
        """Ends it."""
        self._done.set()


@contextmanager
def unfelt(running: Daemon, figures: Figures, what: str) -> Iterator[None]:
    """What is done in here, the daemon must not feel: three of four lags stay under 50 ms, and it answers.

    Not every one: on a machine that others use too, a single one says nothing of the console. A loop that waited for
    a terminal would be late every time, and by seconds. The figures tell the rest.
    """
    lags = Lags(running)
    thread = threading.Thread(target=lags.measure)
    thread.start()
    try:
        yield
    finally:
        lags.stop()
        thread.join(30)
    tail_ms = statistics.quantiles(lags.found_ms, n=4)[2] if len(lags.found_ms) > 1 else lags.found_ms[0]
    most_ms = statistics.quantiles(lags.found_ms, n=20)[18] if len(lags.found_ms) > 1 else lags.found_ms[0]
    figures(f"the daemon's loop lag: {what}", p75_ms=round(tail_ms, 1), p95_ms=round(most_ms, 1))
    assert tail_ms < MOST_LAG_MS, lags.found_ms
    assert lags.slowest_s < 15


def stop_output(tty: str, action: int) -> None:
    """Ctrl-S or Ctrl-Q on the terminal `tty`, as the kernel knows it."""
    descriptor = os.open(tty, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        termios.tcflow(descriptor, action)
    finally:
        os.close(descriptor)


def ends(process: psutil.Process) -> None:
    """Waits until it has ended."""
    wait_until(lambda: has_ended(process), "the console ends", 20)


def test_a_storm_of_sizes_ends_with_a_whole_screen_and_q_with_a_sane_terminal(scene: Scene, figures: Figures) -> None:
    with unfelt(scene.daemon, figures, "start, resize storm, end"):
        console = scene.open_there()
        for number in range(80):
            scene.terminal.resize(40 + number * 37 % 160, 8 + number * 13 % 50)
        scene.terminal.resize(100, 30)
        scene.terminal.press("2")
        scene.terminal.until("why, and what next")
        wait_until(lambda: all(len(line) <= 100 for line in scene.terminal.text.splitlines()), "it fits", 30)
        # The frame between two sizes may still show what was said of the smaller one: what counts is where it ends.
        wait_until(lambda: "lifesign needs" not in scene.terminal.text, "the screen is whole", 30)
        scene.terminal.press("q")
        ends(console)
    scene.assert_sane()


def test_output_stopped_for_long_is_felt_by_nobody_and_goes_on(scene: Scene, figures: Figures) -> None:
    console = scene.open_there()
    scene.terminal.press("2")
    scene.terminal.until("why, and what next")
    tty = scene.tty_of(console)
    with unfelt(scene.daemon, figures, f"output stopped for {STOPPED_S:g} s"):
        scene.terminal.press("C-s")  # the console has taken the key from the line discipline: nothing may happen
        stop_output(tty, termios.TCOOFF)
        deadline_s = time.monotonic() + STOPPED_S
        while time.monotonic() < deadline_s:
            scene.terminal.press("NPage", "PPage")  # it wants to draw, and cannot
            time.sleep(0.5)
        stop_output(tty, termios.TCOON)
    scene.terminal.press("1")
    wait_until(lambda: "why, and what next" not in scene.terminal.text, "it draws again", 40)
    scene.terminal.press("q")
    ends(console)
    scene.assert_sane()


@pytest.mark.parametrize("stopped", [False, True], ids=["while it draws", "while it cannot write"])
def test_a_connection_that_is_killed_ends_the_console(scene: Scene, figures: Figures, stopped: bool) -> None:
    console = scene.open_there()
    with unfelt(scene.daemon, figures, "kill of the connection"):
        if stopped:
            stop_output(scene.tty_of(console), termios.TCOOFF)
            scene.press_in_vain(20)
        scene.server.cut()
        ends(console)
    scene.terminal.until_shell()  # what the console has set, it can no longer take back: nothing reaches this terminal
    assert scene.terminal.discipline() == scene.discipline


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_there_and_leaves_the_terminal_here_sane(
    scene: Scene, figures: Figures, number: signal.Signals
) -> None:
    with unfelt(scene.daemon, figures, number.name):
        console = scene.open_there()
        console.send_signal(number)
        ends(console)
    scene.assert_sane()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_even_while_its_output_is_stopped(
    scene: Scene, figures: Figures, number: signal.Signals
) -> None:
    with unfelt(scene.daemon, figures, f"{number.name} while output is stopped"):
        console = scene.open_there()
        stop_output(scene.tty_of(console), termios.TCOOFF)
        scene.press_in_vain(20)
        console.send_signal(number)
        ends(console)
    scene.assert_sane()


def test_a_console_here_on_a_daemon_there_survives_the_connection(scene: Scene, figures: Figures) -> None:
    url = f"{scene.server.url}{scene.daemon.socket}"
    with unfelt(scene.daemon, figures, "the connection of --connect ssh:// killed"):
        scene.terminal.run(f"lifesign console --connect {url}")
        scene.terminal.until("✖ down")
        console = scene.console(url)
        scene.server.cut()
        scene.terminal.until("disconnected since")
        scene.terminal.until("✖ down")
        scene.terminal.press("q")
        ends(console)
    scene.assert_sane()
