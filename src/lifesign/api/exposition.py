"""Gauges in the Prometheus text format, byte for byte as prometheus-client writes them, for a third of the time.

A thousand components make 26,000 lines in every scrape, and nearly all of their labels are those of the last one. Not
here: counters, histograms and this process, of which there are few (`api.metrics`).
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import TypeAlias

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.utils import floatToGoString

Labels: TypeAlias = tuple[tuple[str, str], ...]


def gauges_text(families: Iterable[GaugeMetricFamily]) -> bytes:
    """`families` with their samples, in their order."""
    return "".join(map(_family, families)).encode()


def states_text(name: str, words: str, held: Iterable[tuple[Labels, str]], states: tuple[str, ...]) -> bytes:
    """A gauge that is 1 for the one of `states` that is held under those labels, and 0 for all others."""
    blocks = [_block(name, labels, state, states) for labels, state in held]
    return f"# HELP {name} {words}\n# TYPE {name} gauge\n{''.join(blocks)}".encode()


@lru_cache(maxsize=16384)
def _block(name: str, labels: Labels, held: str, states: tuple[str, ...]) -> str:
    """Its lines under one set of labels: the same in every scrape until the state changes."""
    rows = [(_labels((*labels, ("state", state))), "1.0" if state == held else "0.0") for state in states]
    return "".join(f"{name}{text} {value}\n" for text, value in rows)


def _family(family: GaugeMetricFamily) -> str:
    words = family.documentation.replace("\\", r"\\").replace("\n", r"\n")
    lines = [f"# HELP {family.name} {words}\n# TYPE {family.name} gauge\n"]
    for name, labels, value, *_ in family.samples:
        lines.append(f"{name}{_labels(tuple(labels.items()))} {_number(value)}\n")
    return "".join(lines)


@lru_cache(maxsize=65536)
def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{key}="{_escaped(value)}"' for key, value in sorted(labels)) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _number(value: float) -> str:
    return "1.0" if value == 1.0 else str(floatToGoString(value))  # type: ignore[no-untyped-call]
