"""A shop that tells as little as it can: bare arrays of summaries, no versions, no times of change.

What to know of it: lists show an id and a key, and each record must be fetched for the rest; nothing says when it
changed. A deleted record is gone at once. Clients are written in parts, each a whole: master data, contacts,
addresses. The rows of a purchase have addresses of their own. Writes answer without a body. ``count`` above 200 is
200, without a word; unknown parameters are ignored, unknown fields are refused. Too many calls are answered with
420 instead of 429. A purchase is created without rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from talk_pipeline.sandbox.customwebshop.errors import ShopError, no_field, unknown
from talk_pipeline.sandbox.customwebshop.profiles import slices
from talk_pipeline.sandbox.customwebshop.profiles.bare_shapes import (
    ARTICLE,
    CLIENT,
    MASTER,
    PURCHASE,
    ROW,
    SUB_RESOURCES,
)
from talk_pipeline.sandbox.customwebshop.profiles.bodies import content_of, document_of, json_answer, query_of
from talk_pipeline.sandbox.customwebshop.profiles.profile import Profile, Routes
from talk_pipeline.sandbox.customwebshop.profiles.records import Records
from talk_pipeline.sandbox.customwebshop.shop import Shop
from talk_pipeline.sandbox.exchange import Answer, Call
from talk_pipeline.sandbox.limits import TooMany
from talk_pipeline.sandbox.store import Row

API_KEY = "sandbox-key"  # opens nothing but a sandbox
_USUAL = 50
_SUMMARIES = {"clients": ("id", "code"), "articles": ("id", "sku"), "purchases": ("id", "no")}


class Bare(Profile):
    """The profile."""

    base = "/shop"
    most = 200

    def __init__(self, shop: Shop) -> None:
        self._clients = Records(shop, "customers", CLIENT)
        self._articles = Records(shop, "products", ARTICLE)
        self._purchases = Records(shop, "orders", PURCHASE)
        super().__init__(shop)

    def environment(self) -> dict[str, str]:
        """The key."""
        return {"CUSTOMWEBSHOP_API_KEY": API_KEY}

    def knows(self, call: Call) -> bool:
        """By the key in the query."""
        return query_of(call).get("api_key") == API_KEY

    def refuse(self, status: int, *, over: TooMany | None = None) -> Answer:
        """As everywhere, but for 420."""
        answer = super().refuse(status, over=over)
        return Answer(420, answer.body, answer.headers) if status == 429 else answer

    def refusal(self, error: ShopError) -> Answer:
        """``{"problems": [{"what", "why", "where"}]}``; what is wrong with a request is always a 422."""
        status = 422 if error.status in (400, 409, 415) else error.status
        problem = {"what": error.code, "why": error.message, "where": error.field}
        return json_answer(status, {"problems": [problem]})

    def routes(self) -> Routes:
        """Clients, articles, purchases and their rows."""
        routes: dict[str, Any] = {}
        for name, records in self._named().items():
            routes[f"/{name}"] = {
                "GET": partial(self._list, name, records),
                "POST": partial(self._add, name, records),
            }
            routes[f"/{name}/{{id}}"] = {
                "GET": partial(self._show, records),
                "DELETE": partial(self._delete, records),
            }
        routes["/clients/{id}"]["PUT"] = self._put_master
        for name in SUB_RESOURCES:
            routes[f"/clients/{{id}}/{name}"] = {
                "GET": partial(self._show_part, name),
                "PUT": partial(self._put_part, name),
            }
        for name in ("articles", "purchases"):
            routes[f"/{name}/{{id}}"]["PATCH"] = partial(self._patch, self._named()[name])
        routes["/purchases/{id}/rows"] = {"GET": self._list_rows, "POST": self._add_row}
        routes["/purchases/{id}/rows/{id}"] = {"PATCH": self._patch_row, "DELETE": self._delete_row}
        return routes

    def _named(self) -> Mapping[str, Records]:
        return {"clients": self._clients, "articles": self._articles, "purchases": self._purchases}

    # -- records ----------------------------------------------------------------------------------------------

    def _list(self, name: str, records: Records, call: Call) -> Answer:
        query = query_of(call)
        most = self.shop.page_size(self.most)
        size = min(slices.number(query, "count", min(_USUAL, most), least=1), most)
        start = slices.number(query, "offset", 0)
        rows = slices.cut(sorted(records.rows(), key=slices.by_id), start=start, size=size)
        documents = [records.shape.show(row) for row in rows]
        return json_answer(200, [{part: record[part] for part in _SUMMARIES[name]} for record in documents])

    def _show(self, records: Records, _call: Call, key: str) -> Answer:
        return json_answer(200, records.shape.show(records.get(key)))

    def _add(self, name: str, records: Records, call: Call) -> Answer:
        row, writes = records.add(records.shape.read(document_of(call), None))
        return Answer(201, headers={"location": f"{self.base}/{name}/{row['id']}"}, writes=writes)

    def _patch(self, records: Records, call: Call, key: str) -> Answer:
        row = records.get(key)
        return self._write(records, row, records.shape.read(document_of(call), row))

    def _delete(self, records: Records, _call: Call, key: str) -> Answer:
        return Answer(204, writes=records.remove(records.get(key)))

    def _write(self, records: Records, row: Row, values: Row) -> Answer:
        return Answer(204, writes=records.change(row, values)[1])

    # -- parts of a client ------------------------------------------------------------------------------------

    def _put_master(self, call: Call, key: str) -> Answer:
        row = self._clients.get(key)
        return self._write(self._clients, row, MASTER.read(document_of(call), row, whole=True))

    def _show_part(self, name: str, _call: Call, key: str) -> Answer:
        return json_answer(200, SUB_RESOURCES[name].show(self._clients.get(key))[name])

    def _put_part(self, name: str, call: Call, key: str) -> Answer:
        row = self._clients.get(key)
        return self._write(self._clients, row, SUB_RESOURCES[name].read({name: content_of(call)}, row))

    # -- rows of a purchase -----------------------------------------------------------------------------------

    def _list_rows(self, _call: Call, key: str) -> Answer:
        return json_answer(200, [ROW.show(line) for line in self._purchases.get(key)["lines"]])

    def _add_row(self, call: Call, key: str) -> Answer:
        order = self._purchases.get(key)
        document = document_of(call)
        if "id" in document:
            raise no_field("id")
        lines = [*_unchanged_rows(order), ROW.read(document, None)]
        order, writes = self._change_rows(order, lines)
        location = f"{self.base}/purchases/{key}/rows/{order['lines'][-1]['id']}"
        return Answer(201, headers={"location": location}, writes=writes)

    def _patch_row(self, call: Call, key: str, row: str) -> Answer:
        order = self._purchases.get(key)
        current = _line(order, row)
        values = ROW.read(document_of(call), current)
        lines = [{**line, **(values if line["id"] == row else {})} for line in _unchanged_rows(order)]
        return Answer(204, writes=self._change_rows(order, lines)[1])

    def _delete_row(self, _call: Call, key: str, row: str) -> Answer:
        order = self._purchases.get(key)
        _line(order, row)
        lines = [line for line in _unchanged_rows(order) if line["id"] != row]
        return Answer(204, writes=self._change_rows(order, lines)[1])

    def _change_rows(self, order: Row, lines: list[Row]) -> tuple[Row, tuple[Any, ...]]:
        try:
            return self._purchases.change(order, {"lines": lines})
        except ShopError as error:
            field = ROW.named((error.field or "").rpartition(".")[2]) or None
            raise ShopError(error.status, error.code, error.message, field=field) from error


def _unchanged_rows(order: Row) -> list[Row]:
    """All rows as they are."""
    return [{"id": line["id"]} for line in order["lines"]]


def _line(order: Row, key: str) -> Row:
    found = next((line for line in order["lines"] if line["id"] == key), None)
    if found is None:
        raise unknown("row", key)
    return dict(found)
