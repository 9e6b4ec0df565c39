"""The `command` check: real programs, and the real monitoring plugins where they are installed."""

import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifesign.checks.command import CommandProbe
from lifesign.checks.plugin import MOST_METRICS, read_performance, read_plugin
from lifesign.core.model import Observation, Verdict

PLUGINS = Path("/usr/lib/nagios/plugins")
real_plugins = pytest.mark.skipif(
    not PLUGINS.is_dir() and "LIFESIGN_CI" not in os.environ, reason="needs monitoring-plugins-basic"
)


async def run(*argv: str, timeout_s: float = 40, env: Mapping[str, str] | None = None, cwd: str = "/") -> Observation:
    probe = CommandProbe(argv=argv, timeout_s=timeout_s, env=dict(env or {}), cwd=cwd)
    try:
        return await probe.look(time.time_ns())
    finally:
        probe.close()


def shell(script: str) -> tuple[str, str, str]:
    return "/bin/sh", "-c", script


@pytest.mark.parametrize(
    ("code", "verdict"),
    [(0, Verdict.OK), (1, Verdict.WARN), (2, Verdict.FAIL), (3, Verdict.UNKNOWN)],
)
async def test_the_exit_code_is_the_verdict(code: int, verdict: Verdict) -> None:
    found = await run(*shell(f"echo 'DISK - 3 % free | free=3%;10;5;0;100'; exit {code}"))
    assert (found.verdict, found.message, dict(found.metrics)) == (verdict, "DISK - 3 % free", {"free": 3.0})


async def test_a_code_that_no_plugin_has_is_unknown_and_named() -> None:
    found = await run(*shell("echo oops; exit 127"))
    assert (found.verdict, found.message) == (Verdict.UNKNOWN, "exit code 127, which no plugin has: oops")


async def test_what_cannot_start_hangs_or_is_killed_tells_nothing() -> None:
    missing = await run("/no/such/plugin")
    assert (missing.verdict, missing.message) == (
        Verdict.UNKNOWN,
        "cannot start /no/such/plugin: No such file or directory",
    )
    began = time.monotonic()
    hangs = await run("/bin/sleep", "60", timeout_s=0.5)
    assert (hangs.verdict, hangs.message) == (Verdict.UNKNOWN, "/bin/sleep did not end within 500ms")
    assert time.monotonic() - began < 30
    killed = await run(*shell("kill -SEGV $$"))
    assert (killed.verdict, killed.message) == (Verdict.UNKNOWN, "/bin/sh was ended by SIGSEGV")
    floods = await run("/bin/sh", "-c", "yes")
    assert (floods.verdict, floods.message) == (
        Verdict.UNKNOWN,
        "/bin/sh was ended by SIGKILL, for it prints without end",
    )


async def test_a_grandchild_that_keeps_the_pipe_keeps_nobody_waiting() -> None:
    began = time.monotonic()
    found = await run(*shell("sleep 30 & echo fine"), timeout_s=20)
    assert (found.verdict, found.message) == (Verdict.OK, "fine")
    assert time.monotonic() - began < 25


async def test_it_runs_where_and_with_what_the_config_says_and_with_no_secret_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUR_SECRET", "canary")
    probe = CommandProbe(
        argv=shell('echo "$PWD $GIVEN $READ $OUR_SECRET"'),
        timeout_s=10,
        env={"GIVEN": "plain", "READ": lambda: "late"},
        cwd=str(tmp_path),
    )
    assert (await probe.look(time.time_ns())).message == f"{tmp_path} plain late"


async def test_a_secret_that_cannot_be_read_is_told_and_nothing_is_run(tmp_path: Path) -> None:
    def gone() -> str:
        raise ValueError("the secret of env.TOKEN cannot be read")

    witness = tmp_path / "ran"
    probe = CommandProbe(argv=("/usr/bin/touch", str(witness)), timeout_s=10, env={"TOKEN": gone})
    found = await probe.look(time.time_ns())
    assert (found.verdict, found.message) == (Verdict.UNKNOWN, "the secret of env.TOKEN cannot be read")
    assert not witness.exists()


def test_performance_data_is_read_as_the_guidelines_word_it() -> None:
    text = "time=0,05s;1;2;0;10 'a b'=3MB users=U 'it''s'=4c temp=-1.5;;;; rate=1e3 bad=x =5 loose"
    expected = {"time": 0.05, "a b": 3.0, "it's": 4.0, "temp": -1.5, "rate": 1000.0}
    assert read_performance(text) == expected
    assert len(read_performance(" ".join(f"m{n}=1" for n in range(1000)))) == MOST_METRICS


def test_long_output_may_carry_more_performance_data() -> None:
    answer = read_plugin(0, b"OK - fine | a=1\nmore words\nlast words | b=2\nc=3\n")
    assert (answer.message, answer.metrics) == ("OK - fine", {"a": 1.0, "b": 2.0, "c": 3.0})
    assert read_plugin(2, b"", b"it broke\nin two lines\n").message == "it broke"


@given(st.integers(0, 255), st.binary(max_size=300))
def test_no_output_crashes_the_reader_or_gets_through_uncleaned(code: int, output: bytes) -> None:
    answer = read_plugin(code, output)
    assert all(ord(char) >= 0x20 and not 0x7F <= ord(char) < 0xA0 for char in answer.message)
    assert all(value - value == 0 for value in answer.metrics.values())


@real_plugins
async def test_the_real_plugins_are_understood() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        reached = await run(str(PLUGINS / "check_tcp"), "-H", "127.0.0.1", "-p", port)
    assert reached.verdict is Verdict.OK, reached.message
    assert reached.message.startswith("TCP OK")
    assert set(reached.metrics) == {"time"}
    refused = await run(str(PLUGINS / "check_tcp"), "-H", "127.0.0.1", "-p", port)
    assert refused.verdict is Verdict.FAIL
    load = await run(str(PLUGINS / "check_load"), "-w", "1000,1000,1000", "-c", "2000,2000,2000")
    assert load.verdict is Verdict.OK
    assert set(load.metrics) == {"load1", "load5", "load15"}
    processes = await run(str(PLUGINS / "check_procs"), "-w", "1:100000", "-c", "1:200000")
    assert processes.verdict is Verdict.OK
    assert processes.metrics["procs"] >= 1


async def test_a_run_has_the_latency_that_it_took() -> None:
    found = await run(*shell("sleep 0.2"))
    assert found.verdict is Verdict.OK
    assert 0.2 <= found.latency_s < 30
