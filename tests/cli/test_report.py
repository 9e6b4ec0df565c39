"""`lifesign report`: its words and pages, and the same from a daemon that runs and from what it left."""

import json
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lifesign.api.report_documents import ComponentReport, Report, Window
from lifesign.cli.report_page import render_report_page
from lifesign.cli.report_words import render_report_markdown
from lifesign.text import format_share
from tests.e2e.running import daemon
from tests.e2e.test_alerts import port_open
from tests.ports import free_port


def window(**changes: Any) -> Window:
    plain: dict[str, Any] = {
        "window": "24h",
        "since": "2026-11-20T14:03:22.123Z",
        "uptime": 0.999999,
        "watched": 0.5,
        "up_s": 43199.0,
        "down_s": 1.0,
        "unknown_s": 0.0,
        "paused_s": 0.0,
        "unwatched_s": 43200.0,
        "incidents": 1,
        "restarts": 3,
        "restarts_productive": 2,
        "mean_detect_s": 90.0,
        "mean_recover_s": None,
        "mean_first_work_s": 8.0,
        "layers": {"working": 0.5, "ready": None},
    }
    return Window(**{**plain, **changes})


def made(name: str = "mind", *windows: Window) -> Report:
    component = ComponentReport(name=name, title="", optional=False, state="down", windows=list(windows or [window()]))
    return Report(
        schema="lifesign.report/1", generated_at="2026-11-21T14:03:22.123Z", monitor="m", components=[component]
    )


def test_each_window_is_a_row_with_the_layers_there_are() -> None:
    lines = render_report_markdown(made()).splitlines()
    assert "## mind: down" in lines
    assert lines[-3].endswith("| to first work | ready | working |")
    assert lines[-1] == "| 24h | 99.999 % | 50 % | 1s | 1 | 90s | - | 2 of 3 | 8s | not known | 50 % |"


@pytest.mark.parametrize(
    ("share", "words"),
    [(1.0, "100 %"), (0.999999, "99.999 %"), (0.29, "29 %"), (0.0, "0 %"), (None, "not known"), (0.12345, "12.345 %")],
)
def test_a_share_is_cut_and_never_rounded_up_to_all_of_it(share: float | None, words: str) -> None:
    assert format_share(share) == words


def test_the_page_is_whole_and_nothing_in_the_data_is_markup_on_it() -> None:
    page = render_report_page(made("<script>alert(1)</script>"))
    assert page.startswith("<!doctype html>")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "url(" not in page


@dataclass
class Shell:
    config: Path

    def report(self, *words: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "lifesign", "report", "-c", str(self.config), "--json", *words],
            capture_output=True,
            timeout=40,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        assert isinstance(document, dict)
        return document


def test_a_daemon_and_what_it_left_tell_the_same_of_the_same_time(tmp_path: Path) -> None:
    check = (
        '[components.gateway.checks.port]\ntype = "tcp"\naddress = "127.0.0.1:{port}"\n'
        'interval = "100ms"\nfailure_threshold = 2\nsuccess_threshold = 1\ngrace = "100ms"\n'
    )
    port, shell = free_port(), Shell(tmp_path / "lifesign.toml")
    with ExitStack() as well, daemon(tmp_path, check.format(port=port)) as running:
        running.wait_for_event("component.down", "gateway")
        well.enter_context(port_open(port))
        running.wait_for_event("component.recovered", "gateway")
        [running_told] = shell.report()["components"]
    [left] = shell.report("--component", "gateway")["components"]
    day, later = running_told["windows"][0], left["windows"][0]
    for told in (day, later):
        assert (told["incidents"], told["layers"].keys()) == (1, {"ready"})
        assert told["mean_recover_s"] > 0
        assert told["mean_detect_s"] > 0
        assert 0 < told["uptime"] < 1
    assert day["down_s"] == later["down_s"]
    assert 0 < later["watched"] < 0.01
    [narrow] = shell.report("--since", "1h")["components"][0]["windows"]
    assert narrow["window"].startswith("since ")
    assert narrow["incidents"] == 1
