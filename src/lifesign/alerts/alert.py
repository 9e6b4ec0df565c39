"""One alert as data: what every sink is given, and the JSON that webhooks and commands receive.

Times are UTC RFC 3339 with milliseconds. All text is clean and free of secrets before it comes here.
"""

from typing import Literal

import msgspec

ALERT_SCHEMA: Literal["lifesign.alert/1"] = "lifesign.alert/1"
Stage = Literal["opened", "updated", "reminder", "recovered"]


class AlertCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One check of the component at that moment."""

    name: str
    type: str
    layer: str
    state: str
    consecutive_failures: int
    message: str


class AlertRestart(msgspec.Struct, frozen=True, kw_only=True):
    """One restart that was made during the incident."""

    at: str
    by: str
    productive: bool | None = None


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of one incident. `drill`: a test, which is removed again. `note`: what is to be said besides.

    `diagnosis`: what fails; of one that is over, what had failed and for how long. `together`: who went down by the
    same cause and is told of with it, itself among them; empty where it is told of alone. `state` is `removed` where
    the component was taken out of the config.
    `last_lines`: what was seen of the component last, oldest first: of its log, its heartbeat, or its events.
    """

    schema: Literal["lifesign.alert/1"] = ALERT_SCHEMA
    stage: Stage
    monitor: str
    host: str
    component: str
    title: str = ""
    tags: list[str] = []
    optional: bool = False
    state: str
    diagnosis: str
    next: str = ""
    incident: str
    opened_at: str
    at: str
    down_s: float
    layers: dict[str, str | None] = {}
    checks: list[AlertCheck] = []
    restarts: list[AlertRestart] = []
    note: str = ""
    together: list[str] = []
    last_lines: list[str] = []
    drill: bool = False

    @property
    def subject(self) -> str:
        """The alert in one line."""
        drill = "[drill] " if self.drill else ""
        if self.stage == "recovered":
            return f"{drill}{self.component} {'is no longer watched' if self.state == 'removed' else 'works again'}"
        others = len(self.together) - 1
        who = f"{self.component} and {others} other{'s' if others > 1 else ''} are" if others > 0 else ""
        verb = who or f"{self.component} is"
        return f"{drill}{verb} {self.state}: {self.diagnosis.removeprefix(f'{self.state}: ')}"
