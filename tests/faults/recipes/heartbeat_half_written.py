"""A writer that died within its write."""

from tests.faults.families.heartbeat_file import BadContent
from tests.faults.recipe import DOWN, Expect


class Fault(BadContent):
    expect = Expect(DOWN, "malformed")
    content = b'{"timestamp": 17953'
