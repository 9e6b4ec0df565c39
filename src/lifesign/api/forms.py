"""A component's document as JSON with holes, for what goes on with the clock alone: the rest is written once.

Not here: when it is written anew (`copies`), and what stands in it (`render`).
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import msgspec

from lifesign.api.documents import Component
from lifesign.api.render import rounded, time_of, words_of
from lifesign.core.model import NS_PER_S
from lifesign.core.signal import age_of
from lifesign.core.view import AGE, Ages, Beat

# A byte that is never in JSON, where it is written as an escape, and what hole it is.
_ANY, _AGE, _STALENESS, _LOOKS = b"\0", b"\0a", b"\0s", b"\0l"
_MARK = AGE.encode()

encode, _encode_lines = msgspec.json.Encoder().encode, msgspec.json.Encoder().encode_lines


Frame: TypeAlias = Sequence[bytes]


def beating_frame(document: Component, beat: Beat) -> Frame:
    """Its form in three parts: between them stand when it last worked, and its checks."""
    hole = msgspec.Raw(_LOOKS)
    holed = msgspec.structs.replace(
        document,
        diagnosis=_marked(beat.diagnosis),
        staleness_s=msgspec.Raw(_STALENESS),
        last_work_at=hole,
        checks=[hole],
    )
    return _form_of(encode(holed)).split(_LOOKS)


def beating_form(frame: Frame, document: Component, beat: Beat) -> bytes:
    """With holes for the values of `beating_values`; `frame`: of the same document but for what looks find."""
    checks = [
        msgspec.structs.replace(check, message=_marked(message)) if AGE in message else check
        for check, message in zip(document.checks, beat.messages, strict=True)
    ]
    before, between, after = frame
    return b"".join([before, encode(document.last_work_at), between, _form_of(encode(checks))[1:-1], after])


def _form_of(text: bytes) -> bytes:
    return text.replace(b"%", b"%%").replace(_AGE, b"%(age)b").replace(_STALENESS, b"%(staleness)b")


def _marked(words: str) -> msgspec.Raw:
    return msgspec.Raw(encode(words_of(words)).replace(_MARK, _AGE))


def beating_values(beat: Beat, now_ns: int) -> Mapping[bytes, bytes]:
    """For the holes of `beating_form`."""
    return {b"age": age_of(now_ns - beat.worked_ns).encode(), b"staleness": encode(staleness_s(beat, now_ns))}


def staleness_s(beat: Beat, now_ns: int) -> float:
    """How long the work has rested, to the millisecond."""
    return round(max(0.0, (now_ns - beat.rests_ns) / NS_PER_S), 3)


def aging_form(document: Component, ages: Ages) -> bytes:
    """With holes for the values of `aging_values`; which work signal is nearest to its limit hardly ever changes."""
    hole = msgspec.Raw(_ANY)
    checks = [msgspec.structs.replace(check, message=hole) for check in document.checks]
    holed = msgspec.structs.replace(
        document,
        diagnosis=hole,
        next=hole,
        last_work_at=time_of(ages.last_work_wall_ns),
        staleness_s=hole,
        stale_after_s=rounded(ages.stale_after_s),
        checks=checks,
    )
    return encode(holed).replace(b"%", b"%%").replace(_ANY, b"%b")


def aging_values(ages: Ages) -> tuple[bytes, ...]:
    """For the holes of `aging_form`, in their order."""
    words = map(words_of, ages.messages)
    values = [words_of(ages.diagnosis), words_of(ages.next_step), rounded(ages.staleness_s), *words]
    return tuple(_encode_lines(values).split(b"\n")[:-1])  # none has a line break in it
