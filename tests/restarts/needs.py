"""What a proof with real servers needs of this machine. In CI nothing is skipped: there its absence is a failure."""

import os
import shutil

import pytest


def needs(*packages: str, programs: tuple[str, ...] = (), root: bool = True) -> pytest.MarkDecorator:
    """Skips where one of `programs` (default: `packages`) is missing, with the packages' names."""
    missing = [program for program in programs or packages if shutil.which(program) is None]
    lacks_root = root and os.geteuid() != 0
    reason = f"needs root and {' '.join(packages)}" if lacks_root else f"needs {' '.join(packages)}"
    return pytest.mark.skipif((bool(missing) or lacks_root) and "LIFESIGN_CI" not in os.environ, reason=reason)
