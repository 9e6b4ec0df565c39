"""A component's memory as text, and back. A text that makes no sense is no memory; it hinders nothing."""

from dataclasses import replace

import msgspec

from lifesign.core.memory import ComponentMemory, MonitorMemory

_PREFIX = "component/"


def key_of(component: str) -> str:
    """Under which key the memory of `component` is stored."""
    return _PREFIX + component


def is_of_component(key: str) -> bool:
    """Whether the memory of a component is stored under `key`."""
    return key.startswith(_PREFIX)


def encode(memory: ComponentMemory) -> str | None:
    """JSON. A progress value that JSON of 64 bits cannot carry is left out, with its signal; None if that is not it."""
    without = {name: replace(check, signal=None) for name, check in memory.checks.items()}
    for attempt in (memory, replace(memory, checks=without)):
        try:
            return msgspec.json.encode(attempt).decode()
        except (OverflowError, UnicodeEncodeError):
            continue
    return None


def decode(documents: dict[str, str]) -> MonitorMemory:
    """Of everything under a component's key that can be read."""
    components = {}
    for key, text in documents.items():
        if not key.startswith(_PREFIX):
            continue
        try:
            memory = msgspec.json.decode(text, type=ComponentMemory)
        except (msgspec.DecodeError, UnicodeError):
            continue
        components[key.removeprefix(_PREFIX)] = memory
    return MonitorMemory(components)
