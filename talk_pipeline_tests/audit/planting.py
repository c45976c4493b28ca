"""Corruptions that no run knows of, of the five kinds there are; each is told by what the audit has to name."""

import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from talk_pipeline.audit.audit import audit
from talk_pipeline.settings import Settings
from talk_pipeline_tests.world import World

LONG_AGO = 10 * 365 * 86_400.0
Named = tuple[str, str, str]
"""Part, property and either id."""

# property -> its Business Central name, and a value that nobody has
Planted = dict[str, tuple[str, Callable[[int], Any]]]


def _text(n: int) -> str:
    return f"Planted {n}"


VALUES: dict[str, tuple[str, str, Planted]] = {
    "customer": (
        "customers",
        "customers",
        {
            "company_name": ("displayName", _text),
            "email": ("email", lambda n: f"planted{n}@example.com"),
            "phone": ("phoneNumber", lambda n: f"+45 77 {n % 90 + 10} {n // 90 + 10} 11"),
            "website": ("website", lambda n: f"planted{n}.example"),
            "address.line1": ("addressLine1", _text),
            "address.region": ("state", lambda n: f"P{n}"),
        },
    ),
    "product": (
        "products",
        "items",
        {"name": ("displayName", _text), "price": ("unitPrice", lambda n: 77_000.25 + n)},
    ),
    "order": (
        "orders",
        "salesOrders",
        {
            "email": ("email", lambda n: f"planted{n}@example.com"),
            "billing_address.line1": ("sellToAddressLine1", _text),
            "shipping_address.name": ("shipToName", _text),
            "shipping_address.line2": ("shipToAddressLine2", _text),
        },
    ),
}


@contextmanager
def undone(world: World) -> Iterator[random.Random]:
    """Whatever is done meanwhile is undone after."""
    kept, file = world.data / "kept", world.data / "talk.duckdb"
    shutil.copy(file, kept)
    for system in (world.shop, world.bc):
        system.control("backup", {"name": "before"})
    try:
        yield random.Random(4)
    finally:
        for system in (world.shop, world.bc):
            system.control("restore", {"name": "before"})
        shutil.move(kept, file)


def named(*flows: str) -> set[Named]:
    """All that the audit does not explain, by either id."""
    found = [one for judged in audit(Settings.load(), flows) for one in judged.findings if one.reason is None]
    return {(one.part, one.property, str(key)) for one in found for key in (one.shop_id, one.bc_id)}


def in_step(world: World, part: str) -> list[tuple[str, str]]:
    """Active pairs that nothing else is on record about, and all of whose customers and products are."""
    flow = part.partition(".")[0]
    return [
        (str(shop_id), str(bc_id))
        for shop_id, bc_id in world.sql(
            "select shop_id, bc_id from link where part = ? and state = 'active' and root_shop_id not in"
            " (select shop_id from status where flow = ? union select root_shop_id from change where flow = ?)"
            " order by shop_id",
            part,
            flow,
            flow,
        )
    ]


def nested(name: str, value: Any) -> dict[str, Any]:
    """A property's path as the shop's JSON has it."""
    group, _, inner = name.partition(".")
    return {group: nested(inner, value)} if inner else {group: value}


def merged(values: list[dict[str, Any]]) -> dict[str, Any]:
    """Several of them in one record."""
    whole: dict[str, Any] = {}
    for one in values:
        for key, value in one.items():
            whole[key] = {**whole.get(key, {}), **value} if isinstance(value, dict) else value
    return whole
