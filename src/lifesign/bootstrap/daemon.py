"""The daemon: one engine with its API, journal and log. It is also what a console runs as its child."""

import asyncio
import logging
import os
import signal
from collections.abc import Iterable, Sequence
from pathlib import Path

from lifesign.api.documents import MonitorInfo
from lifesign.api.journal import Journal
from lifesign.api.tally import Tallies
from lifesign.bootstrap import tidying
from lifesign.bootstrap.about import Mode, monitor_info
from lifesign.bootstrap.alerting import Alerter, no_alert_ends_the_watch
from lifesign.bootstrap.beats import Beats
from lifesign.bootstrap.beside import begin_beside
from lifesign.bootstrap.difference import Difference, followed
from lifesign.bootstrap.incident_snapshots import IncidentSnapshots
from lifesign.bootstrap.listening import Listening
from lifesign.bootstrap.notified import NotifySockets
from lifesign.bootstrap.own_heartbeat import OwnHeartbeat
from lifesign.bootstrap.plan import Acting, Plan, watching_words
from lifesign.bootstrap.recording import Recorder
from lifesign.bootstrap.reloading import Reloader
from lifesign.bootstrap.remote_secrets import RemoteSecrets
from lifesign.bootstrap.restarting import Restarting
from lifesign.bootstrap.standing_back import StandingBack
from lifesign.bootstrap.state_folder import StateFolder
from lifesign.bootstrap.telling import Teller
from lifesign.checks.files import signature
from lifesign.checks.mounts import LOCAL
from lifesign.config import Config
from lifesign.core.commands import NotPossibleError, OperatorCommand
from lifesign.core.events import Event, EventName
from lifesign.core.known import Known
from lifesign.core.memory import MonitorMemory, absence, removed
from lifesign.core.model import ComponentState, Observation
from lifesign.core.transcript import RecordedMonitor
from lifesign.core.view import Changes, ComponentGlance, MonitorView
from lifesign.engine.clock import SteadyClocks
from lifesign.engine.engine import Engine
from lifesign.engine.files import FileSweep
from lifesign.engine.log import LineLog
from lifesign.engine.looking import Looks
from lifesign.engine.notify import ServiceManager

WORKS_S = 5.0  # without a finished round for so long, nobody is told that we work
LAST_RESORT_S = 4.5  # SIGTERM ends everything within 5 s, whatever hangs (reliability.md, P5)

logger = logging.getLogger(__name__)


class Daemon:
    """Serves one config until it is told to stop. It is the API's backend."""

    def __init__(
        self,
        config: Config,
        *,
        mode: Mode,
        log: LineLog,
        log_format: str,
        folder: StateFolder,
        acting: Acting = Acting.BY_ITSELF,
    ) -> None:
        self._config = config
        self._acting = acting
        self._mode: Mode = mode
        self._folder = folder
        self._journal = Journal()
        self._teller = Teller(log, log_format, self._journal, folder, history_s=config.monitor.history_s)
        self._teller.name = config.monitor.name
        self._secrets = tuple(secret.reveal() for secret in config.secrets)
        self._teller.secrets = self._secrets
        self._remote = RemoteSecrets(config.secrets, self._secrets)
        self._keeper, self.told, self.archive = self._teller.keeper, self._teller.told, self._teller.archive
        self._manager = ServiceManager()
        self._heartbeat = OwnHeartbeat.of(folder)
        self._clocks = SteadyClocks()
        self._started = self._clocks()
        self._stop = asyncio.Event()
        self._alerter: Alerter | None = None
        self._listening: Listening | None = None
        self._memory, events = self._keeper.recall()
        self._beats = Beats(config, self._memory)
        for document in events:
            self._journal.append(document)
        self._restarting = Restarting(config, self._keeper, config.monitor.name)
        self._engine = self._make_engine()
        self._restarting.attach(self._engine)
        self._alerter = self._make_alerter() if acting in (Acting.BY_ITSELF, Acting.DRY_RUN) else None
        self._reloader = Reloader(config, swap=self._swap, tell=self._teller.tell_of_config)
        swept, wake = Plan.of(config).swept, self._engine.wake
        self._sweep = FileSweep(
            swept,
            wake=lambda them: wake(*them),
            signature=signature,
            may_hang=LOCAL.may_hang,
            at_once=True,
            looked_ns=self._monitor.looked_ns,
        )

    def _make_engine(self) -> Engine:
        plan = Plan.of(self._config, os.getpid(), self._acting)
        looks = Looks({**plan.makers, **self._beats.makers}, plan.timeouts_ns, self._teller.secrets)
        self._monitor = RecordedMonitor(plan.spec, self._started, self._memory)
        self._recorder = Recorder(self._monitor, self._folder if self._folder.held else None)
        record, begin, after, clocks = self._record, self._restarting.begin, self._after_round, self._clocks
        (tally := self._teller.tally).follow(plan.spec)
        return Engine(
            self._monitor, looks, record=record, after_round=after, restart=begin, seen=tally.look, clocks=clocks
        )

    def _make_alerter(self) -> Alerter:
        return Alerter(
            self._config,
            self._engine.monitor,
            keep=self._keeper.keep,
            tell=self._teller.tell,
            works=lambda: self._engine.last_round_age_s() < WORKS_S,
            secrets=lambda: self._teller.secrets,
            decided=self._recorder.decided,
            reviewed=self._monitor.reviewed,
            happened=self._teller.lines_of,
            dry_run=self._acting is Acting.DRY_RUN,
        )

    def _record(self, event: Event) -> None:
        self._teller.record(event)
        if self._alerter is not None:
            with no_alert_ends_the_watch():
                self._alerter.hear(event, self._monitor.now)

    def _after_round(self) -> None:
        self._manager.round_finished()
        if self._heartbeat is not None:
            self._heartbeat.round_finished()
        if self._alerter is not None:
            with no_alert_ends_the_watch():
                self._alerter.review(self._monitor.now)
        self._recorder.after_round()

    async def serve(self, socket: Path | None = None) -> None:
        """Watches and serves until `stop`. `socket`: listen there and nowhere else (a console's own engine)."""
        from lifesign.api.server import ApiServer

        server = ApiServer(self, self._journal)
        self._keeper.follow(self._engine.monitor)
        self._listening = listening = Listening(server, socket)
        try:
            await listening.start(self._config, self._folder)
            await self._watch(listening)
        finally:
            await asyncio.gather(self._keeper.close(), asyncio.to_thread(self._recorder.close))
            await server.close()
            if self._heartbeat is not None:
                self._heartbeat.close()
            self._teller.close()

    async def _watch(self, listening: Listening) -> None:
        self._recorder.begin(self._config, self._memory, self._keeper.texts, self._teller.secrets)
        away = absence(self._memory, self._started)
        self._teller.tell(EventName.MONITOR_STARTED, watching_words(self._config, listening.words), data=away)
        if self._alerter is not None:
            self._alerter.recall(self._keeper.texts, self._started)
        self._keeper.texts = {}
        self._end_what_was_removed()
        snapshots = IncidentSnapshots(self, self._journal, lambda: self._config.monitor.incident_snapshots)
        heard = NotifySockets(self._folder, self._config.monitor.socket_group, self._beats, self._engine.wake)
        going_on = [listening.run, self._keeper.run, self._reloader.run, self._restarting.run, snapshots.run, heard.run]
        going_on += [StandingBack(self._folder, self.act).run, tidying.tidy]
        beside = begin_beside([*going_on, self._remote.run, *([] if self._alerter is None else [self._alerter.run])])
        tidying.begin()
        engine = asyncio.create_task(self._engine.run(self._sweep), name="engine")
        stopped = asyncio.create_task(self._stop.wait(), name="stop")
        self._manager.ready()
        try:
            await asyncio.wait({engine, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if engine.done():
                engine.result()
        finally:
            self._manager.stopping()
            self._teller.tell(EventName.MONITOR_STOPPED, "stopped")
            for task in (*beside, stopped, engine):
                task.cancel()
            await asyncio.wait({*beside, engine, stopped})
            await self._restarting.close()

    def _end_what_was_removed(self) -> None:
        """Components that are no longer in the config are forgotten, their incidents ended with that reason."""
        names = self._engine.monitor.components.keys()
        for name in self._memory.components.keys() - names:
            self._keeper.forget(name)
        for event in removed(self._memory, names, self._started):
            self._record(event)
        self._memory = MonitorMemory()

    def stop(self) -> None:
        """Ends `serve`. Past `LAST_RESORT_S` the kernel ends the process, whatever hangs."""
        signal.setitimer(signal.ITIMER_REAL, LAST_RESORT_S)
        self._stop.set()

    @property
    def follows_its_file(self) -> bool:
        """Whether SIGHUP means: read the config anew. A console's own engine ends with its terminal."""
        return self._mode == "daemon" and self._config.path is not None

    def reload(self) -> None:
        """Reads the config anew; what comes of it is told."""
        self._reloader.ask(by_hand=True)

    def _swap(self, wanted: Config, secrets: Sequence[str]) -> Difference:
        """Takes over what `wanted` says, in one step of the loop. What was secret a moment ago is so still."""
        changes = Difference.between(self._config, wanted)
        plan = Plan.of(wanted, acting=self._acting)
        self._config = followed(self._config, wanted)
        self._teller.name = self._config.monitor.name
        self._teller.secrets, self._secrets = tuple({*self._secrets, *secrets}), tuple(secrets)
        self._remote.follow(wanted.secrets, secrets)
        self._teller.tally.follow(plan.spec)
        self._beats.follow(wanted, changes.checks)
        self._restarting.follow(wanted)
        for name in changes.removed:
            self._keeper.forget(name)
        makers = {**plan.makers, **self._beats.makers}
        self._engine.reconfigure(plan.spec, makers, plan.timeouts_ns, self._teller.secrets, changes.checks)
        self._sweep.follow(plan.swept)
        if self._alerter is not None:
            self._alerter.follow(self._config, self._monitor.now)
        self._recorder.configured(self._config, self._teller.secrets)
        try:
            if self._listening is not None:
                self._listening.follow(self._config.http)
        except (OSError, ValueError) as error:  # it was well a moment ago, when it was read
            logger.warning("lifesign: warning: [http] keeps what it has: %s", error)
        return changes

    def view(self, names: Iterable[str] | None = None) -> MonitorView:
        """The state at this moment; with `names`, of the components only these."""
        view = self._engine.view(names)
        return view if self._alerter is None else self._alerter.with_addresses(view)

    def changes(self, known: Known, names: Iterable[str] | None = None, *, ages: bool = True) -> Changes:
        """What became of views that somebody has."""
        changes = self._monitor.changes(self._clocks(), known, names, ages=ages)
        return changes if self._alerter is None else self._alerter.addressed(changes)

    def outdated(self, known: Known, *, ages: bool = True) -> Sequence[str]:
        """Of which components there may be changes."""
        return self._monitor.outdated(self._clocks(), known, ages=ages)

    def glance(self) -> tuple[ComponentGlance, ...]:
        """The least of every component at this moment."""
        return self._engine.glance()

    def states(self) -> dict[str, ComponentState]:
        """The state of every component at this moment."""
        return {name: component.state for name, component in self._engine.monitor.components.items()}

    def info(self) -> MonitorInfo:
        """The monitor itself."""
        return monitor_info(
            self._config.monitor.name,
            self._mode,
            self._started,
            self._clocks(),
            self._engine,
            writable=self._keeper.writable and self._recorder.writable,
            config=self._reloader.info,
            outbox=None if self._alerter is None else self._alerter.outbox_info,
        )

    def tallies(self) -> Tallies:
        """What was counted since our start."""
        return self._teller.tally.frozen()

    async def probe(self, component: str, author: str) -> None:
        """Looks at every check of `component` now."""
        if self._engine.monitor.components[component].operations.paused is not None:
            raise NotPossibleError(f"{component} is paused: nobody looks at it")
        self._teller.tell(EventName.OPERATOR_ACTION, f"{author} asked for a check now", component=component)
        await self._engine.look_now(component)

    def act(self, command: OperatorCommand) -> None:
        """Carries out what an operator asks for."""
        self._engine.command(command)

    def push(self, component: str, token: str | None, observation: Observation) -> bool:
        """Gives a beat to the push checks that `token` opens."""
        for check in (checks := self._beats.accept(component, token, observation)):
            self._engine.wake(check)
        return bool(checks)

    def started(self, component: str, token: str | None) -> bool:
        """A job has begun; there is nothing to observe yet."""
        return bool(self._beats.opened_by(component, token))
