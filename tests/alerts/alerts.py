"""Alerts written out by hand, and a sink that does as it is told."""

import asyncio
from typing import Any

from lifesign.alerts.alert import Alert, AlertCheck, Stage
from lifesign.alerts.sink import Memo


def alert(stage: Stage = "opened", component: str = "mind", number: int = 1, **keys: Any) -> Alert:
    return Alert(
        stage=stage,
        monitor="prod",
        host="box.example",
        component=component,
        state="healthy" if stage == "recovered" else "down",
        diagnosis=keys.pop("diagnosis", "alive and ready, but not working: no new work for 612 s (limit 300 s)"),
        incident=f"{component}-{number}",
        opened_at="2026-11-21T14:03:22.123Z",
        at="2026-11-21T14:05:22.123Z",
        down_s=120.0,
        layers={"startable": None, "alive": "passing", "ready": "passing", "working": "failed"},
        checks=[
            AlertCheck(
                name="beat", type="heartbeat", layer="working", state="failed", consecutive_failures=61, message="stale"
            )
        ],
        **keys,
    )


class ObedientSink:
    """Takes what it is given, or fails as often as `troubles` says."""

    def __init__(self, *troubles: Exception | None) -> None:
        self.troubles = list(troubles)
        self.taken: list[tuple[str, str, Memo]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = 0
        self.closed = False

    async def deliver(self, alert: Alert, memo: Memo) -> Memo:
        self.asked += 1
        await self.gate.wait()
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble is not None:
            raise trouble
        self.taken.append((alert.component, alert.stage, memo))
        return {"number": len(self.taken)}

    async def close(self) -> None:
        self.closed = True
