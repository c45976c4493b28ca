"""The rules of the small tables the others refer to."""

from __future__ import annotations

from decimal import Decimal

from talk_pipeline.sandbox.businesscentral import errors
from talk_pipeline.sandbox.businesscentral.bodies import Body
from talk_pipeline.sandbox.businesscentral.records import Records, Values
from talk_pipeline.sandbox.store import Row


class References(Records):
    """One reference set of one company; its key is a code."""

    def on_create(self, row: Row, sent: Values) -> None:
        """What tax is charged is set up by people; a group nobody set up charges the usual."""
        if self.name == "taxGroups":
            row["_rate"] = Decimal(25)
            row["_identifier"] = f"ID-{row['code']}"[:20]

    def check(self, row: Row, sent: Values, *, old: Row | None) -> None:
        """A code there must be, and only once."""
        if not row["code"]:
            raise errors.required("code")
        self.unique("code", row["code"], but=row["id"])

    def update(self, row: Row, body: Body) -> Row:
        """Change a record; a new code is carried to everything that holds the old one."""
        new = super().update(row, body)
        if new["code"] != row["code"]:
            self._rename(row["code"], new["code"])
        return new

    def delete(self, row: Row) -> None:
        """Only what nothing refers to goes."""
        for set_name, entity_set in self.company.schema.sets.items():
            if set_name == "companies":
                continue
            for entry in entity_set.properties.values():
                if entry.ref is None or entry.ref[0] != self.name or entry.name in entity_set.twins:
                    continue
                value = row["id"] if entry.ref[1] == "id" else row["code"]
                if any(r.get(entry.name) == value for r in self.company.table(set_name).rows.values()):
                    raise errors.dialog(f"{row['code']} is used in {set_name} and cannot be deleted.")
        if any(r.get("_parent") == row["code"] for r in self.company.table(self.name).rows.values()):
            raise errors.dialog(f"{row['code']} has records below it and cannot be deleted.")
        super().delete(row)

    def _rename(self, old: str, new: str) -> None:
        for set_name, entity_set in self.company.schema.sets.items():
            if set_name == "companies":
                continue
            names = [
                entry.name
                for entry in entity_set.properties.values()
                if entry.ref == (self.name, "code") and entry.name not in entity_set.twins
            ]
            if not names:
                continue
            for row in list(self.company.table(set_name).rows.values()):
                if any(row[name] == old for name in names):
                    renamed = {name: new for name in names if row[name] == old}
                    self.company.save_silently(set_name, {**row, **renamed})
