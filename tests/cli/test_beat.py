"""`lifesign beat`, as the shell calls it. And without it: a heartbeat in POSIX sh alone.

The snippet for a program that has neither Python nor lifesign, `SHELL_BEAT`, is proven under dash.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifesign.cli.beat import parse_fields
from tests.started import started

SHELL_BEAT = r"""
beat() {  # beat FILE CYCLE: the work counted CYCLE was finished now
    printf '{"timestamp": %s, "cycle": %d, "pid": %d}\n' "$(date +%s)" "$2" "$$" >"$1.$$.tmp" && mv -f "$1.$$.tmp" "$1"
}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state/lifesign/heartbeats/mind.json"


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIFESIGN_HEARTBEAT", raising=False)
    monkeypatch.delenv("LIFESIGN_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def argv(*words: str) -> list[str]:
    return [sys.executable, "-m", "lifesign", "beat", *words]


def beat(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv(*words), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def read(path: Path) -> dict[str, Any]:
    document = json.loads(path.read_bytes())
    assert isinstance(document, dict)
    return document


def succeeded_long_ago(file: Path, **fields: Any) -> dict[str, Any]:
    document = {"timestamp": 1_700_000_000.5, "cycle": 41, "status": "ok", **fields}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document))
    return document


# --- the plain form ---


def test_a_shell_loop_counts_without_counting(file: Path) -> None:
    before = time.time()
    for count in (1, 2, 3):
        done = beat("mind")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert read(file).keys() == {"timestamp", "cycle"}  # no pid: the process that wrote is gone
        assert read(file)["cycle"] == count
    assert before <= read(file)["timestamp"] <= time.time()


def test_values_are_json_where_they_look_like_it_and_text_elsewhere(file: Path) -> None:
    words = ["n=-3", "f=2.5e3", "t=true", "z=null", "w=007", "s=a=b c", "e=", "i=NaN", "m=True", "l=[1]"]
    assert beat("mind", *words, "cycle=9", "busy=false", "status=degraded", "message=12", "pid=77").returncode == 0
    document = read(file)
    assert document.pop("timestamp") > 0
    assert document == {
        "n": -3,
        "f": 2500.0,
        "t": True,
        "z": None,
        "w": "007",
        "s": "a=b c",
        "e": "",
        "i": "NaN",
        "m": "True",
        "l": "[1]",
        "cycle": 9,
        "busy": False,
        "status": "degraded",
        "message": "12",
        "pid": 77,
    }


@pytest.mark.parametrize("moment", ["1700000000.25", "2023-11-14T22:13:20.25Z", "2023-11-14T23:13:20.25+01:00"])
def test_a_timestamp_is_unix_seconds_or_rfc_3339(moment: str, file: Path) -> None:
    assert beat("mind", f"timestamp={moment}").returncode == 0
    assert read(file)["timestamp"] == 1_700_000_000.25


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["cycle=x"], "cycle must be"),
        (["cycle=1.0"], "cycle must be"),
        (["cycle=true"], "cycle must be"),
        (["cycle=null"], "cycle must be"),
        (["status=fine"], "status must be one of ok, degraded, error, stopping"),
        (["busy=yes"], "busy must be"),
        (["timestamp=yesterday"], "yesterday"),
        (["timestamp=2023-11-14T22:13:20"], "time zone"),
        (["timestamp=1700000000000"], "timestamp must be"),
        (["timestamp=1e400"], "beyond every number"),
        (["pid=0"], "pid must be"),
        (["n=" + "9" * 5000], "beyond every number"),
        (["huge=" + "x" * 70_000], "65536 bytes"),
        (["a=1", "a=2"], "a is given twice"),
        (["word"], "'word' is not KEY=VALUE"),
        (["=1"], "'=1' is not KEY=VALUE"),
        (["--"], "no command after --"),
        (["status=ok", "--", "true"], "status is told by the job itself"),
    ],
    ids=lambda value: value[0][:20] if isinstance(value, list) else "",
)
def test_a_mistake_is_told_in_one_line_and_nothing_is_written(words: list[str], complaint: str, file: Path) -> None:
    done = beat("mind", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1
    assert not file.parent.exists()


def test_a_name_that_is_no_file_name_is_a_mistake() -> None:
    done = beat("../mind")
    assert done.returncode == 2
    assert "cannot name a heartbeat" in done.stderr


def test_the_file_is_the_options_else_the_environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFESIGN_HEARTBEAT", str(tmp_path / "environment.json"))
    assert beat("mind").returncode == 0
    assert beat("mind", "--path", str(tmp_path / "option.json"), "cycle=5").returncode == 0
    assert read(tmp_path / "environment.json")["cycle"] == 1
    assert read(tmp_path / "option.json")["cycle"] == 5


def test_with_a_config_the_file_is_where_its_check_looks(tmp_path: Path) -> None:
    config = tmp_path / "lifesign.toml"
    config.write_text(
        '[components.mind.checks.port]\ntype = "tcp"\naddress = "127.0.0.1:1"\n'
        '[components.mind.checks.beat]\ntype = "heartbeat"\npath = "mind/beat.json"\n'
        '[components.port.checks.port]\ntype = "tcp"\naddress = "127.0.0.1:1"\n'
    )
    done = beat("-c", str(config), "mind", "cycle=3")
    assert (done.returncode, done.stderr) == (0, "")
    assert read(tmp_path / "mind/beat.json")["cycle"] == 3
    for name, complaint in (("port", "has no heartbeat check"), ("mint", "has no component mint")):
        refused = beat("-c", str(config), name)
        assert refused.returncode == 2
        assert complaint in refused.stderr
    assert beat("-c", str(tmp_path / "nowhere.toml"), "mind").returncode == 78


@pytest.fixture
def beside_a_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The config that is found where the shell stands, as any command would find it."""
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "lifesign.toml"
    config.write_text('[components.mind.checks.beat]\ntype = "heartbeat"\npath = "mind/beat.json"\n')
    return config


def test_a_beat_that_no_check_of_its_component_would_read_is_written_and_told(
    beside_a_config: Path, file: Path
) -> None:
    beside_a_config.write_text('[components.mind.checks.beat]\ntype = "push"\n')
    done = beat("mind")
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    assert "warning: not by the config: mind in lifesign.toml has no heartbeat check" in done.stderr.replace("./", "")
    assert "its push check hears POST /api/v1/components/mind/beat" in done.stderr
    assert read(file)["cycle"] == 1
    assert beat("other").stderr == ""


@pytest.mark.usefixtures("beside_a_config")
def test_a_config_that_is_found_tells_where_its_component_beats(tmp_path: Path, file: Path) -> None:
    assert beat("mind").returncode == 0
    assert read(tmp_path / "mind/beat.json")["cycle"] == 1
    assert not file.exists()
    assert beat("mint").returncode == 0, "whom the config does not know, beats where its name says"
    assert read(file.with_name("mint.json"))["cycle"] == 1


@pytest.mark.usefixtures("beside_a_config")
def test_what_is_meant_for_the_program_itself_comes_before_a_config_that_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIFESIGN_HEARTBEAT", str(tmp_path / "mine.json"))
    assert beat("mind").returncode == 0
    assert read(tmp_path / "mine.json")["cycle"] == 1
    assert beat("mind", "-c", "lifesign.toml").returncode == 0
    assert read(tmp_path / "mind/beat.json")["cycle"] == 1


def test_a_mistake_elsewhere_in_the_config_moves_no_heartbeat(tmp_path: Path, beside_a_config: Path) -> None:
    with beside_a_config.open("a") as text:
        text.write('[components.gateway]\ntitel = "?"\n[http]\ntoken = { env = "NOT_IN_THIS_PROGRAM" }\n')
    for words in (("mind",), ("-c", "lifesign.toml", "mind")):
        done = beat(*words)
        assert (done.returncode, done.stderr) == (0, "")
    assert read(tmp_path / "mind/beat.json")["cycle"] == 2


def test_a_found_config_that_is_no_toml_is_told_and_keeps_no_job_from_running(
    beside_a_config: Path, file: Path
) -> None:
    beside_a_config.write_text("[components.mind\n")
    done = beat("mind", "--", "sh", "-c", "echo ran")
    assert (done.returncode, done.stdout) == (0, "ran\n")
    assert done.stderr.count("\n") == 1
    assert "warning" in done.stderr
    assert "lifesign.toml:1: this is no TOML" in done.stderr
    assert read(file)["status"] == "ok"
    assert beat("mind", "-c", "lifesign.toml").returncode == 78


def test_a_heartbeat_that_cannot_be_written_is_one_line_and_exit_1(tmp_path: Path) -> None:
    done = beat("mind", "--path", str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert "not a regular file" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", b'{"cycle": true}', b'{"cycle": 9223372036854775807}', b"[" * 100_000]
)
def test_from_a_file_that_is_no_heartbeat_the_count_starts_anew(content: bytes, file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    assert beat("mind").returncode == 0
    assert read(file)["cycle"] == 1


@given(st.lists(st.text() | st.from_regex(r"[a-z]+=.*"), max_size=4))
def test_any_fields_are_taken_or_refused_with_a_sentence(fields: list[str]) -> None:
    refusal = ""
    try:
        assert len(parse_fields(fields)) == len(fields)
    except ValueError as error:
        refusal = str(error)
    assert refusal or all("=" in field for field in fields)


# --- around a job ---


def test_while_a_job_runs_its_file_says_so_and_keeps_the_last_success(file: Path) -> None:
    before = succeeded_long_ago(file, status="error")
    with started(argv("mind", "host=h", "--", "cat"), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as job:
        assert job.stdin is not None
        assert job.stdout is not None
        job.stdin.write(b"hello\n")
        job.stdin.flush()
        assert job.stdout.readline() == b"hello\n"
        running = read(file)
        job.stdin.close()
        assert job.wait(20) == 0
    assert {key: running[key] for key in ("timestamp", "cycle", "status")} == {
        key: before[key] for key in ("timestamp", "cycle", "status")
    }
    assert (running["busy"], running["message"], running["host"]) == (True, "running: cat", "h")
    assert running.keys().isdisjoint({"pid", "started_at"}), "each run would begin a life, and none of them be late"


def test_a_job_may_say_whom_a_restart_would_signal(file: Path) -> None:
    assert beat("mind", "pid=77", "--", "true").returncode == 0
    assert read(file)["pid"] == 77


def test_a_jobs_success_is_finished_work(file: Path) -> None:
    succeeded_long_ago(file, status="error", message="exit code 1")
    before = time.time()
    done = beat("mind", "host=h", "--", "sh", "-c", "echo out; echo err >&2")
    assert (done.returncode, done.stdout, done.stderr) == (0, "out\n", "err\n")
    document = read(file)
    assert before <= document.pop("timestamp") <= time.time()
    assert 0 <= document.pop("duration_s") < 20
    assert document == {"cycle": 42, "status": "ok", "busy": False, "host": "h"}


def test_a_job_that_beats_by_itself_is_counted_on_from_there(file: Path) -> None:
    succeeded_long_ago(file)
    done = beat("mind", "--", *argv("mind", "cycle=100"))
    assert done.returncode == 0, done.stderr
    assert read(file)["cycle"] == 101


@pytest.mark.parametrize(
    ("script", "code", "message"),
    [
        ("exit 3", 3, "exit code 3"),
        ("exit 127", 127, "exit code 127"),
        ("kill -KILL $$", 137, "killed by SIGKILL"),
        ("kill -TERM $$", 143, "killed by SIGTERM"),
        ("kill -40 $$", 168, "killed by signal 40"),
    ],
)
def test_a_jobs_failure_keeps_the_time_of_its_last_success(script: str, code: int, message: str, file: Path) -> None:
    before = succeeded_long_ago(file)
    done = beat("mind", "--", "sh", "-c", script)
    assert (done.returncode, done.stderr) == (code, "")
    document = read(file)
    assert document.pop("duration_s") >= 0
    assert document == {**before, "status": "error", "busy": False, "message": message}


def test_a_job_that_cannot_start_is_told_like_the_shell_does(tmp_path: Path, file: Path) -> None:
    (tmp_path / "plain").write_text("")
    for command, code in (("no-such-command", 127), (str(tmp_path / "plain"), 126), (str(tmp_path), 126), ("", 127)):
        done = beat("mind", "--", command)
        assert done.returncode == code
        assert done.stderr.count("\n") == 1
        assert read(file)["status"] == "error"


def test_a_file_that_cannot_be_written_does_not_change_the_jobs_exit_code(tmp_path: Path) -> None:
    for code in (0, 5):
        done = beat("mind", "--path", str(tmp_path), "--", "sh", "-c", f"echo ran; exit {code}")
        assert (done.returncode, done.stdout) == (code, "ran\n")
        assert done.stderr.count("no heartbeat written") == 2


def test_no_argument_of_a_job_gets_into_the_file(file: Path) -> None:
    # Caught in the middle: at the end the line "running" is gone.
    done = beat("mind", "--", "sh", "-c", f'cat {file}; : "$1"', "canary-secret")
    assert json.loads(done.stdout)["message"] == "running: sh"
    assert "canary-secret" not in done.stdout + file.read_text()


@pytest.fixture
def waiting_job(file: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A job that says what it was sent, and ends with 9."""
    succeeded_long_ago(file)
    traps = "trap 'echo got TERM; exit 9' TERM; trap 'echo got INT; exit 9' INT"
    script = f"{traps}; echo up; for turn in $(seq 2000); do sleep 0.05; done"
    with started(argv("mind", "--", "sh", "-c", script), stdout=subprocess.PIPE) as job:
        assert job.stdout is not None
        assert job.stdout.readline() == b"up\n"
        yield job
        job.kill()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_passed_on_and_the_job_decides(
    sent: signal.Signals, waiting_job: subprocess.Popen[bytes], file: Path
) -> None:
    waiting_job.send_signal(sent)
    output, _ = waiting_job.communicate(timeout=60)
    assert output == f"got {sent.name[3:]}\n".encode()
    assert waiting_job.returncode == 9
    assert read(file)["message"] == "exit code 9"
    assert read(file)["timestamp"] == 1_700_000_000.5


COUNTS_INTERRUPTS = """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
print("up", flush=True)
interrupts = 0
while signal.sigwait({signal.SIGINT, signal.SIGTERM}) == signal.SIGINT:
    interrupts += 1
    print("interrupted", flush=True)
print(f"{interrupts} in all", flush=True)
raise SystemExit(4)
"""


def test_an_interrupt_from_the_terminal_reaches_the_job_once(file: Path) -> None:
    words = argv("mind", "--", sys.executable, "-c", COUNTS_INTERRUPTS)
    terminal = pexpect.spawn(words[0], words[1:], timeout=60, echo=False)
    try:
        terminal.expect("up")
        for _ in range(10):
            terminal.sendintr()
            terminal.expect("interrupted")
        terminal.kill(signal.SIGTERM)
        terminal.expect("10 in all")
        terminal.expect(pexpect.EOF)
        terminal.wait()
        assert terminal.exitstatus == 4
    finally:
        terminal.close(force=True)
    assert read(file)["message"] == "exit code 4"


def test_the_exit_code_is_not_lost_where_ended_children_are_ignored(file: Path) -> None:
    ignoring = (
        "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    )
    words = [sys.executable, "-c", ignoring, *argv("mind", "--", "sh", "-c", "exit 6")]
    assert subprocess.run(words, check=False, timeout=60).returncode == 6
    assert read(file)["message"] == "exit code 6"


def test_an_orderly_end_of_an_earlier_writer_is_not_the_jobs(file: Path) -> None:
    succeeded_long_ago(file, status="stopping")
    done = beat("mind", "--", "cat", str(file))
    assert "status" not in json.loads(done.stdout)


def test_a_fifo_in_the_files_place_stops_neither_form(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for words, code in ((["mind"], 1), (["mind", "--", "true"], 0)):
        done = subprocess.run(argv(*words[:1], "--path", str(tmp_path / "fifo"), *words[1:]), check=False, timeout=60)
        assert done.returncode == code


def signals_in(status: str) -> dict[str, int]:
    """By line of `/proc/PID/status`, without 32 and 33, which glibc's posix_spawn keeps for itself."""
    lines = [line.split(":") for line in status.splitlines()]
    return {name: int(mask, 16) & ~(0b11 << 31) for name, mask in lines}


def test_the_job_inherits_neither_our_blocked_nor_our_ignored_signals() -> None:
    look = ["grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"]
    plain = subprocess.run(look, capture_output=True, text=True, check=True)
    assert signals_in(beat("mind", "--", *look).stdout) == signals_in(plain.stdout)


# --- what it costs, and what needs nothing of it ---


def test_the_command_loads_click_and_the_standard_library_alone() -> None:
    program = (
        "import sys; before = set(sys.modules); import lifesign.cli.beat, lifesign.cli.job\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)\n"
        "assert new == {'lifesign', 'click'}, new; assert 'asyncio' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_the_shell_alone_writes_a_heartbeat(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    file = tmp_path / "a beat.json"
    loop = 'n=0; while [ "$n" -lt 20 ]; do n=$((n + 1)); beat "$1" "$n" || exit 1; done; echo $$'
    before = int(time.time())
    done = subprocess.run(
        [shell, "-euc", SHELL_BEAT + loop, "sh", str(file)], capture_output=True, text=True, check=True
    )
    document = read(file)
    assert before <= document["timestamp"] <= time.time()
    assert (document["cycle"], document["pid"]) == (20, int(done.stdout))
    assert [path.name for path in tmp_path.iterdir()] == ["a beat.json"]
