"""What the state of a systemd unit says about a restart: due, somebody's wish that it rests, or already under way.

Not here: asking systemd.
"""

from typing import Self

from lifesign.records import dataclass
from lifesign.restarts.restarter import HandsOffError
from lifesign.text import clean

PROPERTIES = (
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "MainPID",
    "Job",
    "Type",
    "Restart",
    "RemainAfterExit",
    "ControlGroup",
    "ActiveExitTimestampMonotonic",
    "ExecMainExitTimestampMonotonic",
)
_LOADED = ("loaded",)
_DOWN = ("inactive", "failed")
_ENDS_STAY_UP = ("always", "on-success")  # with these `Restart=` a unit that ended well by itself is up again


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit as `systemctl show` tells of it. `hint`: what to try where there is no such unit."""

    name: str
    properties: dict[str, str]
    hint: str = ""

    @classmethod
    def read(cls, name: str, output: str, hint: str = "") -> Self:
        """From lines of `KEY=VALUE`."""
        pairs = (line.partition("=") for line in output.splitlines())
        return cls(name, {key: value for key, _, value in pairs if key in PROPERTIES}, hint)

    def _get(self, key: str) -> str:
        return self.properties.get(key, "")

    def _number(self, key: str) -> int:
        value = self._get(key)
        return int(value) if value.isdecimal() else 0

    @property
    def main_pid(self) -> int:
        """0 where there is none."""
        return self._number("MainPID")

    @property
    def is_down(self) -> bool:
        """Nothing of it runs, and nobody is about to change that."""
        return self._get("ActiveState") in _DOWN

    @property
    def was_stopped(self) -> bool:
        """Down by somebody's wish."""
        return self._get("ActiveState") == "inactive" and not self._ended_by_itself()

    def refuse(self, our_group: str = "") -> None:
        """Raises HandsOffError where a restart is not wanted, or not ours to make.

        `our_group`: the control group of lifesign, which never restarts the unit that it runs in itself.
        """
        group = self._get("ControlGroup")
        if group.strip("/") and f"{our_group}/".startswith(f"{group}/"):
            raise HandsOffError(f"lifesign itself runs in unit {self.name}, which it never restarts")
        reason = self._reason()
        if reason:
            raise HandsOffError(reason)

    def _reason(self) -> str:
        load, active, sub = (clean(self._get(key), 40) for key in ("LoadState", "ActiveState", "SubState"))
        if load == "not-found":
            return f"there is no unit {self.name}{self.hint}"
        if load not in _LOADED:
            return f"unit {self.name} is {load or 'unknown to systemd'}, so it is left alone"
        if self._get("Job") not in ("", "0"):
            return f"systemd is already at work on unit {self.name} (job {clean(self._get('Job'), 20)}, {active})"
        if self.was_stopped and not self._number("ActiveExitTimestampMonotonic"):
            return f"unit {self.name} does not run, and systemd remembers no end of it, so it is left alone"
        if self.was_stopped:
            return f"unit {self.name} was stopped by somebody, so it is left alone"
        if self.is_down or (active == "active" and not sub.startswith("reload")):
            return ""
        state = f"{active}, {sub}" if sub and sub != active else active
        return f"systemd is already at work on unit {self.name} ({state})"

    def _ended_by_itself(self) -> bool:
        """Whether an inactive service ended well on its own accord.

        A stop takes the unit out of `active` first and its process ends later; a process that ends by itself does so
        first. Where that order proves nothing (a oneshot, `RemainAfterExit=`, or a `Restart=` that would have brought
        it back), a human's stop is assumed.
        """
        if self._get("Result") != "success" or self._get("Type") == "oneshot" or self._get("RemainAfterExit") != "no":
            return False
        if self._get("Restart") in _ENDS_STAY_UP:
            return False
        process_ended, unit_left = (
            self._number("ExecMainExitTimestampMonotonic"),
            self._number("ActiveExitTimestampMonotonic"),
        )
        return 0 < process_ended <= unit_left
