"""Becomes another lifesign command that is told to end when its parent dies. Run as `python -m lifesign.demo.tied …`.

For the console of the demo: it owns the terminal, so that it can neither hang on the lifeline nor be in the group.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ties itself, then becomes `python -m lifesign …`; the tie survives that."""
    parent = int(sys.argv[1])
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it died before we were tied
        sys.exit(1)
    os.execv(sys.executable, [sys.executable, "-m", "lifesign", *sys.argv[2:]])  # noqa: S606 - there is no shell line


if __name__ == "__main__":
    main()
