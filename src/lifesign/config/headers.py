"""The rules of HTTP headers that a user writes: valid names, and no credential in plain text."""

import re
from collections.abc import Iterator, Mapping

from lifesign.config.keys import Complaint
from lifesign.config.values import OpenValue
from lifesign.text import clean

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_CREDENTIAL = re.compile(r"authorization|cookie|token|secret|password|api-?key|auth-?key", re.IGNORECASE)


def header_complaints(headers: Mapping[str, OpenValue]) -> Iterator[Complaint]:
    """What is wrong with them, each told at the key `headers`."""
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            yield Complaint(("headers",), f"{clean(name, 40)!r} is no header name")
        elif value.is_literal and _CREDENTIAL.search(name):
            yield Complaint(
                ("headers",),
                f"a literal secret is refused in {name}",
                f'{name} = {{ env = "NAME" }} or {{ file = "path" }}',
            )
