"""Records that are made of the rows of a set: such as the stock of an item at a location, of its entries.

Business Central adds up nothing on request (it has no `$apply`), so all rows are read, with the few properties that
matter. A row has neither an id nor a version; a group is called by what its rows have in common. Rows that only
several properties together tell apart are groups of one.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote, unquote

from talk_pipeline.engine.model import Record
from talk_pipeline.systems.businesscentral.description import EntitySet
from talk_pipeline.systems.businesscentral.values import BLANK_ENUM, dump
from talk_pipeline.systems.errors import ConfigurationFault


class Groups:
    """The groups among rows, as far as rows were added."""

    def __init__(self, described: EntitySet) -> None:
        self._set = described
        self._repeated = described.repeated
        self._said: dict[tuple[str, ...], dict[str, Any]] = {}

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Some more rows.

        Raises:
            ConfigurationFault: those of one record differ in what is not added up.
        """
        for row in rows:
            key = tuple(str(row[name]) for name in self._set.grouped_by)
            said = self._said.setdefault(
                key,
                {name: row[name] for name in self._repeated} | dict.fromkeys(self._set.sums, Decimal(0)),
            )
            for name in self._repeated:
                if row[name] != said[name]:
                    raise ConfigurationFault(self._differs(key, name))
            for name in self._set.sums:
                said[name] += Decimal(str(row[name]))

    def records(self) -> list[Record]:
        """One record a group, in the form in which a set answers."""
        return [self._record(key, said) for key, said in self._said.items()]

    def _record(self, key: tuple[str, ...], said: Mapping[str, Any]) -> Record:
        called = ",".join(quote(value, safe="") for value in key)
        shown = {self._set.key: called, **dict(zip(self._set.grouped_by, key, strict=True)), **said}
        return Record(called, None, None, deleted=False, payload=dump(shown).decode())

    def _differs(self, key: tuple[str, ...], name: str) -> str:
        common = ", ".join(f"{one} {value!r}" for one, value in zip(self._set.grouped_by, key, strict=True))
        return (
            f"{self._set.entity} of Business Central has rows of one record ({common}) that differ in {name}:"
            " where it is described name it under grouped_by, or under sums where it is to be added up"
        )


def rows_of(described: EntitySet, called: str | None = None) -> dict[str, str]:
    """How the rows of all groups are asked for, or of few with one among them, as far as the page takes that.

    By the blank member of an enumeration no service was seen to filter.
    """
    query = described.selecting((*described.grouped_by, *described.repeated, *described.sums))
    if called is None or not described.filters:
        return query
    said = zip(described.grouped_by, map(unquote, called.split(",")), strict=True)
    kinds = described.properties
    pairs = [(name, value) for name, value in said if (kinds[name].name, value) != ("enum", BLANK_ENUM)]
    found = " and ".join(f"{name} eq {kinds[name].exact(value)}" for name, value in pairs)
    return {**query, "$filter": found} if found else query
