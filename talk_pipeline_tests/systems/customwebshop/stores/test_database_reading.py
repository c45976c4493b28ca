"""How a database is read that takes more for equal than we do, and whose columns hold other things than most."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.dialects import mysql, postgresql

from talk_pipeline.engine.model import Record
from talk_pipeline.systems.customwebshop.stores.columns import shown
from talk_pipeline.systems.customwebshop.stores.opening import opened
from talk_pipeline.systems.customwebshop.stores.shop import StoredShop
from talk_pipeline.systems.customwebshop.wire.evidence import Probe
from talk_pipeline.systems.customwebshop.wire.fitting import fitted, load_description
from talk_pipeline.systems.errors import ConfigurationFault
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.systems.conformance import identified

TABLES = """
create table customers (id integer primary key, number text, changed text, made text, more json);
create table products (id integer primary key, sku text);
create table orders (id integer primary key, number text, changed text, made text);
create table order_lines (id integer primary key, order_id varchar(10), quantity numeric)
"""
DESCRIBED = """
name: Own
database: {url: SHOP_DB}
modified: [changed, made]
entities:
  customers: {path: customers, fields: {website: more}}
  products: {path: products, modified: ~}
  orders: {path: orders, children: {lines: {table: order_lines, parent: order_id}}}
"""
EARLIER, LATER = "2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"
SINCE = datetime(2026, 2, 1, tzinfo=UTC)


class Shop:
    """One of these tables."""

    def __init__(self, folder: Path) -> None:
        self.engine = sa.create_engine(f"sqlite:///{folder / 'shop.db'}")
        self._file = folder / "own.yaml"
        self._file.write_text(DESCRIBED, encoding="utf-8")

    def do(self, statements: str) -> None:
        with self.engine.begin() as db:
            for statement in statements.split(";"):
                db.exec_driver_sql(statement)

    def read(self, flow: str, since: datetime | None = None) -> list[Record]:
        async def work() -> list[Record]:
            async with identified(self._opened()) as system:
                return [one async for page in system.scan(flow, since=since) for one in page]

        return asyncio.run(work())

    def looked_at(self, flow: str) -> list[Probe]:
        async def work() -> list[Probe]:
            async with identified(self._opened()) as system:
                assert isinstance(system, StoredShop)
                return [*await system.look(flow)]

        return asyncio.run(work())

    def _opened(self) -> Any:
        flows = flows_in()
        description = load_description(self._file, flows=flows)
        url = SecretStr(str(self.engine.url))
        return opened(description, fitted(flows, description), secret=lambda _: url, plain=str)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    made.engine.dispose()


def test_lines_that_only_the_database_takes_for_an_orders_are_not_lost(shop: Shop) -> None:
    """An order without lines would be believed."""
    shop.do(TABLES)
    shop.do(f"insert into orders values (5, 'O5', '{LATER}', null); insert into order_lines values (1, 5, 2)")
    with pytest.raises(ConfigurationFault, match=r"order_id has '5' where orders\.id .* such as 5: .* view"):
        shop.read("order")


def test_lines_go_to_their_order(shop: Shop) -> None:
    shop.do(TABLES.replace("varchar(10)", "integer"))
    shop.do(f"insert into orders values (5, 'O5', '{LATER}', null); insert into order_lines values (1, 5, 2)")
    (order,) = shop.read("order")
    assert '"order_id":5' in order.payload


def test_a_row_that_says_no_time_is_read_with_what_changed(shop: Shop) -> None:
    shop.do(TABLES)
    rows = ((1, None, None), (2, None, LATER), (3, EARLIER, LATER), (4, LATER, EARLIER))
    with shop.engine.begin() as db:
        for own, changed, made in rows:
            db.exec_driver_sql(
                "insert into customers values (?, ?, ?, ?, null)", (own, f"C{own}", changed, made)
            )
    assert [one.id for one in shop.read("customer", SINCE)] == ["1", "2", "4"]
    problems = [one.message for one in shop.looked_at("customer") if one.level == "problem"]
    assert any(
        text.startswith("changed | made is blank in a record (1), so that no sensor") for text in problems
    )
    shop.do("delete from customers where id = 1")
    assert not any("is blank in a record" in one.message for one in shop.looked_at("customer"))


def test_a_text_in_a_column_of_documents_is_read_as_it_is(shop: Shop) -> None:
    shop.do(TABLES)
    shop.do(
        "insert into customers values (1, 'C1', null, null, 'plain');"
        """insert into customers values (2, 'C2', null, null, '{"a": 1.50}')"""
    )
    plain, document = shop.read("customer")
    assert '"more":"plain"' in plain.payload
    assert '"more":{"a":1.50}' in document.payload


@pytest.mark.parametrize("kind", [postgresql.JSON(), postgresql.JSONB()])
@pytest.mark.parametrize("text", ["plain", "5", "true", '{"a": 1}'])
def test_what_postgres_says_is_a_text_is_no_document(kind: postgresql.JSON, text: str) -> None:
    """Its drivers hand out the document: what is a text then was one there."""
    assert shown(sa.Column("more", kind), text) == text
    assert shown(sa.Column("more", mysql.JSON()), "[1.50]") == [Decimal("1.50")]
