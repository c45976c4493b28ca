"""The rules of customers."""

from __future__ import annotations

import re
from collections.abc import Callable

from talk_pipeline.sandbox.businesscentral import addresses, errors
from talk_pipeline.sandbox.businesscentral.bodies import Body
from talk_pipeline.sandbox.businesscentral.records import Records, Values
from talk_pipeline.sandbox.store import Row

_ADDRESS = re.compile(r"[^@\s;,]+@[^@\s;,]+\.[^@\s;,.]+")


class Customers(Records):
    """Customers of one company.

    Attributes:
        known: makes a customer a contact as well; set once both are made.
    """

    known: Callable[[Row], object]

    def create(self, body: Body) -> Row:
        """Add a customer, and the contact that it is."""
        row = super().create(body)
        if self.company.settings["customer_contacts"] == "made":
            self.known(row)
        return row

    def on_create(self, row: Row, sent: Values) -> None:
        """Number it, and let the template fill in what the API does not show."""
        if not row["number"]:
            row["number"] = self.company.next_number(self.name)
        elif self.company.settings["customer_numbers"] == "series":
            raise errors.dialog("Customers are numbered by their series; it does not allow manual numbers.")
        templates = self.company.settings["templates"]
        row["_postingGroup"] = "DOMESTIC" if templates else ""
        if templates and "taxAreaId" not in sent:
            area = self.company.lookup("taxAreas", "code", "DOMESTIC")
            row["taxAreaId"] = area["id"] if area else row["taxAreaId"]
        addresses.complete(row, sent, addresses.CUSTOMER)

    def on_update(self, row: Row, sent: Values, *, old: Row) -> None:
        """Complete the address, and keep the number a record has when it is sent blank."""
        if not row["number"]:
            row["number"] = old["number"]
        changed = {name: value for name, value in sent.items() if old[name] != value}
        if changed.keys() & {"city", "postalCode"}:
            addresses.complete(row, sent, addresses.CUSTOMER)

    def check(self, row: Row, sent: Values, *, old: Row | None) -> None:
        """Names, numbers and the forms of what has a form."""
        if not row["displayName"].strip():
            raise errors.dialog("The customer needs a displayName that is not blank.")
        self.unique("number", row["number"], but=row["id"])
        check_contact(sent)
        if sent.keys() & {"taxRegistrationNumber"}:
            home = next(iter(self.company.table("companyInformation").rows.values()), {"country": "DK"})
            addresses.check_registration(
                row["taxRegistrationNumber"], row["country"], home=str(home["country"])
            )

    def delete(self, row: Row) -> None:
        """Only a customer that nothing refers to goes."""
        for set_name, column in (
            ("salesOrders", "customerId"),
            ("salesOrders", "billToCustomerId"),
            ("salesInvoices", "customerId"),
        ):
            if self.company.table(set_name).find(column, row["id"]):
                raise errors.dialog(f"Customer {row['number']} has {set_name} and cannot be deleted.")
        super().delete(row)


def check_contact(sent: Values) -> None:
    """A phone number holds no letters; an e-mail field holds addresses, separated by semicolons or commas."""
    if any(char.isalpha() for char in sent.get("phoneNumber", "")):
        raise errors.field_rule("phoneNumber must not contain letters.")
    text = sent.get("email", "").strip()
    if text and not all(_ADDRESS.fullmatch(part.strip()) for part in re.split("[;,]", text)):
        raise errors.dialog(f"The email '{text}' is not a valid e-mail address.")
