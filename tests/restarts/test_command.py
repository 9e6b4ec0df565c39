"""Restart by a command of the user's own: each way in which it can go wrong is one clear sentence."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from lifesign.core.model import Identity
from lifesign.restarts.command import CommandRestarter
from lifesign.restarts.restarter import HandsOffError, Hint, RestartFailedError
from tests.checks.strangers import state_of, wait_until

PYTHON = [sys.executable, "-I", "-S", "-c"]


def restart(restarter: CommandRestarter) -> str:
    async def both() -> str:
        return await restarter.send(await restarter.target(Hint()))

    return asyncio.run(both())


def failure(code: str, patience_s: float = 30) -> str:
    with pytest.raises(RestartFailedError) as caught:
        restart(CommandRestarter([*PYTHON, code], patience_s=patience_s))
    words = str(caught.value)
    assert "\n" not in words
    return words.removeprefix(f"command {sys.executable} ")


def test_a_command_that_does_its_work_is_told_with_its_exit_code(tmp_path: Path) -> None:
    done = restart(
        CommandRestarter([*PYTHON, "import sys; open(sys.argv[1], 'w')", tmp_path.joinpath("deed").name], cwd=tmp_path)
    )
    assert done == f"command {sys.executable} ended with exit code 0"
    assert (tmp_path / "deed").exists()


def test_to_ask_for_the_target_runs_nothing(tmp_path: Path) -> None:
    restarter = CommandRestarter([*PYTHON, "open('deed', 'w')"], cwd=tmp_path)
    seen = Identity(4242, 1.5)
    target = asyncio.run(restarter.target(Hint(seen)))
    assert (target.words, target.identity) == (f"command {sys.executable}", seen)
    assert asyncio.run(restarter.target(Hint(seen, tmp_path / "heartbeat"))).identity is None
    assert asyncio.run(restarter.current()) is None
    assert not (tmp_path / "deed").exists()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys; sys.exit(3)", "ended with exit code 3"),
        ("import sys; print('no such unit', file=sys.stderr); sys.exit(1)", "ended with exit code 1: no such unit"),
        ("import sys; print('one\\ntwo'); sys.exit(1)", "ended with exit code 1: two"),
        ("import sys; print('\\x1b[2Jevil'); sys.exit(1)", "ended with exit code 1: \ufffd[2Jevil"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "was ended by signal 11"),
    ],
)
def test_a_command_that_fails_is_told_in_its_own_last_words(code: str, words: str) -> None:
    assert failure(code) == words


def test_a_command_that_hangs_is_killed_with_all_its_children(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
        "time.sleep(600)"
    )
    began = time.monotonic()
    assert failure(code, patience_s=2) == "did not end in 2s and was killed"
    assert time.monotonic() - began < 60
    pid = int((tmp_path / "pid").read_text())
    wait_until(lambda: state_of(pid) in ("", "Z"))


def test_a_command_that_prints_for_ever_is_ended() -> None:
    words = failure("while True: print('x' * 1000)")
    assert words.startswith("was ended by signal 9, after more output than anybody reads: x")
    assert len(words) < 400


def test_a_command_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(RestartFailedError, match=r"^cannot start no-such-restarter: No such file or directory$"):
        restart(CommandRestarter(["no-such-restarter"]))
    with pytest.raises(RestartFailedError, match=r"^cannot enter .*/none: No such file or directory$"):
        restart(CommandRestarter(PYTHON, cwd=tmp_path / "none"))


def test_no_argument_is_read_by_a_shell(tmp_path: Path) -> None:
    restart(CommandRestarter([*PYTHON, "", "; touch deed", "$(touch deed)"], cwd=tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_its_secrets_reach_it_and_no_message(tmp_path: Path) -> None:
    code = "import os, sys; print(os.environ['TOKEN'], os.environ['PLAIN'], os.environ.get('SECRET')); sys.exit(1)"
    os.environ["SECRET"] = "of ours"
    try:
        restarter = CommandRestarter([*PYTHON, code], env={"TOKEN": lambda: "canary-in-env", "PLAIN": "plain"})
        with pytest.raises(RestartFailedError) as caught:
            restart(restarter)
    finally:
        del os.environ["SECRET"]
    assert str(caught.value).endswith("exit code 1: [redacted] plain None")


def test_a_secret_that_cannot_be_read_runs_nothing(tmp_path: Path) -> None:
    def missing() -> str:
        raise ValueError("$TOKEN is not set")

    restarter = CommandRestarter([*PYTHON, "open('deed', 'w')"], env={"TOKEN": missing}, cwd=tmp_path)
    with pytest.raises(HandsOffError, match=r"was not run: \$TOKEN is not set$"):
        restart(restarter)
    assert not (tmp_path / "deed").exists()


def test_when_it_is_cancelled_no_process_of_it_is_left(tmp_path: Path) -> None:
    code = "import os, time; open('pid', 'w').write(str(os.getpid())); os.rename('pid', 'started'); time.sleep(600)"

    async def cancelled() -> int:
        restarter = CommandRestarter([*PYTHON, code], cwd=tmp_path)
        task = asyncio.create_task(restarter.send(await restarter.target(Hint())))
        await asyncio.to_thread(wait_until, (tmp_path / "started").exists)
        task.cancel()
        await asyncio.wait((task,))
        return int((tmp_path / "started").read_text())

    pid = asyncio.run(cancelled())
    assert state_of(pid) == ""
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIG_DFL)


def test_what_a_command_has_started_lives_on_after_its_exit_code_0_and_only_then(tmp_path: Path) -> None:
    for code, lives in ((0, True), (3, False)):
        pid = tmp_path / f"pid{code}"
        script = f"sleep 600 >/dev/null 2>&1 & echo $! >{pid}; exit {code}"
        made = CommandRestarter(["sh", "-c", script])
        with contextlib.suppress(RestartFailedError):
            restart(made)
        started = int(pid.read_text())
        try:
            if lives:
                assert state_of(started) in ("S", "R", "D")
            else:
                wait_until(partial(has_ended, started))
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(started, signal.SIGKILL)


def has_ended(pid: int) -> bool:
    return state_of(pid) in ("", "Z")
