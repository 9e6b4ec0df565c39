"""The two guards inside a monitored program, in real child processes: they end it when it hangs, and never else."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lifesign import Heartbeat, ReconnectExceededError, ReconnectGuard, Watchdog

PATIENCE_S = 60.0
BEGIN = """\
import asyncio, logging, os, signal, sys, threading, time
from lifesign import Heartbeat, ReconnectGuard, Watchdog
logging.basicConfig(format="%(levelname)s %(message)s")
hb = Heartbeat("mind", "beat.json")
"""


@contextmanager
def program(folder: Path, body: str) -> Iterator[subprocess.Popen[str]]:
    """A program with a heartbeat; killed at the end if it still runs."""
    child = subprocess.Popen(
        [sys.executable, "-c", BEGIN + textwrap.dedent(body)],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def ended(folder: Path, body: str) -> tuple[int, str, str]:
    """How a program ended: its code, standard output and standard error."""
    with program(folder, body) as child:
        out, err = child.communicate(timeout=PATIENCE_S)
        return child.returncode, out, err


# --- the watchdog ---


def test_a_program_whose_work_rests_too_long_ends_itself_and_says_how_stale_it_was(tmp_path: Path) -> None:
    code, out, err = ended(
        tmp_path,
        """
        Watchdog(hb, stale_limit=0.6).start()
        for _ in range(20):
            hb.beat(); time.sleep(0.05)
        print("hangs", flush=True)
        time.sleep(60)
        """,
    )
    assert (code, out) == (-signal.SIGTERM, "hangs\n")
    [line] = err.splitlines()
    assert line.startswith("ERROR mind: no work was finished for ")
    assert " s (limit 0.6 s): ending this process" in line


def test_a_program_that_works_is_left_alone_for_many_times_the_limit(tmp_path: Path) -> None:
    code, _, err = ended(
        tmp_path,
        """
        with Watchdog(hb, stale_limit=0.8):
            for _ in range(60):
                hb.beat(); time.sleep(0.05)
        time.sleep(1)  # and none watches after its end
        """,
    )
    assert (code, err) == (0, "")


def test_nothing_is_ended_within_the_grace_of_its_start(tmp_path: Path) -> None:
    code, out, _ = ended(
        tmp_path,
        """
        began = time.monotonic()
        def tell(*_):
            print(time.monotonic() - began, flush=True); os._exit(7)
        signal.signal(signal.SIGTERM, tell)
        Watchdog(hb, stale_limit=0.2, grace=1.5).start()
        while True: time.sleep(0.01)
        """,
    )
    assert code == 7
    assert float(out) >= 1.5


def test_a_writer_without_work_is_not_ended_until_it_has_some_again(tmp_path: Path) -> None:
    code, out, _ = ended(
        tmp_path,
        """
        Watchdog(hb, stale_limit=0.3).start()
        hb.beat(busy=False)
        time.sleep(1.5)
        print("still here", flush=True)
        hb.beat(busy=True)
        time.sleep(60)
        """,
    )
    assert (code, out) == (-signal.SIGTERM, "still here\n")


def test_after_the_process_was_stopped_the_work_has_a_whole_limit_again(tmp_path: Path) -> None:
    body = """
        Watchdog(hb, stale_limit=2.0).start()
        hb.beat()
        print("ready", flush=True)
        sys.stdin.readline()
        woken = time.monotonic()
        time.sleep(1.0)  # a whole limit has passed since the last beat, most of it while we were stopped
        hb.beat()
        print("worked", flush=True)
        """
    with program(tmp_path, body) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == "ready\n"
        child.send_signal(signal.SIGSTOP)
        time.sleep(3.0)  # the fault itself: longer than the limit
        child.stdin.write("\n")
        child.stdin.flush()
        child.send_signal(signal.SIGCONT)
        assert child.stdout.readline() == "worked\n"
        assert child.wait(PATIENCE_S) == 0


def test_a_blocked_event_loop_is_seen(tmp_path: Path) -> None:
    code, out, _ = ended(
        tmp_path,
        """
        async def main():
            Watchdog(hb, stale_limit=0.5).start()
            for _ in range(20):
                hb.beat(); await asyncio.sleep(0.05)
            print("blocks", flush=True)
            time.sleep(60)
        asyncio.run(main())
        """,
    )
    assert (code, out) == (-signal.SIGTERM, "blocks\n")


def test_it_can_tell_first_what_every_thread_was_doing(tmp_path: Path) -> None:
    body = """
        def waits_for_the_broker():
            time.sleep(60)
        Watchdog(hb, stale_limit=0.3, dump_stacks={where!r}).start()
        waits_for_the_broker()
        """
    code, _, err = ended(tmp_path, body.format(where=True))
    assert code == -signal.SIGTERM
    assert "in waits_for_the_broker" in err
    code, _, err = ended(tmp_path, body.format(where="stacks.txt"))
    assert code == -signal.SIGTERM
    assert "in waits_for_the_broker" not in err
    assert "(stacks: stacks.txt)" in err
    assert "in waits_for_the_broker" in (tmp_path / "stacks.txt").read_text()


def test_a_log_that_hangs_does_not_keep_it_from_acting(tmp_path: Path) -> None:
    code, _, _ = ended(
        tmp_path,
        """
        Watchdog(hb, stale_limit=0.3, dump_stacks=True).start()
        reader, writer = os.pipe()  # a log of which nobody reads
        logging.getLogger().handlers[0].setStream(os.fdopen(writer, "w"))
        while True:
            logging.error("x" * 4096)  # hangs as soon as the pipe is full, with the handler's lock in hand
        """,
    )
    assert code == -signal.SIGTERM


def test_it_asks_once_and_kills_only_if_it_was_told_to(tmp_path: Path) -> None:
    body = """
        asked = []
        signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
        watchdog = Watchdog(hb, stale_limit=0.2, escalate_after={after}).start()
        while not asked: time.sleep(0.01)
        time.sleep(1.5)
        print(len(asked), watchdog.fired, flush=True)
        """
    code, out, err = ended(tmp_path, body.format(after=None))
    assert (code, out) == (0, "1 True\n")
    assert err.count("ERROR") == 1
    code, out, err = ended(tmp_path, body.format(after=0.3))
    assert (code, out) == (-signal.SIGKILL, "")
    assert "SIGTERM was not heeded" in err


def test_a_forked_child_is_watched_only_once_it_starts_its_own(tmp_path: Path) -> None:
    code, out, _ = ended(
        tmp_path,
        """
        import warnings; warnings.simplefilter("ignore")
        watchdog = Watchdog(hb, stale_limit=0.8).start()
        if not os.fork():
            time.sleep(2)
            print("the child was not watched", flush=True)
            watchdog.start()
            time.sleep(60)
        while True:
            hb.beat(); time.sleep(0.05)
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid:
                print(os.waitstatus_to_exitcode(status), flush=True)
                sys.exit(0)
        """,
    )
    assert (code, out) == (0, f"the child was not watched\n{-signal.SIGTERM}\n")


def test_a_beat_that_cannot_be_written_is_finished_work_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "beat.json").mkdir()
    code, _, err = ended(
        tmp_path,
        """
        with Watchdog(hb, stale_limit=0.8):
            for _ in range(30):
                hb.beat(); time.sleep(0.05)
        """,
    )
    assert code == 0
    assert "no heartbeat written" in err


@pytest.mark.parametrize(("limit", "escalate_after"), [(0, None), (-1, None), (float("nan"), None), (1, 0)])
def test_times_that_are_none_are_refused(limit: float, escalate_after: float | None, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="positive"):
        Watchdog(Heartbeat("mind", tmp_path / "beat.json"), limit, escalate_after=escalate_after)


# --- the reconnect guard ---


def test_fresh_credentials_come_before_the_connection_that_needs_them() -> None:
    calls = []

    def login() -> str:
        calls.append("login")
        return f"token {len(calls)}"

    def open_stream(token: str) -> str:
        calls.append("open")
        return f"stream by {token}"

    guard = ReconnectGuard()
    assert guard.reconnect(refresh=login, connect=open_stream) == "stream by token 1"
    assert guard.reconnect(refresh=login, connect=open_stream) == "stream by token 3"
    assert calls == ["login", "open", "login", "open"]


def test_a_connect_that_needs_nothing_is_given_nothing() -> None:
    def open_stream(timeout_s: int = 5) -> int:
        return timeout_s

    guard = ReconnectGuard()
    assert guard.reconnect(refresh=lambda: "token", connect=open_stream) == 5
    assert guard.reconnect(connect=open_stream) == 5


def test_the_fourth_in_vain_raises_before_anything_is_asked_of_the_other_side() -> None:
    calls: list[str] = []
    guard = ReconnectGuard(max_unproductive=3)
    for _ in range(3):
        guard.reconnect(refresh=lambda: calls.append("login"), connect=lambda: calls.append("open"))
    for _ in range(2):  # whoever catches it and tries again gets the same answer
        with pytest.raises(ReconnectExceededError, match="3 connections in a row delivered nothing"):
            guard.reconnect(refresh=lambda: calls.append("login"), connect=lambda: calls.append("open"))
    assert calls == ["login", "open"] * 3
    assert isinstance(ReconnectExceededError(), RuntimeError)


def test_what_was_delivered_begins_the_count_anew() -> None:
    guard = ReconnectGuard(max_unproductive=2)
    for _ in range(5):
        guard.reconnect(connect=object)
        guard.reconnect(connect=object)
        assert guard.unproductive == 2
        guard.delivered()
        assert guard.unproductive == 0


def test_a_connection_that_cannot_be_made_is_one_in_vain() -> None:
    def refuse() -> None:
        raise ConnectionRefusedError

    guard = ReconnectGuard(max_unproductive=2)
    for arguments in ({"connect": refuse}, {"refresh": refuse, "connect": object}):
        with pytest.raises(ConnectionRefusedError):
            guard.reconnect(**arguments)
    with pytest.raises(ReconnectExceededError):
        guard.reconnect(connect=object)


def test_coroutines_are_awaited_by_the_one_and_refused_by_the_other() -> None:
    async def login() -> str:
        await asyncio.sleep(0)
        return "token"

    async def open_stream(token: str) -> str:
        await asyncio.sleep(0)
        return f"stream by {token}"

    async def both() -> None:
        guard = ReconnectGuard(max_unproductive=3)
        assert await guard.reconnect_async(refresh=login, connect=open_stream) == "stream by token"
        assert await guard.reconnect_async(refresh=lambda: "key", connect=open_stream) == "stream by key"
        assert await guard.reconnect_async(refresh=login, connect=str.upper) == "TOKEN"
        with pytest.raises(ReconnectExceededError):
            await guard.reconnect_async(refresh=login, connect=open_stream)
        guard.delivered()
        with pytest.raises(TypeError, match="reconnect_async"):
            guard.reconnect(refresh=login, connect=open_stream)

    asyncio.run(both())


def test_of_many_threads_only_as_many_as_allowed_connect() -> None:
    guard = ReconnectGuard(max_unproductive=3)
    connected: list[int] = []
    refused: list[int] = []
    together = threading.Barrier(16)

    def run(number: int) -> None:
        together.wait()
        try:
            guard.reconnect(connect=lambda: connected.append(number))
        except ReconnectExceededError:
            refused.append(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(connected), len(refused), guard.unproductive) == (3, 13, 3)


def test_a_catch_all_cannot_hold_a_program_that_is_to_end(tmp_path: Path) -> None:
    body = """
        {before}
        guard = ReconnectGuard(max_unproductive=3, on_exceeded="terminate", terminate_after=0.5)
        while True:
            try:
                guard.reconnect(connect=lambda: print("connects", flush=True))
            except BaseException:
                time.sleep(0.01)
        """
    code, out, err = ended(tmp_path, body.format(before=""))
    assert (code, out) == (-signal.SIGTERM, "connects\n" * 3)
    assert "ERROR 3 connections in a row delivered nothing: ending this process" in err
    code, out, err = ended(tmp_path, body.format(before="signal.signal(signal.SIGTERM, lambda *_: 1 / 0)"))
    assert (code, out) == (1, "connects\n" * 3)
    assert err.count("ERROR") == 1


@pytest.mark.parametrize(
    "wrong", [{"max_unproductive": 0}, {"on_exceeded": "shrug"}, {"terminate_after": -1}, {"terminate_after": 1e9}]
)
def test_a_guard_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        ReconnectGuard(**wrong)  # type: ignore[arg-type]


def test_the_guards_of_the_one_file_work_in_a_copy(tmp_path: Path) -> None:
    from lifesign import heartbeat

    (tmp_path / "beats.py").write_bytes(Path(heartbeat.__file__).read_bytes())
    code = "import beats, time; beats.Watchdog(beats.Heartbeat('m', 'b.json'), 0.2).start(); time.sleep(60)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == -signal.SIGTERM
    assert "m: no work was finished" in done.stderr


def test_a_forked_child_may_reconnect_though_another_thread_was_just_counting(tmp_path: Path) -> None:
    code, out, _ = ended(
        tmp_path,
        """
        guard = ReconnectGuard()
        with guard._lock:
            pid = os.fork()
            if not pid:
                guard.reconnect(connect=lambda: print("connected", flush=True))
                os._exit(0)
            os.waitpid(pid, 0)
        """,
    )
    assert (code, out) == (0, "connected\n")
