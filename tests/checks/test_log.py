"""The `log` check on real files: what counts, and that rotation, truncation and floods lose nothing that matters."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifesign.checks.expectation import Pattern
from lifesign.checks.log import WINDOW_BYTES, LogProbe
from lifesign.checks.log_lines import Hit, newest_hit
from lifesign.core.model import Observation, Verdict

NS = 1_000_000_000


def probe(path: Path, *, fail_pattern: str | None = "ERROR", stale_after_s: float = 300) -> LogProbe:
    return LogProbe(path=path, pattern=r"order \d+ done", fail_pattern=fail_pattern, stale_after_s=stale_after_s)


async def look(watched: LogProbe) -> Observation:
    return await watched.look(time.time_ns())


def age_s(found: Observation) -> float:
    assert found.signal is not None
    return (time.time_ns() - found.signal.timestamp_ns) / NS


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


async def test_a_matching_line_is_work_and_a_failing_one_holds_until_the_next_match(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    watched = probe(path)
    assert (await look(watched)).message == f"nobody has ever written {path}"
    append(path, "starting\n")
    found = await look(watched)
    assert (found.verdict, found.signal) == (Verdict.UNKNOWN, None)
    append(path, "order 1 done\n")
    found = await look(watched)
    assert (found.verdict, found.message) == (Verdict.OK, "order 1 done")
    assert age_s(found) < 5
    append(path, "ERROR no money\nretrying\n")
    found = await look(watched)
    assert (found.verdict, found.message) == (Verdict.FAIL, "ERROR no money")
    append(path, "order 2 done\n")
    assert (await look(watched)).verdict is Verdict.OK


async def test_noise_is_no_work(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    append(path, "order 1 done\n")
    watched = probe(path)
    first = await look(watched)
    append(path, "still here\n" * 1000)
    again = await look(watched)
    assert again.signal == first.signal


async def test_a_line_counts_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    append(path, "begin\norder 1")
    watched = probe(path)
    assert (await look(watched)).signal is None
    append(path, "7 do")
    assert (await look(watched)).signal is None
    append(path, "ne\n")
    assert (await look(watched)).message == "order 17 done"


@pytest.mark.parametrize("leaves_a_gap", [False, True])
async def test_a_rotation_by_name_loses_no_line(tmp_path: Path, leaves_a_gap: bool) -> None:
    path = tmp_path / "app.log"
    append(path, "order 1 done\n")
    watched = probe(path)
    await look(watched)
    append(path, "ERROR last words\n")
    path.rename(tmp_path / "app.log.1")
    if leaves_a_gap:
        found = await look(watched)
        assert (found.verdict, found.message) == (
            Verdict.FAIL,
            f"{path} is gone; its last line that counts: ERROR last words",
        )
    append(path, "hello\n")
    found = await look(watched)
    assert (found.verdict, found.message) == (Verdict.FAIL, "ERROR last words")
    append(path, "order 2 done\n")
    assert (await look(watched)).message == "order 2 done"


async def test_a_truncation_in_place_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    append(path, "order 1 done\n" + "noise\n" * 100)
    watched = probe(path)
    await look(watched)
    path.write_text("order 2 done\n")
    assert (await look(watched)).message == "order 2 done"


async def test_a_line_from_before_our_start_counts_by_its_own_time(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    hour_ago = datetime.fromtimestamp(time.time() - 3600, UTC).isoformat(timespec="milliseconds")
    append(path, f"{hour_ago} order 1 done\nnoise\n")
    assert age_s(await look(probe(path))) == pytest.approx(3600, abs=30)
    path.write_text("order 1 done, without a time\nnoise\n")
    assert age_s(await look(probe(path))) < 30


async def test_a_log_without_any_proof_fails_once_one_would_be_too_old(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    append(path, "noise\n")
    assert (await look(probe(path))).verdict is Verdict.UNKNOWN
    assert (await look(probe(path, stale_after_s=1e-6))).verdict is Verdict.FAIL
    os.utime(path, (1, 1))
    assert (await look(probe(path))).verdict is Verdict.FAIL


async def test_a_gigabyte_without_a_newline_costs_a_window(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    append(path, "order 1 done\n")
    watched = probe(path)
    first = await look(watched)
    with path.open("r+b") as file:
        file.truncate(1 << 30)
    found = await look(watched)
    assert found.signal == first.signal
    assert found.metrics["skipped_bytes"] >= (1 << 30) - WINDOW_BYTES - 100
    append(path, "\norder 2 done\n")
    assert (await look(watched)).message == "order 2 done"


async def test_what_is_no_log_is_told_by_its_kind_and_never_blocks(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    found = await look(probe(fifo))
    assert (found.verdict, found.message) == (
        Verdict.FAIL,
        f"{fifo} is a FIFO (named pipe), not a regular file",
    )


async def test_escapes_in_a_line_are_cleaned(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(b"order 1 done \x1b]52;c;aGk=\x07\xff\n")
    message = (await look(probe(path))).message
    assert message.startswith("order 1 done ")
    assert "\x1b" not in message


@given(st.lists(st.sampled_from([b"order 1 done", b"ERROR", b"order 2 done ERROR", b"noise", b"", b"\xff\r"])))
def test_the_newest_hit_is_the_last_line_that_matches(lines: list[bytes]) -> None:
    expected = None
    for line in lines:
        if b"ERROR" in line:
            expected = Hit(line, failed=True)
        elif b"done" in line:
            expected = Hit(line, failed=False)
    assert newest_hit(b"".join(line + b"\n" for line in lines), Pattern("order . done"), Pattern("ERROR")) == expected
