"""lifesign: is the process working, or does it only run?

Importing this package loads nothing but the standard library; the writer for monitored programs
is loaded when it is first asked for.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lifesign.heartbeat import Heartbeat, ReconnectExceededError, ReconnectGuard, Watchdog, write_heartbeat

__version__ = "0.1.0"
_FOR_PROGRAMS = ("Heartbeat", "ReconnectExceededError", "ReconnectGuard", "Watchdog", "write_heartbeat")
__all__ = [
    "Heartbeat",
    "ReconnectExceededError",
    "ReconnectGuard",
    "Watchdog",
    "__version__",
    "write_heartbeat",
]


def __getattr__(name: str) -> Any:
    if name in _FOR_PROGRAMS:
        from lifesign import heartbeat

        return getattr(heartbeat, name)
    raise AttributeError(f"module 'lifesign' has no attribute {name!r}")
