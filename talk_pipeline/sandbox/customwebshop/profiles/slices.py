"""Choosing and cutting what a list shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from talk_pipeline.sandbox.customwebshop.entities import Entities
from talk_pipeline.sandbox.customwebshop.errors import malformed
from talk_pipeline.sandbox.store import Row

T = TypeVar("T")


def living(entities: Entities) -> list[Row]:
    """All records that are not deleted, by their last change."""
    return [row for row in entities.table.in_order() if row["deleted_at"] is None]


def by_id(row: Row) -> tuple[int, str]:
    """The order of ids: as they were given out."""
    return len(row["id"]), row["id"]


def number(
    query: Mapping[str, str], name: str, usual: int, *, least: int = 0, most: int | None = None
) -> int:
    """A whole number among the parameters of a call.

    Raises:
        ShopError: if it is none, or out of bounds.
    """
    text = query.get(name, str(usual))
    if not (text.isascii() and text.isdigit() and least <= int(text) and (most is None or int(text) <= most)):
        bounds = f"from {least} on" if most is None else f"from {least} to {most}"
        raise malformed(f"{name} is a number {bounds}.", field=name)
    return int(text)


def pages(total: int, size: int) -> int:
    """How many pages so many records fill."""
    return -(-total // size)


def cut(rows: Sequence[T], *, start: int, size: int) -> Sequence[T]:
    """One page."""
    return rows[start : start + size]
