"""What an answer is made of, by several threads at once."""

import subprocess
import sys

# Two threads that ask first of all at the same moment: so do the poll and the operator of a console, or a demo's.
FIRST_USES = """
import sys, threading
import msgspec
from lifesign.api.answer import decode
sys.setswitchinterval(1e-6)

def kinds():
    class Leaf(msgspec.Struct):
        number: int = 0
    inner = [msgspec.defstruct(f"Inner{n}", [(f"f{m}", Leaf | None, None) for m in range(20)]) for n in range(10)]
    return msgspec.defstruct("Whole", [(f"g{n}", kind | None, None) for n, kind in enumerate(inner)])

for turn in range(20):
    kind, gate = kinds(), threading.Barrier(4)

    def ask():
        gate.wait()
        assert decode(b'{"g1": {"f1": {"number": 1}}}', kind).g1.f1.number == 1

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print("all understood")
"""


def test_threads_that_meet_a_document_for_the_first_time_together_all_understand_it() -> None:
    """msgspec 0.22 by itself ends the whole process there, with SIGSEGV, about once in five times."""
    done = subprocess.run([sys.executable, "-c", FIRST_USES], capture_output=True, text=True, timeout=90, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "all understood\n", "")
