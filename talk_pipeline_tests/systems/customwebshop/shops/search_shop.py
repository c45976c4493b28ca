"""A shop that is searched by criteria in the address, as the REST API of a Magento 2 is.

A page beyond the last is the last one again; records are called by their code; what is special stands in a list of
attributes; messages have places that parameters fill. Made from that product's public documentation; it was not
held against a real one.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from talk_pipeline_tests.systems.customwebshop.shops.door import Reply, Row, Shop

TOKEN = "integration"
_ASKED = re.compile(r"searchCriteria\[filter_groups\]\[(\d+)\]\[filters\]\[0\]\[(\w+)\]")


class SearchShop(Shop):
    """Its products, by their code."""

    def put(self, sku: str, **values: Any) -> Row:
        """An edit of the shop's own, or a new product."""
        known = self.tables["products"].setdefault(
            sku, {"id": int(self.next()), "sku": sku, "custom_attributes": []}
        )
        attributes = {one["attribute_code"]: one for one in known["custom_attributes"]}
        attributes |= {one["attribute_code"]: one for one in values.pop("custom_attributes", ())}
        moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
        known.update(values, custom_attributes=list(attributes.values()), updated_at=moment)
        return known

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return _told(401, {"message": "The consumer isn't authorized to access %resources."})
        where = urlsplit(target)
        asked = {name: values[-1] for name, values in parse_qs(where.query).items()}
        found = re.fullmatch(r"/rest/V1/products(?:/(.+))?", where.path)
        if not found:
            return _told(404, {"message": "Request does not match any route."})
        sku = unquote(found[1]) if found[1] else None
        if method == "GET" and sku is None:
            return self._searched(asked)
        if method != "POST" and sku not in self.tables["products"]:
            return _told(
                404,
                {"message": "The product that was requested doesn't exist."},
            )
        if method == "GET":
            return _told(200, self.tables["products"][sku or ""])
        self.writes.append(f"{method} products")
        if method == "DELETE":
            del self.tables["products"][sku or ""]
            return _told(200, True)
        said = json.loads(body, parse_float=str)["product"]
        if "name" in said and not said["name"]:
            parameters = {"fieldName": "name"}
            return _told(
                400, {"message": '"%fieldName" is required. Enter and try again.', "parameters": parameters}
            )
        return _told(
            200, self.put(sku or said["sku"], **{name: one for name, one in said.items() if name != "sku"})
        )

    def _searched(self, asked: Mapping[str, str]) -> Reply:
        if "searchCriteria[pageSize]" not in asked and "searchCriteria" not in asked:
            return _told(400, {"message": '"%fieldName" is required. Enter and try again.'})
        filters: dict[str, dict[str, str]] = {}
        for name, value in asked.items():
            if one := _ASKED.fullmatch(name):
                filters.setdefault(one[1], {})[one[2]] = value
        rows = sorted(self.tables["products"].values(), key=lambda row: row["id"])
        for told in filters.values():
            rows = [row for row in rows if _meets(str(row[told["field"]]), told)]
        size = int(asked.get("searchCriteria[pageSize]", 20))
        last = max(1, -(-len(rows) // size))
        page = min(int(asked.get("searchCriteria[currentPage]", 1)), last)
        return _told(200, {"items": rows[(page - 1) * size : page * size], "total_count": len(rows)})


def _meets(value: str, asked: Mapping[str, str]) -> bool:
    return value >= asked["value"] if asked.get("condition_type") == "gteq" else value == asked["value"]


def _told(status: int, what: Any) -> Reply:
    return status, {"Content-Type": "application/json"}, json.dumps(what).encode()
