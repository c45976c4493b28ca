"""Writes data-flow documents of all kinds from a seed, and keeps what it wrote with the lines.

It knows the family as its readers do, and nothing of the code that reads it. Whoever changes it changes the corpus:
the documents of a seed are not kept.
"""

import random
from dataclasses import dataclass, field

SYSTEMS = (
    "Customwebshop", "Customcrm", "Customerp", "Customhrm", "Custom PMS", "Shop 24", "web-shop 2", "A/B-store",
    "Tick to Do", "power_desk", "Övre Kassa", "shop*", "",
)  # fmt: skip
CENTRALS = ("Businesscentral", "Businesscentral", "BusinessCentral", "Business Central", "businesscentral")

SYNCHRONIZED = {
    "Customers company": ("customer", ("Customer", "Account", "Client company", "Organisation")),
    "Customers": ("customer", ("Customer", "Companies")),
    "Items": ("product", ("Product", "Article", "Goods")),
    "Salesorders": ("order", ("Order", "Deal", "Orders")),
    "Sales orders": ("order", ("Order",)),
    "Salesorderlines": ("order", ("Order line", "Line items", "Orderlines")),
    "SalesOrderLines": ("order", ("Orderline",)),
    "Customers person": ("customer_person", ("Customer", "Person")),
}
OTHERS = (
    "Contacts person", "Contacts company", "Resources", "Companies", "Projects", "Currencies", "Vendors",
    "Salesquotes", "Salesquotelines", "Dimensions", "Unitsofmeasure", "Jobs to do",
)  # fmt: skip
OTHER_NOUNS = ("Contact", "User", "Project", "Currency", "Supplier", "Quote", "Time to bill", "Team")

SHOP = {
    "customer": (
        "number", "company_name", "contact_name", "organization_number", "email", "phone", "website", "currency",
        "active", "address.line1", "address.city", "address.postal_code", "address.country",
    ),
    "customer_person": ("number", "contact_name", "email", "phone", "address.line1", "address.city", "currency"),
    "product": ("sku", "name", "gtin", "category", "unit", "price", "cost", "price_includes_tax", "stock"),
    "order": (
        "number", "erp_number", "customer_id", "ordered_at", "currency", "email", "billing_address.city",
        "shipping_address.postal_code", "discount_amount", "status", "total_tax", "product_id", "quantity",
        "unit_price", "description", "line_total",
    ),
}  # fmt: skip
CENTRAL = {
    "customer": (
        "number", "displayName", "taxRegistrationNumber", "email", "phoneNumber", "website", "addressLine1", "city",
        "postalCode", "country", "currencyCode", "blocked", "creditLimit", "balanceDue", "lastModifiedDateTime",
    ),
    "customer_person": ("number", "displayName", "email", "phoneNumber", "city", "currencyCode"),
    "product": (
        "number", "displayName", "gtin", "itemCategoryCode", "unitPrice", "unitCost", "priceIncludesTax", "blocked",
        "inventory", "displayName2",
    ),
    "order": (
        "externalDocumentNumber", "number", "customerId", "orderDate", "currencyCode", "email", "sellToCity",
        "shipToPostCode", "discountAmount", "status", "totalTaxAmount", "itemId", "quantity", "unitPrice",
        "description", "netAmount", "salesOrderLines.quantity", "salesOrderLines.Unit Price",
    ),
}  # fmt: skip
PAIRS = {
    "customer": (("number", "number"), ("email", "email"), ("address.city", "city"), ("phone", "phoneNumber"),
                 ("company_name", "displayName"), ("contact_name", "displayName"), ("active", "blocked")),
    "customer_person": (("contact_name", "displayName"), ("email", "email")),
    "product": (("sku", "number"), ("name", "displayName"), ("price", "unitPrice"), ("stock", "inventory")),
    "order": (("number", "externalDocumentNumber"), ("customer_id", "customerId"), ("status", "status"),
              ("billing_address.city", "sellToCity"), ("unit_price", "unitPrice"), ("product_id", "itemId"),
              ("quantity", "salesOrderLines.quantity"), ("discount_amount", "discountAmount")),
}  # fmt: skip
ODD = (
    "billing.address_1", "name_", "*", "_links.self", "meta_data[0].value", "a|b", "`tick`", "Ø-nummer", "x y z",
    "|sub|", "**bold**", "is it?", "1", "#", "c:\\\\d", "", "N/A", "custom field 7", "address.postalCode",
)  # fmt: skip
TYPES = (
    '"string"', '"string"', "string", '"float"', "float", "N/A", '"N/A"', "", "boolean", '"integer"', '"datetime"',
    "date", "array", "guid", "mystery(3)",
)  # fmt: skip


@dataclass(frozen=True)
class WrittenRow:
    """A row as it stands in the file; `flow` is the one its section leads to, if any."""

    line: int
    cells: tuple[str, ...]
    flow: str | None
    merge: bool
    reverse: bool


@dataclass(frozen=True)
class WrittenSection:
    """A heading; `flow` is None where no flow can follow."""

    line: int
    heading: str
    flow: str | None


@dataclass
class Written:
    """A document, and what is in it."""

    seed: int
    lines: list[str] = field(default_factory=list)
    rows: list[WrittenRow] = field(default_factory=list)
    sections: list[WrittenSection] = field(default_factory=list)
    content: bytes = b""

    def say(self, *lines: str) -> None:
        self.lines += lines

    @property
    def next_line(self) -> int:
        return len(self.lines) + 1


def write(seed: int) -> Written:
    """The document of a seed."""
    dice, written = random.Random(seed), Written(seed)  # noqa: S311
    shop, central = dice.choice(SYSTEMS), dice.choice(CENTRALS)
    first, second = (central, shop) if dice.random() < 0.1 else (shop, central)
    title = f"{first} to {second} Dataflow"
    rule = "=" * (len(title) + dice.choice((0, 0, 30)))
    written.say(*([rule] if dice.random() < 0.9 or len(rule) > len(title) else []), title, rule, "")
    written.say(
        "Generated: 2024-09-10 14:34:11", "", dice.choice(("Introduction", "Introduction.")), "-" * 13, ""
    )
    written.say(f"This document tells of the data flow from {first} to {second}. It is a checklist.", "")
    empty = dice.random() < 0.15
    for _ in range(dice.randint(1, 9)):
        back = dice.random() < (0.9 if first is central else 0.12)
        _section(dice, written, shop, central, back=back, empty=empty)
    ending = dice.choice(("\n", "\n", "\r\n"))
    text = ending.join(written.lines) + dice.choice((ending, ""))
    written.content = (b"\xef\xbb\xbf" if dice.random() < 0.2 else b"") + text.encode()
    return written


def _section(
    dice: random.Random, written: Written, shop: str, central: str, *, back: bool, empty: bool
) -> None:
    flow: str | None = None
    if dice.random() < 0.65:
        noun = dice.choice(list(SYNCHRONIZED))
        flow, nouns = SYNCHRONIZED[noun]
        own = dice.choice(nouns)
    else:
        noun, own = dice.choice(OTHERS), dice.choice(OTHER_NOUNS)
    # now and then a heading spells a system otherwise than the title, or leaves the shop's out
    if dice.random() < 0.1:
        central = dice.choice(CENTRALS)
    if dice.random() < 0.05:
        shop = ""
    there, here = f"{central} {noun}", f"{shop} {own}"
    a, b = (there, here) if back else (here, there)
    if dice.random() < 0.05:
        a, b, flow = "Further", "notes", None
    written.sections.append(WrittenSection(written.next_line, f"{a} to {b}", flow))
    heading = f"{a} to {b}"
    written.say(heading, "-" * (len(heading) + dice.choice((0, 0, 7))))
    written.say(*_creation(dice, a, b, central))
    if dice.random() < 0.3 and not empty:
        written.say(f"A {a} will merge with a {b} if one of the following property combinations match:", "")
        rows = [(left, right) for left, right, _ in _chosen(dice, flow, back=back)]
        if dice.random() < 0.2:
            rows.append(("name, email", "displayName, email"))
        _table(dice, written, (f"{a} Property", f"{b} Property"), rows, flow=flow, merge=True, back=back)
    written.say(
        f"Once a link between a {a} and a {b} is established, it will keep in sync between the two systems,"
        " regardless of where it is edited.", "",
    )  # fmt: skip
    if dice.random() < 0.1:
        written.say("Somebody wrote something of their own here.", "")
    if dice.random() < 0.95:
        written.say(f"The following properties are synchronized between a {a} and a {b}:", "")
        some = [] if empty or dice.random() < 0.3 else _chosen(dice, flow, back=back)
        head = f"{a} Property", f"{b} Property", f"{shop if back else central} Data Type"
        _table(dice, written, head, some, flow=flow, merge=False, back=back)


def _creation(dice: random.Random, a: str, b: str, central: str) -> tuple[str, ...]:
    every = f"Every {a} will be synchronized with a {b}."
    first = f"Before any synchronization can take place, a link between a {a} and a {b} must be established."
    made = f"A new {b} will be created from a {a}"
    connected = f"{made} if it is connected to a {a} or Thing that is synchronized into {central}."
    own = f"{made} if its state is won."
    return dice.choice(
        ((every, ""), (every, ""), (first, ""), (first, "", connected, ""), (first, own, ""), ())
    )


def _chosen(dice: random.Random, flow: str | None, *, back: bool) -> list[tuple[str, str, str]]:
    of = flow or dice.choice(list(PAIRS))
    rows = []
    for _ in range(dice.randint(1, 12)):
        if dice.random() < 0.5:
            left, right = dice.choice(PAIRS[of])
        else:
            left = dice.choice(SHOP[of] if dice.random() < 0.5 else ODD)
            right = dice.choice(CENTRAL[of] if dice.random() < 0.6 else ODD)
        left, right = _spelled(dice, left), _spelled(dice, right)
        rows.append((right, left, dice.choice(TYPES)) if back else (left, right, dice.choice(TYPES)))
        if dice.random() < 0.1:
            rows.append(rows[-1])
    return rows


def _spelled(dice: random.Random, name: str) -> str:
    """As it is, or in Title Case, or camelCase."""
    words = name.replace("_", " ").split()
    if name in ODD or dice.random() < 0.7:
        return name
    if dice.random() < 0.5:
        return " ".join(word[:1].upper() + word[1:] for word in words)
    return words[0] + "".join(word[:1].upper() + word[1:] for word in words[1:])


def _table(
    dice: random.Random,
    written: Written,
    head: tuple[str, ...],
    rows: list[tuple[str, ...]] | list[tuple[str, str]] | list[tuple[str, str, str]],
    *,
    flow: str | None,
    merge: bool,
    back: bool,
) -> None:
    written.say(".. list-table::", "   :header-rows: 1", "")
    for number, cells in enumerate([head, *rows]):
        if number and len(cells) == 3 and dice.random() < 0.02:
            cells = cells[:2]
        if number:
            written.rows.append(WrittenRow(written.next_line, tuple(cells), flow, merge, back))
        bullet = "   * "
        for cell in cells:
            written.say(f"{bullet}- {cell}".rstrip())
            bullet = "     "
    written.say("", "")
