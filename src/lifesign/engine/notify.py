"""sd_notify: telling systemd that we are ready, that we finished a round, and that we stop.

After sd_notify(3): one datagram to `$NOTIFY_SOCKET`, an abstract name where it begins with `@`.
"""

import os
import socket
import time


class ServiceManager:
    """The manager that started us, or nobody. `WATCHDOG=1` goes out at most twice per watchdog interval."""

    def __init__(self) -> None:
        self._address = os.environ.pop("NOTIFY_SOCKET", "")
        usec = os.environ.pop("WATCHDOG_USEC", "")
        ours = os.environ.pop("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._every_s = int(usec) / 2_000_000 if ours and usec.isdecimal() and int(usec) else None
        self._told_at_s = 0.0

    def ready(self) -> None:
        """We serve."""
        self._send("READY=1\nSTATUS=watching")

    def stopping(self) -> None:
        """We end."""
        self._send("STOPPING=1")

    def round_finished(self) -> None:
        """A round was finished; only this feeds the watchdog."""
        now_s = time.monotonic()
        if self._every_s is not None and now_s - self._told_at_s >= self._every_s / 2:
            self._told_at_s = now_s
            self._send("WATCHDOG=1")

    def _send(self, text: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.setblocking(False)
                channel.sendto(text.encode(), address)
        except OSError:  # nobody listens; watching goes on
            return
