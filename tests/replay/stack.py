"""The stack of the backtests: what it is watched by, and how its parts are."""

import asyncio
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from lifesign.core.alerting import SinkSpec
from lifesign.core.model import NS_PER_S, Identity, Instant, Layer, Observation, Verdict, WorkSignal
from lifesign.core.spec import CheckSpec, ComponentSpec, MonitorSpec, RestartSpec, SignalPolicy
from tests.virtual.scripts import START

S = NS_PER_S
SINKS = (
    SinkSpec("ops", remind_every_ns=3_600 * S, min_update_ns=60 * S),
    SinkSpec("forge", notify_after_ns=90 * S, left_out=("tag:quiet",)),
)


def _check(name: str, kind: str, layer: Layer, **more: Any) -> CheckSpec:
    return CheckSpec(name=name, type=kind, layer=layer, interval_ns=10 * S, timeout_ns=5 * S, **more)


def stack() -> MonitorSpec:
    """A gateway, what rests upon it, and one that nobody minds."""
    beat = _check(
        "beat",
        "heartbeat",
        Layer.WORKING,
        failure_threshold=1,
        success_threshold=1,
        signal=SignalPolicy(60 * S, 90 * S),
    )
    alive, port = _check("process", "process", Layer.ALIVE), _check("port", "tcp", Layer.READY)
    restart = RestartSpec("signal", automatic=True, after_ns=60 * S, grace_ns=60 * S)
    return MonitorSpec(
        (
            ComponentSpec("gateway", (port, alive), restart=restart),
            ComponentSpec("mind", (beat, alive, port), depends_on=("gateway",), restart=restart),
            ComponentSpec("feed", (beat, alive), depends_on=("gateway",), restart=replace(restart, after_ns=30 * S)),
            ComponentSpec(
                "extra", (port, replace(port, name="slow", failure_for_ns=45 * S)), optional=True, tags=("quiet",)
            ),
        )
    )


class Clocks:
    """The loop's clock and two that can be set. They go on over several loops."""

    def __init__(self) -> None:
        self.loop: Any = None
        self.base = START

    def __call__(self) -> Instant:
        return self.base.after(round(self.loop.time() * 1_000_000) * 1_000)

    def shift(self, *, wall_s: float = 0, boot_s: float = 0) -> None:
        """The wall clock and the one that counts a suspend gain so much."""
        base = self.base
        self.base = Instant(base.mono_ns, base.wall_ns + round(wall_s * S), base.boot_ns + round(boot_s * S))


@dataclass
class Target:
    """One component as it is: until when it refuses, hangs, hides or is slow, and its process."""

    random: Random
    refuses_s: float = 0.0
    hangs_s: float = 0.0
    hides_s: float = 0.0
    warns_s: float = 0.0
    written_ns: int = 0
    cycle: int = 0
    pid: int = 1_000


class Looker:
    """Looks at one check of a target."""

    def __init__(self, target: Target, check: CheckSpec, clocks: Clocks) -> None:
        self._target, self._check, self._clocks = target, check, clocks

    def look_at_once(self, now_wall_ns: int) -> Observation | None:
        """Most looks need no waiting."""
        return self._found() if self._target.random.random() < 0.7 else None

    async def look(self, now_wall_ns: int) -> Observation:
        """Some do, and a few do not come back."""
        random = self._target.random
        await asyncio.sleep(100 if random.random() < 0.001 else random.uniform(0, 0.5))
        return self._found()

    def _found(self) -> Observation:
        target, now_s, now = self._target, self._clocks.loop.time(), self._clocks()
        if now_s < target.hides_s:
            return Observation(Verdict.UNKNOWN, "no permission")
        verdict = Verdict.WARN if now_s < target.warns_s else Verdict.OK
        refused = now_s < target.refuses_s
        if self._check.signal is not None:
            if not refused and now_s >= target.hangs_s and now.wall_ns - target.written_ns > 5 * S:
                target.written_ns, target.cycle = now.wall_ns - target.random.randrange(S), target.cycle + 1
            if target.written_ns == 0:
                return Observation(Verdict.FAIL, "nobody has ever written it")
            return Observation(verdict, "", signal=WorkSignal(target.written_ns, target.cycle))
        if self._check.type == "process":
            stopped, who = now_s < target.warns_s, Identity(target.pid, target.pid * 1.5)
            if stopped and target.pid % 2:
                return Observation(Verdict.OK, "2 processes", several=True)
            return Observation(Verdict.OK, f"pid {target.pid}", identity=who, stopped=stopped)
        if refused or target.random.random() < 0.002:
            return Observation(Verdict.FAIL, "refused", target.random.random() / 1_000)
        return Observation(verdict, "connected", target.random.random() / 1_000)

    def close(self) -> None:
        """Nothing is held."""
