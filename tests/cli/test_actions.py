"""The operator's commands against a real server: what reaches it, what is printed, and the exit codes."""

import asyncio
import io
import os
import pwd
from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path

import pytest

from lifesign.api.operator import operator_name
from lifesign.cli import _run
from lifesign.core import commands
from lifesign.core.commands import NotPossibleError, OperatorCommand
from lifesign.core.restart import Outcome, Phase, RestartRecord
from lifesign.core.spec import RestartSpec
from lifesign.core.view import ComponentView, MonitorView, NoticeView, RestartView
from tests.api.fakes import AT_WALL_NS, FakeBackend, component, monitor
from tests.api.serving import serving

US = pwd.getpwuid(os.getuid()).pw_name
ALICE = f"alice ({US})"
MINUTE_NS = 60 * 10**9


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "lifesign.toml"
    path.write_text(
        '[monitor]\nname = "t"\nstate_dir = "."\n'
        '[components.gateway.checks.port]\ntype = "tcp"\naddress = "127.0.0.1:9"\n'
    )
    path.chmod(0o600)
    return str(path)


async def lifesign(*words: str) -> tuple[int, str, str]:
    """Runs the command as alice, who became us by sudo: exit code, standard output, standard error."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = await asyncio.to_thread(_run, [*words])
    return code, out.getvalue(), err.getvalue()


@pytest.fixture(autouse=True)
def alice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "alice")


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (
            ["silence", "gateway", "90m", "--reason", "vendor outage"],
            commands.Silence("gateway", ALICE, 90 * MINUTE_NS, "vendor outage"),
        ),
        (["silence", "gateway", "60", "--reason", "x"], commands.Silence("gateway", ALICE, MINUTE_NS, "x")),
        (["unsilence", "gateway"], commands.Unsilence("gateway", ALICE)),
        (["hold", "gateway", "10m", "--reason", "deploy"], commands.Hold("gateway", ALICE, 10 * MINUTE_NS, "deploy")),
        (["hold", "--all", "10m", "--reason", "deploy"], commands.Hold(None, ALICE, 10 * MINUTE_NS, "deploy")),
        (["release", "gateway"], commands.Release("gateway", ALICE)),
        (["release", "--all"], commands.Release(None, ALICE)),
        (["ack", "gateway", "--reason", "on it"], commands.Acknowledge("gateway", ALICE, "on it")),
        (["pause", "gateway", "--reason", "moving"], commands.Pause("gateway", ALICE, "moving")),
        (["resume", "gateway"], commands.Resume("gateway", ALICE)),
        (["rearm", "gateway"], commands.Rearm("gateway", ALICE)),
        (["restart", "gateway", "--no-wait"], commands.RestartNow("gateway", ALICE)),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
async def test_a_command_is_done_and_told_in_one_line(
    tmp_path: Path, config: str, words: list[str], command: OperatorCommand
) -> None:
    async with serving(tmp_path) as served:
        code, out, err = await lifesign(words[0], "-c", config, *words[1:])
        assert (code, err, out.count("\n")) == (0, "", 1)
        assert served.backend.acted == [command]


@pytest.mark.parametrize("word", ["unsilence", "release", "ack", "pause", "resume", "rearm", "restart"])
async def test_what_is_refused_is_1_with_the_reason_and_what_does_not_exist_names_the_nearest(
    tmp_path: Path, config: str, word: str
) -> None:
    async with serving(tmp_path) as served:
        served.backend.refusal = NotPossibleError("not now: a restart is under way")
        code, out, err = await lifesign(word, "-c", config, "gateway")
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert "not now: a restart is under way" in err
        code, out, err = await lifesign(word, "-c", config, "gatewy")
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert "did you mean gateway?" in err


@pytest.mark.parametrize(
    "words",
    [
        ["silence", "gateway", "10m"],
        ["silence", "gateway", "--reason", "x"],
        ["silence", "gateway", "soon", "--reason", "x"],
        ["silence", "gateway", "-5", "--reason", "x"],
        ["silence", "gateway", "0", "--reason", "x"],
        ["silence", "gateway", "10m", "--reason", " "],
        ["hold", "gateway", "--reason", "x"],
        ["hold", "--all", "gateway", "10m", "--reason", "x"],
        ["hold", "--all", "10m"],
        ["hold", "--all", "ever", "--reason", "x"],
        ["release"],
        ["release", "--all", "gateway"],
        ["ack"],
        ["restart"],
    ],
    ids="-".join,
)
async def test_what_is_not_said_properly_is_2_and_nothing_is_done(
    tmp_path: Path, config: str, words: list[str]
) -> None:
    async with serving(tmp_path) as served:
        code, out, err = await lifesign(words[0], "-c", config, *words[1:])
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert served.backend.acted == []


async def test_without_a_daemon_it_is_1_with_one_line(config: str) -> None:
    code, out, err = await lifesign("hold", "-c", config, "--all", "1m", "--reason", "x")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "no daemon answers" in err


async def test_a_silence_tells_until_when_by_whom_and_why(tmp_path: Path, config: str) -> None:
    notice = NoticeView(ALICE, "vendor outage", AT_WALL_NS, AT_WALL_NS + 60 * MINUTE_NS)
    async with serving(tmp_path) as served:
        served.backend.shown = monitor(replace(component(), silence=notice))
        _, out, _ = await lifesign("silence", "-c", config, "gateway", "1h", "--reason", "vendor outage")
        assert out == f"gateway: silenced until 2026-11-21T15:03:22.123Z by {ALICE}: vendor outage\n"


# --- a restart is a transaction ---


def restarting(phase: Phase, *history: RestartRecord, withheld: str = "") -> ComponentView:
    plain = component()
    view = RestartView(phase, 0, 5, None, None, withheld, history)
    return replace(plain, spec=replace(plain.spec, restart=RestartSpec("signal")), restart=view)


OLD = RestartRecord(attempt=6, at_wall_ns=AT_WALL_NS, automatic=True, outcome=Outcome.UNPRODUCTIVE)
BEGUN = RestartRecord(attempt=7, at_wall_ns=AT_WALL_NS, automatic=False, author=ALICE)
SENT = replace(BEGUN, words="SIGTERM to pid 41", pid_before=41)
RENEWED = replace(SENT, pid_after=52, process_after_s=1.34)
WORKED = replace(RENEWED, work_after_s=4.05, outcome=Outcome.PRODUCTIVE)
IN_VAIN = replace(RENEWED, outcome=Outcome.UNPRODUCTIVE)
FAILED = replace(BEGUN, words="the command ended with 1", outcome=Outcome.FAILED)


class Theatre(FakeBackend):
    """Shows one act after the other once a restart was asked for, each until it has been looked at twice."""

    def begin(self, *acts: ComponentView) -> None:
        """Before the restart: the component with its old restart."""
        self.shown = monitor(restarting(Phase.IDLE, OLD))
        self._acts = [monitor(act) for act in acts for _ in range(2)]

    def view(self, names: Iterable[str] | None = None) -> MonitorView:
        if self.acted and self._acts:
            self.shown = self._acts.pop(0)
        return super().view(names)


@pytest.mark.parametrize(
    ("acts", "code", "lines"),
    [
        (
            [
                restarting(Phase.RESTARTING, OLD, BEGUN),
                restarting(Phase.VERIFYING, OLD, SENT),
                restarting(Phase.VERIFYING, OLD, RENEWED),
                restarting(Phase.IDLE, OLD, WORKED),
            ],
            0,
            ["SIGTERM to pid 41", "new process 52 after 1.3 s", "first work after 4.0 s: it works again"],
        ),
        (
            [restarting(Phase.VERIFYING, OLD, RENEWED), restarting(Phase.BACKOFF, OLD, IN_VAIN)],
            1,
            ["SIGTERM to pid 41", "new process 52 after 1.3 s", "no work in time: unproductive"],
        ),
        ([restarting(Phase.BACKOFF, OLD, FAILED)], 1, ["the command ended with 1", "the restart failed"]),
    ],
    ids=["productive", "unproductive", "failed"],
)
async def test_a_restart_is_told_step_by_step_and_waited_for(
    tmp_path: Path, config: str, acts: list[ComponentView], code: int, lines: list[str]
) -> None:
    theatre = Theatre()
    theatre.begin(*acts)
    async with serving(tmp_path, backend=theatre):
        found, out, err = await lifesign("restart", "-c", config, "gateway", "--reason", "it hangs")
        assert (found, err) == (code, "")
        first, _, rest = out.partition("\n")
        assert first.startswith("gateway: restart by signal")
        assert first.endswith(" (it hangs)")
        assert rest == "".join(f"gateway: {line}\n" for line in lines)
        assert theatre.acted == [commands.RestartNow("gateway", ALICE, "it hangs")]


async def test_a_restart_that_was_withheld_is_1_with_the_reason(tmp_path: Path, config: str) -> None:
    async with serving(tmp_path) as served:
        served.backend.shown = monitor(restarting(Phase.IDLE, OLD, withheld="a human stopped mind.service"))
        code, out, err = await lifesign("restart", "-c", config, "gateway")
        assert (code, out) == (1, "")
        assert err == "lifesign: a human stopped mind.service\n"


# --- who asks ---


def test_the_human_signs_and_not_whom_they_became() -> None:
    def no_terminal() -> str:
        raise OSError(25, "Inappropriate ioctl for device")

    assert operator_name({"SUDO_USER": "alice"}, lambda: "bob") == "alice"
    assert operator_name({}, lambda: "bob") == "bob"
    assert operator_name({"SUDO_USER": ""}, no_terminal) == US
