"""A shop that counts: numbered pages, amounts in the smallest coin, numeric ids, times as seconds since 1970.

What to know of it: nothing is ever gone, a deleted record is shown with ``state: "archived"`` for good and takes no
more changes; ``revision`` in the body is the version, ``X-Expected-Revision`` makes a write conditional; countries
and currencies are in lower case; flags are 0 and 1. ``changed_since`` includes the second it names. There are no
webhooks and no cheap count. Fields and parameters there are not are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from talk_pipeline.sandbox.customwebshop.errors import ShopError, malformed, unknown
from talk_pipeline.sandbox.customwebshop.fields import SINGULAR
from talk_pipeline.sandbox.customwebshop.idempotency import Idempotency
from talk_pipeline.sandbox.customwebshop.profiles import doors, slices
from talk_pipeline.sandbox.customwebshop.profiles.bodies import document_of, json_answer, query_of
from talk_pipeline.sandbox.customwebshop.profiles.forms import (
    BIT,
    EPOCH,
    ID,
    LOWER,
    NUMBER,
    SAME,
    Form,
    chosen,
    minor_units,
    moment_of,
)
from talk_pipeline.sandbox.customwebshop.profiles.profile import Profile, Routes
from talk_pipeline.sandbox.customwebshop.profiles.records import Records
from talk_pipeline.sandbox.customwebshop.profiles.shapes import Lines, Plain, Shape
from talk_pipeline.sandbox.customwebshop.shop import Shop
from talk_pipeline.sandbox.exchange import Answer, Call
from talk_pipeline.sandbox.store import Row

CLIENT_ID = "sandbox-shop"  # opens nothing but a sandbox
CLIENT_SECRET = "sandbox-shop-secret"
_TOKEN_PATH = "/oauth/token"
_HOUR = 3600
_USUAL = 50
_KNOWN = {"page", "page_size", "changed_since", "sort"}
_CODES: Mapping[str, int | str] = {
    "stale": "revision_conflict",
    "malformed": 1400,
    "unauthorized": 1401,
    "not_found": 1404,
    "method_not_allowed": 1405,
    "duplicate": 1409,
    "gone": 1410,
    "unsupported_media_type": 1415,
    "invalid_value": 1422,
    "unknown_field": 1423,
    "idempotency_key_reused": 1424,
    "throttled": 1429,
}
_DECIMALS = {"JPY": 0, "KWD": 3}
_AMOUNT = minor_units(lambda about: _DECIMALS.get(about.get("currency") or "", 2))
_STATUS = chosen({"open": 10, "processing": 20, "shipped": 30, "completed": 40, "cancelled": 90})
_STATE = Form(lambda _value, _: "archived", SAME.read, blank="live")
_OWN = (
    Plain("id", "id", ID, fixed=True),
    Plain("revision", "version", fixed=True),
    Plain("state", "deleted_at", _STATE, fixed=True),
    Plain("created", "created_at", EPOCH, fixed=True),
    Plain("changed", "updated_at", EPOCH, fixed=True),
)


def _address(wire: str, field: str) -> list[Plain]:
    parts = ("line1", "line2", "city", "region", "postal_code")
    return [
        *(Plain(f"{wire}.{part}", f"{field}.{part}") for part in parts),
        Plain(f"{wire}.country", f"{field}.country", LOWER),
    ]


CUSTOMERS = Shape(
    *_OWN,
    Plain("customer_no", "number"),
    Plain("company", "company_name"),
    Plain("contact", "contact_name"),
    Plain("org_no", "organization_number"),
    Plain("vat_no", "vat_number"),
    Plain("email", "email"),
    Plain("phone", "phone"),
    Plain("website", "website"),
    Plain("currency", "currency", LOWER),
    Plain("active", "active", BIT),
    *_address("address", "address"),
    Plain("note", "note"),
)
PRODUCTS = Shape(
    *_OWN,
    Plain("sku", "sku"),
    Plain("name", "name"),
    Plain("description", "description"),
    Plain("gtin", "gtin"),
    Plain("category", "category"),
    Plain("unit", "unit"),
    Plain("price", "price", _AMOUNT),
    Plain("cost", "cost", _AMOUNT),
    Plain("currency", "currency", LOWER),
    Plain("price_includes_tax", "price_includes_tax", BIT),
    Plain("active", "active", BIT),
    Plain("stock", "stock", NUMBER),
    Plain("tags", "tags"),
)
POSITION = Shape(
    Plain("product_id", "product_id", ID),
    Plain("sku", "sku", fixed=True),
    Plain("description", "description"),
    Plain("unit", "unit"),
    Plain("quantity", "quantity", NUMBER),
    Plain("unit_price", "unit_price", _AMOUNT),
    Plain("discount_percent", "discount_percent", NUMBER),
    Plain("line_total", "line_total", _AMOUNT, fixed=True),
)
ORDERS = Shape(
    *_OWN,
    Plain("order_no", "number"),
    Plain("customer_id", "customer_id", ID),
    Plain("ordered", "ordered_at", EPOCH),
    Plain("requested_delivery_date", "requested_delivery_date"),
    Plain("reference", "reference"),
    Plain("currency", "currency", LOWER),
    Plain("prices_include_tax", "prices_include_tax", BIT),
    Plain("email", "email"),
    Plain("phone", "phone"),
    Plain("status", "status", _STATUS),
    *_address("billing", "billing_address"),
    Plain("shipping.name", "shipping_address.name"),
    *_address("shipping", "shipping_address"),
    Plain("discount", "discount_amount", _AMOUNT),
    Plain("total_net", "total_excl_tax", _AMOUNT, fixed=True),
    Plain("total_tax", "total_tax", _AMOUNT, fixed=True),
    Plain("total_gross", "total_incl_tax", _AMOUNT, fixed=True),
    Plain("erp_no", "erp_number"),
    Lines("positions", POSITION, key="pos_id", form=ID),
)


class Cents(Profile):
    """The profile."""

    base = "/rest/2"
    most = 250
    numeric_ids = True
    open_paths = frozenset({_TOKEN_PATH})

    def __init__(self, shop: Shop) -> None:
        shapes = {"customers": CUSTOMERS, "products": PRODUCTS, "orders": ORDERS}
        self._records = [Records(shop, name, shape) for name, shape in shapes.items()]
        self._passes = doors.Passes(shop.clock, _HOUR)
        self._idempotency = Idempotency(shop.store, shop.clock, header="X-Request-Id")
        super().__init__(shop)

    def environment(self) -> dict[str, str]:
        """Client id and secret."""
        return {"CUSTOMWEBSHOP_CLIENT_ID": CLIENT_ID, "CUSTOMWEBSHOP_CLIENT_SECRET": CLIENT_SECRET}

    def knows(self, call: Call) -> bool:
        """By a token that has not expired."""
        return self._passes.valid(doors.bearer(call))

    def revoke(self, call: Call) -> None:
        """Let the token expire."""
        self._passes.revoke(doors.bearer(call))

    def refusal(self, error: ShopError) -> Answer:
        """``{"code": 1422, "text": "...", "param": "..."}``."""
        status = 409 if error.code == "stale" else error.status
        code = _CODES.get(error.code, 1000 + error.status)
        return json_answer(status, {"code": code, "text": error.message, "param": error.field})

    def routes(self) -> Routes:
        """Tokens, customers, products and orders."""
        routes: dict[str, Any] = {_TOKEN_PATH: {"POST": self._token}}
        for records in self._records:
            routes[f"/{records.name}"] = {
                "GET": partial(self._list, records),
                "POST": partial(self._add, records),
            }
            routes[f"/{records.name}/{{id}}"] = {
                "GET": partial(self._show, records),
                "PATCH": partial(self._patch, records),
                "DELETE": partial(self._delete, records),
            }
        return routes

    def _token(self, call: Call) -> Answer:
        form = {name: found[0] for name, found in parse_qs(call.body.decode("utf-8", "replace")).items()}
        if form.get("grant_type") != "client_credentials":
            return json_answer(400, {"error": "unsupported_grant_type"})
        given = doors.basic(call) or (form.get("client_id"), form.get("client_secret"))
        if given != (CLIENT_ID, CLIENT_SECRET):
            return json_answer(401, {"error": "invalid_client"})
        token = self._passes.issue()
        return json_answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": _HOUR})

    # -- records ----------------------------------------------------------------------------------------------

    def _list(self, records: Records, call: Call) -> Answer:
        query = query_of(call)
        for name in query:
            if name not in _KNOWN:
                raise malformed(f"There is no parameter {name}.", field=name)
        most = self.shop.page_size(self.most)
        size = slices.number(query, "page_size", min(_USUAL, most), least=1, most=most)
        page = slices.number(query, "page", 0)
        since = slices.number(query, "changed_since", 0)
        if query.get("sort", "id") not in ("id", "changed"):
            raise malformed("sort is id or changed.", field="sort")
        rows = [r for r in records.entities.table.in_order() if moment_of(r["updated_at"]) // 1000 >= since]
        if query.get("sort") != "changed":
            rows.sort(key=slices.by_id)
        items = [records.shape.show(row) for row in slices.cut(rows, start=page * size, size=size)]
        paging = {"number": page, "pages": slices.pages(len(rows), size), "total": len(rows)}
        return json_answer(200, {"items": items, "page": paging})

    def _show(self, records: Records, _call: Call, key: str) -> Answer:
        return json_answer(200, records.shape.show(self._get(records, key)))

    def _get(self, records: Records, key: str) -> Row:
        row = records.entities.table.get(key)
        if row is None:
            raise unknown(SINGULAR[records.name], key)
        return row

    def _add(self, records: Records, call: Call) -> Answer:
        earlier = self._idempotency.earlier(call, records.name)
        if earlier is not None:
            return earlier
        document = document_of(call)
        values = records.shape.read(document, None, about=_about(document, {}))
        with self.shop.store.transaction():
            row, writes = records.add(values)
            location = {"location": f"{self.base}/{records.name}/{row['id']}"}
            answer = json_answer(201, records.shape.show(row), headers=location, writes=writes)
            self._idempotency.remember(call, records.name, answer)
        return answer

    def _patch(self, records: Records, call: Call, key: str) -> Answer:
        row = self._writable(records, call, key)
        document = document_of(call)
        values = records.shape.read(document, row, about=_about(document, row))
        row, writes = records.change(row, values)
        return json_answer(200, records.shape.show(row), writes=writes)

    def _delete(self, records: Records, call: Call, key: str) -> Answer:
        return Answer(204, writes=records.remove(self._writable(records, call, key)))

    def _writable(self, records: Records, call: Call, key: str) -> Row:
        """The record, if it is not archived and as the caller expects it."""
        row = self._get(records, key)
        if row["deleted_at"] is not None:
            raise ShopError(410, "gone", f"The {SINGULAR[records.name]} {key} is archived.")
        expected = call.header("x-expected-revision")
        if expected is not None and not expected.isdigit():
            raise malformed("X-Expected-Revision is a number.")
        if expected is not None and int(expected) != row["version"]:
            raise ShopError(409, "stale", f"The revision is {row['version']}.", field="revision")
        return row


def _about(document: Mapping[str, Any], row: Row) -> Row:
    """The record as amounts in the document mean it: in the currency it will have."""
    currency = document.get("currency")
    return {**row, "currency": currency.upper()} if isinstance(currency, str) else row
