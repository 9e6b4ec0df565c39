"""Who has the state folder, also when it is taken away under us."""

import os
import shutil
import stat
import threading
from pathlib import Path

import pytest

from lifesign.bootstrap.state_folder import AlreadyRunningError, StateFolder


def test_a_folder_that_was_taken_away_and_made_anew_is_in_the_hands_of_who_locked_it_first(tmp_path: Path) -> None:
    ours, others = StateFolder(tmp_path / "state"), StateFolder(tmp_path / "state")
    assert ours.hold() is None
    assert ours.other_holder() == ""
    shutil.rmtree(ours.path)
    assert ours.other_holder() == ""
    assert others.hold() is None
    assert ours.other_holder().startswith("another lifesign")
    assert others.other_holder() == ""
    assert not ours.stays_held()
    others.release()
    assert ours.other_holder() == ""
    assert ours.stays_held()
    assert ours.other_holder() == ""
    ours.release()


def test_a_folder_that_was_taken_away_is_made_anew_as_it_was_and_ours(tmp_path: Path) -> None:
    (tmp_path / "above/state").mkdir(parents=True)
    (tmp_path / "above/state").chmod(0o750)
    ours, others = StateFolder(tmp_path / "above/state"), StateFolder(tmp_path / "above/state")
    assert ours.hold() is None
    shutil.rmtree(tmp_path / "above")
    assert ours.stays_held()
    assert ours.stays_held()
    assert ours.made_anew == 1
    assert stat.S_IMODE(ours.path.stat().st_mode) == 0o750
    assert (ours.path / "lock").read_text() == f"{os.getpid()}\n"
    with pytest.raises(AlreadyRunningError, match="another lifesign"):
        others.hold()
    others.release()
    ours.release()


def test_a_folder_that_cannot_be_made_anew_is_not_ours(tmp_path: Path) -> None:
    ours = StateFolder(tmp_path / "above/state")
    assert ours.hold() is None
    shutil.rmtree(tmp_path / "above")
    (tmp_path / "above").write_text("a file is in the way")
    assert not ours.stays_held()
    (tmp_path / "above").unlink()
    ours.path.parent.symlink_to(tmp_path / "nowhere")
    assert not ours.stays_held()
    assert ours.made_anew == 0
    ours.release()


def test_who_asks_while_the_lock_is_taken_anew_is_never_told_of_another(tmp_path: Path) -> None:
    folder, told, is_over = StateFolder(tmp_path / "state"), set[str](), threading.Event()
    assert folder.hold() is None

    def ask() -> None:
        while not is_over.is_set():
            told.add(folder.other_holder())

    asking = threading.Thread(target=ask)
    asking.start()
    for _ in range(200):
        (folder.path / "lock").unlink()
        assert folder.stays_held()
    is_over.set()
    asking.join()
    assert told <= {""}
    folder.release()
