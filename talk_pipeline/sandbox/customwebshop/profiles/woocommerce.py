"""WooCommerce's REST API, version 3, as it is publicly documented.

What to know of it: pages by number with the totals in headers; ``modified_after`` for products and orders, to the
second and leaving that very second out, while customers ignore it; times without a zone; partial updates with PUT,
POST and PATCH alike; a bin for products and orders, none for customers; no versions and no creates that may be
sent twice. Parameters and fields there are not are ignored.

On orders ``discount_total``, ``total``, ``total_tax`` and ``number`` are read-only, as is ``username`` and a
customer's ``billing.email``, which follows ``email``.

Where this shop is more lenient: a category may be named by its slug, an email may be blank,
``prices_include_tax`` and ``date_created_gmt`` of orders may be written. Where it is stricter: an order has a
customer, a product an SKU, and two customers cannot share an ``erp_number``. A new webhook is not pinged.
"""

from __future__ import annotations

import base64
import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from talk_pipeline.sandbox import wire
from talk_pipeline.sandbox.clock import from_datetime
from talk_pipeline.sandbox.customwebshop.errors import ShopError
from talk_pipeline.sandbox.customwebshop.fields import SINGULAR
from talk_pipeline.sandbox.customwebshop.profiles import doors, slices
from talk_pipeline.sandbox.customwebshop.profiles import woocommerce_shapes as shapes
from talk_pipeline.sandbox.customwebshop.profiles.bodies import document_of, json_answer, query_of
from talk_pipeline.sandbox.customwebshop.profiles.forms import HOME, moment_of, read_gmt
from talk_pipeline.sandbox.customwebshop.profiles.profile import Profile, Routes
from talk_pipeline.sandbox.customwebshop.profiles.records import Records
from talk_pipeline.sandbox.customwebshop.profiles.woocommerce_meta import EXTRA
from talk_pipeline.sandbox.customwebshop.shop import Shop
from talk_pipeline.sandbox.customwebshop.webhooks import SETTINGS, Message, digest
from talk_pipeline.sandbox.exchange import Answer, Call
from talk_pipeline.sandbox.store import Row

KEY = "ck_sandbox"  # opens nothing but a sandbox
SECRET = "cs_sandbox"
_USUAL = 10
_SORTS: Mapping[str, Callable[[Row], Any]] = {
    "id": slices.by_id,
    "include": slices.by_id,
    "date": lambda row: row.get("ordered_at") or row["created_at"],
    "modified": lambda row: row["updated_at"],
    "title": lambda row: row.get("name") or "",
    "slug": lambda row: row.get("name") or "",
    "price": lambda row: float(row.get("price") or 0),
    "name": lambda row: row.get("contact_name") or "",
    "registered_date": lambda row: row["created_at"],
}
_ORDERS_BY: Mapping[str, tuple[str, ...]] = {
    "customers": ("name", "id", "include", "registered_date"),
    "products": ("date", "modified", "id", "include", "title", "slug", "price"),
    "orders": ("date", "modified", "id", "include", "title", "slug"),
}
_INVALID_ID = {
    "customers": "woocommerce_rest_invalid_id",
    "products": "woocommerce_rest_product_invalid_id",
    "orders": "woocommerce_rest_shop_order_invalid_id",
}
_CODES: Mapping[str, tuple[int, str]] = {
    "unauthorized": (401, "woocommerce_rest_cannot_view"),
    "not_found": (404, "rest_no_route"),
    "method_not_allowed": (404, "rest_no_route"),
    "invalid_value": (400, "rest_invalid_param"),
    "unknown_field": (400, "rest_invalid_param"),
    "malformed": (400, "rest_invalid_param"),
    "unsupported_media_type": (400, "rest_invalid_json"),
    "duplicate": (400, "woocommerce_rest_duplicate"),
}
_DUPLICATES = {"sku": "product_invalid_sku"}


class WooCommerce(Profile):
    """The profile."""

    base = "/wp-json/wc/v3"
    most = 100
    settings = SETTINGS
    numeric_ids = True

    def __init__(self, shop: Shop) -> None:
        products = shop.entities["products"].table
        made = {
            "customers": shapes.customers(),
            "products": shapes.products(
                lambda: {r["category"] for r in products.in_order() if r["category"]}
            ),
            "orders": shapes.orders(),
        }
        self._records = {name: Records(shop, name, shape) for name, shape in made.items()}
        super().__init__(shop)
        shop.webhooks.message = self._message

    def environment(self) -> dict[str, str]:
        """Consumer key and secret."""
        return {"CUSTOMWEBSHOP_KEY": KEY, "CUSTOMWEBSHOP_SECRET": SECRET}

    def knows(self, call: Call) -> bool:
        """By basic authentication."""
        return doors.basic(call) == (KEY, SECRET)

    def refusal(self, error: ShopError) -> Answer:
        """``{"code", "message", "data": {"status", "params"?}}``."""
        status, code = _CODES.get(error.code, (error.status, error.code))
        if error.code == "duplicate":
            code = _DUPLICATES.get(error.field or "", code)
        data: Row = {"status": status}
        message = error.message
        if code == "rest_invalid_param" and error.field:
            data["params"] = {error.field: message}
            message = f"Invalid parameter(s): {error.field}"
        return json_answer(status, {"code": code, "message": message, "data": data})

    def routes(self) -> Routes:
        """Customers, products, orders and webhooks."""
        routes: dict[str, Any] = {}
        for name, records in self._records.items():
            change = partial(self._change, records)
            routes[f"/{name}"] = {"GET": partial(self._list, records), "POST": partial(self._add, records)}
            routes[f"/{name}/{{id}}"] = {
                "GET": partial(self._show, records),
                "PUT": change,
                "POST": change,
                "PATCH": change,
                "DELETE": partial(self._delete, records),
            }
        routes["/webhooks"] = {"GET": self._webhooks, "POST": self._subscribe}
        routes["/webhooks/{id}"] = {"DELETE": self._unsubscribe}
        return routes

    # -- reading ----------------------------------------------------------------------------------------------

    def _list(self, records: Records, call: Call) -> Answer:
        query = query_of(call)
        most = self.shop.page_size(self.most)
        size = slices.number(query, "per_page", min(_USUAL, most), least=1, most=most)
        page = slices.number(query, "page", 1, least=1)
        rows = self._chosen(records, query)
        total, last = len(rows), slices.pages(len(rows), size)
        headers = {"x-wp-total": str(total), "x-wp-totalpages": str(last)}
        links = []
        for relation, number in (("prev", page - 1), ("next", page + 1)):
            if 1 <= number <= last:
                address = f"{call.origin}{call.path}?{urlencode({**query, 'page': number})}"
                links.append(f'<{address}>; rel="{relation}"')
        if links:
            headers["link"] = ", ".join(links)
        documents = [
            self._document(records, row) for row in slices.cut(rows, start=(page - 1) * size, size=size)
        ]
        return json_answer(200, documents, headers=headers)

    def _chosen(self, records: Records, query: Mapping[str, str]) -> list[Row]:
        allowed = _ORDERS_BY[records.name]
        sort, way = query.get("orderby", allowed[0]), query.get("order", "")
        way = way or ("asc" if records.name == "customers" else "desc")
        for name, value, choices in (("orderby", sort, allowed), ("order", way, ("asc", "desc"))):
            if value not in choices:
                raise ShopError(400, "malformed", f"{name} is not one of {', '.join(choices)}.", field=name)
        rows = [row for row in self._there(records, query) if _meets(row, query)]
        if records.name != "customers" and query.get("modified_after"):
            after = _moment(query["modified_after"], gmt=query.get("dates_are_gmt", "false") in ("true", "1"))
            rows = [row for row in rows if moment_of(row["updated_at"]) // 1000 > after // 1000]
        key = _SORTS[sort]
        return sorted(rows, key=lambda row: (key(row), slices.by_id(row)), reverse=way == "desc")

    def _there(self, records: Records, query: Mapping[str, str]) -> list[Row]:
        """Records of the wanted status; those in the bin show only to whoever asks for them."""
        status = query.get("status", "any").split(",")
        if records.name == "customers" or "any" in status:
            return records.rows()
        rows = [row for row in records.entities.table.in_order() if not row.get("purged")]
        return [row for row in rows if self._document(records, row)["status"] in status]

    def _show(self, records: Records, _call: Call, key: str) -> Answer:
        return json_answer(200, self._document(records, self._get(records, key)))

    def _get(self, records: Records, key: str) -> Row:
        row = records.entities.table.get(key)
        gone = row is None or row.get("purged")
        if row is None or gone or (records.name == "customers" and row["deleted_at"]):
            raise ShopError(404, _INVALID_ID[records.name], "Invalid ID.")
        return row

    def _document(self, records: Records, row: Row) -> Row:
        document = records.shape.show(row)
        if row["deleted_at"] is not None and records.name != "customers":
            document["status"] = "trash"
        if records.name == "products":
            document["manage_stock"] = row["stock"] is not None
        return document

    # -- writing ----------------------------------------------------------------------------------------------

    def _add(self, records: Records, call: Call) -> Answer:
        document = document_of(call)
        values = records.shape.read(document, None)
        self._check_email(records, values, own=None)
        extra = values.pop(EXTRA, None)
        row, writes = records.add(values, extra=extra)
        headers = {"location": f"{call.origin}{self.base}/{records.name}/{row['id']}"}
        return json_answer(201, self._document(records, row), headers=headers, writes=writes)

    def _change(self, records: Records, call: Call, key: str) -> Answer:
        document, row = document_of(call), self._get(records, key)
        values = records.shape.read(document, row)
        self._check_email(records, values, own=key)
        with self.shop.store.transaction():
            if row["deleted_at"] is not None and "status" in document:
                row = records.entities.restore(row)
            extra = values.pop(EXTRA, None)
            row, writes = records.change(row, values, extra=extra)
        return json_answer(200, self._document(records, row), writes=writes)

    def _delete(self, records: Records, call: Call, key: str) -> Answer:
        row = self._get(records, key)
        force = query_of(call).get("force", "false").lower() in ("true", "1")
        what = SINGULAR[records.name]
        if not force and records.name == "customers":
            raise ShopError(501, "woocommerce_rest_trash_not_supported", "Customers do not support trashing.")
        if not force and row["deleted_at"] is not None:
            raise ShopError(410, "woocommerce_rest_already_trashed", f"The {what} has already been deleted.")
        before = self._document(records, row)
        with self.shop.store.transaction():
            delete = records.entities.purge if force else records.entities.delete
            writes = tuple(delete(row))
        if not force:
            before = self._document(records, records.entities.table.rows[key])
        return json_answer(200, before, writes=writes)

    def _check_email(self, records: Records, values: Row, *, own: str | None) -> None:
        email = values.get("email")
        if records.name != "customers" or not isinstance(email, str):
            return
        if any((row["email"] or "").lower() == email.lower() and row["id"] != own for row in records.rows()):
            raise ShopError(
                400,
                "registration-error-email-exists",
                "An account is already registered with your email address.",
            )

    # -- webhooks ---------------------------------------------------------------------------------------------

    def _webhooks(self, _call: Call) -> Answer:
        return json_answer(200, [_hook(row) for row in self.shop.webhooks.rows()])

    def _subscribe(self, call: Call) -> Answer:
        document = document_of(call)
        with self.shop.store.transaction():
            row = self.shop.webhooks.add(
                url=document.get("delivery_url"),
                events=[document.get("topic")],
                secret=document.get("secret"),
                key=str(self.shop.entities["orders"].count("webhooks", 1)),
            )
        return json_answer(201, _hook(row))

    def _unsubscribe(self, call: Call, key: str) -> Answer:
        if query_of(call).get("force", "false").lower() not in ("true", "1"):
            raise ShopError(501, "woocommerce_rest_trash_not_supported", "Webhooks do not support trashing.")
        found = next((row for row in self.shop.webhooks.rows() if row["id"] == key), None)
        if found is None:
            raise ShopError(404, "woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.")
        with self.shop.store.transaction():
            self.shop.webhooks.delete(key)
        return json_answer(200, _hook(found))

    def _message(self, hook: Row, event: str, row: Row) -> Message:
        resource, _, verb = event.partition(".")
        records = next(r for r in self._records.values() if SINGULAR[r.name] == resource)
        body = wire.write({"id": int(row["id"])} if verb == "deleted" else self._document(records, row))
        return body, {
            "X-WC-Webhook-Topic": event,
            "X-WC-Webhook-Resource": resource,
            "X-WC-Webhook-Event": verb,
            "X-WC-Webhook-Signature": base64.b64encode(digest(hook, body)).decode(),
            "X-WC-Webhook-ID": hook["id"],
            "X-WC-Webhook-Delivery-ID": uuid.uuid4().hex,
        }


def _hook(row: Row) -> Row:
    resource, _, event = row["events"][0].partition(".")
    return {
        "id": int(row["id"]),
        "status": "active",
        "topic": row["events"][0],
        "resource": resource,
        "event": event,
        "delivery_url": row["url"],
        "date_created_gmt": row["created_at"][:19],
    }


def _meets(row: Row, query: Mapping[str, str]) -> bool:
    """Whether a record is among those a list is narrowed to."""
    for name, field in (("sku", "sku"), ("email", "email"), ("customer", "customer_id")):
        if query.get(name) and field in row and row[field] != query[name]:
            return False
    return not query.get("include") or row["id"] in query["include"].split(",")


def _moment(text: str, *, gmt: bool) -> int:
    try:
        if gmt or text.endswith("Z") or "+" in text:
            return read_gmt(text)
        return _local_moment(text)
    except ValueError as error:
        raise ShopError(400, "malformed", "Invalid date.", field="modified_after") from error


def _local_moment(text: str) -> int:
    value = dt.datetime.fromisoformat(text)
    return from_datetime(value if value.tzinfo else value.replace(tzinfo=HOME))
