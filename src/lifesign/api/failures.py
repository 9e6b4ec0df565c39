"""Why a call of the API failed, by kind. Every message is one line for the user, without a secret in it."""


class ClientError(Exception):
    """A call of the API that gave no usable answer. `detail` is one line for people."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Unreachable(ClientError):  # noqa: N818 - the kind is the name
    """Nobody is there: no socket file, a socket that nobody serves, no route, no such host."""


class TimedOut(ClientError):  # noqa: N818
    """Somebody is there and did not answer in time: a stalled daemon, not an absent one."""


class Refused(ClientError):  # noqa: N818
    """Somebody is there and we may not: file permission, uid, token (HTTP 401 and 403)."""


class BadAnswer(ClientError):  # noqa: N818
    """What answered is no lifesign, one of another schema, or sends garbage or without end."""


class ProblemAnswer(ClientError):  # noqa: N818
    """The daemon answered with an error (`application/problem+json`). Its title is for programs."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail or title)
        self.status = status
        self.title = title
