"""The shop's own API: versions as entity tags, cursors, merge patches, creates that may be sent twice."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from talk_pipeline.sandbox.customwebshop import listing
from talk_pipeline.sandbox.customwebshop.entities import Entities
from talk_pipeline.sandbox.customwebshop.errors import ShopError, malformed, no_field
from talk_pipeline.sandbox.customwebshop.idempotency import Idempotency
from talk_pipeline.sandbox.customwebshop.profiles.bodies import document_of, json_answer, query_of
from talk_pipeline.sandbox.customwebshop.profiles.profile import Profile, Routes
from talk_pipeline.sandbox.customwebshop.shop import Shop
from talk_pipeline.sandbox.customwebshop.webhooks import SETTINGS as WEBHOOK_SETTINGS
from talk_pipeline.sandbox.exchange import Answer, Call, Write
from talk_pipeline.sandbox.settings import Setting
from talk_pipeline.sandbox.store import Row

TOKEN = "sandbox-shop-token"  # opens nothing but a sandbox
_STRONG = re.compile(r'"[^"]*"')


class Reference(Profile):
    """The profile the shop has unless told otherwise."""

    base = "/api/v1"
    most = listing.MOST
    documents = True
    settings = (
        Setting(
            "if_match",
            "checked",
            "If-Match: checked, or ignored as by shops without it",
            ("checked", "ignored"),
        ),
        Setting(
            "idempotency",
            "kept",
            "Idempotency-Key: kept, or ignored as by shops without it",
            ("kept", "ignored"),
        ),
        *WEBHOOK_SETTINGS,
    )

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop)
        self._idempotency = Idempotency(shop.store, shop.clock)

    def environment(self) -> dict[str, str]:
        """The token."""
        return {"CUSTOMWEBSHOP_TOKEN": TOKEN}

    def knows(self, call: Call) -> bool:
        """Only with the token."""
        return call.header("authorization") == f"Bearer {TOKEN}"

    def refusal(self, error: ShopError) -> Answer:
        """``{"error": {"code", "message", "field"}}``."""
        document = {"error": {"code": error.code, "message": error.message, "field": error.field}}
        headers = {"www-authenticate": "Bearer"} if error.status == 401 else {}
        return json_answer(error.status, document, headers=headers)

    def routes(self) -> Routes:
        """Each resource with its count, and the webhooks."""
        routes: dict[str, Any] = {}
        for name, entities in self.shop.entities.items():
            routes[f"/{name}"] = {"GET": partial(self._list, entities), "POST": partial(self._add, entities)}
            routes[f"/{name}/count"] = {"GET": partial(self._count, entities)}
            routes[f"/{name}/{{id}}"] = {
                "GET": partial(self._show, entities),
                "PATCH": partial(self._patch, entities),
                "DELETE": partial(self._delete, entities),
            }
        routes["/webhooks"] = {"GET": self._webhooks, "POST": self._subscribe}
        routes["/webhooks/{id}"] = {"DELETE": self._unsubscribe}
        return routes

    # -- records ----------------------------------------------------------------------------------------------

    def _list(self, entities: Entities, call: Call) -> Answer:
        wish = listing.read_wish(query_of(call), most=self.shop.page_size(self.most))
        return json_answer(200, listing.page(entities, wish))

    def _count(self, entities: Entities, call: Call) -> Answer:
        return json_answer(200, listing.count(entities, listing.read_wish(query_of(call))))

    def _add(self, entities: Entities, call: Call) -> Answer:
        idempotent = self.shop.settings["idempotency"] == "kept"
        earlier = self._idempotency.earlier(call, entities.name) if idempotent else None
        if earlier is not None:
            return earlier
        document = document_of(call)
        with self.shop.store.transaction():
            row, writes = entities.create(document)
            location = f"{self.base}/{entities.name}/{row['id']}"
            answer = _entity(201, entities, row, writes=writes, headers={"location": location})
            if idempotent:
                self._idempotency.remember(call, entities.name, answer)
        return answer

    def _show(self, entities: Entities, call: Call, key: str) -> Answer:
        row = entities.get(key)
        if call.header("if-none-match") == _etag(row):
            return Answer(304, headers={"etag": _etag(row)})
        return _entity(200, entities, row)

    def _patch(self, entities: Entities, call: Call, key: str) -> Answer:
        row = entities.get(key)
        self._check_condition(call, row)
        document = document_of(call)
        with self.shop.store.transaction():
            row, writes = entities.patch(row, document)
        return _entity(200, entities, row, writes=writes)

    def _delete(self, entities: Entities, call: Call, key: str) -> Answer:
        row = entities.get(key)
        self._check_condition(call, row)
        with self.shop.store.transaction():
            writes = entities.delete(row)
        return Answer(204, writes=tuple(writes))

    def _check_condition(self, call: Call, row: Row) -> None:
        given = call.header("if-match")
        if given is None or given.strip() == "*" or self.shop.settings["if_match"] == "ignored":
            return
        tags = [tag.strip() for tag in given.split(",")]
        if not all(_STRONG.fullmatch(tag.removeprefix("W/")) for tag in tags):
            raise malformed("If-Match holds no entity tag.")
        if _etag(row) not in tags:
            raise ShopError(412, "stale", "The record has changed; read it again.")

    # -- webhooks ---------------------------------------------------------------------------------------------

    def _webhooks(self, _call: Call) -> Answer:
        found = [_hook(row) for row in self.shop.webhooks.rows()]
        return json_answer(200, {"data": found, "next_cursor": None})

    def _subscribe(self, call: Call) -> Answer:
        document = document_of(call)
        for name in document:
            if name not in ("url", "events", "secret"):
                raise no_field(name)
        with self.shop.store.transaction():
            row = self.shop.webhooks.add(**{name: document.get(name) for name in ("url", "events", "secret")})
        return json_answer(201, _hook(row))

    def _unsubscribe(self, _call: Call, key: str) -> Answer:
        with self.shop.store.transaction():
            self.shop.webhooks.delete(key)
        return Answer(204)


def _etag(row: Row) -> str:
    return f'"{row["id"]}.{row["version"]}"'


def _hook(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "secret"}


def _entity(
    status: int,
    entities: Entities,
    row: Row,
    *,
    writes: list[Write] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    return json_answer(
        status,
        entities.show(row),
        headers={"etag": _etag(row), **(headers or {})},
        writes=tuple(writes or ()),
    )
