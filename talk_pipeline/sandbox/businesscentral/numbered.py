"""The rules of pages that an extension brings along: each record has a number of its own."""

from __future__ import annotations

from talk_pipeline.sandbox.businesscentral import errors
from talk_pipeline.sandbox.businesscentral.records import Records, Values
from talk_pipeline.sandbox.store import Row


class Numbered(Records):
    """One set of one company whose records go by a number."""

    def check(self, row: Row, sent: Values, *, old: Row | None) -> None:
        """What is required there must be, and a number only once."""
        for entry in self.set.properties.values():
            if entry.required and not row[entry.name]:
                raise errors.required(entry.name)
        self.unique("number", row["number"], but=row["id"])
