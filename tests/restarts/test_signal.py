"""Restart by signal on real processes: the right one gets it, and nobody else ever does."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from lifesign.core.model import Identity
from lifesign.restarts.held import HeldProcess
from lifesign.restarts.restarter import HandsOffError, Hint, Target
from lifesign.restarts.signal import SignalRestarter
from tests.checks.strangers import state_of, stranger, wait_until
from tests.restarts.targets import age, deaf_worker, identity_of, pidfile, seen, slow_worker, worker

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make processes and files of somebody else")
T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def refused(restarter: SignalRestarter, hint: Hint = Hint()) -> str:  # noqa: B008 - it is frozen
    """Why the target is left alone."""
    with pytest.raises(HandsOffError) as caught:
        run(restarter.target(hint))
    words = str(caught.value)
    assert "\n" not in words
    return words


def restart(restarter: SignalRestarter, hint: Hint = Hint()) -> str:  # noqa: B008 - it is frozen
    async def both() -> str:
        return await restarter.send(await restarter.target(hint))

    return run(both())


def gone(pid: int) -> bool:
    return state_of(pid) in ("", "Z")


def test_the_process_that_a_check_saw_gets_the_signal(tmp_path: Path) -> None:
    with worker(tmp_path) as pid:
        target = run(SignalRestarter().target(seen(pid)))
        assert target.identity == identity_of(pid)
        assert target.words == f"pid {pid} ({Path(sys.executable).name})"
        assert restart(SignalRestarter(), seen(pid)) == f"SIGTERM to {target.words}"
        wait_until(lambda: gone(pid))


def test_to_ask_for_the_target_changes_nothing(tmp_path: Path) -> None:
    with worker(tmp_path) as pid:
        run(SignalRestarter(escalate_s=0.001).target(seen(pid)))
        time.sleep(0.1)  # nothing to wait for: it must stay as it is
        assert not gone(pid)


def test_another_signal_can_be_asked_for_but_never_sigkill(tmp_path: Path) -> None:
    with worker(tmp_path) as pid:
        assert restart(SignalRestarter(signal="SIGINT"), seen(pid)).startswith("SIGINT to ")
        wait_until(lambda: gone(pid))
    for never in ("SIGKILL", "SIGSTOP"):
        with pytest.raises(ValueError, match="never sent"):
            SignalRestarter(signal=never)


def test_a_pidfile_names_the_process(tmp_path: Path) -> None:
    with worker(tmp_path) as pid:
        restarter = SignalRestarter(pidfile=pidfile(tmp_path, pid))
        assert run(restarter.current()) == identity_of(pid)
        assert f"SIGTERM to pid {pid} " in restart(restarter)
        wait_until(lambda: gone(pid))
        assert run(restarter.current()) is None


def test_a_pidfile_goes_before_what_the_check_saw(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with worker(tmp_path) as named, worker(tmp_path / "other") as seen_by_check:
        restart(SignalRestarter(pidfile=pidfile(tmp_path, named)), seen(seen_by_check))
        wait_until(lambda: gone(named))
        assert not gone(seen_by_check)


def heartbeat(folder: Path, text: str) -> Path:
    path = folder / "heartbeat.json"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "form",
    [
        '{{"timestamp": 1, "pid": {pid}}}',
        '{{"timestamp": 1,\n "pid": {pid}\n}}\n',
        '{{"pid": 1}}\n{{"timestamp": 2, "pid": {pid}}}\n',
        '{{"pid": 1}}\n{{"timestamp": 2, "pid": {pid}}}\n{{"timest',
    ],
)
def test_a_heartbeat_names_its_writer(tmp_path: Path, form: str) -> None:
    with worker(tmp_path) as pid:
        path = heartbeat(tmp_path, form.format(pid=pid))
        restart(SignalRestarter(), Hint(Identity(pid, None), path))
        wait_until(lambda: gone(pid))


def test_a_heartbeat_that_was_rewritten_meanwhile_proves_nothing(tmp_path: Path) -> None:
    with worker(tmp_path) as pid:
        hint = Hint(Identity(pid, None), heartbeat(tmp_path, json.dumps({"pid": pid + 1})))
        assert refused(SignalRestarter(), hint).endswith(f"names pid {pid + 1} by now, not {pid}")
        heartbeat(tmp_path, '{"pid": ')
        assert refused(SignalRestarter(), hint).endswith("names no pid")
        heartbeat(tmp_path, "").unlink()
        assert refused(SignalRestarter(), hint).endswith("is not there")


def test_a_process_younger_than_the_writer_of_the_heartbeat_is_left_alone(tmp_path: Path) -> None:
    with worker(tmp_path) as pid:
        path = heartbeat(tmp_path, json.dumps({"pid": pid}))
        began = identity_of(pid).started_at
        assert began is not None
        words = refused(SignalRestarter(), Hint(Identity(pid, began - 60), path))
        assert "is younger than the writer of heartbeat" in words
        run(SignalRestarter().target(Hint(Identity(pid, began + 3), path)))


def test_the_heartbeat_tells_which_of_several_the_process_check_sees_and_its_successor(tmp_path: Path) -> None:
    with worker(tmp_path) as pid:
        path, restarter = heartbeat(tmp_path, f'{{"pid": {pid}}}'), SignalRestarter()
        hint = Hint(None, path, lambda candidate: candidate == pid)
        restart(restarter, hint)
        wait_until(lambda: gone(pid))
        assert run(restarter.current()) is None
        assert refused(SignalRestarter(), hint).startswith(f"pid {pid} ")
    with worker(tmp_path) as fresh:
        heartbeat(tmp_path, f'{{"pid": {fresh}}}')
        assert run(restarter.current()) is None  # the process check does not mean it
        run(SignalRestarter().target(after := Hint(None, path, lambda candidate: candidate == fresh)))
        restarter = SignalRestarter()
        run(restarter.target(after))
        found = run(restarter.current())
        assert found is not None
        assert found.pid == fresh


def test_nobody_is_guessed_where_nothing_names_a_process() -> None:
    assert refused(SignalRestarter()) == "nothing tells which process to signal: no check has seen exactly one"


def test_a_pid_of_another_start_time_is_another_process(tmp_path: Path) -> None:
    with worker(tmp_path) as pid:
        began = identity_of(pid).started_at
        assert began is not None
        for other in (began - 0.01, began + 0.01, None):
            words = refused(SignalRestarter(), Hint(Identity(pid, other)))
            assert words.endswith("is another process by now: it has another start time")


def test_a_process_that_took_over_between_decision_and_deed_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "next").mkdir()
    path = tmp_path / "worker.pid"
    restarter = SignalRestarter(pidfile=path)
    with worker(tmp_path) as first, worker(tmp_path / "next") as second:
        pidfile(tmp_path, first)
        target = run(restarter.target(Hint()))
        pidfile(tmp_path, second)
        with pytest.raises(HandsOffError, match=f"pid {second} .* is not the process that was decided about"):
            run(restarter.send(target))
        assert not gone(first)
        assert not gone(second)


def test_a_process_that_ended_between_decision_and_deed_gets_nothing(tmp_path: Path) -> None:
    restarter = SignalRestarter()
    with worker(tmp_path) as pid:
        target = run(restarter.target(seen(pid)))
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: state_of(pid) == "")
        with pytest.raises(HandsOffError, match=f"pid {pid} is not running"):
            run(restarter.send(target))


def test_a_target_without_an_identity_gets_nothing(tmp_path: Path) -> None:
    restarter = SignalRestarter()
    with worker(tmp_path) as pid:
        run(restarter.target(seen(pid)))
        with pytest.raises(HandsOffError, match="decided about"):
            run(restarter.send(Target("somebody")))
        assert not gone(pid)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("1", "holds 1, which is no pid of a service"),
        ("0", "holds 0, which is no pid of a service"),
        ("-1", "holds no pid"),
        ("-4242", "holds no pid"),
        ("+4242", "holds no pid"),
        ("4_2", "holds no pid"),
        ("4242 4243", "holds no pid"),
        ("0x10", "holds no pid"),
        ("٤٢", "holds no pid"),
        ("", "is empty"),
        ("99999999999999999999", "holds 99999999999999999999, which is no pid of a service"),
        (b"4242" + b"\n" * 70, "is longer than 64 bytes"),
        (b"42\x0042", "holds no pid"),
        (b"\xff\xfe", "holds no pid"),
    ],
)
def test_a_hostile_pidfile_names_nobody(tmp_path: Path, content: str | bytes, words: str) -> None:
    path = pidfile(tmp_path, content)
    assert refused(SignalRestarter(pidfile=path)) == f"pidfile {path} {words}"


def test_a_pidfile_that_is_no_plain_file_names_nobody(tmp_path: Path) -> None:
    path = tmp_path / "worker.pid"
    with worker(tmp_path) as pid:
        elsewhere = pidfile(tmp_path / ".", pid).rename(tmp_path / "elsewhere")
        path.symlink_to(elsewhere)
        assert refused(SignalRestarter(pidfile=path)) == f"pidfile {path} is a symbolic link"
        path.unlink()
        path.hardlink_to(elsewhere)
        assert "has 2 names" in refused(SignalRestarter(pidfile=path))
        path.unlink()
        os.mkfifo(path)
        assert refused(SignalRestarter(pidfile=path)) == f"pidfile {path} is no regular file"
        path.unlink()
        path.mkdir()
        assert refused(SignalRestarter(pidfile=path)) == f"pidfile {path} is no regular file"
        path.rmdir()
        assert refused(SignalRestarter(pidfile=path)) == f"pidfile {path} is not there"
        assert not gone(pid)


def test_we_and_our_ancestors_and_our_children_are_never_signalled(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
    try:
        for pid, who in ((os.getpid(), "lifesign itself"), (os.getppid(), "an ancestor"), (child.pid, "a child")):
            age(pidfile(tmp_path, pid), -1)
            assert f"pid {pid} is {who}" in refused(SignalRestarter(pidfile=tmp_path / "worker.pid"))
            assert f"pid {pid} is {who}" in refused(SignalRestarter(), seen(pid))
        assert "never signalled" in refused(SignalRestarter(), Hint(Identity(1, identity_of(1).started_at)))
        for impossible in (0, -1, -child.pid):
            assert "never signalled" in refused(SignalRestarter(), Hint(Identity(impossible, 1.0)))
    finally:
        child.kill()
        child.wait()


def test_a_number_of_nobody_or_of_a_thread_is_no_process(tmp_path: Path) -> None:
    with stranger(sys.executable, "-S", "-c", "") as pid:
        wait_until(lambda: state_of(pid) == "")
    assert refused(SignalRestarter(pidfile=pidfile(tmp_path, pid))) == f"pid {pid} is not running"
    over = threading.Event()
    thread = threading.Thread(target=over.wait, args=(60,))
    thread.start()
    try:
        assert f"pid {thread.native_id} is " in refused(SignalRestarter(pidfile=pidfile(tmp_path, thread.native_id)))
    finally:
        over.set()
        thread.join()


def test_a_zombie_is_told_as_one_and_not_signalled(tmp_path: Path) -> None:
    ends_unreaped = "import os, time; os.fork() or os._exit(0); time.sleep(600)"
    with stranger(sys.executable, "-I", "-S", "-c", ends_unreaped) as parent:
        children = Path(f"/proc/{parent}/task/{parent}/children")
        wait_until(lambda: bool(children.read_text().split()))
        pid = int(children.read_text().split()[0])
        wait_until(lambda: state_of(pid) == "Z")
        words = f"pid {pid} is a zombie: it has ended, and only its parent can remove it"
        assert refused(SignalRestarter(), seen(pid)) == words
        assert refused(SignalRestarter(pidfile=pidfile(tmp_path, pid))) == words


def test_a_process_that_somebody_stopped_is_left_alone(tmp_path: Path) -> None:
    with worker(tmp_path) as pid:
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: state_of(pid) == "T")
        words = refused(SignalRestarter(), seen(pid))
        assert words == f"pid {pid} does not hang, it was stopped by a signal: left alone until `kill -CONT {pid}`"
        os.kill(pid, signal.SIGCONT)
        wait_until(lambda: state_of(pid) != "T")
        run(SignalRestarter().target(seen(pid)))


def test_a_process_that_started_after_its_pidfile_was_written_is_a_stranger(tmp_path: Path) -> None:
    with worker(tmp_path) as pid:
        path = pidfile(tmp_path, pid)
        age(path, 30)
        assert refused(SignalRestarter(pidfile=path)).endswith(
            f"started after pidfile {path} was written, so it is another process"
        )
        age(path, -3600)
        assert refused(SignalRestarter(pidfile=path)).endswith("was written in the future, so it proves nothing")


def test_the_process_check_has_the_last_word(tmp_path: Path) -> None:
    with worker(tmp_path) as pid:
        asked: list[int] = []

        def matches(candidate: int, answer: bool = False) -> bool:
            asked.append(candidate)
            return answer

        for restarter, hint in (
            (SignalRestarter(pidfile=pidfile(tmp_path, pid)), Hint(matches=matches)),
            (SignalRestarter(), Hint(identity_of(pid), matches=matches)),
            (SignalRestarter(), Hint(Identity(pid), heartbeat(tmp_path, f'{{"pid": {pid}}}'), matches)),
        ):
            assert refused(restarter, hint).endswith("is not the process that the process check describes")
        assert asked == [pid] * 3
        run(SignalRestarter().target(Hint(identity_of(pid), matches=lambda _: True)))


@needs_root
def test_a_file_of_one_user_never_names_a_process_of_another(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with worker(tmp_path) as pid:
        path = pidfile(tmp_path, pid)
        os.chown(path, 65534, -1)
        words = refused(SignalRestarter(pidfile=path))
        assert words.startswith(f"pidfile {path} belongs to uid 65534, and pid {pid} ")
        assert words.endswith("is uid 0's")
        beat = heartbeat(tmp_path, json.dumps({"pid": pid}))
        os.chown(beat, 65534, -1)
        assert "belongs to uid 65534" in refused(SignalRestarter(), Hint(Identity(pid), beat))


@needs_root
def test_a_process_of_another_user_that_we_may_not_signal_is_told(tmp_path: Path) -> None:
    with worker(tmp_path) as pid:
        code = (
            "import os, sys\n"
            "from lifesign.restarts.held import HeldProcess\n"
            "from lifesign.restarts.restarter import HandsOffError\n"
            "os.setresuid(65534, 65534, 65534)\n"
            "try: HeldProcess(int(sys.argv[1]))\nexcept HandsOffError as error: print(error)"
        )
        done = subprocess.run([sys.executable, "-c", code, str(pid)], capture_output=True, text=True, check=True)
        assert done.stdout == f"not permitted to signal pid {pid}, which is another user's\n"


def test_without_escalate_a_process_that_ignores_the_signal_lives_on(tmp_path: Path) -> None:
    with deaf_worker(tmp_path) as pid:
        assert restart(SignalRestarter(), seen(pid)).startswith("SIGTERM to ")
        time.sleep(0.3)  # nothing to wait for: it must stay as it is
        assert not gone(pid)


def test_with_escalate_a_process_that_ignores_the_signal_is_killed_after_its_time(tmp_path: Path) -> None:
    with deaf_worker(tmp_path) as pid:
        began = time.monotonic()
        assert restart(SignalRestarter(escalate_s=0.4), seen(pid)).endswith(", SIGKILL after 0.4 s")
        assert time.monotonic() - began >= 0.4
        assert gone(pid)


def test_with_escalate_a_slow_clean_stop_is_waited_for(tmp_path: Path) -> None:
    with slow_worker(tmp_path) as pid:
        began = time.monotonic()
        assert restart(SignalRestarter(escalate_s=30), seen(pid)).endswith(", it ended")
        assert 0.6 < time.monotonic() - began < 25
        assert gone(pid)


def test_no_sigkill_follows_where_the_waiting_is_cancelled(tmp_path: Path) -> None:
    async def cancelled(pid: int) -> None:
        restarter = SignalRestarter(escalate_s=1.0)
        task = asyncio.create_task(restarter.send(await restarter.target(seen(pid))))
        await asyncio.sleep(0.15)
        task.cancel()
        await asyncio.wait((task,))
        assert task.cancelled()
        await asyncio.sleep(1.2)  # longer than the rest of the patience

    with deaf_worker(tmp_path) as pid:
        run(cancelled(pid))
        assert not gone(pid)


def test_a_held_process_that_ends_gets_no_signal_even_where_its_number_is_taken_again(tmp_path: Path) -> None:
    with worker(tmp_path) as pid, HeldProcess(pid) as held:
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: state_of(pid) == "")
        with pytest.raises(HandsOffError, match="ended by itself"):
            held.send(signal.SIGTERM)
        with pytest.raises(HandsOffError, match="ended by itself"):
            held.prove(lambda _: True)


def test_a_program_is_named_without_its_arguments_which_may_be_secret(tmp_path: Path) -> None:
    script = tmp_path / "think.py"
    script.write_text("import time\ntime.sleep(600)\n")
    with stranger(sys.executable, script, "--token", "canary") as pid:
        wait_until(lambda: b"canary" in Path(f"/proc/{pid}/cmdline").read_bytes())
        assert run(SignalRestarter().target(seen(pid))).words == f"pid {pid} ({Path(sys.executable).name} think.py)"


def test_no_descriptor_left_means_hands_off(tmp_path: Path) -> None:
    import resource

    with worker(tmp_path) as pid:
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
        try:
            with pytest.raises(HandsOffError, match="Too many open files"):
                HeldProcess(pid)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        assert not gone(pid)
