"""A check that hangs, dies or cannot be built is told as our own trouble, and begun anew."""

import asyncio
from collections.abc import Callable, Iterable

import pytest

from lifesign.core.model import CheckId, JsonValue, Observation, Verdict
from lifesign.engine.clock import read_clocks
from lifesign.engine.looking import Looker, Looks, Rest
from lifesign.text import redact

CHECK = CheckId("mind", "port")
OK = Observation(Verdict.OK)


class Scripted:
    """A looker that does what the next step of a script says."""

    def __init__(self, script: list[Callable[[], Observation] | str]) -> None:
        self.script = script
        self.closed = 0

    async def look(self, now_wall_ns: int) -> Observation:
        step = self.script.pop(0)
        if step == "hang":
            await asyncio.Event().wait()
        assert callable(step)
        return step()

    def close(self) -> None:
        self.closed += 1


def broken() -> Observation:
    raise RuntimeError("out of \x1b[31mluck")


async def test_a_check_that_dies_is_told_as_unknown_and_begun_anew() -> None:
    made: list[Scripted] = []

    def make() -> Looker:
        made.append(Scripted([broken] if not made else [lambda: OK]))
        return made[-1]

    looks = Looks({CHECK: make}, {CHECK: 1_000_000_000})
    told = await looks.look(CHECK)
    assert (told.verdict, told.message) == (
        Verdict.UNKNOWN,
        "the check itself died: RuntimeError: out of \ufffd[31mluck",
    )
    assert await looks.look(CHECK) is OK
    assert [looker.closed for looker in made] == [1, 0]
    looks.close()
    assert [looker.closed for looker in made] == [1, 1]


async def test_a_check_that_hangs_is_ended_half_a_second_after_its_timeout() -> None:
    made: list[Scripted] = []

    def make() -> Looker:
        made.append(Scripted(["hang"] if not made else [lambda: OK]))
        return made[-1]

    looks = Looks({CHECK: make}, {CHECK: 10_000_000})
    begun = asyncio.get_running_loop().time()
    told = await looks.look(CHECK)
    assert (told.verdict, told.message) == (Verdict.UNKNOWN, "the check itself did not come back in 0.51 s")
    assert 0.5 <= asyncio.get_running_loop().time() - begun < 30
    assert await looks.look(CHECK) is OK


async def test_a_check_that_cannot_be_built_is_told_and_tried_again() -> None:
    attempts = []

    def make() -> Looker:
        attempts.append(1)
        raise ValueError("no such pattern")

    looks = Looks({CHECK: make}, {CHECK: 1_000_000_000})
    for _ in range(2):
        assert (await looks.look(CHECK)).verdict is Verdict.UNKNOWN
    assert len(attempts) == 2


class Instant(Scripted):
    """A looker that has its answers without waiting, but for those that are None."""

    def __init__(self, answers: list[Observation | None]) -> None:
        super().__init__([])
        self.answers = answers

    def look_at_once(self, now_wall_ns: int) -> Observation | None:
        if not self.answers:
            raise RuntimeError("out of answers")
        return self.answers.pop(0)


def test_an_answer_that_needs_no_waiting_is_there_at_once_and_goes_through_the_same_guards() -> None:
    made: list[Scripted] = []

    def make() -> Looker:
        made.append(Instant([Observation(Verdict.OK, "the key is hunter22"), None]))
        return made[-1]

    looks = Looks({CHECK: make}, {CHECK: 1_000_000_000}, ["hunter22"])
    told = looks.look_at_once(CHECK, 0)
    assert told is not None
    assert (told.verdict, told.message) == (Verdict.OK, "the key is [redacted]")
    assert looks.look_at_once(CHECK, 0) is None
    died = looks.look_at_once(CHECK, 0)
    assert died is not None
    assert (died.verdict, died.message) == (Verdict.UNKNOWN, "the check itself died: RuntimeError: out of answers")
    assert [looker.closed for looker in made] == [1]
    assert looks.look_at_once(CHECK, 0) is not None
    assert len(made) == 2


def test_a_check_that_must_wait_has_no_answer_at_once() -> None:
    looks = Looks({CHECK: lambda: Scripted([])}, {CHECK: 1_000_000_000})
    assert looks.look_at_once(CHECK, 0) is None


async def test_a_check_that_dies_takes_its_secret_with_it() -> None:
    def leak() -> Observation:
        raise RuntimeError("cannot log in with canary-4711")

    looks = Looks({CHECK: lambda: Scripted([leak])}, {CHECK: 1_000_000_000}, ["canary-4711"])
    told = await looks.look(CHECK)
    assert told.message == "the check itself died: RuntimeError: cannot log in with [redacted]"


class Awake(Scripted):
    """A looker whose target tells that it has changed."""

    told: Callable[[], None]

    def listen(self, told: Callable[[], None]) -> None:
        self.told = told


async def test_a_check_whose_target_tells_by_itself_names_itself() -> None:
    looker, changed = Awake([lambda: OK]), list[CheckId]()
    looks = Looks({CHECK: lambda: looker}, {CHECK: 1_000_000_000})
    looks.listen(changed.append)
    await looks.look(CHECK)
    looker.told()
    assert changed == [CHECK]


class CalledBack(Scripted):
    """A looker without tasks: `answers` are what `find` gives."""

    def __init__(self, answers: list[Callable[[], Observation | Rest]]) -> None:
        super().__init__([])
        self.answers = answers

    def begin(self, now_wall_ns: int, done: Callable[[Callable[[], Observation | Rest]], None]) -> bool:
        if not self.answers:
            return False
        asyncio.get_running_loop().call_soon(done, self.answers.pop(0))
        return True


async def landed(looks: Looks) -> Observation:
    came: asyncio.Future[Observation | Rest] = asyncio.get_running_loop().create_future()
    assert looks.begin(CHECK, read_clocks(), came.set_result)
    found = await came
    return found if isinstance(found, Observation) else await found


async def test_a_look_without_a_task_goes_through_the_same_guards() -> None:
    async def rest() -> Observation:
        return Observation(Verdict.OK, "later, with hunter22")

    async def hang() -> Observation:
        await asyncio.Event().wait()
        raise AssertionError

    answers: list[Callable[[], Observation | Rest]] = [
        lambda: Observation(Verdict.OK, "the key is hunter22"), rest, broken, hang,
    ]  # fmt: skip
    made: list[Scripted] = []

    def make() -> Looker:
        made.append(CalledBack(answers))
        return made[-1]

    looks = Looks({CHECK: make}, {CHECK: 10_000_000}, ["hunter22"])
    assert (await landed(looks)).message == "the key is [redacted]"
    assert (await landed(looks)).message == "later, with [redacted]"
    died = await landed(looks)
    assert (died.verdict, died.message) == (
        Verdict.UNKNOWN,
        "the check itself died: RuntimeError: out of \ufffd[31mluck",
    )
    hung = await landed(looks)
    assert (hung.verdict, hung.message) == (Verdict.UNKNOWN, "the check itself did not come back in 0.51 s")
    assert [looker.closed for looker in made] == [1, 1]
    assert not looks.begin(CHECK, read_clocks(), lambda _: None)


def test_a_check_that_always_needs_a_task_is_not_begun_without() -> None:
    looks = Looks({CHECK: lambda: Scripted([])}, {CHECK: 1_000_000_000})
    assert not looks.begin(CHECK, read_clocks(), lambda _: None)


async def test_an_answer_that_is_the_same_object_as_before_goes_on_as_the_same_object_and_without_secrets() -> None:
    told = Observation(Verdict.OK, "token hunter22 is well", data={"key": "hunter22"})

    class Known(Scripted):
        def look_at_once(self, now_wall_ns: int) -> Observation:
            return told

    make: dict[CheckId, Callable[[], Looker]] = {CHECK: lambda: Known([])}
    looks = Looks(make, {CHECK: 1_000_000_000}, ["hunter22"])
    found = [looks.look_at_once(CHECK, 0) for _ in range(3)]
    assert found[0] is not None
    assert "hunter22" not in repr(found)
    assert all(one is found[0] for one in found)
    looks.follow(make, {CHECK: 1_000_000_000}, ["well"], ())
    anew = looks.look_at_once(CHECK, 0)
    assert anew is not None
    assert "well" not in anew.message, "what is secret by now"


def test_what_a_target_tells_again_beside_other_words_is_searched_for_secrets_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data: dict[str, JsonValue] = {"model": "m-1", "key": "hunter22"}

    class Beating(Scripted):
        def look_at_once(self, now_wall_ns: int) -> Observation:
            return Observation(Verdict.OK, f"cycle {now_wall_ns} of hunter22", data=data)

    searched: list[str] = []

    def spying(text: str, secrets: Iterable[str]) -> str:
        searched.append(text)
        return redact(text, secrets)

    monkeypatch.setattr("lifesign.engine.looking.redact", spying)
    make: dict[CheckId, Callable[[], Looker]] = {CHECK: lambda: Beating([])}
    looks = Looks(make, {CHECK: 1_000_000_000}, ["hunter22"])
    found = [looks.look_at_once(CHECK, number) for number in range(3)]
    assert "hunter22" not in repr(found)
    assert [one and (one.message.partition(" of ")[0], one.data["model"]) for one in found] == [
        (f"cycle {number}", "m-1") for number in range(3)
    ]
    assert searched.count("m-1") == 1
    data = {"model": "m-2 of hunter22"}
    anew = looks.look_at_once(CHECK, 4)
    assert anew is not None
    assert str(anew.data["model"]).startswith("m-2 of ")
    assert "hunter22" not in repr(anew)


async def test_words_that_held_no_secret_hold_none_the_next_time_but_what_comes_beside_them_may() -> None:
    plain, worse = Observation(Verdict.OK, "all is well"), Observation(Verdict.OK, "the key is hunter22")
    beside = Observation(Verdict.OK, "all is well", data={"note": "hunter22"})
    lines = Observation(Verdict.FAIL, "all is well", lines=("hunter22",))
    again = Observation(Verdict.FAIL, "all is well", 0.5, {"status": 200.0})
    script = [plain, again, worse, worse, again, beside, again, lines]

    class Known(Scripted):
        def look_at_once(self, now_wall_ns: int) -> Observation:
            return script.pop(0)

    make: dict[CheckId, Callable[[], Looker]] = {CHECK: lambda: Known([])}
    looks = Looks(make, {CHECK: 1_000_000_000}, ["hunter22"])
    found = [looks.look_at_once(CHECK, 0) for _ in list(script)]
    assert found[0] is plain
    assert found[1] is found[4] is found[6] is again
    assert "hunter22" not in repr(found)
    script.append(again)
    looks.follow(make, {CHECK: 1_000_000_000}, ["well"], ())
    anew = looks.look_at_once(CHECK, 0)
    assert anew is not None
    assert "well" not in anew.message, "what is secret by now"
