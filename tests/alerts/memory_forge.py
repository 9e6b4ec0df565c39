"""A tracker in memory with a human beside it, that loses requests and answers as it is told."""

import random
from dataclasses import dataclass, field, replace

from lifesign.alerts.forge import Comment, Issue
from lifesign.alerts.sink import SinkError


@dataclass
class Project:
    """What the tracker holds, whoever asks."""

    issues: dict[int, Issue] = field(default_factory=dict)
    titles: dict[int, str] = field(default_factory=dict)
    comments: dict[int, list[Comment]] = field(default_factory=dict)
    edits: int = 0
    now: str = "2000-01-01T00:00:00.000Z"
    last_id: int = 0

    def next_id(self) -> int:
        self.last_id += 1
        return self.last_id

    @property
    def open(self) -> list[int]:
        return [issue.number for issue in self.issues.values() if issue.is_open]

    def human(self, number: int, *, closes: bool = False, labels: tuple[str, ...] = ()) -> None:
        issue = self.issues[number]
        closed_at = self.now if closes else issue.closed_at
        stays = issue.is_open and not closes
        self.issues[number] = replace(issue, is_open=stays, labels=issue.labels | set(labels), closed_at=closed_at)


class MemoryForge:
    """One client's way to the project. Of its calls a share of `loses` never arrives, and as many answers are lost."""

    def __init__(self, project: Project, loses: float = 0.0, seed: int = 0) -> None:
        self.project = project
        self.loses = loses
        self.luck = random.Random(seed)

    def _arrive(self) -> None:
        if self.luck.random() < self.loses:
            raise SinkError("the request was lost")

    def _answer(self) -> None:
        if self.luck.random() < self.loses:
            raise SinkError("the answer was lost")

    async def issues(self, closed_since: str) -> list[Issue]:
        self._arrive()
        return list(self.project.issues.values())

    async def issue(self, number: int) -> Issue | None:
        self._arrive()
        return self.project.issues.get(number)

    async def create(self, title: str, body: str) -> Issue:
        self._arrive()
        number = len(self.project.issues) + 1
        made = Issue(number, body, True, frozenset({"watchdog"}), f"https://forge.example/{number}")
        self.project.issues[number], self.project.titles[number] = made, title
        self.project.comments[number] = []
        self._answer()
        return made

    async def edit(self, number: int, body: str, *, is_open: bool) -> None:
        self._arrive()
        closed_at = "" if is_open else self.project.now
        self.project.issues[number] = replace(
            self.project.issues[number], body=body, is_open=is_open, closed_at=closed_at
        )
        self._answer()

    async def comments(self, number: int) -> list[Comment]:
        self._arrive()
        return list(self.project.comments[number])

    async def comment(self, number: int, body: str) -> int:
        self._arrive()
        made = Comment(self.project.next_id(), body)
        self.project.comments[number].append(made)
        self._answer()
        return made.id

    async def edit_comment(self, number: int, comment: int, body: str) -> bool:
        self._arrive()
        held = self.project.comments[number]
        for place, known in enumerate(held):
            if known.id == comment:
                held[place] = Comment(comment, body)
                self.project.edits += 1
                self._answer()
                return True
        return False

    async def delete(self, number: int) -> bool:
        self._arrive()
        return self.project.issues.pop(number, None) is not None

    async def close(self) -> None:
        pass
