"""Runs one restarter in whatever namespace this process is in: `python -m tests.restarts.inside METHOD OPTIONS CALL`.

OPTIONS is JSON, a list of positional and a map of named ones. CALL is `target`, `restart`, `current`, or a race: with
`race` a unit is stopped by somebody after the last look before the deed, with `job` somebody's stop of it still waits
for its process. Prints one JSON object.
"""

import asyncio
import json
import subprocess
import sys
from typing import Any

from lifesign.core.model import Identity
from lifesign.restarts.restarter import HandsOffError, Hint, RestartFailedError
from lifesign.restarts.signal import SignalRestarter
from lifesign.restarts.systemd import SystemdRestarter


def _told(identity: Identity | None) -> list[object] | None:
    return None if identity is None else [identity.pid, identity.started_at]


def _lose_a_race(restarter: SystemdRestarter, unit: str, *how: str) -> None:
    act = restarter._restart

    async def be_late(found: Any) -> str:
        subprocess.run(["systemctl", "stop", *how, unit], check=True)  # noqa: ASYNC221 - nothing else runs here
        return await act(found)

    restarter._restart = be_late  # type: ignore[assignment,method-assign]


async def _call(restarter: SystemdRestarter | SignalRestarter, call: str, options: list[Any]) -> dict[str, object]:
    if call == "current":
        return {"identity": _told(await restarter.current())}
    try:
        target = await restarter.target(Hint())
        found: dict[str, object] = {"words": target.words, "identity": _told(target.identity)}
        if call in ("race", "job") and isinstance(restarter, SystemdRestarter):
            _lose_a_race(restarter, options[0], *(["--no-block"] if call == "job" else []))
        return found if call == "target" else found | {"done": await restarter.send(target)}
    except HandsOffError as error:
        return {"hands_off": str(error)}
    except RestartFailedError as error:
        return {"failed": str(error)}


def _main(method: str, options: str, call: str) -> None:
    positional, named = json.loads(options)
    restarter = {"systemd": SystemdRestarter, "signal": SignalRestarter}[method](*positional, **named)
    sys.stdout.write(json.dumps(asyncio.run(_call(restarter, call, positional))) + "\n")


if __name__ == "__main__":
    _main(*sys.argv[1:])
