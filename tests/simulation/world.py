"""The truth of a simulated life: targets, the faults that bear upon them, their processes and what they write.

It answers looks. It knows nothing of the monitor, and nothing of the judge but that it is told what was written.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from zlib import crc32

from lifesign.core.model import CheckId, Identity, Instant, Observation, Verdict, WorkSignal
from lifesign.core.spec import CheckSpec, ComponentSpec
from tests.simulation.faults import (
    ALTERNATE,
    BLIND,
    BLIP,
    GARBAGE,
    HUNG,
    IDLE,
    LOST,
    OUTAGE,
    SLOW,
    STUCK,
    WARNING,
    Fault,
    Kind,
    S,
)

WRITES_EVERY_NS = 5 * S
WELL, WARNED, REFUSED = Observation(Verdict.OK), Observation(Verdict.WARN, "slow"), Observation(Verdict.FAIL, "refused")
BLINDED, MALFORMED = Observation(Verdict.UNKNOWN, "no permission"), Observation(Verdict.FAIL, "malformed")
TIMED_OUT = Observation(Verdict.FAIL, "timed out")


class Ends(IntEnum):
    """How a look ends."""

    ANSWERED = 0
    TIMED_OUT = 1
    LOST = 2


@dataclass(slots=True)
class Service:
    """One component: its process, and when it works."""

    spec: ComponentSpec
    identity: Identity
    writes_from_ns: int = 0  # a new process works only then
    hung_ns: int = 0  # nothing is written before this


@dataclass(slots=True)
class Target:
    """What one check looks at. `ends_ns`: until when each kind of fault lasts, by the number of the kind."""

    at: CheckId
    spec: CheckSpec
    service: Service
    ends_ns: list[int] = field(default_factory=lambda: [0] * len(Kind))
    worst_ns: int = 0  # the latest of them
    written_ns: int = 0  # of the newest heartbeat, on the clock that counts no suspend
    written_wall_ns: int = 0
    read_ns: int = 0  # when the newest heartbeat that a look could read was written
    progress: int = 0
    busy: bool = True

    def suffers(self, kind: Kind, now_ns: int) -> bool:
        """Whether that fault bears upon it now."""
        return self.ends_ns[kind] > now_ns


class World:
    """Everything that is looked at. `wrote` is told of each heartbeat."""

    def __init__(
        self, components: tuple[ComponentSpec, ...], start: Instant, seed: int, wrote: Callable[[CheckId, int], None]
    ) -> None:
        self._seed = crc32(str(seed).encode())
        self._wrote = wrote
        self.services = {c.name: Service(c, Identity(1_000, start.wall_ns / S - 9_000)) for c in components}
        self.targets = {
            CheckId(c.name, check.name): Target(
                CheckId(c.name, check.name),
                check,
                self.services[c.name],
                written_ns=start.mono_ns,
                written_wall_ns=start.wall_ns,
            )
            for c in components
            for check in c.checks
        }
        self.worst_ns = 0  # until when any fault lasts
        for target in self._writers():
            wrote(target.at, start.mono_ns)

    def _writers(self, service: Service | None = None) -> list[Target]:
        return [t for t in self.targets.values() if t.spec.signal is not None and service in (None, t.service)]

    def begin(self, at: CheckId, number: int, now_ns: int) -> tuple[int, Ends]:
        """A look begins: when it ends, and how. `number` counts the looks."""
        target = self.targets[at]
        timeout_ns = target.spec.timeout_ns
        if target.worst_ns > now_ns:
            if target.suffers(LOST, now_ns):
                return now_ns + timeout_ns + S // 2, Ends.LOST
            if target.suffers(SLOW, now_ns):
                return now_ns + timeout_ns, Ends.TIMED_OUT
        dice = (number * 2_654_435_761 ^ self._seed) & 0xFFFF_FFFF
        return now_ns + timeout_ns // 4 * (dice >> 8) // (1 << 24), Ends.ANSWERED

    def look(self, at: CheckId, run: int, now: Instant) -> Observation:
        """What a look finds that ends now."""
        target, now_ns = self.targets[at], now.mono_ns
        found = WELL
        if target.worst_ns > now_ns:
            found = self._afflicted(target, run, now_ns)
            if found is BLINDED or found is MALFORMED:
                return found
        if target.spec.signal is not None:
            self.write(target, now)
            target.read_ns = target.written_ns
            signal = WorkSignal(target.written_wall_ns, target.progress, target.busy)
            return Observation(found.verdict, found.message, signal=signal)
        if target.spec.type == "process" and found is WELL:
            return Observation(Verdict.OK, identity=target.service.identity)
        return found

    def _afflicted(self, target: Target, run: int, now_ns: int) -> Observation:
        if target.suffers(BLIND, now_ns):
            return BLINDED
        if target.spec.signal is not None and target.suffers(GARBAGE, now_ns):
            return MALFORMED
        blip, target.ends_ns[BLIP] = target.ends_ns[BLIP], 0  # one look finds it
        if blip > now_ns or target.suffers(OUTAGE, now_ns) or (target.suffers(ALTERNATE, now_ns) and run % 2):
            return REFUSED
        return WARNED if target.suffers(WARNING, now_ns) else WELL

    def write(self, target: Target, now: Instant) -> None:
        """What the writer has written by now; it writes every few seconds while it lives and is not hung."""
        now_ns, service = now.mono_ns, target.service
        if now_ns < service.writes_from_ns or target.suffers(HUNG, now_ns):
            return
        ago_ns = min(now_ns % WRITES_EVERY_NS, now_ns - service.writes_from_ns, now_ns - service.hung_ns)
        if now_ns - ago_ns <= target.written_ns:
            return
        target.written_ns, target.written_wall_ns = now_ns - ago_ns, now.wall_ns - ago_ns
        target.busy = not target.suffers(IDLE, now_ns)
        target.progress += target.busy and not target.suffers(STUCK, now_ns)
        self._wrote(target.at, target.written_ns)

    def strike(self, fault: Fault, now: Instant) -> None:
        """A fault of one component begins."""
        service = self.services[fault.component]
        self.freeze_writers(now, service)
        duration_ns = round(fault.duration_s * S)
        if fault.kind is Kind.RESTART:
            service.identity = Identity(service.identity.pid + 1, now.wall_ns / S)
            service.writes_from_ns = now.mono_ns + duration_ns // 8
            return
        target, ends_ns = self.targets[CheckId(fault.component, fault.check)], now.mono_ns + duration_ns
        target.ends_ns[fault.kind] = max(target.ends_ns[fault.kind], ends_ns)
        target.worst_ns = max(target.worst_ns, ends_ns)
        self.worst_ns = max(self.worst_ns, ends_ns)
        if fault.kind is Kind.HUNG:
            service.hung_ns = target.ends_ns[HUNG]

    def freeze_writers(self, now: Instant, service: Service | None = None) -> None:
        """What was written before a fault is written before it."""
        for target in self._writers(service):
            self.write(target, now)

    def hides_a_beat(self, now: Instant) -> bool:
        """Whether a beat is unread and the last one to come for now.

        The clock set back over such a one gives it two ages, of which the core takes the younger (`core.dating`): a
        known limit, by which an alarm may come late by as much as the clock went back.
        """
        self.freeze_writers(now)
        return any(
            target.written_ns > target.read_ns
            and (target.suffers(HUNG, now.mono_ns) or now.mono_ns < target.service.writes_from_ns)
            for target in self._writers()
        )

    def slept(self, now_ns: int) -> None:
        """Nobody ran until now."""
        for service in self.services.values():
            service.hung_ns = service.writes_from_ns = max(service.writes_from_ns, now_ns)
