"""A page without filters, versions and modified times is connected by what it declares of itself alone."""

import asyncio
from pathlib import Path

import pytest

from talk_pipeline.engine.model import Result, Write
from talk_pipeline.installation import Connections
from talk_pipeline.settings import Settings
from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.flow_files import flows_alone
from talk_pipeline_tests.pipeline.faults import rule
from talk_pipeline_tests.pipeline.optional.test_unseen_pages import Page
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.pipeline.second_opinion import unexplained
from talk_pipeline_tests.world import World

API = "oddworks/service/beta"
CONTRACT = """
flow: contract
title: Contracts
customwebshop: {asset: contract, entity: customers}
businesscentral: {asset: service_contracts, entity: serviceContracts}
match: [number]
create_key: number
properties:
  - {shop: number,       dir: ->,  bc: contractNo, type: code(20), only: create}
  - {shop: company_name, dir: <->, bc: holder,     type: text(100)}
  - {shop: email,        dir: <->, bc: mail,       type: email(80)}
  - {shop: website,      dir: <->, bc: kind,       type: text(20),
     values: {gold.example: Gold, plus.example: Silver Plus, none.example: ""}}
  - {shop: active,       dir: <->, bc: stage,      type: bool,
     values: {true: Won/Signed, false: In Talks}, reads: {"": false}}
settings:
  create: both
"""


@pytest.fixture
def contracts(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Page:
    done = run("new-entity", "serviceContracts", "--api", API)
    assert done.returncode == 0, done.stderr
    monkeypatch.setenv("BUSINESSCENTRAL_ENTITIES_DIR", str(tmp_path / "entities"))
    flows = flows_alone(tmp_path / "flows")
    (flows / "contract.yaml").write_text(CONTRACT, encoding="utf-8")
    monkeypatch.setenv("TALK_FLOWS_DIR", str(flows))
    return Page(world, API, "serviceContracts", "contractGuid")


def by_number(contracts: Page) -> dict[str, dict[str, object]]:
    return {str(row["contractNo"]): row for row in contracts.rows()}


def test_it_goes_both_ways(world: World, contracts: Page, tmp_path: Path) -> None:
    text = (tmp_path / "entities" / "serviceContracts.yaml").read_text(encoding="utf-8")
    assert "key: contractGuid\nmodified: ~ #" in text
    assert "filters: false # it takes none" in text
    assert "stage: enum # blank, In Talks, Won/Signed" in text
    keys = [world.shop.post("customers", customer(f"C{n}", website="gold.example"))["id"] for n in range(2)]
    world.bc.faults(rule("POST", "*batch*", drop="after"))
    world.step()
    world.bc.no_faults()
    assert not world.step().failed()
    held = by_number(contracts)
    assert sorted(held) == ["C0", "C1"]
    assert (held["C0"]["stage"], held["C0"]["kind"]) == ("Won_x002F_Signed", "Gold")
    assert world.step().writes() == 0
    done = run("check-config")
    assert done.returncode == 0, done.stdout + done.stderr

    contracts.patch(held["C0"], holder="Renamed", stage="In_x0020_Talks", kind=" ")
    contracts.post(contractNo="C9", holder="Born there", stage="In_x0020_Talks", kind="Silver Plus")
    world.shop.patch("customers", keys[1], {"email": "new@company.example", "website": "plus.example"})
    assert not world.step().failed()
    told = world.shop.get("customers", keys[0])
    assert (told["company_name"], told["active"], told["website"]) == ("Renamed", False, "none.example")
    born = {row["number"]: row for row in world.shop.all("customers").values()}["C9"]
    assert (born["company_name"], born["active"], born["website"]) == ("Born there", False, "plus.example")
    assert by_number(contracts)["C1"]["mail"] == "new@company.example"
    assert by_number(contracts)["C1"]["kind"] == "Silver Plus"
    assert world.step().writes() == 0
    assert not unexplained("contract")


def test_a_description_that_says_nothing_of_filters_is_told(
    world: World, contracts: Page, tmp_path: Path
) -> None:
    file = tmp_path / "entities" / "serviceContracts.yaml"
    rows = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join(row for row in rows if not row.startswith("filters:")), encoding="utf-8")
    contracts.post(contractNo="C1", holder="There")
    done = run("check-config")
    assert done.returncode == 2, done.stdout
    assert "serviceContracts: it takes no filter by contractNo: say filters: false" in done.stdout


def test_an_edit_that_no_version_tells_of_is_not_overwritten(world: World, contracts: Page) -> None:
    made = contracts.post(contractNo="C1", holder="There")

    async def told() -> tuple[Result, ...]:
        async with Connections(Settings.load()).businesscentral() as bc:
            await bc.identify()
            record = await bc.get("contract", str(made["contractGuid"]))
            assert record is not None
            write = Write(
                entity="serviceContracts",
                operation="update",
                id=record.id,
                version=record.version,
                values={"holder": "Ours"},
                idempotency_key="",
                current=record.payload,
            )
            contracts.patch(made, mail="edited@company.example")
            first = await bc.write("contract", [write])
            contracts.patch(made, mail="")
            second = await bc.write("contract", [write])
            contracts.delete(made)
            third = await bc.write("contract", [write])
            return tuple(one.result for (one,) in (first, second, third))

    assert asyncio.run(told()) == (Result.STALE, Result.DONE, Result.GONE)
