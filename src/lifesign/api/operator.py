"""Who sits at this terminal, as the operator would sign: the human behind sudo or su, not the user they became.

It is what a client says of itself; what is proven is the socket's matter (`api.access`).
"""

import os
import pwd
from collections.abc import Callable, Mapping


def operator_name(environment: Mapping[str, str] = os.environ, login: Callable[[], str] = os.getlogin) -> str | None:
    """`$SUDO_USER`, else who logged in at this terminal, else whom the process runs as; None if nobody knows."""
    if name := environment.get("SUDO_USER"):
        return name
    try:
        return login()
    except OSError:  # no terminal: cron, a container
        pass
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return None
