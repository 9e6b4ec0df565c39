"""Where a config looks for the heartbeats of a component. For whoever writes one: nothing else in the file is judged.

A program beats on while its operator edits the config, and need not have the secrets in it.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lifesign.config.source import read_source
from lifesign.config.values import Context, read_path
from lifesign.heartbeat import default_heartbeat_path
from lifesign.text import clean


class UnreadError(LookupError):
    """The component is there, and none of its checks would read what is written."""


def beat_path(config: Path, component: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the first heartbeat check of `component` that reads JSON looks.

    Raises ConfigError for a file that cannot be read or is no TOML, LookupError where it has no such component,
    UnreadError where that has no such check, ValueError for a path that cannot be expanded.
    """
    _, found = read_source(config)
    components = found.get("components")
    if not isinstance(components, dict) or component not in components:
        raise LookupError(f"{clean(str(config), 200)} has no component {clean(component, 200)}")
    for check in _checks(components[component]):
        if check.get("type") == "heartbeat" and check.get("format", "auto") in ("auto", "json"):
            if "path" not in check:
                return default_heartbeat_path(component)
            base = Path(os.path.abspath(config)).parent  # noqa: PTH100 - as in `reading.load`
            return read_path(check["path"], Context(base, environ))
    hears = any(check.get("type") == "push" for check in _checks(components[component]))
    hint = f": its push check hears POST /api/v1/components/{clean(component, 200)}/beat" if hears else ""
    where = f"{clean(component, 200)} in {clean(str(config), 200)}"
    raise UnreadError(f"{where} has no heartbeat check that reads JSON{hint}")


def _checks(component: Any) -> Iterator[Mapping[str, Any]]:
    checks = component.get("checks") if isinstance(component, dict) else None
    yield from (check for check in (checks.values() if isinstance(checks, dict) else ()) if isinstance(check, dict))
