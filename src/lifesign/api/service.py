"""What the routes share: the backend, the journal, and answers made at most a few times a second.

Not here: HTTP.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from lifesign.api.backend import Backend
from lifesign.api.copies import Copies, Copy, encoded
from lifesign.api.documents import ComponentStatus, State
from lifesign.api.journal import Journal
from lifesign.api.looking_back import past, past_incidents
from lifesign.api.past import Past, Step
from lifesign.api.past_incidents import PastIncidents
from lifesign.api.problems import unknown_component
from lifesign.api.render import component_status, state_head
from lifesign.api.report_documents import Report
from lifesign.api.reporting import KINDS, Occasion, Subject, report
from lifesign.api.sampled import Steady
from lifesign.core.model import ComponentState
from lifesign.core.view import ComponentView

STALE_ROUND_S = 5.0
METRICS_CACHE_S = 1.0
STATE_CACHE_S = 0.1  # however many ask for the state, it is rendered ten times a second at most


class Service:
    """The monitor as the API shows it."""

    def __init__(self, backend: Backend, journal: Journal) -> None:
        self.backend = backend
        self.journal = journal
        self._copies = Copies(backend)
        self._state_bytes = b""
        self._made_at_s = -1.0
        self._made_for = ""
        self._done = 0
        self._rendering = asyncio.Lock()
        self._statuses: list[ComponentStatus] = []
        self._glanced_for: Mapping[str, ComponentState] = {}
        self._glanced_at_s = -1.0
        self._steady = Steady()
        self._metrics = b"", ""
        self._metrics_made_at_s = -METRICS_CACHE_S
        self._metrics_made_for: tuple[str, int] = "", 0
        self._measuring = asyncio.Lock()
        self._reporting = asyncio.Lock()
        self._looking_back = asyncio.Lock()

    def is_stalled(self) -> bool:
        """Whether the scheduler has not finished a round for so long that nothing it says may be called healthy."""
        return not self.backend.info().last_round_age_s <= STALE_ROUND_S  # NaN is stalled too

    async def state(self) -> State:
        """The state document of now, as whoever asks for it reads it."""
        return msgspec.json.decode(await self.state_bytes(), type=State)

    async def _looked(self) -> tuple[State, Sequence[Copy], int]:
        """The state document of now but for its components, these, and when that is (monotonic clock)."""
        found, copies = await self._copies.renewed()
        head = state_head(found, self.backend.info(), [copy.document.state for copy in copies])
        return replace_overall(head, self.overall(found.overall)), copies, found.at.mono_ns

    def status(self) -> tuple[ComponentState, list[ComponentStatus]]:
        """The whole and each component as a health check is told: every state of now, the words 0.1 s old at most."""
        overall, now_s, states = self.overall(self.backend.view(()).overall), self._now_s(), self.backend.states()
        if now_s - self._glanced_at_s > STATE_CACHE_S or self._glanced_for != states:
            self._statuses = [component_status(component) for component in self.backend.glance()]
            self._glanced_at_s, self._glanced_for = now_s, dict(states)
        return overall, self._statuses

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()

    def overall(self, found: ComponentState) -> ComponentState:
        """`found`, or unknown where the monitor itself does not do its work; down stays down."""
        return ComponentState.UNKNOWN if found is not ComponentState.DOWN and self.is_stalled() else found

    async def state_bytes(self) -> bytes:
        """The state document as JSON, at most 0.1 s old, and never older than the newest event."""
        async with self._rendering:
            now_s, cursor, done = asyncio.get_running_loop().time(), self.journal.cursor, self._done
            if now_s - self._made_at_s > STATE_CACHE_S or self._made_for != cursor:
                head, copies, at_ns = await self._looked()
                components = await encoded(copies, at_ns)
                self._state_bytes = encode(msgspec.structs.replace(head, components=components))
                self._made_at_s, self._made_for = (now_s if done == self._done else -1.0), cursor
            return self._state_bytes

    async def metrics(self) -> tuple[bytes, str]:
        """The Prometheus text and its content type, at most a second old, and never older than the newest event.

        Made in a thread: it takes its time.
        """
        async with self._measuring:
            now_s, made_for = asyncio.get_running_loop().time(), (self.journal.cursor, self._done)
            if now_s - self._metrics_made_at_s > METRICS_CACHE_S or self._metrics_made_for != made_for:
                from lifesign.api.metrics import CONTENT_TYPE, metrics_text  # 90 ms that only a scraped daemon pays

                found = *await self._looked(), self.backend.tallies(), self._steady
                text = await asyncio.to_thread(metrics_text, *found)
                self._metrics, self._metrics_made_at_s, self._metrics_made_for = (text, CONTENT_TYPE), now_s, made_for
            return self._metrics

    async def report(self, component: str | None, since_ns: int | None) -> Report:
        """Uptime and means. Made in a thread, one at a time. Raises ProblemError 404."""
        if component is not None and component not in self.backend.states():
            raise unknown_component(component, list(self.backend.states()))
        async with self._reporting:
            glances = [g for g in self.backend.glance() if component in (None, g.spec.name)]
            subjects = [Subject(g.spec, g.state, g.since_wall_ns) for g in glances]
            now_ns = self.backend.view(()).at.wall_ns
            occasion = Occasion(self.backend.info().name, now_ns, now_ns, since_ns)
            return await asyncio.to_thread(report, self.backend.told(KINDS), subjects, occasion)

    async def past(self, name: str, step: Step) -> Past:
        """How a component of now stood then. Made in a thread, one at a time. Raises ProblemError 404."""
        spec = self.component(name).spec
        async with self._looking_back:
            now_ns = self.backend.view(()).at.wall_ns
            return await asyncio.to_thread(past, self.backend.archive, spec, step, now_ns)

    async def past_incidents(self, step: Step) -> PastIncidents:
        """What was open then. Likewise."""
        async with self._looking_back:
            now_ns = self.backend.view(()).at.wall_ns
            return await asyncio.to_thread(past_incidents, self.backend.archive, step, now_ns)

    def forget_state(self) -> None:
        """Something was done: what is asked for from now on is made anew."""
        self._done += 1
        self._made_at_s = self._glanced_at_s = -1.0

    def component(self, name: str) -> ComponentView:
        """One component of now. Raises ProblemError 404 with the nearest name."""
        for component in self.backend.view((name,)).components:
            return component
        raise unknown_component(name, list(self.backend.states()))


def replace_overall(document: State, overall: ComponentState) -> State:
    """`document` with another overall."""
    return document if document.overall == overall else msgspec.structs.replace(document, overall=str(overall))


def encode(document: Any) -> bytes:
    """`document` as JSON."""
    return msgspec.json.encode(document)
