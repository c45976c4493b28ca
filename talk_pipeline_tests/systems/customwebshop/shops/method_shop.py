"""A shop whose records are asked for and changed by methods, each a POST: those that are meant stand in the body.

As an Odoo 19 has it at `/json/2`: a domain to search by, an answer that is a bare list, ids that are numbers,
`false` for what is blank, a pair of id and name for a record that is referred to, which is written as the id alone,
and moments of UTC without saying so. Made from that product's public documentation; it was not held against a real
one.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from talk_pipeline_tests.systems.customwebshop.shops.door import Reply, Row, Shop

CONNECTOR = Path(__file__).with_suffix(".yaml")
TEXTS = (
    "name",
    "ref",
    "vat",
    "email",
    "phone",
    "street",
    "street2",
    "city",
    "zip",
    "default_code",
    "barcode",
)
MODELS = {
    "res.partner": {*TEXTS[:9], "country_id", "customer_rank", "is_company", "active"},
    "product.product": {"name", "default_code", "barcode", "list_price", "standard_price", "active"},
    "sale.order": {"name", "partner_id", "state", "commitment_date"},
    "sale.order.line": {"order_id", "product_id", "name", "product_uom_qty", "price_unit", "discount"},
}
REFERENCES = {
    "country_id": "res.country",
    "partner_id": "res.partner",
    "order_id": "sale.order",
    "product_id": "product.product",
}
COUNTRIES: dict[str, Row] = {"59": {"name": "Denmark"}, "57": {"name": "Germany"}}
STATES = {"action_confirm": "sale", "action_cancel": "cancel", "action_lock": "done"}


class Wrong(Exception):
    """What is answered instead, as the exception that it was there."""

    def __init__(self, status: int, name: str, message: str) -> None:
        told = {
            "name": name,
            "message": message,
            "arguments": [message],
            "context": {},
            "debug": "Traceback ...",
        }
        self.reply = _told(told, status)


class MethodShop(Shop):
    """Its tables are models.

    Attributes:
        lost: how many answers to come never arrive, after what they tell was done.
        refuses: a mail address that it takes for none.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tables = {model: {} for model in MODELS}
        self.asked: list[str] = []
        self.lost = 0
        self.refuses = ""

    def made(self, model: str, **values: Any) -> int:
        """A record of the shop's own."""
        key = int(self.next())
        blank = dict.fromkeys(MODELS[model], False)
        first = {"active": True} if "active" in blank else {"state": "draft"} if "state" in blank else {}
        self.tables[model][str(key)] = {"id": key, **blank, **first, **values, "write_date": _now()}
        return key

    def edit(self, table: str, key: str, **values: Any) -> None:
        self.tables[table][key] |= values | {"write_date": _now()}

    def lines(self, order: int) -> list[Row]:
        return [row for row in self.tables["sale.order.line"].values() if row["order_id"] == order]

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        self.asked.append(f"{method} {target}")
        if (
            headers.get("authorization", "").lower() != "bearer secret"
            or headers.get("x-odoo-database") != "shop"
        ):
            return Wrong(401, "werkzeug.exceptions.Unauthorized", "Invalid apikey").reply
        *way, model, name = target.strip("/").split("/")
        if method != "POST" or way != ["json", "2"] or model not in MODELS:
            return Wrong(404, "werkzeug.exceptions.NotFound", f"the model {model!r} does not exist").reply
        said = json.loads(body, parse_float=str)
        try:
            told = self._called(model, name, said)
        except Wrong as wrong:
            return wrong.reply
        if name != "search_read" and self.lost:
            self.lost -= 1
            return 504, {"Content-Type": "text/html"}, b"<html><body>Gateway Timeout</body></html>"
        return _told(told)

    def _called(self, model: str, name: str, said: Row) -> Any:
        said.pop("context", None)
        if name == "search_read":
            return self._found(model, **said)
        self.writes.append(f"{name} {model}")
        if name == "create":
            (values,) = said["vals_list"]
            return [self.made(model, **self._taken(model, values))]
        keys = [str(key) for key in said["ids"]]
        if not all(isinstance(key, int) for key in said["ids"]):
            raise Wrong(422, "builtins.TypeError", f"{said['ids']} are no ids")
        if not set(keys) <= set(self.tables[model]):
            raise Wrong(404, "odoo.exceptions.MissingError", "Record does not exist or has been deleted.")
        for key in keys:
            if name == "write":
                self.edit(model, key, **self._taken(model, said["vals"]))
            elif name == "unlink":
                del self.tables[model][key]
            elif model == "sale.order" and name in STATES:
                self.edit(model, key, state=STATES[name])
            else:
                raise Wrong(404, "werkzeug.exceptions.NotFound", f"the method {model}.{name} does not exist")
            if model == "sale.order.line" and key in self.tables[model]:
                self._moved(self.tables[model][key]["order_id"])
        return True

    def _moved(self, order: int) -> None:
        """Its totals are worked out anew."""
        self.edit("sale.order", str(order))

    def _taken(self, model: str, values: Row) -> Row:
        """Values as they are kept; a reference is the number of a record that there is."""
        if unknown := set(values) - MODELS[model] - {"state"}:
            raise Wrong(422, "builtins.ValueError", f"Invalid field {min(unknown)!r} on model {model!r}")
        if "state" in values:
            raise Wrong(422, "odoo.exceptions.UserError", "a state is moved on by its action")
        taken: Row = {}
        for name, value in values.items():
            there = COUNTRIES if name == "country_id" else self.tables.get(REFERENCES.get(name, ""), {})
            if name in REFERENCES and value and (not isinstance(value, int) or str(value) not in there):
                raise Wrong(
                    404, "odoo.exceptions.MissingError", f"{REFERENCES[name]}({value!r},) does not exist"
                )
            taken[name] = False if value is None or value == "" else value
        if self.refuses and taken.get("email") == self.refuses:
            raise Wrong(422, "odoo.exceptions.ValidationError", f"{taken['email']} is no address")
        return taken

    def _found(
        self,
        model: str,
        *,
        domain: list[Any],
        fields: list[str],
        offset: int = 0,
        limit: int = 80,
        order: str = "id",
    ) -> list[Row]:
        assert order == "id", order
        rows = [self._shown(row) for row in self.tables[model].values()]
        for name, how, value in domain:
            rows = [row for row in rows if _meets(name, row[name], how, value)]
        return [{name: row[name] for name in ["id", *fields]} for row in rows[offset : offset + limit]]

    def _shown(self, row: Row) -> Row:
        shown = dict(row)
        for name in REFERENCES.keys() & row.keys():
            if key := row[name]:
                known = COUNTRIES if name == "country_id" else self.tables[REFERENCES[name]]
                shown[name] = [key, known[str(key)]["name"]]
        if "state" in row:
            shown["currency_id"] = [10, "DKK"]
        return shown


def _meets(name: str, held: Any, how: str, value: Any) -> bool:
    held = held[0] if isinstance(held, list) else held
    if name in ("id", "order_id") and isinstance(value, str):
        raise Wrong(422, "builtins.TypeError", f"{value!r} is no id")
    if how == "in":
        return held in value
    return bool(held >= value) if how == ">=" else bool(held > value) if how == ">" else bool(held == value)


def _told(what: Any, status: int = 200) -> Reply:
    return status, {"Content-Type": "application/json; charset=utf-8"}, json.dumps(what).encode()


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
