"""A shop whose records are XML documents, as the webservice of a PrestaShop tells and takes them.

A key without a password; lists of ids alone unless they are asked to show all; documents that are put whole, with
the id in them, and whose left out elements are emptied; texts by language; addresses, stock and lines as records of
their own.
Made from that product's public source and documentation; it was not held against a real one.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement
from zoneinfo import ZoneInfo

from talk_pipeline_tests.systems.customwebshop.shops.door import Reply, Row, Shop

KEY = "WSKEY"
_KNOWN = f"Basic {base64.b64encode(f'{KEY}:'.encode()).decode()}"
_LINK = "{http://www.w3.org/1999/xlink}href"
_LANGUAGES = ("1", "2")
_ZONE = ZoneInfo("Europe/Paris")


@dataclass(frozen=True)
class Resource:
    """What a kind of records has, in its order; a * is required, a ! is told and never taken, a # by language."""

    one: str
    elements: str
    links: Mapping[str, str]

    @property
    def names(self) -> list[str]:
        return [name.rstrip("*!#") for name in self.elements.split()]

    def marked(self, sign: str) -> set[str]:
        return {name.rstrip("*!#") for name in self.elements.split() if sign in name}


RESOURCES = {
    "customers": Resource(
        "customer",
        "id_lang passwd* lastname* firstname* email* company siret website active note date_add date_upd",
        {"id_lang": "languages"},
    ),
    "addresses": Resource(
        "address",
        "id_customer id_country* id_state alias* company lastname* firstname* vat_number address1* address2"
        " postcode city* phone deleted date_add date_upd",
        {"id_customer": "customers", "id_country": "countries", "id_state": "states"},
    ),
    "products": Resource(
        "product",
        "manufacturer_name! quantity! reference ean13 price* wholesale_price active state name*# link_rewrite*#"
        " description# date_add date_upd",
        {},
    ),
    "stock_availables": Resource(
        "stock_available",
        "id_product* id_product_attribute* id_shop quantity* depends_on_stock* out_of_stock*",
        {"id_product": "products"},
    ),
    "orders": Resource(
        "order",
        "id_address_delivery* id_address_invoice* id_cart* id_currency* id_customer* id_carrier* current_state"
        " module* payment* total_paid* total_paid_tax_incl total_paid_tax_excl date_add date_upd reference",
        {"id_address_delivery": "addresses", "id_currency": "currencies", "id_customer": "customers"},
    ),
    "order_details": Resource(
        "order_detail",
        "id_order* product_id product_attribute_id id_warehouse* id_shop* product_name* product_quantity*"
        " product_price* reduction_percent product_reference unit_price_tax_incl unit_price_tax_excl",
        {"id_order": "orders", "product_id": "products"},
    ),
}


class PrestaShop(Shop):
    """Its tables are those of the webservice; `lost` is how many answers to come a gateway does not wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.tables = {name: {} for name in RESOURCES}
        self.asked: list[str] = []
        self.lost = 0

    def made(self, table: str, **values: Any) -> str:
        """A record of the shop's own."""
        key = self.next()
        now = _now()
        self.tables[table][key] = {"id": key, "date_add": now, "date_upd": now, **values}
        if table == "products":
            stock = {"id_product": key, "id_product_attribute": "0", "id_shop": "1", "quantity": "0"}
            self.made("stock_availables", **stock, depends_on_stock="0", out_of_stock="2")
        return key

    def edit(self, table: str, key: str, **values: Any) -> None:
        self.tables[table][key] |= values | {"date_upd": _now()}

    def belonging(self, table: str, **wanted: str) -> list[Row]:
        """The records of a table that say so."""
        return [row for row in self.tables[table].values() if wanted.items() <= row.items()]

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if headers.get("authorization") != _KNOWN:
            return _refused(401, 17, "Invalid authentication key format")
        where = urlsplit(target)
        asked = {name: values[0] for name, values in parse_qs(where.query).items()}
        _, table, *key = where.path.strip("/").split("/")
        self.asked.append(f"{method} {target}")
        if table not in RESOURCES:
            return _refused(400, 24, f'Resource of type "{table}" does not exists')
        if method == "GET":
            return self._one(table, key[0]) if key else self._list(table, asked)
        self.writes.append(f"{method} {table}")
        if method == "PATCH":
            return _refused(405, 23, "Method PATCH is not valid")
        if method == "DELETE":
            if self.tables[table].pop(key[0], None) is None:
                return _refused(404, 87, f"Id(s) not exists: {key[0]}")
            told: Reply = (200, {}, b"")
        else:
            told = self._saved(table, method, body)
        if self.lost and told[0] < 300:
            self.lost -= 1
            return 504, {"Content-Type": "text/html"}, b"<html><body>Gateway Timeout</body></html>"
        return told

    def _one(self, table: str, key: str) -> Reply:
        row = self.tables[table].get(key)
        if row is None:
            return 404, {}, b""
        return _told(200, _around(self._shown(table, row)))

    def _list(self, table: str, asked: Mapping[str, str]) -> Reply:
        rows = sorted(self.tables[table].values(), key=lambda row: int(row["id"]))
        for name, value in asked.items():
            if not (filtered := re.fullmatch(r"filter\[(\w+)\]", name)):
                continue
            if filtered[1] not in ["id", *RESOURCES[table].names]:
                return _refused(400, 32, "This filter does not exist")
            if filtered[1].startswith("date_") and asked.get("date") != "1":
                return _refused(400, 41, "add date=1 to filter by a date")
            rows = [row for row in rows if _within(row.get(filtered[1], ""), value)]
        first, _, second = asked.get("limit", f"0,{len(rows)}").partition(",")
        start, most = (int(first), int(second)) if second else (0, int(first))
        listed = Element(table)
        for row in rows[start : start + most]:
            if asked.get("display") == "full":
                listed.append(self._shown(table, row))
            else:
                SubElement(
                    listed, RESOURCES[table].one, {"id": row["id"], _LINK: self._place(table, row["id"])}
                )
        return _told(200, _around(listed))

    def _shown(self, table: str, row: Row) -> Element:
        resource = RESOURCES[table]
        shown = Element(resource.one)
        SubElement(shown, "id").text = row["id"]
        for name in resource.names:
            linked = (
                {_LINK: self._place(resource.links[name], row.get(name, ""))}
                if name in resource.links
                else {}
            )
            element = SubElement(shown, name, linked)
            if name in resource.marked("#"):
                for language in _LANGUAGES:
                    said = SubElement(
                        element, "language", {"id": language, _LINK: self._place("languages", language)}
                    )
                    said.text = row.get(name, {}).get(language)
            else:
                element.text = row.get(name)
        if table == "products":
            kept = SubElement(
                SubElement(shown, "associations"), "stock_availables", nodeType="stock_available"
            )
            for stock in self.belonging("stock_availables", id_product=row["id"]):
                SubElement(SubElement(kept, "stock_available"), "id").text = stock["id"]
        if table == "orders":
            kept = SubElement(
                SubElement(shown, "associations"), "order_rows", virtualEntity="true", readOnly="true"
            )
            for line in self.belonging("order_details", id_order=row["id"]):
                SubElement(SubElement(kept, "order_row"), "id").text = line["id"]
        return shown

    def _saved(self, table: str, method: str, body: bytes) -> Reply:
        resource = RESOURCES[table]
        (said,) = ElementTree.fromstring(body)
        key = said.findtext("id") or ""
        if method == "PUT" and not key:
            return _refused(400, 90, "id is required when modifying a resource")
        if method == "POST" and key:
            return _refused(400, 91, "id is forbidden when adding a new resource")
        if method == "PUT" and key not in self.tables[table]:
            return _refused(404, 92, "Invalid ID")
        values: Row = {}
        for name in resource.names:
            element = said.find(name)
            if element is None and name in resource.marked("*"):
                return _refused(400, 41, f'parameter "{name}" required')
            if element is not None and name in resource.marked("!"):
                return _refused(
                    400, 93, f'parameter "{name}" not writable. Please remove this attribute of this XML'
                )
            if name in resource.marked("#"):
                told = {one.get("id", ""): one.text or "" for one in ([] if element is None else element)}
                if name in resource.marked("*") and not told.get("1"):
                    return _refused(400, 85, f"Validation error: {name} is empty")
                values[name] = told
            elif name not in resource.marked("!"):
                values[name] = "" if element is None else element.text or ""
        wrong = "order_detail" if values.get("product_quantity") in ("0", "") else ""
        if wrong or (values.get("email") is not None and "@" not in values["email"]):
            return _refused(400, 85, f"Validation error: {wrong or 'email'} is not valid")
        if method == "POST":
            key = self.made(
                table, **{name: value for name, value in values.items() if not name.startswith("date_")}
            )
            return _told(201, _around(self._shown(table, self.tables[table][key])))
        self.edit(table, key, **{name: value for name, value in values.items() if name != "date_upd"})
        return _told(200, _around(self._shown(table, self.tables[table][key])))

    def _place(self, table: str, key: str) -> str:
        return f"{self.address}/api/{table}/{key}"


def _within(value: str, wanted: str) -> bool:
    inner = wanted.strip("[]")
    if "," in inner:
        low, high = inner.split(",")
        return low <= value <= high
    return value in inner.split("|")


def _around(inner: Element) -> Element:
    root = Element("prestashop")
    root.append(inner)
    return root


def _refused(status: int, code: int, message: str) -> Reply:
    error = Element("error")
    SubElement(error, "code").text, SubElement(error, "message").text = str(code), message
    errors = Element("errors")
    errors.append(error)
    return _told(status, _around(errors))


def _told(status: int, root: Element) -> Reply:
    body = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return status, {"Content-Type": "text/xml;charset=utf-8"}, body


def _now() -> str:
    return datetime.now(UTC).astimezone(_ZONE).strftime("%Y-%m-%d %H:%M:%S")
