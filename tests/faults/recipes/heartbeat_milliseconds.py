"""The wrong unit, a thousand times too large."""

from tests.faults.families.heartbeat_file import BadContent
from tests.faults.recipe import DOWN, Expect


class Fault(BadContent):
    expect = Expect(DOWN, "looks like milliseconds")
    content = b'{"timestamp": 1795312345678}'
