"""Uptime: what a window of time saw of a story, and how long it took to detect, to recover, to work again.

Uptime is time up over time up or down. What nobody knew (nobody watched, nobody could find out, paused) is in neither:
it is told beside it, as the share of the window that was watched. Degraded is up, because the work is done.
"""

from collections.abc import Iterable, Mapping

from lifesign.core.chronicle import Deed, Span, Standing, Story
from lifesign.core.model import NS_PER_S, Layer
from lifesign.records import dataclass


@dataclass(frozen=True, slots=True)
class Shares:
    """Seconds of one window. Their sum may pass its length by what a clock was set back."""

    up_s: float
    down_s: float
    unknown_s: float
    paused_s: float
    unwatched_s: float

    @property
    def uptime(self) -> float | None:
        """0 to 1; None where nobody knows."""
        judged_s = self.up_s + self.down_s
        return self.up_s / judged_s if judged_s > 0 else None

    @property
    def watched(self) -> float:
        """0 to 1: for how much of the window it is known whether it was up or down."""
        judged_s = self.up_s + self.down_s
        whole_s = judged_s + self.unknown_s + self.paused_s + self.unwatched_s
        return judged_s / whole_s if whole_s > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Uptime:
    """One component in one window. Means are in seconds, None where there is nothing to make one of."""

    shares: Shares
    layers: Mapping[Layer, Shares]
    incidents: int
    restarts: int
    productive: int
    mean_detect_s: float | None
    mean_recover_s: float | None
    mean_first_work_s: float | None


def uptime(story: Story, start_ns: int, end_ns: int) -> Uptime:
    """What the window from `start_ns` to `end_ns`, Unix nanoseconds, saw of `story`."""

    def within(deeds: Iterable[Deed]) -> list[Deed]:
        return [deed for deed in deeds if start_ns <= deed.at_ns <= end_ns]

    return Uptime(
        shares=shares(story.spans, start_ns, end_ns),
        layers={layer: shares(spans, start_ns, end_ns) for layer, spans in story.layers.items()},
        incidents=len(within(story.downs)),
        restarts=len(within(story.restarts)),
        productive=len(within(story.productive)),
        mean_detect_s=_mean(within(story.downs)),
        mean_recover_s=_mean(within(story.recoveries)),
        mean_first_work_s=_mean(within(story.productive)),
    )


def shares(spans: Iterable[Span], start_ns: int, end_ns: int) -> Shares:
    """How the window from `start_ns` to `end_ns` is shared out among `spans`; what no span covers is unwatched."""
    spent_ns = dict.fromkeys(Standing, 0)
    for span in spans:
        spent_ns[span.standing] += max(0, min(span.end_ns, end_ns) - max(span.start_ns, start_ns))
    covered_ns = sum(spent_ns.values())
    return Shares(
        up_s=spent_ns[Standing.UP] / NS_PER_S,
        down_s=spent_ns[Standing.DOWN] / NS_PER_S,
        unknown_s=spent_ns[Standing.UNKNOWN] / NS_PER_S,
        paused_s=spent_ns[Standing.PAUSED] / NS_PER_S,
        unwatched_s=max(0, end_ns - start_ns - covered_ns) / NS_PER_S,
    )


def _mean(deeds: Iterable[Deed]) -> float | None:
    known = [deed.took_s for deed in deeds if deed.took_s is not None]
    return sum(known) / len(known) if known else None
