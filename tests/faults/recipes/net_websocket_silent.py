"""A WebSocket that opens and then stays silent."""

from tests.faults.families.server import Serving
from tests.faults.families.websocket import opening
from tests.faults.recipe import DOWN, Expect


class Fault(Serving):
    expect = Expect(DOWN, "opened and sent nothing")
    check = 'type = "websocket"\nurl = "ws://127.0.0.1:{port}/"\nexpect = "yes"'
    good = staticmethod(opening(b"\x81\x03yes"))
    broken = staticmethod(opening(b""))
