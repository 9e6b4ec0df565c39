"""The first answer of the daemon that `--connect` names: without one there is nothing to show, and nothing was lost.

Not here: a daemon that is lost later (the console waits for that one), and one on this machine's own config.
"""

import threading
import time
from http import HTTPStatus

import click

from lifesign.api.answer import problem
from lifesign.api.client import Client
from lifesign.api.failures import ClientError, Refused

PATIENCE_S = 5.0  # a daemon that is being started, or replaced, is there by then
_AGAIN_AFTER_S = 0.25


def await_answer(url: str, token: str | None) -> None:
    """Returns as soon as `url` has told a state. Raises ClickException: at once where it refuses, else after 5 s."""
    ends_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            reply = Client.connect(url, max(0.1, ends_s - time.monotonic()), token).get("/api/v1/state")
        except Refused as error:
            raise click.ClickException(f"a daemon is there and refuses: {error.detail}") from None
        except ClientError as error:
            if time.monotonic() + _AGAIN_AFTER_S >= ends_s:
                raise click.ClickException(f"no daemon answers: {error.detail}") from None
            threading.Event().wait(_AGAIN_AFTER_S)
            continue
        if reply.status != HTTPStatus.OK:
            raise click.ClickException(f"{url} tells no state: {problem(reply.status, reply.body).detail}")
        return
