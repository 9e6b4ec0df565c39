"""One call of systemctl in a disposable child, for the system's manager or the user's own.

Not here: what a unit's state means, to a check or to a restart.
"""

import os
import re
from collections.abc import Mapping

from lifesign.processes.child import ChildResult, minimal_environment, run_child
from lifesign.text import clean

_UNIT = re.compile(r"[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]{0,254}")
_KINDS = (".service", ".socket", ".target", ".mount", ".timer", ".path", ".scope", ".slice", ".swap", ".automount")


def unit_name(text: str) -> str:
    """`mind` is `mind.service`. Raises ValueError for what is no unit's name."""
    if not _UNIT.fullmatch(text):
        raise ValueError(f'"{clean(text, 80)}" is no name of a unit')
    return text if text.endswith(_KINDS) else f"{text}.service"


async def run_systemctl(*words: str, unit: str, is_user: bool, timeout_s: float) -> ChildResult:
    """`systemctl WORDS -- UNIT`. Never raises for what systemctl says or does."""
    scope = "--user" if is_user else "--system"
    argv = ["systemctl", scope, "--no-ask-password", "--no-pager", *words, "--", unit]
    return await run_child(argv, timeout_s=timeout_s, env=_environment(is_user=is_user))


def _environment(*, is_user: bool) -> Mapping[str, str]:
    env = minimal_environment() | {"LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0"}
    if is_user:
        env["XDG_RUNTIME_DIR"] = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}"
        if "DBUS_SESSION_BUS_ADDRESS" in os.environ:
            env["DBUS_SESSION_BUS_ADDRESS"] = os.environ["DBUS_SESSION_BUS_ADDRESS"]
    return env
