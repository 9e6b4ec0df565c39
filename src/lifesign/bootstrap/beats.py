"""Which push checks a beat reaches: by component, and by the token that opens each."""

import hmac
from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING

from lifesign.bootstrap.probes import push_probe
from lifesign.checks.push import PushProbe
from lifesign.core.memory import MonitorMemory
from lifesign.core.model import CheckId, Observation, Verdict, WorkSignal

if TYPE_CHECKING:
    from lifesign.config import Config
    from lifesign.config.secret import Secret


class Beats:
    """The push probes of one config. They outlive a restart of their check, so that no beat is lost."""

    def __init__(self, config: "Config", memory: MonitorMemory) -> None:
        self._memory = memory
        self._probes: dict[CheckId, PushProbe] = {}
        self._tokens: dict[CheckId, Secret | None] = {}
        self.follow(config, ())
        self._memory = MonitorMemory()  # what is asked for later has begun later

    def follow(self, config: "Config", changed: Collection[CheckId]) -> None:
        """Hears for the push checks of `config` from now on. One that is not `changed` keeps its newest beat."""
        before = {check_id: probe for check_id, probe in self._probes.items() if check_id not in changed}
        self._probes, self._tokens = {}, {}
        for component in config.components:
            for check in component.checks:
                if check.spec.type != "push":
                    continue
                check_id = CheckId(component.spec.name, check.spec.name)
                assert check.spec.signal is not None
                self._probes[check_id] = before.get(check_id) or push_probe(check, self._remembered(check_id))
                self._tokens[check_id] = getattr(check.options, "token", None)

    def _remembered(self, check_id: CheckId) -> Observation | None:
        """The beat that was the newest when we last stopped."""
        component = self._memory.components.get(check_id.component)
        check = component.checks.get(check_id.check) if component else None
        if check is None or check.type != "push" or check.signal is None or check.last_verdict is None:
            return None
        verdict = check.last_verdict if check.last_verdict is Verdict.FAIL else Verdict.OK
        return Observation(verdict, "", signal=WorkSignal(check.signal.timestamp_ns, check.signal.progress))

    @property
    def makers(self) -> dict[CheckId, Callable[[], PushProbe]]:
        """A factory for each push check; it gives the same probe each time."""
        return {check_id: partial(_same, probe) for check_id, probe in self._probes.items()}

    def opened_by(self, component: str, token: str | None) -> list[CheckId]:
        """The push checks of `component` that `token` opens; all of them for None."""
        return [
            check_id for check_id in self._probes if check_id.component == component and self._opens(check_id, token)
        ]

    def _opens(self, check_id: CheckId, token: str | None) -> bool:
        if token is None:
            return True
        secret = self._tokens[check_id]
        return secret is not None and hmac.compare_digest(secret.reveal().encode(), token.encode())

    def accept(self, component: str, token: str | None, beat: Observation) -> list[CheckId]:
        """Gives `beat` to those checks; which they are."""
        checks = self.opened_by(component, token)
        for check_id in checks:
            self._probes[check_id].accept(beat)
        return checks

    def hear(self, check: CheckId, beat: Observation) -> bool:
        """Gives `beat` to that one check; whether it is still there."""
        probe = self._probes.get(check)
        if probe is not None:
            probe.accept(beat)
        return probe is not None


def _same(probe: PushProbe) -> PushProbe:
    return probe
