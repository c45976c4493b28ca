"""Sets whose records are sums over the rows of another: such as the stock of an item at a location, of its entries.

Business Central adds up nothing on request (it has no `$apply`), so all rows are read, with the few properties that
matter. A row has neither an id nor a version; a group is called by what its rows have in common.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote, unquote

from talk_pipeline.engine.model import Record
from talk_pipeline.systems.businesscentral.description import EntitySet
from talk_pipeline.systems.businesscentral.values import dump


class Groups:
    """The groups among rows, as far as rows were added."""

    def __init__(self, described: EntitySet) -> None:
        self._set = described
        self._sums: dict[tuple[str, ...], dict[str, Decimal]] = {}

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Some more rows."""
        for row in rows:
            key = tuple(str(row[name]) for name in self._set.grouped_by)
            sums = self._sums.setdefault(key, dict.fromkeys(self._set.sums, Decimal(0)))
            for name in self._set.sums:
                sums[name] += Decimal(str(row[name]))

    def records(self) -> list[Record]:
        """One record a group, in the form in which a set answers."""
        return [self._record(key, sums) for key, sums in self._sums.items()]

    def _record(self, key: tuple[str, ...], sums: Mapping[str, Decimal]) -> Record:
        called = ",".join(quote(value, safe="") for value in key)
        shown = {self._set.key: called, **dict(zip(self._set.grouped_by, key, strict=True)), **sums}
        return Record(called, None, None, deleted=False, payload=dump(shown).decode())


def rows_of(described: EntitySet, called: str | None = None) -> dict[str, str]:
    """How the rows of all groups are asked for, or of one."""
    names = (*described.grouped_by, *described.sums)
    query = {"$select": ",".join(names)}
    if called is None:
        return query
    values = [unquote(value) for value in called.split(",")]
    pairs = zip(described.grouped_by, values, strict=True)
    return query | {
        "$filter": " and ".join(
            f"{name} eq {described.properties[name].exact(value)}" for name, value in pairs
        )
    }
