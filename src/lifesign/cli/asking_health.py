"""What `lifesign health` does: one question to the daemon, its answer as a line and an exit code."""

from typing import TYPE_CHECKING

from lifesign.api.client import Client
from lifesign.api.failures import ClientError, Unreachable
from lifesign.cli import CommandError
from lifesign.cli.finding import daemon_dir
from lifesign.cli.saying import say
from lifesign.tui.words import standing

if TYPE_CHECKING:
    from lifesign.api.documents import ComponentStatus, Status

OK = 200
_QUIET = frozenset({"healthy", "starting", "paused"})


def health(config: str | None, component: str | None) -> int:
    """Tells how the daemon of `config` is, or that component; 0 where it is well. Raises CommandError."""
    client = Client.of_state_dir(daemon_dir(config))
    try:
        if component is not None:
            status, one = client.component_status(component)
            line = _component_line(one)
        else:
            status, every = client.status()
            line = _overall_line(every)
    except Unreachable as error:
        raise CommandError(f"no daemon answers: {error} (lifesign run starts one)") from None
    except ClientError as error:
        raise CommandError(str(error)) from None
    say(line)
    return 0 if status == OK else 1


def _overall_line(status: "Status") -> str:
    troubles = [_component_line(component) for component in status.components if component.state not in _QUIET]
    return "; ".join([status.overall, *troubles])


def _component_line(component: "ComponentStatus") -> str:
    state = f"{component.state} (optional)" if component.optional else component.state
    return f"{component.name} is {standing(component.state, component.diagnosis).replace(component.state, state, 1)}"
