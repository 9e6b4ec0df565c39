"""The shared budget: two monitors of one user never restart one target more often than allowed, come what may."""

import fcntl
import json
import multiprocessing
import os
from pathlib import Path

import pytest

from lifesign.restarts.ledger import Ledger, LedgerError

S = 1_000_000_000
HOUR = 3600 * S
NOW = 1_000 * HOUR


def ledger(folder: Path, key: str = "systemd:mind.service", monitor: str = "one", boot: str | None = "boot") -> Ledger:
    return Ledger(key, monitor=monitor, folder=folder / "ledgers", boot_id=boot)


def only_file(folder: Path) -> Path:
    [path] = (folder / "ledgers").iterdir()
    return path


def test_two_monitors_share_one_budget(tmp_path: Path) -> None:
    one, two = ledger(tmp_path), ledger(tmp_path, monitor="two")
    assert [one.spend(3, 60, NOW), two.spend(3, 60, NOW + S), one.spend(3, 60, NOW + 2 * S)] == [True] * 3
    assert not two.spend(3, 60, NOW + 3 * S)
    assert not one.spend(3, 60, NOW + 3 * S)
    assert two.moments(NOW + 3 * S) == (NOW, NOW + S, NOW + 2 * S)
    assert two.spend(4, 60, NOW + 3 * S)  # who allows more may go on, over the restarts of all


def test_a_restart_counts_until_the_window_has_passed_and_not_longer(tmp_path: Path) -> None:
    mine = ledger(tmp_path)
    assert mine.spend(1, 60, NOW)
    assert not mine.spend(1, 60, NOW + 60 * S - 1)
    assert mine.spend(1, 60, NOW + 60 * S)


def test_what_was_refused_is_not_written(tmp_path: Path) -> None:
    mine = ledger(tmp_path)
    mine.spend(1, 60, NOW)
    before = only_file(tmp_path).read_bytes()
    assert not mine.spend(1, 60, NOW + S)
    assert only_file(tmp_path).read_bytes() == before


def test_every_target_has_a_budget_of_its_own(tmp_path: Path) -> None:
    assert ledger(tmp_path).spend(1, 60, NOW)
    assert ledger(tmp_path, key="systemd:other.service").spend(1, 60, NOW)
    assert not ledger(tmp_path).spend(1, 60, NOW)


def test_it_ends_with_the_boot(tmp_path: Path) -> None:
    assert ledger(tmp_path, boot="before").spend(1, 60, NOW)
    assert ledger(tmp_path, boot="after").spend(1, 60, 5 * S)
    assert not ledger(tmp_path, boot="after").spend(1, 60, 6 * S)
    assert b"before" not in only_file(tmp_path).read_bytes()


def test_the_boot_is_known_by_the_kernels_own_name_for_it(tmp_path: Path) -> None:
    assert ledger(tmp_path, boot=None).spend(1, 60, NOW)
    assert not ledger(tmp_path, boot=None).spend(1, 60, NOW)
    told = json.loads(only_file(tmp_path).read_text())
    assert told == [Path("/proc/sys/kernel/random/boot_id").read_text().strip(), NOW, "one"]


@pytest.mark.parametrize(
    "junk", [b'["boot", 12', b"\0" * 40 + b"\n", b"{}\n", b'["boot", "1", 2]\n', b"[" * 9000 + b"\n"]
)
def test_a_line_that_cannot_be_read_counts_as_a_restart_just_now(tmp_path: Path, junk: bytes) -> None:
    mine = ledger(tmp_path)
    mine.spend(9, 60, NOW)
    with only_file(tmp_path).open("ab") as file:
        file.write(junk)
    assert not mine.spend(2, 60, NOW + S)
    assert len(mine.moments(NOW + S) or ()) == 2  # it is written down, and ages like any other
    assert mine.spend(1, 60, NOW + 62 * S)


def test_a_clock_that_stands_earlier_than_a_line_counts_the_line(tmp_path: Path) -> None:
    mine = ledger(tmp_path)
    assert mine.spend(1, 60, NOW)
    assert not mine.spend(1, 60, NOW - HOUR)


def test_it_stays_small(tmp_path: Path) -> None:
    mine = ledger(tmp_path)
    for number in range(1100):
        assert mine.spend(10, 1, NOW + number * S)
    assert only_file(tmp_path).stat().st_size < 64 * 1100
    assert only_file(tmp_path).read_text().count("\n") <= 1000


def test_what_was_written_and_not_done_is_withdrawn_and_another_monitors_is_not(tmp_path: Path) -> None:
    one, two = ledger(tmp_path), ledger(tmp_path, monitor="two")
    assert one.spend(2, 60, NOW)
    assert two.spend(2, 60, NOW)
    one.withdraw(NOW, NOW + S)
    one.withdraw(NOW, NOW + S)
    assert one.moments(NOW + S) == (NOW,)
    assert one.spend(2, 60, NOW + S)
    assert not two.spend(2, 60, NOW + S)


def test_who_only_reads_makes_no_file_and_hears_of_changes_alone(tmp_path: Path) -> None:
    one, two = ledger(tmp_path), ledger(tmp_path, monitor="two")
    assert two.moments(NOW) == ()
    assert two.moments(NOW) is None
    assert not (tmp_path / "ledgers").exists()
    one.spend(5, 60, NOW)
    assert two.moments(NOW + S) == (NOW,)
    assert two.moments(NOW + S) is None
    one.spend(5, 60, NOW + S)
    assert two.moments(NOW + S) == (NOW, NOW + S)
    only_file(tmp_path).unlink()
    assert two.moments(NOW + S) == ()


def refusal(mine: Ledger) -> str:
    with pytest.raises(LedgerError) as caught:
        mine.spend(5, 60, NOW)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledgers").write_text("a file where a folder belongs")
    assert refusal(ledger(tmp_path)).startswith("cannot write the ledger of restarts ")


def test_a_full_disk_is_a_refusal(tmp_path: Path) -> None:
    import resource
    import signal

    mine = ledger(tmp_path)
    mine.spend(5, 60, NOW)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (only_file(tmp_path).stat().st_size + 5, before[1][1]))
    try:
        assert "ledger" in refusal(mine)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before[1])
        signal.signal(signal.SIGXFSZ, before[0])
    assert len(mine.moments(NOW) or ()) == 2  # the half-written line counts: who knows


def test_a_folder_or_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "ledgers"
    folder.mkdir(mode=0o700)
    folder.chmod(0o777)
    assert "is not a folder of ours alone" in refusal(ledger(tmp_path))
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    assert "is not a folder of ours alone" in refusal(ledger(tmp_path))
    folder.unlink()
    mine = ledger(tmp_path)
    mine.spend(9, 60, NOW)
    path = only_file(tmp_path)
    path.rename(tmp_path / "loot")
    path.symlink_to(tmp_path / "loot")
    refusal(mine)
    path.unlink()
    os.mkfifo(path)
    assert "no file of ours" in refusal(mine)


def test_whoever_holds_the_lock_and_was_stopped_blocks_nobody_for_long(tmp_path: Path) -> None:
    mine = ledger(tmp_path)
    mine.spend(9, 60, NOW)
    with only_file(tmp_path).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert refusal(mine).endswith("another monitor holds it")
    assert mine.spend(9, 60, NOW)


def _spend_all(folder: str, name: str, taken: "multiprocessing.Queue[int]") -> None:
    mine, count = ledger(Path(folder), monitor=name), 0
    for number in range(400):
        try:
            count += mine.spend(25, 3600, NOW + number)
        except LedgerError:
            continue
    taken.put(count)


def test_monitors_that_decide_in_the_same_moment_never_overspend(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    taken: multiprocessing.Queue[int] = context.Queue()
    monitors = [context.Process(target=_spend_all, args=(str(tmp_path), str(number), taken)) for number in range(3)]
    for monitor in monitors:
        monitor.start()
    counts = [taken.get(timeout=50) for _ in monitors]
    for monitor in monitors:
        monitor.join(20)
    assert sum(counts) == 25
