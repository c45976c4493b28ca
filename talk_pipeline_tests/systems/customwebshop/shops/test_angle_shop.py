"""A shop that speaks XML is described, REST or SOAP; what a document declares is never expanded or fetched."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline.systems.customwebshop.spec.xml import Xml
from talk_pipeline.systems.customwebshop.wire.xml import XmlWire
from talk_pipeline.systems.errors import ConfigurationFault
from talk_pipeline_tests.sandbox.receiver import Receiver
from talk_pipeline_tests.systems.customwebshop.shops.angle_shop import CONNECTOR, AngleShop
from talk_pipeline_tests.systems.customwebshop.shops.door import Connected, connect, opened
from talk_pipeline_tests.world import World


@pytest.fixture
def angle(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connected]:
    file = tmp_path / "angle.yaml"
    file.write_text(CONNECTOR)
    shop = AngleShop()
    with opened(shop) as address:
        connect(monkeypatch, url=address, connector=file)
        monkeypatch.setenv("ANGLE_KEY", "a-key")
        yield Connected(shop, world)


def test_records_travel_there_and_back(angle: Connected, capsys: pytest.CaptureFixture[str]) -> None:
    angle.there_and_back()
    angle.audited()
    status = check_configuration()
    told = capsys.readouterr().out
    assert status == 0, told
    angle.shop.tables["orders"][angle.order]["lines"].clear()
    angle.shop.edit("orders", angle.order)
    angle.run()
    assert not angle.lines_there()


def test_a_fault_that_says_no_is_a_refusal_though_its_status_is_500(angle: Connected) -> None:
    angle.fill()
    angle.run()
    (line,) = angle.lines_there()
    angle.world.bc.patch("salesOrderLines", line["id"], {"quantity": 101})
    run = angle.world.step()
    assert run.success, run.problems
    assert set(angle.world.sql("select reason from refusal")) == {("soap:Client: no more than 100",)}
    assert not angle.world.sql("select 1 from journal where coalesce(outcome, 'unknown') = 'unknown'")


def understood(text: str, **said: object) -> object:
    return json.loads(XmlWire(Xml.model_validate(said)).understood(text.encode()))


def test_elements_are_fields() -> None:
    text = """<?xml version="1.0"?><s:list xmlns:s="urn:s" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
      <s:row id="1"><name>A &amp; B</name><none/><nil xsi:nil="true"/><note><![CDATA[<b>]]></note></s:row>
      </s:list>"""
    row = {"@id": "1", "name": "A & B", "none": None, "nil": None, "note": "<b>"}
    assert understood(text) == {"list": {"row": row}}
    assert understood(text, lists=["list.row"]) == {"list": {"row": [row]}}
    del row["@id"]
    assert understood(text, attributes=False, lists=["row"]) == {"list": {"row": [row | {"nil": None}]}}


@pytest.mark.parametrize(
    "declared",
    ['<!ENTITY a "b">', '<!ENTITY a SYSTEM "{stranger}">', '<!ENTITY % a SYSTEM "{stranger}"> %a;'],
)
def test_what_a_document_declares_is_neither_expanded_nor_fetched(declared: str) -> None:
    stranger = Receiver()
    said = declared.replace("{stranger}", stranger.url)
    text = f"<!DOCTYPE list [{said}]><list><row>&a;</row></list>".encode()
    assert XmlWire(Xml()).understood(text) == text, (
        "which is no JSON, and so an answer that is not as described"
    )
    stranger.close()
    assert not stranger.deliveries


def test_a_page_for_people_is_no_record() -> None:
    page = b"<html><body>Log in</body></html>"
    assert XmlWire(Xml()).understood(page) == page


def test_elements_keep_the_order_that_is_declared() -> None:
    said = Xml(order={"row": ("id", "name")})
    told = XmlWire(said).told(b'{"s:list": {"s:row": [{"x": "1 < 2", "name": null, "id": 5.00}]}}').decode()
    assert "<s:list><s:row><id>5.00</id><name></name><x>1 &lt; 2</x></s:row></s:list>" in told


def test_a_body_without_a_root_is_told() -> None:
    with pytest.raises(ConfigurationFault, match="say `envelope` or `body`, with one root"):
        XmlWire(Xml()).told(b'{"id": 1, "name": "A"}')
