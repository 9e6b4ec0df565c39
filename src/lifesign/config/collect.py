"""Turns tables of TOML into the Structs of the model, key by key, and collects every mistake on the way.

msgspec stops at its first error; a user wants all of them. Not here: which sections there are (`sections`).
"""

import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar, cast, get_args, get_origin

import msgspec
from msgspec import Meta

from lifesign.config.keys import Complaint
from lifesign.config.problems import KeyPath, nearest, suggestion
from lifesign.config.values import Context, read_path

T = TypeVar("T")
BAD: Any = object()  # in place of a value that was refused
_NONE = type(None)
_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")
_KINDS = (
    ("int", "a whole number"),
    ("float", "a number"),
    ("str", "text"),
    ("bool", "true or false"),
    ("array", "a list"),
    ("object", "a table"),
    ("null", "nothing"),
    ("datetime", "a date"),
    ("date", "a date"),
    ("time", "a time"),
)
Finding: TypeAlias = tuple[KeyPath, str, str]


class Collector:
    """Reads values and remembers what was wrong: `findings` holds key path, reason and hint of each mistake."""

    def __init__(self, context: Context, *, strict: bool = True) -> None:
        """`strict=False` reads numbers and booleans out of text as well, for keys given on the command line."""
        self.context = context
        self.findings: list[Finding] = []
        self._strict = strict

    def complain(self, path: KeyPath, reason: str, hint: str = "") -> None:
        """Remember one mistake."""
        self.findings.append((path, reason, hint))

    def table(self, value: object, path: KeyPath) -> dict[str, Any]:
        """`value` where it is a table, else an empty one and a complaint."""
        if isinstance(value, dict):
            return value
        self.complain(path, f"must be a table, not {_kind_of(value)}")
        return {}

    def struct(
        self,
        cls: type[T],
        value: object,
        path: KeyPath,
        *,
        skip: Mapping[str, Any] | None = None,
        also_valid: Sequence[str] = (),
    ) -> T | None:
        """A `cls` from a table, None where a mistake was found in it.

        `skip` holds keys that were read elsewhere, with their values; `also_valid` names keys of this table
        that were taken out of it before, for the sake of suggestions.
        """
        if not isinstance(value, dict):
            self.table(value, path)
            return None
        fields = _fields(cast("Any", cls))
        values: dict[str, Any] = dict(skip or {})
        tag_field = getattr(cls, "__struct_config__").tag_field  # noqa: B009 - every Struct has it
        known = {key for key in value if key in fields or key in values or key == tag_field}
        wrong = self._unknown_keys([key for key in value if key not in known], [*fields, *also_valid], path)
        for key, field in fields.items():
            if key in values:
                continue
            if key in value:
                read = self.value(field.type, value[key], (*path, key))
                if read is BAD:
                    wrong.add(key)
                else:
                    values[field.name] = read
            elif field.required and key not in wrong:
                self.complain((*path, key), "this key is required", _example(field.type))
                wrong.add(key)
        return self._build(cls, values, wrong, {key for key, field in fields.items() if field.required}, path)

    def _build(
        self, cls: type[T], values: dict[str, Any], wrong: set[str], required: set[str], path: KeyPath
    ) -> T | None:
        """The Struct, after its own rules. A rule about a key that is wrong already is not told again."""
        if wrong & required:
            return None
        made = cls(**values)
        rules = getattr(made, "complaints", None)
        broken: list[Complaint] = [] if rules is None else [c for c in rules() if not wrong & set(c.keys)]
        for complaint in broken:
            where = (*path, complaint.keys[0]) if complaint.keys[0] else path
            self.complain(where, complaint.reason, complaint.hint)
        return None if wrong or broken else made

    def _unknown_keys(self, unknown: list[str], valid: list[str], path: KeyPath) -> set[str]:
        """Complain of each; the keys that were probably meant, so that nobody is told twice."""
        meant = set()
        for key in unknown:
            self.complain((*path, key), "unknown key", suggestion(key, valid))
            near = nearest(key, valid)
            if near is not None:
                meant.add(near)
        return meant

    def tagged(
        self, types: Mapping[str, type[Any]], value: object, path: KeyPath, shared: Mapping[str, Any] | None = None
    ) -> Any:
        """A Struct whose class one key names (`type`, `method`); None where a mistake was found.

        `shared` holds values, already read, of keys that the table itself leaves out.
        """
        table = self.table(value, path)
        if table is not value:
            return None
        tag_field = str(next(iter(types.values())).__struct_config__.tag_field)
        tag = table.get(tag_field)
        slip = None if tag_field in table else next((key for key in table if nearest(key, [tag_field])), None)
        if slip is not None:
            self.complain((*path, slip), "unknown key", suggestion(slip, [tag_field]))
            if table[slip] in list(types):  # so that its other mistakes are told too
                self.struct(types[table[slip]], {key: item for key, item in table.items() if key != slip}, path)
        elif tag is None:
            self.complain((*path, tag_field), "this key is required", suggestion("", list(types), "one of"))
        elif not isinstance(tag, str):
            self.complain((*path, tag_field), f"must be text, not {_kind_of(tag)}", f"one of: {', '.join(types)}")
        elif tag not in types:
            self.complain((*path, tag_field), f'there is no {tag_field} "{tag}"', suggestion(tag, list(types)))
            meant = nearest(tag, list(types))
            if meant is not None:  # so that its other mistakes are told too
                self.struct(types[meant], table, path)
        else:
            inherited = {
                key: item
                for key, item in (shared or {}).items()
                if key not in table and key in types[tag].__struct_fields__
            }
            return self.struct(types[tag], table, path, skip=inherited)
        return None

    def value(self, kind: Any, value: object, path: KeyPath) -> Any:
        """`value` as `kind`, or a mark of failure after a complaint. Elements are read one by one."""
        inner, metas = unwrap(kind)
        origin = get_origin(inner)
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            made = self.struct(inner, value, path)
            return BAD if made is None else made
        if origin is tuple and isinstance(value, list):
            return self._elements(get_args(inner)[0], value, metas, path)
        if origin is dict and isinstance(value, dict) and get_args(inner)[1] is not Any:
            read = {key: self.value(get_args(inner)[1], item, (*path, key)) for key, item in value.items()}
            return BAD if any(item is BAD for item in read.values()) else read
        return self._scalar(kind, value, path)

    def _elements(self, kind: Any, values: list[Any], metas: list[Meta], path: KeyPath) -> Any:
        if not values and any(meta.min_length for meta in metas):
            self.complain(path, "must not be empty")
            return BAD
        read = tuple(self.value(kind, item, (*path, index)) for index, item in enumerate(values))
        return BAD if any(item is BAD for item in read) else read

    def _scalar(self, kind: Any, value: object, path: KeyPath) -> Any:
        if isinstance(value, float) and not math.isfinite(value):
            self.complain(path, f"must be finite, not {value}")
            return BAD
        try:
            return msgspec.convert(value, kind, dec_hook=self._read, strict=self._strict)
        except msgspec.ValidationError as error:
            self.complain(path, *_plain(str(error), kind))
            return BAD

    def _read(self, kind: type[Any], value: object) -> Any:
        if kind is Path:
            return read_path(value, self.context)
        if not self._strict and isinstance(value, str) and _NUMBER.fullmatch(value):
            value = int(value) if value.isdigit() else float(value)
        return kind.read(value, self.context)


@cache
def _fields(cls: type[Any]) -> dict[str, msgspec.structs.FieldInfo]:
    """The keys of a Struct; thousands of checks are read by the same few."""
    return {field.encode_name: field for field in msgspec.structs.fields(cls)}


def unwrap(kind: Any) -> tuple[Any, list[Meta]]:
    """The type below `Annotated` and `| None`, and what was noted on the way."""
    metas: list[Meta] = []
    while True:
        if get_origin(kind) is Annotated:
            kind, *notes = get_args(kind)
            metas += notes
            continue
        kinds = [item for item in get_args(kind) if item is not _NONE]
        if len(kinds) == 1 and len(get_args(kind)) == 2 and _NONE in get_args(kind):
            kind = kinds[0]
            continue
        return kind, metas


def _example(kind: Any) -> str:
    _, metas = unwrap(kind)
    return next((f"as in {meta.examples[0]!r}".replace("'", '"') for meta in metas if meta.examples), "")


def _kind_of(value: object) -> str:
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return "a date or time"


def _plain(message: str, kind: Any) -> tuple[str, str]:
    """msgspec's message in the user's words: reason and hint."""
    message = message.rsplit(" - at `", 1)[0]
    if message.startswith("Invalid enum value"):
        word = message.removeprefix("Invalid enum value ").strip("'\"")
        valid = _choices(kind)
        return f'there is no "{word}" here', suggestion(word, valid, "one of")
    if message.startswith("Expected `str` matching regex"):
        rules = [meta.extra["rule"] for meta in unwrap(kind)[1] if meta.extra and "rule" in meta.extra]
        return f"must be {rules[0]}" if rules else "is not written as it must be", _example(kind)
    if not message.startswith("Expected"):
        return message, ""
    message = message.replace(" | null", "").replace("`", "")
    if message == "Expected int, got float":
        return "must be a whole number, without a fraction", ""
    for name, words in _KINDS:
        message = re.sub(rf"\b{name}\b", words, message)
    return message.replace("Expected ", "must be ", 1).replace(", got ", ", not ").replace(" | ", " or "), ""


def _choices(kind: Any) -> list[str]:
    inner, _ = unwrap(kind)
    if isinstance(inner, type):
        return [str(member) for member in cast("Any", inner)]
    return [str(choice) for choice in get_args(inner)]
