"""A shop that is polite and does not tell the truth.

What to know of it: a refused write is answered with 200 and ``"ok": false``; unknown parameters, unknown fields and
values that only the shop may set are ignored; ``modified_from`` takes milliseconds and cuts them to seconds, so
that a record on the boundary comes again; ``modified`` does not move when an address, a price or a line changes,
and there is no version. A ``limit`` above 100 is 100, without a word. A record is created in two steps, draft and
conversion, and only the second checks it; drafts are in no list. Deleted records are simply gone.
"""

from __future__ import annotations

import base64
import binascii
from functools import partial
from typing import Any
from urllib.parse import urlencode

from talk_pipeline.sandbox import wire
from talk_pipeline.sandbox.customwebshop.errors import ShopError, malformed, unknown
from talk_pipeline.sandbox.customwebshop.profiles import slices
from talk_pipeline.sandbox.customwebshop.profiles.bodies import document_of, json_answer, query_of
from talk_pipeline.sandbox.customwebshop.profiles.forms import moment_of
from talk_pipeline.sandbox.customwebshop.profiles.liar_shapes import CUSTOMERS, ORDERS, OTHERS, PRODUCTS
from talk_pipeline.sandbox.customwebshop.profiles.profile import Profile, Routes
from talk_pipeline.sandbox.customwebshop.profiles.records import Records
from talk_pipeline.sandbox.customwebshop.shop import Shop
from talk_pipeline.sandbox.exchange import Answer, Call

API_KEY = "sandbox-key"  # opens nothing but a sandbox
_USUAL = 25
_REFUSED = (400, 409, 415, 422)


class Liar(Profile):
    """The profile."""

    base = "/v2"
    most = 100
    quiet = frozenset(
        {
            "address",
            "billing_address",
            "shipping_address",
            "price",
            "cost",
            "lines",
            "total_excl_tax",
            "total_tax",
            "total_incl_tax",
            "extra",
        }
    )

    def __init__(self, shop: Shop) -> None:
        shapes = {"customers": CUSTOMERS, "products": PRODUCTS, "orders": ORDERS}
        self._records = [Records(shop, name, shape) for name, shape in shapes.items()]
        self._drafts = shop.store.table("shop/_drafts")
        super().__init__(shop)

    def environment(self) -> dict[str, str]:
        """The key."""
        return {"CUSTOMWEBSHOP_API_KEY": API_KEY}

    def knows(self, call: Call) -> bool:
        """By the key in a header."""
        return call.header("x-api-key") == API_KEY

    def refusal(self, error: ShopError) -> Answer:
        """``{"ok": false, "error": {"code", "message", "field"}}``."""
        document = {"code": error.code, "message": error.message, "field": error.field}
        return json_answer(error.status, {"ok": False, "error": document})

    async def work(self, call: Call) -> Answer:
        """Do what the call asks for; what is wrong with a write is told with a smile."""
        answer = await super().work(call)
        if call.method == "POST" and answer.status in _REFUSED:
            return Answer(200, answer.body, answer.headers)
        return answer

    def routes(self) -> Routes:
        """Customers, products and orders, and what may be done to them."""
        routes: dict[str, Any] = {}
        for records in self._records:
            routes |= {
                f"/{records.name}": {"GET": partial(self._list, records)},
                f"/{records.name}/drafts": {"POST": partial(self._draft, records)},
                f"/{records.name}/drafts/{{id}}/convert": {"POST": partial(self._convert, records)},
                f"/{records.name}/{{id}}": {
                    "GET": partial(self._show, records),
                    "POST": partial(self._change, records),
                },
                f"/{records.name}/{{id}}/delete": {"POST": partial(self._delete, records)},
            }
        return routes

    # -- reading ----------------------------------------------------------------------------------------------

    def _list(self, records: Records, call: Call) -> Answer:
        query = query_of(call)
        most = self.shop.page_size(self.most)
        size = min(slices.number(query, "limit", min(_USUAL, most), least=1), most)
        since = slices.number(query, "modified_from", 0) // 1000
        key = f"filter[{records.entities.unique}]"
        rows = [
            row
            for row in records.rows()
            if moment_of(row["updated_at"]) // 1000 >= since
            and (key not in query or row[records.entities.unique] == query[key])
        ]
        if "cursor" in query:
            after = _read_cursor(query["cursor"])
            rows = [row for row in rows if records.entities.table.order_key(row) > after]
        page, following = rows[:size], None
        if len(rows) > size:
            parameters = urlencode({**query, "cursor": _cursor(records.entities.table.order_key(page[-1]))})
            following = f"{call.origin}{call.path}?{parameters}"
        documents = [records.shape.show(row) for row in page]
        return json_answer(200, {"records": documents, "next": following})

    def _show(self, records: Records, _call: Call, key: str) -> Answer:
        return json_answer(200, records.shape.show(records.get(key)))

    # -- writing ----------------------------------------------------------------------------------------------

    def _draft(self, records: Records, call: Call) -> Answer:
        document = document_of(call)
        with self.shop.store.transaction():
            key = f"d-{records.entities.count('drafts', 1)}"
            self.shop.store.put(self._drafts, {"id": key, "set": records.name, "document": document})
        return json_answer(200, {"draft": {"id": key}})

    def _convert(self, records: Records, _call: Call, key: str) -> Answer:
        draft = self._drafts.get(key)
        if draft is None or draft["set"] != records.name:
            raise unknown("draft", key)
        values = records.shape.read(draft["document"], None)
        with self.shop.store.transaction():
            extra = values.pop(OTHERS, None)
            row, writes = records.add(values, extra=extra)
            self.shop.store.drop(self._drafts, key)
        return json_answer(200, records.shape.show(row), writes=writes)

    def _change(self, records: Records, call: Call, key: str) -> Answer:
        row = records.get(key)
        values = records.shape.read(document_of(call), row)
        extra = values.pop(OTHERS, None)
        row, writes = records.change(row, values, extra=extra)
        return json_answer(200, records.shape.show(row), writes=writes)

    def _delete(self, records: Records, _call: Call, key: str) -> Answer:
        return json_answer(200, {"ok": True}, writes=records.remove(records.get(key)))


def _cursor(place: tuple[Any, ...]) -> str:
    return base64.urlsafe_b64encode(wire.write(list(place))).decode()


def _read_cursor(text: str) -> tuple[Any, ...]:
    try:
        return tuple(map(str, wire.read(base64.urlsafe_b64decode(text))))
    except (binascii.Error, wire.MalformedJson, ValueError, TypeError) as error:
        raise malformed("The cursor is malformed.", field="cursor") from error
