"""What a daemon tells of itself, as far as a reader needs it to trust the rest."""

import os
import platform
from typing import Literal, TypeAlias

from lifesign import __version__
from lifesign.api.documents import ConfigInfo, MonitorInfo, OutboxInfo
from lifesign.core.model import NS_PER_S, Instant
from lifesign.engine.engine import Engine
from lifesign.text import format_timestamp

Mode: TypeAlias = Literal["daemon", "console"]


def monitor_info(
    name: str,
    mode: Mode,
    started: Instant,
    now: Instant,
    engine: Engine,
    *,
    writable: bool,
    config: ConfigInfo | None,
    outbox: OutboxInfo | None,
) -> MonitorInfo:
    """Of the monitor `name`, which runs since `started`. `writable`: whether all that happens is kept."""
    return MonitorInfo(
        name=name,
        host=platform.node(),
        version=__version__,
        pid=os.getpid(),
        mode=mode,
        started_at=format_timestamp(started.wall_ns),
        uptime_s=round((now.mono_ns - started.mono_ns) / NS_PER_S, 3),
        loop_lag_ms=round(engine.loop_lag_ms, 3),
        last_round_age_s=round(engine.last_round_age_s(), 3),
        observer=engine.monitor.observer.value,
        state_writable=writable,
        config=config,
        outbox=outbox,
    )
