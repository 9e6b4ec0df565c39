"""The config of a running daemon is edited as people and programs do it, and it is followed, or refused and why."""

import itertools
import json
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lifesign.bootstrap.reloading import RETRY_S
from tests.e2e.running import LIFESIGN, Daemon, console_lines, daemon, wait_until
from tests.e2e.test_survival import killed_after, target
from tests.ports import free_port

DEFAULTS = """
[defaults]
interval = "100ms"
timeout = "1s"
grace = "1s"
failure_threshold = 2
success_threshold = 1
"""
PORT = '[components.{name}.checks.port]\ntype = "tcp"\naddress = "127.0.0.1:{port}"\n'


def text(*components: str, monitor: str = "", http: str = "") -> str:
    """A whole config."""
    return f'[monitor]\nname = "e2e"\nstate_dir = "state"\n{monitor}{http}{DEFAULTS}' + "".join(components)


def port(name: str, number: int, more: str = "") -> str:
    return PORT.format(name=name, port=number) + more


def save(path: Path, content: str) -> None:
    """As an editor that does it well: beside it, then in its place."""
    fresh = path.with_name(".fresh")
    fresh.write_text(content)
    fresh.chmod(0o644)
    fresh.replace(path)


def reloaded(running: Daemon, count: int = 1) -> dict[str, Any]:
    wait_until(lambda: len(running.events("config.reloaded")) >= count, f"{count} reloads told")
    return running.events("config.reloaded")[count - 1]


def rejected(running: Daemon, count: int = 1) -> dict[str, Any]:
    wait_until(lambda: len(running.events("config.rejected")) >= count, f"{count} rejections told")
    return running.events("config.rejected")[count - 1]


def names(running: Daemon) -> list[str]:
    return [component["name"] for component in running.request("GET", "/api/v1/state")[1]["components"]]


def config_of(running: Daemon) -> dict[str, Any]:
    found = running.request("GET", "/api/v1/state")[1]["monitor"]["config"]
    assert isinstance(found, dict)
    return found


def test_a_save_is_followed_and_told_by_name_and_what_stayed_keeps_its_streak(tmp_path: Path) -> None:
    with target() as up:
        up.open()
        mind, old = port("mind", up.port), port("old", free_port())
        with daemon(tmp_path, DEFAULTS + mind + old) as running:
            running.wait_for_event("component.down", "old")
            incident = running.component("old")["incident"]["id"]
            wait_until(lambda: running.component("mind")["checks"][0]["consecutive_successes"] > 3, "a streak")
            save(running.config, text(mind, port("gateway", up.port), port("voice", up.port)))
            told = reloaded(running)
            assert told["message"] == "added gateway, voice; removed old"
            assert told["data"] == {"added": ["gateway", "voice"], "removed": ["old"]}
            assert names(running) == ["mind", "gateway", "voice"]
            assert running.component("mind")["checks"][0]["consecutive_successes"] > 3
            end = running.wait_for_event("component.recovered", "old")
            assert (end["incident"], end["message"]) == (incident, "removed from the config")
            save(running.config, text(mind, port("gateway", free_port()), port("voice", up.port)))
            assert reloaded(running, 2)["message"] == "changed gateway"
            running.wait_for_event("component.down", "gateway")
            assert running.events("component.recovered") == [end]
            about_mind = [event["event"] for event in running.events() if event.get("component") == "mind"]
            assert about_mind == ["component.healthy"]


def test_a_bad_file_leaves_the_old_config_running_and_is_told_on_every_surface(tmp_path: Path) -> None:
    with target() as up:
        up.open()
        good = text(port("mind", up.port))
        with daemon(tmp_path, DEFAULTS + port("mind", up.port)) as running, console_lines(running.config) as printed:
            wait_until(lambda: "mind: healthy" in printed(), "the console attached")
            before = config_of(running)
            assert before["rejected"] is None
            save(running.config, good + '[components.mind.restart]\nmethod = "signl"\n[components.b]\ntitel = 1\n')
            told = rejected(running)
            assert (told["level"], told["data"]["mistakes"]) == ("ERROR", len(told["data"]["told"]))
            assert told["data"]["mistakes"] >= 2
            assert told["message"].startswith(f"{running.config}:")
            assert "did you mean signal?" in told["message"]
            assert told["message"].endswith("correct it; the config that was loaded before goes on")
            assert "\n" not in told["message"]
            wait_until(lambda: "the config was not reloaded: " in printed(), "the console told it")
            assert config_of(running) == {**before, "rejected": told["message"]}
            up.shut()
            running.wait_for_event("component.down", "mind")
            save(running.config, good)
            assert reloaded(running)["message"] == "nothing changed"
            assert config_of(running)["rejected"] is None
            wait_until(lambda: "the config was reloaded" in printed(), "the console told that too")


def test_a_daemon_is_asked_all_the_same_once_its_file_went_bad(tmp_path: Path) -> None:
    with target() as up:
        up.open()
        with daemon(tmp_path, DEFAULTS + port("mind", up.port)) as running:
            wait_until(lambda: running.status()[0] == 200, "healthy")
            save(running.config, running.config.read_text() + "[components.b]\ntitel = 1\n")
            rejected(running)
            for words in (("health",), ("health", "mind"), ("probe", "mind"), ("events", "--component", "mind")):
                argv = [*LIFESIGN, words[0], "-c", str(running.config), *words[1:]]
                done = subprocess.run(argv, capture_output=True, text=True, timeout=90, check=False)
                assert done.returncode == 0, done.stderr
                warned = "the daemon goes on with what it had" in done.stderr
                assert warned is (words[0] != "health")  # which is asked all day long, and reads no more than it needs
            with console_lines(running.config) as printed:
                wait_until(lambda: "the config was not reloaded: " in printed(), "the console attached")
        ended = subprocess.run([*LIFESIGN, "health", "-c", str(running.config)], capture_output=True, check=False)
        assert ended.returncode == 78


@pytest.mark.parametrize("name", ["truncates first", "in two writes"])
def test_a_save_that_is_seen_half_done_is_not_rejected(tmp_path: Path, name: str) -> None:
    whole = text(port("mind", 9), port("gateway", 9))
    with daemon(tmp_path, DEFAULTS + port("mind", 9)) as running:
        moments_s = [time.monotonic()]
        with running.config.open("w") as file:
            for part in [whole] if name == "truncates first" else [whole[:-30], whole[-30:]]:
                time.sleep(0.15)  # so that it is seen half done: that is what is tested
                file.write(part)
                file.flush()
                moments_s.append(time.monotonic())
        assert reloaded(running)["data"] == {"added": ["gateway"]}
        longest_s = max(later - earlier for earlier, later in itertools.pairwise(moments_s))
        assert longest_s > RETRY_S or running.events("config.rejected") == []  # so slow a machine makes it a bad file


def test_hangup_reads_it_anew_and_says_so_even_where_nothing_has_changed(tmp_path: Path) -> None:
    with daemon(tmp_path, DEFAULTS + port("mind", 9)) as running:
        running.process.send_signal(signal.SIGHUP)
        assert reloaded(running)["message"] == "nothing changed"
        running.config.chmod(0o666)
        running.process.send_signal(signal.SIGHUP)
        assert "everybody can write it: chmod go-w" in rejected(running)["message"]
        assert running.process.poll() is None


def test_the_folder_may_go_and_come_back(tmp_path: Path) -> None:
    config = tmp_path / "etc" / "lifesign.toml"
    config.parent.mkdir()
    before, after = (text(port(name, 9)).replace('"state"', '"../state"') for name in ("mind", "gateway"))
    save(config, before)
    with killed_after(tmp_path, config, 0) as running:
        shutil.rmtree(config.parent)
        assert "cannot read this file: No such file or directory" in rejected(running)["message"]
        config.parent.mkdir()
        save(config, after)
        assert reloaded(running)["data"] == {"added": ["gateway"], "removed": ["mind"]}
        save(config, before)
        assert reloaded(running, 2)["data"] == {"added": ["mind"], "removed": ["gateway"]}


def test_a_link_that_is_swapped_is_a_save(tmp_path: Path) -> None:
    """As Kubernetes mounts a ConfigMap: the file is a link through `..data`, and only that is replaced."""
    with daemon(tmp_path, DEFAULTS + port("mind", 9)) as running:
        for number, content in enumerate((text(port("mind", 9)), text(port("mind", 9), port("gateway", 9)))):
            version = tmp_path / f"..{number}"
            version.mkdir()
            save(version / "lifesign.toml", content)
            fresh = tmp_path / "..fresh"
            fresh.symlink_to(version.name)
            fresh.replace(tmp_path / "..data")
            if number == 0:
                fresh.symlink_to("..data/lifesign.toml")
                fresh.replace(running.config)  # in one step: a file that is missing for long is told
        assert reloaded(running)["data"] == {"added": ["gateway"]}


def test_what_cannot_be_swapped_is_told_again_with_each_reload_and_the_token_is_swapped(tmp_path: Path) -> None:
    number, secret = free_port(), tmp_path / "token"
    http = '[http]\nlisten = "127.0.0.1:{0}"\ntoken = {{ file = "token" }}\n'

    def write_token(value: str) -> None:
        secret.write_text(value)
        secret.chmod(0o600)

    def acts(token: str) -> bool:
        asked = urllib.request.Request(
            f"http://127.0.0.1:{number}/api/v1/components/mind/probe",
            method="POST",
            headers={"Authorization": f"Bearer {token}"},
        )
        try:
            with urllib.request.urlopen(asked, timeout=20) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError:
            return False

    write_token("first-token-4711")
    with daemon(tmp_path, http.format(number) + DEFAULTS + port("mind", 9)) as running:
        assert acts("first-token-4711")
        write_token("second-token-4712")
        running.process.send_signal(signal.SIGHUP)
        reloaded(running)
        assert not acts("first-token-4711")
        assert acts("second-token-4712")
        other = http.format(free_port())
        save(running.config, text(port("mind", 9), http=other, monitor='history = "3d"\n'))
        told = reloaded(running, 2)
        assert told["message"] == "nothing changed; takes effect at the next start: [monitor] history, [http] listen"
        save(running.config, text(port("mind", 9), port("b", 9), http=other, monitor='history = "3d"\n'))
        assert reloaded(running, 3)["data"]["next_start"] == ["[monitor] history", "[http] listen"]
        assert acts("second-token-4712")


def test_a_change_that_comes_while_it_starts_is_not_missed(tmp_path: Path) -> None:
    with daemon(tmp_path, DEFAULTS + port("mind", 9)) as running:
        pass
    before = len(running.events("config.reloaded"))
    with daemon(tmp_path, DEFAULTS + port("mind", 9)) as second:
        save(second.config, text(port("gateway", 9)))
        wait_until(lambda: len(second.events("config.reloaded")) > before, "the reload told")
        assert names(second) == ["gateway"]


def descriptors(running: Daemon) -> int:
    return sum(1 for _ in Path(f"/proc/{running.process.pid}/fd").iterdir())


def threads(running: Daemon) -> int:
    return sum(1 for _ in Path(f"/proc/{running.process.pid}/task").iterdir())


def resident_kib(running: Daemon) -> int:
    [line] = [s for s in Path(f"/proc/{running.process.pid}/status").read_text().splitlines() if s.startswith("VmRSS")]
    return int(line.split()[1])


def settled(measure: Callable[[], int]) -> int:
    """The lowest of a few readings: a look that is under way has a descriptor of its own."""
    readings = []
    for _ in range(20):
        readings.append(measure())
        time.sleep(0.02)
    return min(readings)


@pytest.mark.parametrize("reloads", [12, pytest.param(50, marks=pytest.mark.proof)])
def test_reloads_in_a_row_leave_nothing_behind(tmp_path: Path, reloads: int) -> None:
    with target() as up:
        up.open()
        beat = '[components.mind.checks.beat]\ntype = "heartbeat"\npath = "hb.json"\ninterval = "{0}s"\n'
        (tmp_path / "stays.json").write_text(json.dumps({"timestamp": time.time()}))
        stays = '[components.stays.checks.beat]\ntype = "heartbeat"\npath = "stays.json"\nstale_after = "1h"\n'
        pid = '[components.mind.checks.process]\ntype = "process"\npattern = "no-such-{0}"\noptional = true\n'

        def version(number: int) -> str:
            push = '[components.job.checks.push]\ntype = "push"\n' if number % 2 else ""
            extra = port(f"extra{number}", up.port)
            return text(stays, beat.format(number + 1), pid.format(number), extra, push)

        with daemon(tmp_path, DEFAULTS + stays) as running:
            for number in range(10):
                save(running.config, version(number))
                reloaded(running, number + 1)
            before = settled(lambda: descriptors(running)), settled(lambda: threads(running))
            resident = resident_kib(running)
            for number in range(10, 10 + reloads):
                save(running.config, version(number))
                reloaded(running, number + 1)
            after = settled(lambda: descriptors(running)), settled(lambda: threads(running))
            assert after[0] <= before[0] + 2, "two looks at a port may be under way"
            assert after[1] <= before[1] + 5, "the pool that reads files, of six threads, may have had but one before"
            assert resident_kib(running) < resident + 4096
            assert running.component("stays")["checks"][0]["consecutive_failures"] == 0
            about = {event["event"] for event in running.events() if event.get("component") == "stays"}
            assert about.isdisjoint({"component.down", "component.recovered"})
