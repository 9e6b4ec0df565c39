"""The wrong unit, a milliard times too large."""

from tests.faults.families.heartbeat_file import BadContent
from tests.faults.recipe import DOWN, Expect


class Fault(BadContent):
    expect = Expect(DOWN, "looks like nanoseconds")
    content = b'{"timestamp": 1795312345678000000}'
