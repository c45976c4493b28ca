"""A shop whose ids, references and lists are addresses is described, too; credentials stay with its own host."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.sandbox.receiver import Receiver
from talk_pipeline_tests.systems.customwebshop.shops.door import Connected, connect, opened
from talk_pipeline_tests.systems.customwebshop.shops.linked_shop import CONNECTOR, LinkedShop
from talk_pipeline_tests.world import World


class Linked(Connected):
    """Its records are known in the state by short ids or by addresses, as the description has it."""

    shop: LinkedShop

    def known(self, flow: str, key: str) -> str:
        places = {"product": f"/api/products/{key}/", "order": f"/api/orders/{key}"}
        return f"{self.shop.address}{places[flow]}" if flow in places else key


@pytest.fixture
def linked(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Linked]:
    file = tmp_path / "linked.yaml"
    file.write_text(CONNECTOR)
    shop = LinkedShop()
    with opened(shop) as address:
        connect(monkeypatch, url=address, connector=file, token="secret")
        yield Linked(shop, world)


def test_records_travel_there_and_back(linked: Linked, capsys: pytest.CaptureFixture[str]) -> None:
    linked.there_and_back()
    assert not [one for one in linked.shop.asked if "lines{" in one], "what a link leaves open is left out"
    linked.audited()
    assert check_configuration() == 0
    assert "both systems are as described" in capsys.readouterr().out


def test_a_record_made_there_is_known_by_the_address_it_is_said_to_have(
    linked: Linked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = ("create: always", "create: both")
    edited_flows(tmp_path, monkeypatch, customer=both, product=both)
    customer = {
        "number": "NEW",
        "displayName": "New company",
        "currencyCode": "DKK",
        "email": "n@company.example",
    }
    linked.world.bc.post("customers", customer)
    item = {"number": "I1", "displayName": "New", "baseUnitOfMeasureCode": "PCS", "unitPrice": 5}
    linked.world.bc.post("items", item)
    linked.run()
    (made,), (product,) = linked.shop.tables["customers"].values(), linked.shop.tables["products"].values()
    assert (made["company"], product["title"]) == ("New company", "New")
    assert linked.there("customer", made["id"])
    assert linked.there("product", product["id"])
    linked.quiet()


def test_lines_on_another_host_are_an_error_and_nothing_is_sent_there(linked: Linked) -> None:
    linked.fill()
    stranger = Receiver()
    linked.shop.elsewhere = stranger.url
    told = linked.world.pass_over("order")
    stranger.close()
    assert stranger.url.removesuffix("/hook") in told[0]
    assert "nothing was sent there" in told[0]
    assert not stranger.deliveries


def test_an_id_of_another_form_is_told(linked: Linked, tmp_path: Path) -> None:
    linked.fill()
    text = CONNECTOR.replace("{shop}/customers/{}/", "{shop}/clients/{}/")
    (tmp_path / "linked.yaml").write_text(text)
    (told, *_) = linked.world.pass_over("customer")
    assert f"no 'url' like {linked.shop.address}/api/clients/{{}}/" in told


def test_the_check_shows_what_an_id_looks_like(
    linked: Linked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    linked.fill()
    (tmp_path / "linked.yaml").write_text(CONNECTOR.replace("{shop}/customers/{}/", "{shop}/clients/{}/"))
    assert check_configuration() == 2
    told = capsys.readouterr().out
    assert f'url is "{linked.shop.address}/api/customers/101/", which is not like' in told
