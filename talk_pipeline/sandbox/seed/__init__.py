"""The records both systems start with.

Without a size it is the small set committed under ``data/seed/``; with one, records are generated, the same
ones for the same size and seed. `python -m talk_pipeline.sandbox.seed` writes the committed set anew::

    vocabulary.py   words, places, numbers with check digits
    cases.py        which situations there are and how often
    customers.py, products.py, orders.py   both sides of each, case by case

Each record carries its case under ``_case``, for people; names that begin with an underscore never reach a
server's records. Everything is invented: hosts end in .example, numbers only pass their checks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iso4217 import Currency

from talk_pipeline.sandbox.errors import SandboxError
from talk_pipeline.sandbox.seed.customers import make_customers
from talk_pipeline.sandbox.seed.orders import make_orders
from talk_pipeline.sandbox.seed.products import make_products

FOLDER = Path(__file__).parents[3] / "data" / "seed"
LOCAL = "DKK"
"""The local currency of the committed set."""
SIZE = 40
"""Customers and products in the committed set."""

Side = Mapping[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Seed:
    """The records of both sides, by set."""

    shop: Side
    central: Side


def generate(size: int, seed: int) -> Seed:
    """So many customers and products, and twice as many orders; none of any where nothing is wanted."""
    if size < 0:
        raise SandboxError(f"the size of a sandbox is 0 or more, not {size}")
    if size == 0:
        return Seed(shop={}, central={})
    customers, products = make_customers(size, seed), make_products(size, seed)
    orders = make_orders(size, seed, customers=customers, products=products)
    return Seed(
        shop={"customers": customers.shop, "products": products.shop, "orders": orders.shop},
        central={
            "customers": customers.central,
            "items": products.central,
            "prices": products.prices,
            "orders": orders.central,
        },
    )


def committed() -> Seed:
    """The set in the project's data folder; where that is not at hand, the same set generated."""
    try:
        sides = [
            json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
            for name in ("customwebshop", "businesscentral")
        ]
    except FileNotFoundError:
        return generate(SIZE, 1)
    except ValueError as error:
        raise SandboxError(f"the seed under {FOLDER} is not valid JSON: {error}") from error
    return Seed(shop=sides[0], central=sides[1])


class Seeds:
    """What a sandbox starts with, and goes back to.

    Args:
        size: how many records to generate; None for the committed set.
        seed: what generated records follow from.
        currency: the local one; records that say it say the usual one instead, and the other way round.
    """

    def __init__(self, *, size: int | None, seed: int, currency: str = LOCAL) -> None:
        if currency not in {one.code for one in Currency}:
            raise SandboxError(f"{currency!r} is no currency: say its code, such as EUR")
        self.currency = currency
        self.size = size
        self.seed = seed
        self._made: dict[tuple[int | None, int], Seed] = {}

    def shop(self, *, size: int | None, seed: int | None) -> Side:
        """The shop's records; of another size or seed if one is given."""
        return self._of(size, seed).shop

    def central(self, *, size: int | None, seed: int | None) -> Side:
        """Business Central's records; of another size or seed if one is given."""
        return self._of(size, seed).central

    def _of(self, size: int | None, seed: int | None) -> Seed:
        key = (self.size if size is None else size, self.seed if seed is None else seed)
        if key not in self._made:
            made = committed() if key[0] is None else generate(key[0], key[1])
            self._made = {
                key: Seed(_swapped(made.shop, self.currency), _swapped(made.central, self.currency))
            }
        return self._made[key]


def _swapped(data: Any, currency: str) -> Any:
    """Records in which the two currencies have changed places."""
    if currency == LOCAL:
        return data
    if isinstance(data, dict):
        return {name: _swapped(value, currency) for name, value in data.items()}
    if isinstance(data, list):
        return [_swapped(value, currency) for value in data]
    return {LOCAL: currency, currency: LOCAL}.get(data, data) if isinstance(data, str) else data
