"""Answers that leave open what became of a write: several statuses in one, and what is accepted and done later."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

from talk_pipeline.cli.main import app
from talk_pipeline_tests.flow_files import flows_alone, replaced
from talk_pipeline_tests.outcome import Run
from talk_pipeline_tests.systems.customwebshop.shops.door import Reply, Row, connect, opened, unexplained
from talk_pipeline_tests.systems.customwebshop.shops.plain_shop import Plain, told
from talk_pipeline_tests.world import World

CONNECTOR = """name: Batches
auth: {type: none}
base_path: /api
paging: {style: page, pages: pages}
records: data
modified: changed
updated_since: {parameter: since}
entities:
  products:
    path: /products
    create: {method: PUT, envelope: "[0]", id: "[0].id", status: "[0].status", error: {message: "[0].error"}}
    update:
      method: PUT
      path: "{path}"
      along: [id]
      envelope: "[0]"
      status: "[0].status"
      error: {message: "[0].error"}
    lacks: [gtin, category, unit, cost, stock]
    fields: {name: title, currency: {const: DKK}, price_includes_tax: {const: false}, active: {const: true}}
"""


class Batches(Plain):
    """Changes come as a list, and each has a status of its own; what is `late` is accepted and done later."""

    def __init__(self) -> None:
        super().__init__()
        self.late = False
        self._awaiting: list[list[Row]] = []

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if method != "PUT":
            return super().answer(method, target, headers, body)
        assert urlsplit(target).path == "/api/products"
        said = json.loads(body, parse_float=str)
        self.writes += ["PUT products" for _ in said]
        if self.late:
            self._awaiting.append(said)
            return told(207, [{"status": 202} for _ in said])
        return told(207, [self._part(one) for one in said])

    def carry_out(self) -> None:
        """What was accepted."""
        for said in self._awaiting:
            for one in said:
                self._part(one)
        self._awaiting.clear()

    def _part(self, said: Row) -> Row:
        if len(said.get("title") or "long") < 3:
            return {"status": 422, "error": "title is too short"}
        key = said.pop("id", None) or self.add("products")
        self.edit("products", key, **said)
        return {"status": 200, "id": key}


@dataclass
class Batched:
    """The shop with a product, which is in Business Central too."""

    shop: Batches
    world: World
    file: Path
    product: str = ""

    def described(self, *changes: tuple[str, str]) -> None:
        self.file.write_text(replaced(CONNECTOR, *changes), encoding="utf-8")

    def patch(self, **values: Any) -> None:
        self.world.bc.patch("items", self.world.counterpart("product", self.product), values)

    def title(self) -> str:
        return str(self.shop.tables["products"][self.product]["title"])

    def run(self) -> Run:
        run = self.world.step("product")
        assert run.success, run.problems
        return run

    def refused(self) -> list[str]:
        return [row["reason"] for row in self.run().finding("product", "no_quarantined_records").rows]


@pytest.fixture
def batched(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Batched]:
    flows = flows_alone(tmp_path / "flows", "product")
    file = flows / "product.yaml"
    file.write_text(file.read_text().replace("create: always", "create: both"))
    monkeypatch.setenv("TALK_FLOWS_DIR", str(flows))
    shop = Batches()
    with opened(shop) as address:
        one = Batched(shop, world, tmp_path / "shop.yaml")
        one.described()
        connect(monkeypatch, url=address, connector=one.file)
        one.product = shop.add("products", sku="P1", title="Thing", price="5.00")
        one.run()
        assert not shop.writes
        yield one


def test_each_part_is_judged_by_a_status_of_its_own(batched: Batched) -> None:
    batched.patch(displayName="ab")
    assert batched.refused() == ["422: title is too short"]
    assert batched.refused() == ["422: title is too short"]
    assert batched.shop.writes == ["PUT products"], "what was refused is not asked again"
    batched.patch(displayName="Renamed", unitPrice=7)
    batched.world.bc.post(
        "items", {"number": "B1", "displayName": "Born", "baseUnitOfMeasureCode": "PCS", "unitPrice": 2}
    )
    assert batched.refused() == []
    assert (batched.title(), Decimal(batched.shop.tables["products"][batched.product]["price"])) == (
        "Renamed",
        Decimal(7),
    )
    assert [row["title"] for row in batched.shop.tables["products"].values()] == ["Renamed", "Born"]
    assert batched.run().writes() == 0
    assert not unexplained("product")


def test_a_record_whose_create_is_accepted_is_told_as_that(batched: Batched) -> None:
    batched.shop.late = True
    born = {"number": "B1", "displayName": "Born", "baseUnitOfMeasureCode": "PCS", "unitPrice": 2}
    key = batched.world.bc.post("items", born)["id"]
    batched.run()
    explained = CliRunner().invoke(app, ["explain", "product", key, "--json"]).output
    assert "UTC: accepted (202), and not shown yet" in explained
    assert "; it may be at work there until" in explained
    assert "not answered" not in explained
    batched.shop.carry_out()
    batched.shop.late = False
    batched.run()
    assert [row["title"] for row in batched.shop.tables["products"].values()] == ["Thing", "Born"]
    assert batched.run().writes() == 0


def test_statuses_whose_place_is_not_declared_are_no_success(batched: Batched) -> None:
    batched.described(('      status: "[0].status"\n', ""))
    batched.patch(displayName="ab")
    assert batched.refused() == [
        "name: answered 207, which has a status for each part: say where this one's is, `status` of the call, "
        "in CUSTOMWEBSHOP_CONNECTOR"
    ]
    assert batched.refused()
    assert batched.shop.writes == ["PUT products"]
    batched.patch(displayName="Renamed")
    assert batched.refused() == []
    assert batched.title() == "Renamed"
    assert batched.run().writes() == 0


def test_a_status_that_is_not_at_its_place_is_no_success(batched: Batched) -> None:
    batched.described(('      status: "[0].status"', '      status: "[0].state"'))
    batched.patch(displayName="ab")
    run = batched.run()
    assert run.finding("product", "writes_answered").verdict == "warned", (
        "a part of it may be accepted for later"
    )
    assert batched.title() == "Thing"
    batched.world.sql("update journal set open_until = open_until - interval 1 day")
    batched.run()
    ((told,),) = batched.world.sql(
        "select reason from journal where operation = 'update' and outcome = 'failed'"
    )
    assert told.startswith("looked up:")
    assert "; answered 207 with no status at '[0].state': [{" in told
    batched.described()
    batched.world.sql("update journal set open_until = open_until - interval 1 day")
    batched.patch(displayName="Renamed")
    assert batched.refused() == []
    assert batched.title() == "Renamed"


def test_a_part_that_is_accepted_waits_by_name_and_is_told_once(batched: Batched) -> None:
    batched.shop.late = True
    batched.patch(displayName="Renamed")
    for _ in range(2):
        run = batched.run()
        assert not run.failed()
        assert not run.finding("product", "no_quarantined_records").rows
        (row,) = run.finding("product", "references_resolve").rows
        assert row["reason"].endswith("UTC: accepted (202), and not shown yet")
    assert batched.shop.writes == ["PUT products"]
    batched.patch(unitPrice=9)  # nothing more is told of it meanwhile
    batched.run()
    assert batched.shop.writes == ["PUT products"]
    batched.shop.carry_out()
    batched.shop.late = False
    batched.run()
    row = batched.shop.tables["products"][batched.product]
    assert (row["title"], Decimal(row["price"])) == ("Renamed", Decimal(9))
    assert batched.run().writes() == 0
    assert not unexplained("product")


class Jobs(Batches):
    """New products are made later, and the answer is about the order to do so: a job, which has an id as well."""

    def __init__(self, said: Row, headers: Mapping[str, str]) -> None:
        super().__init__()
        self._said, self._headers = said, headers
        self._new: list[Row] = []

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if method != "POST":
            return super().answer(method, target, headers, body)
        self.writes.append(f"POST {urlsplit(target).path}")
        self._new.append(json.loads(body, parse_float=str))
        return 202, {"Content-Type": "application/json", **self._headers}, json.dumps(self._said).encode()

    def carry_out(self) -> None:
        for said in self._new:
            self.add("products", **said)
        self._new.clear()


BORN = {"number": "B1", "displayName": "Born", "baseUnitOfMeasureCode": "PCS", "unitPrice": 2}
AT_ONCE = (
    '    create: {method: PUT, envelope: "[0]", id: "[0].id", status: "[0].status", error: '
    '{message: "[0].error"}}\n'
)
LATER = (AT_ONCE, "")
IN_TWO = (AT_ONCE, '    create: [{}, {of: [price], method: PATCH, path: "{item}"}]\n')


@pytest.mark.parametrize("steps", [LATER, IN_TWO])
@pytest.mark.parametrize(
    ("said", "headers"),
    [({}, {}), ({"id": "101"}, {}), ({"job": "101"}, {"Location": "/api/jobs/101"}), ({"id": "900"}, {})],
)
def test_what_an_answer_of_202_tells_is_not_taken_for_the_record(
    batched: Batched, monkeypatch: pytest.MonkeyPatch, said: Row, headers: Row, steps: tuple[str, str]
) -> None:
    shop = Jobs(said, headers)
    with opened(shop) as address:
        batched.shop = shop
        batched.described(steps, ("auth: {type: none}", "auth: {type: none}\nlimits: {longest_seconds: 90}"))
        connect(monkeypatch, url=address)
        assert shop.add("products", sku="P1", title="Thing", price="5.00") == batched.product == "101"
        batched.run()
        batched.world.bc.post("items", BORN)
        for _ in range(2):
            run = batched.run()
            assert not run.finding("product", "no_quarantined_records").rows
            (row,) = run.finding("product", "writes_answered").rows
            assert (row["operation"], row["reason"]) == ("create", "accepted (202), and not shown yet")
        assert shop.writes == ["POST /api/products"]
        shop.carry_out()
        batched.world.sql("update journal set open_until = open_until - interval 1 hour")
        batched.run()
        assert batched.run().writes() == 0
        assert [row["title"] for row in shop.tables["products"].values()] == ["Thing", "Born"]
        assert shop.writes.count("POST /api/products") == 1
        assert not unexplained("product")


class Silent(Batches):
    """New products are made at once, and the answer tells nothing of them."""

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if method == "POST":
            super().answer(method, target, headers, body)
            return 201, {}, b""
        if method == "PATCH":
            self.writes.append(f"PATCH {target}")  # of what, the shop did not say
            return 200, {}, b""
        return super().answer(method, target, headers, body)


def test_a_record_whose_id_no_answer_tells_is_told_the_rest_once_it_is_found(
    batched: Batched, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Silent()
    with opened(shop) as address:
        batched.shop = shop
        batched.described(IN_TWO)
        connect(monkeypatch, url=address)
        shop.add("products", sku="P1", title="Thing", price="5.00")
        batched.run()
        batched.world.bc.post("items", BORN)
        batched.run()
        assert shop.writes == ["POST products"]
        batched.world.sql("update journal set open_until = open_until - interval 1 hour")
        batched.run()
        assert shop.writes == ["POST products", "PUT products"]
        born = shop.tables["products"]["102"]
        assert (born["title"], Decimal(born["price"])) == ("Born", Decimal(2))
        assert batched.run().writes() == 0
