"""Something that is no heartbeat at all."""

from tests.faults.families.heartbeat_file import BadContent
from tests.faults.recipe import DOWN, Expect


class Fault(BadContent):
    expect = Expect(DOWN, "neither a JSON object nor a bare timestamp")
    content = b"Permission denied, please log in"
