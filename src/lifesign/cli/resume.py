"""`lifesign resume COMPONENT`: starts its checks again, with a fresh grace."""

from lifesign.cli.asking import action_command

command = action_command("resume", "Start the checks of COMPONENT again, with a fresh grace.", lambda seen: seen.state)
