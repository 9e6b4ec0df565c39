"""The types of alert sink and the keys of each, as a user writes them. Not here: sending anything."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct, field

from lifesign.config.endpoints import HttpUrl, PrivateUrl
from lifesign.config.environment import environment_complaints
from lifesign.config.keys import Complaint, Count, default_delay, default_duration, describe
from lifesign.config.values import Delay, Duration, OpenValue, SecretReference, Template, Word

_FIELDS = "a template: `{component}`, `{diagnosis}` and their like are filled in"
_REPOSITORY = Meta(pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$", extra={"rule": "OWNER/NAME"})


class Alert(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """The keys of every sink."""

    about: ClassVar[str] = ""

    notify_after: Annotated[Delay, describe("how long it must be down before this sink hears of it", "0s")] = (
        default_delay(0)
    )
    remind_every: Annotated[Duration | None, describe("repeat while it lasts", "never")] = None
    min_update: Annotated[Delay, describe("between two updates of one incident", "5m")] = default_delay(300)
    only: Annotated[tuple[str, ...], describe('components by name, or "tag:NAME"; `*` stands for any text')] = ("*",)
    except_: Annotated[tuple[str, ...], describe("likewise, left out")] = field(default=(), name="except")

    def complaints(self) -> Iterator[Complaint]:
        """What does not fit together; overridden where a type has rules of its own."""
        yield from ()


class Tracker(Alert, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of every sink that opens issues."""

    token: Annotated[SecretReference, describe("who opens the issues")]
    labels: Annotated[tuple[Word, ...], describe("labels of the issue, by name")] = ()
    assignees: Annotated[tuple[Word, ...], describe("who is assigned")] = ()
    max_issues: Annotated[Count, describe("open at once; past it, told in the log and the state alone")] = 20
    reopen_within: Annotated[
        Delay, describe("a new incident of the same component reopens the issue instead", "1h")
    ] = default_delay(3600)


class GiteaAlert(Tracker, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="gitea"):
    """Gitea."""

    about: ClassVar[str] = "opens, updates and closes an issue in Gitea"
    url: Annotated[HttpUrl, describe("the server", examples=["https://git.example.org"])]
    repo: Annotated[Annotated[str, _REPOSITORY], describe("owner and name", examples=["team/nexus"])]


class ForgejoAlert(Tracker, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="forgejo"):
    """Forgejo."""

    about: ClassVar[str] = "opens, updates and closes an issue in Forgejo"
    url: Annotated[HttpUrl, describe("the server", examples=["https://codeberg.org"])]
    repo: Annotated[Annotated[str, _REPOSITORY], describe("owner and name", examples=["team/nexus"])]


class GithubAlert(Tracker, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="github"):
    """GitHub."""

    about: ClassVar[str] = "opens, updates and closes an issue in GitHub"
    url: Annotated[HttpUrl | None, describe("the API, for a server of one's own", "https://api.github.com")] = None
    repo: Annotated[Annotated[str, _REPOSITORY], describe("owner and name", examples=["team/nexus"])]


class RedmineAlert(Tracker, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="redmine"):
    """Redmine."""

    about: ClassVar[str] = "opens, updates and closes an issue in Redmine"
    url: Annotated[HttpUrl, describe("the server")]
    project: Annotated[Word, describe("the project's identifier")]
    tracker: Annotated[Word | None, describe("the tracker's name", "the project's first")] = None


class AppriseAlert(Alert, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="apprise"):
    """Apprise."""

    about: ClassVar[str] = "tells chats, mail and phones through Apprise"
    urls: Annotated[tuple[SecretReference, ...], Meta(min_length=1), describe("Apprise URLs, each a secret")]
    title: Annotated[Template | None, describe(_FIELDS, "{subject}")] = None
    body: Annotated[Template | None, describe(_FIELDS, "what is down, since when and why")] = None


class WebhookAlert(Alert, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="webhook"):
    """An HTTP request."""

    about: ClassVar[str] = "sends a JSON document to a URL"
    url: Annotated[PrivateUrl, describe("where to; may be a secret")]
    secret: Annotated[SecretReference | None, describe("signs the body: X-Lifesign-Signature", "no signature")] = None
    method: Annotated[Literal["POST", "PUT", "PATCH"], describe("the request's method")] = "POST"
    headers: Annotated[dict[str, OpenValue], describe("a value may be a secret")] = msgspec.field(default_factory=dict)
    body: Annotated[Template | None, describe(_FIELDS + "; in JSON's spelling", "the whole alert as JSON")] = None


class CommandAlert(Alert, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="command"):
    """A command."""

    about: ClassVar[str] = "runs a command with the alert as JSON on its standard input"
    argv: Annotated[tuple[Word, ...], Meta(min_length=1), describe("program and arguments; never a shell line")]
    env: Annotated[dict[str, OpenValue], describe("environment variables; a value may be a secret")] = msgspec.field(
        default_factory=dict
    )
    cwd: Annotated[Path | None, describe("the folder it runs in", "the config's folder")] = None

    def complaints(self) -> Iterator[Complaint]:
        """Names of variables."""
        yield from environment_complaints(self.env)


class PingAlert(Alert, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="ping"):
    """A dead man's switch elsewhere."""

    about: ClassVar[str] = "pings a URL while lifesign itself works, so that somebody else notices its death"
    url: Annotated[PrivateUrl, describe("where to; may be a secret")]
    interval: Annotated[Duration, describe("how often", "1m")] = default_duration("1m")


AlertOptions: TypeAlias = (
    GiteaAlert | ForgejoAlert | GithubAlert | RedmineAlert | AppriseAlert | WebhookAlert | CommandAlert | PingAlert
)
ALERT_TYPES: dict[str, type[Any]] = {
    str(kind.__struct_config__.tag): kind
    for kind in (
        GiteaAlert,
        ForgejoAlert,
        GithubAlert,
        RedmineAlert,
        AppriseAlert,
        WebhookAlert,
        CommandAlert,
        PingAlert,
    )
}
