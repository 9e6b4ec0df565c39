"""`lifesign rearm COMPONENT`: allows automatic restarts again after they were exhausted; its counts begin anew."""

from lifesign.cli.asking import action_command

command = action_command(
    "rearm",
    "Allow automatic restarts of COMPONENT again after they were exhausted.",
    lambda seen: f"armed, {seen.restart.phase}" if seen.restart else seen.state,
)
