"""A heartbeat file, written once or all the time, and the many ways in which it is not what it should be."""

import json
import shutil
import threading
import time
from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

from tests.faults.recipe import Recipe, component


class HeartbeatFile(Recipe):
    """A file that was written once and is good for minutes."""

    batch = "lookers"
    file: ClassVar[str] = "beat.json"
    keys: ClassVar[str] = 'stale_after = "5m"'

    def config(self, folder: Path) -> str:
        self.path = folder / self.file
        self.cycle = 0
        if not self.begins_broken:
            self.heal()
        return component(self.name, f'type = "heartbeat"\npath = {json.dumps(str(self.path))}\n{self.keys}')

    def good(self) -> bytes:
        """What a writer that has just finished work writes."""
        self.cycle += 1
        return json.dumps({"timestamp": time.time(), "cycle": self.cycle}).encode()

    def write(self, content: bytes) -> None:
        """Replaces the file in one step."""
        fresh = self.path.with_name(self.path.name + ".new")
        fresh.write_bytes(content)
        fresh.replace(self.path)

    def clear(self) -> None:
        """Removes whatever has the file's name."""
        if self.path.is_dir() and not self.path.is_symlink():
            shutil.rmtree(self.path)
        else:
            self.path.unlink(missing_ok=True)

    def heal(self) -> None:
        self.clear()
        self.write(self.good())


class BadContent(HeartbeatFile):
    """A file that holds `content`."""

    content: ClassVar[bytes]

    def inject(self) -> None:
        self.path.write_bytes(self.content)


class OddKind(HeartbeatFile):
    """Something else has the file's name."""

    def inject(self) -> None:
        self.clear()
        self.plant()

    @abstractmethod
    def plant(self) -> None:
        """Puts it there."""


class Beating(HeartbeatFile):
    """A file that a thread writes again and again by `beat`; `pace_s` between two writes."""

    batch = "lasting"
    keys = 'stale_after = "3s"'
    pace_s: ClassVar[float] = 0.1

    def config(self, folder: Path) -> str:
        self.is_broken = False
        self._ended = threading.Event()
        text = super().config(folder)
        self._thread = threading.Thread(target=self._beat_for_ever, daemon=True)
        self._thread.start()
        return text

    def _beat_for_ever(self) -> None:
        while not self._ended.wait(self.pace_s):
            if self.is_broken:
                self.beat_broken()
            else:
                self.beat()

    def beat(self) -> None:
        """One sound write."""
        self.write(self.good())

    @abstractmethod
    def beat_broken(self) -> None:
        """What the writer does instead while the fault lasts."""

    def inject(self) -> None:
        self.is_broken = True

    def heal(self) -> None:
        self.is_broken = False
        if not self.path.exists():
            self.write(self.good())

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
