"""The faults, and how a user of each program would have it watch for them, by its own manual.

lifesign's config is the recipe's own. Monit gets the best check that it has, of the same limits. Supervisor watches
nothing but the life of its own program, so that is what befalls it; superlance's plugins are no part of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tests.comparison import faults
from tests.faults.recipe import Recipe
from tests.faults.recipes import (
    heartbeat_no_work,
    heartbeat_stuck_counter,
    monitor_starved,
    net_drip,
    net_redirect_loop,
    net_refused,
    net_silent_port,
    net_status_500,
    net_wrong_body,
    pidfile_reused,
    process_crash_loop,
    process_killed,
    process_stopped,
    process_zombie,
    source_syntax_error,
)

Supervised = Literal["kill", "stop", "crash"]
LIMIT_S = 1  # of a connection, for both


@dataclass(frozen=True, slots=True)
class Case:
    """`monit`: its checks, from the recipe. `supervised`: what befalls Supervisor's program; None: it is blind."""

    title: str
    fault: type[Recipe]
    monit: Callable[[Any], str]
    supervised: Supervised | None = None
    must_tell: bool = True
    patience_s: float = 20.0


def _process(it: Any, more: str = "") -> str:
    return f'check process it matching "{it.word}"\n  if not exist for 3 cycles then alert\n{more}'


def _pidfile(it: Any) -> str:
    return f"check process it with pidfile {it.pidfile}\n  if not exist for 3 cycles then alert\n"


def _file(path: object, limit_s: int, more: str = "") -> str:
    return f"check file it_beat with path {path}\n  if timestamp > {limit_s} seconds then alert\n{more}"


def _port(port: int, how: str = "", name: str = "it") -> str:
    return (
        f"check host {name} with address 127.0.0.1\n"
        f"  if failed port {port} {how} with timeout {LIMIT_S} seconds for 3 cycles then alert\n"
    )


def _web(it: Any) -> str:
    return _port(it.port, 'protocol http request "/" content = "yes"')


def _worker(it: Any, limit_s: int = 8) -> str:
    marker, port = it.worker.word, it.worker.port
    process = f'check process it matching "{marker}"\n  if not exist for 3 cycles then alert\n'
    return process + _file(it.worker.beat, limit_s) + _port(port, name="it_port")


def _beside_hung(it: Any) -> str:
    hung = (
        f"check host beside{number} with address 127.0.0.1\n  if failed port {server.port} protocol http"
        " with timeout 5 seconds for 3 cycles then alert\n"
        for number, server in enumerate(it.hung)
    )
    return "".join(hung) + _port(it.port)


def _source(it: Any) -> str:
    program = f'"/usr/bin/python3 -m py_compile {it.folder / "a.py"}"'
    return f"check program it with path {program}\n  if status != 0 for 3 cycles then alert\n"


_NUMBER = """  if content != '"timestamp": [0-9]' then alert\n"""
_PIDS = "  if changed pid 2 times within 10 cycles then alert\n"

CASES = (
    Case("process killed", process_killed.Fault, _process, "kill"),
    Case("process killed, its parent does not reap it", process_zombie.Fault, _pidfile, "kill"),
    Case("up and dead in 2 s, for ever", process_crash_loop.Fault, lambda it: _process(it, _PIDS), "crash"),
    Case("pidfile names a later process of another program", pidfile_reused.Fault, _pidfile),
    Case("process hangs (SIGSTOP)", process_stopped.Fault, lambda it: _worker(it, 3), "stop"),
    Case("process lives, no work is finished", heartbeat_no_work.Fault, lambda it: _file(it.path, 3)),
    Case("fresh timestamps, the counter rests", heartbeat_stuck_counter.Fault, lambda it: _file(it.path, 3)),
    Case("heartbeat says NaN", faults.NotANumber, lambda it: _file(it.path, 300, _NUMBER)),
    Case("hangs as the clock is set an hour back", faults.HungAsClockGoesBack, _worker, patience_s=30),
    Case("port closed", net_refused.Fault, lambda it: _port(it.port)),
    Case("port accepts and says nothing", net_silent_port.Fault, lambda it: _port(it.port, 'expect "yes"')),
    Case("port closed beside three hung servers", faults.BesideHung, _beside_hung, patience_s=90),
    Case("HTTP 500", net_status_500.Fault, _web),
    Case("HTTP one byte each 0.3 s", net_drip.Fault, _web),
    Case("HTTP 200 with the wrong body", net_wrong_body.Fault, _web),
    Case("HTTP redirects to itself", net_redirect_loop.Fault, _web),
    Case("syntax error in the source", source_syntax_error.Fault, _source),
    Case("one bad answer, then good ones", faults.Blip, _web, must_tell=False),
    Case(
        "restarted, first work after 8 s (limit 4 s)",
        faults.SlowStart,
        lambda it: _process(it) + _file(it.path, 4),
        must_tell=False,
    ),
    Case("clock set an hour on", faults.HourOn, _worker, must_tell=False),
    Case("monitor stopped for 20 s", faults.Stopped, _worker, must_tell=False),
    Case("all suspended for 20 s, monitor awake first", faults.Suspended, _worker, must_tell=False),
    Case("monitor starved of CPU for 20 s", monitor_starved.Fault, _worker, must_tell=False),
)
