"""Debian's monitoring plugins as checks, their perfdata in `/metrics`, and `lifesign check` as one of them."""

import http.server
import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.running import LIFESIGN, check, daemon, wait_until
from tests.ports import free_port
from tests.restarts.needs import needs

PLUGINS = Path("/usr/lib/nagios/plugins")
pytestmark = [
    pytest.mark.proof,
    needs("monitoring-plugins-basic", programs=(str(PLUGINS / "check_tcp"),), root=False),
]


def plugin(name: str, program: str, *words: str) -> str:
    argv = json.dumps([str(PLUGINS / program), *words])
    keys = 'interval = "300ms"\ntimeout = "20s"\nfailure_threshold = 1\n'
    return f'[components.{name}.checks.plugin]\ntype = "command"\nargv = {argv}\n{keys}'


@contextmanager
def page() -> Iterator[int]:
    """The port of a web server that says hello."""

    class Hello(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hello) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


def every_plugin(port: int) -> str:
    return "".join(
        [
            plugin("tcp", "check_tcp", "-H", "127.0.0.1", "-p", str(port)),
            plugin("http", "check_http", "-I", "127.0.0.1", "-p", str(port), "-s", "hello"),
            plugin("procs", "check_procs", "-w", "1:100000", "-c", "1:200000"),
            plugin("load", "check_load", "-w", "1000,1000,1000", "-c", "2000,2000,2000"),
        ]
    )


def test_the_real_plugins_run_as_checks_and_their_perfdata_are_metrics(tmp_path: Path) -> None:
    with page() as port, daemon(tmp_path, every_plugin(port)) as running:
        wait_until(lambda: running.status()[1]["overall"] == "healthy", "every plugin says OK", 60)
        text = subprocess.run(
            ["curl", "-sf", "--unix-socket", str(running.socket), "http://localhost/metrics"],
            capture_output=True,
            text=True,
            check=True,
            timeout=90,
        ).stdout
    found = {
        (sample.labels["component"], sample.labels["metric"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "lifesign_check_metric"
    }
    wanted = {"tcp": {"time"}, "http": {"time", "size"}, "procs": {"procs"}, "load": {"load1", "load5", "load15"}}
    assert {name: {metric for owner, metric in found if owner == name} for name in wanted} == wanted
    assert found["procs", "procs"] >= 1
    assert found["http", "size"] >= len("hello")


def test_a_plugin_that_finds_nobody_takes_its_component_down_in_its_own_words(tmp_path: Path) -> None:
    path = tmp_path / "lifesign.toml"
    path.write_text('[monitor]\nstate_dir = "state"\n' + every_plugin(free_port()))
    path.chmod(0o600)
    code, document = check(path)
    assert code == 2
    states = {component["name"]: component["state"] for component in document["components"]}
    assert states == {"tcp": "down", "http": "down", "procs": "healthy", "load": "healthy"}
    [refused] = [component["checks"][0] for component in document["components"] if component["name"] == "tcp"]
    assert "refused" in refused["message"].lower()


def test_a_check_of_one_component_is_a_valid_plugin_itself(tmp_path: Path) -> None:
    """By the plugin API: one code of four, and words on the first line; `negate` of the plugins turns them round."""
    port = free_port()
    path = tmp_path / "lifesign.toml"
    path.write_text(
        '[monitor]\nname = "m"\nstate_dir = "state"\n'
        f'[components.gateway.checks.port]\ntype = "tcp"\naddress = "127.0.0.1:{port}"\n'
        '[components.other.checks.port]\ntype = "tcp"\naddress = "127.0.0.1:9"\n'
    )
    path.chmod(0o600)
    ours = [*LIFESIGN, "check", "-c", str(path), "gateway"]

    def asked(*before: str, name: str = "gateway") -> tuple[int, str]:
        argv = [*before, *ours[:-1], name]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=50, check=False)
        return done.returncode, (done.stdout or done.stderr).splitlines()[0]

    negate = (str(PLUGINS / "negate"), "-t", "40", "-o", "CRITICAL", "-c", "OK", "-u", "WARNING")
    code, words = asked()
    assert (code, "down" in words, "|" in words) == (2, True, False)
    assert asked(*negate)[0] == 0
    with socket.create_server(("127.0.0.1", port)):
        code, words = asked()
        assert (code, "healthy" in words) == (0, True)
        assert asked(*negate)[0] == 2
    assert asked(name="unheard-of")[0] == 3
    assert asked(*negate, name="unheard-of")[0] == 3  # an error goes to standard error, and stays unknown
    within = tmp_path / "outer.toml"
    argv = json.dumps(ours)
    within.write_text(
        '[monitor]\nstate_dir = "outer"\n'
        f'[components.inner.checks.lifesign]\ntype = "command"\nargv = {argv}\ntimeout = "40s"\n'
    )
    within.chmod(0o600)
    code, document = check(within)
    assert code == 2
    assert "down" in document["components"][0]["checks"][0]["message"]
