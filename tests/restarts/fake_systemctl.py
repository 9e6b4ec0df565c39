"""A `systemctl` that keeps to systemd's published states, answers and exit codes. Nothing runs behind it.

As a program: `fake_systemctl.py STATE_FILE ARGUMENTS…`. The state is JSON: units by name with their properties, and
`trouble`, which stands for systemd as a whole: `no-systemd`, `denied`, `hangs`, `floods`. Not here: tests.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

_OPTIONS = ("--system", "--user", "--no-ask-password", "--no-pager", "--job-mode=fail")
_NOT_FOUND = {"LoadState": "not-found", "ActiveState": "inactive", "SubState": "dead", "MainPID": "0"}
_NO_SYSTEMD = (
    "System has not been booted with systemd as init system (PID 1). Can't operate.\n"
    "Failed to connect to bus: Host is down"
)
_TROUBLES = {
    "no-systemd": (1, _NO_SYSTEMD),
    "denied": (4, "Failed to {verb} {unit}: Interactive authentication required."),
}


def running(pid: int = 4_194_001, **more: str) -> dict[str, str]:
    """The properties of a simple service that runs."""
    return {
        "LoadState": "loaded",
        "ActiveState": "active",
        "SubState": "running",
        "Result": "success",
        "MainPID": str(pid),
        "Job": "",
        "Type": "simple",
        "Restart": "no",
        "RemainAfterExit": "no",
        "ControlGroup": "/system.slice/it.service",
        "ActiveExitTimestampMonotonic": "0",
        "ExecMainExitTimestampMonotonic": "0",
        **more,
    }


def stopped(**more: str) -> dict[str, str]:
    """The same after `systemctl stop`: it left `active` first, then its process ended."""
    rest = {"ActiveExitTimestampMonotonic": "1000", "ExecMainExitTimestampMonotonic": "1500"}
    return running(0, **({"ActiveState": "inactive", "SubState": "dead", "ControlGroup": ""} | rest | more))


def ended(**more: str) -> dict[str, str]:
    """The same after its process ended well by itself."""
    return stopped(**({"ActiveExitTimestampMonotonic": "1501"} | more))


def install(folder: Path, units: dict[str, dict[str, str]], trouble: str = "") -> Path:
    """Makes `folder`/bin/systemctl; its state file."""
    (folder / "bin").mkdir()
    state, program = folder / "systemd.json", folder / "bin" / "systemctl"
    state.write_text(json.dumps({"units": units, "trouble": trouble, "asked": []}))
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {__file__} {state} "$@"\n')
    program.chmod(0o755)
    return state


def _show(unit: dict[str, str], keys: list[str]) -> str:
    return "".join(f"{key}={unit[key]}\n" for key in reversed(keys) if key in unit)  # in an order of its own


def _act(verb: str, name: str, units: dict[str, Any], fail_on_conflict: bool) -> tuple[int, str]:
    unit = units.get(name)
    if unit is None:
        return 5, f"Failed to {verb} {name}: Unit {name} not found."
    if unit["LoadState"] == "masked":
        return 1, f"Failed to {verb} {name}: Unit {name} is masked."
    if unit["Job"] and fail_on_conflict:
        return 4, f"Failed to {verb} {name}: Transaction for {name}/{verb} is destructive."
    is_up = unit["ActiveState"] == "active"
    if (verb == "try-restart" and not is_up) or (verb == "start" and is_up):
        return 0, ""
    if "fails" in unit:
        unit.update(ActiveState="failed", SubState="failed", MainPID="0", Result="exit-code")
        return 1, f"Job for {name} failed because the control process exited with error code.\nSee elsewhere."
    unit.update(running(int(unit["MainPID"] or 0) + 1 if is_up else 4_194_100, Restart=unit["Restart"]))
    return 0, ""


def main(state_file: Path, arguments: list[str]) -> int:
    """Answers once; the exit code."""
    state = json.loads(state_file.read_text())
    state["asked"].append(" ".join(arguments))
    state_file.write_text(json.dumps(state))
    options, [name] = arguments[: arguments.index("--")], arguments[arguments.index("--") + 1 :]
    shown = [option.partition("=")[2] for option in options if option.startswith("--property=")]
    [verb] = [word for word in options if not word.startswith("-")]
    unknown = [o for o in options if o.startswith("-") and o not in _OPTIONS and not o.startswith("--property=")]
    trouble = state["trouble"]
    if unknown:
        code, words = 1, f"systemctl: unrecognized option '{unknown[0]}'"
    elif trouble == "hangs":
        time.sleep(600)
        return 1
    elif trouble == "floods":
        while True:
            sys.stdout.write("LoadState=loaded\n" * 1000)
    elif trouble in _TROUBLES and (verb != "show" or trouble == "no-systemd"):
        code, words = _TROUBLES[trouble]
        words = words.format(verb=verb, unit=name)
    elif verb == "show":
        sys.stdout.write(_show(state["units"].get(name, _NOT_FOUND), shown[0].split(",")))
        return 0
    else:
        code, words = _act(verb, name, state["units"], "--job-mode=fail" in options)
        state_file.write_text(json.dumps(state))
    sys.stderr.write(words + "\n" if words else "")
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
