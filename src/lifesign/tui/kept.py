"""The theme that an operator has chosen to keep: its name in a file of theirs, for the next console."""

from pathlib import Path

from lifesign.text import clean
from lifesign.tui.themes import user_folder

_MOST_CHARACTERS = 40


def kept_file() -> Path:
    """`$XDG_CONFIG_HOME/lifesign/theme`, beside the folder of the user's own themes. It need not exist."""
    return user_folder().with_name("theme")


def kept_theme(file: Path) -> str:
    """The name in `file`; empty where none can be read. Whether there is such a theme is for others to know."""
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            return clean(opened.readline(_MOST_CHARACTERS + 2).strip(), _MOST_CHARACTERS)
    except OSError:
        return ""


def keep(file: Path, name: str) -> str:
    """Writes `name` to `file`; why that cannot be, else empty."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{name}\n")
    except OSError as error:
        return f"{clean(str(file), 120)}: {error.strerror or 'cannot be written'}"
    return ""
