"""The rules of sales orders: what a customer brings along, what a released order still takes, its discount.

The lines have rules of their own in `order_lines`; posting is in `posting`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from talk_pipeline.sandbox.businesscentral import addresses, bodies, dimension_sets, errors, pricing, values
from talk_pipeline.sandbox.businesscentral.archiving import ARCHIVES, archive
from talk_pipeline.sandbox.businesscentral.bodies import Body
from talk_pipeline.sandbox.businesscentral.customers import check_contact
from talk_pipeline.sandbox.businesscentral.order_lines import OrderLines
from talk_pipeline.sandbox.businesscentral.order_states import OPEN, status_guard
from talk_pipeline.sandbox.businesscentral.order_totals import recalculated
from talk_pipeline.sandbox.businesscentral.records import Records, Values
from talk_pipeline.sandbox.store import Row

_PARTS = ("AddressLine1", "AddressLine2", "City", "State", "PostCode", "Country")
_CUSTOMER_PARTS = ("addressLine1", "addressLine2", "city", "state", "postalCode", "country")


class Orders(Records):
    """Sales orders of one company; `lines` is set once both are made."""

    lines: OrderLines

    # -- the three verbs --------------------------------------------------------------------------------------

    def create(self, body: Body) -> Row:
        """Add an order, with its lines if the body holds them."""
        sent = self.resolved(body.values)
        discount = sent.pop("discountAmount", Decimal(0))
        row = self.company.blank(self.name)
        if body.id is not None:
            row["id"] = body.id
        row |= {"status": OPEN, "number": self.company.next_number(self.name), **self.opened()}
        if self.company.settings["posting_date"] == "work_date":
            row["postingDate"] = self.company.today()
        row |= self._from_customer(self._customer_of(sent), sent.get("billToCustomerId", values.NO_ID))
        row |= sent
        self._complete(row, sent)
        self.check(row, sent, old=None)
        row = self._dimensioned(self.company.save(self.name, row), sent, body)
        lines = body.lines.get(self.lines.name, ())
        for raw in lines:
            line = bodies.accept(raw, self.lines.set, settings=self.company.settings, current=None)
            self.lines.create_in(row, line)
            row = self.current(row)
        if discount and lines and self.company.settings["discount_in_deep_insert"] != "applied":
            if self.company.settings["discount_in_deep_insert"] == "refused":
                raise errors.dialog("The discount can be set once the order has lines.")
            discount = Decimal(0)
        return self._discounted(row, discount) if discount else recalculated(self.company, row, self.name)

    def _dimensioned(self, row: Row, sent: Values, body: Body | None = None) -> Row:
        """With the dimensions of its customer if it is new, those it shows itself, and those sent along."""
        if self.name != dimension_sets.OWNERS:
            return row
        if body is not None:
            dimension_sets.begin(self.company, row)
        row = dimension_sets.follow(self.company, row, sent)
        if body is not None:
            self.create_below(row, body, dimension_sets.SET)
        return self.current(row)

    def opened(self) -> Values:
        """What a new one is of itself."""
        today = self.company.today()
        return {
            "partialShipping": True,
            "orderDate": today,
            "fullyShipped": True,
            "discountAppliedBeforeTax": True,
        }

    def update(self, row: Row, body: Body) -> Row:
        """Change an order's header; a new customer or currency brings new lines along."""
        sent = {
            name: value for name, value in self.resolved(body.values).items() if value != row[name]
        }  # what is sent again unchanged counts as not sent
        discount = sent.pop("discountAmount", None)
        if row["status"] != OPEN:
            for name in sent:
                if self.guarded(name):
                    raise status_guard(name, row["status"])
        new = dict(row)
        if "customerId" in sent:
            new |= self._from_customer(self._customer_of(sent), sent.get("billToCustomerId", values.NO_ID))
        elif "billToCustomerId" in sent:
            new |= self._bill_to(self._billed(sent["billToCustomerId"]))
        new |= sent
        self._complete(new, sent)
        self.check(new, sent, old=row)
        if new == row and discount is None:
            if self.company.settings["unchanged_write"] == "leaves":
                return row
            return self.company.save(self.name, new)
        new = self._dimensioned(self.company.save(self.name, new), sent)
        if any(new[name] != row[name] for name in ("customerId", "billToCustomerId", "currencyId")):
            self.lines.recreate(new)
            new = self.current(new)
        elif new["pricesIncludeTax"] != row["pricesIncludeTax"]:
            self.lines.switch_tax(new)
        new = recalculated(self.company, new, self.name)
        return self._discounted(new, discount) if discount is not None else new

    def guarded(self, name: str) -> bool:
        """Whether only an open one takes another value of it."""
        return self.set.properties[name].guarded

    def delete(self, row: Row) -> None:
        """Remove an order with its lines, unless goods left that nobody was billed for."""
        lines = self.company.lines(row["id"], self.name)
        if any(line["shippedQuantity"] != line["invoicedQuantity"] for line in lines):
            raise errors.dialog(f"Order {row['number']} has lines that are shipped and not invoiced.")
        if self.name in ARCHIVES and self.company.settings["deleted_order"] == "archived":
            archive(self.company, row, ARCHIVES[self.name])
        self.erase(row)

    def erase(self, row: Row) -> None:
        """Take an order and its lines away."""
        for line in self.company.lines(row["id"], self.name):
            self.company.remove(self.lines.name, line)
        if self.name == dimension_sets.OWNERS:
            dimension_sets.forget(self.company, row["id"])
        self.company.remove(self.name, row)

    # -- amounts ----------------------------------------------------------------------------------------------

    def current(self, row: Row) -> Row:
        """The order as stored now."""
        return self.company.table(self.name).rows[row["id"]]

    def redistribute(self, row: Row) -> Row:
        """Settle a discount that line changes left pending; moves the order's entity tag."""
        return self.company.save(self.name, {**row, "_pending": False})

    def _discounted(self, row: Row, discount: Decimal) -> Row:
        """Put an invoice discount on the whole order."""
        lines = self.company.lines(row["id"], self.name)
        base = sum(
            (
                line["quantity"] * line["unitPrice"] - line["discountAmount"]
                for line in lines
                if pricing.bears_discount(line)
            ),
            Decimal(0),
        )
        if discount < 0 or discount > base:
            raise errors.dialog(
                f"The discountAmount must be between 0 and {values.trimmed(max(base, Decimal(0)))},"
                " the amount of the lines that bear it."
            )
        discounted = self.company.save(self.name, {**row, "discountAmount": discount})
        return recalculated(self.company, discounted, self.name)

    # -- the customer -----------------------------------------------------------------------------------------

    def _customer_of(self, sent: Mapping[str, Any]) -> Row:
        customer = self.company.table("customers").get(sent.get("customerId", values.NO_ID))
        if customer is None:
            raise errors.dialog("A sales order needs customerId or customerNumber.")
        self._usable(customer)
        return customer

    def _billed(self, customer_id: str) -> Row:
        customer = self.company.table("customers").get(customer_id)
        if customer is None:
            raise errors.dialog("The billToCustomerId does not match any customer.")
        self._usable(customer)
        return customer

    def _usable(self, customer: Row) -> None:
        if customer["blocked"] != values.BLANK_MEMBER:
            raise errors.dialog(f"Customer {customer['number']} is blocked: {customer['blocked']}.")
        if not customer["_postingGroup"]:
            raise errors.field_rule(f"Customer {customer['number']} needs a customer posting group.")

    def _from_customer(self, customer: Row, bill_to: str) -> Row:
        """Everything an order takes over from its customer."""
        taken: Row = {
            "customerId": customer["id"],
            "customerName": customer["displayName"],
            "shipToName": customer["displayName"],
            "shipToContact": "",
            "phoneNumber": customer["phoneNumber"],
            "email": customer["email"],
            "pricesIncludeTax": False,
            "shipmentMethodId": customer["shipmentMethodId"],
            "salesperson": customer["salespersonCode"],
        }
        for part, name in zip(_PARTS, _CUSTOMER_PARTS, strict=True):
            taken[f"sellTo{part}"] = taken[f"shipTo{part}"] = customer[name]
        billed = customer if bill_to in (values.NO_ID, customer["id"]) else self._billed(bill_to)
        return taken | self._bill_to(billed)

    def _bill_to(self, customer: Row) -> Row:
        """Everything an order takes over from the customer who pays."""
        taken: Row = {
            "billToCustomerId": customer["id"],
            "billToName": customer["displayName"],
            "currencyId": customer["currencyId"],
            "paymentTermsId": customer["paymentTermsId"],
        }
        for part, name in zip(_PARTS, _CUSTOMER_PARTS, strict=True):
            taken[f"billTo{part}"] = customer[name]
        return taken

    # -- details ----------------------------------------------------------------------------------------------

    def _complete(self, row: Row, sent: Values) -> None:
        """Complete the addresses; the bill-to one follows the sell-to one while both are the same customer."""
        addresses.complete(row, sent, addresses.SELL_TO)
        addresses.complete(row, sent, addresses.SHIP_TO)
        edited = any(name.startswith("sellTo") for name in sent)
        if edited and row["billToCustomerId"] == row["customerId"]:
            for part in _PARTS:
                row[f"billTo{part}"] = row[f"sellTo{part}"]

    def check(self, row: Row, sent: Values, *, old: Row | None) -> None:
        """The forms of what has a form."""
        check_contact(sent)
        if row["billToCustomerId"] == values.NO_ID:
            raise errors.dialog("A sales order needs a customer to bill.")
