"""The demo's `lifesign.toml`: a config as a user would write it, but with short intervals."""

from pathlib import Path

from lifesign.records import dataclass

_TEMPLATE = """\
# The stack of `lifesign demo`. Intervals are short, so that everything is told within seconds.
[monitor]
name = "demo"
state_dir = "state"

[defaults]
interval = "1s"
timeout = "1s"
failure_threshold = 3
success_threshold = 2
grace = "3s"
flap_changes = 50

[components.gateway]
title = "Gateway"
tags = ["demo"]

[components.gateway.checks.process]
type = "process"
pattern = '{gateway_pattern}'

[components.gateway.checks.stream]
type = "websocket"
url = "ws://127.0.0.1:{gateway_port}/stream"

[components.mind]
title = "Consciousness loop"
tags = ["demo"]
depends_on = ["gateway"]

[components.mind.checks.syntax]
type = "syntax"
paths = ["nexus/*.py"]
timeout = "3s"

[components.mind.checks.process]
type = "process"
pattern = '{mind_pattern}'

[components.mind.checks.health]
type = "http"
url = "http://127.0.0.1:{mind_port}/health"

[components.mind.checks.heartbeat]
type = "heartbeat"
path = "heartbeats/mind.json"
stale_after = "4s"
progress = "cycle"

[components.feed]
title = "Market feed"
tags = ["demo"]
depends_on = ["gateway"]

[components.feed.checks.process]
type = "process"
pattern = '{feed_pattern}'

[components.feed.checks.heartbeat]
type = "heartbeat"
path = "heartbeats/feed.json"
stale_after = "4s"
progress = "delivered"

[components.tools]
title = "Tool server"
tags = ["demo"]
optional = true

[components.tools.checks.health]
type = "http"
url = "http://127.0.0.1:{tools_port}/health"
expect_json = {{ overall = "healthy" }}

[components.worker]
title = "Queue worker"
tags = ["demo"]

[components.worker.checks.process]
type = "process"
pattern = '{worker_pattern}'

[components.worker.checks.heartbeat]
type = "heartbeat"
path = "heartbeats/worker.json"
stale_after = "4s"

[components.worker.restart]
method = "signal"               # its keeper starts it anew
automatic = true
after = "1s"
grace = "3s"
max_unproductive = 3
backoff = {{ initial = "1s", factor = 1.5, max = "3s" }}
max_restarts = 100
window = "1h"
"""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where each program listens, on loopback."""

    gateway: int
    mind: int
    tools: int


def config_text(folder: Path, ports: Ports) -> str:
    """The whole file. The patterns name `folder`, so that two demos on one machine never see each other."""
    return _TEMPLATE.format(
        gateway_pattern=f"lifesign\\.demo\\.program gateway .*{folder.name}",
        feed_pattern=f"lifesign\\.demo\\.program feed .*{folder.name}",
        worker_pattern=f"lifesign\\.demo\\.program worker .*{folder.name}",
        mind_pattern=f"{folder.name}/nexus/mind\\.py",
        gateway_port=ports.gateway,
        mind_port=ports.mind,
        tools_port=ports.tools,
    )
