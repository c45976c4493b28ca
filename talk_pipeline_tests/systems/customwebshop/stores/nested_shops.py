"""Shops whose files have an order's lines inside the order: as JSON lines, and as XML."""

import json
import xml.etree.ElementTree as Xml
from pathlib import Path
from typing import Any

from talk_pipeline_tests.systems.customwebshop.stores.filed_shop import LINES, FileShop, Row

FORMAT = 'format: {type: csv, delimiter: ";"}'
APART = """        file: out/order-lines_*.csv # the files with the lines of all orders, of the same export
        parent: order_id # the column that names the order
"""


class JsonShop(FileShop):
    """Each record an object, a line each."""

    ending = "jsonl"

    def described(self, folder: Path, **instead: str) -> Path:
        said = {FORMAT: "format: {type: jsonl}", APART: "        path: items\n", ".csv": ".jsonl"}
        return super().described(folder, **said, **instead)

    def export(self, *kinds: str) -> None:
        super().export(*(kinds or [kind for kind in self.rows if kind != LINES]))

    def text(self, kind: str) -> str:
        rows: list[dict[str, Any]] = [dict(row) for row in self.rows[kind].values()]
        for row in rows if kind == "orders" else ():
            row["items"] = self.lines_of(row["id"])
        return "".join(f"{json.dumps(_typed(row))}\n" for row in rows)

    def understood(self, file: Path, beside: Path) -> tuple[Row, list[Row] | None]:
        found = json.loads(file.read_text())
        items = found.pop("items", None)
        return _plain(found), None if items is None else [_plain(item) for item in items]


class XmlShop(JsonShop):
    """Each kind a document, with the lines of an order in an element of their own."""

    ending = "xml"

    def described(self, folder: Path, **instead: str) -> Path:
        said = {
            FORMAT: "format: {type: xml}",
            APART: "        path: items.item\n",
            "\nmodified:": "\nxml: {lists: [items.item]}\nmodified:",
        }
        for kind in ("customers", "products", "orders"):
            path = f"    path: out/{kind}_*.csv\n"
            said[path] = f"{path}    records: {kind}.{kind[:-1]}\n"
        return FileShop.described(self, folder, **said, **{".csv": ".xml"}, **instead)

    def text(self, kind: str) -> str:
        root = Xml.Element(kind)
        for row in self.rows[kind].values():
            record = _element(root, kind[:-1], row)
            if kind == "orders":
                items = Xml.SubElement(record, "items")
                for line in self.lines_of(row["id"]):
                    _element(items, "item", line)
        return Xml.tostring(root, encoding="unicode")

    def understood(self, file: Path, beside: Path) -> tuple[Row, list[Row] | None]:
        (record,) = Xml.parse(file).getroot()
        row = {one.tag: one.text or "" for one in record if one.tag != "items"}
        items = record.find("items")
        return row, None if items is None else [{one.tag: one.text or "" for one in item} for item in items]


def _element(within: Xml.Element, name: str, row: Row) -> Xml.Element:
    made = Xml.SubElement(within, name)
    for column, value in row.items():
        Xml.SubElement(made, column).text = value
    return made


def _typed(row: dict[str, Any]) -> dict[str, Any]:
    """As JSON has it: nothing where a text is blank, a truth where it is one."""
    words = {"": None, "true": True, "false": False}
    return {name: words.get(value, value) if isinstance(value, str) else value for name, value in row.items()}


def _plain(row: dict[str, Any]) -> Row:
    words = {None: "", True: "true", False: "false"}
    return {name: words.get(value, str(value)) for name, value in row.items()}
