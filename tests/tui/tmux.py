"""A terminal that a test can ask about itself: one pane of a tmux of the test's own, a shell in it."""

import os
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.running import wait_until

_FLAGS = ("alternate_on", "cursor_flag", "mouse_any_flag", "mouse_sgr_flag", "keypad_cursor_flag", "keypad_flag")


class Pane:
    """The pane. Its shell never edits lines, so that the line discipline is the same before and after a program."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def tmux(self, *words: str) -> str:
        """What a command of tmux prints."""
        argv = ["tmux", "-S", str(self._socket), "-f", "/dev/null", *words]
        return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30).stdout

    def type(self, text: str) -> None:
        """Types `text` as it is."""
        self.tmux("send-keys", "-l", "--", text)

    def press(self, *keys: str) -> None:
        """Presses keys by tmux's names."""
        self.tmux("send-keys", *keys)

    def run(self, command: str) -> None:
        """A line for the shell."""
        self.type(command)
        self.press("Enter")

    def resize(self, columns: int, rows: int) -> None:
        """Another size."""
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))

    @property
    def text(self) -> str:
        """What is on the screen."""
        return self.tmux("capture-pane", "-p")

    def until(self, words: str, timeout_s: float = 40.0) -> None:
        """Waits until `words` are on the screen."""
        try:
            wait_until(lambda: words in self.text, f"{words!r} on the screen", timeout_s)
        except AssertionError:
            raise AssertionError(f"{words!r} is not shown:\n{self.text}") from None

    def flags(self) -> dict[str, str]:
        """The modes that a program may leave behind, as the terminal itself knows them."""
        values = self.tmux("display-message", "-p", " ".join(f"#{{{flag}}}" for flag in _FLAGS)).split()
        return dict(zip(_FLAGS, values, strict=True))

    def discipline(self) -> list[object]:
        """The line discipline of its tty, less the characters."""
        tty = os.open(self.tmux("display-message", "-p", "#{pane_tty}").strip(), os.O_RDONLY | os.O_NOCTTY)
        try:
            return termios.tcgetattr(tty)[:6]
        finally:
            os.close(tty)

    def until_shell(self) -> None:
        """Waits until the shell takes commands again: it must be seen to do so."""
        deadline_s = time.monotonic() + 40
        while "the shell 42 answers" not in self.text:
            assert time.monotonic() < deadline_s, f"no shell:\n{self.text}"
            self.run("echo the shell $((40+2)) answers")  # again: what is typed while ssh ends is lost with it
            time.sleep(0.5)


@contextmanager
def pane(folder: Path, environment: Mapping[str, str], size: tuple[int, int] = (120, 40)) -> Iterator[Pane]:
    """A shell in a pane of `size`."""
    one = Pane(folder / "tmux.sock")
    whole = {**environment, "LANG": "C.UTF-8", "TERM": "xterm-256color", "ENV": ""}
    whole = {name: value for name, value in whole.items() if name not in {"NO_COLOR", "TMUX"}}
    argv = ["tmux", "-S", str(folder / "tmux.sock"), "-f", "/dev/null", "-u"]
    argv += ["new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), "exec /bin/sh"]
    subprocess.run(argv, env=whole, check=True, timeout=30, cwd=folder)
    try:
        one.until_shell()
        one.run("clear")
        yield one
    finally:
        subprocess.run([*argv[:5], "kill-server"], check=False, capture_output=True, timeout=30)
