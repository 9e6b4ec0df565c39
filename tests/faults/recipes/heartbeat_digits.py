"""Five thousand digits, which cost quadratic time to read."""

from tests.faults.families.heartbeat_file import BadContent
from tests.faults.recipe import DOWN, Expect


class Fault(BadContent):
    expect = Expect(DOWN, "malformed")
    content = b'{"timestamp": ' + b"1" * 5000 + b"}"
