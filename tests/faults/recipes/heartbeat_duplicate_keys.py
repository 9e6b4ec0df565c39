"""Two timestamps, of which parsers choose one."""

from tests.faults.families.heartbeat_file import BadContent
from tests.faults.recipe import DOWN, Expect


class Fault(BadContent):
    expect = Expect(DOWN, "malformed")
    content = b'{"timestamp": 1795312345, "timestamp": 1795312346}'
