"""The `apprise` sink: chats, mail and phones through Apprise, in a disposable child that may hang."""

import importlib.util
import json
import sys
from collections.abc import Callable, Sequence

from lifesign.alerts.alert import Alert
from lifesign.alerts.sink import Memo, SinkError
from lifesign.alerts.template import filled
from lifesign.alerts.words import plain_text
from lifesign.processes.child import run_child

TIMEOUT_S = 25.0
_KINDS = {"opened": "failure", "updated": "warning", "reminder": "failure", "recovered": "success"}
_SCRIPT = """
import json, sys
import apprise
told = json.load(sys.stdin)
messenger = apprise.Apprise()
bad = [n for n, url in enumerate(told["urls"], 1) if not messenger.add(url)]
if bad:
    sys.exit("Apprise does not understand URL number %s" % ", ".join(map(str, bad)))
sent = messenger.notify(title=told["title"], body=told["body"], notify_type=told["kind"], body_format="text")
sys.exit(0 if sent else "a service did not take it")
"""


class AppriseSink:
    """Tells each of `urls` (Apprise's own, read when they are needed; they never stand in an argument list).

    `title` and `body`: templates, where they are not to be ours.
    """

    def __init__(self, *, urls: Sequence[Callable[[], str]], title: str | None = None, body: str | None = None) -> None:
        self._urls = list(urls)
        self._title = title
        self._body = body

    async def deliver(self, alert: Alert, memo: Memo) -> Memo:
        """One message to all. Raises SinkError where one does not take it: then all are told again."""
        del memo
        if importlib.util.find_spec("apprise") is None:
            raise SinkError("Apprise is not installed: pip install 'lifesign[apprise]'")
        urls = [url() for url in self._urls]
        title = alert.subject if self._title is None else filled(self._title, alert)
        body = plain_text(alert) if self._body is None else filled(self._body, alert)
        if alert.drill and "[drill]" not in title:
            title = f"[drill] {title}"
        told = {"urls": urls, "title": title, "body": body, "kind": _KINDS[alert.stage]}
        argv = [sys.executable, "-I", "-c", _SCRIPT]
        result = await run_child(argv, input=json.dumps(told).encode(), timeout_s=TIMEOUT_S)
        if result.timed_out:
            raise SinkError(f"Apprise did not end within {TIMEOUT_S:g} s")
        if result.start_error is not None or result.returncode != 0:
            said = result.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
            known = said if said.startswith(("Apprise does not", "a service did")) else "it failed"
            raise SinkError(f"Apprise: {known}")
        return {}

    async def close(self) -> None:
        """Nothing is held."""
