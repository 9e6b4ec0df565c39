"""Which components an operator has paused, as the state folder knows it: one round looks at none of them.

Not here: what a pause is (`core.operations`), and how the folder is written (`keeping`, `runs`).
"""

from collections.abc import Iterable
from pathlib import Path

from lifesign.core.memory import NoticeMemory

FILE = "state.db"
_NONE = '"paused":null'  # nearly all of them: they need not be decoded


def pauses(folder: Path, names: Iterable[str]) -> dict[str, NoticeMemory]:
    """Those of `names` that are paused. Nothing is written, and a folder that cannot be read knows of none."""
    path = folder / FILE
    try:
        if not path.is_file():
            return {}
    except OSError:
        return {}
    from lifesign.store.database import Database
    from lifesign.store.remembering import decode

    texts = Database(path).peek(0, leaves_no_trace=True)[0]
    known = decode({key: text for key, text in texts.items() if _NONE not in text}).components
    found = {name: known[name].paused for name in names if name in known}
    return {name: paused for name, paused in found.items() if paused is not None}
