"""Every route of this version, once: the server serves this table, and the description is made of it."""

from enum import StrEnum

from lifesign.records import dataclass


class Access(StrEnum):
    """Who gets an answer. On the UNIX socket: every peer that it admits."""

    OPEN = "open"  # over TCP: everybody
    READ = "read"  # over TCP off loopback: with the token
    PUSH = "push"  # over TCP: with the token, or with the push check's own
    ACT = "act"  # over TCP: with the token


class Answer(StrEnum):
    """What a route's success is."""

    READY = "Ready"
    STATUS = "Status"
    COMPONENT_STATUS = "ComponentStatus"
    STATE = "State"
    EVENTS = "Events"
    REPORT = "Report"
    PAST = "Past"
    PAST_INCIDENTS = "PastIncidents"
    BEAT = "Accepted"
    COMPONENT = "Component"
    OPENAPI = "OpenAPI"
    METRICS = "Metrics"


@dataclass(frozen=True, slots=True)
class Route:
    """One route. `path` in the notation of OpenAPI, which is aiohttp's too; `action` is what a POST asks for."""

    method: str
    path: str
    access: Access
    answer: Answer
    summary: str
    action: str = ""
    query: tuple[str, ...] = ()


_COMPONENT = "/api/v1/components/{name}"
NEEDS_REASON_AND_DURATION = frozenset({"silence", "hold"})
EVERY_COMPONENT = "*"  # in the place of a name; no component can be called that
FOR_EVERY_COMPONENT = frozenset({"hold", "release"})  # laid upon all as one, and answered with the status document

_ACTIONS = {
    "probe": "look at every check now",
    "restart": "restart the component: 202, and the restart goes on",
    "silence": "no alerts for a while",
    "unsilence": "end a silence",
    "hold": "no automatic restart and no alert for a while; `*` for every component",
    "release": "end a hold; `*` for every component",
    "ack": "acknowledge an incident",
    "pause": "stop the component's checks",
    "resume": "start the component's checks again",
    "rearm": "allow restarts again after they were exhausted",
}
_PUSHES = {
    "/beat": ("beat", "a push heartbeat: work was finished"),
    "/beat/fail": ("fail", "a push heartbeat: work failed"),
    "/beat/start": ("start", "a push heartbeat: a job has begun"),
    "/fail": ("fail", "the same as /beat/fail"),
    "/start": ("start", "the same as /beat/start"),
}

ROUTES: tuple[Route, ...] = (
    Route("GET", "/api/health/ready", Access.OPEN, Answer.READY, "200 while the process serves"),
    Route("GET", "/api/health/status", Access.OPEN, Answer.STATUS, "503 when overall is down or unknown"),
    Route(
        "GET",
        "/api/health/status/{component}",
        Access.READ,
        Answer.COMPONENT_STATUS,
        "503 when the component is down or unknown",
    ),
    Route("GET", "/metrics", Access.READ, Answer.METRICS, "everything that is a number, as Prometheus text"),
    Route("GET", "/api/v1/state", Access.READ, Answer.STATE, "the state document"),
    Route(
        "GET",
        "/api/v1/events",
        Access.READ,
        Answer.EVENTS,
        "the history; with `follow`, server-sent events",
        query=("since", "follow"),
    ),
    Route(
        "GET",
        "/api/v1/report",
        Access.READ,
        Answer.REPORT,
        "uptime of each component and layer; means to detect, to recover, to first work",
        query=("component", "since"),
    ),
    Route(
        "GET",
        _COMPONENT + "/past",
        Access.READ,
        Answer.PAST,
        "how the component stood at a change of its own, the `count`-th before a time or after it",
        query=("before", "after", "count"),
    ),
    Route(
        "GET",
        "/api/v1/incidents/past",
        Access.READ,
        Answer.PAST_INCIDENTS,
        "what was open, silenced or held at a turn of it, the `count`-th before a time or after it",
        query=("before", "after", "count"),
    ),
    Route("GET", "/api/v1/openapi.json", Access.READ, Answer.OPENAPI, "this description"),
    *(
        Route("POST", _COMPONENT + suffix, Access.PUSH, Answer.BEAT, summary, action)
        for suffix, (action, summary) in _PUSHES.items()
    ),
    *(
        Route("POST", f"{_COMPONENT}/{action}", Access.ACT, Answer.COMPONENT, summary, action)
        for action, summary in _ACTIONS.items()
    ),
)
