"""One driver for all fuzz tests: a property that Hypothesis proves in a moment is proven for a minute.

`for_seconds` takes any test that `@given` made, and runs it in rounds, each from another seed, until the time is over.
Nothing is kept between runs: a failure is told with its smallest example, to be written down as an `@example`.
"""

import time
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

ROUND = 2_000  # examples


def for_seconds(seconds: float, test: Callable[..., Any], **fixtures: object) -> int:
    """Runs `test` on ever new examples; how many they were. `fixtures`: what pytest would have given it."""
    strategies: dict[str, st.SearchStrategy[Any]] = test.hypothesis._given_kwargs  # type: ignore[attr-defined]
    inner = test.hypothesis.inner_test  # type: ignore[attr-defined]
    began_s, count, rounds, broken = time.monotonic(), 0, 0, False

    def once(drawn: dict[str, Any]) -> None:
        nonlocal count, broken
        if not broken and time.monotonic() - began_s >= seconds:
            return
        count += 1
        try:
            inner(**drawn, **fixtures)
        except BaseException:
            broken = True  # from now on it is made smaller, for as long as that takes
            raise

    while time.monotonic() - began_s < seconds:
        prove = given(st.fixed_dictionaries(strategies))(once)
        calm = settings(max_examples=ROUND, database=None, deadline=None, suppress_health_check=list(HealthCheck))
        seed(rounds)(calm(prove))()
        rounds += 1
    return count
