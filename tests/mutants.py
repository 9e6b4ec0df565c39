"""How many mutants of core/ the tests of core/ kill: `python -m tests.mutants [MODULE ...]`.

mutmut changes the code in every small way it knows and runs the tests that reach the change. Thousands of mutants are
hours of work for two processors: this is no test of the ordinary run. `--sample N --seed S` tries so many, drawn by a
seed: an estimate. `--tests PATH ...` runs fewer tests than those of core/: what lives then may die by the others.

Needs `mutmut` (`pip install mutmut`). Works in a copy; nothing here is changed. Not killed are those that survive and
those that no test reaches; a mutant that never ends counts as killed, since whoever runs the tests would see it.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONFIG = """
[tool.mutmut]
source_paths = ["src/lifesign"]
only_mutate = [{modules}]
pytest_add_cli_args = ["--timeout=0", "-n", "0"]
pytest_add_cli_args_test_selection = [{tests}]
timeout_multiplier = 8
track_dependencies = false
"""
WORDS = {0: "survived", 1: "killed", 3: "killed", 33: "not reached", 36: "killed", -24: "killed", 24: "killed"}


def quoted(words: Iterable[str]) -> str:
    """As the items of a TOML list."""
    return ", ".join(f'"{word}"' for word in words)


def prepared(folder: Path, modules: list[str], tests: list[str]) -> None:
    """A copy of what the tests of core/ need, to change these modules of it and to run these of its tests."""
    for name in ("src", "tests", "themes"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    config = CONFIG.format(
        modules=quoted(f"src/lifesign/core/{module}.py" for module in modules or ["*"]), tests=quoted(tests)
    )
    (folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text() + config)


def mutmut(folder: Path, names: list[str], children: int) -> None:
    """One run over these names, which may hold `*`."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "src"), "LIFESIGN_MUTANTS": "1"}
    argv = [sys.executable, "-m", "mutmut", "run", "--max-children", str(children), *names]
    subprocess.run(argv, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=False)


def fates(folder: Path) -> dict[str, int | None]:
    """Every mutant's exit code, None where it was not tried."""
    found: dict[str, int | None] = {}
    for file in sorted((folder / "mutants" / "src").rglob("*.meta")):
        found |= json.loads(file.read_text())["exit_code_by_key"]
    return found


def module(name: str) -> str:
    """`lifesign.core.check.x…` → `check`."""
    return name.split(".")[2]


def main() -> int:
    """Prints a line a module, those that live, and the sum; 1 where fewer than nine of ten are killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("modules", nargs="*")
    parser.add_argument("--tests", nargs="*", default=["tests/core"])
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--children", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mutants-") as made:
        folder = Path(made)
        prepared(folder, asked.modules, asked.tests)
        mutmut(folder, ["lifesign.core.none*"] if asked.sample else [], asked.children)
        names = list(fates(folder))
        if asked.sample:
            names = sorted(random.Random(asked.seed).sample(names, min(asked.sample, len(names))))
            mutmut(folder, names, asked.children)
        told = {
            name: "not tried" if code is None else WORDS.get(code, f"code {code}")
            for name, code in fates(folder).items()
            if name in set(names)
        }
    return report({name: words for name, words in told.items() if words != "not tried"})


def tell(line: str) -> None:
    """To standard output."""
    sys.stdout.write(f"{line}\n")


def report(told: dict[str, str]) -> int:
    """Prints what became of each."""
    for name, words in told.items():
        if words != "killed":
            tell(f"{words}: {name}")
    for one in sorted({module(name) for name in told}):
        count = Counter(words for name, words in told.items() if module(name) == one)
        tell(f"{one:12} {count['killed']:5} of {count.total():5} killed")
    killed = sum(words == "killed" for words in told.values())
    tell(f"killed {killed} of {len(told)} mutants: {killed / max(1, len(told)):.1%}")
    return int(killed < 0.9 * len(told))


if __name__ == "__main__":
    sys.exit(main())
