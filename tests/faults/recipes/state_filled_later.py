"""The disk of the state folder fills up while the monitor runs."""

import contextlib

from tests.faults.families.state import Tmpfs


class Fault(Tmpfs):
    size = "512k"
    comes_later = True

    def spoil(self) -> None:
        with (self.state / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(bytes(1024))
