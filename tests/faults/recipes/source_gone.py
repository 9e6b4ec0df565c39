"""The sources are gone."""

import shutil

from tests.faults.families.sources import Sources
from tests.faults.recipe import DOWN, Expect


class Fault(Sources):
    expect = Expect(DOWN, "no file matches")

    def inject(self) -> None:
        shutil.rmtree(self.folder)
