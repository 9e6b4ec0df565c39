"""Two hundred components on real local targets: those that faults befall, and those that are well throughout."""

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.targets import targets
from tests.checks.strangers import marker
from tests.faults.families.monitor import MonitorFault
from tests.faults.families.state import StateFault
from tests.faults.recipe import Recipe, component
from tests.faults.registry import all_recipes

COMPONENTS = 200
_PORTS, _PROCESSES = 30, 10
_SLEEP = "import time; time.sleep(86400)"
_TOO_MUCH = {"heartbeat_replace_storm"}  # it is the soak's own process that would do nothing else


@dataclass(frozen=True, slots=True)
class Population:
    """`faults` can be injected; `well` are the names of those that nothing befalls. `text` is all of them as TOML."""

    faults: list[Recipe]
    well: list[str]
    text: str
    environment: dict[str, str]
    spare_port: int


def kinds() -> list[type[Recipe]]:
    """The recipes that can befall a component beside others, again and again."""
    return [
        kind
        for kind in all_recipes()
        if not issubclass(kind, (MonitorFault, StateFault))
        and not (kind.proof or kind.bug or kind.begins_broken or kind.missing() or kind.name in _TOO_MUCH)
        and kind.prefix is Recipe.prefix
    ]


@contextlib.contextmanager
def population(folder: Path) -> Iterator[Population]:
    """All of them, for as long as the block lasts."""
    with contextlib.ExitStack() as stack:
        faults, parts = [kind() for kind in kinds()], list[str]()
        environment: dict[str, str] = {}
        for fault in faults:
            own = folder / fault.name
            own.mkdir()
            stack.callback(fault.close)
            parts.append(fault.config(own))
            environment.update(fault.environment(folder))
        ports = stack.enter_context(targets(_PORTS + 1, "tcp")).ports
        pages = stack.enter_context(targets(_PORTS, "http")).ports
        words = stack.enter_context(_sleepers())
        well = {f"port{port}": f'type = "tcp"\naddress = "127.0.0.1:{port}"' for port in ports[1:]}
        well |= {f"page{port}": f'type = "http"\nurl = "http://127.0.0.1:{port}/"' for port in pages}
        well |= {f"process{i}": f'type = "process"\npattern = "{word}"' for i, word in enumerate(words)}
        beats = [folder / f"beat{number}.json" for number in range(COMPONENTS - len(faults) - len(well))]
        stack.enter_context(_beating(beats))
        well |= {
            path.stem: f'type = "heartbeat"\npath = {json.dumps(str(path))}\nstale_after = "20s"' for path in beats
        }
        text = "".join([*parts, *(component(name, body) for name, body in well.items())])
        yield Population(faults, [*well], text, environment, ports[0])


@contextlib.contextmanager
def _sleepers() -> Iterator[list[str]]:
    words = [marker() for _ in range(_PROCESSES)]
    processes = [subprocess.Popen([sys.executable, "-I", "-S", "-c", _SLEEP, word]) for word in words]
    try:
        yield words
    finally:
        for process in processes:
            process.kill()
            process.wait()


@contextlib.contextmanager
def _beating(paths: list[Path]) -> Iterator[None]:
    """Writes each of them once a second, in turns."""
    ended = threading.Event()

    def beat() -> None:
        cycle = 0
        while True:
            cycle += 1
            for path in paths:
                fresh = path.with_suffix(".new")
                fresh.write_text(json.dumps({"timestamp": time.time(), "cycle": cycle}))
                fresh.replace(path)
                if cycle > 1 and ended.wait(1 / len(paths)):
                    return

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
