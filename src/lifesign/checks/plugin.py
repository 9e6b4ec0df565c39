"""What a plugin of the Nagios plugin API says: its exit code, its first line, its performance data.

Rules: https://www.monitoring-plugins.org/doc/guidelines.html (plugin output, return codes, performance data).
Not here: running it.
"""

import math
import re
from collections.abc import Mapping

from lifesign.core.model import Verdict
from lifesign.records import dataclass
from lifesign.text import clean

MOST_METRICS = 64
_VERDICTS = {0: Verdict.OK, 1: Verdict.WARN, 2: Verdict.FAIL, 3: Verdict.UNKNOWN}
_PERFDATUM = re.compile(r"(?:'((?:[^']|'')+)'|([^\s=']+))=(\S*)")
_VALUE = re.compile(r"([-+]?[0-9]*(?:[.,][0-9]*)?(?:[eE][-+]?[0-9]+)?)(s|us|ms|ns|%|[KMGTPE]?i?B|c)?")


@dataclass(frozen=True, slots=True)
class PluginAnswer:
    """What one run said. `metrics`: by label, in the plugin's own unit."""

    verdict: Verdict
    message: str
    metrics: Mapping[str, float]


def read_plugin(returncode: int, output: bytes, errors: bytes = b"") -> PluginAnswer:
    """The answer of a plugin that ended by itself. An exit code beyond 3 is `unknown`, and named."""
    text, performance = _taken_apart(output.decode("utf-8", "replace"))
    said = clean(text, 300) or clean(errors.decode("utf-8", "replace").strip().partition("\n")[0], 300)
    verdict = _VERDICTS.get(returncode, Verdict.UNKNOWN)
    if returncode not in _VERDICTS:
        return PluginAnswer(verdict, f"exit code {returncode}, which no plugin has{f': {said}' if said else ''}", {})
    return PluginAnswer(verdict, said or f"exit code {returncode}, and not a word", read_performance(performance))


def _taken_apart(output: str) -> tuple[str, str]:
    """The first line's text, and all performance data: of the first line, and behind the first bar after it."""
    first, _, rest = output.strip("\n").partition("\n")
    text, _, performance = first.partition("|")
    _, bar, more = rest.partition("|")
    return text.strip(), f"{performance} {more}" if bar else performance


def read_performance(text: str) -> dict[str, float]:
    """`'label'=value[unit];warn;crit;min;max` → value by label; what is no number (or `U`) is left out."""
    metrics: dict[str, float] = {}
    for found in _PERFDATUM.finditer(text[:65536]):
        label = clean((found[1] or found[2]).replace("''", "'"), 100)
        value = _number(found[3].partition(";")[0])
        if value is not None and label and len(metrics) < MOST_METRICS:
            metrics[label] = value
    return metrics


def _number(text: str) -> float | None:
    found = _VALUE.fullmatch(text)
    if found is None:
        return None
    try:
        value = float(found[1].replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None
