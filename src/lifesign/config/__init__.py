"""The config: `lifesign.toml` and the targets of `lifesign watch` in, frozen specifications out.

Every mistake is told at once, with file, line, key and what was probably meant. Not here: building
checks from it (`lifesign.bootstrap`).
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lifesign.config.problems import ConfigError, ConfigNotFound, ConfigProblem
    from lifesign.config.reading import load
    from lifesign.config.resolved import CheckConfig, ComponentConfig, Config, HttpConfig, MonitorConfig
    from lifesign.config.secret import Secret, SecretError
    from lifesign.config.source import find_config

__all__ = [
    "CheckConfig",
    "ComponentConfig",
    "Config",
    "ConfigError",
    "ConfigNotFound",
    "ConfigProblem",
    "HttpConfig",
    "MonitorConfig",
    "Secret",
    "SecretError",
    "find_config",
    "load",
]

_HOMES = {
    "problems": ("ConfigError", "ConfigNotFound", "ConfigProblem"),
    "reading": ("load",),
    "resolved": ("CheckConfig", "ComponentConfig", "Config", "HttpConfig", "MonitorConfig"),
    "secret": ("Secret", "SecretError"),
    "source": ("find_config",),
}


def __getattr__(name: str) -> object:
    """Imports what is asked for: who only looks for the daemon (`config.glance`) needs no type of any check."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
