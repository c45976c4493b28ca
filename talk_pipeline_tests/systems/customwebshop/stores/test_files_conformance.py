"""A folder of files does what is asked of every system that is read; what is written is answered later."""

import asyncio
import shutil
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from talk_pipeline.engine.model import Outcome, Result, Write
from talk_pipeline.flows.loading import load_flows
from talk_pipeline.systems.customwebshop.stores import files
from talk_pipeline.systems.customwebshop.stores.filed import FiledShop
from talk_pipeline.systems.customwebshop.stores.folders import LocalFolder
from talk_pipeline.systems.customwebshop.stores.opening import opened
from talk_pipeline.systems.customwebshop.stores.store import PerhapsDoneError
from talk_pipeline.systems.customwebshop.wire.fitting import fitted, load_description
from talk_pipeline.systems.protocol import AnswersLater, System
from talk_pipeline_tests.systems.conformance import ReadingConformance, Subject, identified
from talk_pipeline_tests.systems.customwebshop.stores.filed_shop import FileShop

EMPTY = {"path: out/products_*.csv": "path: out/products_*.csv\n    may_be_empty: true"}


class Products:
    """`products` of a shop that exports after each edit."""

    flow = "product"
    entity = "products"
    key = "sku"
    name = "name"

    def __init__(self, shop: FileShop, description: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shop = shop
        self._description = description
        self._monkeypatch = monkeypatch

    def opened(self) -> AbstractAsyncContextManager[System]:
        flows = load_flows()
        description = load_description(self._description, flows=flows)
        fits = fitted(flows, description)
        where = str(self.shop.folder)
        return identified(opened(description, fits, secret=SecretStr, plain=lambda _: where))

    def make(self, key: str) -> str:
        own = self.shop.add("products", sku=key, name=f"Product {key}", price="1")
        self.shop.export("products")
        return own

    def edit(self, record_id: str, name: str) -> None:
        self.shop.edit("products", record_id, name=name)
        self.shop.export("products")

    def delete(self, record_id: str) -> None:
        self.shop.delete("products", record_id)
        self.shop.export("products")

    def names(self) -> dict[str, str]:
        return {row["sku"]: row["name"] for row in self.shop.rows["products"].values()}

    def values(self, key: str) -> Mapping[str, str | None]:
        return {"sku": key, "name": f"named {key}", "price": "1.00", "currency": "DKK", "unit": "pcs"}

    def pages_of(self, size: int) -> None:
        self._monkeypatch.setattr(files, "PAGE", size)

    def loses_answer(self, *, done: bool) -> None:
        raise NotImplementedError

    def fails_reading_after(self, pages: int) -> None:
        """All is read before the first page is shown: the folder itself is gone."""
        shutil.rmtree(self.shop.folder)

    def let_time_pass(self) -> None:
        time.sleep(0.01)


@pytest.fixture
def subject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Products:
    shop = FileShop(tmp_path / "exchange")
    shop.export("products")
    return Products(shop, shop.described(tmp_path, **EMPTY), monkeypatch)


class TestFiles(ReadingConformance):
    @pytest.fixture
    def subject(self, subject: Products) -> Subject:
        return subject


def test_a_write_is_a_file_and_of_unknown_outcome_until_the_export_shows_it(subject: Products) -> None:
    shop, own = subject.shop, subject.make("K1")
    assert ended(subject, update(subject, own, "new", key="a" * 8)).result is Result.UNKNOWN
    assert shop.waiting() == ["products-aaaaaaaa.csv"]
    assert ended(subject, update(subject, own, "new", key="a" * 8)).result is Result.UNKNOWN
    assert shop.waiting() == ["products-aaaaaaaa.csv"], "the same intent is the same file"
    assert shop.rows["products"][own]["name"] == "Product K1"
    shop.take()
    shop.export("products")
    assert shop.rows["products"][own]["name"] == "new"
    assert shop.rows["products"][own]["cost"] == "", "what is not told stays as it was"


def test_a_record_is_made_and_deleted_by_a_file_too(subject: Products) -> None:
    shop = subject.shop
    create = Write(subject.entity, "create", None, None, subject.values("K1"), "a" * 8)
    assert ended(subject, create).result is Result.UNKNOWN
    header, row = (shop.folder / "in" / "products-aaaaaaaa.csv").read_bytes().decode().splitlines()
    assert header == "id;sku;name;price;cost;currency;unit;stock;active;updated_at;action"
    assert row == ";K1;named K1;1.00;;DKK;pcs;;;;create"
    shop.take()
    shop.export("products")
    assert subject.names() == {"K1": "named K1"}
    (own,) = shop.rows["products"]
    delete = replace(update(subject, own, "", key="b" * 8), operation="delete", values={})
    assert ended(subject, delete).result is Result.UNKNOWN
    assert subject.names() == {"K1": "named K1"}
    shop.take()
    shop.export("products")
    assert subject.names() == {}
    assert ended(subject, delete).result is Result.DONE, "it is not exported any more"


def test_what_is_to_be_done_is_said_in_the_shops_own_words(
    subject: Products, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = {
        "operation: action": "operation: action\n    operations: {update: U}\n    done: '{}.ok'",
        "{entity}-": "{entity}-{operation}-",
    }
    said = Products(subject.shop, subject.shop.described(tmp_path, **EMPTY, **words), monkeypatch)
    ended(said, update(said, said.make("K1"), "new", key="a" * 8))
    name, mark = subject.shop.waiting()
    assert mark == f"{name}.ok"
    assert name == "products-U-aaaaaaaa.csv"
    assert (subject.shop.folder / "in" / name).read_text().splitlines()[1].endswith(";U")


@pytest.mark.parametrize(
    ("lost", "result"),
    [("products-aaaaaaaa.csv", Result.FAILED), ("products-aaaaaaaa.csv.ok", Result.UNKNOWN)],
)
def test_what_is_told_is_told_by_the_last_file(
    subject: Products, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str, result: Result
) -> None:
    marking = {"operation: action": "operation: action\n    done: '{}.ok'"}
    said = Products(subject.shop, subject.shop.described(tmp_path, **EMPTY, **marking), monkeypatch)
    write, put = update(said, said.make("K1"), "new", key="a" * 8), LocalFolder.put

    def losing(folder: LocalFolder, name: str, content: bytes) -> None:
        put(folder, name, content)
        if name == f"in/{lost}":
            raise PerhapsDoneError("the connection is gone")

    monkeypatch.setattr(LocalFolder, "put", losing)
    assert ended(said, write).result is result


def test_what_was_exported_anew_meanwhile_is_stale_and_what_is_not_exported_gone(subject: Products) -> None:
    own = subject.make("K1")
    seen = update(subject, own, "new", key="b" * 8)
    subject.edit(own, "edited meanwhile")
    assert ended(subject, seen).result is Result.STALE
    subject.delete(own)
    assert ended(subject, seen).result is Result.GONE
    assert subject.shop.waiting() == []


def test_files_that_are_as_they_were_are_not_read_for_their_latest(
    subject: Products, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject.make("K1")

    async def latest() -> datetime | None:
        async with subject.opened() as system:
            return await system.latest("product")

    first = asyncio.run(latest())
    with monkeypatch.context() as without:
        without.delattr(LocalFolder, "read")
        assert asyncio.run(latest()) == first
    subject.let_time_pass()
    subject.make("K2")
    second = asyncio.run(latest())
    assert first is not None
    assert second is not None
    assert second > first


def test_what_the_shop_refused_and_what_it_left_lying_is_heard(subject: Products) -> None:
    own = subject.make("K1")
    for key in ("c" * 8, "d" * 8):
        ended(subject, update(subject, own, f"new {key}", key=key))
    subject.shop.refuses = lambda row: "no room for cccccccc" if row["name"].endswith("c") else None
    (subject.shop.folder / "in" / "products-dddddddd.csv").rename(subject.shop.folder / "later")
    subject.shop.take()
    (subject.shop.folder / "later").rename(subject.shop.folder / "in" / "products-dddddddd.csv")

    async def heard() -> Mapping[str, Outcome]:
        async with subject.opened() as system:
            assert isinstance(system, FiledShop)
            assert isinstance(system, AnswersLater)
            return await system.heard("product", ["c" * 8, "d" * 8, "e" * 8])

    told = asyncio.run(heard())
    assert set(told) == {"c" * 8, "d" * 8}
    assert (told["c" * 8].result, told["c" * 8].ended) == (Result.REFUSED, True)
    assert told["c" * 8].reason.endswith("rejected/products-cccccccc.txt: no room for cccccccc")
    assert told["d" * 8].result is Result.UNKNOWN
    assert "in/products-dddddddd.csv still lies there" in told["d" * 8].reason


def update(subject: Products, own: str, name: str, *, key: str) -> Write:
    async def read() -> str:
        async with subject.opened() as system:
            record = await system.get("product", own)
            assert record is not None
            return record.payload

    payload = asyncio.run(read())
    return Write("products", "update", own, None, {"name": name}, key, current=payload)


def ended(subject: Products, write: Write) -> Outcome:
    async def work() -> Outcome:
        async with subject.opened() as system:
            (outcome,) = await system.write("product", [write])
            return outcome

    return asyncio.run(work())
