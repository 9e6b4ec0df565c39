"""Half a character, which no encoder writes out again."""

from tests.faults.families.heartbeat_file import BadContent
from tests.faults.recipe import DOWN, Expect


class Fault(BadContent):
    expect = Expect(DOWN, "malformed")
    content = b'{"timestamp": 1795312345, "message": "\\ud800"}'
