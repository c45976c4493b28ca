"""Pages that others wrote, each described by `new-entity`, its flow, and a shop: both ways, to a quiet run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline.cli.entities import new_entity
from talk_pipeline_tests.systems.answering import answering
from talk_pipeline_tests.systems.businesscentral.own_page import OwnPage
from talk_pipeline_tests.systems.businesscentral.own_pages import Central
from talk_pipeline_tests.systems.customwebshop.shops.door import opened, unexplained
from talk_pipeline_tests.systems.customwebshop.shops.plain_shop import Plain
from talk_pipeline_tests.world import World

MOMENT = "DateTimeOffset read"
RENTAL = "fabrikam/rental/v2.0"
LAB = "northwind/lab/beta"
SERVICE = "contoso/service/v1.0"
PAGES: Mapping[str, Mapping[str, OwnPage]] = {
    SERVICE: {
        "serviceItems": OwnPage(
            "serviceItem",
            ("itemCode", "lineNo"),
            {
                "systemId": "Guid read",
                "itemCode": "String(20) code",
                "lineNo": "Int32",
                "description": "String(100)",
                "serviceStatus": "serviceStatus",
                "underWarranty": "Boolean",
                "responseTimeHours": "Decimal",
                "lastModifiedDateTime": MOMENT,
            },
            enums={"serviceStatus": ("_x0020_", "In_x0020_Process", "Finished", "On_x0020_Hold")},
        )
    },
    RENTAL: {
        "rentalContracts": OwnPage(
            "rentalContract",
            ("contractNo", "version"),
            {
                "contractNo": "String(20) code",
                "version": "Int32",
                "description": "String(100)",
                "deliveryAddress": "addressType",
                "systemModifiedAt": MOMENT,
            },
            below={
                "contractLines": ("rentalContractLines", {"contractNo": "contractNo", "version": "version"})
            },
            complex={"addressType": {"street": "String(100)", "city": "String(30)"}},
            modified="systemModifiedAt",
        ),
        "rentalContractLines": OwnPage(
            "rentalContractLine",
            ("contractNo", "version", "lineNo"),
            {
                "contractNo": "String(20) code read",
                "version": "Int32 read",
                "lineNo": "Int32",
                "itemNo": "String(20) code",
                "dailyRate": "Decimal",
            },
        ),
    },
    LAB: {
        "labSamples": OwnPage(
            "labSample",
            ("id",),
            {
                "id": "Guid read",
                "sampleNo": "String(20) code",
                "takenOn": "Date",
                "turnaround": "Duration",
                "batchId": "Guid",
                "concentration": "Decimal",
                "result": "String(50) read",
                "systemModifiedAt": MOMENT,
            },
            selects=False,
            modified="systemModifiedAt",
        )
    },
}
SHOP = """name: A plain shop
base_path: /shop
auth: {type: none}
times: rfc3339
modified: changed
records: data
paging: {style: page, parameter: page, pages: pages}
updated_since: {parameter: since}
entities:
"""
SERVICED = """  gear:
    path: /gear
    fields: {number: {join: [code, line], separator: ",", write: false}, warranty: {type: bool}}
"""
SERVICE_FLOW = """flow: gear
title: Gear
customwebshop: {asset: gear, entity: gear}
businesscentral: {asset: service_items, entity: serviceItems}
match: [number]
create_key: number
properties:
  - {shop: number,   dir: ->,  bc: id,                type: code(40), only: create}
  - {shop: name,     dir: <->, bc: description,       type: text(100)}
  - {shop: state,    dir: <->, bc: serviceStatus,     type: text(20),
     values: {running: In Process, done: Finished, held: On Hold}}
  - {shop: warranty, dir: <->, bc: underWarranty,     type: bool}
  - {shop: hours,    dir: <->, bc: responseTimeHours, type: decimal(5)}
settings: {disappearance: delete}
"""
TESTED = """  samples:
    path: /samples
    fields: {result: {path: outcome}}
"""
LAB_FLOW = """flow: sample
title: Samples
customwebshop: {asset: sample, entity: samples}
businesscentral: {asset: lab_samples, entity: labSamples}
match: [number]
create_key: number
properties:
  - {shop: number, dir: ->,  bc: sampleNo,      type: code(20), only: create}
  - {shop: taken,  dir: <->, bc: takenOn,       type: date}
  - {shop: takes,  dir: <->, bc: turnaround,    type: text(30)}
  - {shop: batch,  dir: <->, bc: batchId,       type: text(36)}
  - {shop: share,  dir: <->, bc: concentration, type: decimal(12)}
  - {shop: result, dir: <-,  bc: result,        type: text(50)}
"""
RENTED = """  contracts:
    path: /contracts
    children: {lines: {path: lines, id: line, fields: {line: {type: number}}}}
"""
RENTAL_FLOW = """flow: contract
title: Contracts
customwebshop: {asset: contract, entity: contracts}
businesscentral: {asset: rental_contracts, entity: rentalContracts}
match: [number]
create_key: number
properties:
  - {shop: number, dir: ->,  bc: id,          type: code(40), only: create}
  - {shop: name,   dir: <->, bc: description, type: text(100)}
children:
  lines:
    customwebshop: lines
    businesscentral: contractLines
    match: line
    properties:
      - {shop: line,  dir: ->,  bc: lineNo,    type: decimal(0), only: create}
      - {shop: thing, dir: <->, bc: itemNo,    type: code(20)}
      - {shop: rate,  dir: <->, bc: dailyRate, type: decimal(5)}
"""


@dataclass
class Own:
    """A shop, a page of its own, and what goes between."""

    shop: Plain
    bc: Central
    world: World
    folder: Path

    def connect(self, api: str, name: str, *, entity: str, flow: str, **edits: str) -> str:
        """What `new-entity` writes, with some texts replaced, beside a flow and the shop's description of it."""
        new_entity(name, api=api, called=None)
        file = self.folder / "entities" / f"{name}.yaml"
        drafted = text = file.read_text(encoding="utf-8")
        for old, new in edits.items():
            assert f"  {old}: " in text
            text = "\n".join(
                f"  {old}: {new}" if one.strip().startswith(f"{old}:") else one for one in text.split("\n")
            )
        file.write_text(text, encoding="utf-8")
        (self.folder / "flows" / f"{flow.split()[1]}.yaml").write_text(flow, encoding="utf-8")
        (self.folder / "shop.yaml").write_text(SHOP + entity, encoding="utf-8")
        return drafted

    def run(self, **told: Any) -> None:
        run = self.world.step(**told)
        assert run.success, run.problems
        assert not run.failed()

    def quiet(self) -> None:
        run = self.world.step(full=True)
        assert run.success, run.problems
        assert not run.writes()


@pytest.fixture
def own(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Own]:
    shop = Plain()
    with answering() as server, opened(shop) as address:
        bc = Central(server, getattr(request, "param", PAGES))
        for name in ("entities", "flows"):
            (tmp_path / name).mkdir()
        for name, value in {
            "CUSTOMWEBSHOP_URL": address,
            "CUSTOMWEBSHOP_CONNECTOR": str(tmp_path / "shop.yaml"),
            "BUSINESSCENTRAL_URL": f"{server.url}/t/e/api/v2.0",
            "BUSINESSCENTRAL_TOKEN_URL": f"{server.url}/token",
            "BUSINESSCENTRAL_COMPANY": "CRONUS",
            "BUSINESSCENTRAL_ENTITIES_DIR": str(tmp_path / "entities"),
            "TALK_FLOWS_DIR": str(tmp_path / "flows"),
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("BUSINESSCENTRAL_COMPANY_ID", raising=False)
        yield Own(shop, bc, world, tmp_path)


def test_a_page_whose_key_is_a_code_and_a_number(own: Own, capsys: pytest.CaptureFixture[str]) -> None:
    drafted = own.connect(SERVICE, "serviceItems", entity=SERVICED, flow=SERVICE_FLOW, itemCode="code(20)")
    assert "key: id # made of these\nkeys: [itemCode, lineNo]\nmodified: lastModifiedDateTime" in drafted
    shop, bc = own.shop, own.bc
    said = {"name": "Pump", "state": "running", "warranty": True, "hours": "4.5"}
    keys = [shop.add("gear", code=f"pump {n}", line=n * 10000, **said) for n in range(1, 6)]
    met = bc.add(
        "serviceItems", itemCode="PUMP 1", lineNo=10000, description="Pump", responseTimeHours=Decimal("4.5")
    )
    bc.lost = 1
    own.run()
    own.run()
    rows = bc.rows["serviceItems"]
    assert sorted((row["itemCode"], row["lineNo"]) for row in rows) == [
        (f"PUMP {n}", n * 10000) for n in range(1, 6)
    ]
    assert (met["serviceStatus"], met["underWarranty"]) == ("In_x0020_Process", True)
    own.quiet()
    assert check_configuration() == 0, capsys.readouterr().out
    assert not unexplained()

    bc.change("serviceItems", rows[1], serviceStatus="On_x0020_Hold", responseTimeHours=Decimal("0.12345"))
    shop.edit("gear", keys[2], name="Valve / new", warranty=False)
    own.run()
    told = shop.tables["gear"][keys[int(rows[1]["lineNo"]) // 10000 - 1]]
    assert (told["state"], Decimal(str(told["hours"]))) == ("held", Decimal("0.12345"))
    assert [row["description"] for row in rows if row["lineNo"] == 30000] == ["Valve / new"]
    own.quiet()
    del shop.tables["gear"][keys[3]]
    own.run(full=True)
    assert sorted(row["lineNo"] for row in bc.rows["serviceItems"]) == [10000, 20000, 30000, 50000]
    own.quiet()
    assert not unexplained()

    shop.add("gear", code="alone", line=None, **said)
    refused = own.world.step().finding("gear", "no_quarantined_records").rows
    assert "'alone' is no key: it is made of itemCode, lineNo, with commas between" in str(refused)


def test_a_page_that_takes_no_select_with_types_of_its_own(
    own: Own, capsys: pytest.CaptureFixture[str]
) -> None:
    drafted = own.connect(LAB, "labSamples", entity=TESTED, flow=LAB_FLOW, result="text(50) read")
    assert "  turnaround: duration\n" in drafted
    assert check_configuration() == 2
    assert "asked without $select it answers" in capsys.readouterr().out
    file = own.folder / "entities" / "labSamples.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("\nwrites:", "\nselects: false\nwrites:"))

    shop, bc = own.shop, own.bc
    batch = "0f2a7c1e-96a4-4b1c-9d55-6e0c1f6a2b33"
    said = {
        "taken": "2026-03-29",
        "takes": "PT36H",
        "batch": batch,
        "share": "0.000000012345",
        "outcome": None,
    }
    key = shop.add("samples", number="s-1", **said)
    blank = shop.add("samples", number="s-2", **dict.fromkeys(said))
    own.run()
    row, empty = sorted(bc.rows["labSamples"], key=lambda one: str(one["sampleNo"]))
    assert (row["takenOn"], row["turnaround"], row["batchId"]) == ("2026-03-29", "PT36H", batch)
    assert row["concentration"] == Decimal("0.000000012345")
    assert (empty["turnaround"], empty["takenOn"]) == ("PT0S", "0001-01-01")
    own.quiet()
    assert check_configuration() == 0, capsys.readouterr().out
    assert not unexplained()

    bc.change("labSamples", row, result="Pure", turnaround="PT0S", takenOn="2026-04-01")
    shop.edit("samples", blank, takes="P2DT3H", share="12.5")
    own.run()
    told = shop.tables["samples"][key]
    assert (told["outcome"], told["takes"], told["taken"]) == ("Pure", None, "2026-04-01")
    assert (empty["turnaround"], empty["concentration"]) == ("P2DT3H", Decimal("12.5"))
    own.quiet()
    assert not unexplained()


def test_lines_whose_key_is_that_of_their_record_and_a_number(
    own: Own, capsys: pytest.CaptureFixture[str]
) -> None:
    drafted = own.connect(RENTAL, "rentalContracts", entity=RENTED, flow=RENTAL_FLOW)
    assert "    keys: [contractNo, version, lineNo]\n" in drafted
    assert "# left out: deliveryAddress: Microsoft.NAV.addressType" in drafted
    shop, bc = own.shop, own.bc
    lines = [{"line": n, "thing": f"T{n}", "rate": f"{n}.5"} for n in (1, 2)]
    key = shop.add("contracts", number="C/1,7", name="Crane", lines=lines)
    own.run()
    rows = bc.rows["rentalContractLines"]
    assert [(row["contractNo"], row["version"], row["lineNo"], row["itemNo"]) for row in rows] == [
        ("C/1", 7, 1, "T1"),
        ("C/1", 7, 2, "T2"),
    ]
    own.quiet()
    assert check_configuration() == 0, capsys.readouterr().out
    assert not unexplained()

    added = {"line": 3, "thing": "T3", "rate": "9"}
    shop.edit("contracts", key, lines=[{**lines[0], "rate": "8"}, added])
    own.run()
    left = {row["lineNo"]: row["dailyRate"] for row in bc.rows["rentalContractLines"]}
    assert left == {1: 8, 3: 9}
    bc.change("rentalContractLines", bc.rows["rentalContractLines"][0], dailyRate=Decimal("7.25"))
    own.run(full=True)
    told = shop.tables["contracts"][key]["lines"][0]
    assert (told["thing"], Decimal(str(told["rate"]))) == ("T1", Decimal("7.25"))
    own.quiet()
    assert not unexplained()


def test_a_number_that_is_no_whole_one_stops_its_record_alone(own: Own) -> None:
    own.connect(RENTAL, "rentalContracts", entity=RENTED.replace("id: line", "id: key"), flow=RENTAL_FLOW)
    for n, line in enumerate((1, "2.5", "3.0")):
        lines = [{"key": f"K{n}", "line": line, "thing": f"T{n}", "rate": "1"}]
        own.shop.add("contracts", number=f"C{n},1", name="Crane", lines=lines)
    run = own.world.step()
    assert run.success, run.problems
    assert {row["contractNo"]: row["lineNo"] for row in own.bc.rows["rentalContractLines"]} == {
        "C0": 1,
        "C2": 3,
    }
    refused = str(run.finding("contract", "no_quarantined_records").rows)
    assert "lineNo of Business Central: '2.5' is no Int32, which is a whole number" in refused
