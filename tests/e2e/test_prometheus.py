"""A real Prometheus scrapes a real daemon, and the alert rules that `lifesign init --prometheus` prints fire there."""

import contextlib
import json
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.running import LIFESIGN, Daemon, daemon, wait_until
from tests.ports import free_port
from tests.restarts.needs import needs

pytestmark = [pytest.mark.proof, pytest.mark.timeout(400)]
needs_prometheus = needs("prometheus", programs=("prometheus", "promtool"), root=False)

CONFIG = """
[http]
listen = "127.0.0.1:{http}"
[components.gateway.checks.port]
type = "tcp"
address = "127.0.0.1:{port}"
interval = "200ms"
failure_threshold = 2
success_threshold = 1
grace = "100ms"
[components.mind.checks.beat]
type = "heartbeat"
path = "beat.json"
stale_after = "1h"
[components.mind.restart]
method = "signal"
[components.tools]
optional = true
[components.tools.checks.load]
type = "host"
max_load = 1000
"""
QUERIES = {
    'up{job="lifesign"}': 1,
    'lifesign_component_state{component="gateway",state="down"}': 1,
    'lifesign_component_state{component="mind",state="healthy"}': 1,
    'lifesign_events_total{event="component.down"}': 1,
    'lifesign_restarts_total{component="mind",outcome="productive"}': 0,
}
PROMETHEUS = """
global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}
rule_files: [{rules}]
scrape_configs:
  - job_name: lifesign
    static_configs: [{{ targets: ["127.0.0.1:{http}"] }}]
"""


def rules_in(folder: Path) -> Path:
    """The file that `lifesign init --prometheus` prints."""
    path = folder / "lifesign.rules.yml"
    done = subprocess.run([*LIFESIGN, "init", "--prometheus"], capture_output=True, check=True, timeout=90)
    path.write_bytes(done.stdout)
    return path


def promtool(*words: str, sent: str = "") -> tuple[int, str]:
    done = subprocess.run(["promtool", *words], input=sent, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


@contextlib.contextmanager
def watched(folder: Path, port: int, http: int) -> Iterator[Daemon]:
    subprocess.run([*LIFESIGN, "beat", "mind", "--path", str(folder / "beat.json"), "cycle=1"], check=True, timeout=90)
    with daemon(folder, CONFIG.format(port=port, http=http)) as running:
        yield running


@contextlib.contextmanager
def prometheus(folder: Path, http: int) -> Iterator[str]:
    """The address of a Prometheus that scrapes the daemon at `http`."""
    config, port = folder / "prometheus.yml", free_port()
    config.write_text(PROMETHEUS.format(rules=json.dumps(str(rules_in(folder))), http=http))
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=90)


def get(address: str, path: str, **query: str) -> Any:
    """The `data` of an answer of Prometheus; None while it is not there yet."""
    try:
        with urllib.request.urlopen(f"{address}{path}?{urllib.parse.urlencode(query)}", timeout=40) as answer:
            return json.load(answer)["data"]
    except (urllib.error.URLError, ConnectionError):
        return None


def value(address: str, query: str) -> float | None:
    """The one number that `query` comes to; None while there is none."""
    found = get(address, "/api/v1/query", query=query)
    results = found["result"] if found else []
    return float(results[0]["value"][1]) if len(results) == 1 else None


def firing(address: str) -> set[tuple[str, str]]:
    """The rules that fire, each with its component."""
    found = get(address, "/api/v1/alerts")
    alerts = found["alerts"] if found else []
    labels = [alert["labels"] for alert in alerts if alert["state"] == "firing"]
    return {(label["alertname"], label.get("component", "")) for label in labels}


@needs_prometheus
def test_a_real_prometheus_scrapes_it_and_the_rule_for_down_fires_and_ends(tmp_path: Path) -> None:
    port, http = free_port(), free_port()
    with watched(tmp_path, port, http) as running, prometheus(tmp_path, http) as address:
        running.wait_for_event("component.down", "gateway")
        wait_until(lambda: ("LifesignComponentDown", "gateway") in firing(address), "the rule fires", 60)
        assert {name for name, _ in firing(address)} == {"LifesignComponentDown"}
        for query, number in QUERIES.items():  # polled: a busy machine may be late to one scrape of a second
            wait_until(lambda: value(address, query) == number, f"{query} is {number}")  # noqa: B023 - called at once
        quantile = 'histogram_quantile(0.99, rate(lifesign_check_duration_seconds_bucket{type="tcp"}[1m]))'
        wait_until(lambda: (value(address, quantile) or 0) > 0, "a quantile of the histogram", 60)
        with socket.create_server(("127.0.0.1", port)):
            running.wait_for_event("component.recovered", "gateway")
            wait_until(lambda: not firing(address), "the rule ends", 60)
    assert "error" not in (tmp_path / "prometheus.log").read_text().lower()


@needs_prometheus
def test_promtool_finds_nothing_to_complain_of_in_metrics_and_rules(tmp_path: Path) -> None:
    port, http = free_port(), free_port()
    with watched(tmp_path, port, http) as running:
        running.wait_for_event("component.down", "gateway")
        with urllib.request.urlopen(f"http://127.0.0.1:{http}/metrics", timeout=40) as answer:
            text = answer.read().decode()
    assert "lifesign_check_duration_seconds_bucket" in text
    assert promtool("check", "metrics", sent=text) == (0, "")
    code, words = promtool("check", "rules", str(rules_in(tmp_path)))
    assert (code, " rules found" in words and "FAILED" not in words) == (0, True), words


TESTS = """
rule_files: [{rules}]
evaluation_interval: 15s
tests:
  - interval: 15s
    input_series:
      - {{ series: 'lifesign_component_state{{component="a",state="down"}}', values: '0x3 1x40' }}
      - {{ series: 'lifesign_component_state{{component="a",state="unknown"}}', values: '1x40' }}
      - {{ series: 'lifesign_staleness_seconds{{component="a"}}', values: '81x40' }}
      - {{ series: 'lifesign_stale_after_seconds{{component="a"}}', values: '100x40' }}
      - {{ series: 'lifesign_staleness_seconds{{component="b"}}', values: '79x40' }}
      - {{ series: 'lifesign_stale_after_seconds{{component="b"}}', values: '100x40' }}
      - {{ series: 'lifesign_restart_unproductive{{component="a"}}', values: '0x7 1x40' }}
      - {{ series: 'lifesign_last_round_age_seconds', values: '0.1x40' }}
      - {{ series: 'lifesign_overdue_checks', values: '0x7 3x40' }}
      - {{ series: 'lifesign_uptime_seconds', values: '15+15x19 _x40' }}
    alert_rule_test:
{expected}
"""
# rule, a moment at which it does not fire, one at which it does, its labels, its words
EXPECTED = [
    ("LifesignComponentDown", "30s", "90s", "severity: critical, component: a, state: down", "a does not work"),
    (
        "LifesignComponentUnknown",
        "270s",
        "315s",
        "severity: warning, component: a, state: unknown",
        "nobody can tell whether a works",
    ),
    (
        "LifesignWorkNearlyStale",
        "45s",
        "75s",
        "severity: warning, component: a",
        "a has finished no work for 1m 21s",
    ),
    (
        "LifesignRestartsInVain",
        "90s",
        "135s",
        "severity: warning, component: a",
        "1 restarts of a brought no work back",
    ),
    ("LifesignStalled", "165s", "195s", "severity: critical", "lifesign itself does not keep up"),
    ("LifesignGone", "10m", "12m", "severity: critical", "lifesign is not scraped: nobody watches"),
]


@needs_prometheus
def test_each_rule_fires_when_it_should_and_not_before(tmp_path: Path) -> None:
    cases = []
    for name, quiet, loud, labels, words in EXPECTED:
        fires = f"[{{ exp_labels: {{ {labels} }}, exp_annotations: {{ summary: {json.dumps(words)} }} }}]"
        cases.append(f"      - {{ eval_time: {quiet}, alertname: {name}, exp_alerts: [] }}")
        cases.append(f"      - {{ eval_time: {loud}, alertname: {name}, exp_alerts: {fires} }}")
    tests = tmp_path / "tests.yml"
    tests.write_text(TESTS.format(rules=json.dumps(str(rules_in(tmp_path))), expected="\n".join(cases)))
    code, told = promtool("test", "rules", str(tests))
    assert code == 0, told
