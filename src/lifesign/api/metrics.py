"""The answer of `/metrics`: the state document in the Prometheus text format, by prometheus-client.

Names and units by https://prometheus.io/docs/practices/naming/. Labels are names from the config and closed sets, so
their number is bounded by it. Not here: HTTP, and when it is made anew.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from lifesign.api.copies import Copy
from lifesign.api.documents import State
from lifesign.api.exposition import gauges_text
from lifesign.api.metric_lines import components_text
from lifesign.api.sampled import Steady
from lifesign.api.tally import BOUNDS_S, Tallies
from lifesign.core.model import ComponentState

CONTENT_TYPE = CONTENT_TYPE_LATEST


def metrics_text(state: State, copies: Sequence[Copy], now_ns: int, tallies: Tallies, kept: Steady) -> bytes:
    """Everything in `state` and its components that is a number, what was counted, and this process.

    `kept`: the lines of the last time, one for all times; not for two threads at once.
    """
    overdue_checks = sum(copy.overdue for copy in copies)
    found = [*_of_the_monitor(state, overdue_checks), *_counted(tallies)]
    gauges = [family for family in found if type(family) is GaugeMetricFamily]
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(family for family in found if type(family) is not GaugeMetricFamily))
    ProcessCollector(registry=registry)
    rest = generate_latest(registry)
    return b"".join([gauges_text(gauges).encode(), *components_text(copies, now_ns, kept), rest])


class _Families(Collector):
    """Families that are made already."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterator[Metric]:
        """All of them."""
        yield from self._families


def _of_the_monitor(state: State, overdue_checks: int) -> Iterator[Metric]:
    monitor = state.monitor
    yield InfoMetricFamily("lifesign_build", "This lifesign.", {"version": monitor.version, "monitor": monitor.name})
    overall = _gauge("overall_state", "1 for the state of the whole, 0 for all others.", "state")
    _set_states(overall, (), state.overall, ComponentState)
    yield overall
    yield _single("loop_lag_seconds", "How late the newest round of the scheduler began.", monitor.loop_lag_ms / 1000)
    yield _single("last_round_age_seconds", "How long ago a round was finished.", monitor.last_round_age_s)
    yield _single("uptime_seconds", "How long this monitor has run.", monitor.uptime_s)
    yield _single("observer_suspect", "1 while failures are not evidence.", monitor.observer == "suspect")
    yield _single("state_writable", "1 while all that happens is kept, in state and history.", monitor.state_writable)
    yield _single("overdue_checks", "Checks that should have run by now.", overdue_checks)
    if monitor.outbox is not None:
        yield _single("outbox_depth", "Alerts that have not arrived yet.", monitor.outbox.depth)
        yield _single("outbox_oldest_age_seconds", "How long the oldest of them waits.", monitor.outbox.oldest_s)
        words = "Components that are down and have no issue, since max_issues are open."
        yield _single("outbox_held_back", words, len(monitor.outbox.held_back))


def _counted(tallies: Tallies) -> Iterator[Metric]:
    looks = HistogramMetricFamily("lifesign_check_duration_seconds", "How long looks took.", labels=("type",))
    for kind, seen in tallies.looks.items():
        sums = [str(bound) for bound in BOUNDS_S] + ["+Inf"]
        looks.add_metric((kind,), list(zip(sums, accumulate(seen.counts), strict=True)), seen.sum_s)
    yield looks
    yield _counter("events", "What was told, by the name of the event.", ("event",), _keyed(tallies.events))
    words = "Restarts by what became of them."
    yield _counter("restarts", words, ("component", "outcome"), tallies.restarts)
    yield _counter("alerts", "Alerts by sink, sent or failed.", ("sink", "outcome"), tallies.alerts)


def _keyed(counts: Mapping[str, int]) -> Mapping[tuple[str, ...], int]:
    return {(name,): count for name, count in counts.items()}


def _counter(
    name: str, words: str, labels: Sequence[str], counts: Mapping[tuple[str, ...], int] | Mapping[tuple[str, str], int]
) -> CounterMetricFamily:
    family = CounterMetricFamily(f"lifesign_{name}", words, labels=labels)
    for key, count in counts.items():
        family.add_metric(key, count)
    return family


def _gauge(name: str, words: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"lifesign_{name}", words, labels=labels)


def _single(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"lifesign_{name}", words, value=float(value))


def _set_states(family: GaugeMetricFamily, labels: tuple[str, ...], held: str, states: Iterable[str]) -> None:
    for state in states:
        family.add_metric((*labels, str(state)), 1.0 if state == held else 0.0)
