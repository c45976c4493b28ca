"""Who does what a scenario says: users on both sides, the networks between, and the pipeline, which may be killed.

Users and looks go through the back offices of the sandboxes, which no fault ever hits.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from talk_pipeline.engine.manual import links, resolutions
from talk_pipeline.engine.manual.decisions import Decision, Hand
from talk_pipeline.engine.model import ByHandError
from talk_pipeline.flows.sides import Side
from talk_pipeline.installation import carry_out
from talk_pipeline.settings import Settings
from talk_pipeline_tests.invariants.fields import ENTITIES, FIELDS, SETS, Field
from talk_pipeline_tests.invariants.ledger import LINES, Ledger, Sight
from talk_pipeline_tests.invariants.office import Office, Refused
from talk_pipeline_tests.invariants.scenario import Step
from talk_pipeline_tests.pipeline import records
from talk_pipeline_tests.world import World

Row = dict[str, Any]


class Players:
    """Plays steps, keeps the ledger, and notes what no run may ever do.

    Attributes:
        comments: the lines of Business Central that are nobody else's business, as (order, text), at the last look.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        there = urlsplit(world.environment["BUSINESSCENTRAL_URL"])
        self.shop = Office(world.environment["CUSTOMWEBSHOP_URL"])
        self.bc = Office(f"{there.scheme}://{there.netloc}")
        self.ledger = Ledger()
        self.ids: dict[str, str] = {}
        self.twins: dict[str, str] = {}
        self.created: dict[tuple[str, str], list[str]] = {}
        self.recreated: list[tuple[str, str]] = []
        self.at = 0
        self.runs = 0
        self.lag = 0.0
        self.conflicts: list[tuple[Any, ...]] = []
        self.links: dict[str, set[tuple[str, str]]] = {}
        self.comments: set[tuple[str, str]] = set()
        self.bc.create("customers", {"number": "PRIVATE", "displayName": "Private", "type": "Person"})
        self.seen: Sight = self.look()

    def close(self) -> None:
        self.shop.close()
        self.bc.close()

    # -- looking ----------------------------------------------------------------------------------------------

    def look(self) -> Sight:
        """Everything both systems hold; what is written in Business Central beside it is `comments`."""
        sight: dict[tuple[str, str, str], Row] = {}
        shop, bc = self.shop.sets(*SETS.values()), self.bc.sets(*ENTITIES.values(), "salesOrderLines")
        for flow, collection in SETS.items():
            for row in shop[collection]:
                sight["shop", flow, row["id"]] = row
                for line in row.get("lines", ()):
                    sight["shop", LINES, f"{row['id']}/{line['id']}"] = line
        for flow, collection in ENTITIES.items():
            for row in bc[collection]:
                sight["bc", flow, row["id"]] = row
        for line in bc["salesOrderLines"]:
            if line["lineType"] == "Item":
                sight["bc", LINES, f"{line['documentId']}/{line['id']}"] = line
        self.comments = {
            (line["documentId"], line["description"])
            for line in bc["salesOrderLines"]
            if line["lineType"] != "Item"
        }
        return sight

    def look_at_links(self) -> None:
        """Notes whom the pipeline takes for whom; only runs and decisions by hand change that."""
        self.links = {}
        if (self.world.data / "talk.duckdb").exists():
            rows = self.world.sql("select part, shop_id, bc_id from link where state = 'active'")
            for part, shop_id, bc_id in rows:
                self.links.setdefault(part, set()).add((shop_id, bc_id))

    def bc_id(self, flow: str, who: str) -> str | None:
        """The record of Business Central that goes by an alias."""
        linked = dict(self.links.get(flow, ()))
        return linked.get(self.ids.get(who, "")) or self.twins.get(who)

    # -- playing ----------------------------------------------------------------------------------------------

    def play(self, step: Step, *, interval: float | None = None) -> None:
        """Does one step; what a system does not let its user do is not done."""
        self.at += 1
        do: Callable[[Step], None] = getattr(self, f"_{step['do']}")
        if step["do"] == "sync":
            do(step)
            return
        with contextlib.suppress(Refused):
            do(step)
        after = self.look()
        when = float(self.runs) if interval is None else interval
        self.ledger.user(self.seen, after, at=self.at, interval=when)
        self.seen = after

    def _create(self, step: Step) -> None:
        flow, who = step["flow"], step["who"]
        make = {"customer": records.customer, "product": records.product}
        if flow == "order":
            buyer = self.ids.get(step["buyer"])
            lines = [line for one in step["lines"] if (line := self._line(one))]
            if not buyer or not lines:
                return
            row = records.order(who, buyer, lines)
        else:
            row = make[flow](who)
        for one in _fields(flow, step.get("set", {})):
            _put(row, one.shop, step["set"][one.name])
        self.ids[who] = self.shop.create(SETS[flow], row)["id"]

    def _line(self, one: Step) -> Row | None:
        product = self.ids.get(one["product"])
        if product is None:
            return None
        return records.line(product) | {
            field.shop: one["set"][field.name] for field in _fields(LINES, one["set"])
        }

    def _twin(self, step: Step) -> None:
        flow, like = step["flow"], step["like"]
        if flow == "order":
            buyer = self.bc_id("customer", step["buyer"])
            if buyer is None:
                return
            row: Row = {"customerId": buyer}
            if step["by"] != "nothing":
                row["externalDocumentNumber"] = like
        else:
            row = {
                "displayName": f"Twin of {like}",
                "number": like if step["by"] == "number" else f"T{self.at}",
            }
            row |= {"type": "Company" if flow == "customer" else "Inventory"}
            if step["by"] == "second":
                row |= (
                    {"email": f"{like.lower()}@company.example"}
                    if flow == "customer"
                    else {"gtin": "5701234567899"}
                )
        row |= {one.bc: one.put(step["set"][one.name]) for one in _fields(flow, step["set"])}
        made = self.bc.create(ENTITIES[flow], row)
        self.twins[like] = made["id"]
        item = self.bc_id("product", step["product"])
        if flow == "order" and item:
            self.bc.create("salesOrderLines", {"documentId": made["id"], "itemId": item, "quantity": 2})

    def _edit(self, step: Step) -> None:
        flow, who, fields = step["flow"], step["who"], list(_fields(step["flow"], step["set"]))
        if step["side"] in ("shop", "both") and who in self.ids:
            body: Row = {}
            for one in fields:
                if step["set"][one.name] not in one.extra:
                    _put(body, one.shop, step["set"][one.name])
            with contextlib.suppress(Refused):
                self.shop.update(SETS[flow], self.ids[who], body)
        bc_id = self.bc_id(flow, who)
        if step["side"] in ("bc", "both") and bc_id:
            values = {
                one.bc: value if (value := step["set"][one.name]) in one.extra else one.put(value)
                for one in fields
            }
            self.bc.update(ENTITIES[flow], bc_id, values)

    def _lines(self, step: Step) -> None:
        new = self._line(step["line"])
        if step["side"] == "shop" and step["who"] in self.ids and new:
            self._lines_shop(step, self.ids[step["who"]], new)
        bc_id = self.bc_id("order", step["who"])
        item = self.bc_id("product", step["line"]["product"])
        if step["side"] == "bc" and bc_id and item:
            self._lines_bc(step, bc_id, item)

    def _lines_shop(self, step: Step, key: str, new: Row) -> None:
        held = [dict(line) for line in self.seen["shop", "order", key]["lines"]]
        rows: list[Row] = [{"id": line["id"]} for line in held]
        at = step["at"] % len(rows) if rows else 0
        changed = {
            field.shop: step["line"]["set"][field.name] for field in _fields(LINES, step["line"]["set"])
        }
        match step["what"]:
            case "add":
                rows.append(new)
            case _ if not rows:
                return
            case "change":
                rows[at] |= changed
            case "remove":
                del rows[at]
            case "swap":
                rows[at] |= {"product_id": new["product_id"]}
            case "split":
                half = str(Decimal(str(held[at]["quantity"])) / 2)
                rows[at] |= {"quantity": half}
                copy = ("product_id", "description", "unit", "unit_price", "discount_percent")
                rows.append({name: held[at][name] for name in copy} | {"quantity": half})
            case "order":
                rows.reverse()
        self.shop.update("orders", key, {"lines": rows})

    def _lines_bc(self, step: Step, key: str, item: str) -> None:
        held = [row for (side, part, _), row in self.seen.items() if (side, part) == ("bc", LINES)]
        rows = sorted((row for row in held if row["documentId"] == key), key=lambda row: row["sequence"])
        values = {
            one.bc: one.put(step["line"]["set"][one.name]) for one in _fields(LINES, step["line"]["set"])
        }
        if step["what"] == "add":
            self.bc.create("salesOrderLines", {"documentId": key, "itemId": item, "quantity": 1} | values)
            return
        if not rows:
            return
        row = rows[step["at"] % len(rows)]
        match step["what"]:
            case "change":
                self.bc.update("salesOrderLines", row["id"], values)
            case "remove":
                self.bc.delete("salesOrderLines", row["id"])
            case "swap":
                self.bc.update("salesOrderLines", row["id"], {"itemId": item})
            case "split":
                half = float(row["quantity"]) / 2
                self.bc.update("salesOrderLines", row["id"], {"quantity": half})
                copy = ("itemId", "description", "unitPrice", "discountPercent")
                body = {name: row[name] if isinstance(row[name], str) else float(row[name]) for name in copy}
                self.bc.create("salesOrderLines", {"documentId": key, "quantity": half} | body)

    def _buyer(self, step: Step) -> None:
        if step["side"] == "shop" and {step["who"], step["buyer"]} <= self.ids.keys():
            self.shop.update("orders", self.ids[step["who"]], {"customer_id": self.ids[step["buyer"]]})
        bc_id, buyer = self.bc_id("order", step["who"]), self.bc_id("customer", step["buyer"])
        if step["side"] == "bc" and bc_id and buyer:
            self.bc.update("salesOrders", bc_id, {"customerId": buyer})

    def _verb(self, step: Step) -> None:
        if bc_id := self.bc_id("order", step["who"]):
            self.bc.call("POST", f"sales-orders/{bc_id}/{step['verb']}", {})

    def _delete(self, step: Step) -> None:
        flow, who = step["flow"], step["who"]
        if step["side"] == "shop" and who in self.ids:
            self.shop.delete(SETS[flow], self.ids.pop(who))
        elif step["side"] == "bc" and (bc_id := self.bc_id(flow, who)):
            self.bc.delete(ENTITIES[flow], bc_id)
            self.twins = {alias: key for alias, key in self.twins.items() if key != bc_id}

    def _person(self, step: Step) -> None:
        if bc_id := self.bc_id("customer", step["who"]):
            self.bc.update("customers", bc_id, {"type": step["type"]})

    def _status(self, step: Step) -> None:
        if step["who"] in self.ids:
            self.shop.update("orders", self.ids[step["who"]], {"status": step["status"]})

    def _comment(self, step: Step) -> None:
        if bc_id := self.bc_id("order", step["who"]):
            body = {"documentId": bc_id, "lineType": "Comment", "description": f"Comment {self.at}"}
            self.bc.create("salesOrderLines", body)

    def _stock(self, step: Step) -> None:
        if bc_id := self.bc_id("product", step["who"]):
            self.bc.call("POST", f"items/{bc_id}/stock", {"quantity": step["quantity"]})

    def _fault(self, step: Step) -> None:
        {"shop": self.shop, "bc": self.bc}[step["side"]].call("POST", "faults", [step["rule"]])

    def _settings(self, step: Step) -> None:
        self.bc.call("POST", "settings", step["set"])
        self.lag = step["set"].get("replica_lag", self.lag)
        if "page_size" in step:
            self.bc.call("POST", "limits", {"page_size": step["page_size"]})
        if "offset" in step:
            self.bc.call("POST", "clock", {"offset": step["offset"]})

    def _world(self, _step: Step) -> None:
        """What the stage was set up as."""

    def _calm(self, _step: Step) -> None:
        for office in (self.shop, self.bc):
            office.call("DELETE", "faults")

    def _hand(self, step: Step) -> None:
        flow, shop_id = step["flow"], self.ids.get(step["who"])
        if shop_id is None or not self.links:
            return
        twin = self.twins.get(step["who"]) or self.bc_id(flow, step["who"]) or ""
        decisions: Mapping[str, Callable[[Hand], Decision]] = {
            "link": lambda hand: links.link(hand, f"customwebshop:{shop_id}", f"businesscentral:{twin}"),
            "unlink": lambda hand: links.unlink(hand, f"customwebshop:{shop_id}"),
            "recreate": lambda hand: links.unlink(hand, f"customwebshop:{shop_id}", recreate=True),
            "retry": lambda hand: resolutions.retry(hand, f"customwebshop:{shop_id}"),
            "resolve": lambda hand: resolutions.resolve(
                hand, f"customwebshop:{shop_id}", take=Side(step["take"])
            ),
        }
        with contextlib.suppress(ByHandError):
            carry_out(Settings.load(), flow, decisions[step["what"]], by="a player")
            if step["what"] in ("recreate", "unlink"):
                self.recreated.append((flow, step["who"]))
        self.look_at_links()


def _fields(part: str, values: Mapping[str, Any]) -> Iterator[Field]:
    return (one for one in FIELDS[part] if one.name in values)


def _put(row: Row, path: str, value: Any) -> None:
    *steps, last = path.split(".")
    for step in steps:
        row[step] = dict(row.get(step) or {})
        row = row[step]
    row[last] = value
