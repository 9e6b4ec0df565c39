"""One bounded look over the network: its one total deadline, the words for where it stands, and its secrets.

Not here: sockets, and any protocol.
"""

import errno
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace

from lifesign.checks.probe import os_trouble
from lifesign.core.model import Observation, Verdict
from lifesign.text import REDACTED, clean, redact

_QUOTED_BYTES = 16384  # longer than any secret that an answer may repeat
_UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN)
_CUT_OFF = (errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED, errno.ENOTCONN)


class Trouble(Exception):  # noqa: N818 - no error of ours: it carries an observation out of nested calls
    """A look ended early: `message` is for the user, `verdict` says whose fault it is."""

    def __init__(self, message: str, verdict: Verdict = Verdict.FAIL) -> None:
        super().__init__(message)
        self.message = message
        self.verdict = verdict


class Attempt:
    """Where one look stands. `at()` sets what is told, and with which verdict, if the time runs out now."""

    def __init__(self, timeout_s: float) -> None:
        import asyncio  # not before a look must wait: it is the heaviest import of a one-shot

        self._loop = asyncio.get_running_loop()
        self.timeout_s = timeout_s
        self.started = self._loop.time()
        self.resolving_s = 0.0
        self.secrets: set[str] = set()
        self._words: str | Callable[[], str] = ""
        self._verdict = Verdict.FAIL

    @property
    def limit(self) -> str:
        """The timeout in words."""
        return f"{self.timeout_s:g} s"

    def at(self, words: str | Callable[[], str], verdict: Verdict = Verdict.FAIL) -> None:
        """From now on a timeout says `words`; called for only then, where they cost something to make."""
        self._words = words
        self._verdict = verdict

    @property
    def elapsed_s(self) -> float:
        """Seconds since the look began."""
        return self._loop.time() - self.started

    @property
    def remaining_s(self) -> float:
        """Seconds until the one deadline, never below zero."""
        return max(self.timeout_s - self.elapsed_s, 0.0)

    def hide(self, text: str) -> str:
        """`text` without this look's secrets: before a text is cut, or half a secret would survive the end."""
        for secret in sorted((s for s in self.secrets if len(s) >= 4), key=len, reverse=True):
            text = text.replace(secret, REDACTED)
        return text

    def quoted(self, data: bytes | bytearray) -> str:
        """The beginning of what a target said, for a message, in quotation marks."""
        start = bytes(data[:_QUOTED_BYTES]).decode("utf-8", "replace")
        return f'"{clean(self.hide(start), 80)}"'

    def out_of_time(self) -> Observation:
        """The observation of a look that reached its deadline."""
        if self._verdict is Verdict.FAIL and self.resolving_s > self.timeout_s / 2:
            # The name server ate the time: a target that got the rest is not at fault (reliability.md, R8).
            words = f"resolving the name took {self.resolving_s:.1f} s of {self.limit}, too long to tell"
            return Observation(Verdict.UNKNOWN, words)
        words = self._words if isinstance(self._words, str) else self._words()
        return Observation(self._verdict, words or f"no result in {self.limit}")


async def bounded(
    timeout_s: float, walk: Callable[[Attempt], Awaitable[Observation]], begun: Attempt | None = None
) -> Observation:
    """Runs `walk` under one total deadline of `timeout_s` and turns every way it can end into an observation.

    The message is cleaned and freed of the attempt's secrets here, for all network checks. `begun`: the attempt
    under way that this goes on with.
    """
    import asyncio

    attempt = begun or Attempt(timeout_s)
    try:
        async with asyncio.timeout(attempt.remaining_s) as deadline:
            found = await walk(attempt)
    except Trouble as trouble:
        found = Observation(trouble.verdict, trouble.message)
    except TimeoutError as error:
        found = attempt.out_of_time() if deadline.expired() else observed("the target", error)
    except OSError as error:
        found = observed("the target", error)
    latency_s = found.latency_s or attempt.elapsed_s
    return replace(found, message=redact(clean(attempt.hide(found.message)), ()), latency_s=latency_s)


def observed(peer: str, error: OSError) -> Observation:
    """What a system error while talking to `peer` says of it, or of us."""
    trouble = told(peer, error)
    return Observation(trouble.verdict, trouble.message)


def told(peer: str, error: OSError) -> Trouble:
    """The same as a `Trouble`, to be raised."""
    ours = os_trouble(error)
    if ours is not None:
        return Trouble(f"cannot reach {peer}: {ours}", Verdict.UNKNOWN)
    number = error.errno or 0
    if number == errno.ECONNREFUSED:
        return Trouble(f"connection refused by {peer}")
    if number in _CUT_OFF:
        return Trouble(f"{peer} reset the connection")
    if number in _UNREACHABLE:
        return Trouble(f"{peer} is unreachable: {os.strerror(number).lower()}")
    if number == errno.ETIMEDOUT:
        return Trouble(f"{peer} does not answer: the connection timed out")
    return Trouble(f"{peer}: {os.strerror(number) if number else error}")
