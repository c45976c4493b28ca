"""A real Postgres as a shop's only door: what types, locks and several writers at once make of it."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from talk_pipeline.systems.customwebshop.stores.tables import Tables
from talk_pipeline_tests.pipeline.optional.test_tables import (
    filled,
    leading_to,
    test_all_three_flows_go_both_ways_and_a_second_run_is_quiet,
    test_an_edit_between_reading_and_writing_is_kept,
)
from talk_pipeline_tests.scale.servers import Postgres
from talk_pipeline_tests.systems.conformance import Subject, SystemConformance
from talk_pipeline_tests.systems.customwebshop.stores.tables import TableShop
from talk_pipeline_tests.systems.customwebshop.stores.test_database_conformance import Products
from talk_pipeline_tests.world import World

__all__ = [
    "test_all_three_flows_go_both_ways_and_a_second_run_is_quiet",
    "test_an_edit_between_reading_and_writing_is_kept",
]
_number = itertools.count(1)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    running = Postgres()
    running.start()
    yield running
    running.remove()


@pytest.fixture
def tables(postgres: Postgres) -> Iterator[TableShop]:
    """A shop's tables in a database of their own."""
    root = f"postgresql+psycopg2://dagster@127.0.0.1:{postgres.port}"
    name = f"shop{next(_number)}"
    engine = sa.create_engine(f"{root}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as db:
        db.exec_driver_sql(f"create database {name}")
    engine.dispose()
    shop = TableShop(f"{root}/{name}")
    yield shop
    shop.engine.dispose()


@pytest.fixture
def shop(world: World, tables: TableShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TableShop:
    leading_to(tables, tmp_path, monkeypatch)
    return filled(tables)


class TestPostgres(SystemConformance):
    @pytest.fixture
    def subject(self, tables: TableShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Subject:
        return Products(tables, tables.described(tmp_path), monkeypatch)


def test_columns_of_documents_hold_texts_too(tables: TableShop) -> None:
    """The driver gives what they hold, so that nothing is left to be parsed."""
    held = ['"plain"', '"5"', '{"a": 1}', "7"]
    with tables.engine.begin() as db:
        db.exec_driver_sql("create table notes (id serial primary key, plain json, more jsonb)")
        for one in held:
            db.execute(sa.text("insert into notes (plain, more) values (:one, :one)"), {"one": one})
    with tables.engine.begin() as db:
        table = Tables(tables.engine).named("notes")
        rows = [table.row(one) for one in db.execute(table.query().order_by(table.column("id"))).mappings()]
    for name in ("plain", "more"):
        assert [row[name] for row in rows] == ["plain", "5", {"a": 1}, 7]
