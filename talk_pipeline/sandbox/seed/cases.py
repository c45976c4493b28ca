"""How records are dealt out among the situations a synchronization has to cope with.

A plan is a list of case names, one a record. The shares are rounded so that every case is met at least once
from the size of the committed set on; which record gets which case follows from the seed.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

CUSTOMERS: Mapping[str, float] = {
    "equal": 0.33,
    "same after normalising": 0.10,
    "differing": 0.075,
    "matches by registration": 0.05,
    "matches by e-mail": 0.05,
    "inactive": 0.025,
    "contact only": 0.025,
    "invalid": 0.03,
    "ambiguous": 0.02,
    "shop only": 0.295,
}
"""Shares of shop customers: first those with a counterpart, then those the pipeline must stop at."""

PRODUCTS: Mapping[str, float] = {
    "equal": 0.45,
    "same after normalising": 0.10,
    "differing": 0.075,
    "matches by gtin": 0.05,
    "inactive": 0.025,
    "invalid": 0.03,
    "ambiguous": 0.02,
    "shop only": 0.25,
}

ORDERS: Mapping[str, float] = {
    "equal": 0.25,
    "same after normalising": 0.0125,
    "differing": 0.0375,
    "released": 0.05,
    "partly shipped": 0.025,
    "shipped": 0.025,
    "with other lines": 0.025,
    "invoiced": 0.0125,
    "shop only open": 0.325,
    "shop only processing": 0.075,
    "shop only shipped": 0.0375,
    "shop only completed": 0.0875,
    "shop only cancelled": 0.0375,
}

BAD_CUSTOMERS = (
    "name too long",
    "unknown currency",
    "impossible e-mail",
    "country not ISO",
    "no name at all",
)
BAD_PRODUCTS = ("wrong check digit", "priced in another currency", "unknown category")
CUSTOMER_DIFFERENCES = ("phone", "email", "website", "address.line1", "company_name")
PRODUCT_DIFFERENCES = ("price", "name", "gtin", "cost")
ORDER_DIFFERENCES = ("requested_delivery_date", "quantity", "unit_price", "email")


def plan(
    shares: Mapping[str, float], count: int, *, rng: random.Random, least: Mapping[str, int]
) -> list[str]:
    """One case a record.

    Args:
        shares: case -> its share of all records; the last one takes what is left over.
        count: how many records there are.
        rng: decides who gets what.
        least: case -> how many there are at least, room permitting.
    """
    names = list(shares)
    wanted = {name: max(round(share * count), least.get(name, 1)) for name, share in shares.items()}
    dealt = [name for name in names[:-1] for _ in range(wanted[name])][:count]
    dealt += [names[-1]] * (count - len(dealt))
    rng.shuffle(dealt)
    return dealt
