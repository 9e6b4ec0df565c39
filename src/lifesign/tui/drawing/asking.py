"""The words of the questions that are asked before a deed."""

from collections.abc import Mapping, Sequence

import msgspec

from lifesign.api.documents import Component
from lifesign.text import clean
from lifesign.tui.deeds import EXHAUSTED, Target
from lifesign.tui.drawing.scene import Scene, diagnosis_of

_MOST_NAMED = 4


def names_of(components: Sequence[Component]) -> str:
    """`mind`, `mind and feed`, `4 components: a, b, c and 1 more`."""
    names = [clean(component.name, 60) for component in components]
    if len(names) <= 2:
        return " and ".join(names)
    shown = ", ".join(names[: _MOST_NAMED - 1])
    rest = len(names) - (_MOST_NAMED - 1)
    return f"{len(names)} components: {shown}{f' and {rest} more' if rest > 0 else ''}"


def restart_words(components: Sequence[Component], scene: Scene, asked: Mapping[str, Target]) -> list[str]:
    """Whom a restart would hit and how: state and reason, method and signal, pid and age of the process.

    `components` as they were when the key was pressed: their state is told as it is now, but the process stays the one
    that was `asked` about, by name.
    """
    words: list[str] = []
    for component in components[:_MOST_NAMED]:
        words += _one(component, scene, asked[component.name], named=len(components) > 1)
    if len(components) > _MOST_NAMED:
        words.append(f"and {len(components) - _MOST_NAMED} more")
    spent = [one.name for one in components if one.restart is not None and one.restart.phase == EXHAUSTED]
    if spent:
        words.append(
            f"Automatic restarts were given up{_in_vain(components)}. Re-arm allows them again, and their counts begin "
            "anew."
        )
    return words


def _one(asked_about: Component, scene: Scene, target: Target, *, named: bool) -> list[str]:
    restart = asked_about.restart
    if restart is None:
        return []
    component = scene.snapshot.component(asked_about.name)
    if component is None:
        return [f"{clean(asked_about.name, 60)} is no longer watched"]
    age = scene.age(target.started_at)
    lives = f", running for {age}" if asked_about.layers.may_live else f", began {age} ago, not seen now"
    running = lives if target.started_at else ""
    how = "" if isinstance(restart.how, msgspec.UnsetType) else f": {clean(restart.how, 120)}"
    why = clean(diagnosis_of(component), 200)
    name = f"{clean(component.name, 60)}: " if named else ""
    now = Target.of(component)
    late = f"Now there is {now.words()}: cancel, and press the key again to ask about that."
    return [
        f"{name}{clean(component.state, 20)} for {scene.age(component.since)}{f': {why}' if why else ''}",
        f"by {clean(restart.method, 40)}{how} {scene.glyphs.arrow} {target.words()}{running}",
        *([late] if now != target else []),
    ]


def _in_vain(components: Sequence[Component]) -> str:
    one = components[0].restart if len(components) == 1 else None
    return f" after {one.unproductive} in vain" if one is not None else ""
