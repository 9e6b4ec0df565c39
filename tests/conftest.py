"""What holds for every test, whoever runs it and however busy the machine is."""

import gc
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

# A test's terminal has the size and the colours that the test gave it; pytest-xdist exports a size of its own.
for name in ("COLUMNS", "LINES", "NO_COLOR"):
    os.environ.pop(name, None)

# The tests start this program some hundreds of times, and each process of theirs reads all of them: compile them once.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A shell starts what it puts in the background with these ignored, and each program of a test would inherit that.
for heard in (signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(heard) is signal.SIG_IGN:
        signal.signal(heard, signal.default_int_handler if heard is signal.SIGINT else signal.SIG_DFL)

# The same examples each time: a change is judged by itself, not by what chance brings. For new ones: tests.fuzzing.
settings.register_profile("lifesign", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
# A mutant that lives is run through every test that reaches it, one that dies need not be told by its smallest example.
few = settings.get_profile("lifesign")
settings.register_profile("mutants", few, max_examples=30, phases=(Phase.explicit, Phase.generate), database=None)
settings.load_profile("mutants" if os.environ.get("LIFESIGN_MUTANTS") else "lifesign")

pytest_plugins = ["tests.figures"]


def pytest_collection_finish() -> None:
    """What was imported and collected stays until the end: no later collection of garbage need look at it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter: those of `tmp_path` are shut, again by the next pytest that starts."""
    with tempfile.TemporaryDirectory(prefix="open-") as name:
        Path(name).chmod(0o755)
        yield Path(name)
