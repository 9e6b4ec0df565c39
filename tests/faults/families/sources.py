"""A folder of sources that parse."""

import json
import shutil
from pathlib import Path

from tests.faults.recipe import Recipe, component


class Sources(Recipe):
    """Two modules and two data files, each of which parses."""

    batch = "lookers"

    def config(self, folder: Path) -> str:
        self.folder = folder / "source"
        self.heal()
        globs = json.dumps([str(self.folder / f"*.{suffix}") for suffix in ("py", "json", "toml")])
        return component(self.name, f'type = "syntax"\npaths = {globs}\ntimeout = "8s"')

    def heal(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        (self.folder / "a.py").write_text("def work() -> int:\n    return 1\n")
        (self.folder / "b.json").write_text('{"a": 1}\n')
        (self.folder / "c.toml").write_text("a = 1\n")
