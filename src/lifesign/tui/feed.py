"""The console's threads: one polls the state, one asks what the operator wants, one waits for news.

None is Textual's loop. All are daemon threads, so that a daemon that does not answer cannot keep the console from
ending. Each has exactly one request in flight. Not here: what an answer means.
"""

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Generic, TypeAlias, TypeVar

from textual.message import Message

from lifesign.api.documents import EventDocument, State
from lifesign.api.past import Step
from lifesign.api.report_documents import Window
from lifesign.text import clean
from lifesign.tui.deeds import Deed, carry_out
from lifesign.tui.pace import Pace
from lifesign.tui.reading import POLL_TIMEOUT_S, asked, read_once
from lifesign.tui.recall import recalled
from lifesign.tui.snapshot import Reading
from lifesign.tui.source import StateSource
from lifesign.tui.travel import Moment

ASK_TIMEOUT_S = 30.0
_FOLLOW_AGAIN_S = 5.0
_MOST_JOBS = 16
_MOST_ASIDE = 2

_Answer = TypeVar("_Answer")
Looking: TypeAlias = Callable[[StateSource, Step], Moment | None]
"""How a moment of the past is asked for."""


class Polled(Message):
    """One poll has been answered, or has failed."""

    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self.reading = reading


class Probed(Message):
    """Components were checked now. `problems`: one line for each that could not be."""

    def __init__(self, names: tuple[str, ...], problems: tuple[str, ...]) -> None:
        super().__init__()
        self.names = names
        self.problems = problems


class Acted(Message):
    """An action was done. `problem`: why it was not, one line."""

    def __init__(self, deed: Deed, problem: str) -> None:
        super().__init__()
        self.deed = deed
        self.problem = problem


class EventsRead(Message):
    """The history since the last time it was asked for."""

    def __init__(self, events: tuple[EventDocument, ...], following: str | None, problem: str) -> None:
        super().__init__()
        self.events = events
        self.following = following
        self.problem = problem


class PastRead(Message, Generic[Moment]):
    """How it was at the change that `step` names, None where there is none. `problem`: why nobody could tell."""

    def __init__(self, step: Step, moment: Moment | None, problem: str) -> None:
        super().__init__()
        self.step = step
        self.moment: Moment | None = moment
        self.problem = problem


class UptimeRead(Message):
    """The uptime of the component that was asked for; empty where nobody could tell."""

    def __init__(self, windows: tuple[Window, ...]) -> None:
        super().__init__()
        self.windows = windows


class Recalled(Message):
    """By component, its verdicts before the console was opened."""

    def __init__(self, verdicts: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self.verdicts = verdicts


class Feed:
    """Asks a daemon and hands on what it answers.

    `connect` gives a source whose every call ends within the seconds it is given; `deliver` takes a message and is
    called from other threads. `author`: who sits here, as a client may say. `ahead`: the first reading, where one was
    asked for already.
    """

    def __init__(
        self,
        connect: Callable[[float], StateSource],
        deliver: Callable[[Message], object],
        clock: Callable[[], float] = time.monotonic,
        author: str | None = None,
        ahead: Callable[[], Reading | None] = lambda: None,
    ) -> None:
        self._author = author
        self._ahead = ahead
        self._connect = connect
        self._deliver = deliver
        self._clock = clock
        self._stopped = threading.Event()
        self._wake = threading.Event()
        self._pace = Pace(clock())
        self._aside = threading.Semaphore(_MOST_ASIDE)
        self._jobs: queue.Queue[Callable[[StateSource], Message | None]] = queue.Queue(_MOST_JOBS)

    def start(self) -> None:
        """Starts the threads; that which waits for news begins once a first poll is answered."""
        threading.Thread(target=self._poll, name="lifesign-poll", daemon=True).start()
        threading.Thread(target=self._work, name="lifesign-ask", daemon=True).start()

    def stop(self) -> None:
        """Ends the threads after the request in flight; it does not wait for them."""
        self._stopped.set()
        self._wake.set()

    def poll_soon(self) -> None:
        """Polls at once instead of at the next second."""
        self._wake.set()

    def poll_if_due(self) -> bool:
        """Polls where it is time for that: the tick asks, so that a picture is drawn once, when the answer is there."""
        due = self._pace.is_due_at_tick(self._clock())
        if due:
            self._wake.set()
        return due

    def probe(self, names: tuple[str, ...]) -> bool:
        """Checks these components now, one after the other. False where too much is asked already."""
        return self._ask(lambda source: self._probe_all(source, names))

    def act(self, deed: Deed) -> bool:
        """Does what the operator has confirmed. False where too much is asked already."""
        return self._ask(lambda source: self._act(source, deed))

    def read_events(self, since: str | None) -> bool:
        """Reads the history from `since` on."""
        return self._ask(lambda source: _read_events(source, since))

    def look_back(self, look: Looking[Moment], step: Step, deliver: Callable[[Message], object]) -> bool:
        """Asks by `look` how it was, for whoever takes the PastRead."""

        def job(source: StateSource) -> None:
            moment, problem = asked(partial(look, source, step))
            deliver(PastRead(step, moment, problem))

        return self._ask(job)

    def recall(self, state: State) -> None:
        """Asks what was before `state`, once; where nobody can tell, nothing was."""
        self.ask_aside(
            lambda source: recalled(state, source.events().events),
            lambda verdicts, _: self._hand_on(Recalled(verdicts or {})),
        )

    def ask_aside(self, call: Callable[[StateSource], _Answer], done: Callable[[_Answer | None, str], object]) -> bool:
        """Asks for what may take long, in a thread of its own: nothing the operator does waits behind it.

        `done` is called there, with the answer, or None and why. False where such questions are under way already.
        """
        if not self._aside.acquire(blocking=False):
            return False

        def run() -> None:
            answer, problem = asked(lambda: call(self._connect(ASK_TIMEOUT_S)))
            self._aside.release()
            if not self._stopped.is_set():
                done(answer, problem)

        threading.Thread(target=run, name="lifesign-aside", daemon=True).start()
        return True

    def _ask(self, job: Callable[[StateSource], Message | None]) -> bool:
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            return False
        return True

    def _poll(self) -> None:
        source = self._connect(POLL_TIMEOUT_S)
        follower = threading.Thread(target=self._follow, name="lifesign-news", daemon=True)
        while not self._stopped.is_set():
            self._wake.clear()
            self._pace.asked()
            began_s = time.thread_time()
            reading = self._ahead() or read_once(source, self._clock)
            cost_s = time.thread_time() - began_s
            self._hand_on(Polled(reading))
            wait_s = self._pace.answered(reading.asked_s, reading.answered_s, cost_s)
            if follower.ident is None and not self._stopped.is_set():
                follower.start()
            self._wake.wait(wait_s)

    def _follow(self) -> None:
        """What happens is shown when it does, not when a poll comes along."""
        source = self._connect(ASK_TIMEOUT_S)
        while not self._stopped.is_set():
            self._pace.told = True
            asked(lambda: self._hear(source))
            self._pace.told = False
            self._stopped.wait(_FOLLOW_AGAIN_S)

    def _hear(self, source: StateSource) -> None:
        for _ in source.follow_events():
            if self._stopped.is_set():
                break
            if self._pace.is_due_at_news(self._clock()):
                self._wake.set()

    def _work(self) -> None:
        source = self._connect(ASK_TIMEOUT_S)
        while not self._stopped.is_set():
            try:
                job = self._jobs.get(timeout=0.5)
            except queue.Empty:
                continue
            if (message := job(source)) is not None:
                self._hand_on(message)
                self.poll_soon()

    def _probe_all(self, source: StateSource, names: tuple[str, ...]) -> Message:
        problems: list[str] = []
        for name in names:
            if self._stopped.is_set():
                break
            _, problem = asked(partial(source.probe, name))
            if problem:
                problems.append(f"{clean(name, 60)}: {problem}")
        return Probed(names, tuple(problems))

    def _act(self, source: StateSource, deed: Deed) -> Message:
        _, problem = asked(partial(carry_out, source, deed, self._author))
        return Acted(deed, problem)

    def _hand_on(self, message: Message) -> None:
        if not self._stopped.is_set():
            self._deliver(message)


def _read_events(source: StateSource, since: str | None) -> Message:
    answer, problem = asked(partial(source.events, since))
    if answer is None:
        return EventsRead((), since, problem)
    return EventsRead(tuple(answer.events), answer.next, "")
