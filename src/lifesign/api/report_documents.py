"""The report on the wire, `lifesign.report/1`: what its readers need. Not here: how it is made (`api.reporting`)."""

from typing import Literal

import msgspec

REPORT_SCHEMA: Literal["lifesign.report/1"] = "lifesign.report/1"


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """One component from `since` until the report was made.

    `uptime`: up over up and down; null where nobody knows. `watched`: for how much of the window it is known.
    `layers`: the uptime of each layer that it has checks of.
    """

    window: str
    since: str
    uptime: float | None
    watched: float
    up_s: float
    down_s: float
    unknown_s: float
    paused_s: float
    unwatched_s: float
    incidents: int
    restarts: int
    restarts_productive: int
    mean_detect_s: float | None
    mean_recover_s: float | None
    mean_first_work_s: float | None
    layers: dict[str, float | None]


class ComponentReport(msgspec.Struct, frozen=True, kw_only=True):
    """One component in every window."""

    name: str
    title: str
    optional: bool
    state: str | None
    windows: list[Window]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The report document."""

    schema: Literal["lifesign.report/1"]
    generated_at: str
    monitor: str
    components: list[ComponentReport]
