"""More than 64 KiB."""

from tests.faults.families.heartbeat_file import BadContent
from tests.faults.recipe import DOWN, Expect


class Fault(BadContent):
    expect = Expect(DOWN, "longer than 64 KiB")
    content = b'{"timestamp": 1795312345, "a": "' + b"x" * 70_000 + b'"}'
