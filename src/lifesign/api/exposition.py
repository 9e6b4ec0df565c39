"""Gauges in the Prometheus text format, byte for byte as prometheus-client writes them, for a third of the time.

A thousand components make 26,000 lines in every scrape. Not here: counters, histograms and this process, of which
there are few (`api.metrics`), and what is kept of one scrape for the next (`api.metric_lines`).
"""

from collections.abc import Iterable
from typing import TypeAlias

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.utils import floatToGoString

Labels: TypeAlias = tuple[tuple[str, str], ...]

_PLAIN = 1e6  # below that Go writes a number as Python does


def gauges_text(families: Iterable[GaugeMetricFamily]) -> str:
    """`families` with their samples, in their order."""
    return "".join(map(_family, families))


def _family(family: GaugeMetricFamily) -> str:
    lines = [line(name, tuple(labels.items()), value) for name, labels, value, *_ in family.samples]
    return head(family.name, family.documentation) + "".join(lines)


def head(name: str, words: str) -> str:
    """What stands before the lines of a gauge."""
    words = words.replace("\\", r"\\").replace("\n", r"\n")
    return f"# HELP {name} {words}\n# TYPE {name} gauge\n"


def line(name: str, labels: Labels, value: float) -> str:
    """One sample."""
    return f"{name}{_labels(labels)} {number(value)}\n"


def start(name: str, labels: Labels) -> str:
    """What stands before the number of a sample."""
    return f"{name}{_labels(labels)} "


def state_lines(name: str, labels: Labels, held: str, states: tuple[str, ...]) -> str:
    """A gauge that is 1 for the one of `states` that is held under those labels, and 0 for all others."""
    rows = [(_labels((*labels, ("state", state))), "1.0" if state == held else "0.0") for state in states]
    return "".join(f"{name}{text} {value}\n" for text, value in rows)


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{key}="{escaped(value)}"' for key, value in sorted(labels)) + "}"


def escaped(value: str) -> str:
    """`value` as it stands between the quotation marks of a label."""
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def number(value: float) -> str:
    """`value` as Go writes it."""
    if -_PLAIN < value < _PLAIN:
        return repr(float(value))
    return str(floatToGoString(value))  # type: ignore[no-untyped-call]
