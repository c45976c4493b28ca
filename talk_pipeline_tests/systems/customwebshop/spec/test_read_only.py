"""Shops that are only read, of all or of some of it; and what else such a shop's door may look like."""

import base64
import json
from pathlib import Path

import httpx
import jsonschema
import pytest
import yaml
from pydantic import SecretStr

from talk_pipeline.flows.loading import FlowError, Flows, load_flows
from talk_pipeline.systems.customwebshop.spec.access import BasicAuth
from talk_pipeline.systems.customwebshop.spec.calls import Call
from talk_pipeline.systems.customwebshop.spec.description import REFERENCE, Description
from talk_pipeline.systems.customwebshop.spec.schema import connector_schema
from talk_pipeline.systems.customwebshop.wire.bodies import Composer
from talk_pipeline.systems.customwebshop.wire.fitting import fitted, load_description
from talk_pipeline.systems.customwebshop.wire.records import Reader
from talk_pipeline.systems.http.credentials import authentication
from talk_pipeline_tests.flow_files import copied_flows

PATH = "    path: /customers\n"


def described(folder: Path, *edits: tuple[str, str], flows: Flows | None = None) -> Description:
    text = REFERENCE.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    file = folder / "shop.yml"
    file.write_text(text, encoding="utf-8")
    jsonschema.validate(json.loads(json.dumps(yaml.safe_load(text))), connector_schema())
    return load_description(file, flows=flows or load_flows())


def both_ways(flows: Flows, name: str) -> set[str]:
    return {
        prop.name
        for part in flows[name].parts
        for prop in part.properties
        if prop.dir in ("<->", "<-") and prop.shop
    }


@pytest.mark.parametrize("said", ["writes: none", "update: none"])
def test_an_entity_that_is_only_read_travels_one_way(tmp_path: Path, said: str) -> None:
    flows = fitted(load_flows(), described(tmp_path, (PATH, f"{PATH}    {said}\n")))
    assert not both_ways(flows, "customer")
    assert flows["customer"].shop_lacks["email"] == "this shop cannot write it"
    assert both_ways(flows, "product")


def test_of_an_amount_that_is_only_read_nobody_asks_how_there_is_none(tmp_path: Path) -> None:
    freight = (', remove: {shipping_amount: "0.00"}', "")
    with pytest.raises(FlowError, match=r"shipping\.single: .* and say remove"):
        described(tmp_path, freight)
    path = "    path: /orders\n"
    flows = fitted(load_flows(), described(tmp_path, freight, (path, f"{path}    writes: none\n")))
    assert "shipping" in flows["order"].children


def test_a_shop_that_is_only_read_is_said_once(tmp_path: Path) -> None:
    flows = fitted(load_flows(), described(tmp_path, ("records: data", "writes: none\nrecords: data")))
    assert not [name for flow in flows for name in both_ways(flows, flow)]


def test_what_is_born_in_business_central_stays_where_nothing_can_be_made(tmp_path: Path) -> None:
    folder = copied_flows(tmp_path / "flows", customer=("create: always", "create: both"))
    own = load_flows(folder)
    shop = described(tmp_path, (PATH, f"{PATH}    create: none\n"), flows=own)
    customer = fitted(own, shop)["customer"]
    assert customer.settings.create == "always"
    assert "what is born in Business Central stays there" in customer.shop_lacks["new records"]
    assert "email" in both_ways(fitted(own, shop), "customer")


@pytest.mark.parametrize(("policy", "said"), [("delete", "delete: none"), ("block", "writes: none")])
def test_a_policy_that_needs_what_is_not_there_is_refused(tmp_path: Path, policy: str, said: str) -> None:
    folder = copied_flows(tmp_path / "flows", customer=("disappearance: flag", f"disappearance: {policy}"))
    with pytest.raises(FlowError, match=f"settings.disappearance: {policy}"):
        described(tmp_path, (PATH, f"{PATH}    {said}\n"), flows=load_flows(folder))


@pytest.mark.parametrize("said", ["[]", "~", "never"])
def test_anything_else_that_is_no_call_is_told_what_may_stand_there(tmp_path: Path, said: str) -> None:
    file = tmp_path / "shop.yml"
    text = REFERENCE.read_text(encoding="utf-8")
    file.write_text(text.replace(PATH, f"{PATH}    update: {said}\n", 1), encoding="utf-8")
    with pytest.raises(
        FlowError, match="is a call, a list of calls, or none where the shop takes no such write"
    ):
        load_description(file, flows=load_flows())


def test_a_key_alone_is_a_user_without_a_password() -> None:
    auth = BasicAuth(type="basic", user="CUSTOMWEBSHOP_KEY")
    assert auth.variables == ("CUSTOMWEBSHOP_KEY",)
    credentials = auth.credentials(lambda _: SecretStr("a-key-of-some-length"), "", Path())
    assert credentials is not None
    request = next(authentication(credentials).sync_auth_flow(httpx.Request("GET", "http://shop.example/")))
    sent = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
    assert sent == "a-key-of-some-length:"


def test_a_reference_may_be_an_address_of_the_shop(tmp_path: Path) -> None:
    customer = 'customer_id: {path: customer, template: "{shop}/customers/{}/"}'
    shop = described(
        tmp_path,
        (
            "fields: {prices_include_tax: {type: bool}}",
            f"fields: {{prices_include_tax: {{type: bool}}, {customer}}}",
        ),
    )
    flow = load_flows()["order"]
    address = "http://shop.example/api/v1"
    reader = Reader(flow, shop.collections["orders"], shop.moments, address=address)
    record = json.dumps({"id": "o-1", "customer": f"{address}/customers/7/", "lines": []})
    assert reader.contents(record).values["customer_id"] == "7"
    body = Composer(reader).body(
        Call(), names=["customer_id"], values={"customer_id": "8"}, children={}, current=json.loads(record)
    )
    assert json.loads(body) == {"customer": f"{address}/customers/8/"}
