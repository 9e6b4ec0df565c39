"""What a config means for the engine: its checks by name, how each is built, which files are swept."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from lifesign.bootstrap.probes import Maker
from lifesign.checks.probe import Probe
from lifesign.config import CheckConfig, Config
from lifesign.core.model import CheckId
from lifesign.core.spec import ComponentSpec, MonitorSpec
from lifesign.records import dataclass


class Acting(StrEnum):
    """Who may restart: the monitor itself, the operator alone (a console's own engine), or nobody (a dry run)."""

    BY_ITSELF = "by itself"
    BY_HAND = "by hand"
    DRY_RUN = "dry run"


def _as_acting(spec: ComponentSpec, acting: Acting) -> ComponentSpec:
    if acting is not Acting.BY_HAND or spec.restart is None:
        return spec
    return replace(spec, restart=replace(spec.restart, automatic=False))


@dataclass(frozen=True, slots=True)
class Plan:
    """Made of one config, and never changed."""

    spec: MonitorSpec
    checks: Mapping[CheckId, CheckConfig]

    @classmethod
    def of(cls, config: Config, seed: int = 0, acting: Acting = Acting.BY_ITSELF) -> "Plan":
        """The plan of `config`. `seed` makes the start jitter."""
        components = tuple(_as_acting(component.spec, acting) for component in config.components)
        spec = MonitorSpec(components, seed=seed, dry_run=acting is Acting.DRY_RUN)
        return cls(
            spec, {CheckId(c.spec.name, check.spec.name): check for c in config.components for check in c.checks}
        )

    @property
    def makers(self) -> dict[CheckId, Callable[[], Probe]]:
        """How each check is built; push checks too, for whoever hears no beats."""
        return {check_id: Maker(check) for check_id, check in self.checks.items()}

    @property
    def timeouts_ns(self) -> dict[CheckId, int]:
        """How long a look of each may take."""
        return {check_id: check.spec.timeout_ns for check_id, check in self.checks.items()}

    @property
    def swept(self) -> dict[CheckId, Path]:
        """The files whose change is looked at early."""
        return {
            check_id: getattr(check.options, "path")  # noqa: B009  by check type
            for check_id, check in self.checks.items()
            if check.spec.type in ("heartbeat", "log")
        }


def watching_words(config: Config, where: str) -> str:
    """What is watched; `where`: its state, and where to ask."""
    count = len(config.components)
    return f"watching {count} component{'s' if count != 1 else ''}; {where}"
