"""A database does what is asked of every system."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from talk_pipeline.engine.model import ChildEdit, Operation, Outcome, Result, Write
from talk_pipeline.flows.loading import load_flows
from talk_pipeline.systems.customwebshop.stores import database
from talk_pipeline.systems.customwebshop.stores.opening import opened
from talk_pipeline.systems.customwebshop.wire.fitting import fitted, load_description
from talk_pipeline.systems.protocol import System
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.systems.conformance import Subject, SystemConformance, identified
from talk_pipeline_tests.systems.customwebshop.stores.tables import TableShop

OWN_IDS = """
create table customers (id integer primary key, number text);
create table products (id integer primary key, sku text);
create table orders (number {type} primary key, status text);
create table order_lines (id integer primary key, order_id {type}, quantity numeric, description text)
"""
OWN = """
name: Own
database: {url: SHOP_DB}
entities:
  customers: {path: customers}
  products: {path: products}
  orders:
    path: orders
    id: number
    children: {lines: {table: order_lines, parent: order_id}}
"""


class Products:
    """`products` of a shop's database; its users work with its own programs."""

    flow = "product"
    entity = "products"
    key = "sku"
    name = "name"

    def __init__(self, shop: TableShop, description: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shop = shop
        self._description = description
        self._monkeypatch = monkeypatch

    def opened(self) -> AbstractAsyncContextManager[System]:
        flows = load_flows()
        description = load_description(self._description, flows=flows)
        return identified(
            opened(
                description,
                fitted(flows, description),
                secret=lambda _: SecretStr(self.shop.url),
                plain=str,
            )
        )

    def make(self, key: str) -> str:
        return self.shop.add("products", sku=key, name=f"Product {key}", price=1, updated_at=self.shop.now())

    def edit(self, record_id: str, name: str) -> None:
        self.shop.edit("products", record_id, name=name)

    def delete(self, record_id: str) -> None:
        self.shop.delete("products", record_id)

    def names(self) -> dict[str, str]:
        return {row["sku"]: row["name"] for row in self.shop.all("products").values()}

    def values(self, key: str) -> Mapping[str, str | None]:
        return {"sku": key, "name": f"named {key}", "price": "1.00", "currency": "DKK", "unit": "pcs"}

    def pages_of(self, size: int) -> None:
        self._monkeypatch.setattr(database, "PAGE", size)

    def loses_answer(self, *, done: bool) -> None:
        """The connection goes at the very commit, which the server carried out or not."""
        commit = sa.engine.default.DefaultDialect.do_commit

        def lost(dialect: sa.engine.default.DefaultDialect, connection: sa.PoolProxiedConnection) -> None:
            self._monkeypatch.setattr(sa.engine.default.DefaultDialect, "do_commit", commit)
            if done:
                commit(dialect, connection)  # type: ignore[no-untyped-call]
            raise dialect.loaded_dbapi.OperationalError("the connection is gone")

        self._monkeypatch.setattr(sa.engine.default.DefaultDialect, "do_commit", lost)

    def fails_reading_after(self, pages: int) -> None:
        """The connection goes after some pages."""
        seen: list[int] = []
        joined = database.Database._joined

        def counting(*arguments: object) -> object:
            seen.append(1)
            if len(seen) > pages:
                raise sa.exc.OperationalError("", None, OSError("the connection is gone"))
            return joined(*arguments)  # type: ignore[arg-type]

        self._monkeypatch.setattr(database.Database, "_joined", counting)

    def let_time_pass(self) -> None:
        self.shop.let_time_pass()


class TestDatabase(SystemConformance):
    @pytest.fixture
    def subject(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Subject]:
        shop = TableShop(f"sqlite:///{tmp_path / 'shop.db'}")
        yield Products(shop, shop.described(tmp_path), monkeypatch)
        shop.engine.dispose()


@pytest.mark.parametrize("own", ["7001", "A-1"])
def test_a_record_that_says_its_own_id_is_made_with_its_lines(tmp_path: Path, own: str) -> None:
    """Whether the database has a type for ids or takes what is written."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'shop.db'}")
    with engine.begin() as db:
        for statement in OWN_IDS.split(";"):
            db.exec_driver_sql(statement.replace("{type}", "integer" if own.isdigit() else "text"))
    flows = flows_in()
    (tmp_path / "own.yaml").write_text(OWN, encoding="utf-8")
    description = load_description(tmp_path / "own.yaml", flows=flows)
    shop = opened(
        description,
        fitted(flows, description),
        secret=lambda _: SecretStr(str(engine.url)),
        plain=str,
    )
    lines = (ChildEdit("create", None, {"quantity": "2", "description": "Chair"}),)
    write = Write("orders", "create", None, None, {"number": own}, "1", children={"lines": lines})

    async def work() -> Outcome:
        async with identified(shop) as system:
            return (await system.write("order", [write]))[0]

    outcome = asyncio.run(work())
    assert outcome.result is Result.DONE, outcome.reason
    assert outcome.record is not None
    assert outcome.record.id == own
    with engine.begin() as db:
        assert [*db.exec_driver_sql("select cast(order_id as text), quantity from order_lines")] == [(own, 2)]
    engine.dispose()


def test_a_statement_says_what_is_read_and_its_table_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = TableShop(f"sqlite:///{tmp_path / 'shop.db'}")
    products, key = "    path: products", "select * from products where sku not like 'X%'"
    subject = Products(
        shop, shop.described(tmp_path, **{products: f'{products}\n    select: "{key}"'}), monkeypatch
    )
    seen, hidden = subject.make("K1"), subject.make("X1")

    async def work() -> list[str]:
        async with subject.opened() as system:
            read = [record async for page in system.scan("product", since=None) for record in page]
            assert [record.id for record in read] == [seen]
            assert await system.get("product", hidden) is None
            (record,) = read
            update = Write(
                "products", "update", seen, record.version, {"name": "new"}, "1", current=record.payload
            )
            creates = [
                Write("products", "create", None, None, subject.values(sku), sku) for sku in ("K2", "X2")
            ]
            return [outcome.result for outcome in await system.write("product", [update, *creates])]

    assert asyncio.run(work()) == [Result.DONE, Result.DONE, Result.REFUSED]
    assert subject.names() == {"K1": "new", "X1": "Product X1", "K2": "named K2"}
    shop.engine.dispose()


@pytest.mark.parametrize("operation", ["update", "delete"])
def test_a_statement_that_shows_one_of_several_rows_writes_none_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: Operation
) -> None:
    """A table of two branches that number alike, of which one is connected."""
    shop = TableShop(f"sqlite:///{tmp_path / 'shop.db'}")
    products, query = "    path: products", "select * from branches where branch = 1"
    said = f'    path: branches\n    select: "{query}"'
    subject = Products(shop, shop.described(tmp_path, **{products: said}), monkeypatch)
    own = subject.make("K1")
    with shop.engine.begin() as db:
        db.exec_driver_sql("create table branches as select 1 as branch, * from products")
        db.exec_driver_sql("insert into branches select 2, * from products")

    async def work() -> Outcome:
        async with subject.opened() as system:
            (record,) = [record async for page in system.scan("product", since=None) for record in page]
            values = {"name": "new"} if operation == "update" else {}
            write = Write("products", operation, own, record.version, values, "1", current=record.payload)
            (outcome,) = await system.write("product", [write])
            return outcome

    outcome = asyncio.run(work())
    assert outcome.result is Result.REFUSED
    assert "2 rows of branches have the same id, of which `select` shows one" in outcome.reason
    with shop.engine.begin() as db:
        assert db.exec_driver_sql("select distinct name from branches").all() == [("Product K1",)]
    shop.engine.dispose()
