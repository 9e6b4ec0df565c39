"""The targets of `lifesign watch`: one check each, written as one word, without a config.

`tcp:HOST:PORT` `http://…` `https://…` `ws://…` `wss://…` `heartbeat:PATH` `process:PATTERN`
`syntax:GLOB` `log:PATH` `pid:N`, each with `?key=value&…`. The keys are those of the check's type and those of every
check. In a URL a key that is one of these is ours, and the rest of the query stays in the URL. A value may be
percent-encoded. A `?` that no `key=` follows belongs to the target itself, as in a glob or an expression.
"""

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, get_origin
from urllib.parse import unquote

import msgspec

from lifesign.config.check_types import Check, Defaults, HeartbeatCheck, LogCheck
from lifesign.config.collect import Collector, unwrap
from lifesign.config.probe_types import HttpCheck, PidCheck, ProcessCheck, SyntaxCheck, TcpCheck, WebsocketCheck
from lifesign.config.problems import suggestion
from lifesign.config.resolve import resolve_check
from lifesign.config.resolved import ComponentConfig, Config, MonitorConfig
from lifesign.config.values import Context, Delay
from lifesign.core.spec import ComponentSpec
from lifesign.records import dataclass
from lifesign.text import clean, redact

FORMS = (
    "tcp:HOST:PORT, http://…, https://…, ws://…, wss://…, heartbeat:PATH, process:PATTERN, syntax:GLOB, log:PATH, pid:N"
)
_KINDS: Mapping[str, tuple[type[Any], str]] = {
    "tcp": (TcpCheck, "address"),
    "http": (HttpCheck, "url"),
    "https": (HttpCheck, "url"),
    "ws": (WebsocketCheck, "url"),
    "wss": (WebsocketCheck, "url"),
    "heartbeat": (HeartbeatCheck, "path"),
    "process": (ProcessCheck, "pattern"),
    "syntax": (SyntaxCheck, "paths"),
    "log": (LogCheck, "path"),
    "pid": (PidCheck, "pid"),
}
_QUERY = re.compile(r"[A-Za-z_]+=")
_UNSAFE = re.compile(r"[^A-Za-z0-9_.]+")


class TargetError(ValueError):
    """Targets that cannot be watched. `problems`: one line for each mistake in them."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Remember each line; the message is all of them."""
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class Target:
    """One target. `name`: a component's name that tells it, not yet unique; `title`: the target without its keys."""

    name: str
    title: str
    options: Check


def parse_target(text: str, environ: Mapping[str, str] = os.environ) -> Target:
    """One target; a relative path counts from the current folder. Raises TargetError with every mistake in it."""
    kind, colon, rest = text.partition(":")
    kind = kind.lower()
    if not colon or kind not in _KINDS:
        _refuse(text, f"is no target: write one of {FORMS}")
    cls, own_key = _KINDS[kind]
    is_url = own_key == "url"
    if is_url and not rest.startswith("//"):
        _refuse(text, f"a URL begins with {kind}://")
    keys = _settable_keys(cls, own_key)
    subject, given = _split_url(text, keys) if is_url else _split_plain(rest)
    table: dict[str, Any] = dict(_values(text, given, keys))
    table[own_key] = [subject] if cls is SyntaxCheck else subject
    collector = Collector(Context(Path.cwd(), environ), strict=False)
    options = collector.struct(cls, table, ())
    if options is None or collector.findings:
        shown = _shown(text)
        raise TargetError([_line(shown, ".".join(map(str, path)), why, hint) for path, why, hint in collector.findings])
    return Target(_name(kind, subject), _shown(subject if is_url else f"{kind}:{subject}"), options)


def _settable_keys(cls: type[Any], own_key: str) -> list[str]:
    """The keys that one word of text can set: neither tables nor lists, nor what the target itself is."""
    fields = msgspec.structs.fields(cls)
    plain = [field for field in fields if get_origin(unwrap(field.type)[0]) not in (dict, tuple)]
    return [field.encode_name for field in plain if field.encode_name not in (own_key, "pid")]


def _split_plain(rest: str) -> tuple[str, list[str]]:
    subject, mark, query = rest.rpartition("?")
    return (subject, query.split("&")) if mark and _QUERY.match(query) else (rest, [])


def _split_url(text: str, keys: Sequence[str]) -> tuple[str, list[str]]:
    address, hash_mark, fragment = text.partition("#")
    address, mark, query = address.partition("?")
    if not mark:
        return text, []
    parts = query.split("&")
    ours = [part for part in parts if part.partition("=")[0] in keys and "=" in part]
    theirs = "&".join(part for part in parts if part not in ours)
    return address + ("?" + theirs if theirs else "") + hash_mark + fragment, ours


def _values(text: str, given: Sequence[str], keys: Sequence[str]) -> list[tuple[str, Any]]:
    values: list[tuple[str, Any]] = []
    for part in given:
        key, equals, value = part.partition("=")
        if not equals or key not in keys:
            _refuse(text, f"unknown key {clean(key, 40)!r}", suggestion(key, keys))
        if key in dict(values):
            _refuse(text, f"the key {key} is given twice")
        decoded = unquote(value)
        values.append((key, False if key == "progress" and decoded == "false" else decoded))
    return values


def _line(shown: str, key: str, reason: str, hint: str) -> str:
    return clean(f"{shown}: {key + ': ' if key else ''}{reason}{f' ({hint})' if hint else ''}", 1000)


def _refuse(text: str, reason: str, hint: str = "") -> NoReturn:
    raise TargetError([_line(_shown(text), "", reason, hint)])


def _shown(text: str) -> str:
    """A target for people: no user part, and of a URL no query, which may hold what is not meant to be seen."""
    visible = text.partition("?")[0] if "://" in text else text
    return clean(redact(visible, ()), 100)


def _name(kind: str, subject: str) -> str:
    """Something readable that may stand in a URL: `mind`, `tcp-127.0.0.1-8765`, `pid-4711`."""
    if kind == "heartbeat":
        path = Path(subject)
        words = path.stem if path.stem not in ("heartbeat", "") else f"{path.absolute().parent.name}-heartbeat"
    elif "://" in subject:
        words = kind + "-" + _shown(subject).partition("://")[2]
    else:
        words = subject if kind == "process" else f"{kind}-{subject}"
    return _UNSAFE.sub("-", words).strip("-.")[:56].rstrip("-.") or kind


def config_from_targets(texts: Sequence[str], environ: Mapping[str, str] = os.environ) -> Config:
    """A config that watches each of `texts` as a component of its own. Raises TargetError with every mistake in all."""
    targets: list[Target] = []
    problems: list[str] = [] if texts else [f"nothing to watch: name a target, one of {FORMS}"]
    for text in texts:
        try:
            targets.append(parse_target(text, environ))
        except TargetError as error:
            problems += error.problems
    if problems:
        raise TargetError(problems)
    components: dict[str, ComponentConfig] = {}
    for target in targets:
        name = _free_name(target.name, components)
        components[name] = _component(name, target)
    return Config(path=None, monitor=_monitor(texts), components=tuple(components.values()))


def _component(name: str, target: Target) -> ComponentConfig:
    kind = str(target.options.__struct_config__.tag)
    check = resolve_check(kind, target.options, name, None, Defaults(grace=Delay(0)), Path.cwd())  # it is there, or not
    return ComponentConfig(ComponentSpec(name=name, title=target.title, checks=(check.spec,)), (check,))


def _free_name(wanted: str, taken: Mapping[str, object]) -> str:
    number, name = 1, wanted
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name


def _monitor(texts: Sequence[str]) -> MonitorConfig:
    from lifesign.heartbeat import user_state_dir

    digest = hashlib.sha256("\0".join([str(Path.cwd()), *texts]).encode("utf-8", "surrogatepass")).hexdigest()[:8]
    try:
        folder = user_state_dir()
    except RuntimeError:
        raise TargetError(["no home folder is known: set HOME or XDG_STATE_HOME"]) from None
    return MonitorConfig("watch", folder / "lifesign" / f"watch-{digest}")
