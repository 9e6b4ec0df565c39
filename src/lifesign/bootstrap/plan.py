"""What a config means for the engine: its checks by name, how each is built, which files are swept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lifesign.bootstrap.probes import probe_factory
from lifesign.checks.probe import Probe
from lifesign.config import CheckConfig, Config
from lifesign.core.model import CheckId
from lifesign.core.spec import MonitorSpec


@dataclass(frozen=True, slots=True)
class Plan:
    """Made of one config, and never changed."""

    spec: MonitorSpec
    checks: Mapping[CheckId, CheckConfig]

    @classmethod
    def of(cls, config: Config, seed: int = 0) -> "Plan":
        """The plan of `config`. `seed` makes the start jitter."""
        spec = MonitorSpec(tuple(component.spec for component in config.components), seed=seed)
        return cls(
            spec, {CheckId(c.spec.name, check.spec.name): check for c in config.components for check in c.checks}
        )

    @property
    def makers(self) -> dict[CheckId, Callable[[], Probe]]:
        """How each check is built; push checks too, for whoever hears no beats."""
        return {check_id: probe_factory(check) for check_id, check in self.checks.items()}

    @property
    def timeouts_ns(self) -> dict[CheckId, int]:
        """How long a look of each may take."""
        return {check_id: check.spec.timeout_ns for check_id, check in self.checks.items()}

    @property
    def swept(self) -> dict[CheckId | None, Path]:
        """The files whose change is looked at early."""
        return {
            check_id: getattr(check.options, "path")  # noqa: B009  by check type
            for check_id, check in self.checks.items()
            if check.spec.type in ("heartbeat", "log")
        }
