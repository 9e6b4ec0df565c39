"""`python -m tests.soak [--minutes N] [--no-reloads] [--by COMMAND]`: one soak; exit code 1 if not all is well.

`--by`: what runs the daemon, such as `chrt -r 1`, for a machine that has other work too.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.soak.run import soak


def main() -> int:
    """Runs it in a temporary folder."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--no-reloads", action="store_true")
    parser.add_argument("--by", default="", metavar="COMMAND")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        report = soak(Path(name), asked.minutes, reloads=not asked.no_reloads, prefix=asked.by.split())
    sys.stdout.write(report.text() + "\n")
    return 1 if report.faults() else 0


if __name__ == "__main__":
    sys.exit(main())
