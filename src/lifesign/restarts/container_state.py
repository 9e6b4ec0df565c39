"""What the state of a container says about a restart: due, somebody's wish that it rests, or already under way.

Docker does not tell who ended a container. Its events do, while it remembers them; then they decide. Else the restart
policy and the exit code are all there is. Not here: asking for either.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Self

from lifesign.records import dataclass
from lifesign.text import clean, parse_timestamp

_NEVER_RESTS = ("always", "unless-stopped")
_CODES_OF_A_STOP = (0, 130, 137, 143)  # ended well, or by SIGINT, SIGKILL, SIGTERM
_STOPS = ("stop", "kill")
_END = ("die", "died")


@dataclass(frozen=True, slots=True)
class Container:
    """One container as `inspect` tells of it. `started_ns`: Unix, nanoseconds."""

    id: str
    status: str
    pid: int
    started_ns: int
    exit_code: int
    was_out_of_memory: bool
    policy: str
    has_no_retry_left: bool

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        """From the answer. Raises ValueError, KeyError, TypeError where it is none."""
        state, policy = told["State"], told["HostConfig"].get("RestartPolicy") or {}
        most = int(policy.get("MaximumRetryCount") or 0)
        return cls(
            id=str(told["Id"]),
            status=str(state["Status"]),
            pid=int(state["Pid"]),
            started_ns=parse_timestamp(state["StartedAt"]) if state.get("StartedAt") else 0,
            exit_code=int(state["ExitCode"]),
            was_out_of_memory=bool(state.get("OOMKilled")),
            policy=str(policy.get("Name") or "no"),
            has_no_retry_left=0 < most <= int(told.get("RestartCount") or 0),
        )

    @property
    def is_down(self) -> bool:
        """It ran, and ended."""
        return self.status == "exited"

    def refusal(self, events: Iterable[Mapping[str, Any]] = ()) -> str:
        """Why it is left alone, in words that follow its name; empty where a restart may be made.

        `events` of the engine about it, as far as it remembers any.
        """
        if self.status == "running":
            return ""
        if self.status == "restarting":
            return "is restarting: Docker is already at work on it"
        if self.status != "exited":
            return f"is {clean(self.status, 20)}, so it is left alone"
        return "was stopped by somebody, so it is left alone" if self._was_stopped(events) else ""

    def _was_stopped(self, events: Iterable[Mapping[str, Any]]) -> bool:
        if self.was_out_of_memory:
            return False
        if self.policy in _NEVER_RESTS:
            return True  # Docker itself brings back whatever ends by itself
        actions = [str(event.get("Action")) for event in events if _time_ns(event) >= self.started_ns]
        if any(action in _END for action in actions):  # so it remembers this end, and what led to it
            return any(action in _STOPS for action in actions)
        if self.policy == "on-failure":
            return not self.has_no_retry_left
        return self.exit_code in _CODES_OF_A_STOP


def _time_ns(event: Mapping[str, Any]) -> int:
    time_ns = event.get("timeNano")
    return time_ns if isinstance(time_ns, int) else 0
