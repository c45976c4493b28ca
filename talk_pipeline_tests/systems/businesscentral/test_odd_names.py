"""Pages whose names, words and types are as nobody else has them, drafted and synchronized both ways."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline_tests.systems.businesscentral.own_page import OwnPage
from talk_pipeline_tests.systems.businesscentral.test_own_pages import Own, own
from talk_pipeline_tests.systems.customwebshop.shops.door import unexplained

__all__ = ["own"]  # a fixture is known where it is named

FLEET = "AcmeMotors/FleetMgmt/v1.5"
PAGES: Mapping[str, Mapping[str, OwnPage]] = {
    FLEET: {
        "VehicleRegistrations": OwnPage(
            "VehicleRegistration",
            ("VehicleGuid",),
            {
                "VehicleGuid": "Guid read",
                "Reg_x0020_No": "String(12) code",
                "Make_x002F_Model": "String(100)",
                "Fuel": "FuelType",
                "Engine_x0020_Size": "Double",
                "Mileage": "Int64",
                "FirstRegistered": "Date",
                "LastServiceAt": "DateTimeOffset",
                "OwnerGuid": "Guid",
                "Photo": "Stream",
                "Garage": "Place",
                "Roadworthy": "Boolean read",
                "SystemCreatedAt": "DateTimeOffset read",
                "SystemModifiedAt": "DateTimeOffset read",
            },
            below={"ServiceEntries": ("VehicleServices", {"VehicleGuid": "VehicleGuid"})},
            enums={
                "FuelType": (
                    "_x0020_",
                    "Petrol",
                    "Plug_x002D_in_x0020_Hybrid",
                    "E_x0026_M",
                    "_x0039_5_x0020_RON",
                )
            },
            complex={"Place": {"Street": "String(50)"}},
            modified="SystemModifiedAt",
            etag=False,
        ),
        "VehicleServices": OwnPage(
            "VehicleService",
            ("EntryGuid",),
            {
                "EntryGuid": "Guid read",
                "VehicleGuid": "Guid read",
                "LineNo": "Int32",
                "Work_x0020_Done": "String(80)",
                "Cost": "Decimal",
            },
            etag=False,
        ),
        "VehicleValuations": OwnPage(
            "VehicleValuation",
            ("ValuationKey",),
            {"ValuationKey": "Guid", "RegNo": "String(12) code", "Value": "Decimal", "ValuedOn": "Date"},
            forbids=("Insertable", "Updatable", "Deletable"),
        ),
    }
}
CARS = """  cars:
    path: /cars
    fields: {safe: {type: bool}}
    children: {services: {path: services, id: no, empty: [missing], fields: {no: {type: number}}}}
"""
CAR_FLOW = """flow: car
title: Cars
customwebshop: {asset: car, entity: cars}
businesscentral: {asset: vehicles, entity: VehicleRegistrations}
match: [plate]
create_key: plate
properties:
  - {shop: plate,   dir: ->,  bc: Reg_x0020_No,      type: code(12), only: create}
  - {shop: model,   dir: <->, bc: Make_x002F_Model,  type: text(100)}
  - {shop: fuel,    dir: <->, bc: Fuel,              type: text(30),
     values: {none: "", petrol: Petrol, hybrid: Plug-in Hybrid, mixed: E&M, "95": 95 RON}}
  - {shop: litres,  dir: <->, bc: Engine_x0020_Size, type: decimal(3)}
  - {shop: mileage, dir: <->, bc: Mileage,           type: decimal(0)}
  - {shop: since,   dir: <->, bc: FirstRegistered,   type: date}
  - {shop: served,  dir: <->, bc: LastServiceAt,     type: moment}
  - {shop: owner,   dir: <->, bc: OwnerGuid,         type: text(36)}
  - {shop: safe,    dir: <-,  bc: Roadworthy,        type: bool}
children:
  services:
    customwebshop: services
    businesscentral: ServiceEntries
    match: no
    properties:
      - {shop: no,   dir: <->, bc: LineNo,           type: decimal(0)}
      - {shop: work, dir: <->, bc: Work_x0020_Done,  type: text(80)}
      - {shop: cost, dir: <->, bc: Cost,             type: decimal(2)}
settings: {create: both, disappearance: {customwebshop: delete}}
"""


@pytest.mark.parametrize("own", [PAGES], indirect=True)
def test_a_page_of_odd_names_goes_both_ways(own: Own, capsys: pytest.CaptureFixture[str]) -> None:
    drafted = own.connect(FLEET, "VehicleRegistrations", entity=CARS, flow=CAR_FLOW)
    assert "modified: SystemModifiedAt\n" in drafted
    assert "  SystemCreatedAt: datetime read\n" in drafted
    assert "    sorted_by: LineNo\n" in drafted
    assert "  Fuel: enum # blank, Petrol, Plug-in Hybrid, E&M, 95 RON\n" in drafted
    said = capsys.readouterr().out
    assert "left out: Photo: Edm.Stream\n" in said
    assert "left out: Garage: Microsoft.NAV.Place\n" in said
    shop, bc = own.shop, own.bc
    owner = "0f2a7c1e-96a4-4b1c-9d55-6e0c1f6a2b33"
    told = {"model": "Saab 9/5", "fuel": "hybrid", "litres": "1.998", "mileage": "5000000000", "owner": owner}
    when = {"since": "1999-02-28", "served": "2026-05-01T12:00:00Z", "safe": None}
    work = [{"no": 1, "work": "Oil", "cost": "99.50"}, {"no": 2, "work": "Tyres", "cost": "0"}]
    key = shop.add("cars", plate="ab 1", **told, **when, services=work)
    blank = dict.fromkeys({**told, **when})
    bare = shop.add("cars", plate="AB 2", **blank | {"fuel": "none"}, services=[])
    bc.add("VehicleRegistrations", Reg_x0020_No="AB 3", Fuel="_x0039_5_x0020_RON", Roadworthy=True)
    own.run()
    assert check_configuration() == 0, capsys.readouterr().out
    assert "a write against a wrong version is taken: it shows none" in capsys.readouterr().out
    rows = {row["Reg_x0020_No"]: row for row in bc.rows["VehicleRegistrations"]}
    car = rows["AB 1"]
    assert (car["Fuel"], car["Engine_x0020_Size"], car["Mileage"], car["OwnerGuid"]) == (
        "Plug_x002D_in_x0020_Hybrid",
        Decimal("1.998"),
        5000000000,
        owner,
    )
    assert (rows["AB 2"]["FirstRegistered"], rows["AB 2"]["Fuel"]) == ("0001-01-01", "_x0020_")
    assert [row["Work_x0020_Done"] for row in bc.rows["VehicleServices"]] == ["Oil", "Tyres"]
    born = next(row for row in shop.tables["cars"].values() if row["plate"] == "AB 3")
    assert (born["fuel"], born["safe"]) == ("95", True)
    own.quiet()

    bc.change("VehicleRegistrations", car, Fuel="E_x0026_M", FirstRegistered="0001-01-01", Roadworthy=True)
    bc.change("VehicleServices", bc.rows["VehicleServices"][0], Cost=Decimal("101"))
    bc.add("VehicleServices", VehicleGuid=car["VehicleGuid"], LineNo=3, **{"Work_x0020_Done": "Wash"})
    shop.edit("cars", bare, litres="2.5", served="2026-06-01T10:00:00Z", fuel="petrol")
    own.run(full=True)
    own_car = shop.tables["cars"][key]
    assert (own_car["fuel"], own_car["since"], own_car["safe"]) == ("mixed", None, True)
    assert [(one["work"], Decimal(one["cost"])) for one in own_car["services"]] == [
        ("Oil", Decimal(101)),
        ("Tyres", Decimal(0)),
        ("Wash", Decimal(0)),
    ]
    assert (rows["AB 2"]["Fuel"], rows["AB 2"]["LastServiceAt"][:19]) == ("Petrol", "2026-06-01T10:00:00")
    own.quiet()
    assert not unexplained()


VALUED = """  values:
    path: /values
"""
VALUE_FLOW = """flow: value
title: Valuations
customwebshop: {asset: value, entity: values}
businesscentral: {asset: valuations, entity: VehicleValuations}
match: [plate]
create_key: plate
properties:
  - {shop: plate, dir: <-, bc: RegNo,    type: code(12)}
  - {shop: worth, dir: <-, bc: Value,    type: decimal(2)}
  - {shop: on,    dir: <-, bc: ValuedOn, type: date}
settings: {create: businesscentral}
"""


@pytest.mark.parametrize("own", [PAGES], indirect=True)
def test_a_page_that_is_only_read_goes_to_the_shop(own: Own, capsys: pytest.CaptureFixture[str]) -> None:
    drafted = own.connect(FLEET, "VehicleValuations", entity=VALUED, flow=VALUE_FLOW)
    assert "writes: []\n" in drafted
    assert "  Value: decimal read\n" in drafted
    own.bc.add(
        "VehicleValuations",
        RegNo="AB 1",
        Value=Decimal("12.50"),
        ValuationKey="0f2a7c1e-96a4-4b1c-9d55-6e0c1f6a2b33",
    )
    own.run()
    (row,) = own.shop.tables["values"].values()
    assert (row["plate"], Decimal(row["worth"]), row["on"]) == ("AB 1", Decimal("12.5"), None)
    assert check_configuration() == 0, capsys.readouterr().out
    own.quiet()
    assert not own.bc.writes


@pytest.mark.parametrize("own", [PAGES], indirect=True)
def test_what_no_flow_can_carry_is_told_by_its_type(own: Own, capsys: pytest.CaptureFixture[str]) -> None:
    flow = CAR_FLOW.replace("bc: OwnerGuid,         type: text(36)", "bc: Garage, type: text(50)")
    own.connect(FLEET, "VehicleRegistrations", entity=CARS, flow=flow, OwnerGuid="guid\n  Garage: text(50)")
    own.bc.add("VehicleRegistrations", Reg_x0020_No="AB 3")
    assert check_configuration() == 2
    told = "FAIL VehicleRegistrations: Garage is Microsoft.NAV.Place, says $metadata: no value that a flow carries"
    assert told in capsys.readouterr().out
