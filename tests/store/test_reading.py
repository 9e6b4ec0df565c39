"""Reading the events of a store beside its writer."""

import subprocess
import sys
from pathlib import Path

from lifesign.store.database import Database

WORDS = "x" * 300
READER = """
import sys
from pathlib import Path
from lifesign.store.reading import stored_texts

def of_memory(key):
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(key)]
    return int(line.split()[1])

path = Path(sys.argv[1])
next(stored_texts(path))  # whatever is loaded at the first time
before = of_memory("VmRSS")
Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here on
count = sum(1 for _ in stored_texts(path))
print(count, of_memory("VmHWM") - before)
"""


def test_reading_many_events_takes_the_memory_of_a_few(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")
    database.open()
    database.write([("2026-11-28T12:00:00.000Z", WORDS) for _ in range(20_000)], {})
    database.close()
    done = subprocess.run(
        [sys.executable, "-c", READER, str(database.path)], capture_output=True, text=True, check=True, timeout=60
    )
    count, grown_kib = map(int, done.stdout.split())
    assert count == 20_000
    assert grown_kib < 900, "SQLite alone would keep 2,000 KiB of pages to which nobody comes back"
