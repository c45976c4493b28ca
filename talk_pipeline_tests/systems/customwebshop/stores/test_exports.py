"""An export that is not whole is never taken for a shop whose records are gone: it is not read, and named."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from talk_pipeline.flows.loading import load_flows
from talk_pipeline.systems.customwebshop.spec.description import Description
from talk_pipeline.systems.customwebshop.stores.export import Exports
from talk_pipeline.systems.customwebshop.stores.folders import LocalFolder
from talk_pipeline.systems.customwebshop.wire.fitting import load_description
from talk_pipeline.systems.errors import UnavailableFault
from talk_pipeline_tests.systems.customwebshop.stores.filed_shop import LINES, FileShop


class Door:
    """What is read through a folder."""

    def __init__(self, shop: FileShop, folder: Path, **instead: str) -> None:
        self.shop = shop
        self.folder = LocalFolder(shop.folder, setting="CUSTOMWEBSHOP_FILES")
        self.said: Description = load_description(shop.described(folder, **instead), flows=load_flows())

    def of(self, entity: str) -> Exports:
        assert self.said.files is not None
        return Exports(self.folder, self.said.files, self.said.collections[entity], self.said.xml)

    def read(self, entity: str) -> dict[str, dict[str, object]]:
        return {own: dict(row) for own, row in self.of(entity).now().rows.items()}


@pytest.fixture
def shop(tmp_path: Path) -> FileShop:
    made = FileShop(tmp_path / "exchange")
    customer = made.add("customers", number="C1", company_name="Ærø & Søn")
    product = made.add("products", sku="P1", name='a "quoted"; name\nof two lines', price="01.50")
    for number in ("O1", "O2"):
        order = made.add("orders", number=number, customer=customer)
        made.add(LINES, order_id=order, product=product, quantity="2", unit_price="1.50")
    made.export()
    return made


def test_values_are_as_they_were_written(shop: FileShop, tmp_path: Path) -> None:
    door = Door(shop, tmp_path)
    (product,) = door.read("products").values()
    assert (product["name"], product["price"]) == ('a "quoted"; name\nof two lines', "01.50")
    (customer,) = door.read("customers").values()
    assert customer["company_name"] == "Ærø & Søn"
    orders = door.read("orders")
    assert [len(order["lines"]) for order in orders.values()] == [1, 1]  # type: ignore[arg-type]


def cut(file: Path, *, keep: Callable[[bytes], int]) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: keep(content)])


@pytest.mark.parametrize(
    ("keep", "said"),
    [
        (lambda content: content.index(b"01.50") + 3, "has no end, as if it broke off"),
        (lambda content: content.index(b"two lines"), "has no end, as if it broke off"),
        (
            lambda content: content.index(b"\r\n") + 2,
            "has no record: that is believed where `may_be_empty: true`",
        ),
        (lambda content: 0, "it is empty, without so much as a header"),
    ],
    ids=[
        "in a value",
        "in a line",
        "after its header",
        "all",
    ],
)
def test_a_file_that_breaks_off_is_not_read(
    shop: FileShop, tmp_path: Path, keep: Callable[[bytes], int], said: str
) -> None:
    cut(shop.newest("products"), keep=keep)
    with pytest.raises(UnavailableFault, match=said):
        Door(shop, tmp_path).read("products")


def test_a_file_cut_between_two_records_is_known_by_its_count(shop: FileShop, tmp_path: Path) -> None:
    door = Door(shop, tmp_path, **{"# count: ": "count: "})
    file = shop.newest("customers")
    with pytest.raises(UnavailableFault, match="its last line is not #{count}, as if it broke off"):
        door.read("customers")
    file.write_bytes(file.read_bytes() + b"#2\r\n")
    with pytest.raises(UnavailableFault, match="it says that it has 2 records, and has 1"):
        door.read("customers")
    file.write_bytes(file.read_bytes().replace(b"#2", b"#1"))
    assert len(door.read("customers")) == 1


def test_orders_and_lines_that_do_not_belong_together_are_not_read(shop: FileShop, tmp_path: Path) -> None:
    orders, lines = shop.newest("orders"), shop.newest(LINES)
    whole = {file: file.read_bytes() for file in (orders, lines)}
    one_less = [content[: content[:-2].rindex(b"\r\n") + 2] for content in whole.values()]
    orders.write_bytes(one_less[0])
    with pytest.raises(UnavailableFault, match="lines of '5', which is not in out/orders"):
        Door(shop, tmp_path).read("orders")
    orders.write_bytes(whole[orders])
    lines.write_bytes(one_less[1])
    with pytest.raises(UnavailableFault, match="5 has no lines in out/order-lines"):
        Door(shop, tmp_path).read("orders")


def test_the_last_export_that_has_all_its_files_counts(shop: FileShop, tmp_path: Path) -> None:
    door = Door(shop, tmp_path)
    order = next(iter(shop.rows["orders"]))
    shop.edit("orders", order, status="cancelled")
    shop.export("orders")
    assert door.read("orders")[order]["status"] == "open", "its lines are not there yet"
    shop.export("orders", LINES)
    assert door.read("orders")[order]["status"] == "cancelled"


def test_names_are_in_the_order_in_which_people_count(shop: FileShop, tmp_path: Path) -> None:
    door = Door(shop, tmp_path)
    shop.newest("products").rename(shop.folder / "out" / "products_9.csv")
    shop.add("products", sku="P2", name="new", price="1")
    (shop.folder / "out" / "products_10.csv").write_text(shop.text("products"), newline="")
    assert len(door.read("products")) == 2


def test_what_has_no_mark_is_not_there_yet(shop: FileShop, tmp_path: Path) -> None:
    door, file = Door(shop, tmp_path, **{"# done: ": "done: "}), shop.newest("products")
    with pytest.raises(UnavailableFault, match="there is no whole file .*products"):
        door.read("products")
    mark = file.with_name(f"{file.name}.done")
    mark.touch()
    assert len(door.read("products")) == 1
    shop.add("products", sku="P2", name="new", price="1")
    shop.export("products")
    assert len(door.read("products")) == 1, "the new one has no mark"
    later = time.time() + 5
    os.utime(file, (later, later))
    with pytest.raises(UnavailableFault, match="there is no whole file"):
        door.read("products")


def test_files_that_are_parts_of_one_whole_are_there_together_or_not_read(
    shop: FileShop, tmp_path: Path
) -> None:
    take_all = {"out/products_*.csv\n    take: newest": "out/products_*.csv\n    take: all"}
    door = Door(shop, tmp_path, **take_all, **{"# done: ": "done: "})
    first = shop.newest("products")
    first.with_name(f"{first.name}.done").touch()
    shop.rows["products"] = {}
    shop.add("products", sku="P2", name="in a file of its own", price="1")
    shop.export("products")
    second = shop.newest("products")
    with pytest.raises(UnavailableFault, match="0002.csv is not whole yet: it has no .*0002.csv.done"):
        door.read("products")
    second.with_name(f"{second.name}.done").touch()
    assert {row["sku"] for row in door.read("products").values()} == {"P1", "P2"}
    third = first.with_name("products_0003.csv")
    third.write_bytes(first.read_bytes())
    third.with_name(f"{third.name}.done").touch()
    with pytest.raises(UnavailableFault, match="is there a second time.*say take: newest.*take: each"):
        door.read("products")


def test_of_a_record_the_last_file_that_has_it_counts(shop: FileShop, tmp_path: Path) -> None:
    door = Door(shop, tmp_path, **{"take: newest # each": "take: each # each"})
    own = next(iter(shop.rows["customers"]))
    shop.edit("customers", own, company_name="Newer")
    shop.add("customers", number="C2", company_name="New")
    shop.export("customers")
    shop.rows["customers"].pop(own)
    shop.export("customers")
    assert [row["company_name"] for row in door.read("customers").values()] == ["Newer", "New"]


def test_a_file_that_grows_while_it_is_read_is_not_read(
    shop: FileShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door, file, read = Door(shop, tmp_path), shop.newest("products"), LocalFolder.read

    grown: list[int] = []

    def growing(folder: LocalFolder, name: str) -> bytes | None:
        content = read(folder, name)
        grown.append(90 + len(grown))
        with file.open("ab") as out:
            out.write(b"%d;P;grown;1;;DKK;pcs;;true;\r\n" % grown[-1])
        return content

    monkeypatch.setattr(LocalFolder, "read", growing)
    with pytest.raises(UnavailableFault, match="change while they are read"):
        door.read("products")
    monkeypatch.setattr(LocalFolder, "read", read)
    assert len(door.read("products")) == 1 + len(grown)


def test_a_file_written_to_just_now_is_waited_for(
    shop: FileShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door, waited = Door(shop, tmp_path, **{"quiet_seconds: 0": "quiet_seconds: 60"}), list[float]()
    file = shop.newest("products")

    def meanwhile(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 1:
            file.write_bytes(file.read_bytes() + b"9;P9;the rest;1;;DKK;pcs;;true;\r\n")

    monkeypatch.setattr("talk_pipeline.systems.customwebshop.stores.export.time.sleep", meanwhile)
    assert set(door.read("products")) == {"2", "9"}
    assert [round(seconds / 10) for seconds in waited] == [6, 6], "once more, since it was written to"


def test_a_folder_or_a_file_that_is_not_there_is_no_empty_shop(shop: FileShop, tmp_path: Path) -> None:
    shop.newest("customers").unlink()
    with pytest.raises(
        UnavailableFault, match="no whole file .*customers.* not taken for a shop without records"
    ):
        Door(shop, tmp_path).read("customers")
