"""A glance at a config tells what the whole reader would, or nothing."""

import os
from pathlib import Path

import pytest

from lifesign.config import load
from lifesign.config.glance import Glance, glance

CHECK = '[components.a.checks.b]\ntype = "tcp"\naddress = "localhost:1"\n'


def written(folder: Path, text: str) -> Path:
    """A config that only we can write."""
    path = folder / "lifesign.toml"
    path.write_text(text)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    "text",
    [
        '[monitor]\nname = "m"\nstate_dir = "state"\n' + CHECK,
        CHECK + '[monitor]\nstate_dir = "/var/lib/x/../y"  # there\n[console.keys]\n"component.restart" = "f8"\n',
        'monitor.state_dir = "./s"\n' + CHECK,
        'monitor = { name = "m" }\n' + CHECK,
        CHECK,
        ' [ monitor ]\nname = "m"\n' + CHECK + "[console]\n",
        CHECK
        + "[monitor]\nname = 'm'\n[console]\n[console.keys]\n'component.ack' = 'f7'\n\n[defaults]\ninterval = '9s'\n",
    ],
)
def test_it_sees_what_the_whole_reader_reads(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    whole = load(path)
    assert glance(path) == Glance(whole.monitor.state_dir, dict(whole.console_keys))


@pytest.mark.parametrize(
    "text",
    [
        CHECK + '[defaults]\nx = """\n[monitor]\nstate_dir = "/elsewhere"\n"""\n',
        CHECK + "tags = [\n['monitor'],\n]\n[monitor]\nstate_dir = '/s'\n",
        "[monitor]\nstate_dir = '~/s'\n",
        "[monitor]\nstate_dir = '$HOME/s'\n",
        "[monitor]\nstate_dir = 1\n",
        "[monitor]\nname = '../up'\n",
        "[monitor]\nstate_dir = \n",
        "[[monitor]]\nstate_dir = '/s'\n",
        "[console.keys]\n'component.ack' = 1\n",
        "[monitor]\nstate_dir = '/s'\n[monitor]\nname = 'twice'\n",
    ],
)
def test_what_it_cannot_tell_for_certain_it_leaves_to_the_whole_reader(tmp_path: Path, text: str) -> None:
    assert glance(written(tmp_path, text)) is None


def test_it_follows_no_config_that_others_may_have_written(tmp_path: Path) -> None:
    path = written(tmp_path, "[monitor]\nstate_dir = '/s'\n")
    path.chmod(0o622)
    assert glance(path) is None
    os.mkfifo(tmp_path / "fifo", 0o600)
    assert glance(tmp_path / "fifo") is None
    assert glance(tmp_path / "none") is None
