"""The `webhook` sink: the alert as JSON to a URL, signed where a secret is set."""

import hashlib
import hmac
from collections.abc import Callable, Mapping

import msgspec

from lifesign.alerts.alert import Alert
from lifesign.alerts.sink import Memo
from lifesign.alerts.template import filled, in_json
from lifesign.alerts.web import Web, refuse

SIGNATURE = "X-Lifesign-Signature"


class Webhook:
    """Sends each alert. `url`, a header's value and `secret` may be called for: they are read when they are needed.

    With a secret the request bears `X-Lifesign-Signature: sha256=HEX`, the HMAC of the body. `Idempotency-Key` is one
    for each stage of an incident, so that a receiver can tell a repetition. `body`: a template instead of the alert.
    """

    def __init__(
        self,
        *,
        url: Callable[[], str],
        method: str = "POST",
        headers: Mapping[str, str | Callable[[], str]] | None = None,
        secret: Callable[[], str] | None = None,
        body: str | None = None,
    ) -> None:
        self._url = url
        self._method = method
        self._headers = dict(headers or {})
        self._secret = secret
        self._body = body
        self._web: Web | None = None

    async def deliver(self, alert: Alert, memo: Memo) -> Memo:
        """One request. Raises SinkError for anything but a 2xx."""
        del memo
        url = self._url()
        body = msgspec.json.encode(alert) if self._body is None else filled(self._body, alert, in_json).encode()
        self._web = self._web or Web(url)
        headers = {"Content-Type": "application/json", "Idempotency-Key": f"{alert.incident}/{alert.stage}/{alert.at}"}
        headers |= {name: value() if callable(value) else value for name, value in self._headers.items()}
        if alert.drill:
            headers["X-Lifesign-Drill"] = "true"
        if self._secret is not None:
            digest = hmac.new(self._secret().encode(), body, hashlib.sha256).hexdigest()
            headers[SIGNATURE] = f"sha256={digest}"
        refuse(await self._web.send(self._method, url, body=body, headers=headers), self._web.where)
        return {}

    async def close(self) -> None:
        """Ends the connections."""
        if self._web is not None:
            await self._web.close()
