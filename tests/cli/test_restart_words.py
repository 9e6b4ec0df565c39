"""What `lifesign restart` says before it restarts: how, whom and why."""

import re

import msgspec
import pytest

from lifesign.api.documents import Layers, Process
from lifesign.cli.restart import aim_words
from tests.tui.documents import at, down_mind


@pytest.mark.parametrize(
    ("alive", "words"),
    [("passing", r"running for \S+"), (None, r"running for \S+"), ("failed", r"began \S+ ago, not seen now")],
)
def test_a_process_that_is_not_seen_is_not_said_to_run(alive: str | None, words: str) -> None:
    process = Process(pid=3117, started_at=at(-11100))
    mind = msgspec.structs.replace(down_mind(), layers=Layers(alive=alive, working="failed"), process=process)
    assert re.fullmatch(rf" by signal: SIGTERM, pid 3117, {words} \(it hangs\)", aim_words(mind, "it hangs"))
