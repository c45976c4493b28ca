"""Creating, changing and deleting: the rules all sets share.

A set with rules of its own derives from `Records` and adds them at the marked places. Every method runs
inside a transaction of the caller's; an `errors.ApiError` undoes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talk_pipeline.sandbox.businesscentral import errors, values
from talk_pipeline.sandbox.businesscentral.bodies import Body, accept
from talk_pipeline.sandbox.businesscentral.company import Company
from talk_pipeline.sandbox.businesscentral.schema import Property
from talk_pipeline.sandbox.store import Row

Values = dict[str, Any]


class Records:
    """One set of one company, for writing."""

    def __init__(self, company: Company, set_name: str) -> None:
        self.company = company
        self.name = set_name
        self.set = company.set(set_name)
        self.below: dict[str, tuple[Records, str]] = {}

    def create(self, body: Body) -> Row:
        """Add a record."""
        row = self.company.blank(self.name)
        if body.id is not None:
            if self.company.table(self.name).get(body.id) is not None:
                raise self.duplicate("id", body.id)
            row["id"] = body.id
        sent = self.resolved(body.values)
        row.update(sent)
        self.on_create(row, sent)
        self.check(row, sent, old=None)
        row = self.company.save(self.name, row)
        for name in body.lines:
            self.create_below(row, body, name)
        return row

    def create_below(self, row: Row, body: Body, name: str) -> None:
        """Add what a list of the body has to a record that is there."""
        records, by = self.below[name]
        for raw in body.lines.get(name, ()):
            settings = self.company.settings
            records.create(accept({**raw, by: row["id"]}, records.set, settings=settings, current=None))

    def update(self, row: Row, body: Body) -> Row:
        """Change a record; returns it as it is now."""
        sent = self.resolved(body.values)
        new = {**row, **sent}
        self.on_update(new, sent, old=row)
        self.check(new, sent, old=row)
        if new == row and self.company.settings["unchanged_write"] == "leaves":
            return row
        return self.company.save(self.name, new)

    def delete(self, row: Row) -> None:
        """Remove a record."""
        self.company.remove(self.name, row)

    # -- for sets with rules of their own ---------------------------------------------------------------------

    def on_create(self, row: Row, sent: Values) -> None:
        """Fill in what was not sent."""

    def on_update(self, row: Row, sent: Values, *, old: Row) -> None:
        """Follow up on what was sent."""

    def check(self, row: Row, sent: Values, *, old: Row | None) -> None:
        """Refuse what breaks a rule; called with the record complete."""

    # -- building blocks --------------------------------------------------------------------------------------

    def resolved(self, sent: Mapping[str, Any]) -> Values:
        """The values with each reference checked, and each pair of id and code as its id alone."""
        result = dict(sent)
        for code_name, id_name in self.set.twins.items():
            if code_name in result or id_name in result:
                result[id_name] = self._pair(code_name, id_name, result)
                result.pop(code_name, None)
        for name, value in result.items():
            entry = self.set.properties[name]
            if entry.ref is not None and name not in self.set.twins.values():
                self._check_reference(entry, value)
        return result

    def unique(self, column: str, value: str, *, but: str) -> None:
        """Refuse a key another record has."""
        other = self.company.lookup(self.name, column, value)
        if other is not None and other["id"] != but:
            raise self.duplicate(column, value)

    def duplicate(self, column: str, value: str) -> errors.ApiError:
        """The refusal of a key that is taken."""
        return errors.ApiError(
            self.company.settings["duplicate_key_status"],
            "Internal_EntityWithSameKeyExists",
            f"The {self.set.entity} already exists. Identification fields and values: {column}='{value}'.",
        )

    def _pair(self, code_name: str, id_name: str, sent: Mapping[str, Any]) -> str:
        """The id that an id and its code stand for together."""
        entry = self.set.properties[code_name]
        target, column = entry.ref or ("", "")
        by_code: str | None = None
        if code_name in sent:
            by_code = self._id_of_code(entry, str(sent[code_name]))
        if id_name not in sent:
            return by_code or values.NO_ID
        by_id = str(sent[id_name])
        if by_id != values.NO_ID and self.company.lookup(target, "id", by_id) is None:
            raise self.missing_reference(id_name, by_id)
        if by_code is not None and by_code != by_id:
            raise errors.dialog(f"{id_name} and {code_name} do not name the same record ({column}).")
        return by_id

    def _id_of_code(self, entry: Property, code: str) -> str:
        target, column = entry.ref or ("", "")
        if not code or (target == "currencies" and code == self.company.local_currency):
            return values.NO_ID
        found = self.company.lookup(target, column, code)
        if found is None and target == "unitsOfMeasure":
            found = self.company.lookup(target, "internationalStandardCode", code)
        if found is None:
            raise errors.dialog(f"The {entry.name} '{code}' does not match any record in {target}.")
        return str(found["id"])

    def _check_reference(self, entry: Property, value: Any) -> None:
        target, column = entry.ref or ("", "")
        if value in ("", values.NO_ID) or self.company.lookup(target, column, value) is not None:
            return
        if column == "id":
            raise self.missing_reference(entry.name, value)
        raise errors.no_relation(entry.name, value, target)

    def missing_reference(self, name: str, value: str) -> errors.ApiError:
        """The refusal of an id that refers to nothing."""
        code = self.company.settings["missing_reference_code"]
        return errors.ApiError(400, code, f"The {name} '{value}' does not match any record.")
