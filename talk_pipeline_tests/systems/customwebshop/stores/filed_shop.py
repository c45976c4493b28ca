"""A shop that knows others by files alone: it exports, and takes what lies there, when it is told to."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from talk_pipeline_tests.systems.customwebshop.stores.templates import filled_in

COLUMNS = {
    "customers": "id number company_name contact_name vat email phone www street zip town country currency active",
    "products": "id sku name price cost currency unit stock active",
    "orders": "id number erp_number customer placed_at currency status",
    "order-lines": "id order_id product description unit quantity unit_price",
}
FRESH = {
    "customers": {"currency": "DKK", "active": "true"},
    "products": {"currency": "DKK", "unit": "pcs", "active": "true"},
    "orders": {"currency": "DKK", "status": "open"},
    "order-lines": {"unit": "pcs"},
}
LINES = "order-lines"
Row = dict[str, str]


class FileShop:
    """One shop and its exchange folder.

    Args:
        folder: where the exchange lies.

    Attributes:
        refuses: says why it refuses a row that it is told, if it does.
        taken: names of the files it took.
        leaves: what it does with a file that it took; it knows what it took in any case.
    """

    ending = "csv"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("out", "in", "rejected"):
            (folder / name).mkdir(parents=True)
        self.rows: dict[str, dict[str, Row]] = {name: {} for name in COLUMNS}
        self.refuses: Callable[[Row], str | None] = lambda _: None
        self.taken: list[str] = []
        self.leaves: Callable[[Path], object] = Path.unlink
        self._exports = 0
        self._ids = 0

    def described(self, folder: Path, **instead: str) -> Path:
        """The template filled in, for files that need not rest."""
        rest = {"  # quiet_seconds: 30": "  quiet_seconds: 0"}
        return filled_in("template-files.yaml", folder, name="Files", instead=rest | instead)

    def add(self, kind: str, **values: str) -> str:
        self._ids += 1
        own = str(self._ids)
        names = [*COLUMNS[kind].split(), *([] if kind == LINES else ["updated_at"])]
        self.rows[kind][own] = {
            **dict.fromkeys(names, ""),
            **FRESH[kind],
            "id": own,
            **self._now(kind),
            **values,
        }
        return own

    def edit(self, kind: str, own: str, **values: str) -> None:
        self.rows[kind][own] |= {**self._now(kind), **values}

    def delete(self, kind: str, own: str) -> None:
        del self.rows[kind][own]

    def export(self, *kinds: str) -> None:
        """Writes what there is, each file under another name first."""
        self._exports += 1
        for kind in kinds or COLUMNS:
            name = f"{kind}_{self._exports:04}.{self.ending}"
            unfinished = self.folder / "out" / f"{name}.tmp"
            unfinished.write_bytes(self.text(kind).encode())
            unfinished.rename(self.folder / "out" / name)

    def text(self, kind: str) -> str:
        """What an export of one kind says."""
        out = io.StringIO(newline="")
        names = [*COLUMNS[kind].split(), *([] if kind == LINES else ["updated_at"])]
        writer = csv.DictWriter(out, names, delimiter=";", lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(self.rows[kind].values())
        return out.getvalue()

    def newest(self, kind: str) -> Path:
        """The last export of one kind."""
        return max((self.folder / "out").glob(f"{kind}_*.{self.ending}"))

    def waiting(self) -> list[str]:
        """What lies there and was not taken yet."""
        return sorted(file.name for file in (self.folder / "in").iterdir())

    def take(self) -> None:
        """Does what the files say that lie there, or says why not; then they are gone."""
        for file in sorted((self.folder / "in").glob(f"*.{self.ending}")):
            kind, _, key = file.stem.partition("-")
            if kind not in COLUMNS or file.name in self.taken:
                continue  # lines go with their record
            beside = file.with_name(f"{kind}_lines-{key}.{self.ending}")
            row, lines = self.understood(file, beside)
            reason = self.refuses(row)
            if reason is None:
                self._do(kind, row, lines)
                self.taken.append(file.name)
            else:
                (self.folder / "rejected" / f"{file.stem}.txt").write_text(reason)
            for one in filter(Path.exists, (file, beside)):
                self.leaves(one)

    def understood(self, file: Path, beside: Path) -> tuple[Row, list[Row] | None]:
        """What a file says of a record, and the one beside it of its lines."""
        (row,) = _read(file)
        return row, _read(beside) if beside.exists() else None

    def lines_of(self, own: str) -> list[Row]:
        """The lines of an order."""
        return [row for row in self.rows[LINES].values() if row["order_id"] == own]

    def _do(self, kind: str, row: Row, lines: list[Row] | None) -> None:
        action, own = row.pop("action"), row.pop("id", "")
        if action == "delete":
            self.delete(kind, own)
            return
        known = {name: value for name, value in row.items() if name != "updated_at"}
        if action == "create":
            own = self.add(kind, **known)
        else:
            self.edit(kind, own, **known)
        if lines is None:
            return
        for line_id in [one["id"] for one in self.lines_of(own)]:
            if line_id not in {one.get("id") for one in lines}:
                self.delete(LINES, line_id)
        for line in lines:
            line |= {"order_id": own}
            line_id = line.pop("id", "")
            if line_id:
                self.edit(LINES, line_id, **line)
            else:
                self.add(LINES, **line)

    def _now(self, kind: str) -> Row:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {} if kind == LINES else {"updated_at": now}


def _read(file: Path) -> list[Row]:
    with file.open(newline="", encoding="utf-8") as lines:
        return [dict(row) for row in csv.DictReader(lines, delimiter=";")]


def connected(shop: FileShop, folder: Path, monkeypatch: pytest.MonkeyPatch) -> FileShop:
    """It exports a customer, products and an order that has lines, and the settings lead to it."""
    leading_to(filled(shop), str(shop.folder), folder, monkeypatch)
    return shop


def leading_to(
    shop: FileShop, where: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **instead: str
) -> None:
    monkeypatch.setenv("CUSTOMWEBSHOP_CONNECTOR", str(shop.described(folder, **instead)))
    monkeypatch.setenv("CUSTOMWEBSHOP_FILES", where)
    monkeypatch.delenv("CUSTOMWEBSHOP_URL")


def filled(shop: FileShop) -> FileShop:
    named = {"number": "C1", "company_name": "Company C1", "email": "c1@company.example"}
    where = {"street": "Main Street 1", "zip": "1234", "town": "Middelby", "country": "DK"}
    customer = shop.add("customers", **named, **where)
    products = [
        shop.add("products", sku=f"P{n}", name=f"Product P{n}", price="100.00", cost="60.00")
        for n in range(3)
    ]
    order = shop.add("orders", number="O1", customer=customer, placed_at="2026-03-01T10:00:00Z")
    for product in products[:2]:
        shop.add(LINES, order_id=order, product=product, quantity="2", unit_price="100.00")
    shop.export()
    return shop


def one(shop: FileShop, kind: str, **values: str) -> dict[str, str]:
    """The row of the shop that has these values."""
    (found,) = [row for row in shop.rows[kind].values() if values.items() <= row.items()]
    return found


def answers(shop: FileShop) -> None:
    """The shop comes to it: it takes what lies there, and exports."""
    shop.take()
    shop.export()
