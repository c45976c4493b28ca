"""A GraphQL shop that shows lists within records page by page, and changes lines in an edit, value by value.

As Shopify's Admin API has it: connections of edges and nodes, order edits whose lines have ids of their own, prices
at variants, and what is special as keys and values, each told by a change of its own. Made from that product's
public documentation; it was not held against a real one.
"""

from pathlib import Path
from typing import Any

from graphql import extend_schema, parse

from talk_pipeline_tests.systems.customwebshop.shops.door import Row
from talk_pipeline_tests.systems.customwebshop.shops.graph_shop import PREFIX, SCHEMA, GraphShop, key_of

CONNECTOR = Path(__file__).with_suffix(".yaml")
STAGED = "gid://staged/"


class StagedShop(GraphShop):
    """`asked` is how often a further page of lines was; `stuck` shops answer each with the first."""

    schema = extend_schema(SCHEMA, parse(Path(__file__).with_suffix(".graphql").read_text()))

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.stuck = False
        self.root |= {
            "extrasSet": lambda info, owner, extras: self._extra(key_of(owner), extras),
            "variantsUpdate": lambda info, product, variants: self._priced(key_of(product), variants),
            "stagedAdd": lambda info, edit, product, quantity: self._added(edit, key_of(product), quantity),
            "stagedQuantity": lambda info, edit, line, quantity: self._staged(edit, line, quantity=quantity),
            "stagedPrice": lambda info, edit, line, price: self._staged(edit, line, unit_price=price),
        }

    def _shown(self, row: Row) -> Row:
        shown = super()._shown(row)
        if "company" in row:
            shown["extras"] = [{"key": key, "value": value} for key, value in row.get("extras", {}).items()]
        if "sku" in row:
            variant = {"id": f"{PREFIX}{row['id']}0", "price": row["price"]}
            shown["variants"] = lambda info, first: {"nodes": [variant][:first]}
        if "lines" in row:
            shown["items"] = lambda info, first, after="": self._items(shown["lines"]["nodes"], first, after)
        return shown

    def _items(self, lines: list[Row], first: int, after: str) -> Row:
        self.asked += bool(after)
        start = 0 if self.stuck else int(after or 0)
        shown = lines[start : start + first]
        page = {"hasNextPage": start + first < len(lines), "endCursor": str(start + len(shown))}
        return {"edges": [{"node": line} for line in shown], "pageInfo": page}

    def _extra(self, customer: str, extras: list[Row]) -> Row:
        known = self.tables["customers"][customer].get("extras", {})
        self.edit("customers", customer, extras=known | {one["key"]: one["value"] for one in extras})
        return self._made(None)

    def _priced(self, product: str, variants: list[Row]) -> Row:
        if not self.refuses:
            assert [one["id"] for one in variants] == [f"{PREFIX}{product}0"]
            self.edit("products", product, price=variants[0]["price"])
        return self._made(None)

    def _added(self, edit: str, product: str, quantity: str) -> Row:
        key = self.next()
        self.edits[edit][1].append((key, {"id": key, "product": product, "quantity": quantity, "text": None}))
        return {"line": {"id": STAGED + key, "quantity": quantity, "unit_price": "0"}, "userErrors": []}

    def _staged(self, edit: str, line: str, **values: Any) -> Row:
        """A change of a line, which in an edit goes by an id of that; no quantity is what removes it."""
        assert line.startswith(STAGED), f"{line} is no line of an edit"
        gone = values.get("quantity") == "0"
        self.edits[edit][1].append((line.removeprefix(STAGED), None if gone else values))
        return self._made(None)

    def _commit(self, edit: str) -> Row:
        order, changes = self.edits.pop(edit)
        lines = dict(self.tables["orders"][order]["lines"])
        for key, values in changes:
            if values is None:
                del lines[key]
            else:
                lines[key] = {"unit_price": "0", **lines.get(key, {}), **values}
        self.edit("orders", order, lines=lines)
        return self._made(None)
