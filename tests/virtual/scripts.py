"""Scripted checks on a virtual loop, and what of the engine's promises they can see for themselves."""

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any

from lifesign.core.model import NS_PER_S, CheckId, Instant, Observation, Verdict
from lifesign.core.spec import CheckSpec

START = Instant(10_000 * NS_PER_S, 1_790_000_000 * NS_PER_S, 10_000 * NS_PER_S)
ROUND_S = 0.25  # what is due is seen to by then


class Clocks:
    """Three clocks, of which the monotonic one is the loop's; the others are set by the test."""

    def __init__(self, loop: Any) -> None:
        self.loop = loop
        self.wall_ns = START.wall_ns
        self.boot_ns = START.boot_ns

    def __call__(self) -> Instant:
        passed_ns = round(self.loop.time() * 1_000_000) * 1_000
        return Instant(START.mono_ns + passed_ns, self.wall_ns + passed_ns, self.boot_ns + passed_ns)

    def block(self, seconds: float) -> None:
        """Time passes while nothing on the loop runs: a stall of the monitor."""
        self.loop._selector.clock.advance(seconds)

    def sleep(self, seconds: float) -> None:
        """The machine is suspended: the monotonic clock stands."""
        self.wall_ns += round(seconds * NS_PER_S)
        self.boot_ns += round(seconds * NS_PER_S)

    def step(self, seconds: float) -> None:
        """Somebody sets the wall clock."""
        self.wall_ns += round(seconds * NS_PER_S)


class Mood(StrEnum):
    """What a target is like for a while."""

    WELL = "well"
    SICK = "sick"  # every look fails
    SLOW = "slow"  # as well, but each look takes most of its time
    HUNG = "hung"  # the check never comes back
    DEAF = "deaf"  # likewise, and it takes its time to be cancelled
    MAD = "mad"  # the check raises


@dataclass
class Script:
    """One check's target over the months, and what was seen of the looks at it."""

    at: CheckId
    spec: CheckSpec
    random: Random
    clocks: Clocks
    mood: Mood = Mood.WELL
    until_s: float = 0.0
    looking: bool = False
    looks: int = 0
    looked_s: float = 0.0
    excused_s: float = 0.0  # what began before is not counted as a failure: a stall and the grace after it
    graced_s: float = 0.0  # what is found before is not counted as a failure: our own start and its grace
    known_s: float = 0.0  # up to when something was found out that counts
    lost: bool | None = False  # whether nothing had been for too long when a stall came; None: nobody can tell
    fails: int = 0  # in a row, and counted
    successes: int = 0
    open_lookers: int = 0
    broken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.known_s = self.graced_s = self.spec.grace_ns / NS_PER_S

    def breaks(self, law: str, words: str) -> None:
        """A promise is not kept."""
        self.broken.append(f"{law}: {self.at.component} at {self.clocks.loop.time():.3f} s: {words}")

    def begin(self) -> None:
        """A look begins: never beside another (T4), never later than two intervals after the last one (T5)."""
        now_s = self.clocks.loop.time()
        if self.looking:
            self.breaks("T4", "a look begins beside another one")
        allowed_s = 2 * self.spec.interval_ns / NS_PER_S + 1
        if now_s - max(self.looked_s, self.excused_s) > allowed_s:
            self.breaks("T5", f"no look for {now_s - self.looked_s:.1f} s")
        self.looking, self.looked_s = True, now_s
        self.looks += 1
        if now_s >= self.until_s:
            self.mood = self.random.choice((Mood.WELL, *Mood))
            self.until_s = now_s + self.random.uniform(1, 12) * self.spec.interval_ns / NS_PER_S

    def end(self) -> None:
        """A look has ended, at the latest half a second after its timeout (T4)."""
        self.looking = False
        began_s = max(self.looked_s, self.excused_s)
        took_s = self.clocks.loop.time() - began_s
        if took_s > self.spec.timeout_ns / NS_PER_S + 0.5 + 0.01:
            self.breaks("T4", f"a look took {took_s:.3f} s")

    def found(self, verdict: Verdict) -> Observation:
        """What a look found, counted."""
        if verdict is Verdict.OK:
            self.successes, self.fails = self.successes + 1, 0
        elif self.looked_s > self.excused_s and self.clocks.loop.time() >= self.graced_s:
            self.successes, self.fails = 0, self.fails + 1
        else:  # in the shadow of a stall
            return Observation(verdict, "refused")
        self.known_s, self.lost = self.clocks.loop.time(), False
        return Observation(verdict, "" if verdict is Verdict.OK else "refused")

    def stalled(self, since_s: float, *, long: bool) -> None:
        """We did not run until now. After a long stall nothing that fails is evidence for a grace."""
        self.excused_s = max(self.excused_s, self.clocks.loop.time())
        if long:
            self.lost = self.is_lost(since_s)
            self.excused_s = max(self.excused_s, self.clocks.loop.time() + self.spec.grace_ns / NS_PER_S)
            self.known_s = self.excused_s

    def is_lost(self, now_s: float) -> bool | None:
        """Whether nothing has been found out for two intervals and a timeout (S4); None within a second of it.

        A stall is in no duration, and what was lost before it is lost after it.
        """
        if self.lost is not False:
            return self.lost
        over_s = now_s - self.known_s - self.spec.unknown_after_ns / NS_PER_S
        return None if abs(over_s) < 1 else over_s > 0


class Looker:
    """What the engine looks through: at once where the target answers at once, else awaited."""

    def __init__(self, script: Script) -> None:
        self._script = script
        script.open_lookers += 1

    def look_at_once(self, now_wall_ns: int) -> Observation | None:
        """Half of the looks at what is well or sick need no waiting."""
        script = self._script
        if script.looking or script.mood not in (Mood.WELL, Mood.SICK) or script.random.random() < 0.5:
            return None
        script.begin()
        if script.mood not in (Mood.WELL, Mood.SICK):  # it has just changed
            script.looking = False
            return None
        script.end()
        return script.found(Verdict.OK if script.mood is Mood.WELL else Verdict.FAIL)

    async def look(self, now_wall_ns: int) -> Observation:
        """A look that takes its time."""
        script = self._script
        script.begin()
        timeout_s = script.spec.timeout_ns / NS_PER_S
        try:
            match script.mood:
                case Mood.WELL | Mood.SICK:
                    await asyncio.sleep(script.random.uniform(0, 0.1) * timeout_s)
                case Mood.SLOW:
                    await asyncio.sleep(script.random.uniform(0.7, 0.99) * timeout_s)
                case Mood.HUNG:
                    await asyncio.Event().wait()
                case Mood.DEAF:
                    try:
                        await asyncio.Event().wait()
                    finally:
                        await asyncio.sleep(0.005)
                case Mood.MAD:
                    raise ZeroDivisionError
        finally:
            script.end()
        return script.found(Verdict.FAIL if script.mood is Mood.SICK else Verdict.OK)

    def close(self) -> None:
        """A looker is closed once."""
        self._script.open_lookers -= 1
