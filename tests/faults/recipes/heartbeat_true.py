"""A truth value, which counts as 1 in some languages."""

from tests.faults.families.heartbeat_file import BadContent
from tests.faults.recipe import DOWN, Expect


class Fault(BadContent):
    expect = Expect(DOWN, "malformed")
    content = b'{"timestamp": true}'
