"""What another config changes, by name. It compares, and does nothing."""

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

from lifesign.config import Config
from lifesign.core.model import CheckId, JsonValue
from lifesign.records import dataclass

_LIVE_HTTP_KEYS = ("token", "allowed_hosts", "certificate", "key", "is_loopback", "insecure")  # the listener follows
_LIVE_MONITOR_KEYS = ("name",)


@dataclass(frozen=True, slots=True)
class Difference:
    """Components `added`, `changed` and `removed`; `checks` that begin anew.

    `other`: what else is followed at once; `pending`: what takes effect at the next start alone.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    checks: frozenset[CheckId]
    other: tuple[str, ...]
    pending: tuple[str, ...]

    @classmethod
    def between(cls, running: Config, wanted: Config) -> "Difference":
        """From what runs to what is wanted. A component of another name is another component."""
        before = {component.spec.name: component for component in running.components}
        after = {component.spec.name: component for component in wanted.components}
        return cls(
            added=tuple(name for name in after if name not in before),
            changed=tuple(name for name in after if name in before and after[name] != before[name]),
            removed=tuple(name for name in before if name not in after),
            checks=frozenset(_begun_anew(running, wanted)),
            other=tuple(_other(running, wanted)),
            pending=tuple(_pending(running, wanted)),
        )

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.added or self.changed or self.removed or self.pending or self.other)

    @property
    def data(self) -> dict[str, JsonValue]:
        """For the event."""
        lists = {"added": self.added, "changed": self.changed, "removed": self.removed, "next_start": self.pending}
        return {what: list(names) for what, names in lists.items() if names}

    @property
    def words(self) -> str:
        """In one line."""
        parts = [
            f"{what} {', '.join(names)}"
            for what, names in (("added", self.added), ("changed", self.changed), ("removed", self.removed))
            if names
        ]
        parts += [f"changed {', '.join(self.other)}"] if self.other else []
        words = "; ".join(parts) or "nothing changed"
        return f"{words}; takes effect at the next start: {', '.join(self.pending)}" if self.pending else words


def followed(running: Config, wanted: Config) -> Config:
    """What runs once `wanted` is followed as far as that goes without a start."""
    monitor = replace(running.monitor, name=wanted.monitor.name, incident_snapshots=wanted.monitor.incident_snapshots)
    http = running.http
    if http is not None and wanted.http is not None:
        http = replace(http, token=wanted.http.token, allowed_hosts=wanted.http.allowed_hosts)
        if http.certificate is not None and wanted.http.certificate is not None:
            http = replace(http, certificate=wanted.http.certificate, key=wanted.http.key)
    return replace(wanted, monitor=monitor, http=http)


def _begun_anew(running: Config, wanted: Config) -> Iterable[CheckId]:
    before = {CheckId(c.spec.name, check.spec.name): check for c in running.components for check in c.checks}
    for component in wanted.components:
        for check in component.checks:
            check_id = CheckId(component.spec.name, check.spec.name)
            if check_id in before and before[check_id] != check:
                yield check_id


def _other(running: Config, wanted: Config) -> Iterable[str]:
    if running.monitor.name != wanted.monitor.name:
        yield "[monitor] name"
    if running.monitor.incident_snapshots != wanted.monitor.incident_snapshots:
        yield "[monitor] incident_snapshots"
    if running.http is not None and wanted.http is not None:
        live = ("token", "allowed_hosts", "certificate", "key")
        yield from (f"[http] {key}" for key in live if getattr(running.http, key) != getattr(wanted.http, key))
    if running.alerts != wanted.alerts:
        yield "[alerts]"
    if running.console_keys != wanted.console_keys:
        yield "[console]"


def _pending(running: Config, wanted: Config) -> Iterable[str]:
    yield from _changed_keys("[monitor]", running.monitor, wanted.monitor, _LIVE_MONITOR_KEYS)
    if (running.http is None) != (wanted.http is None):
        yield "[http]"
    elif running.http is not None:
        assert wanted.http is not None
        yield from _changed_keys("[http]", running.http, wanted.http, _LIVE_HTTP_KEYS)
        if (running.http.certificate is None) != (wanted.http.certificate is None):
            yield "[http] certificate"


def _changed_keys(section: str, running: Any, wanted: Any, live: Iterable[str]) -> Iterable[str]:
    names = [
        f.name for f in fields(running) if f.name not in live and getattr(running, f.name) != getattr(wanted, f.name)
    ]
    as_written = {"host": "listen", "port": "listen", "history_s": "history"}
    yield from (f"{section} {key}" for key in dict.fromkeys(as_written.get(name, name) for name in names))
