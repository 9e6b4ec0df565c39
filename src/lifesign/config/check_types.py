"""The keys of every check, and the types that judge a work signal: heartbeat, push, log.

Not here: the other types (`probe_types`), how thresholds are resolved (`resolve`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from lifesign.config.conditions import Regex
from lifesign.config.keys import Complaint, Count, default_duration, default_of, describe
from lifesign.config.values import Delay, Duration, SecretReference, Word
from lifesign.core.model import Layer
from lifesign.text import clean


class CommonKeys(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every check may set, and `[defaults]` for all of them."""

    layer: Annotated[Layer | None, describe("what the check proves", "by type")] = None
    interval: Annotated[Duration | None, describe("between two looks", "10s")] = None
    timeout: Annotated[Duration | None, describe("a look takes no longer", "5s")] = None
    failure_threshold: Annotated[
        Count | None, describe("this many failures in a row", "3; 1 for heartbeat, push and log")
    ] = None
    failure_for: Annotated[
        Duration | None, describe("and/or for this long: every threshold that is set must be met", "none")
    ] = None
    success_threshold: Annotated[
        Count | None, describe("this many successes in a row end it", "2; 1 for heartbeat, push and log")
    ] = None
    optional: Annotated[bool | None, describe("its failure degrades, and never turns the component down", "false")] = (
        None
    )
    grace: Annotated[
        Delay | None, describe("after our start, or after a restart, nothing is condemned for so long", "30s")
    ] = None
    flap_changes: Annotated[
        Annotated[int, Meta(ge=2, le=1_000_000)] | None,
        describe("so many changes between ok and not ok are flapping", "20"),
    ] = None
    flap_window: Annotated[Duration | None, describe("within this window", "10m")] = None


class Defaults(CommonKeys, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[defaults]`."""


class Check(CommonKeys, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """One check. The class of each type tells its layer, what it proves and whether this version can do it."""

    default_layer: ClassVar[Layer] = Layer.READY
    ok_when: ClassVar[str] = ""
    judges_signal: ClassVar[bool] = False

    def complaints(self) -> Iterator[Complaint]:
        """What does not fit together; overridden where a type has rules of its own."""
        yield from ()


class HeartbeatCheck(Check, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="heartbeat"):
    """A file that the monitored program writes when it has finished work."""

    default_layer: ClassVar[Layer] = Layer.WORKING
    ok_when: ClassVar[str] = (
        "the work signal is younger than `stale_after`, and the progress value changed within `stuck_after`"
    )
    judges_signal: ClassVar[bool] = True

    path: Annotated[
        Path | None,
        describe(
            "the file", "where `Heartbeat(NAME)` of this component writes it", examples=["~/.nexus/heartbeat.json"]
        ),
    ] = None
    stale_after: Annotated[Duration, describe("older is stale", "5m")] = default_duration("5m")
    format: Annotated[Literal["auto", "json", "jsonl", "text", "mtime"], describe("how the file is written")] = "auto"
    timestamp: Annotated[Word, describe("the key that holds the time")] = default_of(Word("timestamp"))
    progress: Annotated[
        str | bool | None, describe("the key that must change too; false for none", "`cycle` where the file has it")
    ] = None
    stuck_after: Annotated[Duration | None, describe("the progress value may rest so long", "`stale_after`")] = None
    max_skew: Annotated[Duration, describe("a timestamp may lie so far in the future", "1m")] = default_duration("1m")

    def complaints(self) -> Iterator[Complaint]:
        """`progress` is a key or false."""
        if self.progress is True or self.progress == "":
            yield Complaint(("progress",), "must be the name of a key, or false for none", 'progress = "cycle"')
        if self.progress is False and self.stuck_after is not None:
            yield Complaint(("stuck_after", "progress"), "means nothing with progress = false")
        if self.format in ("text", "mtime") and isinstance(self.progress, str):
            yield Complaint(("progress", "format"), f'a heartbeat of format "{self.format}" holds no progress value')


class PushCheck(Check, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="push"):
    """Beats that the monitored program sends."""

    default_layer: ClassVar[Layer] = Layer.WORKING
    ok_when: ClassVar[str] = "a beat came over the socket, HTTP or sd_notify in time"
    judges_signal: ClassVar[bool] = True

    stale_after: Annotated[
        Duration | None, describe("no beat for so long is stale", "5m, unless `schedule` is set")
    ] = None
    schedule: Annotated[str | None, describe("a cron expression: when a beat is due", examples=["0 3 * * *"])] = None
    tz: Annotated[str | None, describe("the time zone of `schedule`", "the system's")] = None
    late_after: Annotated[Duration | None, describe("a beat may come so much later than due", "5m")] = None
    token: Annotated[SecretReference | None, describe("good for beats of this check alone")] = None

    def complaints(self) -> Iterator[Complaint]:
        """A schedule that is one, and nothing that needs one without it."""
        if self.schedule is not None and (trouble := _cron_trouble(self.schedule)):
            yield Complaint(("schedule",), f"is no cron expression: {trouble}", 'five fields, as in "0 3 * * *"')
        for name in ("tz", "late_after"):
            if self.schedule is None and getattr(self, name) is not None:
                yield Complaint((name, "schedule"), "means nothing without schedule")
        if self.tz is not None and not _is_time_zone(self.tz):
            yield Complaint(("tz",), "is no time zone", 'as in "Europe/Berlin" or "UTC"')


class LogCheck(Check, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="log"):
    """Lines of a log file."""

    default_layer: ClassVar[Layer] = Layer.WORKING
    ok_when: ClassVar[str] = "a matching line came in time, and no `fail_pattern` line since"
    judges_signal: ClassVar[bool] = True

    path: Annotated[Path, describe("the log file")]
    pattern: Annotated[Regex, describe("a line that proves finished work")]
    stale_after: Annotated[Duration, describe("no such line for so long is stale", "5m")] = default_duration("5m")
    fail_pattern: Annotated[Regex | None, describe("a line that proves a failure")] = None


def _cron_trouble(text: str) -> str:
    """Why `text` is no cron expression; empty where it is one."""
    from lifesign.config.cron import five_fields, longest_gap  # 40 ms that only a schedule pays for

    try:
        longest_gap(five_fields(text), None)
    except ValueError as error:
        return clean(str(error), 80)
    return ""


def _is_time_zone(name: str) -> bool:
    import zoneinfo  # only a schedule asks for it

    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return True
