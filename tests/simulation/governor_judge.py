"""The judge of simulated restarts: it keeps books of its own (deeds, work, holds, deaths), and names the law broken.

It is told what the world did and what the monitor asked for and told; it asks the monitor for nothing.
"""

from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise

from lifesign.core.effects import Restart
from lifesign.core.events import Event, EventName
from lifesign.core.model import Identity
from lifesign.core.restart import Failed, RestartReport, Sent
from lifesign.core.spec import RestartSpec

S = 1_000_000_000


@dataclass
class Book:
    """What the judge knows of one component. Times in nanoseconds of the clock that counts everything."""

    spec: RestartSpec
    grace_ns: int
    in_flight: bool = False
    died_in_flight: bool = False
    deed_ns: int | None = None
    decided_ns: int = 0
    decisions: list[int] = field(default_factory=list)  # of restarts in a row, each in vain
    automatic: deque[int] = field(default_factory=deque)
    in_vain: int = 0
    renewed: bool = False
    seen: Identity | None = None  # by the newest look at it
    identity: Identity | None = None  # of its process, as it is
    decided_about: Identity | None = None
    brought: Identity | None = None  # by the restart that is in flight
    worked_ns: int = 0  # the newest work of the present process
    last_fail_ns: int = -(10**18)
    last_look_failed: bool = False
    held_until_ns: int = 0
    down: bool = False
    exhausted: bool = False
    recovered_ns: int | None = 0


class Judge:
    """`violations` names the broken law first."""

    def __init__(self, specs: dict[str, RestartSpec], grace_ns: int, depends_on: dict[str, str]) -> None:
        self.books = {name: Book(spec, grace_ns) for name, spec in specs.items()}
        self.violations: list[str] = []
        self.only = ""  # the one law that is judged by; empty: by all
        self.deeds = 0
        self._depends_on = depends_on
        self._stalled_ns = -(10**18)
        self._went_down: dict[str, int] = {}
        self._common_until_ns = 0
        self._together: set[str] = set()
        self.dry_run = False

    def fails(self, law: str, words: str) -> None:
        """Notes a broken law."""
        if self.only in ("", law):
            self.violations.append(f"{law}: {words}")

    def looked(self, name: str, now_ns: int, *, failed: bool) -> None:
        """A look at what makes `name` work has ended with this."""
        book = self.books[name]
        book.last_look_failed = failed
        if failed:
            book.last_fail_ns = now_ns

    def renewed(self, name: str, identity: Identity, *, ours: bool) -> None:
        """Another process stands behind `name`: our restart brought it, or nobody knows who."""
        book = self.books[name]
        book.brought = identity if ours and book.identity == book.decided_about else None
        book.identity = identity

    def stalled(self, now_ns: int) -> None:
        """Nobody ran until now, or the monitor begins anew."""
        self._stalled_ns = now_ns

    def died(self) -> None:
        """The monitor is killed: what was in flight is sent or not, and must not be sent again for that decision."""
        for book in self.books.values():
            book.died_in_flight = book.in_flight
            book.exhausted = book.exhausted and not self.dry_run  # a dry run leaves no memory

    def asked(self, wanted: Restart, now_ns: int) -> None:
        """The monitor wants a restart."""
        book = self.books[wanted.component]
        name, spec = wanted.component, book.spec
        if self.dry_run:
            self.fails("R13", f"{name} is to be restarted in a dry run")
        if book.in_flight and not book.died_in_flight:
            self.fails("R2", f"{name} is restarted while a restart is in flight")
        if book.deed_ns is not None and now_ns - book.deed_ns < spec.grace_ns:
            self.fails("R2", f"{name} is restarted {(now_ns - book.deed_ns) / S:.1f} s after the last one")
        if book.died_in_flight and now_ns - book.decided_ns < spec.grace_ns:
            self.fails("R12", f"{name} is restarted again for a decision that was made before we died")
        if wanted.automatic:
            self._judge_automatic(name, book, now_ns)
        book.in_flight, book.died_in_flight, book.decided_ns, book.renewed = True, False, now_ns, False
        book.decided_about, book.brought = book.seen, None

    def _judge_automatic(self, name: str, book: Book, now_ns: int) -> None:
        if not book.down:
            self.fails("R1", f"{name} is restarted and is not down")
        if not book.last_look_failed or now_ns - book.last_fail_ns > 2 * S:
            self.fails("R1", f"the last look at {name} was no failure of the last two seconds")
        if now_ns < book.held_until_ns:
            self.fails("R1", f"{name} is restarted while it is held")
        parent = self._depends_on.get(name)
        if parent is not None and self.books[parent].down:
            self.fails("R1", f"{name} is restarted while {parent} is down")
        if now_ns - self._stalled_ns < book.grace_ns:
            self.fails("R8", f"{name} is restarted {(now_ns - self._stalled_ns) / S:.1f} s after a stall of ours")
        self._judge_number(name, book, now_ns)
        self._judge_together(name, now_ns)

    def _judge_number(self, name: str, book: Book, now_ns: int) -> None:
        spec = book.spec
        recent = [at for at in book.automatic if now_ns - at < spec.window_ns]
        if len(recent) >= spec.max_restarts:
            self.fails("R4", f"{name} is restarted {len(recent) + 1} times in one window")
        if book.in_vain >= spec.max_unproductive:
            self.fails("R6", f"{name} is restarted after {book.in_vain} in vain")
        gaps = [after - before for before, after in pairwise([*book.decisions, now_ns])]
        longest_ns = spec.grace_ns + spec.backoff_max_ns
        if any(after < min(before, longest_ns) - S for before, after in pairwise(gaps)):
            self.fails("R5", f"the waits of {name} shrink: {[round(gap / S) for gap in gaps]} s")

    def _judge_together(self, name: str, now_ns: int) -> None:
        if now_ns < self._common_until_ns:
            self.fails("R7", f"{name} is restarted while a common cause is suspected")
        others = (self._together - {name}) if name in self._together else set()
        if any(self.books[other].in_flight for other in others):
            self.fails("R7", f"{name} is restarted while another that went down with it is")

    def reported(self, wanted: Restart, report: RestartReport, now_ns: int) -> None:
        """The shell has done it, or not."""
        book = self.books[wanted.component]
        if not isinstance(report, Sent | Failed):
            book.in_flight = False
            return
        self.deeds += 1
        book.deed_ns = now_ns
        if wanted.automatic:
            book.automatic.append(book.decided_ns)
        book.decisions.append(book.decided_ns)
        if isinstance(report, Failed):
            book.in_flight = False
            self._count_in_vain(book)

    def _count_in_vain(self, book: Book) -> None:
        book.in_vain += 1

    def worked(self, name: str, now_ns: int) -> None:
        """The present process of `name` has finished work."""
        self.books[name].worked_ns = now_ns

    def rearmed(self, name: str) -> None:
        """An operator has re-armed it, or restarted it after it had given up."""
        book = self.books[name]
        book.in_vain, book.exhausted = 0, False
        book.decisions.clear()

    def told(self, event: Event, now_ns: int) -> None:
        """The monitor tells this."""
        book = self.books.get(event.component or "")
        if book is None:
            return
        name = event.component or ""
        match event.name:
            case EventName.COMPONENT_DOWN:
                self._went(name, book, now_ns)
            case EventName.COMPONENT_RECOVERED:
                book.down, book.recovered_ns = False, now_ns
                self._common_until_ns = 0
                self._together.discard(name)
            case EventName.RESTART_PRODUCTIVE:
                is_new = book.renewed or book.decided_about is None  # nobody can tell it from one that nobody ever saw
                if not is_new or book.worked_ns < book.decided_ns:
                    self.fails("R9", f"a restart of {name} is productive without a new process that worked")
                book.in_flight = False
                book.decisions.clear()
            case EventName.RESTART_UNPRODUCTIVE if book.in_flight:
                book.in_flight = False
                self._count_in_vain(book)
            case EventName.RESTART_EXHAUSTED:
                if book.exhausted:
                    self.fails("R6", f"{name} gives up twice")
                book.exhausted = True
            case EventName.PROCESS_REPLACED if book.in_flight and book.brought == book.identity is not None:
                self.fails("R3", f"the process that our restart of {name} brought is told as a stranger's")

    def _went(self, name: str, book: Book, now_ns: int) -> None:
        book.down, book.recovered_ns = True, None
        was_done = book.in_flight and book.deed_ns is not None and book.deed_ns >= book.decided_ns
        early = now_ns - book.decided_ns < book.spec.grace_ns  # from the record: R12
        if was_done and early and book.renewed and book.worked_ns < book.decided_ns:
            self.fails("R3", f"{name} is condemned by work from before its restart, within the grace")
        self._went_down[name] = now_ns
        together = {other for other, at in self._went_down.items() if now_ns - at <= 10 * S}
        if len(together) >= 3 and 2 * len(together) > len(self.books):
            if now_ns >= self._common_until_ns:
                self._common_until_ns = now_ns + 600 * S
            self._together |= together

    def calms(self, now_ns: int) -> None:
        """Counts fall back after a grace without an incident."""
        for name, book in self.books.items():
            calm = book.recovered_ns is not None and not book.in_flight
            if calm and book.recovered_ns is not None and now_ns - book.recovered_ns >= book.spec.grace_ns:
                self.rearmed(name)
