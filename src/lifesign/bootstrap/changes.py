"""Values that stand in place of a config's, as `lifesign replay --set` asks for them, and what is wrong with them."""

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from lifesign.config import Config, ConfigError, ConfigProblem, load
from lifesign.config.problems import show_path, suggestion

Change = tuple[tuple[str, ...], object]


def change_of(text: str) -> Change:
    """`components.feed.checks.hb.stale_after=10m` as keys and value. Raises ValueError."""
    path, equals, value = text.partition("=")
    keys = tuple(key.strip() for key in path.split("."))
    if not equals or not all(keys):
        raise ValueError(f"{text!r} is not of the form KEY.KEY=VALUE")
    return keys, value_of(value.strip())


def value_of(text: str) -> object:
    """A value as in TOML; what is none is a text: a duration needs no quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def changed_config(path: Path, changes: Sequence[Change], option: str = "--set") -> Config:
    """The config with these values, without its secrets. `option`: what asked for the last of them.

    Raises ConfigError: with the file's own mistakes, or, where the file by itself is right, with those of `changes`.
    """
    try:
        return load(path, with_secrets=False, changes=changes)
    except ConfigError as error:
        if not changes:
            raise
        base = load(path, with_secrets=False)
        wrong = list(_misnamed(base, changes, option)) or [
            ConfigProblem(option, 0, problem.key, problem.reason, problem.hint) for problem in error.problems
        ]
        raise ConfigError(wrong) from None


def _misnamed(config: Config, changes: Sequence[Change], option: str) -> Iterator[ConfigProblem]:
    """Components and checks that the config has not, though a change speaks of them."""
    checks = {c.spec.name: [check.spec.name for check in c.checks] for c in config.components}
    for keys in dict.fromkeys(keys[:4] for keys, _ in changes if keys[0] == "components"):
        match keys:
            case (_, component, *_) if component not in checks:
                yield _unknown(option, keys[:2], f"there is no component {component!r}", list(checks))
            case (_, component, "checks", check) if check not in checks[component]:
                yield _unknown(option, keys, f"component {component} has no check {check!r}", checks[component])


def _unknown(option: str, keys: Sequence[str], reason: str, known: Sequence[str]) -> ConfigProblem:
    return ConfigProblem(option, 0, show_path(keys), reason, suggestion(keys[-1], known, "there are"))
