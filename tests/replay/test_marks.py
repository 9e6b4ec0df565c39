"""What counts in a comparison of two configs."""

import pytest

from lifesign.core.effects import Restart
from lifesign.core.events import Event, EventName
from lifesign.core.model import JsonValue
from lifesign.replay.marks import mark_of
from lifesign.replay.tape import Told


@pytest.mark.parametrize(
    ("automatic", "author", "words"), [(True, "", "restart 2"), (False, "ana", "restart 2 by ana")]
)
def test_a_restart_counts_when_it_was_made_and_not_when_it_was_asked_for(
    automatic: bool, author: str, words: str
) -> None:
    asked = Restart("mind", 2, automatic, author, "", None)
    data: dict[str, JsonValue] = {"attempt": 2, "automatic": automatic, "author": author}
    made = Event(EventName.RESTART_SENT, 5, "mind", message="restarted", data=data)
    assert mark_of(Told(1, 5, asked)) is None
    mark = mark_of(Told(2, 5, made))
    assert mark is not None
    assert (mark.component, mark.words) == ("mind", words)
