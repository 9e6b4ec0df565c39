"""The report where no daemon runs: from what is stored, and the components that the config names."""

import time

from lifesign.api.report_documents import Report
from lifesign.api.reporting import KINDS, Occasion, Subject, report
from lifesign.bootstrap.history import stored_events
from lifesign.bootstrap.runs import FILE
from lifesign.config import Config
from lifesign.core.memory import MonitorMemory
from lifesign.core.spec import ComponentSpec
from lifesign.store.database import Database
from lifesign.store.remembering import decode


def stored_report(config: Config, component: str | None, since_ns: int | None) -> Report:
    """The report on one component of `config`, or on all. Since the last sign of life in the store nobody watched."""
    folder, now_ns = config.monitor.state_dir, time.time_ns()
    memory = decode(Database(folder / FILE).peek(0)[0])
    subjects = [_subject(c.spec, memory) for c in config.components if component in (None, c.spec.name)]
    seen_ns = max((held.taken_wall_ns for held in memory.components.values()), default=0)
    occasion = Occasion(config.monitor.name, now_ns, min(seen_ns, now_ns), since_ns)
    return report(stored_events(folder, kinds=KINDS), subjects, occasion)


def _subject(spec: ComponentSpec, memory: MonitorMemory) -> Subject:
    held = memory.components.get(spec.name)
    return Subject(spec) if held is None else Subject(spec, held.state, held.since_wall_ns)
