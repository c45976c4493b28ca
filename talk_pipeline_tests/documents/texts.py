"""The text of a document, put together from what a test says of it."""

from collections.abc import Iterable

CUSTOMER, ORDER = ("Customer", "Customers company"), ("Order", "Salesorders")
PRODUCT, LINES = ("Product", "Items"), ("Order line", "Salesorderlines")
Rows = Iterable[tuple[str, ...]]


def document(*sections: str, shop: str = "Customwebshop") -> str:
    title = f"{shop} to Businesscentral Dataflow"
    return "\n".join((title, "=" * len(title), "", *sections))


def section(
    names: tuple[str, str], rows: Rows = (), *, say: str = "", merge: Rows = (), shop: str = ""
) -> str:
    a, b = f"{shop or 'Customwebshop'} {names[0]}", f"Businesscentral {names[1]}"
    heading = f"{a} to {b}"
    said = (say or "Every {a} will be synchronized with a {b}.").format(a=a, b=b)
    text = f"{heading}\n{'-' * len(heading)}\n{said}\n\n"
    if merge:
        text += f"A {a} will merge with a {b} if one of the following property combinations match:\n\n"
        text += _table([("A", "B"), *merge])
    return text + _table([("A", "B", "C"), *rows])


def _table(rows: Rows) -> str:
    cells = "".join("   * - " + "\n     - ".join(row) + "\n" for row in rows)
    return f".. list-table::\n   :header-rows: 1\n\n{cells}\n\n"
