"""`lifesign check COMPONENT…`: names that no component has."""

from pathlib import Path

import click
import pytest

from lifesign.cli.checking import refuse_unknown
from tests.config.writing import loaded

CONFIG = "".join(
    f'[components.{name}.checks.port]\ntype = "tcp"\naddress = "127.0.0.1:1"\n' for name in ("gateway", "mind")
)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["nope"], "there is no component 'nope': there are gateway, mind"),
        (["gatewy"], "there is no component 'gatewy': did you mean gateway?"),
        (["nope", "mind", "zork"], "there is no component 'nope' or 'zork': there are gateway, mind"),
        (["nope", "nope"], "there is no component 'nope': there are gateway, mind"),
        (["mnid", "gatewy"], "there is no component 'mnid' or 'gatewy': did you mean mind, gateway?"),
        (["mnid", "mnd"], "there is no component 'mnid' or 'mnd': did you mean mind?"),
        (["mnid", "zork"], "there is no component 'mnid' or 'zork': there are gateway, mind"),
    ],
)
def test_all_names_that_no_component_has_are_told_in_one_line(tmp_path: Path, names: list[str], words: str) -> None:
    with pytest.raises(click.UsageError) as refused:
        refuse_unknown(loaded(tmp_path, CONFIG), tuple(names))
    assert refused.value.message == words


def test_names_that_are_there_are_not_refused(tmp_path: Path) -> None:
    refuse_unknown(loaded(tmp_path, CONFIG), ("mind", "gateway"))
