"""The daemon: one engine with its API, journal and log. It is also what a console runs as its child."""

import asyncio
import contextlib
import gc
import logging
import os
import platform
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from lifesign import __version__
from lifesign.api.address import prepare_socket_path
from lifesign.api.documents import EventDocument, MonitorInfo
from lifesign.api.journal import Journal
from lifesign.api.render import event_document, event_line
from lifesign.bootstrap.beats import Beats
from lifesign.bootstrap.keeping import Keeper
from lifesign.bootstrap.probes import probe_factory
from lifesign.bootstrap.state_folder import StateFolder
from lifesign.checks.files import signature
from lifesign.checks.mounts import may_hang
from lifesign.config import Config
from lifesign.config.load import no_passphrase
from lifesign.core.commands import NotPossibleError, OperatorCommand
from lifesign.core.events import Event, EventName
from lifesign.core.memory import MonitorMemory, removed
from lifesign.core.model import CheckId, Observation
from lifesign.core.monitor import Monitor
from lifesign.core.spec import MonitorSpec
from lifesign.core.view import MonitorView
from lifesign.engine.clock import read_clocks
from lifesign.engine.engine import Engine
from lifesign.engine.files import FileSweep
from lifesign.engine.log import LineLog
from lifesign.engine.looking import Looks
from lifesign.engine.notify import ServiceManager
from lifesign.text import format_timestamp, redact

if TYPE_CHECKING:
    from lifesign.api.server import ApiServer

LAST_RESORT_S = 4.5  # SIGTERM ends everything within 5 s, whatever hangs (reliability.md, P5)

logger = logging.getLogger(__name__)

Mode = Literal["daemon", "console"]


class Daemon:
    """Serves one config until it is told to stop. It is the API's backend."""

    def __init__(self, config: Config, *, mode: Mode, log: LineLog, log_format: str, folder: StateFolder) -> None:
        self._config = config
        self._mode: Mode = mode
        self._log = log
        self._log_format = log_format
        self._folder = folder
        self._journal = Journal()
        self._manager = ServiceManager()
        self._started = read_clocks()
        self._stop = asyncio.Event()
        self._secrets = [secret.reveal() for secret in config.secrets]
        self._beats = Beats(config)
        history_s = config.monitor.history_s
        self._keeper = Keeper(folder.path if folder.held else None, history_s=history_s, announce=self._announce)
        self._memory, events = self._keeper.recall()
        for document in events:
            self._journal.append(document)
        self._engine = self._make_engine()

    def _make_engine(self) -> Engine:
        components = self._config.components
        checks = {CheckId(c.spec.name, check.spec.name): check for c in components for check in c.checks}
        makers = {check_id: probe_factory(check) for check_id, check in checks.items()}
        looks = Looks(
            {**makers, **self._beats.makers},
            {check_id: check.spec.timeout_ns for check_id, check in checks.items()},
            self._secrets,
        )
        spec = MonitorSpec(tuple(component.spec for component in components), seed=os.getpid())
        monitor = Monitor(spec, self._started, self._memory)
        return Engine(monitor, looks, record=self._record, after_round=self._manager.round_finished)

    async def serve(self, socket: Path | None = None) -> None:
        """Watches and serves until `stop`. `socket`: listen there and nowhere else (a console's own engine)."""
        from lifesign.api.server import ApiServer

        server = ApiServer(self, self._journal)
        self._keeper.follow(self._engine.monitor)
        try:
            await self._listen(server, socket)
            await self._watch()
        finally:
            await self._keeper.close()
            await server.close()
            self._log.close()

    async def _watch(self) -> None:
        self._tell(EventName.MONITOR_STARTED, _watching(self._config))
        self._end_what_was_removed()
        keeper = asyncio.create_task(self._keeper.run(), name="keeper")
        gc.collect()
        gc.freeze()  # what the config made stays for good: no collection need walk it again
        engine = asyncio.create_task(self._engine.run(self._sweep()), name="engine")
        stopped = asyncio.create_task(self._stop.wait(), name="stop")
        self._manager.ready()
        try:
            await asyncio.wait({engine, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if engine.done():
                engine.result()
        finally:
            self._manager.stopping()
            self._tell(EventName.MONITOR_STOPPED, "stopped")
            for task in (keeper, stopped, engine):
                task.cancel()
            await asyncio.wait({keeper, engine, stopped})

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

    def _sweep(self) -> FileSweep:
        paths = {
            CheckId(component.spec.name, check.spec.name): getattr(check.options, "path")  # noqa: B009  by check type
            for component in self._config.components
            for check in component.checks
            if check.spec.type in ("heartbeat", "log")
        }
        return FileSweep(paths, wake=self._engine.wake, signature=signature, may_hang=may_hang)

    async def _listen(self, server: "ApiServer", socket: Path | None) -> None:
        if socket is not None:
            await server.start_unix(socket)
            return
        if self._folder.writable:
            group = self._config.monitor.socket_group
            await server.start_unix(prepare_socket_path(self._folder.path), group)
        if self._config.http is not None:
            await self._listen_on_tcp(server)

    async def _listen_on_tcp(self, server: "ApiServer") -> None:
        http = self._config.http
        assert http is not None
        context = None
        if http.certificate is not None and http.key is not None:
            import ssl

            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(http.certificate, http.key, password=no_passphrase)
        token = http.token.reveal() if http.token else None
        try:
            await server.start_tcp(
                http.host, http.port, token=token, allowed_hosts=http.allowed_hosts, ssl_context=context
            )
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            raise OSError(error.errno, f"[http] listen = {http.host}:{http.port}: {why}") from None

    def view(self) -> MonitorView:
        """The state at this moment."""
        return self._engine.view()

    def info(self) -> MonitorInfo:
        """The monitor itself."""
        now = read_clocks()
        return MonitorInfo(
            name=self._config.monitor.name,
            host=platform.node(),
            version=__version__,
            pid=os.getpid(),
            mode=self._mode,
            started_at=format_timestamp(self._started.wall_ns),
            uptime_s=round((now.mono_ns - self._started.mono_ns) / 1e9, 3),
            loop_lag_ms=round(self._engine.loop_lag_ms, 3),
            last_round_age_s=round(self._engine.last_round_age_s(), 3),
            observer=self._engine.monitor.observer.value,
            state_writable=self._keeper.writable,
        )

    async def probe(self, component: str, author: str) -> None:
        """Looks at every check of `component` now."""
        if self._engine.monitor.components[component].operations.paused is not None:
            raise NotPossibleError(f"{component} is paused: nobody looks at it")
        self._tell(EventName.OPERATOR_ACTION, f"{author} asked for a check now", component=component)
        await self._engine.look_now(component)

    def act(self, command: OperatorCommand) -> None:
        """Carries out what an operator asks for."""
        self._engine.command(command)

    def push(self, component: str, token: str | None, observation: Observation) -> bool:
        """Gives a beat to the push checks that `token` opens."""
        checks = self._beats.accept(component, token, observation)
        for check in checks:
            self._engine.wake(check)
        return bool(checks)

    def started(self, component: str, token: str | None) -> bool:
        """A job has begun; there is nothing to observe yet."""
        return bool(self._beats.opened_by(component, token))

    def _tell(self, name: EventName, message: str, component: str | None = None) -> None:
        self._record(Event(name, read_clocks().wall_ns, component=component, message=message))

    def _record(self, event: Event) -> None:
        document = event_document(event, self._config.monitor.name)
        if self._secrets and document.message:
            document = msgspec.structs.replace(document, message=redact(document.message, self._secrets))
        self._keeper.record(document)

    def _announce(self, document: EventDocument) -> None:
        self._journal.append(document)
        self._log.write(self._line(document), dropped=self._dropped_line)

    def _line(self, document: EventDocument) -> str:
        if self._log_format == "json":
            return msgspec.json.encode(document).decode()
        return event_line(document)

    def _dropped_line(self, count: int) -> str:
        now = format_timestamp(read_clocks().wall_ns)
        words = f"{count} events were not logged: the log could not be written fast enough"
        document = EventDocument(ts=now, level="ERROR", event="operator.action", message=words)
        return self._line(document)


def serve(daemon: Daemon, *, socket: Path | None = None, until_stdin_ends: bool = False) -> None:
    """Runs `daemon` on an event loop of its own until SIGTERM, SIGINT or SIGHUP, or until standard input ends."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, daemon.stop)
        if until_stdin_ends:
            loop.add_reader(sys.stdin.fileno(), _read_stdin, daemon)
        await daemon.serve(socket)

    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(main())


def _read_stdin(daemon: Daemon) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        daemon.stop()


def _watching(config: Config) -> str:
    count = len(config.components)
    where = config.http and f" and on {config.http.host}:{config.http.port}"
    folder = config.monitor.state_dir
    return (
        f"watching {count} component{'s' if count != 1 else ''}; state in {folder}, the API on its socket{where or ''}"
    )
