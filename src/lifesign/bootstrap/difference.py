"""What another config changes, by name. It compares, and does nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from lifesign.config import Config
from lifesign.core.model import CheckId

_LIVE_HTTP_KEYS = ("token", "allowed_hosts", "certificate", "key", "is_loopback", "insecure")  # the listener follows
_LIVE_MONITOR_KEYS = ("name",)


@dataclass(frozen=True, slots=True)
class Difference:
    """Components `added`, `changed` and `removed`; `checks` that begin anew; `pending`: keys of the next start."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    checks: frozenset[CheckId]
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
            pending=tuple(_pending(running, wanted)),
        )

    @property
    def words(self) -> str:
        """In one line."""
        parts = [
            f"{what} {', '.join(names)}"
            for what, names in (("added", self.added), ("changed", self.changed), ("removed", self.removed))
            if names
        ]
        words = "; ".join(parts) or "no component changed"
        return f"{words}; takes effect at the next start: {', '.join(self.pending)}" if self.pending else words


def _begun_anew(running: Config, wanted: Config) -> Iterable[CheckId]:
    before = {CheckId(c.spec.name, check.spec.name): check for c in running.components for check in c.checks}
    for component in wanted.components:
        for check in component.checks:
            check_id = CheckId(component.spec.name, check.spec.name)
            if check_id in before and before[check_id] != check:
                yield check_id


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
    names = [f.name for f in fields(running) if f.name not in live and getattr(running, f.name) != getattr(wanted, f.name)]
    as_written = {"host": "listen", "port": "listen", "history_s": "history"}
    yield from (f"{section} {key}" for key in dict.fromkeys(as_written.get(name, name) for name in names))
