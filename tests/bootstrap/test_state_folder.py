"""Who has the state folder, also when it is taken away under us."""

import shutil
from pathlib import Path

from lifesign.bootstrap.state_folder import StateFolder


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
