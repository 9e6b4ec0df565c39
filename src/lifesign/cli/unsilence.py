"""`lifesign unsilence COMPONENT`: ends a silence before its time."""

from lifesign.cli.asking import action_command, notice_words

command = action_command(
    "unsilence", "End the silence of COMPONENT before its time.", lambda seen: notice_words("silenced", seen.silence)
)
