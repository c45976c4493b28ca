"""The shop as one service: addresses, methods, conditions, refusals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from talk_pipeline.sandbox import wire
from talk_pipeline.sandbox.clock import Clock
from talk_pipeline.sandbox.customwebshop import listing
from talk_pipeline.sandbox.customwebshop.entities import Entities
from talk_pipeline.sandbox.customwebshop.errors import JSON, ShopError, malformed, unknown
from talk_pipeline.sandbox.customwebshop.fields import RESOURCES
from talk_pipeline.sandbox.customwebshop.idempotency import Idempotency
from talk_pipeline.sandbox.customwebshop.orders import Orders
from talk_pipeline.sandbox.customwebshop.webhooks import Webhooks
from talk_pipeline.sandbox.exchange import Answer, Call, Write
from talk_pipeline.sandbox.gateway import Gateway
from talk_pipeline.sandbox.limits import Limits, TooMany
from talk_pipeline.sandbox.settings import Setting, Settings
from talk_pipeline.sandbox.store import Row, Store

BASE = "/api/v1"
TOKEN = "sandbox-shop-token"  # opens nothing but a sandbox
LIMITS = Limits(page_size=listing.MOST)
CHOICES: tuple[Setting, ...] = (
    Setting(
        "if_match", "checked", "If-Match: checked, or ignored as by shops without it", ("checked", "ignored")
    ),
    Setting(
        "idempotency", "kept", "Idempotency-Key: kept, or ignored as by shops without it", ("kept", "ignored")
    ),
    Setting("webhook_pace", 1.0, "factor on the waits between attempts to deliver an event"),
    Setting("webhook_duplicates", False, "whether every event is delivered twice"),
)
_CODES = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    409: "duplicate",
    412: "stale",
    429: "throttled",
}
_STRONG = re.compile(r'"[^"]*"')


class Customwebshop:
    """What the gateway of the shop server hands calls to."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.settings = Settings(CHOICES)
        self.gateway = Gateway(self, clock=clock, limits=LIMITS)
        self.entities: dict[str, Entities] = {
            name: (Orders if name == "orders" else Entities)(name, store=store, clock=clock)
            for name in RESOURCES
        }
        for entities in self.entities.values():
            entities.others = self.entities
        self.webhooks = Webhooks(store, clock, self.settings)
        self._idempotency = Idempotency(store, clock)

    # -- what the gateway asks --------------------------------------------------------------------------------

    def admits(self, call: Call) -> Answer | None:
        """Only with the token."""
        return None if call.header("authorization") == f"Bearer {TOKEN}" else self.refuse(401)

    def revoke(self, call: Call) -> None:
        """A fixed token cannot expire; the fault refuses this one call."""

    def weight(self, call: Call) -> int:
        """Each call counts as one."""
        return 1

    def template(self, path: str) -> str:
        """The path with the key taken out."""
        steps = unquote(path).split("/")
        if len(steps) > 4 and steps[3] in (*RESOURCES, "webhooks") and steps[4] != "count":
            steps[4] = "{id}"
        return "/".join(steps)

    def refuse(self, status: int, *, over: TooMany | None = None) -> Answer:
        """An answer the work is not to blame for."""
        headers = dict(JSON)
        if status == 401:
            headers["www-authenticate"] = "Bearer"
        if over is not None:
            headers["retry-after"] = str(int(over.wait) + 1)
        error = {
            "code": _CODES.get(status, "server_error" if status >= 500 else "refused"),
            "message": f"The request was refused with status {status}.",
            "field": None,
        }
        return Answer(status, wire.write({"error": error}), headers)

    async def work(self, call: Call) -> Answer:
        """Do what the call asks for."""
        try:
            return self._route(call)
        except ShopError as error:
            return error.answer()

    # -- routes -----------------------------------------------------------------------------------------------

    def _route(self, call: Call) -> Answer:
        path = unquote(call.path)
        if not path.startswith(f"{BASE}/"):
            raise unknown("address", path)
        name, *rest = path[len(BASE) + 1 :].rstrip("/").split("/")
        if name == "webhooks" and len(rest) <= 1:
            return self._on_webhooks(call, rest)
        entities = self.entities.get(name)
        if entities is None or len(rest) > 1:
            raise unknown("address", path)
        if not rest:
            return self._on_resource(call, entities)
        if rest == ["count"]:
            self._only(call, "GET")
            wish = listing.read_wish(_query(call))
            return _json(200, listing.count(entities, wish))
        return self._on_one(call, entities, rest[0])

    def _on_resource(self, call: Call, entities: Entities) -> Answer:
        self._only(call, "GET", "POST")
        if call.method == "GET":
            most = self.gateway.budget.limits.page_size or listing.MOST
            return _json(200, listing.page(entities, listing.read_wish(_query(call), most=most)))
        kept = self.settings["idempotency"] == "kept"
        earlier = self._idempotency.earlier(call, entities.name) if kept else None
        if earlier is not None:
            return earlier
        document = _document(call)
        with self.store.transaction():
            row, writes = entities.create(document)
            location = f"{BASE}/{entities.name}/{row['id']}"
            answer = _entity(201, entities, row, writes=writes, headers={"location": location})
            if kept:
                self._idempotency.remember(call, entities.name, answer)
        return answer

    def _on_one(self, call: Call, entities: Entities, key: str) -> Answer:
        self._only(call, "GET", "PATCH", "DELETE")
        row = entities.get(key)
        if call.method == "GET":
            if call.header("if-none-match") == _etag(row):
                return Answer(304, headers={"etag": _etag(row)})
            return _entity(200, entities, row)
        self._check_condition(call, row)
        if call.method == "DELETE":
            with self.store.transaction():
                writes = entities.delete(row)
            return Answer(204, writes=tuple(writes))
        document = _document(call)
        with self.store.transaction():
            row, writes = entities.patch(row, document)
        return _entity(200, entities, row, writes=writes)

    def _on_webhooks(self, call: Call, rest: list[str]) -> Answer:
        if rest:
            self._only(call, "DELETE")
            with self.store.transaction():
                self.webhooks.delete(rest[0])
            return Answer(204)
        self._only(call, "GET", "POST")
        if call.method == "GET":
            return _json(200, self.webhooks.listing())
        document = _document(call)
        with self.store.transaction():
            return _json(201, self.webhooks.create(document))

    # -- details ----------------------------------------------------------------------------------------------

    def _only(self, call: Call, *methods: str) -> None:
        if call.method not in methods:
            raise ShopError(405, "method_not_allowed", f"This address takes {', '.join(methods)}.")

    def _check_condition(self, call: Call, row: Row) -> None:
        given = call.header("if-match")
        if given is None or given.strip() == "*" or self.settings["if_match"] == "ignored":
            return
        tags = [tag.strip() for tag in given.split(",")]
        if not all(_STRONG.fullmatch(tag.removeprefix("W/")) for tag in tags):
            raise malformed("If-Match holds no entity tag.")
        if _etag(row) not in tags:
            raise ShopError(412, "stale", "The record has changed; read it again.")


def _document(call: Call) -> Mapping[str, Any]:
    media = (call.header("content-type") or "").split(";")[0].strip().lower()
    if media not in ("application/json", "application/merge-patch+json"):
        raise ShopError(415, "unsupported_media_type", "The body is application/json.")
    try:
        document = call.json()
    except wire.MalformedJson as error:
        raise malformed("The body is not valid JSON.") from error
    if not isinstance(document, Mapping):
        raise malformed("The body is not a JSON object.")
    return document


def _query(call: Call) -> dict[str, str]:
    return dict(parse_qsl(call.query, keep_blank_values=True))


def _etag(row: Row) -> str:
    return f'"{row["id"]}.{row["version"]}"'


def _entity(
    status: int,
    entities: Entities,
    row: Row,
    *,
    writes: list[Write] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    all_headers = {**JSON, "etag": _etag(row), **(headers or {})}
    return Answer(status, wire.write(entities.shown(row)), all_headers, tuple(writes or ()))


def _json(status: int, document: Any) -> Answer:
    return Answer(status, wire.write(document), JSON)
