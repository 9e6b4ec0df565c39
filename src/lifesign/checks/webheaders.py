"""The headers of a request as the user wants them, secrets read at the last moment. No environment, no cookies."""

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from lifesign.checks.attempt import Attempt, Trouble
from lifesign.checks.weburl import WebUrl
from lifesign.core.model import Verdict

HeaderValue: TypeAlias = "str | Callable[[], str]"
Headers: TypeAlias = list[tuple[bytes, bytes]]

USER_AGENT = "lifesign/0.1"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_OURS = ("connection", "content-length", "transfer-encoding", "upgrade", "te", "expect")
_SECRET = ("authorization", "cookie", "proxy-authorization", "x-api-key", "x-auth-token")


class RequestHeaders:
    """`headers` by name; a value that is called gives its secret text at each look. Raises ValueError.

    Left out: what frames the message or holds the connection open, which is ours alone.
    """

    def __init__(self, headers: Mapping[str, HeaderValue]) -> None:
        self._values = {name.lower(): value for name, value in headers.items() if name.lower() not in _OURS}
        for name, value in self._values.items():
            if not _TOKEN.fullmatch(name):
                raise ValueError("a header's name is made of letters, digits and -")
            if isinstance(value, str) and _UNSENDABLE.search(value):
                raise ValueError(f"the header {name} has a character that HTTP cannot carry")

    @property
    def is_public(self) -> bool:
        """Whether nothing among them is secret, or must be read anew for each look."""
        return all(isinstance(value, str) and name not in _SECRET for name, value in self._values.items())

    def read(self, url: WebUrl, attempt: Attempt) -> dict[str, bytes]:
        """Lower-case names and their values, with `host` and the URL's credentials. Raises Trouble (UNKNOWN).

        What is secret among them is told to the attempt, so that no message repeats it.
        """
        attempt.secrets |= url.secrets
        found = {"host": url.host_header.encode("ascii"), "user-agent": USER_AGENT.encode("ascii")}
        if url.authorization is not None:
            found["authorization"] = url.authorization.encode("ascii")
        for name, value in self._values.items():
            text = value if isinstance(value, str) else _secret(name, value)
            if not isinstance(value, str) or name in _SECRET:
                # "Bearer abc" is secret as a whole and by its last word: a target may repeat either.
                attempt.secrets |= {text, text.strip().rpartition(" ")[2]}
            found[name] = text.strip().encode("utf-8")
        return found


def _secret(name: str, reader: Callable[[], str]) -> str:
    try:
        text = reader()
    except (OSError, ValueError, LookupError) as error:
        raise Trouble(f"cannot read the header {name}: {_why(error)}", Verdict.UNKNOWN) from None
    if _UNSENDABLE.search(text.strip()):
        raise Trouble(f"the secret of the header {name} has a character that HTTP cannot carry", Verdict.UNKNOWN)
    return text


def _why(error: Exception) -> str:
    """The reader's own words where they are meant for people; a decoder's would show the bytes."""
    if isinstance(error, OSError):
        return error.strerror or "it cannot be read"
    return str(error) if isinstance(error, ValueError) and not isinstance(error, UnicodeError) else type(error).__name__
