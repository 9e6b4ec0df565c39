"""`lifesign ack COMPONENT`: somebody has taken its open incident. It ends with the incident."""

from lifesign.cli.asking import action_command, notice_words

command = action_command(
    "ack",
    "Acknowledge the open incident of COMPONENT: somebody has taken it.",
    lambda seen: notice_words("acknowledged", seen.acknowledged),
)
