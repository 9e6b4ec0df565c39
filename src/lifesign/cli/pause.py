"""`lifesign pause COMPONENT`: stops its checks until `resume`."""

from lifesign.cli.asking import action_command

command = action_command("pause", "Stop the checks of COMPONENT until it is resumed.", lambda seen: seen.state)
