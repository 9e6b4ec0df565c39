"""What every sink is to the outbox. Not here: any sink, and when to try again (`outbox`)."""

from collections.abc import Mapping
from typing import Protocol

from lifesign.alerts.alert import Alert
from lifesign.core.model import JsonValue

Memo = Mapping[str, JsonValue]
"""What a sink wants to remember of an incident: the number of its issue, say. It survives us."""


class SinkError(Exception):
    """An alert did not arrive; the message is a sentence without secrets. `retry_after_s`: the other side's wish."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class HeldBackError(SinkError):
    """It will not be sent, and trying again changes nothing; the message says why."""


class Sink(Protocol):
    """One place that is told of incidents."""

    async def deliver(self, alert: Alert, memo: Memo) -> Memo:
        """Tells `alert`; the memo to keep. May be called again for what had arrived. Raises SinkError."""
        ...

    async def close(self) -> None:
        """Releases what is held. May be called twice."""
        ...
