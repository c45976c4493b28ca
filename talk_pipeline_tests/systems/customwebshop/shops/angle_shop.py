"""A shop that speaks XML: records as PrestaShop has them, orders behind SOAP."""

import base64
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from talk_pipeline_tests.systems.customwebshop.shops.door import Reply, Row, Shop

CONNECTOR = Path(__file__).with_suffix(".yaml").read_text()
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
LINE = ["product", "text", "quantity", "unit_price"]


class AngleShop(Shop):
    """What a `PUT` leaves out is emptied, and a line's elements come in their order, as those services want it."""

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        assert headers["authorization"] == f"Basic {base64.b64encode(b'a-key:').decode()}"
        where = urlsplit(target)
        said = ElementTree.fromstring(body) if body else None
        assert said is None or headers["content-type"] == "application/xml"
        if where.path == "/soap":
            assert said is not None
            return self._called(said[0][0])
        asked = {name: values[0] for name, values in parse_qs(where.query).items()}
        _, table, *key = where.path.strip("/").split("/")
        root = Element("prestashop")
        if not key:
            rows = SubElement(root, table)
            for row in self.since(table, asked.get("filter[changed]", "").strip("[],")):
                rows.append(self._shown(table, row))
            return _told(root)
        if key[0] not in self.tables[table]:
            return _told(root, 404)
        if said is not None:
            self.writes.append(f"{method} {where.path}")
            if not said[0].findtext("number" if table == "customers" else "sku"):
                error = SubElement(SubElement(root, "errors"), "error")
                SubElement(error, "code").text, SubElement(error, "message").text = (
                    "41",
                    "parameter is required",
                )
                return _told(root, 400)
            self.edit(table, key[0], **self._read(table, said[0]))
        root.append(self._shown(table, self.tables[table][key[0]]))
        return _told(root)

    def _shown(self, table: str, row: Row) -> Element:
        shown = Element(table[:-1])
        names = ("id", "number", "company", "email", "phone", "changed", "sku", "price")
        for name in (one for one in names if one in row):
            SubElement(shown, name).text = row[name]
        if table == "customers":
            address = SubElement(shown, "address", zip=row["zip"])
            SubElement(address, "street").text = row["street"]
            SubElement(address, "city").text = row["city"]
            SubElement(address, "country", iso="2").text = row["country"]
        if table == "products":
            titles = SubElement(shown, "name")
            SubElement(titles, "language", id="2").text = row["title"]
        if table == "orders":
            SubElement(shown, "customer", id=row["customer"])
            lines = SubElement(shown, "lines")
            for key, line in row["lines"].items():
                entry = SubElement(lines, "line", id=key)
                for name in LINE:
                    SubElement(entry, name).text = line[name]
        return shown

    def _read(self, table: str, said: Element) -> Row:
        if table == "products":
            assert [one.get("id") for one in said.findall("name/language")] == ["2"]
            values = {name: said.findtext(name) or "" for name in ("sku", "price")}
            return values | {"title": said.findtext("name/language") or ""}
        values = {name: said.findtext(name) or "" for name in ("number", "company", "email", "phone")}
        address = said.find("address")
        assert address is not None
        told = {name: address.findtext(name) or "" for name in ("street", "city", "country")}
        return values | told | {"zip": address.get("zip") or ""}

    def _called(self, call: Element) -> Reply:
        envelope = Element(f"{{{SOAP}}}Envelope")
        content = SubElement(envelope, f"{{{SOAP}}}Body")
        name, order = call.tag, call.findtext("order") or ""
        answer = Element(f"{name}Response")
        if name == "ListOrders":
            answer.extend(self._shown("orders", row) for row in self.since("orders", call.findtext("since")))
        elif name == "GetOrder":
            row = self.tables["orders"].get(call.findtext("id") or "")
            answer.extend([self._shown("orders", row)] if row else [])
        else:
            self.writes.append(name)
            line = call.find("line")
            wrong = "" if line is None else _wrong_with(line)
            if wrong:
                fault = SubElement(content, f"{{{SOAP}}}Fault")
                SubElement(fault, "faultcode").text = "soap:Client"
                SubElement(fault, "faultstring").text = wrong
                return _told(envelope, 500)
            values = None if line is None else {one.tag: one.text or "" for one in line}
            self.change_line(order, call.findtext("key"), values)
        content.append(answer)
        return _told(envelope)


def _wrong_with(line: Element) -> str:
    if [one.tag for one in line] != [name for name in LINE if line.find(name) is not None]:
        return "elements are out of order"
    return "no more than 100" if float(line.findtext("quantity") or 0) > 100 else ""


def _told(root: Element, status: int = 200) -> Reply:
    body = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return status, {"Content-Type": "application/xml"}, body
