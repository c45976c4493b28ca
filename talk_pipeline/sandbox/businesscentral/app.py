"""The Business Central server as one service: token endpoint, sets, batches, subscriptions, refusals."""

from __future__ import annotations

from email.utils import formatdate

import msgspec

from talk_pipeline.sandbox.businesscentral import errors
from talk_pipeline.sandbox.businesscentral.batch import Batches
from talk_pipeline.sandbox.businesscentral.notices import Notices
from talk_pipeline.sandbox.businesscentral.runtime import RUNTIME, notifiable
from talk_pipeline.sandbox.businesscentral.service import Central
from talk_pipeline.sandbox.businesscentral.subscriptions import Subscriptions
from talk_pipeline.sandbox.businesscentral.tokens import TENANT, TOKEN_PATH, Tokens
from talk_pipeline.sandbox.businesscentral.urls import ROOT, template_of
from talk_pipeline.sandbox.clock import Clock
from talk_pipeline.sandbox.exchange import Answer, Call
from talk_pipeline.sandbox.gateway import Gateway
from talk_pipeline.sandbox.limits import Limits, TooMany
from talk_pipeline.sandbox.store import Store

ENVIRONMENT = "Sandbox"
ROOT_PATH = f"/v2.0/{TENANT}/{ENVIRONMENT}/api/v2.0"
LIMITS = Limits(rate=6_000, window=300.0, concurrency=5, queue=95, queue_timeout=480.0)
"""What one application is granted online."""

_CODES = {
    400: "BadRequest",
    401: "Authentication_InvalidCredentials",
    403: "Authorization_RequestDenied",
    404: "BadRequest_ResourceNotFound",
    405: "BadRequest_MethodNotAllowed",
    408: "Application_RequestTimeout",
    409: "Request_EntityChanged",
    413: "BadRequest",
    415: "BadRequest",
    429: "Application_TooManyRequests",
    501: "BadRequest_MethodNotImplemented",
}


class _Requests(msgspec.Struct):
    """Just enough of a batch to count its parts."""

    requests: list[msgspec.Raw] = []


class BusinessCentral:
    """What the gateway of the Business Central server hands calls to."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.gateway = Gateway(self, clock=clock, limits=LIMITS)
        self.central = Central(store, clock, limits=lambda: self.gateway.budgets.limits)
        self.tokens = Tokens(clock, lambda: float(self.central.settings["token_lifetime"]))
        self.notices = Notices(self.central)
        self._batches = Batches(self.central, self.gateway)
        self._subscriptions = Subscriptions(self.central, self.notices)

    def admits(self, call: Call) -> Answer | None:
        """Everyone may ask for a token; for the rest one is needed."""
        return None if call.path == TOKEN_PATH or self.tokens.valid(call) else self.refuse(401)

    def revoke(self, call: Call) -> None:
        """Let the token of this call expire."""
        self.tokens.revoke(call)

    def caller(self, call: Call) -> str:
        """The application whose token it is: limits count for each of them."""
        return self.tokens.client(call)

    def weight(self, call: Call) -> int:
        """A batch counts as its parts, unless the settings say otherwise."""
        if call.path == TOKEN_PATH:
            return 0
        if not call.path.endswith("/$batch") or self.central.settings["batch_rate"] == "one":
            return 1
        try:
            count = len(msgspec.json.decode(call.body, type=_Requests).requests)
        except msgspec.MsgspecError:
            return 1
        return count if 1 <= count <= self.gateway.budgets.limits.batch_size else 1

    def template(self, path: str) -> str:
        """The path below the API root with its keys taken out."""
        return template_of(path)

    def refuse(self, status: int, *, over: TooMany | None = None) -> Answer:
        """An answer the work is not to blame for; what stands before the service answers in HTML."""
        if status in (502, 503, 504):
            page = f"<html><head><title>{status}</title></head><body>Service Unavailable</body></html>"
            return Answer(status, page.encode(), {"Content-Type": "text/html"})
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
        message = f"The request was refused with status {status}."
        if over is not None:
            message = f"Too many requests reached. Actual ({over.actual}). Maximum ({over.maximum})."
            headers |= self._retry_after(over)
        return errors.ApiError(
            status, _CODES.get(status, "Internal_ServerError"), message, headers=headers
        ).answer()

    async def work(self, call: Call) -> Answer:
        """Do what the call asks for."""
        if call.path == TOKEN_PATH:
            return self.tokens.issue(call)
        match = ROOT.match(call.path)
        if match is None or not self._hosted(match.group("tenant"), match.group("environment")):
            return self.refuse(404)
        root, path, api = call.origin + match.group(0), call.path[match.end() :], match.group("api")
        if api == RUNTIME:
            return notifiable(self.central, call, path, root)
        if path == "/$batch":
            return await self._batches.answer(call, root, api)
        if path.startswith("/subscriptions"):
            return await self._subscriptions.answer(call, path, root, api)
        return self.central.answer(call, path, root, api)

    def _hosted(self, tenant: str | None, environment: str | None) -> bool:
        return tenant in (None, TENANT) and environment in (None, ENVIRONMENT)

    def _retry_after(self, over: TooMany) -> dict[str, str]:
        rule = self.central.settings["throttle_retry_after"]
        if rule is None:
            return {}
        seconds = int(over.wait) + 1
        if rule == "date":
            return {"Retry-After": formatdate(self.gateway.clock.now_ms() / 1000 + seconds, usegmt=True)}
        return {"Retry-After": str(seconds) if rule == "seconds" else str(rule)}
