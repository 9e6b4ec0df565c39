"""The four checks of a real mind, broken one at a time: told by daemon and `check`, in words that name the layer."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.mind import Mind, mind
from tests.e2e.running import check, console_lines, daemon, wait_until

CASES = [
    pytest.param(
        Mind.hang_worker, Mind.wake_worker, "working", "alive and ready, but not working: no new work for ", id="hung"
    ),
    pytest.param(Mind.kill_worker, Mind.start_worker, "alive", "not alive: no process matches ", id="killed"),
    pytest.param(
        Mind.stop_gateway,
        Mind.start_gateway,
        "ready",
        "alive and working, but not ready: connection refused",
        id="gateway",
    ),
    pytest.param(
        Mind.break_source, Mind.mend_source, "startable", "alive, ready and working, but not startable: ", id="source"
    ),
]


@pytest.mark.parametrize(("break_it", "mend_it", "layer", "words"), CASES)
def test_what_breaks_is_told_by_its_layer_and_so_is_its_recovery(
    tmp_path: Path, break_it: Callable[[Mind], None], mend_it: Callable[[Mind], None], layer: str, words: str
) -> None:
    with (
        mind(tmp_path) as running,
        daemon(tmp_path, running.config) as watching,
        console_lines(watching.config) as printed,
    ):
        wait_until(lambda: watching.component("mind")["state"] == "healthy", "healthy")
        assert watching.component("mind")["layers"] == dict.fromkeys(
            ("startable", "alive", "ready", "working"), "passing"
        )
        assert check(watching.config)[0] == 0
        break_it(running)
        watching.wait_for_event("component.down", "mind")
        code, body = watching.status()
        [told] = [c for c in body["components"] if c["name"] == "mind"]
        assert (code, body["overall"], told["state"]) == (503, "down", "down")
        assert told["diagnosis"].startswith(words)
        wait_until(
            lambda: re.search(rf"mind: down \(was \w+\): {re.escape(words)}", printed()) is not None,
            "the console to tell",
        )
        exit_code, document = check(watching.config, "mind")
        [now] = document["components"]
        assert (exit_code, document["overall"], now["state"]) == (2, "down", "down")
        assert now["layers"][layer] == "failed"
        assert now["diagnosis"].startswith(words)
        mend_it(running)
        watching.wait_for_event("component.recovered", "mind")
        wait_until(lambda: watching.status()[0] == 200, "200 again")
        wait_until(lambda: check(watching.config)[0] == 0, "a healthy check")
        wait_until(lambda: "mind: healthy (was " in printed(), "the console to tell the recovery")
        told = [event["event"] for event in watching.events()]
        assert told.count("component.down") == told.count("component.recovered")
