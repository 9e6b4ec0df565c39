"""What a recipe is: a healthy target, a way to break it, a way to mend it, and what must be told meanwhile.

It is not a test: `test_targets` and `test_monitor` run recipes against the real daemon.
"""

import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

DOWN, UNKNOWN, DEGRADED, HEALTHY = "down", "unknown", "degraded", "healthy"


@dataclass(frozen=True, slots=True)
class Expect:
    """What is told while the fault lasts. State `healthy`: it must be survived without a transition.

    `events` must be told of the component by the end; `never` may not be told of it, `component.down` besides wherever
    the state is another one.
    """

    state: str
    words: str = ""
    events: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


class Recipe(ABC):
    """One fault. `inject` and `heal` may be called again and again, in turns. `close` ends what it started."""

    name: ClassVar[str]
    expect: ClassVar[Expect]
    batch: ClassVar[str]  # recipes of one batch run beside each other in one daemon
    begins_broken: ClassVar[bool] = False
    proof: ClassVar[bool] = False  # slow, or changes mounts or networks
    needs_root: ClassVar[bool] = False
    programs: ClassVar[tuple[str, ...]] = ()
    bug: ClassVar[str] = ""  # one line on a known bug that it uncovers

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.name = cls.__module__.rpartition(".")[2]

    @abstractmethod
    def config(self, folder: Path) -> str:
        """Makes the healthy target in `folder`, which is this recipe's own; its components as TOML."""

    @abstractmethod
    def inject(self) -> None:
        """Breaks it."""

    @abstractmethod
    def heal(self) -> None:
        """Mends it."""

    def close(self) -> None:
        """Ends what was started and takes back what was mounted, broken or not."""
        return

    def environment(self, folder: Path) -> Mapping[str, str]:
        """What the monitor needs in its environment for this."""
        return {}

    def prefix(self) -> list[str]:
        """The command that runs the monitor in the surroundings of this fault; asked for after `config`."""
        return []

    @classmethod
    def missing(cls) -> str:
        """Why it cannot be run here, in words; empty where it can."""
        absent = [program for program in cls.programs if shutil.which(program) is None]
        if absent:
            return f"needs {', '.join(absent)}"
        return "needs root" if cls.needs_root and os.geteuid() != 0 else ""


def component(name: str, *checks: str, more: str = "") -> str:
    """The TOML of one component; each of `checks` is the body of a table."""
    tables = [f"[components.{name}.checks.it{number}]\n{body}\n" for number, body in enumerate(checks)]
    return f"[components.{name}]\n{more}\n" + "".join(tables)
