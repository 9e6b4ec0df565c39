"""Records behave as the standard library's dataclasses do: each is held against one of the same fields."""

import copy
import dataclasses
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import Any, ClassVar

import pytest

from lifesign import records


@records.dataclass(frozen=True, slots=True)
class Look:
    """A frozen one, with every kind of field."""

    kind: ClassVar[str] = "look"
    name: str
    took_s: float = 0.5
    metrics: dict[str, float] = field(default_factory=dict, compare=False)
    secret: str = field(default="", repr=False)
    step: int = field(default=1, hash=False)
    place: str = field(default="here", kw_only=True)

    @property
    def words(self) -> str:
        """What a method reads."""
        return f"{self.name} {self.took_s}"


@dataclass(frozen=True, slots=True)
class StandardLook:
    """The same, of the standard library."""

    kind: ClassVar[str] = "look"
    name: str
    took_s: float = 0.5
    metrics: dict[str, float] = field(default_factory=dict, compare=False)
    secret: str = field(default="", repr=False)
    step: int = field(default=1, hash=False)
    place: str = field(default="here", kw_only=True)


@records.dataclass(slots=True)
class Tally:
    """One that changes, and is validated when built."""

    seen: list[int] = field(default_factory=list)
    limit: int = 3

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.limit < 0:
            raise ValueError("a limit is not negative")


@records.dataclass(frozen=True, slots=True)
class Pair:  # noqa: PLW1641 - the hash is the decorator's, as in the standard library
    """One with an equality of its own, of which the hash knows nothing."""

    one: int
    two: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pair) and self.one == other.one

    def __repr__(self) -> str:
        return f"<{self.one}>"


@records.dataclass(frozen=True, slots=True)
class Empty:
    """One without fields."""


ARGUMENTS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    (("a",), {}),
    (("a", 2.0), {"secret": "s"}),
    (("a",), {"metrics": {"x": 1.0}, "place": "there", "step": 7}),
    ((), {"name": "b", "took_s": -0.0}),
]


@pytest.mark.parametrize(("positional", "named"), ARGUMENTS)
def test_a_record_is_built_and_shown_as_the_standard_librarys(
    positional: tuple[Any, ...], named: dict[str, Any]
) -> None:
    ours, theirs = Look(*positional, **named), StandardLook(*positional, **named)
    assert dataclasses.asdict(ours) == dataclasses.asdict(theirs)
    assert repr(ours) == repr(theirs).removeprefix("Standard")
    assert Look.__match_args__ == StandardLook.__match_args__
    assert [each.name for each in fields(Look)] == [each.name for each in fields(StandardLook)]


@pytest.mark.parametrize("first", ARGUMENTS)
@pytest.mark.parametrize("second", ARGUMENTS)
def test_records_are_equal_and_hashed_where_the_standard_librarys_are(
    first: tuple[tuple[Any, ...], dict[str, Any]], second: tuple[tuple[Any, ...], dict[str, Any]]
) -> None:
    ours = Look(*first[0], **first[1]), Look(*second[0], **second[1])
    theirs = StandardLook(*first[0], **first[1]), StandardLook(*second[0], **second[1])
    assert (ours[0] == ours[1]) is (theirs[0] == theirs[1])
    assert hash(ours[0]) == hash(theirs[0])
    assert ours[0] != theirs[0]  # type: ignore[comparison-overlap]


@pytest.mark.parametrize(
    ("positional", "named"),
    [((), {}), (("a", 1.0, {}, "", 1, "here"), {}), (("a",), {"nmae": ""}), (("a",), {"name": ""})],
)
def test_wrong_arguments_are_refused_the_first_time_and_every_other(
    positional: tuple[Any, ...], named: dict[str, Any]
) -> None:
    with pytest.raises(TypeError) as expected:
        StandardLook(*positional, **named)
    for _ in range(2):
        with pytest.raises(TypeError) as found:
            Look(*positional, **named)
        assert str(found.value) == str(expected.value).replace("StandardLook", "Look")


def test_a_frozen_record_cannot_be_changed() -> None:
    look = Look("a")
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'name'"):
        look.name = "b"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'name'"):
        del look.name
    with pytest.raises(AttributeError):
        look.other = 1  # type: ignore[attr-defined]
    assert look.words == "a 0.5"


def test_a_changed_copy_is_made_by_the_standard_librarys_replace() -> None:
    assert replace(Look("a"), took_s=2.0) == Look("a", 2.0)


@pytest.mark.parametrize("record", [Look("a", metrics={"x": 1.0}), Pair(1, 2), Empty()])
def test_a_record_can_be_copied_and_pickled(record: Any) -> None:
    assert [copy.copy(record), copy.deepcopy(record), pickle.loads(pickle.dumps(record))] == [record] * 3


def test_one_that_changes_has_no_hash_and_is_validated_when_built() -> None:
    tally = Tally()
    tally.seen.append(1)
    tally.limit = 5
    assert (tally, Tally().seen) == (Tally([1], 5), [])
    with pytest.raises(TypeError, match="unhashable"):
        hash(tally)
    with pytest.raises(ValueError, match="not negative"):
        Tally(limit=-1)
    with pytest.raises(AttributeError):
        tally.other = 1  # type: ignore[attr-defined]


def test_what_a_class_defines_itself_stays() -> None:
    assert Pair(1, 2) == Pair(1, 3)
    assert repr(Pair(1, 2)) == "<1>"
    assert hash(Pair(1, 2)) == hash((1, 2))


def test_one_without_fields_is_equal_to_its_like_alone() -> None:
    assert (Empty() == Empty(), Empty() == Pair(1, 2), repr(Empty())) == (True, False, "Empty()")


def test_a_method_is_written_when_it_is_first_called() -> None:
    @records.dataclass(frozen=True, slots=True)
    class Fresh:
        """Made here, so that nobody has called it."""

        one: int

    unwritten = vars(Fresh)["__init__"], vars(Fresh)["__eq__"], vars(Fresh)["__hash__"]
    fresh = Fresh(1)
    assert vars(Fresh)["__init__"] is not unwritten[0]
    assert (vars(Fresh)["__eq__"], vars(Fresh)["__hash__"]) == unwritten[1:]
    assert {fresh, Fresh(1)} == {Fresh(1)}
    assert vars(Fresh)["__eq__"] is not unwritten[1]
    assert vars(Fresh)["__hash__"] is not unwritten[2]
