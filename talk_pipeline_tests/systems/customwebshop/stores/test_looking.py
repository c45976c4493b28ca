"""What `check-config` says of a database, and what is refused before one is asked."""

from pathlib import Path

import pytest

from talk_pipeline.audit import NotAuditableError
from talk_pipeline.audit.audit import audit
from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline.flows.loading import FlowError, load_flows
from talk_pipeline.settings import Settings
from talk_pipeline.systems.customwebshop.stores.database import Database
from talk_pipeline.systems.customwebshop.wire.fitting import load_description
from talk_pipeline.systems.errors import ConfigurationFault, UnavailableFault
from talk_pipeline_tests.pipeline.optional.test_tables import filled, leading_to
from talk_pipeline_tests.systems.customwebshop.stores.tables import FORM, TableShop
from talk_pipeline_tests.world import World


@pytest.fixture
def tables(tmp_path: Path) -> TableShop:
    return filled(TableShop(f"sqlite:///{tmp_path / 'shop.db'}"))


def test_check_config_names_what_is_not_there(
    world: World,
    tables: TableShop,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    leading_to(tables, tmp_path, monkeypatch)
    assert check_configuration() == 0
    assert "customers has 1 record" in capsys.readouterr().out
    file = tables.described(tmp_path, vat="tax_number", order_lines="lines_of_orders")
    file.write_text(file.read_text().replace(FORM, "%Y-%m-%d %H:%M:%S.%fZ"))
    assert check_configuration() == 2
    said = capsys.readouterr().out
    assert "customers has no column 'tax_number'" in said
    assert "there is no table 'lines_of_orders'; there are customers, order_lines" in said
    assert "is no moment by" in said


ARTICLES = (
    "create table articles (shop varchar(5), no integer, name varchar(40), price numeric, primary key (shop, no))",
    "insert into articles values ('north', 1, 'Thing', 10), ('south', 1, 'Other', 20), ('south', 2, 'Third', 30)",
)
JOINED = """    path: articles
    select: "select shop || '-' || no as id, shop || '-' || no as sku, name, price from articles"
    writes: none
    modified: ~
    version: ~
    lacks: [cost, unit, stock, gtin, category]
"""


def test_rows_that_share_an_id_stop_the_flow_and_a_key_of_several_columns_is_read_as_one(
    world: World,
    tables: TableShop,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with tables.engine.begin() as db:
        for statement in ARTICLES:
            db.exec_driver_sql(statement)
    leading_to(tables, tmp_path, monkeypatch)
    file = Path(Settings.load().customwebshop_connector or "")
    text = file.read_text()
    start, end = text.index("  products:\n"), text.index("  orders:\n")
    fields = (
        "    fields: {currency: {const: DKK}, price_includes_tax: {const: false}, active: {const: true}}\n"
    )
    for said in (JOINED.replace("select shop || '-' || no as id", "select no as id"), JOINED):
        file.write_text(f"{text[:start]}  products:\n{said}{fields}{text[end:]}")
        told = world.pass_over("product")
        status = check_configuration()
        if said is JOINED:
            break
        assert "several rows have id 1, by which `id` tells records apart" in told[0]
        assert not world.bc.all("items")
        assert status == 2
        assert "several rows of select of articles have id 1" in capsys.readouterr().out
    assert not told
    assert sorted(row["number"] for row in world.bc.all("items").values()) == [
        "NORTH-1",
        "SOUTH-1",
        "SOUTH-2",
    ]
    assert not world.step("product").writes()
    assert status == 0, capsys.readouterr().out


@pytest.mark.parametrize("said", ["search: {sku: 'sku={value}'}", "included: {at: beside}"])
def test_what_is_about_requests_is_refused_by_name(tables: TableShop, tmp_path: Path, said: str) -> None:
    file = tables.described(tmp_path, **{"    path: products": f"    path: products\n    {said}"})
    what = f"{said.partition(':')[0]} is about requests and answers, which a database has none of"
    with pytest.raises(FlowError, match=what):
        load_description(file, flows=load_flows())


def test_tables_of_an_api_are_refused_by_name(tables: TableShop, tmp_path: Path) -> None:
    file = tables.described(tmp_path, **{"database: {url": "headers: {X-Not"})
    with pytest.raises(FlowError, match="stamps is for a database: say `database` too"):
        load_description(file, flows=load_flows())


def test_the_audit_says_that_it_reads_apis_alone(
    world: World, tables: TableShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leading_to(tables, tmp_path, monkeypatch)
    with pytest.raises(NotAuditableError, match="door is its database"):
        audit(Settings.load())


def test_a_database_that_is_not_there_is_named_by_its_setting_and_without_its_password(
    tmp_path: Path,
) -> None:
    with pytest.raises(UnavailableFault, match="SHOP_DB") as told:
        Database(f"sqlite:///{tmp_path}/none/shop.db", setting="SHOP_DB").open()
    assert "unable to open" in str(told.value)
    with pytest.raises(ConfigurationFault, match="SHOP_DB is no address of a database") as no_address:
        Database("talk:hunter2hunter2@host", setting="SHOP_DB")
    assert "hunter2" not in str(no_address.value)
    with pytest.raises(ConfigurationFault, match="no driver for nosuch") as no_driver:
        Database("nosuch://talk:hunter2hunter2@host/shop", setting="SHOP_DB").open()
    assert "hunter2" not in str(no_driver.value)
