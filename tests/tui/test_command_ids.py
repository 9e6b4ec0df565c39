"""What a config may remap is what the console has."""

from lifesign.config.command_ids import COMMAND_IDS
from lifesign.tui.commands import ALL


def test_a_config_may_remap_every_command_of_the_console_and_no_other() -> None:
    assert set(COMMAND_IDS) == {command.id for command in ALL}
