"""Planted mutants of the rules that the shell keeps (R10, R11, R14): with a rule taken out, its trial is not passed.

A signal that would leave is only noted here, so that not even a mutant hurts anybody.
"""

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lifesign.core.model import Identity
from lifesign.processes.stat import Stat
from lifesign.restarts import held
from lifesign.restarts import signal as restart_by_signal
from lifesign.restarts.claims import Claim
from lifesign.restarts.container_state import Container
from lifesign.restarts.docker import DockerRestarter
from lifesign.restarts.held import HeldProcess
from lifesign.restarts.ledger import Ledger
from lifesign.restarts.restarter import HandsOffError, Hint, Restarter
from lifesign.restarts.signal import SignalRestarter
from lifesign.restarts.systemd import SystemdRestarter
from lifesign.restarts.unit_state import Unit
from tests.checks.strangers import state_of, wait_until
from tests.restarts.fake_docker import FakeDocker
from tests.restarts.fake_systemctl import install, stopped
from tests.restarts.targets import age, identity_of, pidfile, worker

Plant = Callable[[pytest.MonkeyPatch], None]
Trial = Callable[[Path, pytest.MonkeyPatch], bool]
SECOND_NS = 1_000_000_000


def replaced(owner: Any, name: str, value: object) -> Plant:
    return lambda patch: patch.setattr(owner, name, value)


def attempt(restarter: Restarter, hint: Hint = Hint()) -> bool:  # noqa: B008 - it is frozen
    """Whether a deed was done."""

    async def both() -> None:
        await restarter.send(await restarter.target(hint))

    try:
        asyncio.run(both())
    except HandsOffError:
        return False
    return True


def kin(folder: Path, patch: pytest.MonkeyPatch) -> bool:
    return any(attempt(SignalRestarter(), Hint(identity_of(pid))) for pid in (os.getpid(), os.getppid()))


def a_reused_number(folder: Path, patch: pytest.MonkeyPatch) -> bool:
    with worker(folder) as pid:
        began = identity_of(pid).started_at
        assert began is not None
        return attempt(SignalRestarter(), Hint(Identity(pid, began - 10)))


def a_pidfile_from_before(folder: Path, patch: pytest.MonkeyPatch) -> bool:
    with worker(folder) as pid:
        age(pidfile(folder, pid), 3_600)
        return attempt(SignalRestarter(pidfile=folder / "worker.pid"))


def not_what_the_check_describes(folder: Path, patch: pytest.MonkeyPatch) -> bool:
    with worker(folder) as pid:
        return attempt(SignalRestarter(), Hint(identity_of(pid), matches=lambda _: False))


def stopped_by_a_human(folder: Path, patch: pytest.MonkeyPatch) -> bool:
    with worker(folder) as pid:
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: state_of(pid) == "T")
        return attempt(SignalRestarter(), Hint(identity_of(pid)))


def a_unit_that_was_stopped(folder: Path, patch: pytest.MonkeyPatch) -> bool:
    state = install(folder, {"it.service": stopped()})
    patch.setenv("PATH", f"{folder}/bin:{os.environ['PATH']}")
    attempt(SystemdRestarter("it"))
    return any("start -- " in asked for asked in json.loads(state.read_text())["asked"])


def a_container_that_was_stopped(folder: Path, patch: pytest.MonkeyPatch) -> bool:
    engine, path = FakeDocker(), folder / "docker.sock"
    patch.setenv("DOCKER_HOST", f"unix://{path}")
    engine.run("mind")
    engine.stop("mind", 0)

    async def both() -> None:
        async with engine.serving(path):
            restarter = DockerRestarter("mind")
            await restarter.send(await restarter.target(Hint()))

    try:
        asyncio.run(both())
    except HandsOffError:
        return False
    return any(not asked.startswith("GET ") for asked in engine.asked)


def a_budget_that_two_monitors_share(folder: Path, patch: pytest.MonkeyPatch) -> bool:
    """Whether more than two of six were granted."""
    monitors = [Ledger("unit", monitor=str(n), folder=folder / "ledgers", boot_id="boot") for n in (1, 2)]
    moments = range(SECOND_NS, 4 * SECOND_NS, SECOND_NS)
    return sum(one.spend(2, 3_600, now_ns) for now_ns in moments for one in monitors) > 2


def _running(pid: int) -> Stat:
    return _honest_stat(pid)._replace(state="S")


_honest_stat = held._stat

MUTANTS: dict[str, tuple[Trial, Plant]] = {
    "R10 our own kin": (kin, replaced(held, "refuse_kin", lambda *_, **__: None)),
    "R10 start time": (a_reused_number, replaced(restart_by_signal, "_is_same_life", lambda *_: True)),
    "R10 age and owner of a pidfile": (a_pidfile_from_before, replaced(Claim, "prove", lambda *_: None)),
    "R10 the process check": (not_what_the_check_describes, replaced(HeldProcess, "prove", lambda *_: None)),
    "R11 a process stopped by a signal": (stopped_by_a_human, replaced(held, "_stat", _running)),
    "R11 a unit that somebody stopped": (a_unit_that_was_stopped, replaced(Unit, "refuse", lambda *_: None)),
    "R11 a container that somebody stopped": (
        a_container_that_was_stopped, replaced(Container, "refusal", lambda *_: "")),
    "R14 the others' restarts": (a_budget_that_two_monitors_share, replaced(Ledger, "_read", lambda *_: ([], False))),
}  # fmt: skip


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Who would have got a signal."""
    pids: list[int] = []
    monkeypatch.setattr(HeldProcess, "send", lambda process, _: pids.append(process.identity.pid))
    return pids


@pytest.mark.usefixtures("noted")
@pytest.mark.parametrize("rule", list(MUTANTS))
def test_a_rule_is_kept_and_one_that_is_off_is_noticed(
    rule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial, plant = MUTANTS[rule]
    honest, mutant = tmp_path / "honest", tmp_path / "mutant"
    honest.mkdir()
    mutant.mkdir()
    assert not trial(honest, monkeypatch)
    plant(monkeypatch)
    assert trial(mutant, monkeypatch), f"nobody noticed: {rule}"


def test_a_trial_that_passes_a_signal_on_notes_it(tmp_path: Path, noted: list[int]) -> None:
    with worker(tmp_path) as pid:
        assert attempt(SignalRestarter(), Hint(identity_of(pid)))
        assert noted == [pid]
