"""`lifesign validate`: checks a config without running anything of it."""

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from lifesign.cli import EXIT_CONFIG
from lifesign.cli.options import config_option

if TYPE_CHECKING:
    from lifesign.config import Config


@click.command("validate")
@config_option
@click.option("--schema", is_flag=True, help="Print the JSON Schema of the config, for editors, and do nothing else.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(config: str | None, schema: bool, as_json: bool) -> None:
    """Check a config: every mistake with its file, line and key.

    Exits with 0 where the config is good and with 78 where it is not.
    """
    if schema:
        from lifesign.config.reference import schema as json_schema

        click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
        return
    sys.exit(_validate(config, as_json=as_json))


def _validate(named: str | None, *, as_json: bool) -> int:
    from lifesign.config import ConfigError, ConfigNotFound, find_config, load

    try:
        path = find_config(named)
        config = load(path)
    except ConfigNotFound as error:
        click.echo(f"lifesign: {error}", err=True)
        if as_json:
            click.echo(json.dumps({"ok": False, "file": None, "problems": [{"reason": str(error)}]}))
        return EXIT_CONFIG
    except ConfigError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        if as_json:
            problems = [
                {"file": p.file, "line": p.line, "key": p.key, "reason": p.reason, "hint": p.hint}
                for p in error.problems
            ]
            click.echo(json.dumps({"ok": False, "file": str(path), "problems": problems}, indent=2))
        return EXIT_CONFIG
    warnings = [*config.warnings, *_of_this_machine(config)]
    components = len(config.components)
    checks = sum(len(component.checks) for component in config.components)
    if as_json:
        document = {"ok": True, "file": str(path), "components": components, "checks": checks}
        click.echo(json.dumps(document | {"warnings": warnings, "problems": []}, indent=2))
        return 0
    click.echo(f"{path}: OK, {_count(components, 'component')}, {_count(checks, 'check')}")
    for warning in warnings:
        click.echo(f"{path}: warning: {warning}")
    return 0


def _of_this_machine(config: "Config") -> Iterator[str]:
    """What keeps it from running here, and not elsewhere."""
    from lifesign.api.sockets import group_id_of

    try:
        group_id_of(config.monitor.socket_group)
    except ValueError as error:
        yield f"monitor.{error}: lifesign run would refuse it"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
