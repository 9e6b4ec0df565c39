"""Which processes a check means, and how many there must be. Words for both. Not here: reading /proc."""

import operator
import re
from collections.abc import Iterable
from typing import Any

from lifesign.checks.process_table import Process
from lifesign.records import dataclass
from lifesign.text import clean

_COMPARISONS = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_COUNT = re.compile(r"\s*(>=|<=|==|!=|=|>|<)?\s*([0-9]{1,7})\s*")


@dataclass(frozen=True, slots=True)
class Count:
    """How many processes there must be."""

    comparison: str
    number: int

    def holds(self, count: int) -> bool:
        """Whether `count` processes are as wanted."""
        return bool(_COMPARISONS[self.comparison](count, self.number))

    def is_certain(self, count: int) -> bool:
        """Whether further processes, that we cannot see, would not change the answer."""
        most = max(count, self.number)
        return len({self.holds(count), self.holds(most), self.holds(most + 1)}) == 1

    def __str__(self) -> str:
        return f"{self.comparison}{self.number}"


def parse_count(text: str) -> Count:
    """From `">=1"`, `"==0"`, `"<=3"`, `"2"`. Raises ValueError with a sentence for the user."""
    found = _COUNT.fullmatch(text)
    if found is None:
        raise ValueError(f'a count is ">=1", "==0", "<=3" or a number, not "{clean(text, 40)}"')
    comparison = found[1] or "=="
    return Count("==" if comparison == "=" else comparison, int(found[2]))


class Selection:
    """A test on the command line and the name. A command line is matched once, for as long as it does not change."""

    def __init__(self, *, pattern: str | None, name: str | None, user: str | None) -> None:
        """`pattern` is an RE2 expression, searched for. Raises ValueError where it is none."""
        self._pattern = _compile(pattern) if pattern is not None else None
        self._name = name
        self._words = _words(pattern, name, user)
        self._answers: dict[int, tuple[Process, bool]] = {}

    def matches(self, process: Process) -> bool:
        """Whether `process` is meant. Dead ones match as they did alive."""
        known = self._answers.get(process.pid)
        if known is not None and known[0] is process:
            return known[1]
        answer = self._ask(process)
        self._answers[process.pid] = (process, answer)
        return answer

    def _ask(self, process: Process) -> bool:
        if self._name is not None and self._name not in process.names:
            return False
        return self._pattern is None or self._pattern.search(process.command_line) is not None

    def among(self, processes: Iterable[Process]) -> list[Process]:
        """Those of all `processes` that match. What is not among them is forgotten."""
        present, answers = list(processes), self._answers
        found = []
        for process in present:
            known = answers.get(process.pid)
            if known[1] if known is not None and known[0] is process else self.matches(process):
                found.append(process)
        if len(self._answers) > 2 * len(present) + 64:
            self._answers = {process.pid: self._answers[process.pid] for process in present}
        return found

    @property
    def is_narrow(self) -> bool:
        """Whether the program that a process runs matters."""
        return self._pattern is not None or self._name is not None

    def words(self, *, plural: bool = False) -> str:
        """`matches 'nexus_think'`, `are named 'nginx'`."""
        return self._words[plural]


def _compile(pattern: str) -> Any:
    import re2  # here, because it is heavy and only some checks have a pattern

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise ValueError(f"'{clean(pattern, 80)}' is no RE2 expression: {clean(str(error), 120)}") from None


def _words(pattern: str | None, name: str | None, user: str | None) -> tuple[str, str]:
    one, many = [], []
    if pattern is not None:
        one.append(f"matches '{clean(pattern, 80)}'")
        many.append(f"match '{clean(pattern, 80)}'")
    if name is not None:
        one.append(f"is named '{clean(name, 60)}'")
        many.append(f"are named '{clean(name, 60)}'")
    if user is not None:
        one.append(f"runs as {clean(user, 40)}")
        many.append(f"run as {clean(user, 40)}")
    return " and ".join(one) or "is there", " and ".join(many) or "are there"
