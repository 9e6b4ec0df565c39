"""The parts of README.md that the code knows. `python -m tests.readme` writes them; a test compares."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from lifesign.cli import COMMANDS
from lifesign.config.reference import check_type_table, key_tables

README = Path(__file__).parent.parent / "README.md"


def commands_table() -> str:
    """One row a command."""
    rows = [f"| `lifesign {name}` | {words.replace('|', chr(92) + '|')} |" for name, words in COMMANDS.items()]
    return "\n".join(["| command | what it does |", "|---|---|", *rows])


PARTS: Mapping[str, Callable[[], str]] = {
    "commands": commands_table,
    "check types": check_type_table,
    "keys": key_tables,
}


def generated(text: str) -> str:
    """`text` with every generated part as the code has it now."""
    for name, make in PARTS.items():
        block = f"<!-- generated: {name} -->\n{make().strip()}\n<!-- end -->"
        pattern = rf"<!-- generated: {name} -->\n.*?<!-- end -->"
        text, count = re.subn(pattern, block.replace("\\", r"\\"), text, flags=re.DOTALL)
        assert count == 1, f"README.md has {count} parts named {name}"
    return text


if __name__ == "__main__":
    README.write_text(generated(README.read_text()))
