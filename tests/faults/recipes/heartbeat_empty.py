"""A writer that truncated its file and died."""

from tests.faults.families.heartbeat_file import BadContent
from tests.faults.recipe import DOWN, Expect


class Fault(BadContent):
    expect = Expect(DOWN, "is empty")
    content = b""
