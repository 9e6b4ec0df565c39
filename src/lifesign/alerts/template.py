"""Templates of users: text with fields in braces, of which each is a plain word of the alert and nothing else.

No attribute, no index, no format is reached through a field, and what stands in a field is never taken for a template.
Braces around anything else, as JSON has them, are braces. Which fields there are is also known to the config.
"""

import json
import re
from collections.abc import Callable, Mapping

from lifesign.alerts.alert import Alert
from lifesign.text import clean, format_duration

_FIELD = re.compile(r"\{([a-z_]+)\}")
FIELDS: Mapping[str, Callable[[Alert], str]] = {
    "subject": lambda alert: alert.subject,
    "stage": lambda alert: alert.stage,
    "component": lambda alert: alert.component,
    "title": lambda alert: alert.title,
    "tags": lambda alert: ", ".join(alert.tags),
    "state": lambda alert: alert.state,
    "diagnosis": lambda alert: alert.diagnosis,
    "next": lambda alert: alert.next,
    "note": lambda alert: alert.note,
    "incident": lambda alert: alert.incident,
    "monitor": lambda alert: alert.monitor,
    "host": lambda alert: alert.host,
    "opened_at": lambda alert: alert.opened_at,
    "at": lambda alert: alert.at,
    "down": lambda alert: format_duration(alert.down_s),
}


def filled(template: str, alert: Alert, escape: Callable[[str], str] = str) -> str:
    """`template` with each field as `escape` makes it of the alert's word; what is no field stays."""

    def word(match: re.Match[str]) -> str:
        field = FIELDS.get(match[1])
        return match[0] if field is None else escape(clean(field(alert), 1000))

    return _FIELD.sub(word, template)


def in_json(text: str) -> str:
    """`text` as it stands within the quotes of a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]
