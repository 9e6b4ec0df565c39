"""The values of a sweep: a list as it is, or a range in steps that a human would choose."""

from lifesign.text import parse_duration

MOST = 12
_STEPS_S = (1, 2, 3, 5, 7, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 420, 600, 900, 1200, 1800, 2700, 3600)
_HOURS = (1.5, 2, 3, 4, 6, 8, 12, 18, 24, 36, 48, 72, 168)


def values_of(span: str) -> list[str]:
    """`1m..30m`, `1..10` or `1m,5m,10m`. Raises ValueError."""
    low, dots, high = span.partition("..")
    if not dots:
        values = [value.strip() for value in span.split(",")]
        if not all(values):
            raise ValueError(f"{span!r} is no range A..B and no list A,B,C")
        return values
    if low.strip().isdecimal() and high.strip().isdecimal():
        return _numbers(int(low), int(high))
    return _durations(low.strip(), high.strip())


def _numbers(low: int, high: int) -> list[str]:
    if low > high:
        raise ValueError(f"{low} is more than {high}")
    step = max(1, -(-(high - low) // (MOST - 1)))
    return [str(number) for number in dict.fromkeys([*range(low, high, step), high])]


def _durations(low: str, high: str) -> list[str]:
    low_s, high_s = parse_duration(low), parse_duration(high)
    if low_s > high_s:
        raise ValueError(f"{low} is longer than {high}")
    between = [s for s in (*_STEPS_S, *(hours * 3600 for hours in _HOURS)) if low_s < s < high_s]
    while len(between) > MOST - 2:
        between = between[1::2]
    return list(dict.fromkeys([low, *map(_spelled, between), high]))


def _spelled(seconds: float) -> str:
    for size, unit in ((3600, "h"), (60, "m")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size:g}{unit}"
    return f"{seconds:g}s"
