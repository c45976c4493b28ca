"""The rules of contacts and employees: who is numbered how, and to which customer a contact belongs."""

from __future__ import annotations

from talk_pipeline.sandbox.businesscentral.bodies import Body
from talk_pipeline.sandbox.businesscentral.customers import check_contact
from talk_pipeline.sandbox.businesscentral.numbered import Numbered
from talk_pipeline.sandbox.businesscentral.records import Values
from talk_pipeline.sandbox.store import Row

_OF_CUSTOMERS = (
    "type",
    "displayName",
    "addressLine1",
    "addressLine2",
    "city",
    "state",
    "country",
    "postalCode",
    "phoneNumber",
    "email",
    "website",
)
"""What a contact takes over of the customer it is."""


class _People(Numbered):
    """Those who get a number if they have none."""

    def on_create(self, row: Row, sent: Values) -> None:
        """Number it."""
        row["number"] = row["number"] or self.company.next_number(self.name)
        self.named(row)

    def on_update(self, row: Row, sent: Values, *, old: Row) -> None:
        """Keep the number when it is sent blank."""
        row["number"] = row["number"] or old["number"]
        self.named(row)

    def named(self, row: Row) -> None:
        """What follows from names."""

    def check(self, row: Row, sent: Values, *, old: Row | None) -> None:
        """The forms of what has a form."""
        super().check(row, sent, old=old)
        check_contact(sent)


class Employees(_People):
    """Employees of one company."""

    def named(self, row: Row) -> None:
        """The whole name."""
        parts = (row[name] for name in ("givenName", "middleName", "surname"))
        row["displayName"] = " ".join(part for part in parts if part)


class Contacts(_People):
    """Contacts of one company: those of type Company, and their people."""

    def named(self, row: Row) -> None:
        """A company is its own; its people go by its name."""
        if row["type"] == "Company":
            row |= {"companyNumber": row["number"], "companyName": row["displayName"]}
        else:
            found = self.company.lookup(self.name, "number", row["companyNumber"])
            row["companyName"] = found["displayName"] if found else ""

    def create(self, body: Body) -> Row:
        """Add a contact."""
        return self._related(super().create(body))

    def update(self, row: Row, body: Body) -> Row:
        """Change a contact."""
        return self._related(super().update(row, body))

    def delete(self, row: Row) -> None:
        """Remove a contact."""
        super().delete(row)
        self._unrelate(row)

    def know(self, customer: Row) -> Row:
        """A new customer is a contact as well."""
        said = {name: customer[name] for name in _OF_CUSTOMERS}
        return self.link(self.create(Body(values=said)), customer)

    def link(self, row: Row, customer: Row) -> Row:
        """The company that the contact is becomes a customer, or is one: its people are the customer's."""
        row = self.company.save(self.name, {**row, "_customer": customer["id"]})
        for one in list(self.company.table(self.name).find("companyNumber", row["number"])):
            self._related(one)
        return row

    def _related(self, row: Row) -> Row:
        company = self.company.lookup(self.name, "number", row["companyNumber"])
        customer = (company or {}).get("_customer")
        self._unrelate(row)
        if customer:
            shown = self.company.blank("contactsInformation") | {
                "id": row["id"],
                "contactId": row["id"],
                "contactNumber": row["number"],
                "contactName": row["displayName"],
                "contactType": row["type"],
                "relatedId": customer,
                "relatedType": "Customer",
            }
            self.company.save_silently("contactsInformation", {**shown, "_version": row["_version"]})
        return row

    def _unrelate(self, row: Row) -> None:
        if self.company.table("contactsInformation").get(row["id"]) is not None:
            self.company.remove("contactsInformation", {"id": row["id"]})
