"""What a stored record shows: values that live elsewhere, computed ones, and the shape on the wire.

`reading` decides which records and properties; here is what each of them looks like.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from operator import itemgetter
from typing import Any

from talk_pipeline.sandbox.businesscentral import values
from talk_pipeline.sandbox.businesscentral.company import Company
from talk_pipeline.sandbox.businesscentral.etags import etag_of
from talk_pipeline.sandbox.businesscentral.schema import EntitySet, Navigation, Property
from talk_pipeline.sandbox.store import Row

Getter = Callable[[Row], Any]


def getter(company: Company, entity_set: EntitySet, name: str) -> Getter:
    """Reads the stored form of a property from a row, wherever it lies."""
    computed = _COMPUTED.get((entity_set.name, name))
    if computed is not None:
        return lambda row: computed(company, row)
    if name in entity_set.twins:
        return _twin(company, entity_set, name)
    return itemgetter(name)


def all_properties(company: Company, entity_set: EntitySet, row: Row) -> Row:
    """All properties of a record in stored form."""
    return {name: getter(company, entity_set, name)(row) for name in entity_set.properties}


class View:
    """Turns rows of one set into objects on the wire.

    Args:
        company: where they live; None for sets beside the companies.
        entity_set: their set.
        select: the properties to show; None for all.
    """

    def __init__(self, company: Company, entity_set: EntitySet, select: list[str] | None = None) -> None:
        self._set = entity_set
        names = (
            list(entity_set.properties)
            if select is None
            else [n for n in entity_set.properties if n in select]
        )
        padded = company.settings["decimal_zeros"] == "two_places"
        self._columns = [
            (name, _on_wire(entity_set.properties[name], getter(company, entity_set, name), padded=padded))
            for name in names
        ]

    def __call__(self, row: Row) -> dict[str, Any]:
        """The object for one row."""
        result: dict[str, Any] = {"@odata.etag": etag_of(self._set, row)} if self._set.etag else {}
        for name, get in self._columns:
            result[name] = get(row)
        return result


def bare(
    navigation: Navigation, properties: Mapping[str, Property], key: str, row: Row
) -> dict[str, Any] | None:
    """The expansion of a type the sandbox holds no records of."""
    if navigation.entity not in ("customerFinancialDetail", "picture", "agedAccountsReceivable"):
        return None
    result = {name: values.show(entry, values.blank(entry)) for name, entry in properties.items()}
    result[key] = row["id"]
    for name in ("number", "customerNumber"):
        if name in result:
            result[name] = row.get("number", "")
    return result


def _on_wire(entry: Property, get: Getter, *, padded: bool) -> Getter:
    if entry.kind == "DateTime":
        return lambda row: values.show_moment(get(row))
    if entry.kind == "Amount" and padded:
        return lambda row: _padded(get(row))
    return get


def _padded(value: Decimal) -> Decimal:
    """With two decimals at least: a currency may have more."""
    cents = value.quantize(Decimal("0.01"))
    return cents if cents == value else value


def _twin(company: Company, entity_set: EntitySet, name: str) -> Getter:
    """A code shown beside the id that is stored."""
    ref = entity_set.properties[name].ref
    if ref is None:
        raise AssertionError(f"{name} has no table to look into")
    holder, column = entity_set.twins[name], ref[1]
    rows = company.table(ref[0]).rows
    if ref[0] == "currencies":

        def currency(row: Row) -> Any:
            found = rows.get(row[holder])
            return found[column] if found else company.local_currency

        return currency

    def code(row: Row) -> Any:
        found = rows.get(row[holder])
        return found[column] if found else ""

    return code


def _tax_area(company: Company, row: Row) -> str:
    area = company.table("taxAreas").get(row["taxAreaId"])
    return str(area["displayName"]) if area else ""


def _balance_due(company: Company, row: Row) -> Decimal:
    today = company.today()
    invoices = company.table("salesInvoices").find("customerId", row["id"])
    due = (invoice["remainingAmount"] for invoice in invoices if invoice["dueDate"] < today)
    return sum(due, Decimal(0))


def _item_number(company: Company, row: Row) -> str:
    item = company.table("items").get(row["itemId"])
    return str(item["number"]) if item else ""


_COMPUTED: Mapping[tuple[str, str], Callable[[Company, Row], Any]] = {
    ("customers", "taxAreaDisplayName"): _tax_area,
    ("customers", "balanceDue"): _balance_due,
    ("itemVariants", "itemNumber"): _item_number,
    ("companyInformation", "currencyCode"): lambda _company, row: row["_currency"],
}
