"""Text that comes from outside or goes to people: cleaning, durations, times, redaction.

A leaf: standard library only, imported by everyone. Not here: drawing.
"""

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise

REDACTED = "[redacted]"

# Controls (C0, DEL, C1), zero-width and bidi marks, invisible letters, line separators, byte order mark,
# shorthand and music format controls, tags, lone surrogates: none of these may reach a terminal or a log
# line (reliability.md, P2).
_UNSAFE = (
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\u3164\uffa0\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)
_UNSAFE_LETTERS = "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"  # of those, what Unicode calls printable
_BREAK = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d|w)")
_LONGEST_DURATION = 64  # characters
_USERINFO = r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,30}://)[^/?#\s]*@"  # up to the last @: a password may have one
_NAMES = r"pass(?:word|wd|phrase)|pwd|secret|token|(?:api|access|private)[_-]?key|credentials?|authorization|cookie"
_NAME_PARTS = ("pass", "pwd", "secret", "token", "key", "credential", "authorization", "cookie")
_SECRET_NAME = rf"(?i:{_NAMES})$"
# What stands behind such a name, and what is known by its form: of Git forges, chats, clouds, models, and JWTs.
# Few digits are a count of tokens, not one of them.
_LABELLED = (
    rf"(?i)((?:{_NAMES})[\"']?\s{{0,3}}[=:]\s{{0,3}})"
    r"(\"[^\"]{4,}\"|'[^']{4,}'|(?:(?:bearer|basic|token)\s{1,3})?(?!\d{1,6}(?:\W|$))[^\s,;&\"'<>]{4,})"
)
_FORMED = (
    r"\b(?:gh[oprsu]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abeprs]-[\w-]{10,}|(?:AKIA|ASIA)[A-Z0-9]{16}"
    r"|sk-[\w-]{20,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{4,}|(?<=(?i:bearer) )[\w.~+/=-]{8,}|(?<=(?i:basic) )[\w+/=-]{12,})"
)
_FORM_PARTS = ("gh", "glpat-", "xox", "AKIA", "ASIA", "sk-", "eyJ", "earer ", "EARER ", "asic ", "ASIC ")
_compiled = cache(re.compile)  # when it is first looked for: most are never met, and a start waits for each
_LEAST_FORMED = 15  # characters: of those, a bearer with its token is the shortest
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def clean(text: str, limit: int = 500) -> str:
    """`text` on one line, without a character that could steer a terminal, at most `limit` long.

    Breaks become one space, unsafe characters U+FFFD; a cut is shown by an ellipsis.
    """
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text.strip()  # nearly all of it: a heartbeat's keys and words are cleaned a thousand times a second
    if len(text) > 4 * limit:
        text = text[: 4 * limit]
    text = _compiled(_UNSAFE).sub("\ufffd", _BREAK.sub(" ", text)).strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"


def is_clean(text: str) -> bool:
    """Whether `clean` would change no character of `text`; false also where finding that out takes long."""
    return text.isprintable() and not any(letter in text for letter in _UNSAFE_LETTERS)


def parse_duration(value: object) -> float:
    """Seconds from `"250ms"`, `"10s"`, `"1h30m"`, `"2d"` or a number of seconds; finite and positive.

    Each unit stands once at most, the largest first: `30m1h` is a slip.

    Raises ValueError with a sentence for the user.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError('a duration is "250ms", "10s", "5m", "1h30m", "2d" or a number of seconds')
    try:
        seconds = _spelled_seconds(value) if isinstance(value, str) else float(value)
    except OverflowError:
        raise ValueError("a duration is at most a hundred years") from None
    if not math.isfinite(seconds) or seconds <= 0:
        raise ValueError(f"a duration is finite and positive, not {value!r}")
    if seconds > 100 * 366 * 86400:
        raise ValueError(f"a duration is at most a hundred years, not {value!r}")
    return seconds


def _spelled_seconds(value: str) -> float:
    parts = _DURATION_PART.findall(value[:_LONGEST_DURATION])
    if not parts or "".join(number + unit for number, unit in parts) != value.strip():
        raise ValueError(f'{clean(value, 40)!r} is no duration: write "250ms", "10s", "5m", "1h30m" or "2d"')
    sizes_s = [_UNITS_S[unit] for _, unit in parts]
    if any(before_s <= after_s for before_s, after_s in pairwise(sizes_s)):
        raise ValueError(f'{clean(value, 40)!r} is no duration: write each unit once, the largest first: "1h30m"')
    return sum(float(number) * size_s for (number, _), size_s in zip(parts, sizes_s, strict=True))


def format_duration(seconds: float) -> str:
    """Short and coarse, for people: `200ms`, `4.2s`, `42s`, `12m`, `3h05m`, `2d4h`."""
    if seconds < 0:
        return "-" + format_duration(-seconds)
    if seconds < 1:
        return f"{min(round(seconds * 1000), 999)}ms" if seconds else "0s"
    whole = int(seconds)
    if whole < 120:
        return f"{whole}s" if seconds == whole or whole >= 10 else f"{math.floor(seconds * 10) / 10:.1f}s"
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes}m" if rest == 0 or minutes >= 10 else f"{minutes}m{rest:02}s"
    if whole < 86400:
        hours, rest = divmod(whole // 60, 60)
        return f"{hours}h{rest:02}m" if rest else f"{hours}h"
    days, rest = divmod(whole // 3600, 24)
    return f"{days}d{rest}h" if rest else f"{days}d"


def format_share(share: float | None, digits: int = 3) -> str:
    """A share of 0 to 1 as `99.98 %`, cut and never rounded up, so that 100 % is all of it."""
    if share is None:
        return "not known"
    scale = 10**digits
    return f"{int(share * 100 * scale + 1e-6) / scale:.{digits}f}".rstrip("0").rstrip(".") + " %"


def format_size(size_bytes: float) -> str:
    """`size_bytes` (≥ 0) in the largest unit that leaves at least 1: `512 MiB`, `1.5 GiB`, `100 TiB`."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if size_bytes < 1024:
            return f"{size_bytes:.4g} {unit}"
        size_bytes /= 1024
    return f"{size_bytes:.0f} PiB" if size_bytes >= 1000 else f"{size_bytes:.4g} PiB"


def format_timestamp(wall_ns: int) -> str:
    """RFC 3339, UTC, milliseconds: `2026-11-21T14:03:22.123Z`. Outside the years 1 to 9999 the nearest."""
    ms = min(max(wall_ns // 1_000_000, -62_135_596_800_000), 253_402_300_799_999)
    moment = _EPOCH + timedelta(milliseconds=ms)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def format_until(wall_ns: int, now_wall_ns: int) -> str:
    """When something ends, for people: `04:10 UTC`, with its day where that is not the present one."""
    day, _, clock = format_timestamp(wall_ns)[:16].partition("T")
    return f"{clock} UTC" if format_timestamp(now_wall_ns).startswith(day) else f"{day} {clock} UTC"


def parse_timestamp(value: str) -> int:
    """Nanoseconds since the epoch from an RFC 3339 time with an offset. Raises ValueError."""
    if not re.match(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d", value):
        raise ValueError(f"{clean(value, 40)!r} is no RFC 3339 time")
    moment = datetime.fromisoformat(value.upper().replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError(f"{clean(value, 40)!r} lacks a time zone: end it with Z or +00:00")
    delta = moment - _EPOCH
    return (delta.days * 86400 + delta.seconds) * 1_000_000_000 + delta.microseconds * 1000


def is_secret_name(name: str) -> bool:
    """Whether what bears this name is not for everybody: `password`, `api_key`, `SESSION_TOKEN`."""
    return _compiled(_SECRET_NAME).search(name) is not None


def redact(text: str, secrets: Iterable[str]) -> str:
    """`text` without any of `secrets`, the user part of any URL, and what looks like a secret by its name or form."""
    if secrets:
        for secret in sorted((s for s in secrets if len(s) >= 4), key=len, reverse=True):
            text = text.replace(secret, REDACTED)
    if "://" in text:
        text = _compiled(_USERINFO).sub(rf"\g<scheme>{REDACTED}@", text)
    if ("=" in text or ":" in text) and any(map(text.lower().__contains__, _NAME_PARTS)):  # a tenth of what it saves
        text = _compiled(_LABELLED).sub(rf"\g<1>{REDACTED}", text)
    may_be_formed = len(text) >= _LEAST_FORMED and any(map(text.__contains__, _FORM_PARTS))
    return _compiled(_FORMED).sub(REDACTED, text) if may_be_formed else text
