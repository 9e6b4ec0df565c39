"""The composition root: the one place that knows config, checks, core, engine and API.

Everything is imported where it is used, so that a one-shot loads no server and a daemon no console.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lifesign.api.documents import State
    from lifesign.bootstrap.one_shot import Ran
    from lifesign.config import Config


def one_shot_state(config: "Config", components: Sequence[str] = ()) -> "State":
    """Runs every check of `components` (all of them without names) once, and tells what is so now.

    KeyError: there is no component of that name.
    """
    from lifesign.bootstrap.one_shot import look_once

    return look_once(config, components)


def one_run(config: "Config", components: Sequence[str] = (), *, dry_run: bool = False, act: bool = False) -> "Ran":
    """The same, counted in the memory of the state folder; with `act` it restarts what is due.

    KeyError: there is no component of that name.
    """
    from lifesign.bootstrap.one_shot import check_once

    return check_once(config, components, dry_run=dry_run, act=act)
