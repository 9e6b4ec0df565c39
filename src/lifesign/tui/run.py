"""Opens the console in the form that its terminal can carry. It imports textual only where it draws."""

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping

from lifesign.tui.plain import run_plain
from lifesign.tui.source import StateSource


def is_plain(environment: Mapping[str, str]) -> bool:
    """Whether there is no terminal that can be drawn on: no tty, or one that knows no escape sequences."""
    if is_served(environment):
        return False
    drawable = sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()
    return not drawable or environment.get("TERM", "") in {"", "dumb", "unknown"}


def is_served(environment: Mapping[str, str]) -> bool:
    """Whether a browser draws it: the server speaks over our pipes, and names the driver that does so."""
    return "TEXTUAL_DRIVER" in environment


def encoding_of(environment: Mapping[str, str], python: str) -> str:
    """How the terminal reads bytes. Python (`python`) writes UTF-8 in the locale C too, which promises ASCII alone.

    For that it sets LC_CTYPE itself (PEP 538), so that here the other two tell what the user has chosen.
    """
    named = [environment.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG")]
    locale = next((name for name in named if name and name != "C.UTF-8"), "")
    locale = environment.get("LC_ALL") or locale
    return "ascii" if locale in {"C", "POSIX"} and not is_served(environment) else python


def has_few_colors(environment: Mapping[str, str]) -> bool:
    """Whether the terminal has sixteen colours at most, in which no theme but its own can be told from its ground."""
    from rich.console import Console

    system = environment.get("TEXTUAL_COLOR_SYSTEM", "auto")
    chosen = Console(force_terminal=True, color_system=system, _environ=environment).color_system  # type: ignore[arg-type]
    return chosen in {None, "standard"} and not is_served(environment)


def _end_with(parent: int) -> None:
    """Ends us where our server has gone without a word: nobody looks any more (console.md, measured)."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os.kill(os.getpid(), signal.SIGTERM)


def run_console(
    connect: Callable[[float], StateSource],
    *,
    read_only: bool = False,
    archived: bool = False,
    local: bool = False,
    keys: Mapping[str, str] | None = None,
    notes: tuple[str, ...] = (),
) -> int:
    """Shows what `connect(timeout_s)` tells until the operator quits; the exit code.

    `local`: the monitor is on this machine. `keys` remaps commands by id. `notes` are told once. `archived`: the
    source is a file.
    """
    if is_plain(os.environ):
        return run_plain(connect(3.0), sys.stdout, notes, archived=archived)
    return _run_drawn(connect, read_only=read_only, archived=archived, local=local, keys=keys or {}, notes=notes)


def _run_drawn(
    connect: Callable[[float], StateSource],
    *,
    read_only: bool,
    archived: bool,
    local: bool,
    keys: Mapping[str, str],
    notes: tuple[str, ...],
) -> int:
    from lifesign.tui.reading import ReadingAhead

    ahead = ReadingAhead(connect)
    gc.disable()  # until the first picture: what is imported stays
    from lifesign.api.operator import operator_name
    from lifesign.tui.app import ConsoleApp
    from lifesign.tui.drawing.glyphs import glyphs_for
    from lifesign.tui.ending import Ending
    from lifesign.tui.kept import kept_file, kept_theme
    from lifesign.tui.options import Options
    from lifesign.tui.themes import ANSI_THEME, DEFAULT_THEME, load_themes, shipped_folder, user_folder

    term = os.environ.get("TERM", "")
    folders = (shipped_folder(), user_folder())
    themes = load_themes(*folders)
    keeps = None if is_served(os.environ) or has_few_colors(os.environ) else kept_file()
    wanted = ANSI_THEME if keeps is None and has_few_colors(os.environ) else kept_theme(keeps) if keeps else ""
    options = Options(
        read_only=read_only,
        archived=archived,
        recalls=not archived,
        local=local,
        glyphs=glyphs_for(term, encoding_of(os.environ, sys.stdout.encoding or "")),
        themes=themes,
        theme_folders=folders,
        theme=wanted if any(theme.name == wanted for theme in themes.themes) else DEFAULT_THEME,
        kept_in=keeps,
        color="NO_COLOR" not in os.environ,
        keys=keys,
        notes=notes,
        author=operator_name(),
        title=term != "linux" and not is_served(os.environ),
    )
    if options.title:
        _write("\x1b[22;2t")  # the terminal keeps its title for later
    if is_served(os.environ):
        threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    ending = Ending()
    app = ConsoleApp(connect, options, ending=ending, ahead=ahead.take)
    try:
        code = app.run()
    finally:
        gc.enable()
        ending.over()
        if options.title:
            _write("\x1b[23;2t")
    return app.return_code or 0 if code is None else code


def _write(sequence: str) -> None:
    try:
        sys.stderr.write(sequence)
        sys.stderr.flush()
    except OSError:
        return  # the terminal is gone, and with it its title
