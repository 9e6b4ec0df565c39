"""One way to break the demo's stack, as data. Not here: who plays it (`director`)."""

from collections.abc import Callable

from lifesign.api.documents import Component
from lifesign.core.model import Layer
from lifesign.records import dataclass


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way to break the stack. `component` goes down, because its `layer` fails; `expect` says what stays true.

    `tells`: what must be told besides. `patience_s`: how long that may take, where it is longer than as a rule.
    `cured`: nobody heals it but lifesign.
    """

    title: str
    expect: str
    component: str
    layer: Layer
    break_it: Callable[[], None]
    heal_it: Callable[[], None]
    tells: Callable[[Component], bool] = lambda _: True
    patience_s: float | None = None
    cured: bool = False
