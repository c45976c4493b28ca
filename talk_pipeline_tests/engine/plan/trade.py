"""A customer, a product and an order of both, in step; records of different kinds have the same ids here."""

from collections.abc import Sequence

from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book, Values

SHOP, BC = Side.SHOP, Side.BC
CUSTOMER = {"number": "C1", "company_name": "A", "active": "true"}
LINE = {"id": "1", "product_id": "1", "description": "One", "quantity": "1", "unit_price": "10"}
PRODUCT = {"sku": "P1", "name": "One", "active": "true"}
ORDER = {"number": "O1", "customer_id": "1", "status": "open"}


def as_said_there(flow: str, values: Values) -> Values:
    """The same in Business Central's words."""
    ids = ("id", "customer_id", "product_id")
    told = {name: f"b{value}" if name in ids else value for name, value in values.items()}
    words = {"customer": {"active": ""}, "product": {"active": "false"}, "order": {"status": "Draft"}}
    return {**told, **{name: word for name, word in words[flow].items() if name in values}}


def linked(book: Book, flow: str, key: str, values: Values, *, lines: Sequence[Values] = ()) -> None:
    """A pair in step: `key` in the shop is `b` and that in Business Central."""
    there = [as_said_there(flow, line) for line in lines]
    book.say(flow, SHOP, key, values, children=lines)
    book.say(flow, BC, f"b{key}", as_said_there(flow, values), children=there)
    book.plan(flow)
    book.in_step(flow)
