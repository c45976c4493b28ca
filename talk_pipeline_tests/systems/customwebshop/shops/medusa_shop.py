"""What a Medusa answers through its admin API, in the shapes of a real one (2.8.8).

A key without a password; lists in envelopes, with a count; variants that are written below their product;
lines of an order that change by an edit of the order alone: begun, requested, confirmed, or given up.
"""

import base64
import copy
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from talk_pipeline_tests.systems.customwebshop.shops.door import Reply, Row, Shop

KEY = "sk_imitated"
_KNOWN = base64.b64encode(f"{KEY}:".encode()).decode()
_KINDS = {"customers": "customer", "product-variants": "variant", "orders": "order"}
_TABLES = {"customers": "customers", "product-variants": "products", "orders": "orders"}
_TAKEN = {
    "customers": {"email", "first_name", "last_name", "company_name", "phone"},
    "variants": {"title", "sku", "barcode", "prices"},
    "orders": {"email", "shipping_address", "billing_address"},
    "items": {"variant_id", "quantity", "unit_price"},
}


class MedusaShop(Shop):
    """Customers, variants and orders; `edits` are those of orders that are begun, by order."""

    def __init__(self) -> None:
        super().__init__()
        self.edits: dict[str, dict[str, Row]] = {}

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if headers.get("authorization") != f"Basic {_KNOWN}":
            return _told(401, {"message": "Unauthorized"})
        where = urlsplit(target)
        asked = {name: values[0] for name, values in parse_qs(where.query).items()}
        place = where.path.removeprefix("/admin/").split("/")
        said: Row = json.loads(body) if body else {}
        if method != "GET":
            self.writes.append(f"{method} {place[0]}")
        match (method, place):
            case "GET", ["customers" | "product-variants" | "orders" as kind]:
                return self._list(kind, asked)
            case "GET", ["customers" | "orders" as kind, key]:
                return _told(200, {_KINDS[kind]: self._shown(kind, self.tables[_TABLES[kind]][key])})
            case "POST", ["customers" | "orders" as kind, key]:
                return self._changed(kind, key, said, taken=kind)
            case "POST", ["products"]:
                return self._made(said)
            case "POST", ["products", product, "variants", key]:
                assert product == f"prod_{key}"
                return self._changed("product-variants", key, said, taken="variants")
            case "POST" | "DELETE", ["order-edits", *rest]:
                return self._edited(method, rest, said)
        return _told(404, {"type": "not_found", "message": f"{method} {where.path}"})

    def _list(self, kind: str, asked: Mapping[str, str]) -> Reply:
        rows = [self._shown(kind, one) for one in self.since(_TABLES[kind], asked.get("updated_at[$gte]"))]
        if "id" in asked:
            rows = [row for row in rows if row["id"] == asked["id"]]
        if kind == "orders":
            rows = [
                {name: row[name] for name in ("id", "display_id", "status", "updated_at")} for row in rows
            ]
        at, most = int(asked.get("offset", 0)), int(asked.get("limit", 20))
        named = "variants" if kind == "product-variants" else kind
        return _told(200, {named: rows[at : at + most], "count": len(rows), "offset": at, "limit": most})

    def _shown(self, kind: str, row: Row) -> Row:
        shown = {name: value for name, value in row.items() if name not in ("changed", "lines", "called")}
        shown |= {"created_at": "2026-11-28T23:03:00.000Z", "updated_at": row["changed"]}
        if kind == "product-variants":
            product = {"id": f"prod_{row['id']}", "title": "Lamp", "status": "published"}
            return shown | {"product_id": product["id"], "product": product}
        if kind == "orders":
            items = list(row["lines"].values())
            total = sum(item["quantity"] * item["unit_price"] for item in items)
            return shown | {"items": items, "total": total, "subtotal": total, "tax_total": 0}
        return shown

    def _changed(self, kind: str, key: str, said: Row, *, taken: str) -> Reply:
        if unknown := _unknown(said, taken):
            return unknown
        held = self.tables[_TABLES[kind]][key]
        for name in {"shipping_address", "billing_address"} & said.keys():
            said[name] = held[name] | said[name]
        self.edit(_TABLES[kind], key, **said)
        if kind == "product-variants":  # the answer is the product, without what its variants are asked for
            return _told(200, {"product": {"id": f"prod_{key}", "variants": [{"id": key}]}})
        return _told(200, {_KINDS[kind]: self._shown(kind, self.tables[_TABLES[kind]][key])})

    def _made(self, said: Row) -> Reply:
        """A product with its one variant, whose options are those of the product."""
        (variant,) = said["variants"]
        options = {one["title"]: one["values"] for one in said["options"]}
        if (
            not said.get("title")
            or {name: [value] for name, value in variant.pop("options").items()} != options
        ):
            return _told(
                400, {"type": "invalid_data", "message": "Field 'title' is required, and all options"}
            )
        if unknown := _unknown(variant, "variants"):
            return unknown
        if variant.get("barcode") in {"", *(one["barcode"] for one in self.tables["products"].values())} - {
            None
        }:
            return _told(
                400, {"type": "invalid_data", "message": "Product variant with barcode already exists."}
            )
        key = self.add("products", **{"barcode": None, **variant}, called=said["title"])
        return _told(
            200, {"product": {"id": f"prod_{key}", "title": said["title"], "variants": [{"id": key}]}}
        )

    def _edited(self, method: str, rest: list[str], said: Row) -> Reply:
        orders = self.tables["orders"]
        if not rest:
            order = said["order_id"]
            if order in self.edits:
                return _told(400, {"type": "invalid_data", "message": f"{order} is being edited already"})
            self.edits[order] = copy.deepcopy(orders[order]["lines"])
            return _told(
                200, {"order_change": {"id": f"ordch_{order}", "order_id": order, "status": "pending"}}
            )
        order, *what = rest
        if order not in self.edits:
            return _told(404, {"type": "not_found", "message": f"{order} is not being edited"})
        lines = self.edits[order]
        match (method, what):
            case "DELETE", []:
                del self.edits[order]
                return _told(200, {"id": f"ordch_{order}", "object": "order-edit", "deleted": True})
            case "POST", ["items"]:
                for item in said["items"]:
                    if unknown := _unknown(item, "items"):
                        return unknown
                    lines |= self.item(**item)
            case "POST", ["items", "item", key]:
                if unknown := _unknown(said, "items"):
                    return unknown
                if "quantity" not in said:
                    return _told(400, {"type": "invalid_data", "message": "Field 'quantity' is required"})
                lines[key] |= said
                if not said["quantity"]:
                    del lines[key]
            case "POST", ["confirm"]:
                self.edit("orders", order, lines=self.edits.pop(order))
            case "POST", ["request"]:
                pass
            case _:
                return _told(404, {"type": "not_found", "message": "/".join(rest)})
        return _told(200, {"order_preview": {"id": order, "items": list(lines.values())}})

    def item(self, variant_id: str, quantity: int, unit_price: float) -> dict[str, Row]:
        """A line by its id."""
        key = f"ordli_{self.next()}"
        said = {"variant_id": variant_id, "quantity": quantity, "unit_price": unit_price}
        return {key: {"id": key, "title": "Lamp", "subtitle": "Lamp one", **said}}


def _unknown(said: Row, taken: str) -> Reply | None:
    """A refusal of what is not taken at that place, as its checks of bodies are strict."""
    names = ", ".join(sorted(said.keys() - _TAKEN[taken]))
    return (
        _told(400, {"type": "invalid_data", "message": f"Unrecognized fields: '{names}'"}) if names else None
    )


def _told(status: int, document: Any) -> Reply:
    return status, {"Content-Type": "application/json"}, json.dumps(document).encode()
