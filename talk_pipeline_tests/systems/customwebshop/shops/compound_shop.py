"""A shop that speaks JSON:API in compound documents: lines come beside their orders, where that is asked for."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from talk_pipeline_tests.flow_files import replaced
from talk_pipeline_tests.systems.customwebshop.shops.door import Reply, Row
from talk_pipeline_tests.systems.customwebshop.shops.resource_shop import ResourceShop

CHANGES = (
    (
        '    query: {"fields[orders]": "number,status,delivery,changed-at"}\n',
        '    query: {"fields[orders]": "number,status,delivery,changed-at", include: lines}\n'
        '    item: "{path}/{id}?include=lines"\n'
        "    included: {at: included, by: [type, id]}\n"
        "    parts: {lines: {refers: relationships.lines.data}}\n",
    ),
    (
        "        records: data\n        paging: {style: next_url, next: links.next}\n        parent:",
        '        path: "@lines"\n        parent:',
    ),
)


def described() -> str:
    """The description of a shop that is the same but for that."""
    text = Path(__file__).with_name("resource_shop.yaml").read_text(encoding="utf-8")
    return replaced(text, *CHANGES)


class CompoundShop(ResourceShop):
    """Its documents; `forgets` is a line that they leave out."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.forgets: str | None = None

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        self.asked.append(f"{method} {target}")
        status, told, content = super().answer(method, target, headers, body)
        if method != "GET" or "include=lines" not in target or status != 200:
            return status, told, content
        document: Row = json.loads(content)
        rows = document["data"] if isinstance(document["data"], list) else [document["data"]]
        named = [one for row in rows for one in row["relationships"]["lines"]["data"]]
        lines = [self._shown("lines", one["id"], {}) for one in named if one["id"] != self.forgets]
        return status, told, json.dumps(document | {"included": lines}).encode()

    def _shown(self, table: str, key: str, asked: Mapping[str, str]) -> Row:
        shown = super()._shown(table, key, asked)
        if table == "orders":
            lines: list[Any] = [row["id"] for row in self.tables["lines"].values() if row["order"] == key]
            shown["relationships"]["lines"]["data"] = [{"type": "lines", "id": one} for one in lines]
        return shown
