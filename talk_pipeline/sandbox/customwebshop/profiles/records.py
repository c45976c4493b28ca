"""One resource of the shop in one shape: found, shown and written in the words of a profile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from talk_pipeline.sandbox.customwebshop.errors import ShopError, unknown
from talk_pipeline.sandbox.customwebshop.fields import SINGULAR
from talk_pipeline.sandbox.customwebshop.profiles.shapes import Shape
from talk_pipeline.sandbox.customwebshop.profiles.slices import living
from talk_pipeline.sandbox.customwebshop.shop import Shop
from talk_pipeline.sandbox.exchange import Write
from talk_pipeline.sandbox.store import Row

Written = tuple[Row, tuple[Write, ...]]


class Records:
    """Customers, products or orders as a profile has them.

    Args:
        shop: where they live.
        name: what the shop calls them.
        shape: how a record looks on the wire.
    """

    def __init__(self, shop: Shop, name: str, shape: Shape) -> None:
        self.name = name
        self.shape = shape
        self.entities = shop.entities[name]
        self._store = shop.store

    def get(self, key: str) -> Row:
        """A record that is not deleted.

        Raises:
            ShopError: if there is none.
        """
        row = self.entities.table.get(key)
        if row is None or row["deleted_at"] is not None:
            raise unknown(SINGULAR[self.name], key)
        return row

    def rows(self) -> list[Row]:
        """All that are not deleted, by their last change."""
        return living(self.entities)

    def add(self, values: Mapping[str, Any], *, extra: Any = None) -> Written:
        """A new record of fields in the shop's own names."""
        with self._store.transaction(), self._in_own_words():
            row, writes = self.entities.create(values, extra=extra)
        return row, tuple(writes)

    def change(self, row: Row, values: Mapping[str, Any], *, extra: Any = None) -> Written:
        """The record with some fields changed."""
        with self._store.transaction(), self._in_own_words():
            row, writes = self.entities.patch(row, values, extra=extra)
        return row, tuple(writes)

    def remove(self, row: Row) -> tuple[Write, ...]:
        """The record deleted."""
        with self._store.transaction():
            return tuple(self.entities.delete(row))

    @contextmanager
    def _in_own_words(self) -> Iterator[None]:
        """Name fields in refusals as the profile does."""
        try:
            yield
        except ShopError as error:
            if error.field is None:
                raise
            wire = self.shape.named(error.field)
            message = error.message.replace(error.field, wire)
            raise ShopError(error.status, error.code, message, field=wire) from error
