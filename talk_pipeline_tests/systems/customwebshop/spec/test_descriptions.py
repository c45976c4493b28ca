"""The descriptions that come with it, the template, the schema for editors, and the page that explains them."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

from talk_pipeline.cli.connectors import OF_A_DATABASE, OF_FILES, TEMPLATE, new_connector
from talk_pipeline.flows.loading import PACKAGED as PACKAGED_FLOWS
from talk_pipeline.flows.loading import Flows, read_yaml
from talk_pipeline.sandbox.customwebshop import profiles
from talk_pipeline.settings import SettingsError
from talk_pipeline.systems.customwebshop.spec import (
    access,
    asking,
    calls,
    description,
    fields,
    files,
    ids,
    lines,
    paging,
    refusals,
    schema,
    stores,
    webhooks,
    xml,
)
from talk_pipeline.systems.customwebshop.wire.fitting import fitted, load_description
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.systems.customwebshop.shops import angle_shop, graph_shop, linked_shop

PACKAGED = description.REFERENCE.parent
ROOT = PACKAGED.parents[2]
HOSTILE = Path(profiles.__file__).parent
FILES = [PACKAGED / "reference.yaml", PACKAGED / "woocommerce.yaml", *sorted(HOSTILE.glob("*.yaml"))]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_packaged_description_loads_and_fits_the_flows(file: Path) -> None:
    flows = flows_in()
    shop = load_description(file, flows=flows)
    assert set(fitted(flows, shop)) == set(flows)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_schema_allows_what_is_right(file: Path) -> None:
    data, _ = read_yaml(file)
    jsonschema.validate(json.loads(json.dumps(data)), schema.connector_schema())


@pytest.mark.parametrize(
    ("old", "new"),
    [("paging: {style: cursor", "paging: {style: scroll"), ("records: data", "recrods: data")],
)
def test_the_schema_refuses_what_is_wrong(old: str, new: str) -> None:
    text = (PACKAGED / "reference.yaml").read_text()
    assert old in text
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(text.replace(old, new)), schema.connector_schema())


@pytest.mark.parametrize(
    "template", [TEMPLATE, OF_A_DATABASE, OF_FILES], ids=["of an API", "of a database", "of files"]
)
def test_a_new_description_is_valid_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, template: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    file = new_connector("myshop", template=template)
    shop = load_description(file, flows=flows_in())
    assert (file.name, shop.name) == ("myshop.yaml", "myshop")
    data, _ = read_yaml(file)
    jsonschema.validate(json.loads(json.dumps(data)), schema.connector_schema())
    with pytest.raises(SettingsError, match="there already"):
        new_connector("myshop")
    with pytest.raises(SettingsError, match="is no name"):
        new_connector("a/b")


@pytest.mark.parametrize("said", [angle_shop.CONNECTOR, graph_shop.CONNECTOR, linked_shop.CONNECTOR])
def test_editors_know_what_shops_of_other_kinds_say(said: str) -> None:
    data = json.loads(json.dumps(yaml.safe_load(said)))
    jsonschema.validate(data, schema.connector_schema())


def test_what_a_new_description_has_commented_out_may_be_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = new_connector("myshop").read_text()
    start = text.index("\nentities:")
    said = [found for found in re.finditer(r"^( *)# (?=\w+: )", text, re.M) if found.start() > start]
    assert len(said) > 10
    for found in said:
        file = tmp_path / "one.yaml"
        file.write_text(text[: found.start()] + found[1] + text[found.end() :])
        load_description(file, flows=flows_in())


def test_what_a_new_description_of_files_has_commented_out_may_be_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = new_connector("myshop", template=OF_FILES).read_text()
    (file := tmp_path / "one.yaml").write_text(said := re.sub(r"^( +)# (?=\w+: )", r"\1", text, flags=re.M))
    files = load_description(file, flows=flows_in()).files
    assert files is not None
    assert (files.done, files.count, files.quiet_seconds) == ("{}.done", "#{count}", 30)
    assert len(files.variables) == 5
    assert said != text


def test_a_property_taken_out_of_a_flow_may_stay_in_the_description(tmp_path: Path) -> None:
    for file in PACKAGED_FLOWS.glob("*.yaml"):
        text = "".join(
            one for one in file.read_text().splitlines(keepends=True) if "shop: website" not in one
        )
        (tmp_path / file.name).write_text(text)
    flows = flows_in(tmp_path)
    assert "website" not in flows["customer"].root.by_name
    shop = load_description(PACKAGED / "woocommerce.yaml", flows=flows)
    assert set(fitted(flows, shop)) == set(flows)


def test_what_a_shop_lacks_is_said_of_one_of_a_group_or_in_one_line(tmp_path: Path) -> None:
    flows = flows_in()
    lacking = []
    for said in (
        "lacks: [billing_address, phone]",
        "fields: {billing_address: ~, phone: ~}",
        "fields: {billing_address: {line1: ~, line2: ~, city: ~, region: ~, postal_code: ~, country: ~},"
        " phone: ~}",
    ):
        lacking.append(_described(tmp_path, orders=said)["order"].shop_lacks)
    assert set(lacking[0]) >= {"billing_address.line1", "billing_address.country", "phone"}
    assert "shipping_address.line1" not in lacking[0]
    assert lacking[0] == lacking[1] == lacking[2]
    assert set(flows["order"].root.by_name) - set(lacking[0]) >= {"number", "shipping_address.line1"}


def test_a_reference_asks_nothing_that_the_shop_lacks(tmp_path: Path) -> None:
    order = _described(tmp_path, customers="lacks: [active]")["order"]
    assert not order.root.by_name["customer_id"].usable_while
    assert order.parts[1].by_name["product_id"].usable_while == {"active": "true"}


def _described(tmp_path: Path, **said: str) -> Flows:
    """The flows for a shop of which no more is said than this."""
    flows = flows_in()
    names = ("customers", "products", "orders")
    entities = "".join(f"  {name}:\n    path: /{name}\n    {said.get(name, '')}\n" for name in names)
    file = tmp_path / "shop.yaml"
    file.write_text(f"name: Shop\nauth: {{type: none}}\nentities:\n{entities}")
    return fitted(flows, load_description(file, flows=flows))


def _models() -> list[type[BaseModel]]:
    found = [
        value
        for module in (
            access,
            asking,
            calls,
            description,
            fields,
            files,
            ids,
            lines,
            paging,
            refusals,
            stores,
            webhooks,
            xml,
        )
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, BaseModel) and value.__module__ == module.__name__
    ]
    return [model for model in found if not model.__name__.startswith("_")]


def test_the_page_explains_every_key() -> None:
    page = (ROOT / "docs" / "connect-your-shop.md").read_text(encoding="utf-8")
    missing = [
        f"{model.__name__}.{name}"
        for model in _models()
        for name, field in model.model_fields.items()
        if not field.exclude and f"`{name}`" not in page
    ]
    assert not missing


def test_the_page_names_no_key_that_is_not_there() -> None:
    page: Any = (ROOT / "docs" / "connect-your-shop.md").read_text(encoding="utf-8")
    known = {name for model in _models() for name in model.model_fields}
    rows = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| `")]
    named = {word.strip("` ") for row in rows for word in row.split(",")}
    assert named <= known, named - known
