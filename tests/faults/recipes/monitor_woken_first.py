"""All are stopped together, and the monitor is awake for seconds before anything that it watches."""

from pathlib import Path

from tests.faults.recipes import monitor_stopped_with_targets


class Fault(monitor_stopped_with_targets.Fault):
    batch = "woken first"
    for_s = 20.0
    targets_later_s = 4.0
    grace_s = 6.0

    def config(self, folder: Path) -> str:
        names = (self.name, f"{self.name}_too")
        graces = "".join(f'[components.{name}]\ngrace = "{self.grace_s}s"\n' for name in names)
        return super().config(folder) + graces
