"""`lifesign replay` on what a real daemon recorded, on scripts, and on lines."""

import json
import subprocess
from pathlib import Path

from tests.e2e.running import LIFESIGN, daemon

CONFIG = """
[components.gate.checks.port]
type = "tcp"
address = "127.0.0.1:1"
interval = "200ms"
grace = "1ms"
[components.idle.checks.me]
type = "process"
pattern = "lifesign"
interval = "300ms"
"""


def replay(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*LIFESIGN, "replay", "-c", str(folder / "lifesign.toml"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_daemons_record_is_replayed_as_it_was_and_by_another_threshold(tmp_path: Path) -> None:
    with daemon(tmp_path, CONFIG) as watching:
        watching.wait_for_event("component.down", "gate")
    same = replay(tmp_path, "--as-recorded")
    assert same.returncode == 0, same.stderr
    assert "nothing differs" in same.stdout
    document = json.loads(replay(tmp_path, "--json").stdout)
    assert {c["name"]: (len(c["then"]), len(c["now"])) for c in document["components"]} == {
        "gate": (1, 1),
        "idle": (0, 0),
    }
    assert document["components"][0]["then"] == document["components"][0]["now"]
    assert "there is nothing to compare" in replay(tmp_path, "--since", "2099-01-01T00:00:00Z").stdout
    other = replay(tmp_path, "--set", "components.gate.checks.port.failure_threshold=5000")
    assert "1 → 0" in other.stdout
    assert "(3 of 5000)" in other.stdout
    swept = replay(tmp_path, "--sweep", "failure_threshold=1,3,5000")
    assert "recommended: failure_threshold = 1" in swept.stdout


def test_a_script_and_lines_need_no_history_and_a_missing_one_is_said(tmp_path: Path) -> None:
    (tmp_path / "lifesign.toml").write_text(CONFIG)
    (tmp_path / "lifesign.toml").chmod(0o600)
    assert "gate       1" in replay(tmp_path, "--script", "gate=ppfff").stdout
    look = {"component": "gate", "check": "port", "verdict": "fail", "message": "refused"}
    lines = [json.dumps({"ts": 1_790_000_000 + number, **look}) for number in range(4)]
    (tmp_path / "seen.jsonl").write_text("\n".join(lines))
    assert "gate       1" in replay(tmp_path, "--input", str(tmp_path / "seen.jsonl")).stdout
    (tmp_path / "seen.jsonl").write_text(f'{lines[0]}\n{{"ts": 1}}')
    wrong = replay(tmp_path, "--input", str(tmp_path / "seen.jsonl"))
    assert (wrong.returncode, "line 2" in wrong.stderr) == (1, True)
    bad = replay(tmp_path, "--set", "components.gate.checks.port.type=tpc")
    assert (bad.returncode, "no history" in bad.stderr) == (78, False), "its mistakes come before what is not there"
    missing = replay(tmp_path)
    assert (missing.returncode, "there is no history in" in missing.stderr) == (1, True)
    assert replay(tmp_path, "--script", "gate=pp", "--as-recorded").returncode == 2
    turned = replay(tmp_path, "--script", "gate=pp", "--since", "1h", "--until", "2h")
    assert (turned.returncode, "--until 2h lies before --since 1h" in turned.stderr) == (2, True)
    assert replay(tmp_path, "--script", "gate=pp", "--set", "components.gate.checks.port.type=tpc").returncode == 78
