"""The config: `lifesign.toml` and the targets of `lifesign watch` in, frozen specifications out.

Every mistake is told at once, with file, line, key and what was probably meant. Not here: building
checks from it (`lifesign.bootstrap`).
"""

from lifesign.config.load import load
from lifesign.config.problems import ConfigError, ConfigNotFound, ConfigProblem
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
